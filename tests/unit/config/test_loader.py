"""The shape that existing installations have, and every rule of the platform's own sections."""

import pytest

from chatsubo.config import ConfigError, Host, load, locate_plugins

DOCUMENTED = """
    providers:
      hyper:
        wz_pve:
          host: "https://pve.example"
          token: {name: "n", value: "hunter2"}
          nodes: ["pve"]
          verify_ssl: no
          sep: "--"
          realms: ["wz01", "wz02"]
      engine:
        wz_docker:
          root: "/var/chatsubo/docker"
          network: "chatsubo-gate"
          limits: {memory: "256m"}
          api:
            host: "docker.example"
            port: "2376"
          realms: ["wz01"]
    vpns:
      - realm: "wz01"
        url: "http://gate.example:7474"
        token: "hunter3"
        header: "X-Chatsubo-Token"
        endpoints:
          config: "/api/vpn/get/:username"
          check: "/api/check"
    plugins: "plugins"
"""
GATE = "vpns: [{realm: wz01, url: 'http://gate.example', token: t%s}]\n"


def _engine(more: str = "", api: str = "{host: docker.example}") -> str:
    return f"providers:\n  engine:\n    one:\n      root: /srv\n      realms: [wz01]\n      api: {api}\n{more}"


def test_the_documented_file_is_read_as_it_is_meant(read, folder):
    config = read(DOCUMENTED)
    pve, docker = config.providers
    assert (pve.kind, pve.name, pve.realms) == ("hyper", "wz_pve", ("wz01", "wz02"))
    assert pve.model.host == Host("pve.example", "https")
    assert pve.model.verify_ssl is False
    assert (docker.model.api.port, docker.model.limits.memory) == (2376, 256 * 1024**2)
    assert config.vpns[0].token.reveal() == "hunter3"
    assert config.plugins == folder / "plugins"
    assert config.source == folder / "chatsubo.yml"


@pytest.mark.parametrize("text", ["providers:\n", "providers: {pve: , engine: }\nvpns:\n", "server:\nplugins:\n", "{}"])
def test_empty_sections_are_valid(read, text):
    config = read(text)
    assert (config.providers, config.vpns) == ((), ())


def test_an_empty_kind_needs_no_plugin(read):
    assert read("providers: {pve: {}, anything: }\n").providers == ()


def test_what_is_left_out_has_its_documented_default(read, folder):
    config = read(_engine() + GATE % "")
    model = config.providers[0].model
    assert (model.network, model.limits.processes, model.verify_ssl, model.api.port) == (
        "chatsubo-gate",
        128,
        True,
        2376,
    )
    assert config.vpns[0].header == "X-Chatsubo-Token"
    assert config.vpns[0].endpoints.config == "/api/vpn/get/:username"
    assert config.vpns[0].shared_connects_back is False
    assert (config.server.host, config.server.port, config.server.url) == ("127.0.0.1", 8080, "http://127.0.0.1:8080")
    assert config.database.url.reveal() == f"sqlite:///{folder}/chatsubo.db"
    assert (config.logging.format, config.logging.level) == ("json", "info")


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(refuse):
    problems = refuse(
        """
        providers:
          dokcer: {a: {realms: [x]}}
          engine:
            one:
              rot: /srv
              limits: {memory: lots, cpus: 0}
              api: {host: "a b", port: 0, client: {cert: no.pem}}
              realms: []
        server: {port: 99999}
        loging: {}
        """
    )
    assert [(problem.path, problem.line) for problem in problems] == [
        ("providers.dokcer", 3),
        ("providers.engine.one.rot", 6),
        ("providers.engine.one.limits.memory", 7),
        ("providers.engine.one.limits.cpus", 7),
        ("providers.engine.one.api.host", 8),
        ("providers.engine.one.api.port", 8),
        ("providers.engine.one.api.client.cert", 8),
        ("providers.engine.one.api.client.key", 8),
        ("providers.engine.one.realms", 9),
        ("server.port", 10),
        ("loging", 11),
    ]


def test_a_misspelt_key_suggests_the_nearest_one_and_is_not_missing_as_well(refuse):
    (problem,) = refuse(_engine().replace("realms", "relams"))
    assert problem.path == "providers.engine.one.relams"
    assert "Did you mean realms?" in problem.sentence


def test_a_key_like_no_other_is_told_beside_the_one_that_is_missing(refuse):
    problems = refuse(_engine().replace("realms", "zzz"))
    assert [problem.path for problem in problems] == ["providers.engine.one.realms", "providers.engine.one.zzz"]
    assert "one of: realms, api, root," in problems[1].sentence


def test_a_number_out_of_range_says_the_range_and_what_was_found(refuse):
    (problem,) = refuse(_engine(api="{host: x, port: abc}"))
    assert str(problem).startswith("providers.engine.one.api.port (line 6): ")
    assert problem.sentence == "expected a whole number from 1 to 65535, found 'abc'"


def test_a_choice_lists_the_choices_and_the_nearest(refuse):
    (problem,) = refuse("logging: {level: warn}")
    assert problem.sentence == "expected one of: debug, error, info, warning, found 'warn'. Did you mean warning?"


def test_an_unknown_kind_names_the_extra_to_install(refuse):
    (problem,) = refuse("providers: {pve: {a: {}}}")
    assert "pip install 'chatsubo[pve]'" in problem.sentence
    assert "engine, hyper" in problem.sentence


def test_an_unknown_kind_without_an_extra_suggests_the_nearest(refuse):
    (problem,) = refuse("providers: {engin: {a: {}}}")
    assert "Did you mean engine?" in problem.sentence


def test_a_name_is_unique_over_all_kinds(refuse):
    text = _engine("  hyper:\n    one: {host: h, token: {name: n, value: v}, realms: [a]}\n")
    (problem,) = refuse(text)
    assert (problem.path, problem.line) == ("providers.hyper.one", 8)
    assert "providers.engine.one" in problem.sentence


@pytest.mark.parametrize("name", ["''", '"a\\tb"', "x" * 65])
def test_a_name_that_nobody_could_read_is_refused(refuse, name):
    assert len(refuse(_engine().replace("one:", f"{name}:"))) == 1


@pytest.mark.parametrize("text", ["providers: []", "providers: {engine: [a]}", "providers: {engine: x}"])
def test_providers_that_are_no_groups_are_refused(refuse, text):
    (problem,) = refuse(text)
    assert "a group of keys" in problem.sentence


def test_a_provider_without_anything_misses_what_it_needs(refuse):
    (problem,) = refuse("providers: {engine: {one: }}")
    assert (problem.path, problem.sentence) == (
        "providers.engine.one",
        "expected a group of keys with values, found nothing",
    )


def test_a_rule_between_fields_points_at_its_field(refuse):
    (problem,) = refuse(_engine(api="{host: 'tcp://x'}"))
    assert problem.path == "providers.engine.one.api.client"


def test_a_model_that_quotes_a_secret_is_not_passed_on(refuse):
    (problem,) = refuse("providers: {hyper: {a: {host: h, token: {name: n, value: quoted}, realms: [r]}}}")
    assert "quoted" not in str(problem).replace("quotes", "")


def test_sep_is_accepted_without_effect(read):
    config = read(_engine("      sep: '--'\n"))
    assert any("sep" in str(warning) for warning in config.warnings)


def test_a_realm_without_a_gate_is_fine(read):
    assert not [warning for warning in read(_engine()).warnings if "realm" in str(warning)]


def test_a_gate_to_a_realm_that_nobody_serves_is_a_warning(read):
    assert any("vpns.0: no provider serves the realm wz01" in str(each) for each in read(GATE % "").warnings)


def test_a_gate_that_is_listed_twice_is_a_warning_and_two_gates_are_not(read):
    gates = "vpns: [{realm: wz01, url: 'http://a', token: t}, {realm: wz01, url: 'http://%s', token: t}]\n"
    assert any("twice" in str(warning) for warning in read(gates % "a").warnings)
    assert not any("twice" in str(warning) for warning in read(gates % "b").warnings)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("vpns: {realm: a}", "vpns"),
        ("vpns: [text]", "vpns.0"),
        ("vpns: [{realm: a, url: 'http://u:hunter2@x', token: t}]", "vpns.0.url"),
        ("vpns: [{realm: 'a b', url: 'http://x', token: t}]", "vpns.0.realm"),
        ("vpns: [{realm: a, url: 'http://x', token: t, header: 'X Y'}]", "vpns.0.header"),
        ("vpns: [{realm: a, url: 'http://x', token: t, endpoints: {config: /get}}]", "vpns.0.endpoints.config"),
        ("vpns: [{realm: a, url: 'http://x', token: t, shared_connects_back: 2}]", "vpns.0.shared_connects_back"),
        ("vpns: [{realm: a, url: 'http://x', token: t, endpoints: {check: check}}]", "vpns.0.endpoints.check"),
        ("vpns: [{realm: a, url: 'http://x', token: ''}]", "vpns.0.token"),
        ("vpns: [{realm: a, url: 'http://x'}]", "vpns.0.token"),
        ("server: {trusted_proxies: [10.0.0.0/33]}", "server.trusted_proxies.0"),
        ("server: {trusted_proxies: 10.0.0.1}", "server.trusted_proxies"),
        ("server: {url: 'http://ctf.example'}", "server.url"),
        ("server: {allow_insecure_http: maybe}", "server.allow_insecure_http"),
        ("server: {host: ''}", "server.host"),
        ("server: {port: true}", "server.port"),
        ("server: {port: 80.5}", "server.port"),
        ("database: {url: 'mysql://root:hunter2@x/y'}", "database.url"),
        ("database: {url: 'sqlite:///:memory:'}", "database.url"),
        ("database: {url: 'sqlite:///x.db?mode=ro'}", "database.url"),
        ("database: {url: 'sqlite://chatsubo.db'}", "database.url"),
        ("database: {url: 'postgresql://root:hunter2@x:y/z'}", "database.url"),
        ("database: 'postgresql://root:hunter2@x/y'", "database"),
        ("plugins: [a]", "plugins"),
    ],
)
def test_each_setting_has_its_rule(refuse, text, path):
    (problem,) = refuse(text)
    assert problem.path == path
    assert "hunter2" not in str(problem)


def test_the_public_url_carries_the_prefix(read):
    server = read("server: {url: 'https://ctf.example/play/'}").server
    assert (server.url, server.prefix, server.origin) == ("https://ctf.example/play", "/play", "https://ctf.example")
    assert server.secure


def test_plain_http_is_allowed_when_asked_for(read):
    config = read("server: {url: 'http://ctf.example', allow_insecure_http: true}")
    assert not config.server.secure
    assert config.warnings == ()


def test_a_missing_public_url_is_a_warning(read):
    assert any("server.url" in str(warning) for warning in read("server: {}").warnings)


@pytest.mark.parametrize(("host", "url"), [("0.0.0.0", "http://127.0.0.1:80"), ("::", "http://[::1]:80")])
def test_the_default_url_is_one_that_can_be_opened(read, host, url):
    assert read(f"server: {{host: '{host}', port: 80}}").server.url == url


def test_the_database_is_labelled_without_its_password(read, folder):
    database = read("database: {url: 'postgres://root:hunter2@db.example:5433/ctf?sslmode=x'}").database
    assert (database.engine, database.label) == ("postgresql", "postgresql://db.example:5433/ctf")
    assert "hunter2" in database.url.reveal()


@pytest.mark.parametrize("password", ["a#b", "a/b", "a?b", "a:b", "a b", "%40", "[x]"])
def test_a_password_with_odd_characters_stays_out_of_the_label(read, password):
    url = f"postgresql://root:{password}@db.example/ctf?password={password}"
    database = read(f"database: {{url: '{url}'}}").database
    assert (database.url.reveal(), database.label) == (url, "postgresql://db.example/ctf")


def test_a_database_on_a_socket_needs_no_host(read):
    url = "postgresql:///ctf?host=/run/postgresql"
    assert read(f"database: {{url: '{url}'}}").database.label == "postgresql:///ctf"


def test_the_path_of_the_database_is_relative_to_the_file_or_absolute(read, folder):
    assert read("database: {url: 'sqlite:///data/x.db'}").database.url.reveal() == f"sqlite:///{folder}/data/x.db"
    assert read("database: {url: 'sqlite:////srv/x.db'}").database.url.reveal() == "sqlite:////srv/x.db"


def test_a_path_is_below_the_working_directory_and_then_beside_the_file(read, folder):
    (folder.parent / "working" / "both").mkdir()
    (folder / "both").mkdir()
    (folder / "beside").mkdir()
    assert read(_engine().replace("/srv", "both")).providers[0].model.root == folder.parent / "working" / "both"
    assert read(_engine().replace("/srv", "beside")).providers[0].model.root == folder / "beside"


def test_a_certificate_that_is_nowhere_says_where_it_was_looked_for(refuse, folder):
    (folder / "there.pem").touch()
    (problem,) = refuse(_engine(api="{host: x, client: {cert: there.pem, key: nowhere.pem}}"))
    assert problem.path == "providers.engine.one.api.client.key"
    assert str(folder / "nowhere.pem") in problem.sentence


@pytest.mark.parametrize("root", ["''", '"a\\0b"', "[a]", "x" * 5000])
def test_a_path_that_cannot_be_one_is_told_not_raised(read, refuse, root):
    text = _engine().replace("/srv", root)
    if root.startswith("x"):
        assert read(text).providers[0].model.root.name == root
    else:
        assert refuse(text)[0].path == "providers.engine.one.root"


def test_a_missing_file_and_a_folder_are_told(refuse, folder):
    for path, word in ((folder / "none.yml", "no such file"), (folder, "cannot be opened")):
        with pytest.raises(ConfigError, match=word):
            load(path, {}, environ={})


def test_the_plugins_folder_can_be_found_before_the_file_is_checked(folder):
    file = folder / "chatsubo.yml"
    assert locate_plugins(file, {}) == folder / "plugins"
    file.write_text("plugins: mine\nserver: {port: nonsense}\n")
    assert locate_plugins(file, {}) == folder / "mine"
    assert locate_plugins(file, {"CHATSUBO__PLUGINS": "/opt/plugins"}).as_posix() == "/opt/plugins"
    file.write_text("plugins: [")
    assert locate_plugins(file, {}) == folder / "plugins"

"""Plugins come in by three ways, and one that does not work disables itself alone."""

import threading

import pytest
from structlog.testing import capture_logs

from chatsubo.config import Config, ProviderEntry, RawConfig, Secret
from chatsubo.providers import disabled as disabled_module
from chatsubo.providers.abilities import Ability, abilities
from chatsubo.providers.disabled import DisabledProvider, PluginDisabled
from chatsubo.providers.registry import Registry
from chatsubo.providers.sources import Way

NATIVE = """
    from chatsubo.providers.base import BaseProvider, Check, Listing
    from .instance import NAME

    class Provider(BaseProvider):
        kind = "rack"

        @classmethod
        def from_config(cls, name, raw_conf, vpns):
            made = cls(raw_conf.realms, vpns)
            made.name = name
            return made

        async def check(self):
            return Check(reachable=True, is_dynamic=False)

        async def list_templates(self):
            return Listing([])

        async def list_instances(self, realm=None):
            return Listing([])

        async def reset(self, realm, template, session=None, *, progress=None):
            raise NotImplementedError
"""


OURS = "from chatsubo.providers.base import BaseProvider\nclass P(BaseProvider):\n  "
SEED = "from app.providers.base.provider import BaseProvider\nclass P(BaseProvider):\n  "


def reasons(registry: Registry) -> dict[str, str]:
    return {one.kind: str(one.reason) for one in registry.disabled}


def test_what_is_built_in_is_loaded_by_its_entry_point_and_says_so():
    registry = Registry.load()
    assert registry.sources["local"].way is Way.BUILT_IN
    assert registry.sources["local"].origin == "chatsubo.providers.local:LocalProvider"
    assert Ability.START in abilities(registry.plugins["local"])


def test_a_folder_is_a_plugin_of_either_style(folder, write):
    write("rack", NATIVE, instance="NAME = 'rack'")
    write("yard")
    registry = Registry.load(folder)
    assert {"local", "rack", "yard"} <= set(registry.plugins)
    assert registry.sources["rack"].way is Way.FOLDER
    assert registry.sources["yard"].origin == str(folder / "yard")
    for kind in ("rack", "yard"):
        assert abilities(registry.plugins[kind]) == (Ability.TEMPLATES, Ability.INSTANCES, Ability.RESET)
    assert not registry.disabled


def test_a_package_whose_code_imports_app_providers_is_given_them(tmp_path, write, folder, entry, monkeypatch):
    place = write("yard", instance="from app.providers.yard.provider import Provider")
    (place / "__init__.py").touch()
    monkeypatch.syspath_prepend(folder)
    entry(("yard", "yard.provider:Provider"))
    registry = Registry.load()
    assert registry.sources["yard"].way is Way.PACKAGE
    assert registry.plugins["yard"].kind == "yard"


def test_a_folder_takes_the_place_of_what_is_built_in_with_a_notice(folder, write):
    write("local")
    registry = Registry.load(folder)
    assert registry.sources["local"].way is Way.FOLDER
    said = [str(one.text) for one in registry.sources["local"].notices]
    assert said == ["it takes the place of the plugin chatsubo.providers.local:LocalProvider"]
    with capture_logs() as logs:
        registry.tell()
    assert [one["notice"] for one in logs if one["event"] == "plugin.notice"] == said


def test_a_folder_that_does_not_work_does_not_fall_back_to_what_it_takes_the_place_of(folder, write):
    write("local", "raise RuntimeError('not today')")
    write("docker", "import nowhere_to_be_found")
    registry = Registry.load(folder)
    assert not {"local", "docker"} & set(registry.plugins)
    assert registry.hints() == {}
    assert {one.kind for one in registry.troubles()} == {"local", "docker"}


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import nowhere", "ModuleNotFoundError: No module named 'nowhere' (provider.py, line 1)"),
        ("from app.models import User", "No module named 'app.models'; what a plugin is given is app.providers.base"),
        ("x = 1\ndef f(:", "SyntaxError: invalid syntax (provider.py, line 2)"),
        ("x = 1\nraise SystemExit(3)", "SystemExit: 3 (provider.py, line 2)"),
        ("import sys\nsys.exit()", "SystemExit (provider.py, line 2)"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt (provider.py, line 1)"),
        ("class E(Exception):\n  __str__ = exit\nraise E", "E (it cannot be told in words) (provider.py, line 3)"),
        ("import threading\nthreading.Event().wait()", "its import did not end within 0.2 s"),
        ("x = 1", "its provider.py has no subclass of BaseProvider"),
        ("from app.providers.base.provider import BaseProvider", "its provider.py has no subclass of BaseProvider"),
        (f"{OURS}kind = 'other'", "its kind is 'other', its name 'rack'"),
        (f"{OURS}kind = 'rack'", "it lacks the methods check, from_config, list_instances, list_templates, reset"),
        (f"{SEED}kind = 'rack'", "it lacks the methods from_config, list_templates, list_instances, reset"),
        (f"{OURS}kind = 'rack'\n  Config = dict", "its Config is not a subclass of ProviderConfig"),
    ],
)  # fmt: skip
def test_one_that_does_not_work_is_disabled_with_the_reason_and_nothing_else_suffers(folder, write, code, reason):
    write("rack", code)
    write("yard")
    registry = Registry.load(folder, limit=0.2 if "wait" in code else 10)
    assert reason in reasons(registry)["rack"]
    assert {"yard", "local"} <= set(registry.plugins)
    with capture_logs() as logs:
        registry.tell()
    [told] = [one for one in logs if one["event"] == "plugin.disabled"]
    assert (told["kind"], told["origin"]) == ("rack", str(folder / "rack"))
    assert reason in told["reason"]


def test_two_providers_in_one_file_are_one_too_many_unless_one_is_made_from_the_other(folder, write):
    base = "from app.providers.base.provider import BaseProvider as B\nclass A(B):\n  kind = 'rack'\n"
    write("rack", base + "class C(B):\n  kind = 'rack'")
    assert reasons(Registry.load(folder))["rack"] == "its provider.py has several providers: A, C"


def test_one_in_a_folder_takes_the_place_of_one_that_cannot_be_used_and_nobody_hears_of_that_one(folder, write, entry):
    entry(("docker", "nowhere:DockerProvider"))
    write("docker")
    registry = Registry.load(folder)
    assert (registry.disabled, registry.troubles(), registry.hints().get("docker")) == ((), (), None)
    [notice] = registry.sources["docker"].notices
    assert str(notice.text) == "it takes the place of the plugin nowhere:DockerProvider"


@pytest.mark.parametrize(("name", "reason"), [("a b", "cannot be called 'a b'"), ("base", "cannot be called 'base'")])
def test_a_name_that_cannot_be_a_kind_is_refused(folder, write, name, reason):
    write(name)
    assert reason in reasons(Registry.load(folder))[name]


def test_what_is_no_plugin_is_left_alone_and_a_folder_without_a_provider_is_told_of(folder):
    for name in (".git", "__pycache__", "_old", "empty"):
        (folder / name).mkdir()
    (folder / "README").touch()
    registry = Registry.load(folder)
    assert reasons(registry) == {"empty": "there is no provider.py in it"}


def test_no_folder_and_a_file_in_its_place_are_no_trouble_to_the_others(tmp_path):
    assert not Registry.load(tmp_path / "nowhere").disabled
    (tmp_path / "plugins").touch()
    registry = Registry.load(tmp_path / "plugins")
    assert "cannot be read" in reasons(registry)["plugins"]
    assert "local" in registry.plugins


def test_a_folder_that_is_a_link_to_itself_is_told_of(tmp_path):
    (tmp_path / "plugins").symlink_to("plugins")
    registry = Registry.load(tmp_path / "plugins")
    assert "docker" in registry.plugins
    (told,) = [one for one in registry.disabled if one.kind == "plugins"]
    assert "cannot be read" in str(told.reason)


def test_of_two_packages_with_one_kind_the_first_counts(entry):
    entry(("local", "chatsubo.providers.local:LocalProvider"), ("local", "another.package:Provider"))
    registry = Registry.load()
    assert registry.sources["local"].way is Way.BUILT_IN
    assert "chatsubo.providers.local:LocalProvider" in reasons(registry)["local"]
    assert registry.reasons() == {}


def test_of_two_packages_with_one_kind_the_one_that_works_counts(entry, write, folder, monkeypatch):
    (write("yard") / "__init__.py").touch()
    monkeypatch.syspath_prepend(folder)
    entry(("yard", "nowhere:Provider"), ("yard", "yard.provider:Provider"))
    registry = Registry.load()
    assert registry.sources["yard"].origin == "yard.provider:Provider"
    assert "nowhere" in reasons(registry)["yard"]


@pytest.mark.parametrize("mode", [0o775, 0o757])
@pytest.mark.parametrize("what", ["rack", "rack/provider.py", "."])
def test_what_others_can_write_is_told_of_with_a_remedy(folder, write, what, mode):
    write("rack", NATIVE, instance="NAME = 'rack'")
    assert not Registry.load(folder).sources["rack"].notices
    (folder / what).resolve().chmod(mode)
    [notice] = Registry.load(folder).sources["rack"].notices
    assert str((folder / what).resolve()) in str(notice.text)
    assert "chmod go-w" in str(notice.remedy)


def test_what_leads_to_a_plugin_behind_a_link_is_looked_at_too(folder, write, tmp_path):
    (tmp_path / "shared").mkdir()
    write("yard").rename(tmp_path / "shared" / "yard")
    (folder / "yard").symlink_to(tmp_path / "shared" / "yard")
    assert not Registry.load(folder).sources["yard"].notices
    (tmp_path / "shared").chmod(0o777)
    [notice] = Registry.load(folder).sources["yard"].notices
    assert str(tmp_path / "shared") in str(notice.text)


def configuration(kind: str, **raw: object) -> Config:
    model = RawConfig(realms=("wz01",), raw={"realms": ["wz01"], **raw}, secrets=(Secret("hunter2-and-more"),))
    return Config(providers=(ProviderEntry(kind=kind, name="cellar", model=model),))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("made.name = 'attic'", "TypeError: it set name to 'attic'"),
        ("made.list_realms = lambda: None", "TypeError: list_realms returned NoneType"),
        ("made.max_concurrent_starts = '4'", "TypeError: max_concurrent_starts is no whole number above 0"),
        ("made.start_timeout = None", "TypeError: start_timeout is no number above 0"),
    ],
)
async def test_a_provider_that_the_platform_would_stumble_over_is_disabled(folder, write, line, reason):
    write("rack", NATIVE.replace("return made", f"{line}; return made"), instance="NAME = ''")
    made = Registry.load(folder).build(configuration("rack"))["cellar"]
    assert (made.name, made.list_realms()) == ("cellar", ["wz01"])
    with pytest.raises(PluginDisabled, match=reason):
        await made.check()


@pytest.mark.parametrize("raised", ["ValueError('bad hunter2-and-more')", "SystemExit(1)"])
async def test_a_provider_that_cannot_be_made_is_disabled_and_says_why_without_a_secret(folder, write, raised):
    write("rack", NATIVE.replace("made = cls(raw_conf.realms, vpns)", f"raise {raised}"), instance="NAME = ''")
    write("yard")
    registry = Registry.load(folder)
    config = configuration("rack")
    yard = ProviderEntry(kind="yard", name="grass", model=config.providers[0].model)
    with capture_logs() as logs:
        providers = registry.build(Config(providers=(*config.providers, yard)))
    assert isinstance(providers["cellar"], DisabledProvider)
    assert providers["cellar"].to_json(with_vpns=False)["kind"] == "rack"
    assert (await providers["grass"].check()).reachable
    with pytest.raises(PluginDisabled, match="rack/cellar: its plugin could not make it") as error:
        await providers["cellar"].list_instances()
    assert "hunter2" not in str(error.value) + str(logs)
    assert disabled_module.PluginDisabled.message in str(error.value.text)


def test_imports_that_hang_hold_nobody_up_at_the_end(folder, write):
    write("rack", "import threading\nthreading.Event().wait()")
    Registry.load(folder, limit=0.05)
    assert all(one.daemon for one in threading.enumerate() if one.name == "plugin-import")


MUTE = "type('Mute', (Exception,), {'__str__': lambda self: 1 / 0})()"


def test_an_exception_that_cannot_be_told_in_words_disables_its_plugin_only(folder, write):
    write("rack", NATIVE.replace("made = cls(raw_conf.realms, vpns)", f"raise {MUTE}"), instance="NAME = ''")
    registry = Registry.load(folder)
    assert isinstance(registry.build(configuration("rack"))["cellar"], DisabledProvider)
    write("mute", f"raise {MUTE}")
    [disabled] = [one for one in Registry.load(folder).disabled if one.kind == "mute"]
    assert str(disabled.reason).startswith("Mute (it cannot be told in words)")

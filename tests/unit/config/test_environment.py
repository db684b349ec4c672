"""Variables laid over the file."""

import pytest

BASE = """
providers:
  engine:
    wz-Docker: {root: /srv, realms: [wz01], api: {host: docker.example}}
vpns:
  - {realm: wz01, url: http://gate.example, token: file-token}
"""


@pytest.mark.parametrize(
    ("variable", "value", "look", "expected"),
    [
        ("SERVER__PORT", "9000", lambda c: c.server.port, 9000),
        ("SERVER__ALLOW_INSECURE_HTTP", "true", lambda c: c.server.allow_insecure_http, True),
        ("SERVER__TRUSTED_PROXIES", "[10.0.0.1, 10.1.0.0/16]", lambda c: c.server.trusted_proxies[1], "10.1.0.0/16"),
        ("VPNS__0__TOKEN", "12345", lambda c: c.vpns[0].token.reveal(), "12345"),
        ("VPNS__0__TOKEN", "#abc", lambda c: c.vpns[0].token.reveal(), "#abc"),
        ("VPNS__0__TOKEN", "*abc: [", lambda c: c.vpns[0].token.reveal(), "*abc: ["),
        ("VPNS__0__TOKEN", "{abc}", lambda c: c.vpns[0].token.reveal(), "{abc}"),
        ("VPNS__0__TOKEN", "{env: OTHER}", lambda c: c.vpns[0].token.reveal(), "other"),
        ("VPNS__1", "{realm: b, url: http://b, token: t}", lambda c: c.vpns[1].realm, "b"),
        ("PROVIDERS__ENGINE__WZ_DOCKER__API__PORT", "1", lambda c: c.providers[0].model.api.port, 1),
        ("PROVIDERS__ENGINE__WZ_DOCKER__LABELS__X", "1", lambda c: c.providers[0].model.labels, {"x": 1}),
        ("LOGGING__LEVEL", "debug", lambda c: c.logging.level, "debug"),
        ("LOGGING__LEVEL", "", lambda c: c.logging.level, "info"),
        ("SERVER__PORT", "null", lambda c: c.server.port, 8080),
        ("VPNS", "[]", lambda c: c.vpns, ()),
    ],
)
def test_a_variable_wins_over_the_file(read, variable, value, look, expected):
    assert look(read(BASE, {f"CHATSUBO__{variable}": value, "OTHER": "other"})) == expected


@pytest.mark.parametrize(
    ("variable", "value", "path"),
    [
        ("SERVER__PORT", "many", "server.port"),
        ("SERVR__PORT", "9000", "servr"),
        ("SERVER__PROT", "9000", "server.prot"),
        ("SERVER__PORT__X", "1", "server.port"),
        ("SERVER____PORT", "1", "server"),
        ("", "1", ""),
        ("VPNS__5__TOKEN", "x", "vpns"),
        ("VPNS__" + "9" * 5000, "x", "vpns"),
        ("VPNS__X", "x", "vpns"),
        ("VPNS__0__TOKEN", "", "vpns.0.token"),
        ("VPNS__1__REALM", "b", "vpns.1.url"),
    ],
)
def test_a_mistake_in_a_variable_names_the_variable(refuse, variable, value, path):
    problems = refuse(BASE + "server: {port: 1}\n", {f"CHATSUBO__{variable}": value})
    assert problems[0].path == path
    assert problems[0].variable == f"CHATSUBO__{variable}"
    assert f"CHATSUBO__{variable}" in str(problems[0])


def test_a_value_that_is_no_valid_unicode_does_no_harm(read):
    assert read(BASE, {"CHATSUBO__VPNS__0__TOKEN": "caf\udce9"}).vpns[0].token.reveal() == "caf?"


def test_other_variables_are_left_alone(read):
    assert read(BASE, {"CHATSUBO_CONFIG": "x", "CHATSUBO_SERVER_PORT": "1"}).server.port == 8080

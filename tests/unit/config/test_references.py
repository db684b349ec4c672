"""Secrets kept in files and in the environment."""

import os

import pytest

from chatsubo.config import Config

GATE = "vpns: [{realm: wz01, url: 'http://gate.example', token: %s}]\n"


def _token(config: Config) -> str:
    return config.vpns[0].token.reveal()


def test_a_secret_is_read_from_a_file_beside_the_configuration(read, folder):
    (folder / "token").write_text("hunter2\n")
    (folder / "token").chmod(0o600)
    config = read(GATE % "{file: token}")
    assert _token(config) == "hunter2"
    assert not any("token" in str(warning) for warning in config.warnings)


@pytest.mark.parametrize(("content", "token"), [("a\r\n", "a"), ("a\n\n", "a\n"), (" a ", " a "), ("été\n", "été")])
def test_only_the_last_line_end_of_a_secret_file_is_cut(read, folder, content, token):
    (folder / "token").write_bytes(content.encode())
    assert _token(read(GATE % "{file: token}")) == token


def test_a_secret_file_that_everybody_can_read_is_a_warning(read, folder):
    (folder / "token").write_text("hunter2")
    (folder / "token").chmod(0o644)
    (warning,) = [str(each) for each in read(GATE % "{file: token}").warnings if "everybody" in str(each)]
    assert warning.startswith("vpns.0.token: ")
    assert str(folder / "token") in warning


def test_a_secret_file_that_is_not_there_is_told_with_its_path(refuse, folder):
    (problem,) = refuse(GATE % "{file: nowhere}")
    assert problem.path == "vpns.0.token.file"
    assert str(folder / "nowhere") in problem.sentence


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe"])
def test_a_secret_file_without_a_text_is_refused(refuse, folder, content):
    (folder / "token").write_bytes(content)
    assert len(refuse(GATE % "{file: token}")) == 1


def test_a_secret_file_that_would_never_end_is_refused(refuse, folder):
    os.mkfifo(folder / "pipe")
    assert len(refuse(GATE % "{file: pipe}")) == 1
    assert len(refuse(GATE % "{file: /dev/zero}")) == 1


def test_a_secret_is_read_from_the_environment(read):
    assert _token(read(GATE % "{env: GATE_TOKEN}", {"GATE_TOKEN": "hunter2"})) == "hunter2"


@pytest.mark.parametrize("environ", [{}, {"GATE_TOKEN": ""}])
def test_a_variable_without_the_secret_is_named(refuse, environ):
    (problem,) = refuse(GATE % "{env: GATE_TOKEN}", environ)
    assert problem.path == "vpns.0.token.env"
    assert "GATE_TOKEN" in problem.sentence


@pytest.mark.parametrize(
    "value", ["[hunter2]", "{hunter2: x}", "{file: hunter2, env: x}", "{file: [hunter2]}", "{}", "{file: }"]
)
def test_any_other_shape_of_a_secret_is_refused_without_quoting_it(refuse, value):
    (problem,) = refuse(GATE % value)
    assert problem.path == "vpns.0.token"
    assert "hunter2" not in str(problem)
    assert "{file: PATH}" in problem.sentence


def test_the_database_url_may_be_in_a_file(read, folder):
    (folder / "url").write_text("postgresql://ctf:hunter2@db.example/ctf\n")
    assert read("database: {url: {file: url}}").database.label == "postgresql://db.example/ctf"


def test_a_bad_database_url_in_a_file_is_not_quoted(refuse, folder):
    (folder / "url").write_text("mysql://ctf:hunter2@db.example/ctf\n")
    (problem,) = refuse("database: {url: {file: url}}")
    assert (problem.path, "hunter2" in str(problem)) == ("database.url", False)

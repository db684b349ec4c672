"""What YAML can do wrong, each with its line."""

from collections.abc import Sequence

import pytest

from chatsubo.config import Problem

FINE = "providers:\n  engine:\n"


def _only(problems: Sequence[Problem]) -> Problem:
    assert len(problems) == 1, [str(problem) for problem in problems]
    return problems[0]


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("server:\n\tport: 1\n", 2, "spaces"),
        ("server:\n  port: 1\n host: x\n", 3, "depth"),
        ("server:\n  host: 'unclosed\n", 2, "quote"),
        ("server:\n  host: a: b\n", 2, "quotes"),
        ("server: {}\nvpns\nplugins: x\n", 2, "colon"),
        ("server: {port: 1\n", 1, "bracket"),
        ("server:\n  host: @x\n", 2, "quotes"),
        ("server:\n  host: !x y\n", 2, "exclamation"),
        ("server:\n  host: !!python/object:os.system x\n", 2, "exclamation"),
        ("server:\n  host: !!binary aGk=\n", 2, "exclamation"),
        ("server: {}\n---\nserver: {}\n", 2, "one document"),
        ("server:\n  ? [a, b]\n  : 1\n", 2, "name before the colon"),
        ("server:\n  host: \x07\n", 2, "printable"),
        ('server:\n  host: "\\ud800"\n', 2, "Unicode"),
        ("server:\n  <<: 3\n", 2, "merge"),
    ],
)
def test_a_mistake_in_the_syntax_is_told_with_its_line(refuse, text, line, word):
    problem = _only(refuse(text))
    assert (problem.line, word in problem.sentence) == (line, True), str(problem)


@pytest.mark.parametrize("beginning", ["*", "&", "!", "@", "%", "`", "'", '"', "{", "[", "*a *", "? ", "- "])
def test_a_secret_that_yaml_misunderstands_is_not_quoted_back(refuse, beginning):
    text = f"{FINE}vpns:\n  - realm: wz01\n    url: http://gate.example\n    token: {beginning}hunter2\n"
    assert "hunter2" not in " ".join(str(problem) for problem in refuse(text))


def test_a_key_that_is_written_twice_is_told_with_both_lines(refuse):
    problem = _only(refuse("server:\n  port: 1\n  host: x\n  port: 2\n"))
    assert (problem.path, problem.line) == ("server.port", 4)
    assert "line 2" in problem.sentence


def test_keys_that_are_written_twice_are_all_told_beside_other_problems(refuse):
    problems = refuse("server: {port: x, port: 2}\nserver: {}\nlogging: {level: loud}\n")
    assert [problem.path for problem in problems] == ["server.port", "server.port", "server", "logging.level"]


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n", "null\n"])
def test_an_empty_file_says_what_could_be_in_it(refuse, text):
    assert "an empty file" in _only(refuse(text)).sentence


@pytest.mark.parametrize("text", ["- a\n- b\n", "just a text\n", "42\n"])
def test_a_file_without_keys_says_what_could_be_in_it(refuse, text):
    assert "providers, vpns and server" in _only(refuse(text)).sentence


def test_a_file_that_is_not_utf8_says_in_which_line(refuse):
    problem = _only(refuse(b"server:\n  host: caf\xe9\n"))
    assert (problem.line, "UTF-8" in problem.sentence) == (2, True)


def test_a_byte_order_mark_does_no_harm(read):
    assert read(b"\xef\xbb\xbfserver: {port: 9000}\n").server.port == 9000


def test_windows_line_ends_do_no_harm(read):
    assert read(b"server:\r\n  port: 9000\r\n").server.port == 9000


def test_a_file_that_unfolds_without_end_is_refused(refuse):
    bomb = "a: &a [x]\n" + "".join(
        f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert "sensible size" in _only(refuse(bomb)).sentence


def test_merges_that_unfold_without_end_are_refused(refuse):
    bomb = "a: &a {x: 1}\n" + "".join(
        f"{new}: &{new} {{<<: [{','.join([f'*{old}'] * 9)}]}}\n"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert "sensible size" in _only(refuse(bomb)).sentence


@pytest.mark.parametrize("text", ["a: &a [*a]\n", "a: &a {<<: *a}\n", "a: " + "[" * 5000, "a: " + "{b: " * 5000])
def test_a_file_that_contains_itself_or_is_nested_too_deep_is_refused(refuse, text):
    _only(refuse(text))


def test_a_huge_file_is_refused(refuse):
    assert "1 MB" in _only(refuse("#" * 1_000_001)).sentence


def test_anchors_and_merges_are_understood(read):
    config = read("server: &base {host: 0.0.0.0, port: 9000}\nlogging: &log {level: debug}\n")
    assert (config.server.host, config.server.port, config.logging.level) == ("0.0.0.0", 9000, "debug")
    merged = read(
        """
        vpns:
          - &first {realm: a, url: http://gate.example, token: one}
          - {<<: *first, realm: b}
          - {<<: [{realm: c}, *first]}
        """
    )
    assert [gate.realm for gate in merged.vpns] == ["a", "b", "c"]


@pytest.mark.parametrize("token", ["12345", "0123", "1:30", "2026-01-01", "yes", "1e5", "0x1F", "1_000", "9" * 5000])
def test_a_text_stays_as_it_was_written(read, token):
    config = read(f"vpns: [{{realm: a, url: http://gate.example, token: {token}}}]\n")
    assert config.vpns[0].token.reveal() == token

"""How Dockerfiles are read."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatsubo.providers.docker.dockerfile import DockerfileError, parse
from chatsubo.providers.docker.expansion import expand, split_pairs, split_words
from chatsubo.providers.docker.stages import examine


def instructions(text: str) -> list[tuple[str, str]]:
    return [(one.keyword, one.rest) for one in parse(text).instructions]


def test_instructions_go_on_over_escaped_line_ends_comments_and_empty_lines():
    text = "from alpine\nrun one \\\n  # a comment\n\n  && two\n# another\nCMD three"

    assert instructions(text) == [("FROM", "alpine"), ("RUN", "one   && two"), ("CMD", "three")]


def test_the_escape_character_can_be_a_backtick():
    text = "# escape=`\nFROM alpine\nRUN dir c:\\ `\n  && echo"

    assert instructions(text)[1] == ("RUN", "dir c:\\   && echo")


def test_a_here_document_belongs_to_its_instruction():
    text = "FROM alpine\nRUN <<EOF\necho $FLAG0\nLABEL not=one\nEOF\nCMD x"
    found = parse(text).instructions

    assert [one.keyword for one in found] == ["FROM", "RUN", "CMD"]
    assert found[1].documents == ("echo $FLAG0\nLABEL not=one",)


def test_a_shift_in_shell_arithmetic_is_no_here_document():
    assert len(instructions("FROM alpine\nRUN echo $((1<<N))\nCMD x")) == 3


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the Dockerfile has no FROM"),
        ("# nothing\n", "the Dockerfile has no FROM"),
        ("FROM alpine\nRUUN x", "line 2: this is no Dockerfile instruction"),
        ("FROM alpine\n\nRUN", "line 3: RUN needs an argument"),
        ("FROM alpine\nRUN <<EOF\nnever ends", "line 2: a here-document does not end"),
        ("RUN x\nFROM alpine", "line 1: only ARG may come before the first FROM"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(text: str, reason: str):
    with pytest.raises(DockerfileError) as raised:
        parse(text)

    assert str(raised.value.text) == reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('LABEL a="b', "line 2: a quote does not end"),
        ("LABEL a='b", "line 2: a quote does not end"),
        ("LABEL a=${b", "line 2: a brace does not end"),
        ("LABEL a=${b:=c}", "line 2: a substitution cannot be read"),
        ("LABEL a=${}", "line 2: a substitution has no name"),
        ("LABEL alone", "line 2: a name needs a value"),
        ("LABEL a=b c", "line 2: expected NAME=VALUE"),
    ],
)
def test_labels_that_cannot_be_read_are_told_with_their_line(line: str, reason: str):
    with pytest.raises(DockerfileError) as raised:
        examine(parse(f"FROM alpine\n{line}"))

    assert str(raised.value.text) == reason


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("$A", "one"),
        ("${A}b", "oneb"),
        ('"$A $B"', "one "),
        ("'$A'", "$A"),
        ("\\$A", "$A"),
        ('"a\\"b\\n"', 'a"b\\n'),
        ("${A:-x}${B:-x}${E:-x}", "onexx"),
        ("${A-x}${B-x}${E-x}", "onex"),
        ("${A:+x}${B:+x}${E:+x}", "x"),
        ("${B:-${A}}", "one"),
        ('${B:-"two words"}', "two words"),
        ("$", "$"),
        ("a$$b", "ab"),
        ("${A#o}", "one"),
    ],
)
def test_words_have_their_variables_filled_in(word: str, value: str):
    assert expand(word, {"A": "one", "E": ""}.get, "\\", 1) == value


def test_words_are_split_outside_quotes():
    assert split_words("a='b c' \"d e\"=f g\\ h  i", "\\") == ["a='b c'", '"d e"=f', "g\\ h", "i"]


def test_the_old_form_takes_the_rest_of_the_line():
    assert split_pairs("name a value = with spaces", "\\", 1) == [("name", "a value = with spaces")]


PIECES = """
FROM alpine|FROM alpine AS a|FROM a|ARG FLAG0|ARG A=$FLAG0|ENV B=${A:-x}|LABEL a="$B" b='c'|RUN echo $FLAG0|RUN <<EOF
EOF|COPY --from=a . .|CMD x|ONBUILD RUN x|\\|# escape=`|  |<<|${|'|"|$|`|LABEL|ENV a|ARG|é|FROM|RUN \\|RUN
"""
pieces = st.sampled_from(PIECES.replace("\n", "|").split("|"))


@given(st.lists(st.one_of(pieces, st.text(max_size=30)), max_size=20).map("\n".join), st.booleans())
@example("FROM a\nFROM ${" + "{" * 2000, False)
@example("FROM a\nLABEL a=" + "${a:-" * 400 + "}" * 400, False)
def test_whatever_a_dockerfile_holds_it_is_read_or_refused(text: str, bake_all: bool):
    try:
        dockerfile = parse(text)
        usage = examine(dockerfile, ["FLAG"], bake_all=bake_all)
    except DockerfileError as error:
        refusal = str(error.text)
        assert refusal
        return
    assert usage.baked <= usage.declared
    assert dockerfile.lines
    assert all(1 <= one.line <= len(dockerfile.lines) for one in dockerfile.instructions)

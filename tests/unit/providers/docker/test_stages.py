"""Where the values of a session go."""

import pytest

from chatsubo.providers.docker.dockerfile import parse
from chatsubo.providers.docker.stages import Usage, examine

DOCUMENTED = r"""
FROM alpine
ARG FLAG0
ARG RNG0=toor
ARG SESSION
LABEL chatsubo.template="hello" chatsubo.session="$SESSION" \
      chatsubo.flags.first.value="$FLAG0" chatsubo.flags.first.points="250" \
      chatsubo.creds.ssh.username="level0" chatsubo.creds.ssh.password="$RNG0"
RUN echo "$FLAG0" > /root/flag
"""


def usage(text: str, files: tuple[str, ...] = ()) -> Usage:
    return examine(parse(text), files)


def test_the_documented_dockerfile_reads_with_empty_flags_and_default_passwords():
    found = usage(DOCUMENTED)

    assert found.labels == {
        "chatsubo.template": "hello",
        "chatsubo.session": "",
        "chatsubo.flags.first.value": "",
        "chatsubo.flags.first.points": "250",
        "chatsubo.creds.ssh.username": "level0",
        "chatsubo.creds.ssh.password": "toor",
    }
    assert found.declared == {"FLAG0", "RNG0", "SESSION"}
    assert found.baked == {"FLAG0"}


@pytest.mark.parametrize(
    "lines",
    [
        "ARG FLAG0\nRUN echo $FLAG0 > /flag",
        "ARG FLAG0\nRUN echo ${FLAG0} > /flag",
        'ARG FLAG0\nRUN ["sh", "-c", "echo $FLAG0"]',
        'ARG FLAG0\nRUN --mount=type=cache,target=/x echo "$FLAG0"',
        "ARG FLAG0\nRUN <<EOF\necho $FLAG0\nEOF",
        "ARG FLAG0\nENV SECRET=$FLAG0\nRUN echo $SECRET",
        "ARG FLAG0\nARG SECRET=$FLAG0\nRUN echo $SECRET",
        "ARG FLAG0\nENV SECRET=$FLAG0 OTHER=x\nENV AGAIN=$SECRET\nRUN echo $AGAIN",
        "ARG FLAG0\nRUN printenv > /env",
        "ARG FLAG0\nRUN env > /env",
        "ARG FLAG0\nRUN cat /proc/self/environ > /env",
        "ARG FLAG0\nRUN for i in 0 1; do eval echo \\$FLAG$i; done",
        "ARG FLAG0\nCOPY $FLAG0 /x",
        "ARG FLAG0\nWORKDIR /$FLAG0",
        "ARG FLAG0\nUSER $FLAG0",
        "ARG FLAG0\nVOLUME /$FLAG0",
        "ARG FLAG0\nCOPY <<EOF /flag\n$FLAG0\nEOF",
        "ARG FLAG0\nONBUILD RUN echo $FLAG0",
        "ARG FLAG0\nLABEL a=${FLAG0#FLAG}",
        "ARG FLAG0\nENV S=$FLAG0\nFROM alpine AS two\nARG FLAG0\nRUN echo $FLAG0",
    ],
)
def test_what_an_instruction_writes_into_files_is_baked(lines: str):
    assert usage(f"FROM alpine AS one\n{lines}").baked == {"FLAG0"}


@pytest.mark.parametrize(
    "lines",
    [
        "ARG FLAG0\nLABEL a=$FLAG0",
        "ARG FLAG0\nENV FLAG0=$FLAG0",
        "ARG FLAG0\nRUN apk add openssh\nLABEL a=$FLAG0",
        "ARG FLAG0\nRUN set -eux; export DEBIAN_FRONTEND=noninteractive; true\nLABEL a=$FLAG0",
        "ARG FLAG0\nRUN echo $FLAG01 $FLAGS",
        "ARG FLAG0\nCMD echo $FLAG0",
        "ARG FLAG0\nENV FLAG0=static\nRUN echo $FLAG0",
        "RUN echo $FLAG0\nARG FLAG0",
        "ARG FLAG0\nFROM alpine\nRUN echo $FLAG0",
        "ARG FLAG0\nLABEL a=${FLAG0:-none}",
    ],
)
def test_what_only_labels_and_the_environment_hold_is_not_baked(lines: str):
    assert usage(f"FROM alpine\n{lines}").baked == frozenset()


def test_a_script_in_the_folder_that_names_a_value_bakes_it():
    text = "FROM alpine\nARG FLAG0\nARG FLAG1\nARG RNG0\nCOPY setup.sh /\nRUN /setup.sh"

    assert usage(text, ("FLAG0",)).baked == {"FLAG0"}
    assert usage(text, ("FLAG",)).baked == {"FLAG0", "FLAG1"}
    assert usage(text).baked == frozenset()


def test_a_command_that_names_a_value_gets_it_in_its_environment():
    assert usage("FROM alpine\nARG FLAG0\nARG RNG0\nCMD echo $FLAG0").at_run_time == {"FLAG0"}
    assert usage("FROM alpine\nARG FLAG0\nENV FLAG0=$FLAG0\nCMD echo $FLAG0").at_run_time == frozenset()


def test_a_stage_hands_labels_and_environment_to_those_built_on_it():
    text = "FROM alpine AS base\nARG FLAG0\nENV S=$FLAG0\nLABEL a=1\nFROM base\nLABEL b=$S c=2\nRUN echo $S"
    found = usage(text)

    assert found.labels == {"a": "1", "b": "", "c": "2"}
    assert found.baked == {"FLAG0"}


def test_an_argument_before_the_first_stage_gives_a_default():
    found = usage("ARG VERSION=3\nARG RNG0=toor\nFROM alpine:$VERSION\nARG RNG0\nARG VERSION\nLABEL p=$RNG0 v=$VERSION")

    assert found.labels == {"p": "toor", "v": "3"}


def test_the_line_from_which_sessions_differ_is_the_first_after_the_argument():
    text = "FROM alpine\nRUN apk add x\nARG FLAG0\nARG SESSION\nLABEL s=$SESSION\nRUN echo $FLAG0"
    found = usage(text)

    assert (found.secret_from, found.work_before) == (5, True)


def test_nothing_differs_where_nothing_is_baked():
    assert usage("FROM alpine\nARG FLAG0\nLABEL f=$FLAG0").secret_from == 0

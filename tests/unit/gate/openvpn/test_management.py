"""The client of OpenVPN's management interface, against small servers that misbehave."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from chatsubo.gate.errors import TunnelError
from chatsubo.gate.openvpn.management import Management, Session, parse_status

_HEADER = (
    "HEADER,CLIENT_LIST,Common Name,Real Address,Virtual Address,Virtual IPv6 Address,Bytes Received,Bytes Sent,"
    "Connected Since,Connected Since (time_t),Username,Client ID,Peer ID,Data Channel Cipher"
)
_A = "CLIENT_LIST,a1,198.51.100.10:50491,10.66.0.2,fd00:66::2,3714,3569,2026-11-23 11:00:00,1795431600,UNDEF,7,0,AES"
_NEW = "CLIENT_LIST,UNDEF,198.51.100.11:1,,,1,2,2026-11-23 11:00:00,1795431600,UNDEF,8,1,"
_B = "CLIENT_LIST,b2,2001:db8:1::a,10.66.0.3,,10,20,2026-11-23 11:30:00,1795433400,UNDEF,9,2,AES"
STATUS = [
    line.replace(",", "\t")
    for line in (
        "TITLE,OpenVPN 2.6.14 x86_64-pc-linux-gnu",
        "TIME,2026-11-23 12:00:00,1795435200",
        _HEADER,
        _A,
        _NEW,
        _B,
        "HEADER,ROUTING_TABLE,Virtual Address,Common Name,Real Address,Last Ref,Last Ref (time_t)",
        "ROUTING_TABLE,10.66.0.2,a1,198.51.100.10:50491,2026-11-23 11:59:00,1795435140",
        "GLOBAL_STATS,Max bcast/mcast queue length,0",
    )
]
SESSIONS = [
    Session(name="a1", number=7, since=1795431600, received=3714, sent=3569, endpoint="198.51.100.10:50491"),
    Session(name="b2", number=9, since=1795433400, received=10, sent=20, endpoint="2001:db8:1::a"),
]
GREETING = b">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info\r\n"

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def _server(path: Path, serve: Serve) -> AsyncIterator[Management]:
    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.transport.abort()

    async with await asyncio.start_unix_server(served, path):
        yield Management(path, limit=30)


def _answering(asked: list[str], answers: dict[str, list[str]]) -> Serve:
    """A server that greets, tells something unasked before each answer, and knows some answers."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GREETING)
        while line := (await reader.readline()).decode().strip():
            asked.append(line)
            said = [">CLIENT:DISCONNECT,3", *answers.get(line.split()[0], ["SUCCESS: done"])]
            writer.write("".join(f"{one}\r\n" for one in said).encode())

    return serve


def test_clients_are_read_by_the_names_of_the_columns() -> None:
    assert parse_status(STATUS) == SESSIONS


@pytest.mark.parametrize("broken", [STATUS[3:], [*STATUS[:2], STATUS[2].replace("Client ID", "Number"), *STATUS[3:]]])
def test_clients_without_known_columns_are_left_out(broken: list[str]) -> None:
    assert parse_status(broken) == []


def test_a_line_that_is_not_understood_is_left_out() -> None:
    assert (
        parse_status([*STATUS[:3], "CLIENT_LIST\tshort", STATUS[3].replace("3714", "many"), *STATUS[5:]])
        == SESSIONS[1:]
    )


async def test_what_is_told_unasked_is_not_taken_for_an_answer(tmp_path: Path) -> None:
    asked: list[str] = []
    async with _server(tmp_path / "s", _answering(asked, {"status": [*STATUS, "END"]})) as management:
        assert await management.sessions() == SESSIONS
    assert asked == ["status 3"]


async def test_connections_are_ended_by_the_names_of_their_clients(tmp_path: Path) -> None:
    asked: list[str] = []
    async with _server(tmp_path / "s", _answering(asked, {"status": [*STATUS, "END"]})) as management:
        await management.end(["b2", "gone"])
        await management.end(["b2", "gone"], others=True)
    assert asked == ["status 3", "client-kill 9 HALT", "kill b2", "status 3", "client-kill 7 HALT", "kill a1"]


async def test_a_client_that_went_meanwhile_is_no_trouble(tmp_path: Path) -> None:
    answers = {
        "status": [*STATUS, "END"],
        "client-kill": ["ERROR: client-kill command failed"],
        "kill": ["ERROR: gone"],
    }
    async with _server(tmp_path / "s", _answering([], answers)) as management:
        await management.end(["a1"])


@pytest.mark.parametrize(("state", "is_up"), [("CONNECTED,SUCCESS,10.66.0.1", True), ("RECONNECTING,ping", False)])
async def test_a_server_is_up_once_it_says_so(tmp_path: Path, state: str, is_up: bool) -> None:
    async with _server(tmp_path / "s", _answering([], {"state": [f"1795431600,{state},,,,", "END"]})) as management:
        assert await management.is_up() is is_up


async def test_a_server_that_says_nothing_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with _server(tmp_path / "s", mute):
        with pytest.raises(TunnelError, match="does not answer, or somebody else talks to it"):
            await Management(tmp_path / "s", limit=0.01).sessions()


async def test_a_server_that_stops_in_the_middle_of_an_answer_is_told(tmp_path: Path) -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(GREETING + "\r\n".join(STATUS)[:400].encode())
        await writer.drain()

    async with _server(tmp_path / "s", half) as management:
        with pytest.raises(TunnelError, match="does not answer"):
            await management.sessions()


async def test_a_server_that_refuses_is_told(tmp_path: Path) -> None:
    async with _server(tmp_path / "s", _answering([], {"status": ["ERROR: unknown command"]})) as management:
        with pytest.raises(TunnelError, match="unknown command"):
            await management.sessions()


async def test_where_there_is_no_server_that_is_told(tmp_path: Path) -> None:
    with pytest.raises(TunnelError, match="does not answer"):
        await Management(tmp_path / "s").sessions()

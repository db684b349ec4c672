"""The boxes page, the standings and flag submissions, with 1,000 players, 60 boxes and 20,000 submissions."""

import asyncio
import hashlib
import json
import random
import secrets
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from sqlalchemy import insert

from chatsubo.store.database import Database
from chatsubo.store.migrations import upgrade
from chatsubo.store.settings import write_setting
from chatsubo.store.tables import accounts, boxes, flags, logins, solves, submissions, tracks
from tests.bench.load import Load, Request, run
from tests.bench.report import Report
from tests.real.server import Server

PLAYERS = 1_000
BOXES = 60
FLAGS = 3
SUBMISSIONS = 20_000
CONNECTIONS = 16
COUNT = 3_000
NOW = datetime.now(UTC)


def measure(report: Report) -> None:
    """Measure the three under load, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), _providers(Path(folder)))
        url = f"sqlite:///{Path(folder) / 'chatsubo.db'}"
        upgrade(url)
        asyncio.run(_fill(url))
        server.start()
        try:
            for what, request in _requests(server).items():
                load = asyncio.run(run(server.port, request, count=COUNT, connections=CONNECTIONS))
                report.add(what, _told(load), f"{CONNECTIONS} connections, {load.statuses}")
        finally:
            server.close()


def _told(load: Load) -> str:
    middle, slow = (f"{1000 * load.percentile(share):.1f} ms" for share in (0.5, 0.99))
    return f"{load.rate:,.0f} requests/s, p50 {middle}, p99 {slow}"


def _requests(server: Server) -> dict[str, Request]:
    with httpx.Client(base_url=server.url) as client:
        answer = client.get("/api/v1/csrf").json()
        csrf = "; ".join(f"{name}={value}" for name, value in client.cookies.items())

    def get(path: str) -> Request:
        return lambda number: _head("GET", path, server, csrf, number) + b"\r\n"

    def submit(number: int) -> bytes:
        body = json.dumps({"value": f"FLAG{{{secrets.token_hex(8)}}}"}).encode()
        head = _head("POST", "/api/v1/submissions", server, csrf, number)
        token = f"{answer['header']}: {answer['token']}\r\n"
        rest = f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        return head + token.encode() + rest.encode() + body

    return {"boxes page": get("/tracks"), "standings API": get("/api/v1/standings"), "flag submission": submit}


def _head(method: str, path: str, server: Server, csrf: str, number: int) -> bytes:
    cookies = f"{csrf}; chatsubo={_token(number % PLAYERS)}"
    return f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{server.port}\r\ncookie: {cookies}\r\n".encode()


def _token(player: int) -> str:
    return f"token-of-player-{player}"


def _providers(folder: Path) -> dict[str, object]:
    root = folder / "templates"
    for number in range(BOXES):
        (root / f"box-{number}").mkdir(parents=True)
        template = 'labels: {chatsubo.os: Linux}\ncommand: ["{python}", "-c", "pass"]\nports: {http: 8000}\n'
        (root / f"box-{number}" / "template.yml").write_text(template)
    local = {"templates_root": str(root), "data": str(folder / "data"), "allow_unsafe": True, "realms": ["lo"]}
    return {"local": {"local": local}}


async def _fill(url: str) -> None:
    rng = random.Random(7)
    db = Database.open(url)
    async with db.write() as tx:
        await tx.execute(insert(accounts), [_account(number) for number in range(PLAYERS)])
        await tx.execute(insert(logins), [_login(number) for number in range(PLAYERS)])
        await tx.execute(insert(tracks), [_track(number) for number in range(5)])
        await tx.execute(insert(boxes), [_box(number) for number in range(BOXES)])
        await tx.execute(insert(flags), [_flag(number) for number in range(BOXES * FLAGS)])
        tries = [_submission(number, rng) for number in range(SUBMISSIONS)]
        await tx.execute(insert(submissions), tries)
        won = {(one["flag_id"], one["account_id"]): one for one in tries if one["verdict"] == "correct"}
        await tx.execute(insert(solves), [_solve(one) for one in won.values()])
        await write_setting(tx, "catalogue", 1)
    await db.aclose()


def _account(number: int) -> dict[str, object]:
    name = f"player{number}"
    names = {"username": name, "username_key": name, "gate_name": name}
    return {"id": number + 1, **names, "password_hash": "-", "role": "player", "created_at": NOW}


def _login(number: int) -> dict[str, object]:
    return {
        "digest": hashlib.sha256(_token(number).encode()).hexdigest(),
        "account_id": number + 1,
        "created_at": NOW,
        "seen_at": NOW,
        "expires_at": NOW + timedelta(days=1),
        "address": "127.0.0.1",
        "browser": "bench",
    }


def _track(number: int) -> dict[str, object]:
    return {"id": number + 1, "slug": f"track-{number}", "name": f"Track {number}", "icon": "flag", "position": number}


def _box(number: int) -> dict[str, object]:
    return {
        "id": number + 1,
        "slug": f"box-{number}",
        "name": f"Box {number}",
        "template": f"box-{number}",
        "dynamic": True,
        "description": "A box like any other.",
        "os": "Linux",
        "difficulty": number % 10 + 1,
        "duration": 60,
        "authors": ["somebody"],
        "track_id": number % 5 + 1,
        "created_at": NOW,
        "released_at": NOW,
    }


def _flag(number: int) -> dict[str, object]:
    return {
        "id": number + 1,
        "box_id": number // FLAGS + 1,
        "name": f"flag{number % FLAGS}",
        "value": f"FLAG{{{number}}}",
        "points": 100 * (number % FLAGS + 1),
        "icon": "flag",
        "case_insensitive": False,
        "dynamic": False,
        "position": number % FLAGS,
    }


def _submission(number: int, rng: random.Random) -> dict[str, object]:
    flag = rng.randrange(BOXES * FLAGS)
    return {
        "id": number + 1,
        "account_id": rng.randrange(PLAYERS) + 1,
        "box_id": flag // FLAGS + 1,
        "flag_id": flag + 1,
        "value": f"FLAG{{{flag}}}",
        "verdict": "correct" if rng.random() < 0.8 else "wrong",
        "at": NOW - timedelta(seconds=SUBMISSIONS - number),
    }


def _solve(submission: dict[str, object]) -> dict[str, object]:
    kept = {name: submission[name] for name in ("flag_id", "account_id", "at")}
    return {**kept, "submission_id": submission["id"]}

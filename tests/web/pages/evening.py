"""An evening at a club: a game with enough in it to look at every page."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from chatsubo.domain.boxes import slugify
from chatsubo.domain.labels import Creds, Flag
from chatsubo.domain.text import Text
from chatsubo.game import Actor, Client, Game, Role
from chatsubo.store.database import Database
from chatsubo.store.listings import ListedInstance, ListedTemplate, ProviderListing, RejectedEntry, save_listing
from chatsubo.store.machines import Endpoint
from chatsubo.store.settings import write_setting
from chatsubo.store.tables import accounts, boxes, flags, notices, session_logs, sessions, solves, submissions, tracks

PASSWORD = "correct horse"
CLIENT = Client("192.0.2.7", "Mozilla/5.0 (X11; Linux x86_64) Firefox/141.0")

TRACKS = (
    ("Web", "world"),
    ("Privilege escalation", "key"),
    ("Forensics", "fingerprint"),
    ("Active Directory", "server-2"),
)
# name, track, os, difficulty, flags, released, retired
BOXES = (
    ("Straylight", "Web", "Linux", 2, 3),
    ("Last Call", "Web", "Linux", 1, 2),
    ("Tessier", "Web", "FreeBSD", 5, 4),
    ("Sense/Net", "Web", "Linux", 7, 5),
    ("Ratz", "Privilege escalation", "Linux", 1, 2),
    ("Zion", "Privilege escalation", "Linux", 4, 3),
    ("Screaming Fist", "Privilege escalation", "Linux", 9, 3),
    ("Dixie Flatline", "Forensics", "Other", 3, 6),
    ("Aerol", "Forensics", "Linux", 6, 2),
    ("Freeside", "Active Directory", "Windows", 5, 4),
    ("Villa", "Active Directory", "Windows", 8, 5),
    ("Wintermute", "Active Directory", "Windows", 10, 3),
)
PLAYERS = (
    "molly",
    "armitage",
    "riviera",
    "3jane",
    "maelcum",
    "hideo",
    "ratz",
    "zone",
    "lonny",
    "deane",
    "linda",
    "shin",
    "terzibashjian",
    "panther-moderne",
    "lupus",
    "ashpool",
    "marie-france",
    "the finn",
)
HOME = """
# Tonight: the fourth evening

Twelve boxes are open until **Sunday, 20:00**. The finals are in room B.104.

1. Pick a box in a track, and start a machine of your own.
2. Get the VPN configuration of its realm, once.
3. Find the flags. They look like `FLAG{5e0d…}`.

> Attack the boxes, not the platform and not each other. Ask in the room if something seems broken.
"""
DESCRIPTION = """
A small villa on the edge of the net, with more doors than its owner remembers. The mail server answers to
anybody who asks it nicely, and *somebody* left a backup where backups should not be.

## What you need to know

- There is a web service and an SSH server.
- The user flag is in a home directory, the root flag where it always is.

```
$ curl -s http://ADDRESS/robots.txt
```
"""


@dataclass(frozen=True, slots=True)
class Evening:
    """Who is there."""

    admin: Actor
    player: Actor


WHO = Evening(Actor(1, "finn", Role.ADMIN), Actor(2, "case", Role.PLAYER))


async def begin(db: Database, game: Game, now: datetime) -> None:
    """Fill an empty database; ``case`` plays and ``finn`` organises, both with the same password."""
    await game.accounts.create("finn", PASSWORD, Role.ADMIN)
    player, _ = await game.accounts.register("case", PASSWORD, client=CLIENT)
    async with db.write() as tx:
        luck = random.Random(1984)
        for listing in listings(now):
            await save_listing(tx, listing)
        await write_setting(tx, "home", HOME)
        ids = [player.account_id]
        for index, name in enumerate(PLAYERS, start=10):
            values = {
                "id": index,
                "username": name,
                "username_key": name,
                "gate_name": f"p{index}",
                "password_hash": "-",
                "role": "player",
                "created_at": now - timedelta(days=luck.randint(1, 90)),
            }
            await tx.execute(accounts.insert().values(values))
            ids.append(index)
        for index, (name, icon) in enumerate(TRACKS, start=1):
            values = {"id": index, "slug": slugify(name), "name": name, "icon": icon, "position": index}
            await tx.execute(tracks.insert().values(values))
        flag_ids = []
        for index, box in enumerate(BOXES, start=1):
            flag_ids += await _box(tx, index, box, now)
        await _unreleased(tx, now)
        await _solves(tx, luck, ids, flag_ids, now)
        await _sessions(tx, player.account_id, now)
        await _notices(tx, now)


def listings(now):
    """What the providers showed last: one well, one away."""
    templates = tuple(
        ListedTemplate(name=slugify(name), dynamic=True, title=name, os=system, difficulty=level, duration=90)
        for name, _, system, level, _ in BOXES
        if name not in ("Villa", "Wintermute")
    )
    fresh = ListedTemplate(
        name="hello",
        dynamic=True,
        description="Say hello.",
        category="Web",
        flags=(Flag("user", "", 100), Flag("root", "", 250)),
        warnings=(Text("The label chatsubo.difficulty cannot be read: expected 1 to 10."),),
    )
    bare = ListedTemplate(name="bare", dynamic=True)
    shared = ListedInstance(
        id="101",
        name="villa",
        realm="wz01",
        template="villa",
        address="10.13.37.20",
        endpoints=(Endpoint("http", "10.13.37.20", 80),),
        creds=(Creds("ssh", "guest", "guest"),),
    )
    yield ProviderListing(
        provider="club_docker",
        kind="docker",
        is_dynamic=True,
        realms=("wz01", "wz02"),
        templates=(*templates, fresh, bare),
        rejected=(RejectedEntry("broken-box", Text("Its Dockerfile has no session label.")),),
        seen_at=now - timedelta(seconds=4),
        took=38,
    )
    yield ProviderListing(
        provider="lab_pve",
        kind="pve",
        is_dynamic=False,
        realms=("wz01",),
        templates=(ListedTemplate(name="villa", dynamic=False),),
        instances=(shared,),
        seen_at=now - timedelta(seconds=9),
        took=112,
    )
    yield ProviderListing(
        provider="old_pve",
        kind="pve",
        is_dynamic=False,
        realms=("wz02",),
        templates=(ListedTemplate(name="wintermute", dynamic=False),),
        seen_at=now - timedelta(minutes=14),
        took=1480,
        problem=Text("The server does not answer."),
        problem_detail="Cannot connect to host pve.example:8006 ssl:default [Connection refused]",
        problem_since=now - timedelta(minutes=13),
    )


async def _box(tx, index, box, now):
    name, track, system, difficulty, count = box
    slug = slugify(name)
    place = [one for one, _ in TRACKS].index(track) + 1
    await tx.execute(
        boxes.insert().values(
            id=index,
            slug=slug,
            name=name,
            template=slug,
            dynamic=name not in ("Villa", "Wintermute"),
            description=DESCRIPTION,
            os=system,
            difficulty=difficulty,
            duration=90,
            authors=["3jane", "hideo"],
            track_id=place,
            created_at=now - timedelta(days=30),
            released_at=now - timedelta(days=20),
        )
    )
    names = (["user", "root"] if count == 2 else ["foothold", "user", "root", "vault", "core", "ghost"][:count])[:count]
    found = []
    for place, flag in enumerate(names):
        flag_id = index * 100 + place
        mark = flag if flag in ("user", "root") else None
        await tx.execute(
            flags.insert().values(
                id=flag_id,
                box_id=index,
                name=flag,
                value=f"FLAG{{{slug}-{flag}}}",
                points=50 * (place + difficulty),
                icon="flag",
                mark=mark,
                case_insensitive=False,
                dynamic=False,
                position=place,
            )
        )
        found.append((index, flag_id))
    return found


async def _unreleased(tx, now):
    for index, (name, released, retired) in enumerate((("Hosaka", None, None), ("Ono-Sendai", 40, 2)), start=50):
        await tx.execute(
            boxes.insert().values(
                id=index,
                slug=slugify(name),
                name=name,
                template="hello",
                dynamic=True,
                description="",
                os="Linux",
                difficulty=3,
                duration=60,
                authors=[],
                track_id=1,
                created_at=now,
                released_at=now - timedelta(days=released) if released else None,
                retired_at=now - timedelta(days=retired) if retired else None,
            )
        )


async def _solves(tx, luck, account_ids, flag_ids, now):
    submission = 0
    for place, account_id in enumerate(account_ids):
        skill = 0.36 if account_id == account_ids[0] else 0.95 - place * 0.055
        for box_id, flag_id in flag_ids:
            hard = BOXES[box_id - 1][3] / 14
            right = luck.random() + hard * 0.5 < skill
            if account_id == account_ids[0]:
                right = (box_id, flag_id % 100) in {
                    (1, 0),
                    (1, 1),
                    (2, 0),
                    (2, 1),
                    (5, 0),
                    (5, 1),
                    (8, 0),
                    (8, 1),
                    (8, 2),
                }
            if not right and luck.random() > 0.12:
                continue
            submission += 1
            at = now - timedelta(minutes=luck.randint(3, 9000))
            verdict = "correct" if right else luck.choice(("wrong", "wrong", "shared"))
            await tx.execute(
                submissions.insert().values(
                    id=submission,
                    account_id=account_id,
                    box_id=box_id if right else None,
                    flag_id=flag_id if right else None,
                    value=f"FLAG{{{luck.randbytes(17).hex()}}}"[:41],
                    verdict=verdict,
                    shared_by=12 if verdict == "shared" and account_id != 12 else None,
                    at=at,
                )
            )
            if right:
                await tx.execute(
                    solves.insert().values(flag_id=flag_id, account_id=account_id, submission_id=submission, at=at)
                )


async def _sessions(tx, player_id, now):
    rows = [
        ("straylight", player_id, "running", None, 61),
        ("zion", player_id, "provisioning", "Building the image: step 4 of 9", None),
        ("tessier", player_id, "queued", None, None),
        ("sense-net", player_id, "failed", None, None),
        ("ratz", 10, "running", None, 12),
        ("zion", 11, "running", None, 44),
        ("aerol", 12, "stopping", None, 3),
        ("last-call", 13, "failed", None, None),
        ("tessier", 14, "stopped", None, None),
        ("ratz", 15, "resetting", None, 35),
    ]
    names = [slugify(name) for name, *_ in BOXES]
    for index, (slug, account_id, state, stage, left) in enumerate(rows):
        ended = state in ("stopped", "failed")
        session_id = f"{index:08x}-9d3e-4c1a-8f00-5a6b7c8d9e0f"
        await tx.execute(
            sessions.insert().values(
                id=session_id,
                account_id=account_id,
                box_id=names.index(slug) + 1,
                provider="club_docker",
                realm="wz01",
                template=slug,
                state=state,
                generation=1,
                verb=None,
                asked_at=now,
                values={},
                duration=90,
                created_at=now - timedelta(seconds=35 + index),
                started_at=now,
                ready_at=None,
                expires_at=now + timedelta(minutes=left) if left else None,
                ended_at=now - timedelta(minutes=index) if ended else None,
                stage=Text(stage).to_json() if stage else None,
                address=None if ended else f"10.13.37.{100 + index}",
                failure=Text("Its service never answered on port {port}.", {"port": 8080}).to_json()
                if state == "failed"
                else None,
                failure_detail="nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)"
                if state == "failed"
                else None,
                readiness="listening",
                endpoints=[
                    {"name": "ssh", "host": f"10.13.37.{100 + index}", "port": 22},
                    {"name": "http", "host": f"10.13.37.{100 + index}", "port": 8080},
                ],
                creds=[{"type": "ssh", "username": "level0", "password": "aX3kP9qL"}],
            )
        )
        output = "\n".join(
            f"Step {n}/9 : RUN apk add --no-cache thing-{n}\n ---> Running in 5f1c9b{n}" for n in range(1, 9)
        )
        await tx.execute(session_logs.insert().values(session_id=session_id, output=output))


async def _notices(tx, now):
    told = (
        (
            None,
            "good",
            "First blood: {username} has taken all flags of {box}.",
            {"username": "molly", "box": "Villa"},
            "/boxes/villa",
            240,
        ),
        (None, "info", "{message}", {"message": "Pizza is in the hall. The boxes will wait."}, None, 65),
        (
            "case",
            "bad",
            "Your machine of {box} is gone: {reason}",
            {"box": "Sense/Net", "reason": "its provider restarted."},
            "/boxes/sense-net",
            20,
        ),
    )
    for kind_for, kind, message, params, link, minutes in told:
        await tx.execute(
            notices.insert().values(
                account_id=2 if kind_for else None,
                kind=kind,
                text=Text(message, params).to_json(),
                link=link,
                at=now - timedelta(minutes=minutes),
            )
        )

"""Boxes as organisers write them: registered, edited, released, retired, deleted and restored."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.domain.boxes import slugify
from chatsubo.domain.clock import Clock
from chatsubo.domain.errors import Busy, FieldProblem, Invalid, NotFound
from chatsubo.domain.sessions import Event, State, transition
from chatsubo.domain.text import N_, Text
from chatsubo.game.actor import Actor
from chatsubo.game.box_problems import problems_of
from chatsubo.game.snapshot import Snapshots, outdate
from chatsubo.game.views import BoxForm, FlagForm
from chatsubo.lab.intents import ask_stop
from chatsubo.live.news import News
from chatsubo.store import boxes as store
from chatsubo.store.boxes import Box
from chatsubo.store.database import Database
from chatsubo.store.listings import all_listings
from chatsubo.store.notices import insert_notice
from chatsubo.store.sessions import Session, live_sessions

TAKEN_OUT = N_("{box} was taken out of play, and your machine of it is gone.")


class BoxAdmin:
    """What organisers do with boxes."""

    def __init__(
        self, db: Database, clock: Clock, snapshots: Snapshots, news: News, *, wake: Callable[[], None]
    ) -> None:
        self._db = db
        self._clock = clock
        self._snapshots = snapshots
        self._news = news
        self._wake = wake

    async def register(self, actor: Actor, form: BoxForm) -> str:
        """Make a box of a template, not released yet, and return its slug.

        Raises:
            Forbidden: If the actor is no organiser.
            Invalid: If the form is not right; all of its problems at once.
        """
        actor.must_be_admin()
        async with self._db.write() as tx:
            await outdate(tx)
            dynamic = await _is_dynamic(tx, form.template)
            problems = list(problems_of(form, dynamic=dynamic is not False))
            if dynamic is None:
                problems.insert(0, FieldProblem("template", Text(N_("No provider offers this template."))))
            if problems:
                raise Invalid(*problems)
            slug = _free_slug(slugify(form.name), await store.slugs(tx))
            box_id = await store.insert_box(
                tx,
                {
                    **await _columns(tx, form),
                    "slug": slug,
                    "template": form.template,
                    "dynamic": dynamic,
                    "picture": None,
                    "created_at": self._clock(),
                },
            )
            await _write_flags(tx, box_id, form.flags, self._clock())
        self._changed()
        return slug

    async def edit(self, actor: Actor, slug: str, form: BoxForm) -> None:
        """Change a box. Its template and its address stay; flags that are left out are deleted.

        Raises:
            Forbidden: If the actor is no organiser.
            Invalid: If the form is not right; all of its problems at once.
            NotFound: If there is no such box.
        """
        actor.must_be_admin()
        async with self._db.write() as tx:
            await outdate(tx)
            box = await _box(tx, slug)
            problems = list(problems_of(form, dynamic=box.dynamic))
            if problems:
                raise Invalid(*problems)
            await store.update_box(tx, box.id, await _columns(tx, form))
            await _write_flags(tx, box.id, form.flags, self._clock())
        self._changed()

    async def form(self, actor: Actor, slug: str) -> BoxForm:
        """Return a box as it can be edited.

        Raises:
            Forbidden: If the actor is no organiser.
            NotFound: If there is no such box.
        """
        actor.must_be_admin()
        async with self._db.read() as tx:
            box = await _box(tx, slug)
            flags = await store.all_flags(tx, box.id)
        return BoxForm(
            template=box.template,
            name=box.name,
            description=box.description,
            os=box.os,
            difficulty=box.difficulty,
            duration=box.duration,
            track=box.track,
            authors=tuple(box.authors),
            flags=tuple(
                FlagForm(
                    id=flag.id,
                    name=flag.name,
                    value=flag.value,
                    points=flag.points,
                    icon=flag.icon,
                    mark=flag.mark,
                    case_insensitive=flag.case_insensitive,
                    dynamic=flag.dynamic,
                )
                for flag in flags
            ),
        )

    async def release(self, actor: Actor, slug: str) -> None:
        """Let players see and play a box, or bring a retired one back."""
        await self._set(actor, slug, {"released_at": self._clock(), "retired_at": None}, keep="released_at")

    async def retire(self, actor: Actor, slug: str) -> None:
        """Take a box out of play with its machines; its points stay."""
        await self._take_out(actor, slug, "retired_at")

    async def delete(self, actor: Actor, slug: str) -> None:
        """Take a box away with its machines and its points; it can be restored."""
        await self._take_out(actor, slug, "deleted_at")

    async def restore(self, actor: Actor, slug: str) -> None:
        """Bring a deleted box back, with its points."""
        await self._set(actor, slug, {"deleted_at": None})

    async def set_picture(self, actor: Actor, slug: str, picture: str | None) -> None:
        """Set the name of the box's picture; ``None`` draws one from the box's name."""
        await self._set(actor, slug, {"picture": picture})

    async def _set(self, actor: Actor, slug: str, values: dict[str, Any], keep: str = "") -> None:
        actor.must_be_admin()
        async with self._db.write() as tx:
            await outdate(tx)
            box = await _box(tx, slug)
            if keep and getattr(box, keep) is not None:
                values.pop(keep)
            await store.update_box(tx, box.id, values)
        self._changed()

    async def _take_out(self, actor: Actor, slug: str, column: str) -> None:
        """Write the moment into ``column``, end the box's machines, and tell their owners."""
        actor.must_be_admin()
        now = self._clock()
        async with self._db.write() as tx:
            await outdate(tx)
            box = await _box(tx, slug)
            await store.update_box(tx, box.id, {column: now})  # first, so that a start at the same time waits for it
            stopped = await _stop_machines(tx, box, now)
        self._changed()
        if stopped:
            self._wake()
        for session in stopped:
            state = transition(session.state, Event.ASK_STOP)
            self._news.session(session.id, session.account_id, session.box_id, state)
        for owner in _owners(stopped):
            self._news.notice(owner)

    def _changed(self) -> None:
        self._snapshots.forget()
        self._news.boxes()


async def _box(tx: AsyncConnection, slug: str) -> Box:
    box = await store.box_by_slug(tx, slug)
    if box is None:
        raise NotFound
    return box


async def _stop_machines(tx: AsyncConnection, box: Box, now: datetime) -> list[Session]:
    """Ask for the end of the box's machines, write a notice to each owner, and return those sessions as they were."""
    stopped = []
    # Whoever locks several sessions goes by their ids, so that no two wait for each other.
    for session in sorted(await live_sessions(tx, box_id=box.id), key=lambda one: one.id):
        if session.state is not State.STOPPING:
            try:
                stopped.append(await ask_stop(tx, session.id, now))
            except Busy:
                continue  # it has ended meanwhile
    text = Text(TAKEN_OUT, {"box": box.name})
    for owner in _owners(stopped):
        await insert_notice(tx, account_id=owner, kind="bad", text=text, link=None, at=now)
    return stopped


def _owners(sessions: Iterable[Session]) -> list[int]:
    return sorted({session.account_id for session in sessions if session.account_id is not None})


async def _is_dynamic(tx: AsyncConnection, template: str) -> bool | None:
    """Return whether own machines can be started of the template; ``None`` if no provider offers it."""
    offers = [one.dynamic for listing in await all_listings(tx) for one in listing.templates if one.name == template]
    return any(offers) if offers else None


async def _columns(tx: AsyncConnection, form: BoxForm) -> dict[str, Any]:
    return {
        "name": form.name.strip(),
        "description": form.description.strip(),
        "os": form.os,
        "difficulty": form.difficulty,
        "duration": form.duration,
        "authors": [author.strip() for author in form.authors if author.strip()],
        "track_id": await _track(tx, form),
    }


async def _track(tx: AsyncConnection, form: BoxForm) -> int:
    """Return the id of the form's track, which is made if it is new."""
    by_slug = {track.slug: track.id for track in await store.all_tracks(tx)}
    name = form.new_track.strip()
    slug = slugify(name) if name else form.track
    if slug in by_slug:
        return by_slug[slug]
    if not name:
        raise Invalid.field("track", N_("Choose a track, or name a new one."))
    return await store.insert_track(tx, slug=slug, name=name, icon="flag")


async def _write_flags(tx: AsyncConnection, box_id: int, forms: Sequence[FlagForm], now: datetime) -> None:
    """Make the box's flags those of the form. A flag keeps its solves while it keeps its id or its name."""
    by_name = await store.flag_ids_by_name(tx, box_id)
    ids = _flag_ids(forms, by_name)
    names = {flag_id: form.name.strip() for flag_id, form in zip(ids, forms, strict=True)}
    for name, old_id in by_name.items():
        if names.get(old_id, name) != name or (old_id not in names and name in names.values()):
            # So that two flags may swap their names. No organiser's name begins with a space.
            await store.update_flag(tx, old_id, {"name": f" {old_id}"})
    for position, (flag_id, form) in enumerate(zip(ids, forms, strict=True)):
        values = {
            "name": form.name.strip(),
            "value": "" if form.dynamic else form.value.strip(),
            "points": form.points,
            "icon": form.icon,
            "mark": form.mark,
            "case_insensitive": form.case_insensitive,
            "dynamic": form.dynamic,
            "position": position,
            "deleted_at": None,
        }
        if flag_id is None:
            await store.insert_flag(tx, {"box_id": box_id, **values})
        else:
            await store.update_flag(tx, flag_id, values)
    for flag_id in set(by_name.values()) - names.keys():
        await store.update_flag(tx, flag_id, {"deleted_at": now})


def _flag_ids(forms: Sequence[FlagForm], by_name: Mapping[str, int]) -> list[int | None]:
    """Return which known flag each form is: the one of its id, else the one of its name that no other form is."""
    known = set(by_name.values())
    claimed = {form.id for form in forms}
    named = [by_name.get(form.name.strip()) for form in forms]
    return [
        form.id if form.id in known else None if flag_id in claimed else flag_id
        for form, flag_id in zip(forms, named, strict=True)
    ]


def _free_slug(wanted: str, taken: set[str]) -> str:
    slug, number = wanted, 2
    while slug in taken:
        slug, number = f"{wanted}-{number}", number + 1
    return slug

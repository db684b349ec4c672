"""Boxes as organisers write them: registered, edited, released, retired, deleted and restored."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.domain.boxes import slugify
from chatsubo.domain.clock import Clock
from chatsubo.domain.errors import FieldProblem, Invalid, NotFound
from chatsubo.domain.labels import MAX_DURATION, MAX_POINTS, SYSTEMS
from chatsubo.domain.text import N_, Text
from chatsubo.game.actor import Actor
from chatsubo.game.snapshot import CATALOGUE, Snapshots
from chatsubo.game.views import BoxForm, FlagForm
from chatsubo.live.bus import EVERYONE, Bus, Event
from chatsubo.store import boxes as store
from chatsubo.store.boxes import Box
from chatsubo.store.database import Database
from chatsubo.store.notices import read_setting, write_setting
from chatsubo.store.pictures import list_pictures

MARKS = (None, "user", "root")


class BoxAdmin:
    """What organisers do with boxes."""

    def __init__(self, db: Database, clock: Clock, snapshots: Snapshots, bus: Bus) -> None:
        self._db = db
        self._clock = clock
        self._snapshots = snapshots
        self._bus = bus

    async def register(self, actor: Actor, form: BoxForm) -> str:
        """Make a box of a template, not released yet, and return its slug.

        Raises:
            Forbidden: If the actor is no organiser.
            Invalid: If the form is not right; all of its problems at once.
        """
        actor.must_be_admin()
        async with self._db.write() as tx:
            dynamic = await _is_dynamic(tx, form.template)
            problems = list(_problems(form))
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
            await _write_flags(tx, box_id, form.flags)
            await _raise_version(tx)
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
        problems = list(_problems(form))
        if problems:
            raise Invalid(*problems)
        async with self._db.write() as tx:
            box = await _box(tx, slug)
            await store.update_box(tx, box.id, await _columns(tx, form))
            await _write_flags(tx, box.id, form.flags, self._clock())
            await _raise_version(tx)
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
        """Take a box out of play; its points stay."""
        await self._set(actor, slug, {"retired_at": self._clock()})

    async def delete(self, actor: Actor, slug: str) -> None:
        """Take a box away with its points; it can be restored."""
        await self._set(actor, slug, {"deleted_at": self._clock()})

    async def restore(self, actor: Actor, slug: str) -> None:
        """Bring a deleted box back, with its points."""
        await self._set(actor, slug, {"deleted_at": None})

    async def set_picture(self, actor: Actor, slug: str, picture: str | None) -> None:
        """Set the name of the box's picture; ``None`` draws one from the box's name."""
        await self._set(actor, slug, {"picture": picture})

    async def _set(self, actor: Actor, slug: str, values: dict[str, Any], keep: str = "") -> None:
        actor.must_be_admin()
        async with self._db.write() as tx:
            box = await _box(tx, slug)
            if keep and getattr(box, keep) is not None:
                values.pop(keep)
            await store.update_box(tx, box.id, values)
            await _raise_version(tx)
        self._changed()

    def _changed(self) -> None:
        self._snapshots.forget()
        self._bus.publish(EVERYONE, Event("boxes"))


async def _box(tx: AsyncConnection, slug: str) -> Box:
    box = await store.box_by_slug(tx, slug)
    if box is None:
        raise NotFound
    return box


async def _is_dynamic(tx: AsyncConnection, template: str) -> bool | None:
    """Return whether own machines can be started of the template; ``None`` if no provider offers it."""
    offers = [one.dynamic for picture in await list_pictures(tx) for one in picture.templates if one.name == template]
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
    return await store.insert_track(tx, slug=slug, name=name[:64], icon="flag")


async def _write_flags(
    tx: AsyncConnection, box_id: int, forms: Sequence[FlagForm], now: datetime | None = None
) -> None:
    """Make the box's flags those of the form. A flag keeps its solves while it keeps its id or its name."""
    by_name = await store.flag_ids_by_name(tx, box_id)
    known = [form for form in forms if form.id in by_name.values()]
    for name, old_id in by_name.items():
        if any((form.id == old_id) != (form.name.strip() == name) for form in known):
            await store.update_flag(tx, old_id, {"name": f"~{old_id}"})  # so that two flags may swap their names
    kept: set[int] = set()
    for position, form in enumerate(forms):
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
        flag_id = form.id if form.id in by_name.values() else by_name.get(form.name.strip())
        if flag_id is None:
            flag_id = await store.insert_flag(tx, {"box_id": box_id, **values})
        else:
            await store.update_flag(tx, flag_id, values)
        kept.add(flag_id)
    for flag_id in set(by_name.values()) - kept:
        await store.update_flag(tx, flag_id, {"deleted_at": now})


async def _raise_version(tx: AsyncConnection) -> None:
    await write_setting(tx, CATALOGUE, int(await read_setting(tx, CATALOGUE) or 0) + 1)


def _free_slug(wanted: str, taken: set[str]) -> str:
    slug, number = wanted, 2
    while slug in taken:
        slug, number = f"{wanted}-{number}", number + 1
    return slug


def _problems(form: BoxForm) -> Iterator[FieldProblem]:
    """Yield what is wrong with a form, field by field."""
    if not 0 < len(form.name.strip()) <= 128:  # noqa: PLR2004  the column's width
        yield FieldProblem("name", Text(N_("A box's name has 1 to {limit} characters."), {"limit": 128}))
    if len(form.description) > 50_000:  # noqa: PLR2004
        yield FieldProblem("description", Text(N_("A description has at most {limit} characters."), {"limit": 50_000}))
    if form.os not in SYSTEMS:
        yield FieldProblem("os", Text(N_("Choose one of {choices}."), {"choices": ", ".join(SYSTEMS)}))
    yield from _range("difficulty", form.difficulty, 1, 10)
    yield from _range("duration", form.duration, 1, MAX_DURATION)
    if not form.track and not form.new_track.strip():
        yield FieldProblem("track", Text(N_("Choose a track, or name a new one.")))
    names = [flag.name.strip().lower() for flag in form.flags]
    for index, flag in enumerate(form.flags):
        yield from _flag_problems(f"flags.{index}", flag, names)


def _flag_problems(field: str, flag: FlagForm, names: list[str]) -> Iterator[FieldProblem]:
    name = flag.name.strip()
    if not 0 < len(name) <= 64:  # noqa: PLR2004  the column's width
        yield FieldProblem(f"{field}.name", Text(N_("A flag's name has 1 to {limit} characters."), {"limit": 64}))
    elif names.count(name.lower()) > 1:
        yield FieldProblem(f"{field}.name", Text(N_("Two flags of a box cannot have one name.")))
    if not flag.dynamic and not 0 < len(flag.value.strip()) <= 512:  # noqa: PLR2004  the column's width
        message = N_("A flag's value has 1 to {limit} characters, unless it is made at each start.")
        yield FieldProblem(f"{field}.value", Text(message, {"limit": 512}))
    yield from _range(f"{field}.points", flag.points, 0, MAX_POINTS)
    if flag.mark not in MARKS:
        yield FieldProblem(f"{field}.mark", Text(N_("Choose user, root or nothing.")))


def _range(field: str, value: int, low: int, high: int) -> Iterator[FieldProblem]:
    if not low <= value <= high:
        message = N_("This is a whole number from {low} to {high}.")
        yield FieldProblem(field, Text(message, {"low": low, "high": high}))

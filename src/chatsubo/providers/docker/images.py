"""The images of the templates: one for all sessions where it can be, one for each where values are baked in."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import Progress, StartOrder
from chatsubo.providers.docker import building
from chatsubo.providers.docker.building import Build, build
from chatsubo.providers.docker.client import Engine
from chatsubo.providers.docker.context import Context
from chatsubo.providers.docker.errors import ImageMissing
from chatsubo.providers.docker.flights import Flights
from chatsubo.providers.docker.labels import SESSION
from chatsubo.providers.docker.slots import SESSION as SESSION_SLOT
from chatsubo.providers.docker.slots import placeholder
from chatsubo.providers.docker.template import DockerTemplate, Recipe
from chatsubo.providers.exc import (
    BackendConnectionException,
    InstanceNotFound,
    NoCapacity,
    ProviderError,
    TemplateNotFound,
)

BUILDING = Text(N_("Building the machine"))
FETCHING = Text(N_("Fetching the image"))


@dataclass(frozen=True, slots=True)
class Image:
    """An image on the engine.

    Attributes:
        reference: What containers are made from: an id, so that nobody can swap it meanwhile.
        labels, environment: What it brings; placeholders stand where values belong.
    """

    reference: str
    labels: Mapping[str, str] = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)


class Images:
    """The images of one provider's templates.

    Args:
        engine: Where they are.
        provider: The provider's name.
        build_limit: Seconds that a build may take.
        builds: Builds under way at once.
    """

    def __init__(self, engine: Engine, provider: str, build_limit: float, builds: int) -> None:
        self._engine = engine
        self._provider = provider
        self._limit = build_limit
        self._places = asyncio.Semaphore(builds)
        self._flights: Flights[None] = Flights()
        self._known: dict[str, Image] = {}

    async def of(self, template: DockerTemplate, order: StartOrder) -> Image:
        """Return the image for a session, built or fetched if it is not there yet.

        Raises:
            BuildFailed, TemplateNotFound: It cannot be had.
            ProviderError: As the engine answers.
        """
        recipe = template.recipe
        assert recipe is not None
        if recipe.image:
            return await self._ready(recipe.image, order.progress)
        if recipe.baked:
            return await self._of_session(template.name, recipe, order)
        tag = building.shared_tag(template.name, recipe)
        if tag not in self._known:
            self._known[tag] = await self._shared(tag, template.name, recipe, order.progress)
        return self._known[tag]

    def forget(self) -> None:
        """Look at the engine again for what was known to be there."""
        self._known.clear()

    async def remove_of(self, session: str) -> bool:
        """Remove what was built for a session alone, half-made images too, and return whether nothing is left.

        Raises:
            ProviderError: As the engine answers.
        """
        mine = await self._list({"reference": [building.session_repository(self._provider)]})
        for tag in (tag for one in mine for tag in one["RepoTags"] or ()):
            if building.session_of(tag) == session:
                await self._remove(tag)
        filters = {"label": [f"{SESSION}={session}"]}
        tried: set[str] = set()
        while found := {one["Id"] for one in await self._list(filters)}:
            if found <= tried:
                return False
            # An image goes with its parents, down to the first that something else needs.
            for one in found:
                await self._remove(one)
            tried = found
        return True

    async def orphans(self) -> dict[str, str]:
        """Return the ids of images that were built for one session, by session."""
        mine = await self._list({"reference": [building.session_repository(self._provider)]})
        return {building.session_of(tag): one["Id"] for one in mine for tag in one["RepoTags"] or ()}

    async def _ready(self, reference: str, progress: Progress) -> Image:
        image = await self._look(reference)
        if image is None:
            await self._flights.join(reference, lambda told: self._pull(reference, told), progress)
            image = await self._look(reference)
        if image is None:
            raise TemplateNotFound(f"{self._engine.name}: the image {reference} is not there after it was fetched")
        return image

    async def _pull(self, reference: str, progress: Progress) -> None:
        progress.stage(FETCHING)
        name, _, version = reference.rpartition(":")
        named = {"fromImage": name, "tag": version} if name and "/" not in version and "@" not in reference else {}
        failure = ""
        params = named or ({"fromImage": reference} | ({} if "@" in reference else {"tag": "latest"}))
        try:
            async with asyncio.timeout(self._limit), aclosing(self._engine.stream("images/create", params)) as messages:
                async for message in messages:
                    failure = failure or str(message.get("error", ""))
        except (BackendConnectionException, NoCapacity):
            raise
        except ProviderError as error:
            raise TemplateNotFound(f"{reference} cannot be fetched: {error.detail}") from None
        except TimeoutError:
            raise TemplateNotFound(f"{self._engine.name}: fetching {reference} took too long") from None
        if failure:
            raise TemplateNotFound(f"{self._engine.name}: {reference} cannot be fetched: {failure}")

    async def _shared(self, tag: str, name: str, recipe: Recipe, progress: Progress) -> Image:
        image = await self._look(tag)
        if image is None:
            values = {slot: placeholder(slot) for slot in recipe.declared}
            job = Build(tag, recipe.dockerfile, _context(recipe), values)
            await self._flights.join(tag, lambda told: self._build(job, told), progress)
            await self._remove_others(building.template_repository(name), {tag})
            image = await self._look(tag)
        return _there(image, tag)

    async def _of_session(self, name: str, recipe: Recipe, order: StartOrder) -> Image:
        tag = building.session_tag(self._provider, order.id, recipe)
        if image := await self._look(tag):
            return image
        assert recipe.usage is not None
        context = _context(recipe)
        if recipe.usage.work_before:
            await self._prefix(name, recipe, order.progress)
        # Only what is baked is part of the image; the rest is given to the container, as for a shared image.
        own = recipe.baked | {SESSION_SLOT}
        values = {slot: order.values[slot] if slot in own else placeholder(slot) for slot in recipe.declared}
        job = Build(tag, building.marked(recipe, order.id), context, values)
        await self._build(job, order.progress)
        return _there(await self._look(tag), tag)

    async def _prefix(self, name: str, recipe: Recipe, progress: Progress) -> None:
        tag = building.prefix_tag(name, recipe)
        if await self._look(tag) is not None:
            return
        values = {slot: placeholder(slot) for slot in recipe.declared}
        job = Build(tag, building.prefix(recipe), _context(recipe), values)
        await self._flights.join(tag, lambda told: self._build(job, told), progress)
        await self._remove_others(building.template_repository(name), {tag})

    async def _build(self, job: Build, progress: Progress) -> None:
        progress.stage(BUILDING)
        async with self._places:
            await build(self._engine, job, progress, self._limit)

    async def _look(self, reference: str) -> Image | None:
        try:
            return _image(await self._engine.ask(lambda docker: docker.images.inspect(reference)))
        except InstanceNotFound:
            return None

    async def _list(self, filters: Mapping[str, Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self._engine.ask(
            lambda docker: docker.images.list(all=True, filters=filters)
        )
        return found

    async def _remove(self, reference: str) -> None:
        try:
            await self._engine.change(lambda docker: docker.images.delete(reference, force=True))
        except ImageMissing:
            return
        except ProviderError as error:
            # It still has children, or a container: those go first, or it belongs to them.
            if not _is_in_use(error):
                raise

    async def _remove_others(self, repository: str, keep: set[str]) -> None:
        """Remove the images of a template as it was before; those in use stay."""
        tags = [tag for one in await self._list({"reference": [repository]}) for tag in one.get("RepoTags") or ()]
        for tag in tags:
            if tag not in keep:
                try:
                    await self._engine.change(lambda docker, tag=tag: docker.images.delete(tag))  # type: ignore[misc]
                except ProviderError:
                    continue


def _image(raw: Mapping[str, Any]) -> Image:
    config = raw.get("Config") or {}
    return Image(
        reference=raw["Id"],
        labels=config.get("Labels") or {},
        environment=dict(entry.partition("=")[::2] for entry in config.get("Env") or ()),
    )


def _context(recipe: Recipe) -> Context:
    assert recipe.context is not None
    return recipe.context


def _there(image: Image | None, tag: str) -> Image:
    if image is None:
        raise ImageMissing(f"the image {tag} went away while it was needed")
    return image


def _is_in_use(error: ProviderError) -> bool:
    return any(sign in error.detail for sign in ("conflict", "being used", "dependent child"))

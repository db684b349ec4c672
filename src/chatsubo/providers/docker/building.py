"""One build on the engine: what is sent, what comes back, and how it ends."""

import asyncio
import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from chatsubo.domain.boxes import slugify
from chatsubo.providers.base import Progress
from chatsubo.providers.docker.client import Engine
from chatsubo.providers.docker.context import OURS, Context, pack
from chatsubo.providers.docker.dockerfile import parse
from chatsubo.providers.docker.errors import meaning
from chatsubo.providers.docker.labels import SESSION
from chatsubo.providers.docker.template import Recipe
from chatsubo.providers.exc import BuildFailed, NoCapacity, ProviderError

REPOSITORY = "chatsubo"

_NAMES_SESSION = re.compile(rf"(?<![\w.-]){re.escape(SESSION)}\"?=\"?\$\{{?SESSION\b")


@dataclass(frozen=True, slots=True)
class Build:
    """What to build.

    Attributes:
        tag: The image's name and tag.
        dockerfile: The text of the Dockerfile.
        context: The files.
        arguments: The build arguments.
    """

    tag: str
    dockerfile: str
    context: Context
    arguments: Mapping[str, str] = field(repr=False)


async def build(engine: Engine, job: Build, progress: Progress, limit: float) -> None:
    """Build an image. When this is cancelled or takes too long, the engine ends the build too.

    Args:
        engine: Where.
        job: What.
        progress: Where the output goes; it may hold the values of the arguments.
        limit: Seconds that it may take.

    Raises:
        BuildFailed: It does not build, or takes too long.
        NoCapacity: The engine's disk is full.
        ProviderError: As the engine answers.
    """
    arguments = json.dumps(dict(job.arguments))
    params = {"t": job.tag, "dockerfile": OURS, "rm": "1", "forcerm": "1", "buildargs": arguments}
    try:
        archive = await asyncio.to_thread(pack, job.context, job.dockerfile)
    except OSError as error:
        raise BuildFailed(f"the template's folder cannot be read: {error}") from None
    with archive:
        try:
            async with asyncio.timeout(limit), aclosing(engine.stream("build", params, archive)) as messages:
                async for message in messages:
                    if "error" in message:
                        raise _failed(engine.name, message)
                    progress.log(message.get("stream") or _status(message))
        except TimeoutError:
            raise BuildFailed(f"{engine.name}: the build took longer than {limit:.0f} s and was ended") from None


def template_repository(name: str) -> str:
    """Return the repository of a template's images; two names that are spelt alike have two."""
    return f"{REPOSITORY}/{slugify(name)}-{_short(name, 6)}"


def shared_tag(name: str, recipe: Recipe) -> str:
    """Return the tag of the image that all sessions of a template share."""
    return f"{template_repository(name)}:{built_from(recipe)}"


def prefix_tag(name: str, recipe: Recipe) -> str:
    """Return the tag of what a template's images have in common before the first secret value."""
    return f"{template_repository(name)}:base-{built_from(recipe)}"


def session_repository(provider: str) -> str:
    """Return the repository of the images that a provider builds for single sessions."""
    return f"{REPOSITORY}/session-{slugify(provider)}-{_short(provider, 6)}"


def session_tag(provider: str, session: str, recipe: Recipe) -> str:
    """Return the tag of the image of one session, as its template is now."""
    return f"{session_repository(provider)}:{session}.{built_from(recipe)}"


def session_of(tag: str) -> str:
    """Return the session that a tag is for."""
    return tag.rpartition(":")[2].partition(".")[0]


def built_from(recipe: Recipe) -> str:
    """Return a digest of all that an image is built from, but for the values."""
    assert recipe.context is not None
    return _short(f"{recipe.context.digest} {sorted(recipe.declared)} {sorted(recipe.baked)}", 24)


def prefix(recipe: Recipe) -> str:
    """Return the Dockerfile up to the first secret value."""
    assert recipe.usage is not None
    return "\n".join(parse(recipe.dockerfile).lines[: recipe.usage.secret_from - 1]) + "\n"


def marked(recipe: Recipe, session: str) -> str:
    """Return the Dockerfile with the session's label on everything that may hold a secret value.

    Every image that the build leaves, a half-made one too, is found by its session and removed with it; and no other
    session's build takes it for its own.

    Args:
        recipe: What to build.
        session: The session's id.
    """
    assert recipe.usage is not None
    dockerfile = parse(recipe.dockerfile)
    first = recipe.usage.secret_from
    lines = list(dockerfile.lines)
    instruction = f"LABEL {SESSION}={session}"
    ends = [one.line for one in dockerfile.instructions[1:]] + [len(lines) + 1]
    for one, end in reversed(list(zip(dockerfile.instructions, ends, strict=True))):
        if one.keyword == "FROM" and one.line >= first:
            lines.insert(end - 1, instruction)
        elif one.line == first and not (one.keyword == "LABEL" and _NAMES_SESSION.search(one.rest)):
            lines.insert(first - 1, instruction)
    return "\n".join(lines)


def _failed(name: str, message: Mapping[str, object]) -> ProviderError:
    said = str(message["error"])
    error = meaning(0, said, name)
    return error if isinstance(error, NoCapacity) else BuildFailed(f"{name}: {said}")


def _status(message: Mapping[str, object]) -> str:
    # Progress bars of a pull come ten times a second; their ends are enough.
    if "status" not in message or message.get("progressDetail"):
        return ""
    return f"{message.get('id', '')} {message['status']}\n".lstrip()


def _short(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]

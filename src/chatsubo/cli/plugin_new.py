"""``chatsubo plugin new``: writes a plugin that works, to be made one's own."""

import re
from importlib import resources
from pathlib import Path

import click

from chatsubo.cli import console
from chatsubo.cli.configuration import config_option, load_plugins
from chatsubo.config import locate_plugins
from chatsubo.domain.text import N_, Text

FILES = {
    "hypervisor.py": "hypervisor.py",
    "instance.py": "instance.py",
    "provider.py": "provider.py",
    "template.py": "template.py",
    "README.md": "README.md",
    "pytest.ini": "pytest.ini",
    "test_plugin.py": "tests/test___name__.py",
}
"""What is written, by the file it is made from."""

_KIND = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 32


@click.command()
@click.argument("kind")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Where to make the plugin's folder; here, without.",
)
@config_option
@console.json_option
def new(kind: str, folder: Path, file: Path, *, as_json: bool) -> None:
    """Write a plugin for a new KIND of hypervisor, with its tests.

    It works as it is. What speaks to the hypervisor is in one file of it, to be replaced. The configuration need not
    be there: beside it is where plugins are dropped.
    """
    plugins = locate_plugins(file)
    _refuse_bad(kind, plugins)
    plugin = folder / kind
    if plugin.exists():
        raise console.Failure(
            Text(N_("{path} is there already"), {"path": str(plugin)}),
            Text(N_("Choose another kind, or another folder with --dir.")),
        )
    written = [plugin / _filled(target, kind) for target in FILES.values()]
    for source, path in zip(FILES, written, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        text = resources.files("chatsubo.cli").joinpath("scaffold", f"{source}.txt").read_text("utf-8")
        path.write_text(_filled(text, kind), "utf-8")
    if as_json:
        console.data({"kind": kind, "folder": str(plugin), "files": list(map(str, written)), "plugins": str(plugins)})
        return
    console.say(Text(N_("Written: {path}"), {"path": str(plugin)}))
    console.say(Text(N_("Its README says what to do next. Try its tests: pytest {path}"), {"path": str(plugin)}))
    if folder.absolute() != plugins.absolute():
        console.say(Text(N_("Once they pass, move it to {folder} and configure it."), {"folder": str(plugins)}))


def _refuse_bad(kind: str, plugins: Path) -> None:
    if not _KIND.fullmatch(kind) or len(kind) > _LONGEST:
        raise console.Misconfigured(
            Text(N_("{kind} cannot be a kind"), {"kind": ascii(kind)}),
            Text(N_("A kind is made of small letters, digits and hyphens, as in my-hypervisor.")),
        )
    registry = load_plugins(plugins)
    if kind in {*registry.plugins, *(one.kind for one in registry.disabled), "base", "exc", "labels"}:
        raise console.Misconfigured(
            Text(N_("there is a plugin of the kind {kind} already"), {"kind": kind}),
            Text(N_("Choose another kind.")),
        )


def _filled(text: str, kind: str) -> str:
    camel = "".join(part.capitalize() for part in kind.split("-"))
    return text.replace("__kind__", kind).replace("__Kind__", camel).replace("__name__", kind.replace("-", "_"))

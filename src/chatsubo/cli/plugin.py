"""``chatsubo plugin``: the plugins that there are."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from chatsubo.cli import console
from chatsubo.cli.configuration import config_option, load_plugins
from chatsubo.cli.plugin_check import check
from chatsubo.cli.plugin_new import new
from chatsubo.config import locate_plugins
from chatsubo.domain.text import N_, Text

if TYPE_CHECKING:
    from chatsubo.providers.registry import Registry


_INSTALL = N_("Install it: pip install 'chatsubo[{extra}]'")
_NO_FOLDER = N_("Folders of plugins can be dropped into {folder}, which is not there yet.")


@click.group()
def plugin() -> None:
    """Look after plugins."""


plugin.add_command(check)
plugin.add_command(new)


@plugin.command("list")
@config_option
@console.json_option
def list_(file: Path, *, as_json: bool) -> None:
    """Show all plugins: their kind, what they can do, and where each comes from.

    Those that cannot be used are shown with the reason. Nothing is connected to. The exit code is 0 either way.
    """
    folder = locate_plugins(file)
    registry = load_plugins(folder)
    if as_json:
        console.data({"folder": str(folder), "plugins": _usable(registry), "disabled": _disabled(registry)})
    else:
        _show(registry, folder)


def _usable(registry: "Registry") -> list[dict[str, object]]:
    from chatsubo.providers.abilities import abilities  # noqa: PLC0415

    return [
        {
            "kind": kind,
            "abilities": [str(one) for one in abilities(registry.plugins[kind])],
            "way": str(source.way),
            "origin": source.origin,
            "notices": [
                {"text": str(one.text), "remedy": str(one.remedy) if one.remedy else None} for one in source.notices
            ],
        }
        for kind, source in registry.sources.items()
    ]


def _disabled(registry: "Registry") -> list[dict[str, object]]:
    hints = registry.hints()
    return [
        {
            "kind": one.kind,
            "way": str(one.way),
            "origin": one.origin,
            "reason": str(one.reason),
            "install": f"chatsubo[{hints[one.kind]}]" if one.kind in hints else None,
        }
        for one in registry.disabled
    ]


def _show(registry: "Registry", folder: Path) -> None:
    from chatsubo.providers.abilities import abilities  # noqa: PLC0415

    console.table(
        ["Kind", "Can", "Comes from"],
        [
            (
                kind,
                ", ".join(abilities(registry.plugins[kind])),
                f"{source.way}: {source.origin}",
            )
            for kind, source in registry.sources.items()
        ],
    )
    for kind, source in registry.sources.items():
        for notice in source.notices:
            console.say(Text(N_("{kind}: {reason}"), {"kind": kind, "reason": notice.text}), style="yellow")
            if notice.remedy is not None:
                console.say(f"  → {notice.remedy}")
    hints = registry.hints()
    for one in registry.disabled:
        params = {"kind": one.kind, "origin": one.origin, "reason": one.reason}
        console.say(Text(N_("✗ {kind} is disabled: {reason}"), params), style="red")
        console.say(f"  {one.way}: {one.origin}")
        if one.kind in hints:
            console.say(f"  → {Text(_INSTALL, {'extra': hints[one.kind]})}")
    if not folder.is_dir():
        console.say(Text(_NO_FOLDER, {"folder": str(folder)}))

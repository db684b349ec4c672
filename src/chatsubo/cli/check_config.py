"""``chatsubo check-config``: says what is wrong with a configuration file, or what it configures."""

from pathlib import Path
from typing import Any

import click

from chatsubo.cli import console
from chatsubo.cli.configuration import DEFAULT_FILE, load_config
from chatsubo.config import Config, ConfigError


@click.command("check-config")
@click.argument("file", type=click.Path(path_type=Path), default=DEFAULT_FILE, envvar="CHATSUBO_CONFIG")
@console.json_option
def check_config(file: Path, *, as_json: bool) -> None:
    """Check the configuration FILE (config/chatsubo.yml unless given).

    All mistakes are shown at once. Nothing is started or connected to, and no secret is shown. The exit code is 0 for
    a configuration that can be used, else 2.
    """
    try:
        config, _ = load_config(file)
    except ConfigError as error:
        _show_problems(file, error, as_json=as_json)
        raise click.exceptions.Exit(2) from None
    if as_json:
        console.data({"file": str(file), "valid": True, **_summary(config)})
    else:
        _show(file, config)


def _show_problems(file: Path, error: ConfigError, *, as_json: bool) -> None:
    if as_json:
        problems = [problem.to_json() for problem in error.problems]
        console.data({"file": str(file), "valid": False, "problems": problems})
        return
    count = len(error.problems)
    console.say(f"{file} cannot be used: {count} {'problem' if count == 1 else 'problems'}.", style="bold red")
    console.table(
        ["Where", "Problem"],
        [(problem.origin or "the file", problem.sentence) for problem in error.problems],
    )


def _summary(config: Config) -> dict[str, Any]:
    return {
        "providers": [
            {"kind": entry.kind, "name": entry.name, "realms": list(entry.realms)} for entry in config.providers
        ],
        "vpns": [{"realm": gate.realm, "url": gate.url} for gate in config.vpns],
        "server": {"url": config.server.url, "host": config.server.host, "port": config.server.port},
        "database": config.database.label,
        "plugins": str(config.plugins),
        "media": str(config.media),
        "warnings": [str(warning) for warning in config.warnings],
    }


def _show(file: Path, config: Config) -> None:
    console.say(f"{file} can be used.", style="bold green")
    if config.providers:
        rows = [(entry.kind, entry.name, ", ".join(entry.realms)) for entry in config.providers]
        console.table(["Kind", "Provider", "Realms"], rows)
    else:
        console.say("No provider is configured: there will be no boxes.")
    if config.vpns:
        console.table(["Realm", "Gate"], [(gate.realm, gate.url) for gate in config.vpns])
    console.table(
        ["Setting", "Value"],
        [
            ("public URL", config.server.url),
            ("listens on", f"{config.server.host} port {config.server.port}"),
            ("database", config.database.label),
            ("plugins", config.plugins),
            ("media", config.media),
        ],
    )
    for warning in config.warnings:
        console.note(f"Warning: {warning}")

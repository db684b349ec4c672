"""``chatsubo gate init``: asks the few questions, and writes what a gate needs."""

import os
import secrets
import shlex
import sys
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import click
import yaml

from chatsubo.cli import console
from chatsubo.cli.console import Failure
from chatsubo.domain.text import N_, Text

_FILE = click.Path(path_type=Path, dir_okay=False)
_CONFIG = Path("/etc/chatsubo/gate.yml")
_FOLDER = click.Path(file_okay=False)
_STATE = "/var/lib/chatsubo-gate"
_UNIT = Path("/etc/systemd/system/chatsubo-gate.service")
_UNIT_TEXT = """\
[Unit]
Description=Chatsubo VPN gate
After=network-online.target nftables.service
Wants=network-online.target

[Service]
ExecStart={command}
Restart=always
RestartSec=1
# The VPN server and its players' connections outlive a restart of the gate; `chatsubo gate down` ends them.
KillMode=process

[Install]
WantedBy=multi-user.target
"""


def _network(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    try:
        return str(ip_network(value.strip()))
    except ValueError as error:
        raise click.BadParameter(f"{error}; a network is written as in 10.66.0.0/16") from None


def _networks(context: click.Context, parameter: click.Parameter, value: str) -> str:
    return " ".join(_network(context, parameter, one) for one in value.replace(",", " ").split())


@click.command()
@click.option("--config", "file", type=_FILE, default=_CONFIG, show_default=True, help="The gate's file.")
@click.option("--unit", type=_FILE, default=_UNIT, show_default=True, help="The systemd unit.")
@click.option("--state", type=_FOLDER, default=_STATE, show_default=True, help="Where the gate remembers.")
@click.option("--realm", prompt="The realm that this gate leads to")
@click.option("--kind", prompt="The VPN server", type=click.Choice(["wireguard", "openvpn"]), default="wireguard")
@click.option("--endpoint", prompt="The host name or address that players' clients connect to")
@click.option(
    "--subnet",
    prompt="The players' addresses in the tunnel, a network that is used nowhere else",
    default="10.66.0.0/16",
    callback=_network,
)
@click.option("--routes", prompt="The networks with the realm's machines, a space between two", callback=_networks)
@click.option("--listen", prompt="The address that the platform reaches this gate at", default="127.0.0.1")
def init(file: Path, unit: Path, routes: str, listen: str, **answers: Any) -> None:
    """Ask the few questions, and write the configuration, the keys and a systemd unit.

    What is there already is never overwritten.
    """
    from chatsubo.gate.config import load_gate  # noqa: PLC0415
    from chatsubo.gate.service import make_keys  # noqa: PLC0415

    for path in (file, unit):
        if path.exists():
            raise Failure(
                Text(N_("{file} is there already, and is not overwritten"), {"file": str(path)}),
                Text(N_("Change it by hand, or move it away.")),
            )
    token_file = file.with_suffix(".token")
    settings = {
        **answers,
        "auth_token": {"file": str(token_file)},
        "routes": routes.split(),
        "listen": {"host": listen},
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    if not token_file.exists():
        _write(token_file, secrets.token_urlsafe(32) + "\n", mode=0o600)
    _write(file, yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), mode=0o600)
    config = load_gate(file)
    make_keys(config)
    program = Path(sys.argv[0]).absolute()
    command = shlex.join([str(program), "gate", "serve", "--config", str(file.absolute())])
    _write(unit, _UNIT_TEXT.format(command=command.replace("%", "%%")), mode=0o644)
    for path in (file, token_file, unit):
        console.say(Text(N_("Wrote {file}"), {"file": str(path)}), style="green")
    console.say("")
    console.say(N_("Start it:"), style="bold")
    console.say(f"  systemctl daemon-reload && systemctl enable --now {unit.stem}")
    console.say(N_("Then tell the platform, in its configuration:"), style="bold")
    place = f"[{listen}]" if ":" in listen else listen
    console.say(f'vpns:\n  - realm: "{config.realm}"\n    url: "http://{place}:{config.listen.port}"')
    console.say(Text(N_('    token: {{file: "..."}}   # a copy of {file}'), {"file": str(token_file)}))


def _write(path: Path, text: str, *, mode: int) -> None:
    """Write a file that was not there, which nobody else can read meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "w", encoding="utf-8") as file:
        file.write(text)

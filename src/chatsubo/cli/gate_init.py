"""``chatsubo gate init``: asks the few questions, and writes what a gate needs."""

import os
import secrets
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml

from chatsubo.cli import console
from chatsubo.cli.console import Failure, Misconfigured
from chatsubo.config import ConfigError, InvalidValue
from chatsubo.config.values import name
from chatsubo.domain.text import N_, Text

if TYPE_CHECKING:
    from chatsubo.gate.config import GateConfig

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

Check = Callable[[str], str]
Callback = Callable[[click.Context, click.Parameter, str], str]


def _answered(check: Check) -> Callback:
    """Return what lets a question be asked again until ``check`` takes the answer."""

    def callback(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
        try:
            return check(value.strip())
        except InvalidValue as error:
            raise click.BadParameter(f"{value!r} is not {error.expected}") from None

    return callback


def _endpoint(text: str) -> str:
    from chatsubo.gate.config import client_endpoint  # noqa: PLC0415  what a gate needs takes a moment to load

    return client_endpoint(text)


def _subnet(text: str) -> str:
    from chatsubo.gate.config import subnet_of_four  # noqa: PLC0415

    return subnet_of_four(_network(text))


def _listening(text: str) -> str:
    from chatsubo.gate.config import listening_host  # noqa: PLC0415

    return listening_host(text)


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError as error:
        raise InvalidValue(Text(N_("a network, as in 10.66.0.0/16: {reason}"), {"reason": str(error)})) from None


def _networks(text: str) -> str:
    return " ".join(_network(one) for one in text.replace(",", " ").split())


def _question(option: str, text: str, **more: Any) -> Callable[[Any], Any]:
    return click.option(option, prompt=text, help=f"{text}.", **more)


@click.command()
@click.option("--config", "file", type=_FILE, default=_CONFIG, show_default=True, help="The gate's file.")
@click.option("--unit", type=_FILE, default=_UNIT, show_default=True, help="The systemd unit.")
@click.option("--state", type=_FOLDER, default=_STATE, show_default=True, help="Where the gate remembers.")
@_question("--realm", "The realm that this gate leads to", callback=_answered(name))
@_question("--kind", "The VPN server", type=click.Choice(["wireguard", "openvpn"]), default="wireguard")
@_question("--endpoint", "The host name or address that players' clients connect to", callback=_answered(_endpoint))
@_question(
    "--subnet",
    "The players' addresses in the tunnel, a network that is used nowhere else",
    default="10.66.0.0/16",
    callback=_answered(_subnet),
)
@_question("--routes", "The networks with the realm's machines, a space between two", callback=_answered(_networks))
@_question(
    "--listen",
    "The address that the platform reaches this gate at",
    default="127.0.0.1",
    callback=_answered(_listening),
)
def init(file: Path, unit: Path, routes: str, listen: str, **answers: Any) -> None:
    """Ask the few questions, and write the configuration, the keys and a systemd unit.

    What is there already is never overwritten.
    """
    from chatsubo.gate.service import make_keys  # noqa: PLC0415

    for path in (file, unit):
        if path.exists():
            raise Failure(
                Text(N_("{file} is there already, and is not overwritten"), {"file": str(path)}),
                Text(N_("Change it by hand, or move it away.")),
            )
    token = file.with_suffix(".token")
    settings = {**answers, "auth_token": {"file": str(token)}, "routes": routes.split(), "listen": {"host": listen}}
    with _all_or_nothing() as write:
        if not token.exists():
            write(token, secrets.token_urlsafe(32) + "\n", 0o600)
        write(file, yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), 0o600)
        config = _loaded(file)
        make_keys(config)
        command = shlex.join([_program(), "gate", "serve", "--config", str(file.absolute())])
        write(unit, _UNIT_TEXT.format(command=command.replace("%", "%%")), 0o644)
    for path in (file, token, unit):
        console.say(Text(N_("Wrote {file}"), {"file": str(path)}), style="green")
    _tell_what_is_next(config, file, token, unit)


def _loaded(file: Path) -> "GateConfig":
    """Read the file that the answers were put into: answers may be right one by one, and not fit together."""
    from chatsubo.gate.config import load_gate  # noqa: PLC0415

    try:
        return load_gate(file)
    except ConfigError as error:
        what = "; ".join(f"{problem.path}: {problem.expected}" for problem in error.problems)
        raise Misconfigured(
            Text(N_("these answers do not fit together. What is wanted: {what}"), {"what": what})
        ) from None


def _tell_what_is_next(config: "GateConfig", file: Path, token: Path, unit: Path) -> None:
    doctor = [_program(), "gate", "doctor", *(["--config", str(file)] if file != _CONFIG else [])]
    console.say("")
    console.say(N_("Start it, and let it look at itself:"), style="bold")
    console.say(f"  systemctl daemon-reload && systemctl enable --now {unit.stem}\n  {shlex.join(doctor)}")
    console.say(N_("Then tell the platform, in its configuration:"), style="bold")
    host = config.listen.host
    place = f"[{host}]" if ":" in host else host
    if host in {"0.0.0.0", "::"}:  # noqa: S104  compared
        place = "ADDRESS-OF-THIS-MACHINE"
    console.say(f'vpns:\n  - realm: "{config.realm}"\n    url: "http://{place}:{config.listen.port}"')
    console.say(Text(N_('    token: {{file: "..."}}   # a copy of {file}'), {"file": str(token)}))


def _program() -> str:
    return str(Path(sys.argv[0]).absolute())


@contextmanager
def _all_or_nothing() -> Iterator[Callable[[Path, str, int], None]]:
    """Give what writes a new file that nobody else can read meanwhile; if the block fails, they are removed again."""
    written: list[Path] = []

    def write(path: Path, text: str, mode: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "w", encoding="utf-8") as file:
            written.append(path)
            file.write(text)

    try:
        yield write
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise

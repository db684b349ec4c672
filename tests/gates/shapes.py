"""What a client's configuration file consists of, whoever made it: for comparing files whose keys differ."""

import re

Shape = dict[str, str]

_KEY, _NETWORKS = r"[A-Za-z0-9+/]{43}=", r"[0-9a-f.:]+(/\d+)?(, *[0-9a-f.:]+(/\d+)?)*"
_WIREGUARD = {
    "interface.privatekey": _KEY,
    "interface.address": _NETWORKS,
    "peer.publickey": _KEY,
    "peer.presharedkey": _KEY,
    "peer.endpoint": r"[a-z0-9.-]+:\d+",
    "peer.allowedips": _NETWORKS,
}
_OPENVPN = {
    "client": "",
    "dev": "tun",
    "proto": "udp",
    "remote": r"[a-z0-9.-]+ \d+",
    "remote-cert-tls": "server",
    "route": r"[\d.]+ [\d.]+",
    "<ca>": r"-----BEGIN CERTIFICATE-----.*-----END CERTIFICATE-----",
    "<cert>": r"-----BEGIN CERTIFICATE-----.*-----END CERTIFICATE-----",
    "<key>": r"-----BEGIN (EC )?PRIVATE KEY-----.*-----END (EC )?PRIVATE KEY-----",
    "<tls>": r"-----BEGIN OpenVPN .*-----END OpenVPN .*",
}


def shape(config: str) -> set[str]:
    """Return which of the settings that a client needs are in a file, in the form that they have to have."""
    found, needed = (_wireguard(config), _WIREGUARD) if "[Interface]" in config else (_openvpn(config), _OPENVPN)
    return {name for name, form in needed.items() if re.fullmatch(form, found.get(name, "missing"), re.DOTALL)}


def whole(kind: str) -> set[str]:
    """Return all that a client of a kind needs."""
    return set(_WIREGUARD if kind == "wireguard" else _OPENVPN)


def _wireguard(config: str) -> Shape:
    found, section = Shape(), ""
    for line in config.splitlines():
        if line.startswith("["):
            section = line.strip("[]").lower()
        elif "=" in line:
            name, _, value = line.partition("=")
            found[f"{section}.{name.strip().lower()}"] = value.strip()
    return found


def _openvpn(config: str) -> Shape:
    found = Shape()
    for tag, text in re.findall(r"<([a-z0-9-]+)>\n(.*?)\n</\1>", config, re.DOTALL):
        found["<tls>" if tag.startswith("tls-") else f"<{tag}>"] = text
    for line in re.sub(r"<([a-z0-9-]+)>\n.*?\n</\1>", "", config, flags=re.DOTALL).splitlines():
        name, _, value = line.partition(" ")
        found[name] = value
    return found

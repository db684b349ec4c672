"""What the files with players' configurations are called."""

import hashlib
import re

_LONGEST_STEM = 15
_PREFIXES = ("chatsubo-", "cs-")


def file_name(realm: str, kind: str | None) -> str:
    """Return what the file with a configuration is called; no two realms have one name.

    Clients for WireGuard call the network interface what the file is called, so it has 15 letters at most before the
    dot: ``wg-quick`` (its source, ``parse_options``) and the app for Android refuse any other.

    Args:
        realm: The realm that it leads to.
        kind: ``openvpn``, or anything else for WireGuard.
    """
    return f"{_stem(realm)}.{'ovpn' if kind == 'openvpn' else 'conf'}"


def _stem(realm: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", realm)
    if plain == realm:
        for prefix in _PREFIXES:
            if len(prefix + plain) <= _LONGEST_STEM:
                return prefix + plain
    mark = f"-{hashlib.sha256(realm.encode()).hexdigest()[:4]}"
    return f"{_PREFIXES[-1]}{plain}"[: _LONGEST_STEM - len(mark)] + mark

"""What some tests need of the machine: ``@need.dockerd`` skips a test where there is no Docker Engine to start.

Each skip says what is missing and the command that brings it. With ``CHATSUBO_NO_SKIP=1`` a skip is a failure
(``tests/conftest.py``).
"""

import os
import shutil
import subprocess
from functools import cached_property
from pathlib import Path

import pytest

LAB = "`make lab` installs it (Debian, as root)"
AS_ROOT = "`sudo make test` runs it"


def chromium() -> str | None:
    """The path of a Chromium that Playwright can drive."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def postgresql_binaries() -> Path | None:
    """The folder with ``initdb`` and ``postgres``, of the newest version there is; Debian keeps it off the path."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    folders = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in folders), key=lambda folder: float(folder.parent.name), default=None)


def _bubblewrap_works() -> bool:
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        return False
    done = subprocess.run([bwrap, "--ro-bind", "/", "/", "--unshare-all", "true"], capture_output=True, check=False)
    return done.returncode == 0


def _unless(there: object, missing: str, remedy: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not there, reason=f"{missing}: {remedy}")


class Needs:
    """One mark for each thing a test may need; looked up when first used."""

    @cached_property
    def root(self) -> pytest.MarkDecorator:
        """Root, to make network namespaces and start daemons."""
        return _unless(os.geteuid() == 0, "needs root", AS_ROOT)

    @cached_property
    def dockerd(self) -> pytest.MarkDecorator:
        """A Docker Engine that a fixture may start in a network namespace, thus root too."""
        if shutil.which("dockerd") and shutil.which("ip"):
            return _unless(os.geteuid() == 0, "needs root to start a Docker Engine", AS_ROOT)
        return _unless(False, "needs dockerd and ip", LAB)

    @cached_property
    def chromium(self) -> pytest.MarkDecorator:
        """A browser."""
        return _unless(chromium(), "needs Chromium", LAB)

    @cached_property
    def postgresql(self) -> pytest.MarkDecorator:
        """PostgreSQL's server programs."""
        return _unless(postgresql_binaries(), "needs PostgreSQL's initdb", LAB)

    @cached_property
    def bubblewrap(self) -> pytest.MarkDecorator:
        """A bubblewrap that is allowed to make its namespaces."""
        return _unless(_bubblewrap_works(), "needs a bubblewrap that works", LAB)

    @cached_property
    def wireguard(self) -> pytest.MarkDecorator:
        """WireGuard in user space and its tools, and root to make an interface."""
        if shutil.which("wireguard-go") and shutil.which("wg"):
            return _unless(os.geteuid() == 0, "needs root to make a WireGuard interface", AS_ROOT)
        return _unless(False, "needs wireguard-go and wg", LAB)

    @cached_property
    def openvpn(self) -> pytest.MarkDecorator:
        """OpenVPN, and root to make an interface."""
        if shutil.which("openvpn"):
            return _unless(os.geteuid() == 0, "needs root to make an OpenVPN interface", AS_ROOT)
        return _unless(False, "needs openvpn", LAB)

    @cached_property
    def nftables(self) -> pytest.MarkDecorator:
        """The kernel's firewall and its tool, and root to use it in a namespace."""
        if shutil.which("nft") and shutil.which("ip"):
            return _unless(os.geteuid() == 0, "needs root to make a firewall", AS_ROOT)
        return _unless(False, "needs nft and ip", LAB)

    @cached_property
    def podman(self) -> pytest.MarkDecorator:
        """Podman with netavark, and root to give it namespaces of its own."""
        backends = (Path("/usr/lib/podman/netavark"), Path("/usr/libexec/podman/netavark"))
        if shutil.which("podman") and shutil.which("ip") and any(path.exists() for path in backends):
            return _unless(os.geteuid() == 0, "needs root to start a Podman", AS_ROOT)
        return _unless(False, "needs podman, netavark and ip", LAB)


need = Needs()

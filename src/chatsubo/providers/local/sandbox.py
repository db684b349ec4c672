"""The sandbox around an instance: bubblewrap where it works, and an account of its own where we are root."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from chatsubo.providers.exc import Misconfigured

Choice = Literal["auto", "bubblewrap", "none"]

FIRST_UID = 1_879_100_000
"""Where the accounts of instances begin: above what systemd and the distributions hand out (systemd's UIDS-GIDS)."""

BOX_HOME = "/home/box"
"""The home folder as the processes in bubblewrap see it."""

_LAUNCH = Path(__file__).with_name("launch.py")
_LAUNCH_INSIDE = "/run/launch.py"
_PROBE = "import os, sys; os.stat(os.environ['HOME']); open('probe', 'w').close(); sys.exit(sys.version_info < (3, 11))"
_PROBE_TIMEOUT = 30.0
_USABLE_LINKS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_READABLE = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime", "/nix/store", "/gnu/store")
_ACCOUNTS = "root:x:0:0:root:/root:/usr/sbin/nologin\nbox:x:{uid}:{uid}:box:{home}:/bin/sh\n"
_GROUPS = "root:x:0:\nbox:x:{uid}:\n"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A way to run commands that was seen to work here.

    Attributes:
        bubblewrap: The path of bubblewrap, or None.
        own_account: Whether each instance runs under an account of its own.
        python: The interpreter for boxes; it has its standard library only.
    """

    bubblewrap: str | None
    own_account: bool
    python: str

    def uid(self, slot: int) -> int | None:
        """Return the account of the instance with that number, None where it is our own."""
        return FIRST_UID + slot if self.own_account else None

    def home(self, run: Path) -> str:
        """Return the home folder of the instance in ``run`` as its processes see it."""
        return BOX_HOME if self.bubblewrap else str(run / "home")

    def prepare(self, run: Path, slot: int) -> None:
        """Make what the sandbox needs in ``run``, beside the home folder, and hand that to its account.

        Raises:
            OSError: As the operating system says.
        """
        temporary = run / "tmp"
        temporary.mkdir()
        temporary.chmod(0o1777)
        uid = self.uid(slot)
        inside = os.getuid() if uid is None else uid
        for name, text in (("passwd", _ACCOUNTS), ("group", _GROUPS)):
            (run / name).write_text(text.format(uid=inside, home=BOX_HOME))
            (run / name).chmod(0o644)
        if uid is not None:
            _hand_over(run / "home", uid)

    def argv(self, command: Sequence[str], run: Path, slot: int, limits: Mapping[str, int], nice: int) -> list[str]:
        """Return the command line that runs ``command`` in the sandbox.

        Args:
            command: The program and its arguments.
            run: The folder of the run, with what :meth:`prepare` made.
            slot: The number of the instance.
            limits: By the names of :mod:`resource`, without ``RLIMIT_``.
            nice: How far it stands back for others.
        """
        order = {
            "argv": list(command),
            "cwd": self.home(run),
            "limits": dict(limits),
            "nice": nice,
            "uid": self.uid(slot),
            # In a user namespace of its own an account's processes are counted anew, since Linux 5.14.
            "shared": not self.own_account and not (self.bubblewrap and _kernel() >= (5, 14)),
        }
        launch = _LAUNCH_INSIDE if self.bubblewrap else str(_LAUNCH)
        inner = [self.python, "-I", "-S", launch, json.dumps(order)]
        return [*self._wrapping(self.bubblewrap, run), *inner] if self.bubblewrap else inner

    def _wrapping(self, bubblewrap: str, run: Path) -> list[str]:
        spaces = ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
        rights = ["--cap-drop", "ALL"]
        if self.own_account:
            rights += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        else:
            spaces += ["--unshare-user", "--uid", str(os.getuid()), "--gid", str(os.getgid())]
        files = [
            *_system(),
            *(part for path in _READABLE for part in ("--ro-bind-try", path, path)),
            *_prefix(Path(self.python)),
            *("--ro-bind", str(run / "passwd"), "/etc/passwd", "--ro-bind", str(run / "group"), "/etc/group"),
            *("--proc", "/proc", "--dev", "/dev", "--bind", str(run / "tmp"), "/tmp"),  # noqa: S108  its own
            *("--dir", "/run", "--ro-bind", str(_LAUNCH), _LAUNCH_INSIDE),
            *("--dir", "/home", "--bind", str(run / "home"), BOX_HOME, "--remount-ro", "/"),
        ]
        ends = ["--die-with-parent", "--new-session", "--hostname", "box", "--chdir", "/", "--"]
        return [bubblewrap, *spaces, *rights, *files, *ends]


def find_sandbox(choice: Choice, data: Path) -> Sandbox:
    """Return the best sandbox that works here, tried by running a program in it.

    Args:
        choice: ``auto``, ``bubblewrap`` or ``none``.
        data: The folder that instances will be in.

    Raises:
        Misconfigured: None works, or only such that would let a box be root on this machine.
    """
    reasons = []
    for sandbox in _candidates(choice):
        reason = _fault_of(sandbox, data)
        if reason is None:
            return sandbox
        reasons.append(reason)
    if choice == "bubblewrap" and not reasons:
        raise Misconfigured("bubblewrap is not installed")
    hint = "as root, boxes need bubblewrap or an interpreter that other accounts may run; " if _is_root() else ""
    raise Misconfigured(f"{hint}{'; '.join(dict.fromkeys(reasons))}")


def _candidates(choice: Choice) -> Iterator[Sandbox]:
    python = interpreter()
    bubblewrap = shutil.which("bwrap") if choice != "none" else None
    if bubblewrap:
        yield Sandbox(bubblewrap, _is_root(), python)
    if choice != "bubblewrap":
        yield Sandbox(None, _is_root(), python)
        # Root's own interpreter may be where other accounts cannot go.
        if _is_root() and (other := shutil.which("python3", path="/usr/bin:/usr/local/bin")):
            yield Sandbox(None, True, os.path.realpath(other))


def _fault_of(sandbox: Sandbox, data: Path) -> str | None:
    """Return why ``sandbox`` does not work, None if it does."""
    slot = -1
    with tempfile.TemporaryDirectory(prefix="probe.", dir=data, ignore_cleanup_errors=True) as folder:
        run = Path(folder)
        run.chmod(0o711)
        (run / "home").mkdir(mode=0o700)
        sandbox.prepare(run, slot)
        argv = sandbox.argv([sandbox.python, "-I", "-S", "-c", _PROBE], run, slot, {}, 0)
        try:
            done = subprocess.run(  # noqa: S603  our own command
                argv,
                cwd=run / "home",
                env={"HOME": sandbox.home(run), "PATH": os.defpath},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_PROBE_TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"{argv[0]} does not come to an end"
    last_line = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
    return None if done.returncode == 0 else f"{Path(argv[0]).name}: {last_line}"


def interpreter() -> str:
    """Return the path of the interpreter that we run on, beneath any virtual environment."""
    path = Path(os.path.realpath(sys.executable))
    if sys.prefix != sys.base_prefix and path.is_relative_to(sys.prefix):
        path = Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
    return str(path)


def _system() -> Iterator[str]:
    yield from ("--ro-bind", "/usr", "/usr")
    for name in _USABLE_LINKS:
        path = Path(name)
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), name)
        elif path.is_dir():
            yield from ("--ro-bind", name, name)


def _prefix(python: Path) -> Iterator[str]:
    """Yield the arguments that show the interpreter and its library, wherever they are."""
    prefix = python.parent.parent
    if prefix.is_relative_to("/usr") or prefix.is_relative_to("/nix/store"):
        return
    # Made first, they can be passed by all; bubblewrap would give them the rights that they have outside.
    for parent in reversed(prefix.parents[:-1]):
        yield from ("--dir", str(parent))
    yield from ("--ro-bind", str(prefix), str(prefix))


def _hand_over(folder: Path, uid: int) -> None:
    os.chown(folder, uid, uid)
    for path, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(path, name), uid, uid, follow_symlinks=False)


def _kernel() -> tuple[int, ...]:
    major, minor = os.uname().release.split(".")[:2]
    return int(major), int("".join(char for char in minor if char.isdigit()) or 0)


def _is_root() -> bool:
    return os.geteuid() == 0

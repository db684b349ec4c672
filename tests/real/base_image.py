"""Images made here, since no registry can be reached: busybox with its commands as links."""

import io
import subprocess
import tarfile
from functools import cache
from pathlib import Path

BUSYBOX = Path("/bin/busybox")

_FILES = {
    "etc/passwd": (
        "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\nlevel0:x:1000:1000::/home/level0:/bin/sh\n"
    ),
    "etc/group": "root:x:0:\nnogroup:x:65534:\nlevel0:x:1000:\n",
    "etc/shadow": "root:*:19000:0:99999:7:::\nlevel0:*:19000:0:99999:7:::\n",
    "etc/os-release": 'NAME="Made for tests"\nID=chatsubo-test\n',
}
_FOLDERS = {"root": 0o700, "tmp": 0o1777, "run": 0o755, "var": 0o755, "home/level0": 0o755, "proc": 0o555, "sys": 0o555}


@cache
def tree() -> bytes:
    """Return the file system of the base image, as a tar archive."""
    buffer = io.BytesIO()
    applets = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True).stdout.split()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for folder, mode in _FOLDERS.items():
            member = tarfile.TarInfo(folder)
            member.type, member.mode = tarfile.DIRTYPE, mode
            archive.addfile(member)
        for path, text in _FILES.items():
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(text), 0o640 if path.endswith("shadow") else 0o644
            archive.addfile(member, io.BytesIO(text.encode()))
        program = BUSYBOX.resolve().read_bytes()
        member = tarfile.TarInfo("bin/busybox")
        member.size, member.mode = len(program), 0o755
        archive.addfile(member, io.BytesIO(program))
        for applet in applets:
            if applet != "busybox":
                link = tarfile.TarInfo(f"bin/{applet}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                archive.addfile(link)
    return buffer.getvalue()

"""``chatsubo plugin check docker`` against a real engine over mutual TLS, as somebody types it who has one."""

import asyncio
import json
import re
import sys
from pathlib import Path

from tests.real.docker.bench import Bench
from tests.real.docker.test_docker_kit import HELLO


async def test_an_engine_passes_and_nothing_is_left_on_it(bench: Bench, tmp_path: Path) -> None:
    bench.template("hello", HELLO)
    file = tmp_path / "chatsubo.yml"
    settings = {
        "realms": ["wz01"],
        "api": {"host": bench.engine.host, "client": bench.engine.client_certs},
        "dockerfiles_root": str(bench.root),
        "subnet": str(bench.engine.subnets[0]),
    }
    file.write_text(json.dumps({"providers": {"docker": {"lab": settings}}}))
    command = (sys.executable, "-m", "chatsubo.cli", "plugin", "check", "docker", "--config", str(file))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, "--only", "stop", "--crowd", "1", stdout=pipe, stderr=asyncio.subprocess.STDOUT
    )
    said = (await process.communicate())[0].decode()
    assert process.returncode == 0, said
    lines = said.splitlines()
    assert lines[0] == "docker/lab"
    assert lines[1].startswith("  ! Nobody keeps boxes from the addresses of their host")
    assert lines[2] == "It starts the template hello in the realm wz01, up to 1 at once."
    assert "✓ A stop leaves nothing" in said
    assert re.match(r"[1-9]\d* passed, 0 failed, 0 not asked for, in ", lines[-1])
    assert not bench.engine.docker("ps", "--all", "--quiet", "--filter", "label=chatsubo.session").stdout

"""What the guides show is tried."""

import asyncio
import re
import urllib.request
from pathlib import Path

import pytest

from chatsubo.providers.local import LocalProvider
from chatsubo.providers.local.template import read_template
from chatsubo.testing import make_order
from tests.lab.local.looking import make_template

DOCS = Path(__file__).parents[3] / "docs"


def yaml_of(page: Path) -> str:
    found = re.search(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
    assert found
    return found[1]


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_the_box_of_the_authors_guide_is_played(provider: LocalProvider, templates: Path, language: str) -> None:
    make_template(templates, "reading-room", yaml_of(DOCS / language / "box-authors.md"))
    order = make_order()
    instance = await provider.start_dynamic_instance("wz01", "reading-room", order.id, order)
    [endpoint] = instance.endpoints
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def read(path: str) -> str:
        with opener.open(f"http://{endpoint.host}:{endpoint.port}{path}", timeout=120) as answer:
            return str(answer.read().decode())

    assert "Quiet, please" in await asyncio.to_thread(read, "/")
    assert await asyncio.to_thread(read, "/shelf/returned.txt") == order.values["FLAG0"]
    await provider.stop_dynamic_instance(order.id)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_template_of_the_local_guide_is_a_good_one(tmp_path: Path, language: str) -> None:
    folder = make_template(tmp_path, "ice-wall", yaml_of(DOCS / language / "local.md"))
    template, wrong = read_template(folder, "here")
    assert template
    assert not wrong

"""Files of the front end, and the pictures that are drawn."""

import gzip
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from chatsubo.web.assets import Assets, AssetsMissing, bundled
from chatsubo.web.pages.browsers import browser_name
from chatsubo.web.pages.cover import draw

NAMES = ("straylight", "wintermute", "a", "", "é" * 80, "x" * 300, *(f"box-{number}" for number in range(120)))


@pytest.mark.parametrize("name", ["app.css", "app.js", "icons.svg", "logo.svg"])
@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("gzip, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip"), ("br;q=0.5", "br"), ("", None)],
)
async def test_files_are_kept_for_ever_and_compressed_as_asked(nobody, name, accepted, encoding):
    address = f"https://ctf.example/static/{bundled().names[name]}"
    request = nobody.browser.http.build_request("GET", address, headers={"accept-encoding": accepted})
    answer = await nobody.browser.http.send(request)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["vary"] == "Accept-Encoding"
    assert "set-cookie" not in answer.headers


def test_files_that_were_not_built_say_how_to_build_them(tmp_path: Path):
    with pytest.raises(AssetsMissing, match="make build"):
        Assets.load(tmp_path)


def test_a_file_that_the_list_names_must_be_there(tmp_path: Path):
    (tmp_path / "manifest.json").write_text(json.dumps({"app.css": "app.0.css"}))
    with pytest.raises(AssetsMissing, match=r"app\.0\.css"):
        Assets.load(tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_a_cover_is_a_small_well_formed_picture(name):
    drawn = draw(name)
    root = ET.fromstring(drawn)
    assert root.get("viewBox") == "0 0 640 360"
    assert len(gzip.compress(drawn.encode())) < 3000
    assert drawn == draw(name)
    assert "nan" not in drawn


def test_covers_differ():
    assert len({draw(name) for name in NAMES}) == len(NAMES)


async def test_a_cover_may_be_kept(nobody):
    answer = await nobody.get("/boxes/straylight/cover.svg")
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert answer.headers["cache-control"] == "public, max-age=604800"
    assert "set-cookie" not in answer.headers, "a cache would hand it to everyone"


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("gzip", "gzip"), ("GZIP; q=0.5", "gzip"), ("gzip;q=0", None), ("gzip; q=0.00", None), ("identity", None)],
)
async def test_a_cover_is_compressed_as_asked(nobody, accepted, encoding):
    answer = await nobody.get("/boxes/straylight/cover.svg", **{"accept-encoding": accepted})
    assert answer.headers.get("content-encoding") == encoding


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0", "Firefox, Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36 Edg/141.0",
            "Edge, Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605 Version/19.0 Safari/604",
            "Safari, iPhone",
        ),
        ("something else", "something else"),
        ("", ""),
    ],
)
def test_browsers_are_named_in_two_words(agent, name):
    assert browser_name(agent) == name

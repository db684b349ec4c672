"""The guide for plugin authors: its plugin works, and its contract is the one in the code."""

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import fields
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import pytest

from chatsubo.config import ConfigError, load
from chatsubo.providers import exc, installed
from chatsubo.providers.base import BaseInstance, BaseProvider, BaseTemplate, StartOrder
from chatsubo.providers.registry import Registry
from tests.docs.pages import DOCS, LANGUAGES, Page

GUIDES = [Page(DOCS / language / "plugin-authors.md") for language in LANGUAGES]
OF_GATES = {exc.VpnProviderNotFoundException, exc.VpnProviderErrorException}

both = pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.path.parent.name)


def first_cells(page: Page) -> set[str]:
    """The names that begin a row of one of the page's tables."""
    rows = re.findall(r"^\| (`[^|]+`[^|]*) \|", page.path.read_text(encoding="utf-8"), re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(\w+)", row)}


def own(owner: type) -> Iterator[str]:
    """The public names that a class defines, and its constructor."""
    for name in (*vars(owner), *getattr(owner, "__annotations__", {})):
        if not name.startswith("_") or name == "__init__":
            yield name


@both
def test_every_method_and_attribute_of_a_provider_has_its_row(page):
    assert {*own(BaseProvider), "realms"} <= first_cells(page)


@both
def test_methods_are_shown_with_their_arguments(page):
    text = page.path.read_text(encoding="utf-8")
    methods = [name for name in own(BaseProvider) if inspect.isroutine(getattr(BaseProvider, name, None))]
    assert "start_dynamic_instance" in methods
    for name in methods:
        method = getattr(BaseProvider, name)
        arguments = [one for one in inspect.signature(method).parameters if one != "self"]
        assert f"| `{name}({', '.join(arguments)})` |" in text


@both
def test_every_field_of_an_order_has_its_row(page):
    assert {*(one.name for one in fields(StartOrder)), "seconds_left"} <= first_cells(page)


@both
def test_every_error_of_a_provider_has_its_row_with_its_advice(page):
    words = {
        "en": {"retry": "retry", "give-up": "give up", "ask-admin": "ask an organiser"},
        "fr": {"retry": "réessayer", "give-up": "renoncer", "ask-admin": "demander à un organisateur"},
    }[page.path.parent.name]
    text = page.path.read_text(encoding="utf-8")
    errors = [one for one in vars(exc).values() if isinstance(one, type) and issubclass(one, exc.ProviderError)]
    for error in set(errors) - {exc.ProviderError, *OF_GATES}:
        row = re.search(rf"^\| `{error.__name__}[`(].*\| ([^|]+) \|$", text, re.MULTILINE)
        assert row, f"{page.name}: no row for {error.__name__}"
        assert row[1] == words[error.advice.value]


@both
def test_what_an_instance_and_a_template_take_is_named(page):
    text = page.path.read_text(encoding="utf-8")
    for owner in (BaseInstance, BaseTemplate):
        for argument in list(inspect.signature(owner).parameters):
            assert re.search(rf"[`( ]{argument}[`,)]", text), f"{page.name}: {owner.__name__}({argument})"


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The plugin that the guide builds, as if it was installed."""
    _, *files = [block.code for block in GUIDES[0].blocks if block.language in {"toml", "python"}]
    package = tmp_path / "src" / "chatsubo_rack"
    package.mkdir(parents=True)
    for name, code in zip(("__init__", "instance", "provider"), ("", *files), strict=True):
        (package / f"{name}.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(package.parent)
    [entry] = re.findall(r'^rack = "([^"]+)"$', GUIDES[0].blocks[1].code, re.MULTILINE)
    monkeypatch.setattr(installed, "entry_points", lambda *, group: [EntryPoint("rack", entry, group)] if group else [])
    yield importlib.import_module("chatsubo_rack.provider")
    for name in [name for name in sys.modules if name.startswith("chatsubo_rack")]:
        del sys.modules[name]


@pytest.fixture
def provider(plugin: ModuleType, tmp_path: Path) -> BaseProvider:
    """The guide's provider, with its own note and its own configuration."""
    shown = next(block for block in GUIDES[0].blocks if block.language == "yaml").code
    note = next(block for block in GUIDES[0].blocks if block.language == "text").code
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "grey.txt").write_text(note, encoding="utf-8")
    command = tmp_path / "restore"
    command.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/restored\n', encoding="utf-8")
    command.chmod(0o755)
    file = tmp_path / "chatsubo.yml"
    file.write_text(shown.replace("/srv/rack", str(tmp_path)), encoding="utf-8")
    loaded = Registry.load()
    return loaded.build(load(file, loaded.config_models(), environ={}))["cellar"]


async def test_the_guides_plugin_shows_its_machine_and_resets_it(provider, tmp_path):
    check = await provider.check()
    assert check.reachable
    [template] = (await provider.list_templates()).items
    assert (template.name, template.dynamic) == ("straylight", False)
    [machine] = (await provider.list_instances("wz01")).items
    assert (machine.address, machine.flags[0].value, machine.flags[0].points) == ("10.20.0.7", "FLAG{villa}", 400)
    assert not (await provider.list_instances("elsewhere")).items
    await provider.reset("wz01", "straylight")
    assert (tmp_path / "restored").read_text() == "grey\n"
    with pytest.raises(exc.InstanceNotFound):
        await provider.reset("wz01", "freeside")


async def test_the_guides_plugin_reports_a_bad_note_and_keeps_the_others(provider, tmp_path):
    (tmp_path / "notes" / "bad.txt").write_text("chatsubo.template=x\n", encoding="utf-8")
    listing = await provider.list_templates()
    assert [one.name for one in listing.items] == ["straylight"]
    [rejected] = listing.rejected
    assert rejected.name == "bad"


async def test_the_guides_plugin_turns_failures_into_errors_of_providers(provider, tmp_path):
    (tmp_path / "restore").write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    with pytest.raises(exc.ProviderError, match="ended with 3"):
        await provider.reset("wz01", "straylight")


def test_a_misspelt_key_of_the_guides_plugin_is_found(plugin, tmp_path):
    file = tmp_path / "wrong.yml"
    file.write_text('providers: {rack: {cellar: {notes: ".", restor: ["x"], realms: ["wz01"]}}}', encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        load(file, Registry.load().config_models(), environ={})
    assert "restore" in str(raised.value.problems[0].sentence)

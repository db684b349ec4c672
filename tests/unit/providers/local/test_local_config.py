"""The configuration of a local provider."""

from pathlib import Path

import pytest

from chatsubo.config import ConfigError, load
from chatsubo.providers.local import LocalConfig, LocalProvider


def configured(folder: Path, more: str) -> LocalConfig:
    file = folder / "chatsubo.yml"
    file.write_text(f"providers: {{local: {{here: {{realms: [wz01], templates_root: boxes, data: data, {more}}}}}}}")
    [entry] = load(file, {"local": LocalConfig}, environ={}).providers
    assert isinstance(entry.model, LocalConfig)
    return entry.model


def test_the_least_that_has_to_be_said(tmp_path: Path) -> None:
    config = configured(tmp_path, "")
    assert config.templates_root == tmp_path / "boxes"
    assert config.address_range == "127.77.0.0/16"
    assert config.sandbox == "auto"
    assert not config.allow_unsafe
    provider = LocalProvider.from_config("here", config, ())
    assert (provider.kind, provider.is_dynamic, provider.flag_prefix) == ("local", True, "FLAG")
    assert not provider.allowed_beyond_demo
    assert not (tmp_path / "data").exists(), "the constructor does no input or output"


def test_limits_are_read(tmp_path: Path) -> None:
    limits = configured(tmp_path, "limits: {memory: 1g, processes: 10, nice: 0}").limits
    assert (limits.memory, limits.processes, limits.nice) == (1 << 30, 10, 0)


@pytest.mark.parametrize(
    "text", ["10.0.0.0/16", "127.77.0.0/31", "127.0.0.0/7", "::1/64", "localhost", "127.77.0.0/99"]
)
def test_an_address_range_is_of_loopback_addresses(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"providers\.local\.here\.address_range"):
        configured(tmp_path, f"address_range: '{text}'")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("sandbox: docker", "sandbox"),
        ("limits: {nice: 30}", r"limits\.nice"),
        ("limits: {memroy: 1g}", r"limits\.memroy"),
        ("ready_timeout: 0", "ready_timeout"),
        ("flag_prefix: 'a b'", "flag_prefix"),
    ],
)
def test_mistakes_have_their_path(tmp_path: Path, text: str, path: str) -> None:
    with pytest.raises(ConfigError, match=rf"providers\.local\.here\.{path}"):
        configured(tmp_path, text)

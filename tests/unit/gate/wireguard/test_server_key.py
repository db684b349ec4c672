"""The gate has one private key, which is made once and never lost."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chatsubo.config import Secret
from chatsubo.gate.config import GateConfig
from chatsubo.gate.errors import TunnelError
from chatsubo.gate.wireguard.keys import is_key, new_private_key
from chatsubo.gate.wireguard.server_key import FILE, load_server_key


def config(state: Path, private: str | None = None) -> GateConfig:
    key = None if private is None else Secret(private)
    return GateConfig(realm="realm", auth_token=Secret("token"), state=state, private_key=key)


def test_a_key_is_made_once_and_kept_for_root_alone(tmp_path: Path) -> None:
    state = tmp_path / "not" / "there"
    made = load_server_key(config(state))
    assert is_key(made.reveal())
    assert load_server_key(config(state)) == made
    assert stat.S_IMODE((state / FILE).stat().st_mode) == 0o600
    assert [path.name for path in state.iterdir()] == [FILE]


def test_of_several_that_make_it_at_once_all_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as threads:
        made = list(threads.map(load_server_key, [config(tmp_path)] * 64))
    assert len({key.reveal() for key in made}) == 1
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_the_configured_key_comes_first(tmp_path: Path) -> None:
    key = new_private_key()
    assert load_server_key(config(tmp_path, key.reveal())) == key
    assert list(tmp_path.iterdir()) == []


def test_who_comes_second_takes_the_key_of_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = new_private_key()

    def slowly() -> Secret:
        (tmp_path / FILE).write_text(first.reveal())
        return new_private_key()

    monkeypatch.setattr("chatsubo.gate.wireguard.server_key.new_private_key", slowly)
    assert load_server_key(config(tmp_path)) == first
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize("content", ["", "half a k", "\udcff", "x" * 44])
def test_a_broken_file_is_an_error_and_stays_as_it_is(tmp_path: Path, content: str) -> None:
    raw = content.encode(errors="surrogateescape")
    (tmp_path / FILE).write_bytes(raw)
    with pytest.raises(TunnelError, match="every player needs a new file") as caught:
        load_server_key(config(tmp_path))
    assert str(tmp_path / FILE) in str(caught.value)
    assert (tmp_path / FILE).read_bytes() == raw


def test_a_configured_key_that_is_none_is_an_error_that_does_not_show_it(tmp_path: Path) -> None:
    with pytest.raises(TunnelError, match="private_key") as caught:
        load_server_key(config(tmp_path, "hunter2"))
    assert "hunter2" not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TunnelError, match="cannot be kept"):
        load_server_key(config(tmp_path / "file" / "state"))

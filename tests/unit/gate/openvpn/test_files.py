"""Small files that are there whole or not at all."""

import os
from pathlib import Path

import pytest

from chatsubo.gate.errors import StateError
from chatsubo.gate.openvpn import files


def test_root_alone_may_read_what_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    files.make_folder(folder)
    files.write(folder / "key", "secret")
    assert (folder.stat().st_mode & 0o777, (folder / "key").stat().st_mode & 0o777) == (0o700, 0o600)
    assert [path.name for path in folder.iterdir()] == ["key"]


def test_a_folder_that_others_could_enter_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    files.make_folder(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_each_change_is_at_least_a_second_younger_than_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "list"
    moments = []
    for text in ("a", "b", "c"):
        files.write(path, text)
        moments.append(int(path.stat().st_mtime))
    assert len(set(moments)) == 3
    assert moments == sorted(moments)


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write(tmp_path / "key", "old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        files.write(tmp_path / "key", "new")
    assert files.read(tmp_path / "key") == "old"


def test_a_draft_that_a_killed_gate_left_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / ".key.draft").write_text("half of a much longer text")
    assert files.read(tmp_path / "key") is None
    files.write(tmp_path / "key", "new")
    assert files.read(tmp_path / "key") == "new"


def test_a_file_that_is_not_there_is_none_and_one_that_is_no_text_an_error(tmp_path: Path) -> None:
    assert files.read(tmp_path / "key") is None
    (tmp_path / "key").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StateError, match="key cannot be read"):
        files.read(tmp_path / "key")


def test_a_block_without_its_end_is_none() -> None:
    text = "words\n-----BEGIN A-----\nx\n-----END A-----\n-----BEGIN B-----\ny\n-----END"
    assert files.pem_blocks(text) == {"A": "-----BEGIN A-----\nx\n-----END A-----\n"}

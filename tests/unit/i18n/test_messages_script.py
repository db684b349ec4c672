"""What `make messages` does."""

import gettext
from pathlib import Path

import pytest

from scripts import messages


def test_what_is_collected_is_compiled_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "fr" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
    (folder / "chatsubo.po").write_text(header + 'msgid "Log in first."\nmsgstr "Par ici."\n')
    monkeypatch.setattr(messages, "LOCALE", tmp_path)

    assert messages.main() == 0

    assert gettext.translation("chatsubo", tmp_path, ["fr"]).gettext("Log in first.") == "Par ici."
    assert capsys.readouterr().out.startswith("fr: ")

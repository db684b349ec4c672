"""Reading what the labels of a template ask of its provider, beyond what they tell players."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping

from chatsubo.domain.labels import PREFIX
from chatsubo.domain.text import N_, Text

_MODE = re.compile(r"0?[0-7]{3}")


class OptionReader:
    """Reads one set of labels. What cannot be read becomes a warning, and is as if it were not there.

    Args:
        labels: The ``chatsubo.*`` labels, keys in lower case.

    Attributes:
        warnings: What could not be read so far.
    """

    def __init__(self, labels: Mapping[str, str]) -> None:
        self.labels = labels
        self.warnings: list[Text] = []

    def value(self, key: str) -> str:
        """Return the value of a label, its key without the prefix; empty where there is none."""
        return self.labels.get(PREFIX + key, "").strip()

    def warn(self, key: str, expected: Text) -> None:
        """Say that a label is ignored, and what it should be like."""
        params = {"label": PREFIX + key, "expected": expected}
        self.warnings.append(Text(N_("the label {label} is ignored: expected {expected}"), params))

    def paths(self, slots: Collection[str], is_plain: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
        """Yield the slots that ``chatsubo.file.SLOT`` labels name, as they write them, and where their files belong.

        Args:
            slots: The slots that there are.
            is_plain: Says whether a path can be used.
        """
        start = f"{PREFIX}file."
        for key in sorted(self.labels):
            name, _, part = key.removeprefix(start).partition(".")
            if not key.startswith(start) or part:
                continue
            path = self.labels[key].strip()
            if name.upper() in slots and is_plain(path):
                yield name, path
            else:
                self.warn(f"file.{name}", Text("chatsubo.file.FLAG0=/root/flag"))

    def mode(self, name: str) -> str:
        """Return the permissions of a slot's file, as chmod takes them."""
        mode = self.value(f"file.{name}.mode")
        if mode and not _MODE.fullmatch(mode):
            self.warn(f"file.{name}.mode", Text("0440"))
            mode = ""
        return mode or "0400"

"""The folder of templates."""

from pathlib import Path

from chatsubo.domain.text import Text
from chatsubo.providers.base import BaseTemplate, Listing, Rejected
from chatsubo.providers.exc import Misconfigured, TemplateNotFound
from chatsubo.providers.local.template import FILE, LocalTemplate, read_template

_HIDDEN = (".", "_")

Answer = tuple[LocalTemplate | None, list[Text]]


class Templates:
    """The templates below a folder; each is read again when its file changes.

    Args:
        root: The folder with a folder for each template. Those whose name begins with a dot or an underscore are none.
        provider: The provider's name.
    """

    def __init__(self, root: Path, provider: str) -> None:
        self.root = root
        self._provider = provider
        self._read: dict[str, tuple[tuple[int, int], Answer]] = {}

    def all(self) -> Listing[BaseTemplate]:
        """Return every template, and all that is wrong with any.

        Raises:
            OSError: The folder cannot be read.
        """
        items: list[BaseTemplate] = []
        rejected: list[Rejected] = []
        for folder in sorted(self.root.iterdir()):
            if folder.is_dir() and not folder.name.startswith(_HIDDEN):
                template, wrong = self._answer(folder)
                items += [template] if template else []
                rejected += [Rejected(folder.name, reason) for reason in wrong]
        return Listing(items, rejected)

    def get(self, name: str) -> LocalTemplate:
        """Return the template called ``name``.

        Raises:
            TemplateNotFound: There is none, or it cannot be used.
            Misconfigured: The folder of all of them is not there.
        """
        if not self.root.is_dir():
            raise Misconfigured(f"there is no folder {self.root}")
        folder = self.root / name
        if folder.parent != self.root or name.startswith(_HIDDEN) or not folder.is_dir():
            raise TemplateNotFound(f"there is no template {name}")
        template, wrong = self._answer(folder)
        if template is None:
            raise TemplateNotFound(f"template {name}: {'; '.join(map(str, wrong))}")
        return template

    def _answer(self, folder: Path) -> Answer:
        stamp = _stamp(folder / FILE)
        known = self._read.get(folder.name)
        if known is None or known[0] != stamp:
            known = self._read[folder.name] = (stamp, read_template(folder, self._provider))
        return known[1]


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)

"""What ``chatsubo doctor`` says about a local provider."""

from collections.abc import Callable, Iterator
from pathlib import Path

from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import Check, Finding
from chatsubo.providers.exc import ProviderError
from chatsubo.providers.local.addresses import COMMON, Addresses
from chatsubo.providers.local.failures import told_plainly
from chatsubo.providers.local.sandbox import Sandbox


def inspect(templates_root: Path, data: Callable[[], Path], sandbox: Callable[[], Sandbox], range_: Addresses) -> Check:
    """Look at all that a local provider needs.

    Args:
        templates_root: The folder of its templates.
        data: Makes the folder of its instances, and returns it.
        sandbox: Finds a sandbox that works.
        range_: The addresses it gives out.
    """
    needed = [_templates(templates_root), _data(data)]
    if needed[-1].ok:
        needed.append(_sandbox(sandbox))
    usable = all(finding.ok for finding in needed)
    return Check(usable, usable, (*needed, *(_advice(sandbox, range_) if usable else ())))


def _templates(root: Path) -> Finding:
    params = {"folder": str(root)}
    try:
        with told_plainly():
            count = sum(1 for _ in root.iterdir())
    except ProviderError as error:
        said = Text(N_("The templates cannot be read: {reason}"), {"reason": error.detail})
        return Finding(False, said, Text(N_("Make the folder {folder}, or correct templates_root."), params))
    return Finding(True, Text(N_("{folder} can be read. Entries in it: {count}"), {**params, "count": count}))


def _data(make: Callable[[], Path]) -> Finding:
    try:
        with told_plainly():
            folder = make()
            probe = folder / ".probe"
            probe.write_bytes(b"")
            probe.unlink()
    except ProviderError as error:
        said = Text(N_("The folder for instances cannot be written: {reason}"), {"reason": error.detail})
        return Finding(False, said, Text(N_("Correct data, or its folder's rights.")))
    return Finding(True, Text(N_("{folder} can be written."), {"folder": str(folder)}))


def _sandbox(find: Callable[[], Sandbox]) -> Finding:
    try:
        with told_plainly():
            sandbox = find()
    except ProviderError as error:
        said = Text(N_("No sandbox works here: {reason}"), {"reason": error.detail})
        return Finding(
            False, said, Text(N_("Install bubblewrap, or run the platform under an account that is not root."))
        )
    if sandbox.bubblewrap:
        return Finding(True, Text(N_("Boxes run in bubblewrap, and a program was run in it.")))
    return Finding(True, Text(N_("A program was run as boxes will be, without bubblewrap.")))


def _advice(sandbox: Callable[[], Sandbox], range_: Addresses) -> Iterator[Finding]:
    if not sandbox().bubblewrap:
        said = Text(N_("Without bubblewrap, boxes see this machine's files, as far as their account may."))
        yield Finding(False, said, Text(N_("Install bubblewrap where there is one (Linux).")))
    if range_.own:
        said = Text(N_("Instances have addresses of their own in {range}."), {"range": str(range_.network)})
        yield Finding(True, said)
    else:
        said = Text(N_("Instances share the address {address}, with ports of their own."), {"address": COMMON})
        yield Finding(True, said)
    said = Text(N_("This provider isolates nothing to rely on: boxes share this machine's kernel and its network."))
    yield Finding(
        False, said, Text(N_("Use it for the demo and for writing boxes; let strangers play on another kind."))
    )

"""The operating system's errors in the words of the contract."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from chatsubo.providers.exc import AccessRefused, Misconfigured, NoCapacity, ProviderError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EAGAIN, errno.EMFILE, errno.ENFILE})
_REFUSED = frozenset({errno.EACCES, errno.EPERM})


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turn what the operating system refuses inside into an error of the contract.

    Raises:
        NoCapacity: No disk, memory, process or file is left.
        AccessRefused: A folder or a program may not be used.
        Misconfigured: Anything else; mostly a folder that is not there.
    """
    try:
        yield
    except TimeoutError:
        raise
    except OSError as error:
        raise _told(error) from error


def _told(error: OSError) -> ProviderError:
    detail = f"{error.strerror or error}: {error.filename}" if error.filename else str(error)
    if error.errno in _FULL:
        return NoCapacity(detail)
    return AccessRefused(detail) if error.errno in _REFUSED else Misconfigured(detail)

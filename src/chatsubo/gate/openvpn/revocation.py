"""The certificates that were revoked: a list that OpenVPN reads again, for the next client, once it changed."""

from collections.abc import Collection, Iterable
from pathlib import Path

from cryptography import x509

from chatsubo.domain.clock import Clock, utc_now
from chatsubo.gate.errors import StateError
from chatsubo.gate.openvpn import files
from chatsubo.gate.openvpn.authority import Authority


class Revocations:
    """The list, in its file. Its methods block.

    Args:
        path: The file. One of another authority is replaced.
        authority: Signs it.
        known: Serial numbers that were revoked elsewhere, and stay so.
        clock: The time of day.

    Raises:
        StateError: The file is damaged.
    """

    def __init__(self, path: Path, authority: Authority, known: Iterable[int] = (), clock: Clock = utc_now) -> None:
        self.path = path
        self._authority, self._clock = authority, clock
        found = _loaded(path, authority)
        self._ends = found.next_update_utc if found else None
        self._revoked = {one.serial_number: one for one in found or ()}
        self._elsewhere = frozenset(known)

    @property
    def serials(self) -> Collection[int]:
        """The serial numbers that are revoked."""
        return self._revoked.keys()

    def change(self, revoked: Iterable[int] = (), valid: Iterable[int] = ()) -> None:
        """Revoke certificates, and let others be valid again; write the file where that changes it, or it ends soon.

        Args:
            revoked: Their serial numbers.
            valid: Likewise.

        Raises:
            OSError: It cannot be written; all is as before.
        """
        now, again = self._clock(), set(valid)
        after = {serial: one for serial, one in self._revoked.items() if serial not in again}
        new = x509.RevokedCertificateBuilder().revocation_date(now)
        after |= {one: new.serial_number(one).build() for one in (*self._elsewhere, *revoked) if one not in after}
        if after.keys() != self._revoked.keys() or not self._authority.lasts(self._ends):
            files.write(self.path, self._authority.revocations(after.values()))
            self._revoked, self._ends = after, self._authority.ends


def read_list(path: Path) -> x509.CertificateRevocationList | None:
    """Return the list in a file, or None where there is none.

    Raises:
        StateError: It cannot be read, or is damaged.
    """
    text = files.read(path)
    if text is None:
        return None
    try:
        return x509.load_pem_x509_crl(text.encode())
    except ValueError as error:
        raise StateError(_damaged(path)) from error


def _loaded(path: Path, authority: Authority) -> x509.CertificateRevocationList | None:
    found = read_list(path)
    if found is None or found.issuer != authority.certificate.subject:
        return None
    if not authority.signed_list(found):
        raise StateError(_damaged(path))
    return found


def _damaged(path: Path) -> str:
    return (
        f"the list of revoked certificates in {path} is damaged: put it back from a backup, or remove it; who has no "
        "access any more stays out all the same"
    )

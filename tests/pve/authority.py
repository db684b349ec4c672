"""An authority and a node's certificate such as a cluster makes for itself."""

import datetime as dt
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = dt.timedelta(days=1)


def own_authority(folder: Path) -> tuple[str, str, str]:
    """Write an authority, a certificate that it signed and its key, without the extensions that strict checks want.

    Returns:
        The three files.
    """
    root_key, node_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name = _name("PVE Cluster Manager CA")
    root = _begun(root_name, root_name, root_key).add_extension(x509.BasicConstraints(True, None), critical=True)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    node = (
        _begun(_name("pve1"), root_name, node_key)
        .add_extension(x509.BasicConstraints(False, None), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(names, critical=False)
    )
    written = {
        "ca.pem": root.sign(root_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM),
        "node.pem": node.sign(root_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM),
        "node.key": node_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    }
    for name, content in written.items():
        (folder / name).write_bytes(content)
    authority, certificate, key = (str(folder / name) for name in written)
    return authority, certificate, key


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _begun(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    begun = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    return begun.serial_number(x509.random_serial_number()).not_valid_before(now - DAY).not_valid_after(now + DAY)

"""A certificate authority of a test's own, and servers that show what it signed."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass
class Authority:
    """``trusted``: the file to name in SSL_CERT_FILE."""

    folder: Path

    def __post_init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(f"Authority in {self.folder.name}")
        self.certificate = self._signed(self._name, self._key.public_key(), NOW - DAY, NOW + DAY, None)
        self.trusted = self.folder / "authority.pem"
        self.trusted.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def server(
        self,
        names: tuple[str, ...] = (),
        *,
        since: datetime = NOW - DAY,
        until: datetime = NOW + DAY,
        self_signed: bool = False,
    ) -> ssl.SSLContext:
        """A server's TLS with a certificate for 127.0.0.1 and these names, or for these names alone where there are some."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name("shop")
        alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
        alternatives = alternatives or [x509.IPAddress(IPv4Address("127.0.0.1"))]
        certificate = self._signed(
            subject, key.public_key(), since, until, alternatives, key if self_signed else None
        )
        file = self.folder / f"{certificate.serial_number}.pem"
        file.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _signed(
        self,
        subject: x509.Name,
        public: ec.EllipticCurvePublicKey,
        since: datetime,
        until: datetime,
        alternatives: list[x509.GeneralName] | None,
        by: ec.EllipticCurvePrivateKey | None = None,
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if by else self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(since)
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=alternatives is None, path_length=None), critical=True)
        )
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        return builder.sign(by or self._key, hashes.SHA256())

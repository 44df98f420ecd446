"""A certificate authority of the tests' own, and certificates as a service, a portal or an eavesdropper would show them."""

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Authority:
    """Who signs. `file` holds its certificate, for a program that is to trust it."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def made(cls, folder: Path, name: str = "authority") -> "Authority":
        """A new one; its files lie in `folder`."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(name)
        builder = _builder(subject, subject, key, DAY).add_extension(x509.BasicConstraints(True, 0), critical=True)
        made = cls(folder, key, builder.sign(key, SHA256()))
        made.file.write_bytes(made.certificate.public_bytes(Encoding.PEM))
        return made

    @property
    def file(self) -> Path:
        """The certificate that the others are checked against, PEM."""
        return self.folder / f"{self.certificate.subject.rfc4514_string().removeprefix('CN=')}.pem"

    def context(self, host: str, valid: datetime.timedelta = DAY) -> ssl.SSLContext:
        """What a server at `host` (an IP address) needs; a negative validity: it has expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
        builder = _builder(_name(host), self.certificate.subject, key, valid).add_extension(names, critical=False)
        chain = builder.sign(self.key, SHA256()).public_bytes(Encoding.PEM)
        path = self.folder / f"server-{builder._serial_number:x}.pem"
        path.write_bytes(chain + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, valid: datetime.timedelta
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 2 * DAY)
        .not_valid_after(now + valid)
    )

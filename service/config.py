"""What an operator may set of the service, in one frozen value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from secureproctor.service.photo import Host

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ServiceConfig:
    """The settings of one service.

    `keys` maps public to private keys of the exams' servers. `public_url` is how others spell this service, without a
    slash at its end. `origins` are the exam pages that may talk to an agent, besides the service's own pages. `operator` is
    who runs the service, as candidates are told; `photo_hosts` may have reference photos although they are not public.
    `msb_keys` are the keys by which each client's MSB Keys may be signed (JWK `x`), by the client's public key.
    """

    data: Path
    keys: Mapping[str, str]
    public_url: str
    origins: tuple[str, ...] = ()
    retention_s: float = 72 * 3600
    live_window_s: float = 30
    operator: str = ""
    photo_hosts: tuple[Host, ...] = ()
    msb_keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    disk_floor: int = 64 * 1024 * 1024
    """Bytes that stay free on the disk: evidence is refused before the database cannot be written any more."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """The spellings of this service: on loopback, the name and the number mean the same."""
        other = self.public_url.replace(f"//{LOOPBACK}:", "//localhost:")
        return tuple(dict.fromkeys((self.public_url, other)))

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """Every page origin that a session token names."""
        return tuple(dict.fromkeys((*self.addresses, *self.origins)))

    def endpoints(self, path: str) -> tuple[str, ...]:
        """The spellings of a path that a signer may have used."""
        return (*(address + path for address in self.addresses), path)

"""Who may come in: the rules for a connection to the loopback API, as pure functions of its request.

A page is known by its Origin, which a browser sets and a page cannot change. Anything without an Origin is a local program
and must present the pairing token, which only the agent's own user can read. The Host must be the loopback address itself:
a foreign name that resolves to 127.0.0.1 (DNS rebinding) is refused.
"""

import hmac
from collections.abc import Collection
from dataclasses import dataclass

from secureproctor.contract.errors import Refusal

HOSTS = frozenset({"127.0.0.1", "localhost"})


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is connected: a page by its origin, or (origin empty) a paired local program."""

    origin: str = ""

    @property
    def is_page(self) -> bool:
        """Whether it is a page in a browser."""
        return bool(self.origin)


def admit(
    *, host: str, port: int, origin: str | None, authorization: str, origins: Collection[str], pairing: str
) -> Visitor:
    """The visitor behind a request's headers; raises Refusal."""
    if host not in {f"{name}:{port}" for name in HOSTS}:
        raise Refusal("origin_denied", origin=f"at the address {host!r}")
    if origin is not None:
        if origin not in origins:
            raise Refusal("origin_denied", origin=origin.encode("ascii", "backslashreplace").decode())
        return Visitor(origin)
    # a header may hold any bytes; those that are no ASCII come as lone surrogates, which only surrogateescape encodes
    if not hmac.compare_digest(authorization.encode(errors="surrogateescape"), f"Bearer {pairing}".encode()):
        raise Refusal("pairing_denied")
    return Visitor()

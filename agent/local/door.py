"""Who may come in: the rules for a connection to the loopback API, as pure functions of its request.

A page is known by its Origin, which a browser sets and a page cannot change. Anything without an Origin is a local program
and must present the pairing token, which only the agent's own user can read. The Host must be the loopback address itself:
a foreign name that resolves to 127.0.0.1 (DNS rebinding) is refused.

One paired program speaks for a page: the browser's native messaging host (native_host.py). It names the page's origin, as
the browser told it, in the header PAGE_ORIGIN; its visitor is a page like any other, and under the same rule of origins.
"""

import hmac
from collections.abc import Collection
from dataclasses import dataclass

from secureproctor.contract.errors import Refusal

HOSTS = frozenset({"127.0.0.1", "localhost"})
PAGE_ORIGIN = "SecureProctor-Page-Origin"
MAX_MESSAGE = 128 * 1024
"""Bytes of the longest message that a visitor may send."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Visitor:
    """Who is connected: a page by its origin, or (origin empty) a paired local program.

    Each connection is a visitor of its own: two tabs of one origin are not equal.
    """

    origin: str = ""

    @property
    def is_page(self) -> bool:
        """Whether it is a page in a browser."""
        return bool(self.origin)


def admit(
    *,
    host: str,
    port: int,
    origin: str | None,
    authorization: str,
    origins: Collection[str],
    pairing: str,
    page_origin: str | None = None,
) -> Visitor:
    """The visitor behind a request's headers; raises Refusal. `page_origin` counts for a paired program only."""
    if host not in {f"{name}:{port}" for name in HOSTS}:
        raise Refusal("origin_denied", origin=f"at the address {_shown(host)!r}")
    if origin is not None:
        return _page(origin, origins)
    # a header may hold any bytes; those that are no ASCII come as lone surrogates, which only surrogateescape encodes
    if not hmac.compare_digest(authorization.encode(errors="surrogateescape"), f"Bearer {pairing}".encode()):
        raise Refusal("pairing_denied")
    return Visitor() if page_origin is None else _page(page_origin, origins)


def _page(origin: str, origins: Collection[str]) -> Visitor:
    if not origin or origin not in origins:
        raise Refusal("origin_denied", origin=_shown(origin))
    return Visitor(origin)


def _shown(header: str) -> str:
    return header.encode("ascii", "backslashreplace").decode()

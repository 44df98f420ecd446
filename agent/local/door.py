"""Who may come in: the rules for a connection to the loopback API, as pure functions of its request.

A page is known by its Origin, which a browser sets and a page cannot change. Anything without an Origin is a local program
and must present the pairing token, which only the agent's own user can read. The Host must be the loopback address itself:
a foreign name that resolves to 127.0.0.1 (DNS rebinding) is refused.

One paired program speaks for a page: the browser's native messaging host (native_host.py). It names the page's origin, as
the browser told it, in the header PAGE_ORIGIN; its visitor is a page like any other, and under the same rule of origins. It
also names the process that started it, in the header BROWSER_PID: behind its connection is itself, not the browser.
"""

import hmac
from collections.abc import Collection
from dataclasses import dataclass

from secureproctor.contract.errors import Refusal

HOSTS = frozenset({"127.0.0.1", "localhost"})
PAGE_ORIGIN = "SecureProctor-Page-Origin"
BROWSER_PID = "SecureProctor-Browser-Pid"
MAX_MESSAGE = 128 * 1024
"""Bytes of the longest message that a visitor may send."""
MAX_FRAME_MESSAGE = 9 * 1024 * 1024
"""That of a paired program, for a picture that a secure browser hands over (contract.page.HandedFrame)."""
MAX_PID = 2**32


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Visitor:
    """Who is connected: a page by its origin, or (origin empty) a paired local program.

    Each connection is a visitor of its own: two tabs of one origin are not equal. `paired`: it showed the pairing token.
    `browser_pid` is what started the native messaging host that speaks for the page, 0 for none; `ports` are the agent's and
    the visitor's of the connection.
    """

    origin: str = ""
    paired: bool = False
    browser_pid: int = 0
    ports: tuple[int, int] = (0, 0)

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
    browser_pid: str | None = None,
    peer_port: int = 0,
) -> Visitor:
    """The visitor behind a request's headers; raises Refusal. `page_origin` and `browser_pid` count for a paired program
    only; `peer_port` is the visitor's end of the connection."""
    if host not in {f"{name}:{port}" for name in HOSTS}:
        raise Refusal("origin_denied", origin=f"at the address {_shown(host)!r}")
    ports = (port, peer_port)
    if origin is not None:
        return Visitor(_allowed(origin, origins), ports=ports)
    # a header may hold any bytes; those that are no ASCII come as lone surrogates, which only surrogateescape encodes
    if not hmac.compare_digest(authorization.encode(errors="surrogateescape"), f"Bearer {pairing}".encode()):
        raise Refusal("pairing_denied")
    speaks_for = "" if page_origin is None else _allowed(page_origin, origins)
    return Visitor(speaks_for, True, _pid(browser_pid or ""), ports)


def _allowed(origin: str, origins: Collection[str]) -> str:
    if not origin or origin not in origins:
        raise Refusal("origin_denied", origin=_shown(origin))
    return origin


def _pid(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 11 and int(text) < MAX_PID else 0


def _shown(header: str) -> str:
    return header.encode("ascii", "backslashreplace").decode()

"""Fetching a picture from an address that an exam's server wrote, without becoming its hand within this network.

The exam's server is known, but what it passes on may have come from anybody. So: web addresses on the ports of the web; every
address that the name resolves to must be public (addresses.py); the connection goes to the very address that was checked,
since a name may resolve to another one a moment later; no proxy; each redirect is judged like the first address. What comes
back is bounded in size and time, and is what its first bytes say, whatever it claims to be.

An operator names the hosts that are exempt, for photos that lie within their own network.
"""

import asyncio
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

import httpcore
import truststore

from secureproctor.service.addresses import is_public

MAX_PHOTO = 5 * 1024 * 1024
MAX_REDIRECTS = 3
WITHIN_S = 10.0
CONNECTED_WITHIN_S = 4.0
PORTS = {"http": 80, "https": 443}
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SAFE = "/%:@!$&'()*+,;=~-._?"
_HEADERS = [("Accept", "image/jpeg, image/png, image/webp"), ("Accept-Encoding", "identity"), ("Connection", "close")]

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""All addresses of a name, in numbers. Raises OSError."""
Option = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


class PhotoError(Exception):
    """There is no photo to be had; the message says why, for a proctor."""


@dataclass(frozen=True, slots=True)
class Host:
    """A host that the operator exempts; without a port, on the ports of the web."""

    name: str
    port: int | None = None

    @classmethod
    def read(cls, text: str) -> "Host":
        """HOST, HOST:PORT or [IPV6]:PORT. Raises ValueError."""
        parts = urlsplit(f"//{text}")
        if not parts.hostname or parts.path or parts.query or parts.username is not None:
            raise ValueError(f"{text!r} is not HOST or HOST:PORT")
        return cls(parts.hostname, parts.port)


@dataclass(frozen=True, slots=True)
class Target:
    """Where to ask: what is checked and what is asked is this one reading of the address."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def read(cls, address: str) -> "Target":
        """An address as somebody wrote it. Raises PhotoError."""
        if any(letter <= " " or letter in "\\\x7f" for letter in address):
            raise PhotoError("Its address holds signs that no address has.")
        try:
            parts = urlsplit(address)
            host = (
                (parts.hostname or "").encode("idna").decode() if ":" not in (parts.hostname or "") else parts.hostname
            )
            port = parts.port or PORTS.get(parts.scheme, 0)
        except ValueError:
            raise PhotoError("Its address is not a web address.") from None
        if parts.scheme not in PORTS or not host or parts.username is not None:
            raise PhotoError("Its address is not a plain web address.")
        path = quote(parts.path or "/", safe=_SAFE) + (f"?{quote(parts.query, safe=_SAFE)}" if parts.query else "")
        return cls(parts.scheme, host, port, path)

    @property
    def url(self) -> str:
        """The address again, for redirects that are relative to it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"


async def resolved(host: str, port: int) -> Sequence[str]:
    """What the system's resolver says. It cannot be interrupted: its thread is one that nobody waits for at the end."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()

    def settle(found: list[str] | OSError) -> None:
        if answer.done():
            return
        if isinstance(found, OSError):
            answer.set_exception(found)
        else:
            answer.set_result(found)

    def ask() -> None:
        found: list[str] | OSError
        try:
            found = [str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except OSError as error:
            found = error
        except UnicodeError as error:
            found = OSError(str(error))
        with suppress(RuntimeError):  # the service has ended meanwhile
            loop.call_soon_threadsafe(settle, found)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    return await answer


class Checked(httpcore.AsyncNetworkBackend):
    """Connects to a name by an address that was looked up once and checked, or not at all."""

    def __init__(self, exempt: frozenset[Host], resolve: Resolve, network: httpcore.AsyncNetworkBackend) -> None:
        self._exempt = exempt
        self._resolve = resolve
        self._network = network

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Option] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers. Raises PhotoError when one of them is not public."""
        within_web = port in PORTS.values()
        exempt = Host(host, port) in self._exempt or (within_web and Host(host) in self._exempt)
        if not exempt and not within_web:
            raise PhotoError("Its address has a port that is not the web's.")
        try:
            addresses = list(dict.fromkeys(await self._resolve(host, port)))
        except OSError:
            raise PhotoError("Its address leads nowhere: the name is not known.") from None
        if not exempt and not all(map(is_public, addresses)):
            raise PhotoError("Its address leads into a network that is not public.")
        for address in addresses:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
        raise PhotoError("Its server does not answer.")


class Photos:
    """Fetches pictures. `resolve` and `network` are the system's; tests have others."""

    def __init__(
        self,
        exempt: Iterable[Host] = (),
        resolve: Resolve = resolved,
        network: httpcore.AsyncNetworkBackend | None = None,
        within_s: float = WITHIN_S,
    ) -> None:
        self._exempt = frozenset(exempt)
        self._resolve = resolve
        self._network = network or httpcore.AnyIOBackend()
        self._within_s = within_s

    async def fetch(self, address: str) -> bytes:
        """The picture's bytes. Raises PhotoError."""
        try:
            async with asyncio.timeout(self._within_s):
                return await self._followed(address)
        except TimeoutError:
            raise PhotoError(f"It did not come within {self._within_s:g} seconds.") from None
        except (httpcore.NetworkError, httpcore.TimeoutException):
            raise PhotoError("The connection to its server broke.") from None
        except (httpcore.ProtocolError, httpcore.UnsupportedProtocol):
            raise PhotoError("Its server does not speak the web's protocol.") from None

    async def _followed(self, address: str) -> bytes:
        for _ in range(MAX_REDIRECTS + 1):
            target = Target.read(address)
            found = await self._asked(target)
            if isinstance(found, bytes):
                return found
            address = urljoin(target.url, found)
        raise PhotoError(f"Its address leads on and on, more than {MAX_REDIRECTS} times.")

    async def _asked(self, target: Target) -> bytes | str:
        """The picture, or where it is said to be."""
        network = Checked(self._exempt, self._resolve, self._network)
        trusted = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if target.scheme == "https" else None
        url = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
        patience = {"connect": CONNECTED_WITHIN_S}
        async with (
            httpcore.AsyncConnectionPool(trusted, max_connections=1, network_backend=network) as pool,
            pool.stream("GET", url, headers=_HEADERS, extensions={"timeout": patience}) as response,
        ):
            location = next((value for name, value in response.headers if name.lower() == b"location"), b"")
            if response.status in REDIRECTS and location:
                return location.decode("latin-1")
            if response.status != 200:
                raise PhotoError(f"Its server answered with status {response.status}.")
            return await _body(response)


async def _body(response: httpcore.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_stream():
        body += chunk
        if len(body) > MAX_PHOTO:
            raise PhotoError(f"It is larger than {MAX_PHOTO // 1024 // 1024} MB.")
    if not media_type(bytes(body[:16])):
        raise PhotoError("It is no JPEG, PNG or WebP picture.")
    return bytes(body)


def media_type(content: bytes) -> str:
    """What a picture is by its first bytes; "" for anything else."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    return "image/webp" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else ""

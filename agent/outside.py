"""The one place from which the agent goes out: trust, proxies and sockets are those of the candidate's system.

- Trust is the operating system's, by `truststore`, so that what an administrator installs there counts. A private CA may
  also be named by SSL_CERT_FILE or SSL_CERT_DIR, on every platform.
- Proxies are what `urllib.request.getproxies` finds: environment, Windows registry, macOS settings (not a PAC script).
  They are looked up at each request, because a PC changes networks while the agent runs. The HTTP client and the proctor
  channel ask the same function, so that they never go different ways.
- What is on this machine is never looked for by a proxy.
- Connections are kept and used again. Where the system can, a connection whose data nobody acknowledges is given up.

Not yet run on Windows and macOS.
"""

import ipaddress
import os
import socket
import ssl
import urllib.request
from collections.abc import Iterator
from typing import TypedDict

import httpx
import truststore

TIMEOUT = httpx.Timeout(20.0, connect=5.0)
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=16, keepalive_expiry=30.0)
"""Above all that one session has under way at once; a record every two seconds keeps connections from expiring."""
UNACKNOWLEDGED_MS = 15_000
PROXY_SCHEMES = frozenset({"http", "https"})
HTTP_OF = {"ws": "http", "wss": "https"}
"""A WebSocket goes where an HTTP request would."""


class NoTrust(OSError):
    """The certificates that the environment names cannot be read; the message says which."""


class WrongProxy(OSError):
    """The system names a proxy that cannot be used; the message says which."""


class WebsocketWay(TypedDict):
    """What `websockets.asyncio.client.connect` has to be told."""

    ssl: ssl.SSLContext | None
    proxy: str | None


def trust() -> ssl.SSLContext:
    """A client's TLS context. Raises NoTrust."""
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file or folder:  # OpenSSL would heed them by itself; the verifiers of Windows and macOS would not
        try:
            context.load_verify_locations(file or None, folder or None)
        except OSError as error:  # ssl.SSLError is one: the file holds something else
            named = " and ".join(filter(None, (file, folder)))
            raise NoTrust(f"the certificates of {named} cannot be read ({error.strerror or error})") from None
    return context


def proxy_for(url: str) -> str | None:
    """The system's proxy for an address, None for none. Raises WrongProxy when it is one that cannot be used."""
    target = httpx.URL(url)
    if _is_here(target.host) or urllib.request.proxy_bypass(
        f"{target.host}:{target.port}" if target.port else target.host
    ):
        return None
    found = urllib.request.getproxies()
    proxy = found.get(HTTP_OF.get(target.scheme, target.scheme)) or found.get("all")
    if proxy is None:
        return None
    return _usable(proxy if "://" in proxy else f"http://{proxy}")


def websocket_way(url: str) -> WebsocketWay:
    """How a WebSocket to `url` is opened. Raises WrongProxy, and NoTrust."""
    return WebsocketWay(ssl=trust() if httpx.URL(url).scheme == "wss" else None, proxy=proxy_for(url))


def http_client() -> httpx.AsyncClient:
    """A client for one event loop, to be closed by its owner. Raises NoTrust."""
    return httpx.AsyncClient(transport=Routed(trust()), timeout=TIMEOUT, trust_env=False)


class Routed(httpx.AsyncBaseTransport):
    """Sends each request by the proxy that the system has for it now. Failures are told in a person's words."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._ways: dict[str | None, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises httpx.TransportError."""
        try:
            proxy = proxy_for(str(request.url))
            return await self._way(proxy).handle_async_request(request)
        except WrongProxy as error:
            raise httpx.ProxyError(str(error), request=request) from error
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
            raise type(error)(explained(error, proxy), request=request) from error

    async def aclose(self) -> None:
        """Close all connections."""
        for way in self._ways.values():
            await way.aclose()

    def _way(self, proxy: str | None) -> httpx.AsyncHTTPTransport:
        if proxy not in self._ways:
            self._ways[proxy] = httpx.AsyncHTTPTransport(
                verify=self._context,
                trust_env=False,
                limits=LIMITS,
                proxy=proxy,
                socket_options=list(_socket_options()),
            )
        return self._ways[proxy]


def explained(error: BaseException, proxy: str | None) -> str:
    """Why there is no connection, as a clause for a person; `proxy` is the one that was used."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted by this system ({cause.verify_message or cause})"
    why = next((str(each) for each in _causes(error) if str(each)), "") or type(error).__name__
    return why if proxy is None else f"by the proxy {_shown(proxy)}: {why}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost" or host.lower().endswith(".localhost")


def _usable(proxy: str) -> str:
    try:
        scheme = httpx.URL(proxy).scheme
    except httpx.InvalidURL:
        raise WrongProxy(f"the system's proxy setting is no address: {proxy!r}") from None
    if scheme not in PROXY_SCHEMES:
        raise WrongProxy(f"the system's proxy {_shown(proxy)} is not an HTTP proxy; the agent can use no other")
    return proxy


def _shown(proxy: str) -> str:
    """Without the password."""
    return str(httpx.URL(proxy).copy_with(username=None, password=None))


def _socket_options() -> Iterator[tuple[int, int, int]]:
    yield socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        yield socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS

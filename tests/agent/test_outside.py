"""Going out for real on loopback: an HTTPS service with a CA of the test's own, and a proxy that counts whom it helped."""

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from secureproctor.agent import outside
from secureproctor.agent.outside import NoTrust, WrongProxy, explained, http_client, proxy_for, websocket_way

NAME = "service.example"
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
VARIABLES = (
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "ws_proxy",
    "wss_proxy",
    "ssl_cert_file",
    "ssl_cert_dir",
)


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine's environment says is not what is tested."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@dataclass(frozen=True)
class Authority:
    """A CA's certificate as a file, and a server's context with a certificate of it."""

    file: Path
    server: ssl.SSLContext


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("ca")
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A private CA")])
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    ca = (
        _builder(ca_name, ca_name, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    names = [x509.DNSName(NAME), x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    leaf = (
        _builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)]), ca_name, key.public_key())
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(ca.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(private + leaf.public_bytes(pem))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "server.pem")
    return Authority(folder / "ca.pem", server)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
    )


@dataclass
class Listener:
    """Something that listens; `seen` are the first lines that came, `connections` how many times somebody connected."""

    port: int = 0
    connections: int = 0
    seen: list[str] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)


Talk = Callable[[Listener, asyncio.StreamReader, asyncio.StreamWriter], "asyncio.Future[None] | object"]


@asynccontextmanager
async def listening(
    talk: Talk, context: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Listener]:
    listener = Listener()

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        listener.connections += 1
        try:
            await talk(listener, reader, writer)  # type: ignore[misc]  # a coroutine function
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass  # the client has closed
        finally:
            writer.close()

    def began(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        listener.tasks.add(asyncio.create_task(serve_one(reader, writer)))

    server = await asyncio.start_server(began, host, 0, ssl=context)
    listener.port = server.sockets[0].getsockname()[1]
    try:
        yield listener
    finally:
        server.close()
        for task in listener.tasks:
            task.cancel()
        await asyncio.gather(*listener.tasks, return_exceptions=True)
        await server.wait_closed()


async def hello(listener: Listener, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        listener.seen.append((await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[0])
        writer.write(HELLO)


def proxy_to(port: int) -> Talk:
    """A CONNECT proxy that knows where every name is: at `port` of this machine."""

    async def talk(listener: Listener, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        listener.seen.append((await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[0])
        there, on = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_pump(reader, on))
                tasks.create_task(_pump(there, writer))
        finally:
            on.close()

    return talk


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while piece := await source.read(65536):
        target.write(piece)
        await target.drain()
    target.close()


def refusing(status: str) -> Talk:
    async def talk(listener: Listener, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())

    return talk


async def test_a_certificate_that_the_system_does_not_trust_is_refused_with_a_sentence(authority: Authority) -> None:
    async with listening(hello, authority.server) as service, http_client() as client:
        with pytest.raises(httpx.ConnectError, match="its certificate is not trusted by this system") as caught:
            await client.get(f"https://127.0.0.1:{service.port}/")
        assert service.seen == []
        assert "\n" not in str(caught.value)


async def test_a_private_ca_is_trusted_when_the_environment_names_it(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    async with listening(hello, authority.server) as service, http_client() as client:
        assert (await client.get(f"https://127.0.0.1:{service.port}/")).text == "hello"


async def test_a_ca_file_that_is_not_there_is_told_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(NoTrust, match=r"none\.pem"):
        http_client()


async def test_another_hosts_certificate_is_refused_although_the_ca_is_trusted(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    async with listening(hello, authority.server, "127.0.0.2") as service, http_client() as client:
        with pytest.raises(httpx.ConnectError, match="not trusted"):
            await client.get(f"https://127.0.0.2:{service.port}/")


async def test_connections_are_used_again(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    async with listening(hello, authority.server) as service, http_client() as client:
        for _ in range(20):
            await client.get(f"https://127.0.0.1:{service.port}/")
    assert (service.connections, len(service.seen)) == (1, 20)


async def test_a_name_out_there_is_reached_by_the_systems_proxy(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(listening(hello, authority.server))
        proxy = await stack.enter_async_context(listening(proxy_to(service.port)))
        client = await stack.enter_async_context(http_client())
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        for _ in range(3):
            assert (await client.get(f"https://{NAME}/")).text == "hello"
        assert proxy.seen == [f"CONNECT {NAME}:443 HTTP/1.1"]
        assert len(service.seen) == 3


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_this_machine_is_never_looked_for_by_a_proxy(
    authority: Authority, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(listening(hello, authority.server))
        proxy = await stack.enter_async_context(listening(proxy_to(service.port)))
        client = await stack.enter_async_context(http_client())
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert (await client.get(f"https://{host}:{service.port}/")).text == "hello"
        assert proxy.connections == 0


async def test_a_proxy_that_refuses_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(refusing("407 Proxy Authentication Required")) as proxy, http_client() as client:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:secret@127.0.0.1:{proxy.port}")
        with pytest.raises(httpx.ProxyError, match=f"by the proxy http://127.0.0.1:{proxy.port}: 407") as caught:
            await client.get(f"https://{NAME}/")
        assert "secret" not in str(caught.value)


async def test_a_proxy_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    async with http_client() as client:
        with pytest.raises(httpx.ConnectError, match=r"by the proxy http://127\.0\.0\.1:1: "):
            await client.get(f"https://{NAME}/")


@pytest.mark.parametrize("setting", ["socks5://127.0.0.1:9", "ftp://127.0.0.1:9", "http://proxy:port"])
async def test_a_proxy_that_cannot_be_used_is_told(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", setting)
    async with http_client() as client:
        with pytest.raises(httpx.ProxyError, match="the system's proxy"):
            await client.get(f"https://{NAME}/")
    with pytest.raises(WrongProxy, match="the system's proxy"):
        websocket_way(f"wss://{NAME}/")


@pytest.mark.parametrize(
    ("url", "settings", "found"),
    [
        ("https://service.example", {}, None),
        ("https://service.example", {"HTTPS_PROXY": "http://p:3128"}, "http://p:3128"),
        ("https://service.example", {"HTTPS_PROXY": "p:3128"}, "http://p:3128"),
        ("https://service.example", {"HTTP_PROXY": "http://p:3128"}, None),
        ("https://service.example", {"ALL_PROXY": "http://p:3128"}, "http://p:3128"),
        ("https://service.example", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "example"}, None),
        ("https://service.example:8443", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "service.example:8443"}, None),
        ("wss://service.example/x", {"HTTPS_PROXY": "http://p:3128"}, "http://p:3128"),
        ("ws://service.example/x", {"HTTP_PROXY": "http://p:3128"}, "http://p:3128"),
        ("ws://127.7.7.7/x", {"HTTP_PROXY": "http://p:3128"}, None),
        ("http://[::1]:8400", {"HTTP_PROXY": "http://p:3128"}, None),
        ("http://localhost:8400", {"HTTP_PROXY": "http://p:3128"}, None),
        ("http://LOCALHOST.", {"HTTP_PROXY": "http://p:3128"}, None),
    ],
)
def test_the_proxy_for_an_address(
    url: str, settings: dict[str, str], found: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(url) == found


async def test_a_websocket_goes_the_same_way(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))

    async def echo(socket: ServerConnection) -> None:
        async for message in socket:
            await socket.send(message)

    async with serve(echo, "127.0.0.1", 0, ssl=authority.server) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with listening(proxy_to(port)) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
            url = f"wss://{NAME}/x"
            async with connect(url, **websocket_way(url)) as socket:
                await socket.send("over there")
                assert await socket.recv() == "over there"
            assert proxy.seen == [f"CONNECT {NAME}:443 HTTP/1.1"]
            url = f"wss://127.0.0.1:{port}/x"
            async with connect(url, **websocket_way(url)) as socket:
                await socket.send("here")
                assert await socket.recv() == "here"
            assert proxy.connections == 1


async def test_a_websocket_to_an_untrusted_service_is_explained_in_the_same_words(authority: Authority) -> None:
    async with serve(lambda socket: socket.wait_closed(), "127.0.0.1", 0, ssl=authority.server) as server:
        url = f"wss://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/x"
        with pytest.raises(ssl.SSLCertVerificationError) as caught:
            await connect(url, **websocket_way(url))
    assert "not trusted by this system" in explained(caught.value, None)


def test_an_address_without_encryption_needs_no_context() -> None:
    assert websocket_way("ws://127.0.0.1:1/x") == {"ssl": None, "proxy": None}


def test_where_the_system_can_a_dead_connection_is_given_up() -> None:
    options = list(outside._socket_options())
    assert all(len(option) == 3 for option in options)

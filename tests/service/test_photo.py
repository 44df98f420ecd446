"""Fetching reference photos: from real servers on loopback, and never from where the service must not go."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpcore
import pytest

from secureproctor.service.photo import MAX_PHOTO, Host, PhotoError, Photos, Target, media_type, resolved

JPEG = b"\xff\xd8\xff\xe0" + b"picture" * 100
PUBLIC = "93.184.216.34"
Serve = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(serve: Serve, until: bytes = b"\r\n\r\n") -> Any:
    """A real server on loopback: its port, and how the requests that it got began."""
    heads: list[bytes] = []
    under_way: set[asyncio.Task[Any] | None] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        under_way.add(asyncio.current_task())
        try:
            heads.append(await reader.readuntil(until))
            await serve(heads[-1], writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the other side has had enough
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heads
        tasks = [task for task in under_way if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def answers(content: bytes = JPEG, status: int = 200, **headers: str) -> Serve:
    """A server that answers everything with this."""
    named = {"content-length": str(len(content)), **{name.replace("_", "-"): value for name, value in headers.items()}}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())

    async def serve(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status} so\r\n{head}\r\n".encode() + content)

    return serve


class Names:
    """A resolver of the test's own, which gives one answer after the other."""

    def __init__(self, *found: Sequence[str] | OSError) -> None:
        self.found = list(found)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        answer = self.found.pop(0) if len(self.found) > 1 else self.found[0]
        if isinstance(answer, OSError):
            raise answer
        return answer


class Network(httpcore.AsyncNetworkBackend):
    """Whatever is connected to, it is the test's own server; where the connection went to is kept."""

    def __init__(self, port: int, dead: frozenset[str] = frozenset()) -> None:
        self.port = port
        self.dead = dead
        self.reached: list[tuple[str, int]] = []

    async def connect_tcp(self, host: str, port: int, *rest: Any, **more: Any) -> httpcore.AsyncNetworkStream:
        self.reached.append((host, port))
        if host in self.dead:
            raise httpcore.ConnectError("it is dead")
        return await httpcore.AnyIOBackend().connect_tcp("127.0.0.1", self.port, *rest, **more)


def fetched(serve: Serve, path: str = "/photo", **how: Any) -> Any:
    """What comes from a real server that the operator exempts."""

    async def fetch() -> bytes:
        async with serving(serve) as (port, _):
            return await Photos([Host("127.0.0.1", port)], **how).fetch(f"http://127.0.0.1:{port}{path}")

    return asyncio.run(fetch())


def refused(fetch: Callable[[], object]) -> str:
    with pytest.raises(PhotoError) as error:
        fetch()
    return str(error.value)


def test_a_photo_comes_from_a_host_that_the_operator_named() -> None:
    assert fetched(answers(content_type="text/html")) == JPEG


def test_a_photo_comes_from_a_public_address_over_the_name_that_was_asked_for() -> None:
    async def fetch() -> None:
        async with serving(answers()) as (port, heads):
            network, names = Network(port), Names([PUBLIC])
            photo = await Photos(resolve=names, network=network).fetch("http://Photos.Example/a%20b/ü?x=ö#part")
            assert photo == JPEG
            assert network.reached == [(PUBLIC, 80)]
            assert names.asked == ["photos.example"]
            assert heads[0].startswith(b"GET /a%20b/%C3%BC?x=%C3%B6 HTTP/1.1\r\nHost: photos.example\r\n")

    asyncio.run(fetch())


def test_a_name_that_resolves_differently_the_second_time_is_asked_once() -> None:
    async def fetch() -> None:
        async with serving(answers()) as (port, _):
            network, names = Network(port), Names([PUBLIC], ["127.0.0.1"])
            await Photos(resolve=names, network=network).fetch("http://rebinding.example/")
            assert (len(names.asked), network.reached) == (1, [(PUBLIC, 80)])

    asyncio.run(fetch())


def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    async def fetch() -> None:
        async with serving(answers()) as (port, _):
            network = Network(port, frozenset({PUBLIC}))
            await Photos(resolve=Names([PUBLIC, "1.1.1.1"]), network=network).fetch("http://photos.example/")
            assert network.reached == [(PUBLIC, 80), ("1.1.1.1", 80)]

    asyncio.run(fetch())


@pytest.mark.parametrize("found", [["127.0.0.1"], [PUBLIC, "10.0.0.1"], ["::ffff:127.0.0.1"], ["169.254.169.254"]])
def test_a_name_with_an_address_that_is_not_public_is_not_connected_to(found: list[str]) -> None:
    network = Network(1)
    fetch = Photos(resolve=Names(found), network=network).fetch("http://internal.example/")
    assert "network that is not public" in refused(lambda: asyncio.run(fetch))
    assert network.reached == []


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("http://127.0.0.1/", "not public"),
        ("http://2130706433/", "not public"),
        ("http://0x7f.1/", "not public"),
        ("http://localhost/", "not public"),
        ("http://[::1]/", "not public"),
        ("http://[::ffff:127.0.0.1]/", "not public"),
        ("http://169.254.169.254/latest/meta-data/", "not public"),
        ("http://127.0.0.1:8080/", "port that is not the web's"),
        ("ftp://photos.example/", "plain web address"),
        ("file:///etc/passwd", "plain web address"),
        ("http://user:pass@photos.example/", "plain web address"),
        ("http://", "plain web address"),
        ("http://photos.example:99999/", "not a web address"),
        ("http://photos.example\\@127.0.0.1/", "signs that no address has"),
        ("http://photos.example/\r\nX: y", "signs that no address has"),
        ("http://" + "a" * 70 + ".example/", "not a web address"),
        ("http://[::1", "not a web address"),
    ],
)
def test_an_address_that_must_not_be_fetched_is_refused_in_words(address: str, why: str) -> None:
    assert why in refused(lambda: asyncio.run(Photos().fetch(address)))


def test_a_name_that_nobody_knows_is_told() -> None:
    fetch = Photos(resolve=Names(OSError("no such host"))).fetch("http://nowhere.example/")
    assert "the name is not known" in refused(lambda: asyncio.run(fetch))


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1/", "http://127.0.0.1:1/", "http://169.254.169.254/", "//127.0.0.1:22/", "file:///etc"]
)
def test_a_redirect_is_judged_like_the_first_address(target: str) -> None:
    assert refused(lambda: fetched(answers(b"", 302, location=target)))


def test_redirects_are_followed_three_times() -> None:
    def chain(length: int) -> Serve:
        async def serve(head: bytes, writer: asyncio.StreamWriter) -> None:
            n = int(head.split(b" ")[1].strip(b"/"))
            status, further = (200, "") if n == length else (307, f"location: /{n + 1}\r\n")
            content = JPEG if n == length else b""
            writer.write(f"HTTP/1.1 {status} so\r\n{further}content-length: {len(content)}\r\n\r\n".encode() + content)

        return serve

    assert fetched(chain(3), "/0") == JPEG
    assert "on and on" in refused(lambda: fetched(chain(4), "/0"))


@pytest.mark.parametrize(
    ("serve", "why"),
    [
        (answers(b"<html>"), "no JPEG, PNG or WebP"),
        (answers(b""), "no JPEG, PNG or WebP"),
        (answers(b"GIF89a"), "no JPEG, PNG or WebP"),
        (answers(b"nothing", 404), "status 404"),
        (answers(b"", 302), "status 302"),
        (answers(JPEG + bytes(MAX_PHOTO)), "larger than 5 MB"),
    ],
)
def test_what_is_no_photo_is_told_in_words(serve: Serve, why: str) -> None:
    assert why in refused(lambda: fetched(serve))


def test_an_endless_body_is_read_up_to_the_limit_only() -> None:
    written = 0

    async def endless(_head: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 so\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
            await writer.drain()
            written += 0x10000

    assert "larger than 5 MB" in refused(lambda: fetched(endless))
    assert written < 4 * MAX_PHOTO


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 so\r\ncontent-length: 100\r\n\r\n" + JPEG[:10]])
def test_a_slow_server_is_given_up_in_time(first: bytes) -> None:
    async def slow(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        await writer.drain()
        await asyncio.Event().wait()

    begun = time.monotonic()
    assert "did not come within 0.3 seconds" in refused(lambda: fetched(slow, within_s=0.3))
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    "said", [b"SSH-2.0-OpenSSH\r\n", b"", b"HTTP/1.1 200 so\r\ncontent-length: 9999\r\n\r\n" + JPEG]
)
def test_a_server_that_breaks_the_protocol_is_told(said: bytes) -> None:
    async def serve(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(said)

    assert "protocol" in refused(lambda: fetched(serve))


def test_tls_asks_for_the_name_at_the_address_that_was_checked() -> None:
    async def nothing(_head: bytes, _writer: asyncio.StreamWriter) -> None:
        """The name stands in clear in the client's first words (RFC 6066); then this server has heard enough."""

    async def fetch() -> None:
        async with serving(nothing, until=b"photos.example") as (port, heads):
            network = Network(port)
            with pytest.raises(PhotoError):
                await Photos(resolve=Names([PUBLIC]), network=network).fetch("https://photos.example/")
            assert (len(heads), network.reached) == (1, [(PUBLIC, 443)])

    asyncio.run(fetch())


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    assert fetched(answers()) == JPEG


def test_the_systems_resolver_answers_in_numbers() -> None:
    assert "127.0.0.1" in asyncio.run(resolved("127.0.0.1", 80))
    with pytest.raises(OSError, match="label"):
        asyncio.run(resolved("a" * 70 + ".example", 80))


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("Photos.Local", Host("photos.local")),
        ("10.0.0.7:8080", Host("10.0.0.7", 8080)),
        ("[fd00::1]:443", Host("fd00::1", 443)),
    ],
)
def test_a_host_is_exempt_with_or_without_its_port(text: str, host: Host) -> None:
    assert Host.read(text) == host


@pytest.mark.parametrize("text", ["", "http://x", "x/y", "user@x", "x:99999", "x:y"])
def test_what_is_no_host_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Host.read(text)


def test_a_port_that_was_not_exempted_stays_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        exempt = [Host("127.0.0.1"), Host("127.0.0.1", port + 1)]
        assert "port" in refused(lambda: asyncio.run(Photos(exempt).fetch(f"http://127.0.0.1:{port}/")))


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        (JPEG, "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n...", "image/png"),
        (b"RIFF1234WEBPVP8 ", "image/webp"),
        (b"RIFF1234WAVE", ""),
        (b"<svg", ""),
        (b"", ""),
    ],
)
def test_a_picture_is_what_its_first_bytes_say(first: bytes, kind: str) -> None:
    assert media_type(first) == kind


def test_a_relative_redirect_leads_on_from_where_it_was_said() -> None:
    assert Target.read("http://photos.example/a/b?c").url == "http://photos.example:80/a/b?c"
    assert Target.read("https://[2606:4700::1]/x").url == "https://[2606:4700::1]:443/x"

"""The extension in a real Chromium: a page's frames reach a real agent, which nobody had started, and come back.

Chromium's user folder of native messaging hosts lies inside its profile, so that nothing outside of the test is touched.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from playwright.sync_api import BrowserContext, Page, sync_playwright

from secureproctor.agent.local.browsers import install, uninstall

if TYPE_CHECKING:
    from tests.native.conftest import Place

EXTENSION = Path(__file__).parents[2] / "packaging" / "browser" / "extension"
CHROMIUM = "/usr/bin/chromium"
LISTEN = """
window.heard = [];
addEventListener("message", ({ data }) => data.source === "secureproctor-extension" && heard.push(data));
window.post = (message) => postMessage({ source: "secureproctor-page", ...message }, origin);
window.ask = (id, method, params = {}) => post({ frame: { jsonrpc: "2.0", id, method, params } });
window.answered = (id) => heard.find(({ frame }) => frame?.id === id)?.frame;
window.ended = () => heard.find(({ closed }) => closed)?.closed;
window.events = (type) => heard.filter(({ frame }) => frame?.params?.type === type).map(({ frame }) => frame.params);
"""
PATIENCE_MS = 40_000


class Exam(BaseHTTPRequestHandler):
    """An exam's page, which may hold another one in a frame: `/?frame=URL`."""

    def do_GET(self) -> None:
        inner = f'<iframe src="{self.path.partition("=")[2]}"></iframe>' if "=" in self.path else ""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(f"<!doctype html><title>Exam</title><script>{LISTEN}</script>{inner}".encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """Say nothing."""


@dataclass
class Scene:
    """Chromium with the extension, a site whose origin is allowed and one whose origin is not."""

    browser: BrowserContext
    place: "Place"
    hosts: Path
    url: str
    foreign: str

    def page(self, url: str = "") -> Page:
        page = self.browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(url or self.url)
        return page

    def running(self) -> list[psutil.Process]:
        """The host processes that the browser keeps."""
        return self.place.processes("native-host")

    def hosts_left(self, count: int) -> list[psutil.Process]:
        """So many host processes, when those of pages that went have ended."""
        end = time.monotonic() + PATIENCE_MS / 1000
        while len(hosts := self.running()) != count:
            assert time.monotonic() < end, f"{len(hosts)} host processes, not {count}"
            time.sleep(0.02)
        return hosts

    def known(self) -> None:
        """Make the host known to this browser."""
        install("chromium", self.hosts, [*self.place.settings, "--service-url", self.url])


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, places: Any) -> Iterator[Scene]:
    home = tmp_path_factory.mktemp("chromium")
    with ExitStack() as stack:
        place = places(home)
        stack.callback(place.end)
        urls = [site(stack) for _ in range(2)]
        browser = stack.enter_context(sync_playwright()).chromium.launch_persistent_context(
            home / "profile",
            executable_path=CHROMIUM,
            headless=True,
            ignore_default_args=["--disable-extensions"],
            args=["--no-sandbox", "--disable-gpu", f"--load-extension={EXTENSION}", f"--disable-extensions-except={EXTENSION}"],
            env=place.environment,
        )  # fmt: skip
        stack.callback(browser.close)
        scene = Scene(browser, place, home / "profile" / "NativeMessagingHosts", *urls)
        scene.known()
        yield scene


def site(stack: ExitStack) -> str:
    server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Exam))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    stack.callback(thread.join)
    stack.callback(server.shutdown)
    return f"http://127.0.0.1:{server.server_address[1]}"


@pytest.fixture
def page(scene: Scene) -> Iterator[Page]:
    page = scene.page()
    yield page
    page.close()


def answer(page: Page, request_id: int) -> Any:
    page.wait_for_function("id => answered(id)", arg=request_id, timeout=PATIENCE_MS)
    return page.evaluate("id => answered(id)", request_id)


def test_an_installed_extension_answers_the_page_that_asks_and_starts_nothing_for_it(scene: Scene, page: Page) -> None:
    page.evaluate("post({ hello: 1 })")
    page.wait_for_function("heard.length")
    assert page.evaluate("heard") == [{"source": "secureproctor-extension", "hello": 1, "version": "1.0"}]
    assert scene.running() == []


def test_frames_reach_a_real_agent_that_nobody_had_started(scene: Scene, page: Page) -> None:
    page.evaluate("ask(1, 'hello')")
    assert answer(page, 1)["result"]["state"] == "idle"
    assert page.evaluate("events('holder')") == [{"type": "holder", "holding": True}]
    page.evaluate("ask(2, 'init', { body: '{}' })")
    assert answer(page, 2)["error"]["data"]["code"] in {"service_puzzling", "service_unreachable"}
    page.evaluate("ask(3, 'explode')")
    assert answer(page, 3)["error"]["code"] == -32601
    assert len(scene.place.agents()) == 1


def test_a_frame_that_is_too_long_is_refused_and_the_page_goes_on(page: Page) -> None:
    page.evaluate("ask(1, 'init', { body: 'x'.repeat(200_000) })")
    assert answer(page, 1)["error"]["data"]["code"] == "message_too_long"
    page.evaluate("ask(2, 'init', { body: 'x'.repeat(3_000_000) })")
    page.evaluate("ask(3, 'hello')")
    assert answer(page, 3)["result"]["state"] == "idle"


def test_a_page_of_a_foreign_origin_is_refused_and_told_what_to_do(scene: Scene) -> None:
    page = scene.page(scene.foreign)
    page.evaluate("ask(1, 'hello')")
    refused = answer(page, 1)["error"]["data"]
    assert (refused["code"], scene.foreign in refused["message"], bool(refused["remedy"])) == (
        "origin_denied",
        True,
        True,
    )
    page.wait_for_function("ended()")
    assert page.evaluate("ended().code") == "origin_denied"
    page.close()


def test_what_other_windows_post_is_not_carried(scene: Scene) -> None:
    """A frame inside of the page, also one of its own origin, has no bridge, and cannot use the page's."""
    page = scene.page(f"{scene.url}/?frame={scene.url}/")
    (inner,) = [frame for frame in page.frames if frame.parent_frame]
    message = "{ source: 'secureproctor-page', hello: 1, frame: { jsonrpc: '2.0', id: 1, method: 'hello' } }"
    inner.evaluate(f"() => {{ postMessage({message}, origin); parent.postMessage({message}, origin); }}")
    page.evaluate("post({ hello: 1 })")
    page.wait_for_function("heard.length")
    assert page.evaluate("heard.map(each => each.hello)") == [1]
    assert inner.evaluate("heard") == []
    page.close()


def test_a_page_that_goes_takes_its_host_along_and_the_agent_gives_the_session_to_the_next(scene: Scene) -> None:
    first, second = scene.page(), scene.page()
    for number, page in enumerate((first, second)):
        page.evaluate("ask(1, 'hello')")
        answer(page, 1)
        assert page.evaluate("events('holder').at(-1).holding") is (number == 0)
    hosts = scene.hosts_left(2)
    first.close()
    second.wait_for_function("events('holder').at(-1).holding")
    scene.hosts_left(1)
    second.reload()
    second.evaluate("ask(2, 'hello')")
    assert answer(second, 2)["result"]["state"] == "idle"
    second.close()
    gone(hosts)


def gone(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=PATIENCE_MS / 1000)
    assert alive == []


def test_an_agent_that_is_killed_is_told_and_the_next_frame_finds_the_new_one(scene: Scene, page: Page) -> None:
    page.evaluate("ask(1, 'hello')")
    answer(page, 1)
    assert scene.place.pairing is not None
    psutil.Process(scene.place.pairing.pid).kill()
    page.wait_for_function("ended()")
    assert page.evaluate("ended().code") == "agent_gone"
    page.evaluate("heard.length = 0; ask(2, 'hello')")
    assert answer(page, 2)["result"]["state"] == "idle"
    assert page.evaluate("ended()") is None


def test_a_browser_that_does_not_know_the_host_says_how_to_install_it(scene: Scene, page: Page) -> None:
    assert uninstall(scene.hosts)
    page.evaluate("ask(1, 'hello')")
    page.wait_for_function("ended()")
    closed = page.evaluate("ended()")
    assert closed["code"] == "native_host_missing"
    assert "secureproctor native-host --install" in closed["remedy"]
    scene.known()
    page.evaluate("ask(2, 'hello')")
    assert answer(page, 2)["result"]["state"] == "idle"


def test_the_browser_that_is_closed_leaves_the_agent_and_nothing_else(scene: Scene) -> None:
    page = scene.page()
    page.evaluate("ask(1, 'hello')")
    answer(page, 1)
    hosts = scene.hosts_left(1)
    scene.browser.close()
    gone(hosts)
    assert len(scene.place.agents()) == 1

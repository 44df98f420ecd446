"""Browsers, and how their pages reach the agent: by its WebSocket, or through the extension by native messaging."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from playwright.sync_api import BrowserContext, Error, Page, Playwright, expect

from tests.e2e.candidate import Candidate
from tests.e2e.house import PATIENCE_S, House

TRANSPORTS = ("loopback", "native")
EXTENSION = Path(__file__).parents[2] / "packaging" / "browser" / "extension"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)
WITH_EXTENSION = (f"--disable-extensions-except={EXTENSION}", f"--load-extension={EXTENSION}")


@dataclass(slots=True)
class Tabs:
    """A browser on a profile of its own. `faults` are errors of its pages' scripts that nobody caught."""

    home: House
    transport: str
    playwright: Playwright
    profile: Path
    faults: list[str] = field(default_factory=list)
    context: BrowserContext | None = None

    def open(self) -> None:
        """Start the browser, the first time or again."""
        self.context = self.playwright.chromium.launch_persistent_context(
            str(self.profile),
            executable_path="/usr/bin/chromium",
            headless=True,
            viewport={"width": 1280, "height": 900},
            args=[*FLAGS, *(WITH_EXTENSION if self.transport == "native" else ())],
        )
        self.context.set_default_timeout(PATIENCE_S * 1000)

    def close(self) -> None:
        """End the browser; harmless when it was killed."""
        if self.context is not None:
            with contextlib.suppress(Error):  # there is nobody to close it any more
                self.context.close()
        self.context = None

    def kill(self) -> None:
        """`kill -9` of the whole browser."""
        found = [each for each in psutil.process_iter(["cmdline"]) if self._is_ours(each.info["cmdline"] or [])]
        for each in found:
            each.kill()
        psutil.wait_procs(found)
        self.close()

    def tab(self) -> Page:
        """A new tab."""
        assert self.context is not None
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        return page

    def candidate(self, user: str = "", **form: str | bool | int) -> Candidate:
        """A new tab with the demo page, which reaches the agent by the browser's transport."""
        made = Candidate(self.tab(), self.home, self.transport)
        made.user = user or made.user
        return made.open(**form)

    def _is_ours(self, words: Sequence[str]) -> bool:
        return f"--user-data-dir={self.profile}" in words


@contextmanager
def tabs(home: House, playwright: Playwright, folder: Path, transport: str = "loopback") -> Iterator[Tabs]:
    """A browser as long as the block lasts; no script of its pages may have failed."""
    profile = folder / "profile"
    if transport == "native":
        _make_known(profile / "NativeMessagingHosts", home)
    made = Tabs(home, transport, playwright, profile)
    expect.set_options(timeout=PATIENCE_S * 1000)
    try:
        made.open()
        yield made
    finally:
        made.close()
        expect.set_options(timeout=None)
    assert made.faults == []


def _make_known(folder: Path, home: House) -> None:
    words = f"native-host --install --browser chromium --into {folder} --runtime-dir {home.pc.folder / 'runtime'}"
    subprocess.run([sys.executable, "-m", "secureproctor.agent", *words.split()], check=True, capture_output=True)

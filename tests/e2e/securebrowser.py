"""The stand-in secure browser (demo/securebrowser.py), started, hung up and killed by a test."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import psutil
from playwright.sync_api import BrowserContext, Error, Page, Playwright

from secureproctor.agent.local.browsers import install
from secureproctor.demo.securebrowser import Launch, assemble
from tests.e2e.house import PATIENCE_S, House
from tests.e2e.tabs import FLAGS


@dataclass(slots=True)
class SecureBrowser:
    """The stand-in, on a profile of its own."""

    home: House
    playwright: Playwright
    folder: Path
    launch: Launch
    context: BrowserContext | None = None

    @property
    def profile(self) -> Path:
        """Its profile."""
        return self.folder / "profile"

    def open(self) -> Page:
        """Start it, the first time or again; its only page."""
        extension = assemble(self.folder / "extension", self.launch)
        install("chromium", self.profile / "NativeMessagingHosts", self.launch.settings)
        loaded = (f"--load-extension={extension}", f"--disable-extensions-except={extension}")
        self.context = self.playwright.chromium.launch_persistent_context(
            str(self.profile),
            executable_path="/usr/bin/chromium",
            headless=False,
            no_viewport=True,
            ignore_default_args=["--disable-extensions"],
            args=[*FLAGS, "--test-type", "--kiosk", "--window-position=0,0", *loaded],
            env={**self.home.pc.environment, "HOME": str(self.folder)},
        )
        self.context.set_default_timeout(PATIENCE_S * 1000)
        return self.context.pages[0]

    def close(self) -> None:
        """End it; harmless when it was killed."""
        if self.context is not None:
            with contextlib.suppress(Error):  # there is nobody to close it any more
                self.context.close()
        self.context = None

    @property
    def process(self) -> psutil.Process:
        """Its main process."""
        words = f"--user-data-dir={self.profile}"
        for process in psutil.process_iter(["cmdline"]):
            line = process.info["cmdline"] or []
            if words in line and not any(word.startswith("--type=") for word in line):
                return process
        raise AssertionError("the browser does not run")

    def kill(self) -> None:
        """`kill -9` of its main process."""
        self.process.kill()
        self.close()

"""The stand-in secure browser (MSB): Debian's Chromium in kiosk mode with the extension, launched with an MSB Key.

It does what a native secure browser does: it starts the agent (by its native messaging host), introduces itself, beats, holds
navigation to the key's addresses, and puts a fresh attestation on each request to the exam. It is a stand-in: the same Chromium
can be started without any of this, and only its program's path tells the agent who it is.
"""

import json
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, Playwright

from secureproctor.agent.local.browsers import install
from secureproctor.demo.browser import chromium
from secureproctor.lockdown.browser.key import inspect

PACKAGING = Path(__file__).resolve().parents[1] / "packaging" / "browser"
PRODUCT = "SecureProctor stand-in browser"
PROGRAM = "/usr/lib/chromium/chromium"
"""What Debian's `chromium` is when it runs; root alone can change it."""


@dataclass(frozen=True, slots=True)
class Launch:
    """How to launch it. `settings` are words of the command line for the agent that it starts; `exams` are origins whose
    requests are attested; `also` are addresses that are allowed besides those of the key."""

    key: str
    settings: Sequence[str]
    exams: Sequence[str] = ()
    also: Sequence[str] = ()
    hands_frames: bool = False


@asynccontextmanager
async def secure_browser(
    environment: Mapping[str, str], launch: Launch, driver: Playwright | None = None
) -> AsyncIterator[BrowserContext]:
    """The browser, full screen on the desk, at the key's start URL. Raises Refusal when the key cannot be read."""
    folder = Path(environment.get("TMPDIR", "/tmp"), "secure-browser")  # noqa: S108 - a desk names its own
    extension = assemble(folder, launch)
    flags = (f"--load-extension={extension}", f"--disable-extensions-except={extension}")
    async with chromium(
        environment,
        kiosk=True,
        flags=flags,
        driver=driver,
        extensions=True,
        prepare=lambda profile: _introduce(profile, launch.settings),
    ) as browser:
        yield browser


def assemble(folder: Path, launch: Launch) -> Path:
    """The extension with what makes it a secure browser's; gives its folder."""
    claims = inspect(launch.key).claims
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(PACKAGING / "extension", folder)
    shutil.copy(PACKAGING / "secure" / "secure.js", folder)
    own = json.loads((PACKAGING / "secure" / "manifest.json").read_text())
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | own))
    start = urlsplit(claims.start_url)
    exams = list(launch.exams) or [f"{start.scheme}://{start.netloc}"]
    wanted = {
        "product": PRODUCT,
        "productVersion": "1.0",
        "startUrl": claims.start_url,
        "allowedUrls": [*claims.allowed_urls, *launch.also],
        "exams": exams,
        "handsFrames": launch.hands_frames,
    }
    (folder / "secure.json").write_text(json.dumps(wanted))
    return folder


def _introduce(profile: Path, settings: Sequence[str]) -> None:
    install("chromium", profile / "NativeMessagingHosts", settings)

"""Chromium on the desk, as the candidate or the proctor uses it, driven by Playwright.

Headed, it shows on the desk's screen and sounds through the desk's loudspeaker, because it is given the desk's
environment. Pages of 127.0.0.1 may open loopback WebSockets without a prompt (Chromium's Local Network
Access leaves loopback pages alone).
"""

import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

from playwright.async_api import BrowserContext, Playwright, async_playwright

from secureproctor.demo.program import find

EXAM_PAGE = Path(__file__).with_name("assets") / "exam.html"

_FLAGS = (
    # Playwright itself passes --no-sandbox, without which Chromium refuses root; this hides the bar that warns of it
    "--test-type",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-crash-reporter",
    "--autoplay-policy=no-user-gesture-required",
)


@asynccontextmanager
async def chromium(
    environment: Mapping[str, str],
    *,
    headed: bool = True,
    kiosk: bool = False,
    flags: tuple[str, ...] = (),
    driver: Playwright | None = None,
    extensions: bool = False,
    prepare: Callable[[Path], None] = lambda profile: None,
) -> AsyncIterator[BrowserContext]:
    """A browser with a profile of its own, gone afterwards; `kiosk` fills the screen with the page.

    `environment` is a desk's, or os.environ; `driver` is one that several browsers share, each has its own otherwise.
    `prepare` is given the profile's folder before the browser starts; `extensions` are switched off otherwise. Raises
    DeskError `program_missing` without Debian's chromium.
    """
    path = find("chromium")
    kiosk_flags = ("--kiosk", "--window-position=0,0") if kiosk else ()
    with tempfile.TemporaryDirectory(
        dir=environment.get("TMPDIR"), prefix="web-", ignore_cleanup_errors=True
    ) as profile:
        prepare(Path(profile))
        async with nullcontext(driver) if driver else async_playwright() as playwright:
            context = await playwright.chromium.launch_persistent_context(
                profile,
                executable_path=path,
                # in /tmp they would stay when the driver itself is killed
                artifacts_dir=Path(profile, "artifacts"),
                headless=not headed,
                no_viewport=headed,
                ignore_default_args=["--disable-extensions"] if extensions else None,
                args=[*_FLAGS, *kiosk_flags, *flags],
                env={**environment, "HOME": profile},
                # the caller's Ctrl-C arrives here as cancellation, and closes the browser in order
                handle_sigint=False,
                handle_sigterm=False,
                handle_sighup=False,
            )
            try:
                yield context
            finally:
                await context.close()


def exam_address(scene: str = "typing", beep_s: float = 5.0) -> str:
    """Where the exam page is, with its `scene` (typing, static, scroll) and seconds between two sync marks (0: none)."""
    return f"{EXAM_PAGE.as_uri()}?scene={scene}&beep={beep_s:g}"

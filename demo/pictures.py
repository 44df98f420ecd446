"""Pictures of the report and of the demo page after a course: taken by a headless Chromium, where there is one.

A course on the virtual desk cannot be played without Playwright and Debian's chromium. On a person's own PC they are a bonus.
"""

import os
from pathlib import Path

from secureproctor.demo.gathering import DEMO_PICTURE, REPORT, Gathered
from secureproctor.demo.program import DeskError

PLAYED_S = 3.0
"""How much of the recording the report page plays before its picture is taken."""


async def take(gathered: Gathered, demo_address: str, out: Path) -> str:
    """Put the pictures and the page into `out`; empty, or why there are none."""
    try:
        from playwright.async_api import Error as PlaywrightError

        from secureproctor.demo.actors import PATIENCE_MS
        from secureproctor.demo.browser import chromium
        from secureproctor.demo.proctor import report_picture
    except ModuleNotFoundError:
        return "There are no pictures of the pages: Playwright is not installed."
    try:
        async with chromium(os.environ, headed=False) as context:
            page = context.pages[0]
            html = await report_picture(page, gathered.link, out / REPORT.png, min(PLAYED_S, gathered.playable_s / 2))
            (out / REPORT.html).write_text(html)
            await page.goto(demo_address)
            await page.locator("#state[data-state]").wait_for(timeout=PATIENCE_MS, state="attached")
            await page.screenshot(path=out / DEMO_PICTURE, full_page=True, timeout=PATIENCE_MS)
    except DeskError as error:
        return f"There are no pictures of the pages: {error.sentence}"
    except PlaywrightError as error:
        return f"There are no pictures of the pages: {str(error).splitlines()[0]}"
    return ""

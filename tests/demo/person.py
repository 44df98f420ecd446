"""The person at a PC, as the browser that the demo opens: argument 1 is the address; stays until the session has ended.

PERSON=stops presses Stop after a moment; PERSON=ends presses nothing more, and is ended.
"""

import asyncio
import os
import sys

from secureproctor.demo.actors import Candidate
from secureproctor.demo.browser import chromium


async def main(address: str) -> None:
    async with chromium(os.environ) as context:
        candidate = Candidate(context.pages[0])
        await candidate.page.goto(address)
        for button in ("init", "checkSystem", "start"):
            await candidate.press(button)
        if os.environ["PERSON"] == "stops":
            await candidate.page.wait_for_timeout(3000)
            await candidate.press("stop")
        await candidate.wait_for_state("ended")


asyncio.run(main(sys.argv[1]))

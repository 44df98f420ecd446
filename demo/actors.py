"""The candidate: the demo page in real Chromium, used as a person would, by its fields and buttons.

The proctor is in proctor.py.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from playwright.async_api import Locator, Page

from secureproctor.contract.stills import Identity
from secureproctor.demo.account import Told
from secureproctor.demo.program import DeskError

PATIENCE_MS = 45_000


class CallFailed(DeskError):
    """A call of the page failed; code, sentence and remedy are what the page showed."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """The demo page in a browser."""

    page: Page

    async def open(self, service_url: str, agent_address: str, private_key: str, form: dict[str, str]) -> None:
        """Open the demo page, filled in. Without an address, the page finds the agent by the browser's extension."""
        way = {"agent": agent_address} if agent_address else {"transport": "native"}
        query = urlencode({**way, **form})
        await self.page.goto(f"{service_url}/demo?{query}#privateKey={quote(private_key)}")

    async def press(self, button: str) -> None:
        """Press a call's button and wait until the call has ended. Raises CallFailed with what the page shows."""
        await self._field("consoleError").evaluate("output => { output.textContent = ''; delete output.dataset.code; }")
        await self._field(button).click(timeout=PATIENCE_MS)
        await self.page.locator(f"#{button}:not([aria-busy=true])").wait_for(state="attached", timeout=PATIENCE_MS)
        error = self._field("consoleError")
        text = (await error.inner_text()).strip()
        if text:
            # the page shows the code, the sentence and the remedy, each in a line
            _, sentence, remedy = [*text.splitlines(), "", ""][:3]
            raise CallFailed(await error.get_attribute("data-code") or "unknown", sentence, remedy)

    async def listen(self) -> None:
        """Register all listeners, and let the agent acknowledge by itself."""
        for button in ("listenError", "listenChat", "listenEvents"):
            await self._field(button).click()
        # the switch shows what the agent says, and an agent that has just been started may take a while to say it
        switch = self._field("autoAcknowledge")
        if not await switch.is_checked():
            await switch.click()
        await self.page.locator("#autoAcknowledge:checked").wait_for(state="attached", timeout=PATIENCE_MS)

    async def checks(self) -> list[dict[str, str]]:
        """The rows of the check table: id, status, what was seen, remedy."""
        rows = self.page.locator("[data-check]")
        found = []
        for row in await rows.all():
            cells = [(await cell.inner_text()).strip() for cell in await row.locator("td, th").all()]
            found.append(
                {
                    "id": await row.get_attribute("data-check") or "",
                    "status": await row.get_attribute("data-status") or "",
                    "seen": cells[2] if len(cells) > 2 else "",
                    "remedy": cells[3].strip("–") if len(cells) > 3 else "",
                }
            )
        return found

    async def state(self) -> str:
        """The session's state as the page shows it."""
        return await self._field("state").get_attribute("data-state") or ""

    async def fetch_verdict(self, address: str) -> str:
        """Fetch from the exam's server as the exam's page does; what it was told of the request."""
        return str(await self.page.evaluate("async (url) => (await (await fetch(url)).json()).verdict", address))

    async def attest(self, address: str) -> tuple[str, str]:
        """An attestation that is good for one request to the address: the header's name and its value."""
        header, value = await self.page.evaluate(_ATTEST, address)
        return str(header), str(value)

    async def session(self) -> tuple[str, str]:
        """The session's id and token, as the page shows them."""
        session_id = await self._field("state").get_attribute("data-session") or ""
        return session_id, (await self._field("consoleToken").inner_text()).strip()

    async def told(self) -> Told:
        """What the page tells of an interruption."""
        kind, seconds = await self.page.evaluate(_TOLD)
        return Told(kind, int(seconds) if seconds else None)

    async def wait_for_state(self, *states: str, within_s: float = PATIENCE_MS / 1000) -> None:
        """Wait until the page shows one of the states."""
        await self.page.wait_for_function(
            "states => states.includes(document.getElementById('state').dataset.state)",
            arg=list(states),
            timeout=within_s * 1000,
        )

    async def agree(self) -> None:
        """Agree to be proctored."""
        await self._press_at_desk("accept")

    async def aim(self, of: Identity) -> None:
        """Hold what is asked for before the camera, until the desk says that it looks good."""
        await self.wait_for_step(of)
        await self._press_at_desk("start-camera", unless="take")
        await self._at_desk("[data-desk=preview][src]").wait_for(timeout=PATIENCE_MS)
        await self._at_desk("[data-desk=hints]").filter(has_text="looks good").wait_for(timeout=PATIENCE_MS)

    async def shoot(self) -> None:
        """Take the picture, look at it, and use it."""
        await self._press_at_desk("take")
        await self._at_desk("[data-desk=shot][src]").wait_for(timeout=PATIENCE_MS)
        await self._press_at_desk("use")

    async def hand_in(self) -> None:
        """Give what was taken to the proctor."""
        await self.wait_for_step("review")
        await self._press_at_desk("submit")
        await self.wait_for_step("submitted")

    async def wait_for_step(self, step: str) -> None:
        """Wait until the authorization desk is at a step."""
        await self.page.locator(f"#desk .authorization[data-step={step}]").wait_for(timeout=PATIENCE_MS)

    async def say(self, text: str) -> None:
        """Send a chat message."""
        await self._field("chatText").fill(text)
        await self._field("chatSend").click()

    async def read(self, text: str) -> None:
        """Have a message of the proctor before one's eyes."""
        message = self._message("proctor").filter(has_text=text).last
        await message.wait_for(state="attached", timeout=PATIENCE_MS)
        await message.scroll_into_view_if_needed(timeout=PATIENCE_MS)

    async def wait_read(self, text: str) -> None:
        """Wait until the proctor has read a message."""
        read = self._message("candidate", "[data-mark=read]").filter(has_text=text)
        await read.last.wait_for(state="attached", timeout=PATIENCE_MS)

    async def report(self) -> dict[str, object]:
        """Fetch the report as JSON by the page."""
        await self.press("reportJson")
        text = await self._field("reportText").text_content()
        report: dict[str, object] = json.loads(text or "{}")
        return report

    async def report_link(self) -> str:
        """Fetch the report's address by the page."""
        await self.press("reportUrl")
        return await self._field("reportLink").evaluate("link => link.href") or ""

    async def picture(self, path: Path, *, whole: bool = True) -> None:
        """A screenshot of the demo page from its top; `whole`: also of what would have to be scrolled to."""
        await self.page.evaluate("() => scrollTo(0, 0)")
        await self.page.screenshot(path=path, full_page=whole, timeout=PATIENCE_MS)

    def _field(self, name: str) -> Locator:
        return self.page.locator(f"#{name}")

    def _message(self, sender: str, marked: str = "") -> Locator:
        return self.page.locator(f"#conversation li[data-sender={sender}]{marked}")

    def _at_desk(self, selector: str) -> Locator:
        return self.page.locator(f"#desk {selector}")

    async def _press_at_desk(self, name: str, unless: str = "") -> None:
        """Press a button; not when the one is there which it would bring."""
        button, instead = (self._at_desk(f"button[data-desk={each}]:visible") for each in (name, unless or name))
        await button.or_(instead).first.wait_for(timeout=PATIENCE_MS)
        if await button.count():
            await button.click(timeout=PATIENCE_MS)


_ATTEST = """async (url) => {
  const proctor = new SecureProctor({ transport: 'native' });
  const { header, value } = await proctor.attest(url, { once: true });
  proctor.close();
  return [header, value];
}"""

_TOLD = """() => [
  document.getElementById('outlook')?.dataset.kind ?? '',
  document.getElementById('countdown')?.dataset.seconds ?? '',
]"""

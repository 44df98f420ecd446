"""The candidate and the proctor: real pages in real Chromium, used as a person would, by their fields and buttons."""

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from playwright.async_api import Locator, Page

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
        """Open the demo page, filled in."""
        query = urlencode({"agent": agent_address, **form})
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
        await self._field("autoAcknowledge").check()

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

    async def say(self, text: str) -> None:
        """Send a chat message."""
        await self._field("chatText").fill(text)
        await self._field("chatSend").click()

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

    async def picture(self, path: Path) -> None:
        """A screenshot of the whole demo page, from its top."""
        await self.page.evaluate("() => scrollTo(0, 0)")
        await self.page.screenshot(path=path, full_page=True, timeout=PATIENCE_MS)

    def _field(self, name: str) -> Locator:
        return self.page.locator(f"#{name}")


@dataclass(frozen=True, slots=True)
class Proctor:
    """The console in a browser of its own."""

    page: Page

    async def open(self, service_url: str, key: str) -> None:
        """Open the console with the proctors' key."""
        await self.page.goto(f"{service_url}/console#key={quote(key)}")

    async def order(self, kind: str) -> None:
        """Press a command's button of the newest session."""
        await self._card.locator(f"[data-action={kind}]").click(timeout=PATIENCE_MS)
        if kind == "end":
            await self._card.locator("[data-action=confirm-end]").click(timeout=PATIENCE_MS)

    async def say(self, text: str) -> None:
        """Send a chat message."""
        await self._card.locator("[data-input=chat]").fill(text)
        await self._card.locator("[data-action=say]").click()

    async def wait_for_session(self) -> None:
        """Wait until a session is on the console."""
        await self._card.wait_for(timeout=PATIENCE_MS)

    async def wait_acknowledged(self, kind: str) -> None:
        """Wait until the newest command of the kind is acknowledged."""
        row = self._card.locator(f"[data-command][data-kind={kind}][data-status=acknowledged]")
        await row.first.wait_for(timeout=PATIENCE_MS)

    async def wait_chat(self, text: str) -> None:
        """Wait until a chat message is shown."""
        await (
            self._card.locator("[data-part=chat]").filter(has_text=text).wait_for(state="attached", timeout=PATIENCE_MS)
        )

    @property
    def _card(self) -> Locator:
        return self.page.locator("[data-session]").first


async def report_picture(page: Page, address: str, png: Path, play_s: float) -> str:
    """Open the report page, play the recording's first `play_s` seconds (0: there is none), take a picture.

    Returns a copy of the page that needs no service.
    """
    await page.goto(address)
    await page.locator("body[data-loaded]").wait_for(timeout=PATIENCE_MS, state="attached")
    if play_s:
        await page.locator("#play").click()
        await page.wait_for_function(
            "seconds => Number(document.getElementById('time').dataset.seconds) >= seconds",
            arg=play_s,
            timeout=PATIENCE_MS,
        )
        await page.locator("#play").click()
    await page.screenshot(path=png, full_page=True, timeout=PATIENCE_MS)
    return str(await page.evaluate(_STANDALONE))


_TOLD = """() => [
  document.getElementById('outlook')?.dataset.kind ?? '',
  document.getElementById('countdown')?.dataset.seconds ?? '',
]"""

_STANDALONE = """async () => {
  const copy = document.documentElement.cloneNode(true);
  for (const link of copy.querySelectorAll('link[rel=stylesheet]')) {
    const style = document.createElement('style');
    style.textContent = await (await fetch(link.href)).text();
    link.replaceWith(style);
  }
  copy.querySelectorAll('script, link, video, audio').forEach(each => each.remove());
  return '<!doctype html>\\n' + copy.outerHTML;
}"""

"""The proctor: the console in real Chromium, used as a person would, and afterwards the report's page."""

import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import msgspec
from playwright.async_api import Locator, Page, ViewportSize

from secureproctor.contract.console import ProctorChange
from secureproctor.demo.actors import PATIENCE_MS
from secureproctor.demo.stage import FORM, Service

NAME = "Mira Keene"
SCREEN = ViewportSize(width=1440, height=1000)
CONFIRMED = frozenset({"end", "reject"})
"""What the console asks about first."""


@dataclass(frozen=True, slots=True)
class Proctor:
    """The console in a browser of its own: the wall at first, then the page of one candidate."""

    page: Page

    async def log_in(self, running: Service) -> None:
        """Open the console, and log in by an account of one's own, which sees the candidate's group and no other."""
        password = secrets.token_urlsafe()
        await self._be_hired(running, password)
        await self.page.set_viewport_size(SCREEN)
        await self.page.goto(f"{running.url}/console")
        await self.page.locator("#loginName").fill(NAME)
        await self.page.locator("#loginPassword").fill(password)
        await self.page.locator("#loginSubmit").click()

    async def _be_hired(self, running: Service, password: str) -> None:
        change = ProctorChange(password=password, groups=(FORM["groupName"],))
        headers = {"Authorization": f"Bearer {running.proctor_key}"}
        async with httpx.AsyncClient(base_url=running.url, headers=headers) as client:
            answer = await client.put(f"/v1/proctors/{quote(NAME)}", content=msgspec.json.encode(change))
            answer.raise_for_status()

    async def open_candidate(self) -> None:
        """From the wall to the page of the first candidate on it, as soon as there is one."""
        card = self.page.locator("#wall article[data-session]").first
        await card.locator("[data-action=open]").click(timeout=PATIENCE_MS)
        await self._candidate("").wait_for(timeout=PATIENCE_MS)

    async def back(self) -> None:
        """From the candidate's page to the wall."""
        await self.page.locator("#back").click(timeout=PATIENCE_MS)
        await self.page.locator("#wall article[data-session]").first.wait_for(timeout=PATIENCE_MS)

    async def order(self, action: str) -> None:
        """Press a command's button, and confirm what the console asks about."""
        await self._button(action).click(timeout=PATIENCE_MS)
        if action in CONFIRMED:
            await self._button("confirm").click(timeout=PATIENCE_MS)

    async def say(self, text: str) -> None:
        """Send a chat message."""
        await self._candidate("[data-input=chat]").fill(text)
        await self._button("say").click()

    async def wait_for_authorization(self, step: str) -> None:
        """Wait until authorization is at a step."""
        await self.page.locator(f"#candidate[data-authorization={step}]").wait_for(timeout=PATIENCE_MS)

    async def wait_for_identity(self) -> None:
        """Wait until photo, ID card and the exam's own photo are seen side by side."""
        for of in ("photo", "id_card", "reference"):
            await self._wait_shown(self._candidate(f"[data-part=desk] img[data-still={of}]"))

    async def wait_for_picture(self) -> None:
        """Wait until a picture that was asked for can be seen."""
        await self._wait_shown(self._candidate("[data-part=stills] img[data-of=webcam]").first)

    async def wait_for_live(self) -> None:
        """Wait until screen and webcam are seen as they are now."""
        for stream in ("screen", "webcam"):
            video = self._candidate(f"video[data-live={stream}]")
            await video.wait_for(timeout=PATIENCE_MS)
            handle = await video.element_handle()
            await self.page.wait_for_function("video => video.readyState > 2", arg=handle, timeout=PATIENCE_MS)

    async def wait_for_thumbnails(self) -> None:
        """Wait until the candidate is seen on the wall."""
        for stream in ("screen", "webcam"):
            await self._wait_shown(self.page.locator(f"#wall article img[data-thumbnail={stream}]").first)

    async def wait_acknowledged(self, kind: str) -> None:
        """Wait until the newest command of the kind is acknowledged."""
        row = self._candidate(f"[data-command][data-kind={kind}]").first
        await row.and_(self.page.locator("[data-status=acknowledged]")).wait_for(state="attached", timeout=PATIENCE_MS)

    async def wait_chat(self, text: str) -> None:
        """Wait until a message of the candidate is shown."""
        await self._message("candidate").filter(has_text=text).wait_for(state="attached", timeout=PATIENCE_MS)

    async def wait_read(self, text: str) -> None:
        """Wait until the candidate has read a message."""
        read = self._message("proctor").and_(self.page.locator("[data-mark=read]"))
        await read.filter(has_text=text).wait_for(state="attached", timeout=PATIENCE_MS)

    async def picture(self, path: Path) -> None:
        """A screenshot of what is seen of the console without scrolling."""
        await self.page.evaluate("() => scrollTo(0, 0)")
        await self.page.screenshot(path=path, timeout=PATIENCE_MS)

    def _candidate(self, selector: str) -> Locator:
        return self.page.locator(f"#candidate {selector}".strip())

    def _button(self, action: str) -> Locator:
        return self._candidate(f"[data-action={action}]").first

    def _message(self, sender: str) -> Locator:
        return self._candidate(f"[data-part=chat] li[data-sender={sender}]")

    async def _wait_shown(self, image: Locator) -> None:
        """There, and not only an empty frame."""
        await image.scroll_into_view_if_needed(timeout=PATIENCE_MS)
        handle = await image.element_handle()
        await self.page.wait_for_function("image => image.naturalWidth > 0", arg=handle, timeout=PATIENCE_MS)


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
    await page.evaluate(_ALL_LOADED)
    await page.screenshot(path=png, full_page=True, timeout=PATIENCE_MS)
    return str(await page.evaluate(_STANDALONE))


_ALL_LOADED = """async () => {
  const pictures = [...document.querySelectorAll('img[src]')];
  for (const each of pictures) each.loading = 'eager';
  await Promise.allSettled(pictures.map(each => each.decode()));
}"""


_STANDALONE = """async () => {
  const embedded = async address => {
    const picture = await (await fetch(address)).blob();
    return new Promise(done => {
      const reader = Object.assign(new FileReader(), { onload: () => done(reader.result) });
      reader.readAsDataURL(picture);
    });
  };
  const copy = document.documentElement.cloneNode(true);
  for (const link of copy.querySelectorAll('link[rel=stylesheet]')) {
    const style = document.createElement('style');
    style.textContent = await (await fetch(link.href)).text();
    link.replaceWith(style);
  }
  for (const image of copy.querySelectorAll('img[src]')) image.src = await embedded(image.src);
  copy.querySelectorAll('script, link, video, audio').forEach(each => each.remove());
  return '<!doctype html>\\n' + copy.outerHTML;
}"""

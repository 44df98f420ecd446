"""The live view in real Chromium: segments are pushed as the service does it, and what is seen tells their time.

A picture is as bright as its tenth of a second says, so that a frame proves when it was captured.
"""

import io
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import av
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from secureproctor.contract.console import LiveHeader, SessionDetail
from secureproctor.contract.report import IdentityReport
from tests.web.candidates import FIRST

Until = Callable[..., None]
S = 1_000_000
FPS, RATE = 10, 48_000
LENGTH_S = 0.4
MOVFLAGS = "empty_moov+default_base_moof+skip_trailer+frag_keyframe"
PATIENCE_MS = 20_000
CODECS = {"screen": "avc1.42c00a", "webcam": "avc1.42c00a", "audio": "mp4a.40.2"}


def grey(frame: int) -> int:
    return 20 + frame * 7 % 210


def video(count: int, size: tuple[int, int] = (64, 48)) -> bytes:
    """Fragmented MP4 of `count` segments."""
    content = io.BytesIO()
    each = round(LENGTH_S * FPS)
    with av.open(content, "w", format="mp4", options={"movflags": MOVFLAGS}) as container:
        options = {"preset": "ultrafast", "tune": "zerolatency", "g": str(each), "x264-params": "scenecut=0"}
        stream = container.add_stream("libx264", FPS, options=options)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for n in range(count * each):
            picture = np.full((size[1], size[0], 3), grey(n), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode(None))
    return content.getvalue()


def sound(count: int) -> bytes:
    content = io.BytesIO()
    options = {"movflags": MOVFLAGS.removesuffix("+frag_keyframe"), "frag_duration": str(int(LENGTH_S * S))}
    with av.open(content, "w", format="mp4", options=options) as container:
        stream = container.add_stream("aac", RATE, layout="mono")
        hum = (8000 * np.sin(np.arange(round(count * LENGTH_S * RATE)) * 0.03)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(hum[np.newaxis], "s16", "mono")
        frame.sample_rate = RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return content.getvalue()


def parts(data: bytes) -> list[bytes]:
    """The init, and each fragment."""
    found, at = [b""], 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"moof":
            found.append(b"")
        if kind != b"mfra":
            found[-1] += data[at : at + size]
        at += size
    return found


def moved(fragment: bytes, by: int) -> bytes:
    """The fragment on the session clock: libavformat counts from 0, the agent's segments do not."""
    at = fragment.index(b"tfdt") + 8
    (begins,) = struct.unpack_from(">Q", fragment, at)
    return fragment[:at] + struct.pack(">Q", begins + by) + fragment[at + 8 :]


@dataclass
class Agent:
    """Pushes a stream as time passes: a segment when it is full, as an agent seals it. One clock for all of a test."""

    site: Any
    stream: str
    began: float
    epoch: int = 0
    from_s: float = 100.0
    size: tuple[int, int] = (64, 48)
    missing: tuple[int, ...] = ()
    count: int = 30
    _over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        audio = self.stream == "audio"
        made = parts(sound(self.count) if audio else video(self.count, self.size))
        timescale = RATE if audio else 10240  # what libavformat makes of 10 pictures a second
        self.init = made[0]
        self.segments = [moved(each, round(self.from_s * timescale)) for each in made[1:]]
        self.thread = threading.Thread(target=self._push)

    def header(self, seq: int) -> LiveHeader:
        start_us = int((self.from_s + (seq - 1) * LENGTH_S) * S)
        sealed = self.began + self.from_s - 100 + seq * LENGTH_S
        return LiveHeader(
            "s-1", self.stream, "media" if seq else "init", self.epoch, seq, CODECS[self.stream], start_us, int(LENGTH_S * S),
            int(sealed * S),
        )  # fmt: skip

    def tell(self, seq: int) -> None:
        if seq not in self.missing:
            self.site.push(self.header(seq), self.segments[seq - 1] if seq else self.init)

    def _push(self) -> None:
        """From the segment that is due now on; each when it is full."""
        self.tell(0)
        for seq in range(1, len(self.segments) + 1):
            late = self.header(seq).wall_us / S - time.time()
            if late < -LENGTH_S:
                continue
            if self._over.wait(max(0.0, late)):
                return
            self.tell(seq)

    def __enter__(self) -> "Agent":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.thread.join()


@pytest.fixture
def watching(page: Page, site: Any, until: Until) -> Page:
    """The page of a candidate of whom nothing has come yet."""
    site.snapshots = [FIRST]
    settings: dict[str, str | bool] = {"screenCapture": True, "audioProctoring": True}
    site.details = {"s-1": SessionDetail("s-1", [], [], [], [], IdentityReport(), settings)}
    page.goto(f"{site.url}/console#key={site.key}")
    expect(page.locator("#wall")).to_be_visible()
    page.evaluate("location.hash = '#/session/s-1'")
    until(lambda: {each.stream for each in site.watched} == {"screen", "webcam"}, "the wish")
    return page


def wait(page: Page, condition: str) -> None:
    """A condition of the elements `screen`, `webcam` and `audio`."""
    page.wait_for_function(
        f"""() => {{
        const [screen, webcam, audio] = ["screen", "webcam", "audio"].map((each) =>
          document.querySelector(`[data-live=${{each}}]`));
        return {condition};
      }}""",
        timeout=PATIENCE_MS,
    )


def test_it_plays_near_the_live_edge_and_says_how_far_behind(watching: Page, site: Any) -> None:
    with Agent(site, "screen", time.time()):
        wait(watching, "screen.currentTime > 101.5 && screen.readyState > 2")
        behind, real, seen = watching.evaluate(
            """async () => {
            const video = document.querySelector("[data-live=screen]");
            const canvas = document.createElement("canvas");
            canvas.width = canvas.height = 1;
            const shown = await new Promise((done) => video.requestVideoFrameCallback((_, {mediaTime}) => done(mediaTime)));
            canvas.getContext("2d").drawImage(video, 0, 0, 1, 1);
            return [Number(video.dataset.behind), shown, canvas.getContext("2d").getImageData(0, 0, 1, 1).data[0]];
          }"""
        )
        assert 0 < behind < 10
        assert seen == pytest.approx(grey(round((real - 100) * FPS)), abs=10)
        expect(watching.locator("figure.screen figcaption")).to_contain_text("s behind")


def test_a_picture_of_which_nothing_new_comes_says_so(watching: Page, site: Any, until: Until) -> None:
    watching.clock.install()
    watching.reload()
    until(lambda: site.watched, "the wish")
    agent = Agent(site, "screen", time.time(), count=1)
    agent.tell(0)
    agent.tell(1)
    cover = watching.locator("figure.screen .cover")
    expect(cover).to_have_text("No picture yet")
    wait(watching, "screen.readyState >= 2")
    watching.clock.run_for(1000)
    expect(cover).to_be_hidden()
    watching.clock.run_for(8000)
    expect(cover).to_contain_text("Nothing new for")
    expect(watching.locator("[data-live=screen]")).to_have_attribute("data-stale", "true")


def test_a_new_epoch_of_another_size_goes_on_without_a_reload(watching: Page, site: Any) -> None:
    began = time.time()
    with Agent(site, "screen", began, count=3):
        wait(watching, "screen.videoWidth === 64 && screen.currentTime > 100.7")
    with Agent(site, "screen", began, epoch=1, from_s=100 + time.time() - began + 0.5, size=(96, 64)):
        wait(watching, "screen.videoWidth === 96 && !screen.paused && screen.readyState > 2")
        at = watching.evaluate("document.querySelector('[data-live=screen]').currentTime")
        wait(watching, f"screen.currentTime > {at + 1}")


def test_a_missing_segment_is_jumped_over(watching: Page, site: Any) -> None:
    with Agent(site, "screen", time.time(), missing=(3, 4)):
        wait(watching, "screen.currentTime > 102.2 && screen.readyState > 2")


def test_a_lost_connection_comes_back_and_the_picture_with_it(watching: Page, site: Any, until: Until) -> None:
    began = time.time()
    with Agent(site, "screen", began):
        wait(watching, "screen.currentTime > 100.7")
        site.hang_up()
        until(lambda: not site.viewers, "the end of the connection")
    until(lambda: site.watched, "the wish again", PATIENCE_MS / 1000)
    with Agent(site, "screen", began, count=60):
        at = watching.evaluate("document.querySelector('[data-live=screen]').currentTime")
        wait(watching, f"screen.currentTime > {at + 1.5} && screen.readyState > 2")


def test_what_cannot_be_decoded_does_not_end_the_view(watching: Page, site: Any) -> None:
    began = time.time()
    with Agent(site, "screen", began):
        wait(watching, "screen.currentTime > 100.7")
        damaged = Agent(site, "screen", began)
        site.push(damaged.header(200), b"\0\0\0\x10moof" + b"nonsense" * 50)
        wait(watching, "screen.error === null && screen.buffered.length === 0")
        begun = time.time() - began + 100
        wait(watching, f"screen.currentTime > {begun} && screen.readyState > 2")


def test_the_buffer_of_a_long_watch_stays_short(watching: Page, site: Any) -> None:
    """Segments that come faster than time: the newest is what is wanted."""
    agent = Agent(site, "screen", time.time(), count=135)
    for seq in range(136):
        agent.tell(seq)
    wait(watching, "screen.currentTime > 145 && screen.buffered.end(screen.buffered.length - 1) > 153")
    assert watching.evaluate("document.querySelector('[data-live=screen]').buffered.start(0)") > 120


def test_the_sound_is_off_until_it_is_wanted_and_keeps_step_with_the_camera(
    watching: Page, site: Any, until: Until
) -> None:
    switch = watching.locator("[data-action=sound]")
    expect(switch).to_have_attribute("aria-pressed", "false")
    began = time.time()
    with Agent(site, "webcam", began):
        wait(watching, "webcam.currentTime > 100.7")
        assert watching.evaluate("document.querySelector('[data-live=webcam]').muted")
        switch.click()
        expect(switch).to_have_attribute("aria-pressed", "true")
        until(lambda: "audio" in {each.stream for each in site.watched}, "the wish for sound")
        with Agent(site, "audio", began, count=40):
            wait(watching, "audio.currentTime > 101 && !audio.paused && !audio.muted")
            wait(watching, "Math.abs(audio.currentTime - webcam.currentTime) < 0.3")
        switch.click()
        until(lambda: "audio" not in {each.stream for each in site.watched}, "the end of the sound")


def test_leaving_the_page_ends_the_view(watching: Page, site: Any, until: Until) -> None:
    watching.click("#back")
    until(lambda: not site.viewers, "the end of the connection")


def test_the_pace_plays_off_what_is_too_much_and_widens_after_a_stall(page: Page, site: Any) -> None:
    site.files["/blank"] = ("text/html", b"<!doctype html><link rel=icon href=/web/icon.svg>")
    page.goto(f"{site.url}/blank")
    script = """async (slacks) => {
      const pace = new (await import("/web/live-pace.js")).Pace();
      return slacks.map((slack) => [pace.came(slack), pace.rate, pace.margin]);
    }"""
    (none, steady, margin), *_ = page.evaluate(script, [0.25])
    assert (none, steady) == (0, 1)
    assert page.evaluate(script, [2.0])[0][0] == pytest.approx(2.0 - margin)
    (skip, faster, _), *_ = page.evaluate(script, [0.7])
    assert skip == 0
    assert 1 < faster <= 1.12
    assert page.evaluate(script, [0.25, 0.25, 0.0])[2][2] > margin
    widest = page.evaluate(script, [0.0] * 20)[-1]
    assert widest[1] < 1
    assert widest[2] <= 1.5


def test_a_clock_that_cannot_be_right_does_not_count_as_delay(page: Page, site: Any) -> None:
    site.files["/blank"] = ("text/html", b"<!doctype html><link rel=icon href=/web/icon.svg>")
    page.goto(f"{site.url}/blank")
    skew = "async (all) => { const {skew} = await import('/web/live-pace.js'); return all.map(skew); }"
    assert page.evaluate(skew, [0.2, 9, -3600, 3600]) == [0, 0, -3600, 3600]

"""The report page: a canned report, with small real recordings whose picture tells the second of the session.

Screen and camera are as bright as the session is old, so that what is seen proves where on the session clock it belongs. The
screen has a gap of two seconds and a second epoch; the streams begin at different times.
"""

import io
import itertools
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import msgspec
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from secureproctor.contract import report as contract
from secureproctor.contract.errors import ErrorAnswer, Refusal
from secureproctor.contract.events import EVENTS
from tests.web.conftest import PIXEL

WEB = Path(__file__).parents[2] / "service" / "web"
STARTED_MS = 1_700_000_000_000
PATH = "/v1/sessions/session-1/report"
FPS, RATE = 10, 48_000
MOVFLAGS = "empty_moov+default_base_moof+skip_trailer+frag_keyframe"
# stream → the epochs' [from, to) in seconds of the session clock
EPOCHS = {"screen": [(0.4, 3.4), (5.4, 8.4)], "webcam": [(0.9, 8.9)], "audio": [(0.2, 8.2)]}


def brightness(second: float) -> int:
    """The grey of a second, far enough apart to survive the encoder."""
    return 20 + 22 * int(second + 1e-6)


def video(start: float, end: float) -> bytes:
    """Fragmented MP4 with a key frame each second."""
    content = io.BytesIO()
    with av.open(content, "w", format="mp4", options={"movflags": MOVFLAGS}) as container:
        stream = container.add_stream(
            "libx264", FPS, options={"preset": "ultrafast", "tune": "zerolatency", "g": str(FPS)}
        )
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for i in range(round((end - start) * FPS)):
            grey = np.full((48, 64, 3), brightness(start + i / FPS), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, "rgb24")))
        container.mux(stream.encode(None))
    return content.getvalue()


def audio(start: float, end: float) -> bytes:
    """Fragmented MP4 of a hum."""
    content = io.BytesIO()
    flags = MOVFLAGS.removesuffix("+frag_keyframe")
    with av.open(content, "w", format="mp4", options={"movflags": flags, "frag_duration": "1000000"}) as container:
        stream = container.add_stream("aac", RATE, layout="mono")
        hum = (8000 * np.sin(np.arange(round((end - start) * RATE)) * 0.03)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(hum[np.newaxis], "s16", "mono")
        frame.sample_rate = RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return content.getvalue()


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        yield name, data[at : at + size]
        at += size


def moved(moof: bytes, by: int) -> bytes:
    """The fragment on the session clock: libavformat counts from 0, the agent's segments do not."""
    at = moof.index(b"tfdt") + 8
    (time,) = struct.unpack_from(">Q", moof, at)
    return moof[:at] + struct.pack(">Q", time + by) + moof[at + 8 :]


def start_of(moof: bytes) -> int:
    return int(struct.unpack_from(">Q", moof, moof.index(b"tfdt") + 8)[0])


def epoch(stream: str, start: float, end: float) -> tuple[bytes, list[tuple[float, float, bytes]]]:
    """An init, and (start, duration, segment) in seconds of the session clock."""
    sound = stream == "audio"
    parts = list(boxes(audio(start, end) if sound else video(start, end)))
    init = b"".join(content for name, content in parts if name in (b"ftyp", b"moov"))
    timescale = RATE if sound else 10240  # what libavformat makes of 10 pictures a second
    fragments = [content for name, content in parts if name in (b"moof", b"mdat")]
    pairs = list(zip(fragments[::2], fragments[1::2], strict=True))
    starts = [start + start_of(moof) / timescale for moof, _ in pairs] + [end]
    segments = [moved(moof, round(start * timescale)) + mdat for moof, mdat in pairs]
    return init, [(a, b - a, each) for (a, b), each in zip(itertools.pairwise(starts), segments, strict=True)]


def recordings() -> dict[str, tuple[str, bytes]]:
    """Playlists and segments by their address, as the service makes them."""
    files: dict[str, tuple[str, bytes]] = {}
    folder = PATH.removesuffix("report") + "media"
    for stream, epochs in EPOCHS.items():
        lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:2", "#EXT-X-PLAYLIST-TYPE:EVENT"]
        media_type = "audio/mp4" if stream == "audio" else "video/mp4"
        for number, (start, end) in enumerate(epochs):
            init, segments = epoch(stream, start, end)
            files[f"{folder}/{stream}/{number}/0"] = (media_type, init)
            wall = f"2023-11-14T22:13:{20 + start:06.3f}Z"
            lines += ["#EXT-X-DISCONTINUITY"] * bool(number)
            lines += [f'#EXT-X-MAP:URI="{stream}/{number}/0?access=a"', f"#EXT-X-PROGRAM-DATE-TIME:{wall}"]
            for seq, (_, duration, content) in enumerate(segments, 1):
                files[f"{folder}/{stream}/{number}/{seq}"] = (media_type, content)
                lines += [f"#EXTINF:{duration:.6f},", f"{stream}/{number}/{seq}?access=a"]
        text = "\n".join([*lines, "#EXT-X-ENDLIST", ""])
        files[f"{folder}/{stream}.m3u8"] = ("application/vnd.apple.mpegurl", text.encode())
    return files


def canned(**changes: Any) -> contract.Report:
    event = contract.EventReport
    streams = tuple(
        contract.StreamReport(name, 6, 20_000, 6.0, 66.7, "avc1", f"media/{name}.m3u8?access=a") for name in EPOCHS
    )
    report = contract.Report(
        schema=contract.SCHEMA, session_id="session-1", user_id="user-1", group_name="group-1", user_name="Zoë <i>Å</i>",
        user_email="zoe@exam.example", state="ended", end_reason="stopped", registered_ms=STARTED_MS - 9000,
        started_ms=STARTED_MS, ended_ms=STARTED_MS + 9000, running_s=9.0, expiry_s=300,
        settings={"screenCapture": True, "recording": False, "msb": True, "initialState": "running"},
        not_enforced=("msb",), verified=False, streams=streams,
        chains=(contract.ChainReport("screen", 6, True, "ab" * 32),
                contract.ChainReport("audio", 8, False, "cd" * 32, ("record 3 is missing",))),
        gaps=(contract.Gap("screen", 3.4, 5.4, "agent_restarted"),),
        flags=(contract.FlagReport("AWAY_FROM_WINDOW", 6.0, 7.0, 0.9, (1,), "looked elsewhere"),),
        events=(event("session_started", 0.0, STARTED_MS), event("page_hidden", 6.0, STARTED_MS + 6000),
                event("paused", 2.0, STARTED_MS + 2000, detail={"by": "proctor"}),
                event("resumed", 3.0, STARTED_MS + 3000)),
        commands=(contract.CommandReport("c", "pause", "acknowledged", STARTED_MS + 1900, STARTED_MS + 1900,
                                         STARTED_MS + 1950, STARTED_MS + 2000, STARTED_MS + 2500, "page"),),
        chat=(contract.ChatReport("proctor", "Please look at the screen.", STARTED_MS + 6500),),
        credibility=contract.Credibility(72.0, "medium", ("100 at first", "28 less: away from the window")),
    )  # fmt: skip
    return msgspec.structs.replace(report, **changes)


@pytest.fixture(scope="module")
def recorded() -> dict[str, tuple[str, bytes]]:
    return recordings()


def shown(page: Page, site: Any, recorded: dict[str, tuple[str, bytes]], **changes: Any) -> Page:
    site.files.update(recorded)
    site.files[PATH] = ("application/json", msgspec.json.encode(canned(**changes)))
    page.goto(f"{site.url}/report/session-1?access=a")
    page.wait_for_selector("body[data-loaded]")
    return page


@pytest.fixture
def report(page: Page, site: Any, recorded: dict[str, tuple[str, bytes]]) -> Page:
    """The page of an ended session."""
    return shown(page, site, recorded)


GREY = """(id) => {
  const canvas = document.createElement("canvas");
  const video = document.getElementById(id);
  canvas.width = canvas.height = 1;
  canvas.getContext("2d").drawImage(video, 0, 0, 1, 1);
  return canvas.getContext("2d").getImageData(0, 0, 1, 1).data[0];
}"""


def seconds_seen(page: Page, stream: str) -> float:
    """The second of the session that a picture shows, from its brightness."""
    return (int(page.evaluate(GREY, stream)) - 20) / 22


def ready_at(page: Page, second: float) -> None:
    """Seek, and wait until all that has evidence there has arrived there."""
    page.fill("#seek", str(second))
    page.wait_for_function(
        """() => ["screen", "webcam", "audio"].every((id) => {
            const element = document.getElementById(id);
            return document.getElementById(id + "Cover")?.hidden === false || (!element.seeking && element.readyState >= 2);
        })"""
    )


def test_it_says_who_when_and_how_credible(report: Page) -> None:
    expect(report.locator("#who")).to_have_text("Zoë <i>Å</i>")
    expect(report.locator("#facts")).to_contain_text("Ended: stopped")
    expect(report.locator("#facts")).to_contain_text("IdentityNot looked at")
    expect(report.locator("#verdict")).to_have_attribute("data-band", "medium")
    expect(report.locator("#verdict")).to_contain_text("medium · 72 of 100")
    expect(report.locator("#verdict")).to_contain_text("28 less: away from the window")
    expect(report.locator("#json")).to_have_attribute("href", f"{report.url.split('/report')[0]}{PATH}?access=a")


def test_it_tells_all_that_the_report_holds(report: Page) -> None:
    expect(report.locator("#coverage")).to_contain_text("66.7 %")
    expect(report.locator("#coverage")).to_contain_text("agent restarted")
    expect(report.locator("#flags")).to_contain_text("Away from window")
    expect(report.locator("#flags")).to_contain_text("1: page hidden")
    expect(report.locator("#commands tbody td")).to_have_count(7)
    expect(report.locator("#commands")).to_contain_text("by page")
    expect(report.locator("#chat")).to_contain_text("Please look at the screen.")
    expect(report.locator("#chains")).to_have_attribute("data-verified", "false")
    expect(report.locator("#chains")).to_contain_text("record 3 is missing")
    assert report.locator("#settings [data-not-enforced]").evaluate_all(
        "(all) => all.map((e) => e.dataset.notEnforced)"
    ) == ["msb"]
    report.click("#eventsDetails summary")
    expect(report.locator("#events tbody tr")).to_have_count(4)
    expect(report.locator("#events")).to_contain_text("by: proctor")


def test_the_timeline_marks_gaps_pauses_flags_and_commands(report: Page) -> None:
    for kind, count in {"has": 3, "gap": 1, "paused": 1, "flag": 1, "command": 1}.items():
        expect(report.locator(f"#timeline > svg .{kind}")).to_have_count(count)
    expect(report.locator("#timeline > svg .gap title")).to_have_text("No evidence 0:03 to 0:05: agent restarted")


FOUND = (
    contract.Finding(
        "deleted", "screen", 0, 4, 9, "Records 4 to 9 of <b>screen</b>: removed from the candidate's disk.", "agent"
    ),
    contract.Finding("altered", "audio", 1, 3, 3, "Record 3 of audio: changed on the candidate's disk.", "upload"),
    contract.Finding("withheld", "webcam", 1, 3, None, "Records from 3 on of webcam: never delivered.", "coverage"),
)
DAMAGED = contract.Finding("unreadable", "screen", 0, 4, 4, "Record 4: the candidate's disk cannot read it.", "agent")


def test_tampering_comes_before_all_else_each_finding_with_its_sentence(page: Page, site: Any) -> None:
    shown(page, site, {}, streams=(), tampering=FOUND)
    expect(page.get_by_role("region", name="Integrity")).to_be_in_viewport(ratio=1)
    expect(page.locator("#integrity")).to_have_attribute("data-findings", "3")
    expect(page.locator("#integritySummary")).to_contain_text("Evidence is not as the agent made it.")
    rows = page.locator("#tampering > li")
    expect(rows).to_have_count(len(FOUND))
    witnesses = ("Found by the agent on the candidate's disk.", "Refused by the service", "no cause is known")
    for row, found, witness in zip(rows.all(), FOUND, witnesses, strict=True):
        expect(row).to_have_attribute("data-kind", found.kind)
        expect(row).to_have_attribute("data-stream", found.stream)
        expect(row.locator("strong")).to_have_text(re.compile("Screen|Microphone|Camera"))
        expect(row).to_contain_text(found.sentence)
        expect(row).to_contain_text(witness)


def test_damage_that_accuses_nobody_is_told_as_that(page: Page, site: Any) -> None:
    shown(page, site, {}, streams=(), tampering=(DAMAGED,))
    expect(page.locator("#integrity")).to_have_attribute("data-findings", "0")
    expect(page.locator("#integritySummary")).to_have_text(
        "Some evidence was damaged. Nothing says that anybody did it on purpose."
    )


def test_the_page_knows_the_contracts_findings() -> None:
    tables = (WEB / "report-tables.js").read_text()
    assert set(re.findall(r'"(\w+)"', tables.split("const BLAMELESS = ")[1].split(";")[0])) == contract.BLAMELESS
    sentences = (WEB / "incidents.js").read_text()
    named = re.findall(r"^  (\w+): \(", sentences.split("const SENTENCES = {")[1], re.MULTILINE)
    assert set(named) <= set(EVENTS)


def test_a_chain_whose_records_still_wait_is_not_called_broken(page: Page, site: Any) -> None:
    waits = contract.ChainReport("screen", 6, False, "ab" * 32, (), ("records 7 to 9",))
    shown(page, site, {}, streams=(), chains=(waits,))
    expect(page.locator("#chains .mark")).to_have_text("incomplete")
    expect(page.locator("#chains")).to_contain_text("records 7 to 9")
    expect(page.locator("#chains")).to_contain_text("no fault was found")


def test_without_a_finding_there_is_no_such_section(report: Page) -> None:
    expect(report.locator("#integrity")).to_be_hidden()


def incident(
    kind: str, at_s: float, until_s: float | None = None, stream: str = "", **detail: Any
) -> contract.EventReport:
    return contract.EventReport(kind, at_s, STARTED_MS + int(at_s * 1000), stream, until_s, detail)


INCIDENTS = {
    "The computer was asleep for 1 min 5 s.": incident("machine_slept", 1.0, 66.0),
    "The agent did not run for 3 s: stopped, or starved by the computer.": incident("agent_stalled", 2.0, 5.0),
    "The agent came back and went on with the session.": incident("agent_restarted", 5.0, state="running"),
    "The computer's clock was set 1 h back.": incident("clock_changed", 6.0, by_s=-3600.0),
    "The disk runs short: 1.5 GB are left, and reduced quality is captured from now on.": incident(
        "disk_short", 7.0, free=1_500_000_000, level="reduced"
    ),
    "The disk has room again: 9.0 GB.": incident("disk_recovered", 8.0, free=9_000_000_000),
    "Record 0/7 of Screen and 2 more are gone from the candidate's disk.": incident(
        "record_missing", 9.0, stream="screen", epoch=0, seq=7, count=3
    ),
    "Record 1/2 of Microphone has another record in its place on the candidate's disk.": contract.EventReport(
        "record_damaged", 10.0, STARTED_MS + 10_000, "audio", None, {"epoch": 1, "seq": 2, "kind": "misplaced"}
    ),
}


def test_what_befell_computer_and_disk_is_told_in_sentences_and_on_the_timeline(page: Page, site: Any) -> None:
    shown(page, site, {}, streams=(), events=tuple(INCIDENTS.values()))
    expect(page.locator("#timeline > svg .incident")).to_have_count(len(INCIDENTS))
    expect(page.locator("#timeline > svg .incident title").first).to_have_text(
        "0:01 to 1:06: The computer was asleep for 1 min 5 s."
    )
    page.click("#eventsDetails summary")
    for row, sentence in zip(page.locator("#events tbody tr").all(), INCIDENTS, strict=True):
        expect(row.locator("td").last).to_have_text(sentence)


def test_it_plays_all_streams_together(report: Page) -> None:
    report.click("#play")
    expect(report.locator("#play")).to_have_text("Pause")
    report.wait_for_function("() => Number(document.getElementById('time').dataset.seconds) > 2")
    places = report.evaluate(
        """() => ["screen", "webcam", "audio"].map((id) => document.getElementById(id).currentTime)"""
    )
    now = float(report.locator("#time").get_attribute("data-seconds") or 0)
    for place, begins in zip(places, (0.4, 0.9, 0.2), strict=True):
        assert place + begins == pytest.approx(now, abs=0.35)
    report.click("#play")
    stopped = report.locator("#time").get_attribute("data-seconds")
    expect(report.locator("#play")).to_have_text("Play")
    assert all(report.evaluate("['screen', 'webcam', 'audio'].map((id) => document.getElementById(id).paused)"))
    assert float(stopped or 0) > 2


@pytest.mark.parametrize("second", [1.5, 6.5, 7.5])
def test_what_is_seen_belongs_to_the_session_time_on_either_side_of_a_gap(report: Page, second: float) -> None:
    ready_at(report, second)
    for stream in ("screen", "webcam"):
        assert seconds_seen(report, stream) == pytest.approx(int(second), abs=0.3), stream


def test_a_gap_of_one_stream_is_covered_while_the_others_go_on(report: Page) -> None:
    ready_at(report, 3.6)
    expect(report.locator("#screenCover")).to_have_text("No picture: agent restarted")
    expect(report.locator("#screenCover")).to_be_visible()
    expect(report.locator("#webcamCover")).to_be_hidden()
    assert seconds_seen(report, "webcam") == pytest.approx(3, abs=0.3)
    report.click("#play")
    report.wait_for_function("() => Number(document.getElementById('time').dataset.seconds) > 5.8")
    expect(report.locator("#screenCover")).to_be_hidden()


def test_a_press_on_the_timeline_or_on_a_flag_seeks(report: Page) -> None:
    report.locator("#flags [data-seek]").click()
    expect(report.locator("#time")).to_have_attribute("data-seconds", "6.00")
    box = report.locator("#timeline > svg").bounding_box()
    assert box is not None
    report.mouse.click(box["x"] + 92 + (box["width"] - 100) / 3, box["y"] + 10)
    assert float(report.locator("#time").get_attribute("data-seconds") or 0) == pytest.approx(3.0, abs=0.1)


def test_a_session_that_still_runs_is_shown_and_read_again(page: Page, site: Any) -> None:
    page.clock.install()
    shown(
        page,
        site,
        {},
        state="running",
        end_reason="",
        ended_ms=None,
        running_s=4.0,
        streams=(),
        gaps=(),
        flags=(),
        events=(),
    )
    expect(page.locator("#fresh")).to_contain_text("The session is not over")
    expect(page.locator("#noPlayer")).to_be_visible()
    site.files[PATH] = ("application/json", msgspec.json.encode(canned(streams=())))
    page.clock.fast_forward(10_000)
    expect(page.locator("#facts")).to_contain_text("Ended: stopped")
    expect(page.locator("#fresh")).to_be_empty()


def test_a_session_that_never_started_has_a_report(page: Page, site: Any) -> None:
    nothing: dict[str, Any] = {
        "started_ms": None,
        "ended_ms": None,
        "running_s": 0.0,
        "streams": (),
        "gaps": (),
        "flags": (),
    }
    shown(page, site, {}, **nothing, events=(), commands=(), chat=(), chains=())
    expect(page.locator("#flags")).to_have_text("None.")
    expect(page.locator("#chat")).to_have_text("Nobody wrote.")


def picture(of: str, seq: int, *hints: str) -> contract.StillReport:
    url = f"/v1/sessions/session-1/stills/0/{seq}?access=a"
    return contract.StillReport(of, STARTED_MS + seq * 1000, 0, seq, 640, 480, hints, url)


def test_identity_shows_the_pictures_side_by_side_and_who_decided(page: Page, site: Any) -> None:
    stills = (picture("photo", 1, "too_dark"), picture("id_card", 2), picture("screen", 3))
    identity = contract.IdentityReport(
        "rejected", ("id_card",), STARTED_MS, STARTED_MS, STARTED_MS, "ada", "It is <b>another</b> person.", stills[0],
        stills[1], "/v1/sessions/session-1/reference?access=a",
    )  # fmt: skip
    for path in ("stills/0/1", "stills/0/2", "stills/0/3", "reference"):
        site.files[f"/v1/sessions/session-1/{path}"] = ("image/png", PIXEL)
    shown(page, site, {}, streams=(), identity=identity, stills=stills)
    expect(page.locator("#identity")).to_have_attribute("data-step", "rejected")
    expect(page.locator("#identitySummary")).to_contain_text("Rejected by ada")
    expect(page.locator("#identitySummary")).to_contain_text("“It is <b>another</b> person.”")
    expect(page.locator("#identitySummary")).to_contain_text("Still to be shown: the ID card.")
    figures = page.locator("#identityPictures figure")
    assert figures.evaluate_all("(all) => all.map((each) => each.dataset.still)") == ["photo", "id_card", "reference"]
    expect(figures.nth(0)).to_contain_text("Too dark")
    expect(page.locator("#stills figure")).to_have_count(3)
    address = f"{site.url}/v1/sessions/session-1/stills/0/3?access=a"
    expect(page.locator("#stills [data-still=screen] a")).to_have_attribute("href", address)
    page.wait_for_function(
        "() => [...document.images].every((each) => !each.src || each.naturalWidth || !each.complete)"
    )


def test_a_reference_that_could_not_be_fetched_is_told(page: Page, site: Any) -> None:
    identity = contract.IdentityReport("submitted", reference_error="the address is of an internal network")
    shown(page, site, {}, streams=(), identity=identity)
    expect(page.locator("#identitySummary")).to_contain_text("Not decided: waits for a decision.")
    expect(page.locator("#identityPictures")).to_contain_text("the address is of an internal network")
    expect(page.locator("#pictures")).to_be_hidden()


def test_commands_tell_who_ordered_what_and_chat_how_far_it_came(page: Page, site: Any) -> None:
    late = contract.CommandReport(
        "a", "end", "acknowledged", STARTED_MS, received_ms=STARTED_MS, applied_ms=STARTED_MS,
        acknowledged_ms=STARTED_MS + 60_000, acknowledged_by="page", text="The time is over.", issued_by="ada",
        unacknowledged_ms=STARTED_MS + 30_000,
    )  # fmt: skip
    asked = contract.CommandReport("b", "resubmit", "unacknowledged", STARTED_MS, argument="both", issued_by="grace")
    chat = (
        contract.ChatReport("proctor", "Hello", STARTED_MS, "m-1", "ada", STARTED_MS, STARTED_MS),
        contract.ChatReport("candidate", "Hi", STARTED_MS, "m-2", "", STARTED_MS),
        contract.ChatReport("proctor", "?", STARTED_MS, "m-3", "ada"),
    )
    shown(page, site, {}, streams=(), commands=(late, asked), chat=chat)
    rows = page.locator("#commands tbody tr")
    expect(rows.nth(0)).to_contain_text("“The time is over.”")
    expect(rows.nth(0).locator("td").nth(2)).to_contain_text("by ada")
    expect(rows.nth(0).locator("td").nth(5)).to_contain_text(re.compile(r"by page \(not by \d\d:\d\d:\d\d\)"))
    expect(rows.nth(1)).to_contain_text("Ask again: photo and ID card")
    expect(rows.nth(1)).to_contain_text("in effect, not acknowledged")
    lines = page.locator("#chat li")
    assert lines.evaluate_all("(all) => all.map((each) => each.dataset.mark)") == ["read", "delivered", "sent"]
    expect(lines.nth(0)).to_contain_text("ada, ")


def test_a_refused_link_says_why(page: Page, site: Any) -> None:
    site.files[PATH] = ("application/json", msgspec.json.encode(ErrorAnswer(Refusal("access_denied").info)))
    page.goto(f"{site.url}/report/session-1?access=old")
    expect(page.locator("#reportError")).to_have_text(
        "This link does not open this session. Ask for a fresh report link."
    )
    expect(page.locator("#report")).to_be_hidden()


def test_a_recording_that_does_not_play_says_so_and_the_others_play(page: Page, site: Any, recorded: Any) -> None:
    broken = {path: answer for path, answer in recorded.items() if "/screen/" not in path}
    screen = {path: (kind, b"x" * 100) for path, (kind, _) in recorded.items() if "/screen/" in path}
    shown(page, site, {**broken, **screen})
    expect(page.locator("#screenCover")).to_have_text("The recording of this stream does not play.")
    page.click("#play")
    page.wait_for_function("() => document.getElementById('webcam').currentTime > 0.3")


def test_printed_it_leaves_the_player_out(report: Page) -> None:
    report.emulate_media(media="print")
    expect(report.locator("#player .player")).to_be_hidden()
    expect(report.locator("#timeline > svg")).to_be_visible()


def test_a_segment_that_has_not_arrived_has_no_place(page: Page, site: Any) -> None:
    """Both readers of a playlist leave it out, and what follows keeps its session time and its media time."""
    site.files["/blank"] = ("text/html", b"<!doctype html><link rel=icon href=/web/icon.svg>")
    page.goto(f"{site.url}/blank")
    date = "#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:00:0"
    segments = (f"{date}0Z", "#EXTINF:2,", "a", "#EXT-X-GAP", "#EXTINF:2,", "b", "#EXTINF:2,", "c")
    read = "async (text) => (await import('/web/segments.js')).placesIn(text, 0)"
    assert page.evaluate(read, "\n".join(segments)) == [
        {"media": 0, "session": 0, "duration": 2},
        {"media": 4, "session": 4, "duration": 2},
    ]
    fragments = [{"start": at, "duration": 2, "programDateTime": None, "gap": at == 2} for at in (0, 2, 4)]
    of_hls = page.evaluate("async (all) => (await import('/web/segments.js')).placesOf(all, 0)", fragments)
    assert [place["session"] for place in of_hls] == [0, 4]

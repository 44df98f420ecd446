"""Frames that a secure browser hands over, from the mailbox to segments that decode back; and what is no picture."""

import io
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from secureproctor.capture import handed as handing
from secureproctor.capture.handed import HandedFrames, fitted
from secureproctor.capture.media import Clock, Kind, Segment, SourceReport
from secureproctor.capture.picture_file import MAX_BYTES, NotAPicture, Size, size_of
from secureproctor.capture.recorder import CapturePlan, Recorder
from secureproctor.contract.errors import Refusal
from secureproctor.contract.streams import Stream

if TYPE_CHECKING:
    from tests.capture.conftest import Until


def flat(luma: int, width: int = 64, height: int = 48) -> NDArray[np.uint8]:
    return np.full((height, width, 3), luma, np.uint8)


def png(luma: int, width: int = 64, height: int = 48) -> bytes:
    return cv2.imencode(".png", flat(luma, width, height))[1].tobytes()


def jpeg(luma: int, width: int = 64, height: int = 48, *options: int) -> bytes:
    return cv2.imencode(".jpg", flat(luma, width, height), options)[1].tobytes()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_of(width: int, height: int, pixels: bytes) -> bytes:
    """A PNG whose every checksum is right, whatever lies inside."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


class Window:
    """A recorder of the screen alone, and the mailbox into which the test hands frames."""

    def __init__(self, clock: Clock, until: "Until", segment_s: float = 0.5) -> None:
        self.segments: list[Segment] = []
        self.reports: list[SourceReport] = []
        self.frames = HandedFrames()
        self._until = until
        plan = CapturePlan(frozenset({Stream.SCREEN}), screen_preset="ultrafast", screen_crf=10, segment_s=segment_s)
        self.recorder = Recorder(plan, clock, self.segments.append, self.reports.append, self.frames)

    def start(self) -> "Window":
        self.recorder.start()
        self._until(lambda: self.frames.put(png(0)).taken, "a recording that takes frames")
        self._until(lambda: self.encoded >= 1, "the first frame")
        return self

    @property
    def encoded(self) -> int:
        return self.recorder.counts()[Stream.SCREEN].encoded

    def show(self, image: bytes) -> None:
        """Returns when the frame was taken from the mailbox."""
        before = self.recorder.counts()[Stream.SCREEN].grabbed
        assert self.frames.put(image).taken
        self._until(lambda: self.recorder.counts()[Stream.SCREEN].grabbed > before, "the frame to be taken")

    def told(self) -> list[tuple[str, str]]:
        return [(str(report.state), report.code) for report in self.reports]

    def epochs(self) -> list[tuple[Segment, list[Segment]]]:
        """INIT and MEDIA of each epoch; the recording is over."""
        self.recorder.stop()
        out: list[tuple[Segment, list[Segment]]] = []
        for segment in self.segments:
            if segment.kind is Kind.INIT:
                out.append((segment, []))
            else:
                out[-1][1].append(segment)
        return out

    def pictures(self) -> list[NDArray[np.uint8]]:
        """All pictures of the last epoch, BGR."""
        init, media = self.epochs()[-1]
        with av.open(io.BytesIO(init.payload + b"".join(each.payload for each in media)), "r") as player:
            return [np.asarray(frame.to_ndarray(format="bgr24"), np.uint8) for frame in player.decode(video=0)]


@pytest.fixture
def window(
    clock: Clock, until: "Until", nothing_left: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Window]]:
    """Makes a recording that has begun, and that a slow machine does not end; it is over after the test."""
    monkeypatch.setattr(handing, "NO_FRAMES_US", 60_000_000)
    monkeypatch.setattr(handing, "_SETTLED_US", 60_000_000)
    made: list[Window] = []

    def make() -> Window:
        made.append(Window(clock, until).start())
        return made[-1]

    yield make
    for each in made:
        each.recorder.stop()


def near(picture: NDArray[np.uint8], luma: int) -> bool:
    return abs(float(picture.mean()) - luma) < 4


def test_what_is_handed_over_is_what_the_segments_show(window: Callable[[], Window]) -> None:
    recording = window()
    for luma, encode in ((60, png), (120, jpeg), (200, png)):
        recording.show(encode(luma))
    shown = [float(picture.mean()) for picture in recording.pictures()]
    seen = [round(after) for before, after in pairwise([-9.0, *shown]) if abs(before - after) > 4]
    assert [abs(a - b) < 4 for a, b in zip(seen, (0, 60, 120, 200), strict=True)] == [True] * 4


def test_a_window_that_does_not_change_has_a_key_frame_a_segment_and_no_hole(
    window: Callable[[], Window], until: "Until"
) -> None:
    recording = window()
    image = png(90)
    recording.show(image)

    def long_enough() -> bool:
        recording.frames.put(image)
        return len(recording.segments) >= 4

    until(long_enough, "three segments")
    counts = recording.recorder.counts()[Stream.SCREEN]
    ((init, media),) = recording.epochs()
    assert (init.width, init.height) == (64, 48)
    assert all(a.start_us + a.duration_us == b.start_us for a, b in pairwise(media))
    assert all(near(picture, 90) for picture in recording.pictures()[2:])
    assert counts.skipped == counts.grabbed - 2, "the same bytes again are not decoded again"


def test_without_frames_the_stream_is_lost_up_to_the_last_one_and_comes_back_with_the_next(
    window: Callable[[], Window], until: "Until", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handing, "NO_FRAMES_US", 300_000)
    recording = window()
    until(lambda: ("lost", "no_frames") in recording.told(), "the loss")
    until(lambda: recording.frames.put(png(200)).taken, "a recording that takes frames")
    until(lambda: recording.told()[-1][0] == "recovered", "the recovery")
    assert [told for told in recording.told() if told[0] != "stopped"][:3] == [
        ("started", ""),
        ("lost", "no_frames"),
        ("recovered", ""),
    ]
    (_, before), (_, after) = recording.epochs()[:2]
    assert before[-1].start_us + before[-1].duration_us < after[0].start_us
    assert all(near(picture, 200) for picture in recording.pictures()), "nothing of before the loss is shown after it"


def test_a_browser_that_never_hands_over_a_frame_is_why_the_recording_did_not_begin(
    clock: Clock, until: "Until", nothing_left: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handing, "NO_FRAMES_US", 100_000)
    recording = Window(clock, until)
    recording.recorder.start()
    until(lambda: recording.told() == [("lost", "no_frames")], "the loss")
    assert recording.recorder.wait_started(0) == {Stream.SCREEN: "no_frames"}
    recording.recorder.stop()
    assert recording.segments == []


def test_another_size_is_a_new_epoch(window: Callable[[], Window], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handing, "_SETTLED_US", 0)
    recording = window()
    recording.show(png(100, 81, 61))
    first, second = recording.epochs()
    assert [(each[0].width, each[0].height) for each in (first, second)] == [(64, 48), (80, 60)]
    assert near(recording.pictures()[-1], 100)


def test_a_window_that_is_being_resized_stays_in_one_epoch_with_black_around_it(window: Callable[[], Window]) -> None:
    recording = window()
    recording.show(png(200, 96, 20))
    assert len(recording.epochs()) == 1
    last = recording.pictures()[-1]
    assert last.shape == (48, 64, 3)
    assert near(last[:10], 0)
    assert near(last[20:28], 200)


@given(st.tuples(st.integers(16, 90), st.integers(16, 90)), st.tuples(st.integers(8, 45), st.integers(8, 45)))
@settings(max_examples=40, deadline=None)
def test_a_fitted_picture_has_the_size_wanted_and_is_seen_whole(size: tuple[int, int], half: tuple[int, int]) -> None:
    width, height = half[0] * 2, half[1] * 2
    whole = fitted(flat(255, *size), width, height)
    assert whole.shape == (height, width, 3)
    lit = whole[:, :, 0] > 127
    assert lit.any(axis=0).all() or lit.any(axis=1).all(), "it reaches from edge to edge one way"
    shown = lit.any(axis=0).sum() / lit.any(axis=1).sum()
    assert abs(shown - size[0] / size[1]) <= 1.5 * max(shown, 1) / min(lit.any(axis=0).sum(), lit.any(axis=1).sum())


def test_the_newest_frame_wins_when_several_come_at_once(window: Callable[[], Window], until: "Until") -> None:
    recording = window()
    before = recording.encoded
    for luma in range(20, 200, 10):
        assert recording.frames.put(png(luma)).taken
    recording.frames.put(png(230))
    until(lambda: recording.encoded > before, "a picture")
    until(lambda: recording.frames._newest is None, "the mailbox to be empty")
    assert near(recording.pictures()[-1], 230)
    assert recording.recorder.counts()[Stream.SCREEN].grabbed < 19


def test_frames_from_many_threads_at_once_make_one_orderly_stream(window: Callable[[], Window]) -> None:
    recording = window()

    def hand_over(first: int) -> None:
        for step in range(20):
            recording.frames.put(png((first + step) % 256), age_s=step / 10)

    threads = [threading.Thread(target=hand_over, args=(first,)) for first in (10, 90, 170)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ((_, media),) = recording.epochs()
    assert all(a.start_us + a.duration_us == b.start_us for a, b in pairwise(media))
    assert len(recording.pictures()) >= 2


def test_the_answer_says_when_the_next_frame_is_wanted(window: Callable[[], Window]) -> None:
    recording = window()
    assert recording.frames.put(png(1)).next_s == pytest.approx(1 / handing.MOST_FPS)


def test_a_lower_quality_wants_fewer_frames(window: Callable[[], Window], until: "Until") -> None:
    recording = window()
    recording.recorder.set_quality("least")

    def slower() -> bool:
        return recording.frames.put(png(7)).next_s > 0.3

    until(slower, "the slower pace")


def test_frames_are_taken_only_while_something_is_recorded(clock: Clock, until: "Until", nothing_left: None) -> None:
    recording = Window(clock, until)
    assert recording.frames.put(png(1)) == handing.Taken(False, handing.UNWANTED_S)
    recording.start()
    recording.recorder.stop()
    assert recording.frames.put(png(1)) == handing.Taken(False, handing.UNWANTED_S)


def test_a_still_is_the_window_as_it_was_handed_over_last(window: Callable[[], Window], until: "Until") -> None:
    recording = window()
    recording.show(png(150, 65, 49))
    until(lambda: recording.encoded >= 2, "the picture")
    still = recording.recorder.still(Stream.SCREEN, 5)
    assert still is not None
    assert (still.width, still.height) == (65, 49)


def test_orientation_of_a_photo_does_not_turn_a_window() -> None:
    """EXIF says "rotate by 90 degrees"; a window has no orientation, and a turned one would have another size."""
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    plain = jpeg(80)
    turned = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + plain[2:]
    picture = handing.decoded(turned)
    assert picture is not None
    assert picture.shape == (48, 64, 3)
    assert size_of(turned) == Size(64, 48)


NOT_PICTURES = {
    "nothing": b"",
    "text": b"data:image/png;base64,AAAA",
    "a GIF": b"GIF89a" + bytes(100),
    "a PNG of 10 gigapixels": png_of(100_000, 100_000, zlib.compress(b"")),
    "a PNG of too many pixels": png_of(16_000, 16_000, zlib.compress(b"")),
    "a PNG without width": png_of(0, 100, zlib.compress(b"")),
    "a PNG of one row": png_of(1000, 1, zlib.compress(b"")),
    "a PNG with two headers": png(1)[:33] + png(1)[8:],
    "an animated PNG": png(1)[:33] + chunk(b"acTL", bytes(8)) + png(1)[33:],
    "a damaged PNG": png(1)[:45] + b"\0\1" + png(1)[47:],
    "a JPEG of 4 gigapixels": b"\xff\xd8\xff\xc0\0\x0b\x08\xff\xff\xff\xff\x01\1\x11\0\xff\xda\0\x08\1\1\0\0\x3f\0\0\xff\xd9",
    "a JPEG without size": b"\xff\xd8\xff\xda\0\x08\1\1\0\0\x3f\0\0\xff\xd9",
    "a JPEG that ends at once": b"\xff\xd8\xff\xd9",
    "a JPEG with a segment of no length": b"\xff\xd8\xff\xe0\0\0\xff\xd9",
    "more bytes than a frame may have": jpeg(1) + bytes(MAX_BYTES),
}


@pytest.mark.parametrize("image", NOT_PICTURES.values(), ids=NOT_PICTURES)
def test_what_is_no_picture_is_refused_before_anything_is_decoded(
    image: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handing, "decoded", lambda _: pytest.fail("it was decoded"))
    with pytest.raises(Refusal) as refused:
        HandedFrames().put(image)
    assert refused.value.code == "frame_unreadable"


@pytest.mark.parametrize("whole", [png(77), jpeg(77), jpeg(77, 64, 48, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)])
def test_a_picture_is_whole_or_refused_wherever_it_is_cut(whole: bytes) -> None:
    assert size_of(whole) == Size(64, 48)
    for end in range(len(whole)):
        with pytest.raises(NotAPicture):
            size_of(whole[:end])


@given(st.sampled_from([png(33), jpeg(33)]), st.lists(st.tuples(st.integers(0, 800), st.integers(0, 255)), max_size=6))
@settings(max_examples=150, deadline=None)
def test_no_bytes_bring_down_the_reading_of_headers(whole: bytes, changes: list[tuple[int, int]]) -> None:
    image = bytearray(whole)
    for at, value in changes:
        image[at % len(image)] = value
    try:
        size = size_of(bytes(image))
    except NotAPicture:
        return
    assert min(size.width, size.height) >= 16
    handing.decoded(bytes(image))


def test_a_frame_that_fails_in_the_decoder_is_told_with_the_next_and_nothing_is_lost(
    window: Callable[[], Window], until: "Until"
) -> None:
    recording = window()
    recording.show(png(120))
    recording.show(png_of(64, 48, b"no zlib stream"))
    with pytest.raises(Refusal) as refused:
        recording.frames.put(png(200))
    assert refused.value.code == "frame_unreadable"
    until(lambda: recording.encoded >= 3, "the next picture")
    assert near(recording.pictures()[-1], 200)
    assert len(recording.epochs()) == 1
    assert ("lost", "no_frames") not in recording.told()

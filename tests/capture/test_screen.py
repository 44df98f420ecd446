"""The screen of a real X server: changes, pace, death and return of the server."""

import os
import threading
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from secureproctor.capture import grab as grabbing
from secureproctor.capture.grab import MssGrab, PollSignal, ScreenGone, open_screen
from secureproctor.capture.media import Clock, VideoFrame
from secureproctor.capture.screen import Picture, Screen
from secureproctor.capture.source import CannotOpen, DeviceLost, Diagnosis
from secureproctor.capture.x11_grab import X11Grab

if TYPE_CHECKING:
    from tests.capture.conftest import Paint, XServer


@pytest.fixture(params=["told by the server", "compared"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of looking at a screen: shared memory with damage, and the public path of other systems."""
    if request.param == "compared":

        def public(display: str | None) -> tuple[MssGrab, PollSignal]:
            return MssGrab(grabbing._open_mss(display)), PollSignal(lambda: (640, 480))

        monkeypatch.setattr("secureproctor.capture.screen.open_screen", public)
    return str(request.param)


@pytest.fixture
def screen(xserver: "XServer", clock: Clock, way: str) -> Iterator[Screen]:
    source = Screen(clock, fps=10, display=xserver.name)
    with closing(source):
        source.open()
        yield source


def next_picture(screen: Screen, until_us: int) -> VideoFrame:
    frame = screen.read(until_us)
    assert frame is not None
    return frame


def luma(pixels: NDArray[np.uint8], x: int = 320, y: int = 240) -> int:
    return int(pixels[y, x])


def test_the_first_picture_comes_at_once_and_later_ones_when_something_changed(
    screen: Screen, xserver: "XServer", clock: Clock, paint: "Paint"
) -> None:
    with xserver.client() as display:
        first = next_picture(screen, clock() + 1_000_000)
        assert (first.width, first.height, first.changed) == (640, 480, True)
        before_us = clock()
        paint(display, 200)
        drawn_us = clock()
        second = next_picture(screen, clock() + 1_000_000)
        assert second.changed
        assert luma(second.pixels) == pytest.approx(16 + 200 * 219 / 255, abs=2)
        assert before_us <= second.at_us <= drawn_us + 400_000


def test_nothing_drawn_means_no_picture_until_the_key_frame_is_due(screen: Screen, clock: Clock) -> None:
    first = next_picture(screen, clock() + 1_000_000)
    due_us = clock() + 400_000
    second = next_picture(screen, due_us)
    assert not second.changed
    assert due_us <= second.at_us < due_us + 400_000
    assert np.array_equal(first.pixels, second.pixels)


def test_drawing_the_same_again_is_no_change(screen: Screen, xserver: "XServer", clock: Clock, paint: "Paint") -> None:
    with xserver.client() as display:
        paint(display, 77)
        screen.read(clock() + 1_000_000)
        paint(display, 77)
        assert not next_picture(screen, clock() + 300_000).changed
    assert screen.counts().skipped > 0


def test_constant_motion_is_held_to_the_pace(screen: Screen, xserver: "XServer", clock: Clock, paint: "Paint") -> None:
    stop = threading.Event()

    def draw() -> None:
        with xserver.client() as display:
            grey = 0
            while not stop.wait(0.005):
                grey = (grey + 1) % 256
                paint(display, grey, (0, 0, 50, 50))

    drawer = threading.Thread(target=draw)
    drawer.start()
    end_us = clock() + 1_500_000
    times = []
    while clock() < end_us:
        times.append(next_picture(screen, end_us).at_us)
    stop.set()
    drawer.join()
    assert 5 <= len(times) <= 15 + 3 + 1
    assert all(later > earlier for earlier, later in pairwise(times))


def test_an_interrupt_ends_a_read_from_another_thread(screen: Screen, clock: Clock) -> None:
    screen.read(clock() + 1_000_000)
    timer = threading.Timer(0.1, screen.interrupt)
    timer.start()
    began_us = clock()
    assert screen.read(began_us + 20_000_000) is None
    assert clock() - began_us < 2_000_000
    assert screen.read(clock() + 1_000_000) is None
    timer.join()


def test_a_server_that_dies_is_lost_and_can_be_opened_when_it_is_back(
    screen: Screen, xserver: "XServer", clock: Clock, paint: "Paint"
) -> None:
    screen.read(clock() + 1_000_000)
    xserver.stop()
    with pytest.raises(DeviceLost) as caught:
        [screen.read(clock() + 300_000) for _ in range(10)]
    assert caught.value.code is Diagnosis.NO_DISPLAY
    screen.close()
    with pytest.raises(CannotOpen):
        screen.open()
    xserver.start()
    screen.open()
    assert next_picture(screen, clock() + 1_000_000).changed


@pytest.mark.parametrize("name", [":9999", "nonsense"])
def test_no_display_is_said_as_such(clock: Clock, name: str) -> None:
    with pytest.raises(CannotOpen) as caught:
        Screen(clock, display=name).open()
    assert caught.value.code is Diagnosis.NO_DISPLAY


def test_no_display_named_anywhere_is_said_as_such(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(CannotOpen):
        Screen(clock).open()


def test_opening_and_closing_leaves_no_file_open(xserver: "XServer", clock: Clock) -> None:
    def cycle() -> None:
        source = Screen(clock, display=xserver.name)
        source.open()
        source.read(clock() + 1_000_000)
        source.close()
        source.close()

    cycle()
    before = sorted(os.listdir("/proc/self/fd"))
    for _ in range(5):
        cycle()
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_on_x11_pixels_are_read_in_place_and_equal_those_of_the_public_way(xserver: "XServer", paint: "Paint") -> None:
    with xserver.client() as display:
        paint(display, 123, (10, 20, 30, 40))
    in_place, signal = open_screen(xserver.name)
    public = MssGrab(grabbing._open_mss(xserver.name))
    assert isinstance(in_place, X11Grab)
    with closing(signal), closing(in_place), closing(public):
        assert np.array_equal(in_place.grab(), public.grab())
        assert in_place.grab()[25, 15, 0] == 123


def test_damage_between_acknowledgement_and_grab_is_told_again(xserver: "XServer", paint: "Paint") -> None:
    grab, signal = open_screen(xserver.name)
    with closing(signal), closing(grab), xserver.client() as display:
        signal.acknowledge()
        assert not signal.wait(0.05)
        paint(display, 50)
        assert signal.wait(5)
        assert signal.wait(0)
        signal.acknowledge()
        assert not signal.wait(0.05)


def test_a_real_screen_made_smaller_goes_on_in_its_new_size(xserver: "XServer", clock: Clock) -> None:
    source = Screen(clock, display=xserver.name)
    with closing(source), xserver.client() as display:
        source.open()
        assert next_picture(source, clock() + 1_000_000).width == 640
        xserver.resize(display, 500, 301)
        frame = next_picture(source, clock() + 2_000_000)
        while frame.width == 640:
            frame = next_picture(source, clock() + 2_000_000)
    assert (frame.width, frame.height, frame.changed) == (500, 300, True)


def test_a_screen_that_changes_its_size_goes_on_in_the_new_size(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = iter([(64, 48), (81, 61)])

    class Grab:
        def __init__(self) -> None:
            self.width, self.height = next(sizes)

        def grab(self) -> NDArray[np.uint8]:
            return np.full((self.height, self.width, 4), self.width, np.uint8)

        def close(self) -> None:
            pass

    opened: list[PollSignal] = []

    def open_fake(_display: str | None) -> tuple[Grab, PollSignal]:
        opened.append(PollSignal(lambda: (0, 0)))
        return Grab(), opened[-1]

    monkeypatch.setattr("secureproctor.capture.screen.open_screen", open_fake)
    source = Screen(clock)
    source.open()
    assert next_picture(source, clock() + 1_000_000).width == 64
    opened[0].resized = True
    frame = next_picture(source, clock() + 1_000_000)
    assert (frame.width, frame.height, frame.pixels.shape) == (80, 60, (90, 80))


def test_the_size_is_looked_at_every_two_seconds_where_nobody_tells() -> None:
    now, size = [0.0], [(640, 480)]
    signal = PollSignal(lambda: size[0], clock=lambda: now[0])
    size[0] = (800, 600)
    assert signal.wait(1)
    assert not signal.resized
    now[0] = 2.0
    assert signal.wait(1)
    assert signal.resized


def test_a_picture_keeps_its_pixels_until_the_next_but_one() -> None:
    picture = Picture(64, 48)
    assert picture.update(np.full((48, 64, 4), 10, np.uint8))
    first = picture.i420
    kept = first.copy()
    assert picture.update(np.full((48, 64, 4), 90, np.uint8))
    assert np.array_equal(first, kept)
    assert not picture.update(np.full((48, 64, 4), 90, np.uint8))


def test_a_grab_of_a_dead_server_is_a_screen_gone(xserver: "XServer") -> None:
    grab, signal = open_screen(xserver.name)
    public = MssGrab(grabbing._open_mss(xserver.name))
    with closing(signal), closing(grab), closing(public):
        xserver.stop()
        for attempt in (grab.grab, public.grab, signal.acknowledge, lambda: signal.wait(1)):
            with pytest.raises(ScreenGone):
                attempt()

"""The virtual desk, started for real: what an agent would see and hear on it, and that nothing of it remains."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import cv2
import mss
import numpy as np
import psutil
import pytest

from secureproctor.demo.browser import chromium, exam_address
from secureproctor.demo.camera import CameraFault, CameraSight, Picture, read_counter
from secureproctor.demo.desk import Desk, desk, has_own_devices
from secureproctor.demo.program import DeskError
from secureproctor.demo.sync import pair

# Runs in the desk's environment: hears the microphone for argv[1] seconds at most, and may look at the mark every 2 ms; prints
# onsets of one clock.
WITNESS = """
import json, sys, time
import mss, numpy as np, sounddevice
from secureproctor.demo.sync import beep_onsets, flash_onsets, mark_in

LOUD = 3000
seconds, look = float(sys.argv[1]), sys.argv[2] == "look"
arrivals, blocks, times, lumas = [], [], [], []

def hear(block, frames, moment, status):
    blocks.append(block[:, 0].copy())
    arrivals.append(time.monotonic() - sum(map(len, blocks)) / 48000)

with sounddevice.InputStream(samplerate=48000, channels=1, dtype="int16", latency="low", callback=hear):
    end = time.monotonic() + seconds
    if look:
        mark = mark_in(1920, 1080)
        box = {"left": mark.left + 40, "top": mark.top + 40, "width": 16, "height": 16}
        with mss.MSS() as screen:
            while time.monotonic() < end:
                lumas.append(float(np.frombuffer(screen.grab(box).bgra, np.uint8).mean()))
                times.append(time.monotonic())
                time.sleep(0.002)
    else:  # for something loud
        while time.monotonic() < end and not any(np.abs(each.astype(int)).max() > LOUD for each in blocks):
            time.sleep(0.01)
samples = np.concatenate(blocks)
loud = np.abs(samples.astype(int)).max()
beeps = beep_onsets(samples, 48000) + min(arrivals)
print(json.dumps({"loud": int(loud), "beeps": list(beeps), "flashes": list(flash_onsets(times, lumas))}))
"""

OWNER = """
import json, sys, time
from secureproctor.demo.desk import desk
print("starting", flush=True)
with desk() as pc:
    print(json.dumps([pc.display, pc.pids, str(pc.folder)]), flush=True)
    sys.stdin.read()
"""


WITH_BROWSER = """
import asyncio, json
from secureproctor.demo.browser import chromium, exam_address
from secureproctor.demo.desk import desk

async def main():
    with desk(camera=False) as pc:
        async with chromium(pc.environment, kiosk=True) as context:
            await context.pages[0].goto(exam_address())
            print(json.dumps([pc.display, pc.pids, str(pc.folder)]), flush=True)
            await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def pc() -> Iterator[Desk]:
    with desk() as whole:
        yield whole


def eventually(holds: Callable[[], bool], within_s: float = 10.0) -> bool:
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def gone(pid: int) -> bool:
    """Ended; a zombie is only its parent's to bury (process 1 of a container may never do it)."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def nothing_remains(display: str | None, pids: dict[str, int], folder: str) -> bool:
    number = (display or ":none").removeprefix(":")
    places = [Path(folder), Path(f"/tmp/.X{number}-lock"), Path(f"/tmp/.X11-unix/X{number}")]
    return all(map(gone, pids.values())) and not any(place.exists() for place in places)


def run_in(pc: Desk, code: str, *arguments: str) -> str:
    argv = [sys.executable, "-c", code, *arguments]
    return subprocess.run(argv, env=pc.environment, check=True, capture_output=True, text=True, timeout=30).stdout


def next_picture(capture: cv2.VideoCapture) -> Picture:
    ok, picture = capture.read()
    assert ok
    return cast(Picture, picture)  # the stub allows any number type; a camera's is uint8


def differs(one: Picture, other: Picture) -> bool:
    """By more than a person sways."""
    return float(np.abs(one.astype(int) - other).mean()) > 40


def test_the_camera_keeps_its_pace_and_loses_no_picture(pc: Desk) -> None:
    assert pc.camera_url is not None
    capture = cv2.VideoCapture(pc.camera_url)
    try:
        seen: list[int] = []
        began = time.monotonic()
        for _ in range(31):
            picture = next_picture(capture)
            seen.append(read_counter(picture))
        took = time.monotonic() - began
    finally:
        capture.release()
    assert seen == list(range(seen[0], seen[0] + 31))
    assert took == pytest.approx(30 / 15, abs=0.35)
    assert picture.shape == (480, 640, 3)
    assert picture.std() > 30


def test_a_covered_camera_goes_on_counting_in_the_dark(pc: Desk) -> None:
    assert pc.camera_url is not None
    pc.camera_fault(CameraFault.BLACK)
    capture = cv2.VideoCapture(pc.camera_url)
    try:
        first, second = next_picture(capture), next_picture(capture)
    finally:
        capture.release()
        pc.camera_fault(CameraFault.NONE)
    assert second[:464].max() < 8
    assert read_counter(second) == read_counter(first) + 1


def test_an_id_card_is_held_before_the_camera_and_taken_away(pc: Desk) -> None:
    assert pc.camera_url is not None
    capture = cv2.VideoCapture(pc.camera_url)
    try:
        person = next_picture(capture)
        pc.camera_sees(CameraSight.CARD)
        assert eventually(lambda: differs(next_picture(capture), person))
        pc.camera_sees(CameraSight.PERSON)
        assert eventually(lambda: not differs(next_picture(capture), person))
    finally:
        capture.release()
        pc.camera_sees(CameraSight.PERSON)


def test_the_exam_has_a_photo_of_the_person(pc: Desk) -> None:
    with urllib.request.urlopen(pc.photo_url) as answer:
        photo = cv2.imdecode(np.frombuffer(answer.read(), np.uint8), cv2.IMREAD_COLOR)
    assert photo is not None
    assert photo.shape[:2] == (512, 512)


def test_a_camera_that_is_gone_ends_its_streams_and_comes_back(pc: Desk) -> None:
    assert pc.camera_url is not None
    capture = cv2.VideoCapture(pc.camera_url)
    try:
        assert capture.read()[0]
        pc.camera_fault(CameraFault.GONE)
        assert eventually(lambda: not capture.read()[0])
        assert not cv2.VideoCapture(pc.camera_url).isOpened()
    finally:
        capture.release()
        pc.camera_fault(CameraFault.NONE)
    again = cv2.VideoCapture(pc.camera_url)
    assert again.read()[0]
    again.release()


def test_speech_is_heard_until_the_microphone_is_muted(pc: Desk) -> None:
    assert json.loads(run_in(pc, WITNESS, "6", "listen"))["loud"] > 3000
    pc.mute_microphone(True)
    try:
        assert json.loads(run_in(pc, WITNESS, "0.6", "listen"))["loud"] == 0
    finally:
        pc.mute_microphone(False)


async def test_the_exam_page_fills_the_screen_and_its_light_and_sound_leave_together(pc: Desk) -> None:
    async with chromium(pc.environment, kiosk=True) as context:
        page = context.pages[0]
        await page.goto(exam_address(beep_s=0.8))
        await page.wait_for_function("syncMark.count >= 1")
        testimony = json.loads(run_in(pc, WITNESS, "3", "look"))
        assert "The light" in await page.input_value("#essay")
    skew = pair(np.array(testimony["flashes"]), np.array(testimony["beeps"]), within_s=0.3)
    assert len(skew.ms) >= 3
    # a busy machine can only hold one of the two up: that a pair leaves together shows that they are made together
    assert min(map(abs, skew.ms)) < 30


def test_the_desktop_is_as_large_as_asked_for_and_not_black(pc: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XAUTHORITY", pc.environment["XAUTHORITY"])
    with mss.MSS(display=pc.display) as screen:
        shot = screen.grab(screen.monitors[0])
    assert (shot.width, shot.height) == (1920, 1080)
    assert np.frombuffer(shot.bgra, np.uint8).reshape(1080, 1920, 4)[:, :, :3].mean() > 20


def test_the_display_is_closed_to_those_without_its_cookie(pc: Desk) -> None:
    code = "import Xlib.display, sys; Xlib.display.Display(sys.argv[1])"
    environment = pc.environment | {"XAUTHORITY": "/dev/null"}
    argv = [sys.executable, "-c", code, str(pc.display)]
    assert subprocess.run(argv, env=environment, capture_output=True, check=False).returncode != 0


def test_parts_that_are_not_wanted_are_not_there() -> None:
    with desk(screen=False, camera=False, sound=False) as bare:
        assert bare.camera_url is None
        assert bare.display is None
        assert bare.photo_url == ""
        assert set(bare.pids) == {"keeper"}
        assert run_in(bare, "import sounddevice; print(len(sounddevice.query_devices()))").strip() == "0"
        with pytest.raises(DeskError) as caught:
            bare.camera_fault(CameraFault.GONE)
        assert caught.value.code == "no_camera"


def test_nothing_remains_after_an_exception() -> None:
    before = psutil.Process().num_fds()
    kept: list[Desk] = []

    def fail_at_the_desk() -> None:
        with desk() as pc:
            kept.append(pc)
            raise LookupError

    with pytest.raises(LookupError):
        fail_at_the_desk()
    assert nothing_remains(kept[0].display, kept[0].pids, str(kept[0].folder))
    assert psutil.Process().num_fds() == before


@pytest.mark.parametrize(
    "number", [signal.SIGKILL, signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_nothing_remains_when_the_owner_is_ended(number: signal.Signals) -> None:
    owner = subprocess.Popen(
        ["env", "--default-signal=INT", sys.executable, "-c", OWNER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert owner.stdout is not None
    owner.stdout.readline()
    display, pids, folder = json.loads(owner.stdout.readline())
    owner.send_signal(number)
    owner.communicate(timeout=20)
    assert owner.returncode != 0
    assert eventually(lambda: nothing_remains(display, pids, folder))


@pytest.mark.parametrize("number", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_nothing_remains_of_the_browser_when_its_owner_is_ended(number: signal.Signals) -> None:
    owner = subprocess.Popen([sys.executable, "-c", WITH_BROWSER], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert owner.stdout is not None
    display, pids, folder = json.loads(owner.stdout.readline())
    family = {str(child): child.pid for child in psutil.Process(owner.pid).children(recursive=True)}
    assert any("chrom" in name for name in family)
    owner.send_signal(number)
    owner.communicate(timeout=20)
    assert eventually(lambda: nothing_remains(display, pids | family, folder))


@pytest.mark.parametrize(
    ("part", "number"),
    [
        ("python", signal.SIGINT),
        ("pulseaudio", signal.SIGKILL),
        pytest.param("python", signal.SIGKILL, marks=pytest.mark.slow),
        pytest.param("Xvfb", signal.SIGINT, marks=pytest.mark.slow),
        pytest.param("Xvfb", signal.SIGKILL, marks=pytest.mark.slow),
        pytest.param("pulseaudio", signal.SIGINT, marks=pytest.mark.slow),
    ],
)
def test_nothing_remains_of_a_start_that_is_interrupted(part: str, number: signal.Signals) -> None:
    """The signal arrives as soon as the named part exists; `python` is the keeper itself."""
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert owner.stdout is not None
    owner.stdout.readline()
    family = psutil.Process(owner.pid)
    descendants: list[psutil.Process] = []

    def has_come() -> bool:
        descendants[:] = family.children(recursive=True)
        return any(child.name().startswith(part) for child in descendants if not gone(child.pid))

    assert eventually(has_come)
    keeper = next(child for child in descendants if child.ppid() == owner.pid)
    owner.send_signal(number)
    owner.communicate(timeout=20)
    assert eventually(lambda: all(gone(child.pid) for child in [keeper, *descendants]))


def test_the_parts_die_with_a_keeper_that_is_killed() -> None:
    with desk(camera=False, speech=False) as pc:
        os.kill(pc.pids["keeper"], signal.SIGKILL)
        assert eventually(lambda: all(map(gone, pc.pids.values())))
    assert nothing_remains(pc.display, pc.pids, str(pc.folder))


def test_a_missing_program_names_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DeskError) as caught, desk():
        pass
    assert caught.value.code == "program_missing"
    assert "apt install xvfb" in caught.value.remedy


@pytest.mark.parametrize(
    ("system", "environment", "expected"),
    [
        ("win32", {}, True),
        ("darwin", {}, True),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("linux", {"DISPLAY": ""}, False),
        ("linux", {}, False),
    ],
)
def test_own_devices_are_those_of_somebody_who_sits_there(
    system: str, environment: dict[str, str], expected: bool
) -> None:
    assert has_own_devices(system, environment) is expected

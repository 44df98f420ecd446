"""Check System's probes on real parts: what a healthy device shows, and each fault by its code."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from secureproctor.capture import probe
from secureproctor.capture.probe import list_microphones, list_webcams, probe_microphone, probe_screen, probe_webcam
from secureproctor.capture.source import CannotOpen, Diagnosis
from secureproctor.contract.streams import Stream

if TYPE_CHECKING:
    from tests.capture.conftest import Camera, Paint, SoundServer, XServer


def test_a_screen_that_shows_something_passes_and_its_size_is_said(xserver: "XServer", paint: "Paint") -> None:
    with xserver.client() as display:
        paint(display, 120)
        result = probe_screen(0.4, xserver.name)
    assert (result.code, result.seen) == ("ok", "640x480, 1 changed pictures")


def test_a_screen_on_which_nothing_was_ever_drawn_is_black(xserver: "XServer") -> None:
    assert probe_screen(0.3, xserver.name).code == "black"


def test_no_display_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    result = probe_screen(0.2)
    assert (result.code, result.seen) == ("no_display", "There is no screen to capture.")


def test_a_living_camera_passes(camera: "Camera") -> None:
    result = probe_webcam(camera.url, 0.8)
    assert result.code == "ok", result
    assert result.seen.startswith("640x480, ")


@pytest.mark.parametrize(
    ("grey", "noise", "fault", "code"),
    [(0, False, "", "black"), (120, False, "", "frozen"), (120, True, "gone", "missing")],
)
def test_a_camera_with_a_fault_is_found_out(camera: "Camera", grey: int, noise: bool, fault: str, code: str) -> None:
    camera.grey, camera.noise, camera.fault = grey, noise, fault
    assert probe_webcam(camera.url, 0.6).code == code


def test_a_camera_that_opens_and_says_nothing_is_stalled(camera: "Camera") -> None:
    started = threading.Timer(0.4, setattr, (camera, "fault", "stalled"))
    started.start()
    assert probe_webcam(camera.url, 20.0).code == "stalled"


def test_a_microphone_that_hears_something_passes(sound: "SoundServer") -> None:
    t = np.arange(48_000 * 2) / 48_000
    player = sound.player()
    noise = (np.sin(2 * np.pi * 440 * t) * 8000).astype(np.int16).tobytes()
    feeder = threading.Thread(target=player.communicate, args=(noise,))
    feeder.start()
    result = probe_microphone(None, 1.0)
    feeder.join()
    assert result.code == "ok", result
    assert "loudest at -12 dBFS" in result.seen


def test_a_muted_microphone_is_silent(sound: "SoundServer") -> None:
    result = probe_microphone(None, 0.3)
    assert result.code == "silent"
    assert result.seen.endswith("only digital silence")


def test_a_microphone_that_is_not_there_is_missing(sound: "SoundServer") -> None:
    assert probe_microphone("no such microphone", 0.2).code == "missing"


def test_microphones_are_listed_by_number_and_name(sound: "SoundServer") -> None:
    assert "default" in [name for _, name in list_microphones()]


def test_the_list_of_cameras_holds_what_the_kernel_lists() -> None:
    assert all(isinstance(index, int) and name for index, name in list_webcams())


def test_every_diagnosis_of_a_source_becomes_the_probes_code(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[Diagnosis] = []

    def refusing(code: Diagnosis) -> Callable[..., object]:
        class Refuses:
            def __init__(self, *_: object) -> None:
                pass

            def open(self) -> None:
                raise CannotOpen(Stream.WEBCAM, code, "errno")

            def close(self) -> None:
                closed.append(code)

        return Refuses

    for code in Diagnosis:
        monkeypatch.setattr(probe, "Webcam", refusing(code))
        result = probe_webcam()
        assert (result.code, result.detail) == (code, "errno")
    assert closed == list(Diagnosis)

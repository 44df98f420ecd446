"""Proof that a device delivers, for Check System: some seconds of the very same sources that the recorder uses.

The outcome is a value, also the bad one. Nothing is encoded, kept or passed on but numbers: sizes, counts, levels.
"""

import math
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np

from secureproctor.capture import v4l2
from secureproctor.capture.judge import Look, dbfs, judge_camera, judge_screen, judge_sound
from secureproctor.capture.media import AudioBlock, VideoFrame
from secureproctor.capture.microphone import Microphone, portaudio, refresh_devices
from secureproctor.capture.screen import Screen
from secureproctor.capture.source import CaptureError, Source
from secureproctor.capture.webcam import Webcam

T = TypeVar("T", bound=VideoFrame | AudioBlock)

_LOOK_SPACING_US = 200_000


@dataclass(frozen=True, slots=True)
class Probe:
    """What a device showed. `code` is a `Diagnosis`; `seen` says in words what was seen or heard; `detail` is for logs."""

    code: str
    seen: str
    detail: str = ""


def _clock() -> int:
    return time.monotonic_ns() // 1000


def _taken(source: Source[T], seconds: float) -> Iterator[T]:
    """What the source delivers in `seconds` from its first delivery on; a device may take three seconds to begin."""
    end_us = _clock() + 3_000_000
    began = False
    while (now_us := _clock()) < end_us:
        item = source.read(min(end_us, now_us + _LOOK_SPACING_US))
        if item is None:
            continue
        if not began:
            began, end_us = True, _clock() + round(seconds * 1_000_000)
        yield item


def _probed(source: Source[T], judge: Callable[[Source[T]], Probe]) -> Probe:
    with closing(source):
        try:
            source.open()
            return judge(source)
        except CaptureError as problem:
            return Probe(problem.code, problem.sentence, problem.detail)


def _look(frame: VideoFrame) -> Look:
    mean, deviation = cv2.meanStdDev(frame.pixels[: frame.height])
    return Look(float(mean[0, 0]), float(deviation[0, 0]), zlib.crc32(frame.pixels.data))


def _size_and_looks(frames: Iterator[VideoFrame]) -> tuple[str, list[Look], int]:
    """Size in words, looks at some pictures, and how many pictures brought something new."""
    size, looks, changed, next_us = "", [], 0, 0
    for frame in frames:
        size = f"{frame.width}x{frame.height}"
        changed += frame.changed
        if frame.at_us >= next_us:
            looks.append(_look(frame))
            next_us = frame.at_us + _LOOK_SPACING_US
    return size, looks, changed


def probe_screen(seconds: float = 1.0, display: str | None = None) -> Probe:
    """Codes: ok, no_display, black, stalled. `display` names an X11 display; None means `$DISPLAY`."""

    def judge(source: Source[VideoFrame]) -> Probe:
        size, looks, changed = _size_and_looks(_taken(source, seconds))
        return Probe(judge_screen(looks), f"{size}, {changed} changed pictures", _levels(looks))

    return _probed(Screen(_clock, display=display), judge)


def probe_webcam(device: int | str = 0, seconds: float = 1.5) -> Probe:
    """Codes: ok, missing, no_permission, busy, stalled, black, frozen."""

    def judge(source: Source[VideoFrame]) -> Probe:
        size, looks, changed = _size_and_looks(_taken(source, seconds))
        seen = f"{size}, {changed} pictures in {seconds:g} s" if looks else "no picture"
        return Probe(judge_camera(looks), seen, _levels(looks))

    return _probed(Webcam(_clock, device), judge)


def probe_microphone(device: int | str | None = None, seconds: float = 1.5) -> Probe:
    """Codes: ok, missing, no_permission, busy, stalled, silent."""

    def judge(source: Source[AudioBlock]) -> Probe:
        heard = [block.samples for block in _taken(source, seconds)]
        samples = np.concatenate(heard) if heard else np.empty(0, np.int16)
        peak, length_s = dbfs(samples), len(samples) / 48_000
        loudness = f"loudest at {peak:.0f} dBFS" if math.isfinite(peak) else "only digital silence"
        name = portaudio().query_devices(device, "input")["name"]
        return Probe(judge_sound(peak, length_s), f"{name}: {length_s:.1f} s of sound, {loudness}")

    return _probed(Microphone(_clock, device), judge)


def _levels(looks: list[Look]) -> str:
    return " ".join(f"{look.mean:.0f}±{look.deviation:.1f}" for look in looks)


def list_webcams() -> list[tuple[int, str]]:
    """(index, name) of each camera.

    OpenCV knows no names and no list: on Linux the kernel is asked; elsewhere the first four indices are opened for a
    moment, in which the light of a camera may flash. Not yet run on Windows and macOS.
    """
    return v4l2.cameras() if sys.platform == "linux" else _cameras_that_open()


def _cameras_that_open() -> list[tuple[int, str]]:
    found = []
    for index in range(4):
        source = Webcam(_clock, index)
        with closing(source):
            try:
                source.open()
            except CaptureError:
                continue
            found.append((index, f"Camera {index + 1}"))
    return found


def list_microphones() -> list[tuple[int, str]]:
    """(index, name) of each device that PortAudio can record from, as of now; none when there is no PortAudio.

    Not while a microphone is captured by this process: looking for devices anew restarts PortAudio.
    """
    try:
        refresh_devices()
        devices = portaudio().query_devices()
    except CaptureError:
        return []
    return [(int(its["index"]), str(its["name"])) for its in devices if its["max_input_channels"] > 0]

"""The measuring of skew, on signals whose skew is known."""

import re
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from secureproctor.demo.browser import EXAM_PAGE
from secureproctor.demo.sync import BEEP_HZ, BEEP_S, MARK_SIDE, beep_onsets, flash_onsets, mark_in, measure, pair

RATE = 48000


def beeps_at(onsets: list[float], seconds: float, volume: float = 0.25) -> NDArray[np.float64]:
    t = np.arange(int(seconds * RATE)) / RATE
    inside = sum(((t >= onset) & (t < onset + BEEP_S)).astype(float) for onset in onsets)
    return np.asarray(volume * np.sin(2 * np.pi * BEEP_HZ * t) * inside)


def speech_like(seconds: float, volume: float, seed: int) -> NDArray[np.float64]:
    """Syllables: a buzz with harmonics up to 5 kHz and hiss, switched about four times a second."""
    random, t = np.random.default_rng(seed), np.arange(int(seconds * RATE)) / RATE
    pitch = 120 + 20 * np.sin(2 * np.pi * 0.7 * t)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    buzz = sum(np.sin(k * phase + random.uniform(0, 6)) / k for k in range(1, 40))
    syllables = np.repeat(random.random(int(seconds * 4) + 1), RATE // 4)[: len(t)]
    return np.asarray(volume * syllables * (0.3 * buzz + 0.2 * random.normal(size=len(t))))


def to_int16(signal: NDArray[np.float64]) -> NDArray[np.int16]:
    return np.asarray(np.clip(signal * 32767, -32768, 32767), np.int16)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.3, 0.8), st.floats(1.3, 1.7), st.floats(0.0, 0.5), st.integers(0, 1000))
def test_beeps_are_found_within_five_milliseconds_under_speech(
    first: float, second: float, volume: float, seed: int
) -> None:
    signal = beeps_at([first, second], 2.5) + speech_like(2.5, volume, seed)
    assert beep_onsets(to_int16(signal), RATE) == pytest.approx([first, second], abs=0.005)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.05, 1.0), st.integers(0, 1000))
def test_speech_and_silence_hold_no_beep(volume: float, seed: int) -> None:
    assert len(beep_onsets(to_int16(speech_like(3, volume, seed)), RATE)) == 0
    assert len(beep_onsets(np.zeros(RATE, np.int16), RATE)) == 0


def test_a_flash_begins_with_the_first_bright_frame() -> None:
    lumas = [16, 16, 235, 235, 16, 17, 90, 235, 16]
    assert flash_onsets(np.arange(9) / 10, lumas) == pytest.approx([0.2, 0.7])
    assert len(flash_onsets([0.0, 0.1, 0.2], [16, 30, 16])) == 0


@given(st.floats(-400, 400), st.floats(-40, 40))
def test_pairs_give_back_offset_and_drift(offset_ms: float, drift_ms_per_minute: float) -> None:
    flashes = np.arange(5, 120, 5.0)
    skew = pair(flashes, flashes + (offset_ms + drift_ms_per_minute * flashes / 60) / 1000)
    assert skew.drift_ms_per_minute == pytest.approx(drift_ms_per_minute, abs=1e-3)
    assert skew.median_ms == pytest.approx(offset_ms + drift_ms_per_minute, abs=0.1 + abs(drift_ms_per_minute) / 10)
    assert skew.max_ms >= abs(skew.median_ms) - 1e-9


def test_a_flash_without_a_beep_is_left_out() -> None:
    assert pair(np.array([5.0, 10.0]), np.array([10.04])).ms == pytest.approx((40.0,))
    assert np.isnan(pair(np.array([5.0]), np.empty(0)).median_ms)


def test_skew_is_measured_from_recordings(tmp_path: Path) -> None:
    """Sound 40 ms after the picture, through H.264 and AAC, the sound starting half a second into the session."""
    flashes = [1.0, 3.0, 5.0]
    _write_screen(tmp_path / "screen.mp4", flashes)
    sound = beeps_at([at + 0.04 - 0.5 for at in flashes], 6) + speech_like(6, 0.3, 1)
    _write_audio(tmp_path / "audio.m4a", to_int16(sound), start_s=0.5)
    skew = measure(tmp_path / "screen.mp4", tmp_path / "audio.m4a")
    assert skew.at_s == pytest.approx(flashes)
    assert skew.ms == pytest.approx([40.0] * 3, abs=5)


def test_a_hole_in_the_sound_does_not_shift_what_comes_after(tmp_path: Path) -> None:
    sound = to_int16(beeps_at([1.0, 3.0], 4))
    hole = 2 * RATE // 1024 * 1024
    _write_audio(tmp_path / "audio.m4a", sound, start_s=0.0, hole_at=hole, hole_s=1.0)
    _write_screen(tmp_path / "screen.mp4", [1.0, 4.0])
    assert measure(tmp_path / "screen.mp4", tmp_path / "audio.m4a").ms == pytest.approx([0.0, 0.0], abs=5)


def test_the_page_and_the_measuring_agree_on_the_mark() -> None:
    page = EXAM_PAGE.read_text()
    assert re.search(
        rf"#mark {{ position: fixed; left: 0; bottom: 0; width: {MARK_SIDE}px; height: {MARK_SIDE}px", page
    )
    assert f"frequency: {BEEP_HZ}" in page
    assert f"tone.stop(start + {BEEP_S})" in page


def _write_screen(path: Path, flashes: list[float]) -> None:
    with av.open(str(path), "w") as recording:
        stream = recording.add_stream("libx264", rate=10, options={"preset": "ultrafast", "tune": "zerolatency"})
        stream.width, stream.height, stream.pix_fmt = 960, 540, "yuv420p"
        mark = mark_in(960, 540)
        for n in range(65):
            picture = np.full((540, 960, 3), 120, np.uint8)
            lit = any(at - 1e-6 <= n / 10 < at + 0.2 - 1e-6 for at in flashes)
            picture[mark.top : mark.top + mark.height, mark.left : mark.left + mark.width] = 255 if lit else 0
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = n, Fraction(1, 10)
            recording.mux(stream.encode(frame))
        recording.mux(stream.encode(None))


def _write_audio(path: Path, samples: NDArray[np.int16], start_s: float, hole_at: int = 0, hole_s: float = 0) -> None:
    with av.open(str(path), "w", format="mp4") as recording:
        stream = recording.add_stream("aac", rate=RATE, layout="mono")
        for at in range(0, len(samples), 1024):
            frame = av.AudioFrame.from_ndarray(samples[None, at : at + 1024], "s16", "mono")
            delay = start_s + (hole_s if at >= hole_at else 0)
            frame.sample_rate, frame.pts, frame.time_base = RATE, at + int(delay * RATE), Fraction(1, RATE)
            recording.mux(stream.encode(frame))
        recording.mux(stream.encode(None))

"""The command lines of programs that are measured: what others would use for the same work, and our parts alone."""

import sys
from pathlib import Path

from secureproctor.benchmarks.alike import AUDIO_BITRATE, CRF, FPS, PRESET, RATE_TOLD, SEGMENT_S
from secureproctor.benchmarks.place import Place
from secureproctor.contract.streams import Stream

# force-cfr: x264 judges by the rate that it is told, and not by the time stamps, which pass through unchanged
_ALIKE = (
    f"-c:v libx264 -preset {PRESET} -crf {CRF} -tune zerolatency -threads 1 -pix_fmt yuv420p "
    f"-x264-params fps={RATE_TOLD}:force-cfr=1"
).split()
_KEY_FRAMES = ["-g", str(FPS * SEGMENT_S)]

_ENCODERS: dict[Stream, list[str]] = {
    Stream.SCREEN: [*_ALIKE, *_KEY_FRAMES],
    Stream.WEBCAM: [*_ALIKE, *_KEY_FRAMES, "-r", str(FPS)],
    Stream.AUDIO: ["-c:a", "aac", "-aac_coder", "fast", "-b:a", str(AUDIO_BITRATE), "-ac", "1"],
}


def ffmpeg(place: Place, folder: Path) -> list[str]:
    """Screen, webcam and microphone by one ffmpeg, each into HLS of fragmented MP4; without the pointer, as ours."""
    inputs: dict[Stream, list[str]] = {
        Stream.SCREEN: f"-f x11grab -draw_mouse 0 -framerate {FPS} -i {place.desk.display}".split(),
        Stream.WEBCAM: f"-f mpjpeg -use_wallclock_as_timestamps 1 -threads 1 -i {place.desk.camera_url}".split(),
        Stream.AUDIO: ["-f", "pulse", "-channels", "1", "-sample_rate", "48000", "-i", "default"],
    }
    argv = ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "warning", "-filter_threads", "1"]
    for words in inputs.values():
        argv += ["-thread_queue_size", "64", *words]
    for number, stream in enumerate(inputs):
        argv += ["-map", str(number), *_ENCODERS[stream], *_hls(folder, stream)]
    return argv


def _hls(folder: Path, stream: Stream) -> list[str]:
    """The init file's name is taken relative to the playlist; `-0` sorts it before the segments."""
    words = f"-f hls -hls_time {SEGMENT_S} -hls_list_size 0 -hls_segment_type fmp4".split()
    words += ["-hls_fmp4_init_filename", f"{stream}-0.mp4", "-hls_segment_filename", f"{folder}/{stream}-1%04d.m4s"]
    return [*words, f"{folder}/{stream}.m3u8"]


def screen_alone(place: Place, folder: Path) -> list[str]:
    """Our recorder with the screen as its one stream."""
    return _module("screen_alone", folder)


def naive_loop(place: Place, folder: Path) -> list[str]:
    """The loop that anybody would write first."""
    return _module("naive_loop", folder)


def _module(name: str, folder: Path) -> list[str]:
    return [sys.executable, "-m", f"secureproctor.benchmarks.{name}", str(folder / "screen.mp4")]

"""The microphone: PortAudio's callback puts blocks into a queue, the recorder's thread places them on the session clock.

What PortAudio 19.6 does not say has to be watched: an unplugged microphone ends in silence of the callback (the stream calls
itself active, and a blocking read would never return), so the age of the last callback is what tells. A stream in that state
is closed by a thread of its own, as closing may hang. The list of devices is read once at start-up; only starting PortAudio
anew refreshes it. Linux with PulseAudio is exercised by tests; not yet run on Windows and macOS.
"""

import queue
import sys
import threading
from typing import Any

import numpy as np

from secureproctor.capture import alsa
from secureproctor.capture.audio_clock import AudioClock
from secureproctor.capture.media import AudioBlock, Clock
from secureproctor.capture.source import CannotOpen, DeviceLost, Diagnosis, SourceCounts
from secureproctor.contract.streams import Stream

RATE = 48_000
BLOCK = 960
"""Samples of a callback: 20 ms."""
STALL_US = 1_500_000
_GATHER_S = 0.1
"""Blocks are fetched ten times a second: each wake-up costs more than the copying."""
_LATENCY_S = 0.1
_BUSY = frozenset({-9985, -9998})
"""PortAudio's "device unavailable", and "invalid number of channels", which it also says of a busy device."""


def portaudio() -> Any:
    """The sounddevice module. Imported here, as the import itself starts PortAudio. Raises `CannotOpen`: missing."""
    try:
        import sounddevice
    except OSError as problem:  # the PortAudio library is not installed
        raise CannotOpen(Stream.AUDIO, Diagnosis.MISSING, str(problem)) from problem
    return sounddevice


def refresh_devices() -> None:
    """Starts PortAudio anew, so that it sees devices of now. No stream may be open in this process."""
    sounddevice = portaudio()
    try:
        sounddevice._terminate()
        sounddevice._initialize()
    except sounddevice.PortAudioError as problem:
        raise CannotOpen(Stream.AUDIO, Diagnosis.MISSING, str(problem)) from problem


def diagnosis_of(error_code: int | None, system: Diagnosis) -> Diagnosis:
    """What an error of PortAudio means, given what the system says of its sound cards."""
    if error_code in _BUSY:
        return Diagnosis.BUSY
    return system if system is not Diagnosis.OK else Diagnosis.MISSING


class Microphone:
    """`Source[AudioBlock]`: mono, 16 bits, 48 kHz. `device` is PortAudio's index, a part of a name, or None: the default."""

    def __init__(self, clock: Clock, device: int | str | None = None) -> None:
        self._clock = clock
        self._device = device
        self._stream: Any = None
        self._blocks: queue.SimpleQueue[tuple[int, bytes, bool]] = queue.SimpleQueue()
        self._interrupted = threading.Event()
        self._refresh = False
        self._grabbed = self._skipped = 0

    def open(self) -> None:
        """Raises `CannotOpen` with missing, no_permission or busy."""
        if self._refresh:
            refresh_devices()
        self._refresh = True  # from the second time on, the device may have been plugged in since
        sounddevice = portaudio()
        self._blocks = queue.SimpleQueue()
        self._audio_clock = AudioClock(RATE)
        try:
            self._stream = sounddevice.RawInputStream(
                samplerate=RATE,
                blocksize=BLOCK,
                device=self._device,
                channels=1,
                dtype="int16",
                latency=_LATENCY_S,
                callback=self._heard(self._blocks),
            )
            self._stream.start()
        except (sounddevice.PortAudioError, ValueError) as problem:  # ValueError: no device of that name
            self.close()
            number = problem.args[1] if len(problem.args) > 1 else None
            system = alsa.diagnose() if sys.platform == "linux" else Diagnosis.OK
            raise CannotOpen(Stream.AUDIO, diagnosis_of(number, system), str(problem)) from problem
        self._last_us = self._clock()

    def _heard(self, blocks: "queue.SimpleQueue[tuple[int, bytes, bool]]") -> Any:
        """The callback, bound to the queue of one opening: a stream that is slow to die cannot talk into the next.

        PortAudio's own time of the first sample is left aside: some host APIs leave it at 0, and by way of PulseAudio it
        is extrapolated, under load into the past. That a block was heard before it arrived is always true.
        """

        def callback(data: Any, count: int, _times: Any, status: Any) -> None:
            heard_us = self._clock() - count * 1_000_000 // RATE
            blocks.put((heard_us, bytes(data), bool(status.input_overflow)))

        return callback

    def read(self, until_us: int) -> AudioBlock | None:
        """What was heard since the last call, about 100 ms. Raises `DeviceLost` with stalled or missing."""
        while not self._interrupted.wait(_GATHER_S):
            block = self._gather()
            if block is not None:
                return block
            if self._clock() - self._last_us > STALL_US:
                raise DeviceLost(Stream.AUDIO, Diagnosis.STALLED, self._last_us, "no callback")
        return self._gather()

    def _gather(self) -> AudioBlock | None:
        """All blocks that wait, as one. Places each of them on the clock."""
        parts, start = [], None
        while True:
            try:
                heard_us, data, overflow = self._blocks.get_nowait()
            except queue.Empty:
                break
            samples = np.frombuffer(data, np.int16)
            placed = self._audio_clock.place(heard_us, len(samples), overflow)
            if placed is None:
                raise DeviceLost(Stream.AUDIO, Diagnosis.STALLED, self._last_us, "the sound paused")
            start = placed.start if start is None else start
            parts.append(placed.apply(samples))
            self._grabbed += 1
            self._skipped += max(0, -placed.adjust)
            self._last_us = self._clock()
        if start is None:
            return None
        # what the microphone had heard before the session began is nobody's business
        samples, start = np.concatenate(parts)[max(0, -start) :], max(0, start)
        return AudioBlock(samples, RATE, round(start * 1_000_000 / RATE)) if len(samples) else None

    def close(self) -> None:
        """Ends the stream, by a thread of its own that is not waited for longer than half a second."""
        stream, self._stream = self._stream, None
        if stream is None:
            return
        closer = threading.Thread(target=_end, args=(stream,), name="microphone-closer", daemon=True)
        closer.start()
        closer.join(0.5)

    def set_pace(self, fps: float) -> None:
        """Sound has no pace."""

    def interrupt(self) -> None:
        """Ends the present read and all later ones."""
        self._interrupted.set()

    def counts(self) -> SourceCounts:
        """Blocks heard, and samples left out by the audio clock."""
        return SourceCounts(self._grabbed, self._skipped)


def _end(stream: Any) -> None:
    stream.abort(ignore_errors=True)
    stream.close(ignore_errors=True)

"""The desk's sound: a PulseAudio daemon of its own, whose loudspeaker is heard by its microphone.

A null sink is the loudspeaker, a remapped copy of its monitor the microphone (a bare monitor is hidden by programs that list
microphones). `norewinds=1` matters: without it the first one or two seconds of whatever is played are lost.

The sink runs at 50 kHz because PulseAudio 16 keeps a null sink's time in whole microseconds, and cuts the rest off with every
block. At 48 kHz (20.8 µs) its clock ran 80 to 600 ppm fast, the more the smaller the blocks; at 20 µs nothing is cut off.
"""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from secureproctor.demo.program import find, running, wait_until

MICROPHONE = "desk_microphone"
_SINK = "desk_speaker"
_AF_UNIX = 1  # socket.AF_UNIX, which the type stubs have for some systems only

SPEECH_RATE = 22050  # what espeak-ng makes

SENTENCES = (
    "Question three. Explain why the sky is blue at noon, and red in the evening.",
    "Light of short waves is scattered more than light of long waves.",
    "Hmm, let me think about that again.",
    "So in the evening, the way through the air is longer, and most of the blue is gone.",
    "I think that is enough. Now the next one.",
    "Find the speed after four seconds, if the acceleration is two metres per second squared.",
)

_DAEMON = """\
load-module module-null-sink sink_name={sink} rate=50000 channels=1 norewinds=1 sink_properties=device.description=Speaker
load-module module-remap-source source_name={microphone} master={sink}.monitor source_properties=device.description=Microphone
set-default-sink {sink}
set-default-source {microphone}
load-module module-native-protocol-unix socket={socket} auth-anonymous=1 auth-cookie-enabled=0
"""

# All that ALSA knows on the desk: PortAudio lists these two and no card of the machine itself.
_ALSA = """\
pcm.default { type pulse hint { show on description "Desk" } }
pcm.pulse { type pulse hint { show on description "Desk" } }
ctl.default { type pulse }
ctl.pulse { type pulse }
"""

# An empty file makes PortAudio abort in its search for devices; one entry of no use makes it find none.
_NO_ALSA = "pcm.none { type empty }\n"


@contextmanager
def sound(environment: dict[str, str], folder: Path, *, speech: bool) -> Iterator[dict[str, int]]:
    """A running PulseAudio daemon, written into `environment`, and somebody who talks; yields the process ids."""
    place = folder / "pulse.socket"
    script = folder / "pulse.pa"
    script.write_text(_DAEMON.format(sink=_SINK, microphone=MICROPHONE, socket=place))
    silence(environment, folder)
    (folder / "alsa.conf").write_text(_ALSA)
    log = folder / "pulse.log"
    options = (
        "--daemonize=no --use-pid-file=no --exit-idle-time=-1 --realtime=no --high-priority=no --log-target=stderr"
    )
    with ExitStack() as stack:
        daemon = stack.enter_context(
            running(["pulseaudio", "-n", *options.split(), f"--file={script}"], environment, log)
        )
        wait_until(lambda: _answers(place), "pulseaudio", log, daemon)
        pids = {"pulseaudio": daemon.pid}
        if speech:
            pids |= stack.enter_context(_voice(environment, folder))
        yield pids


def silence(environment: dict[str, str], folder: Path) -> None:
    """Point `environment` at the desk's sound only: before the daemon runs, that is a machine without any."""
    (folder / "alsa.conf").write_text(_NO_ALSA)
    environment.update(
        PULSE_SERVER=f"unix:{folder / 'pulse.socket'}",
        PULSE_RUNTIME_PATH=str(folder / "pulse"),
        PULSE_STATE_PATH=str(folder / "pulse"),
        PULSE_COOKIE=str(folder / "pulse.cookie"),
        ALSA_CONFIG_PATH=str(folder / "alsa.conf"),
    )


def _answers(place: Path) -> bool:
    with socket.socket(_AF_UNIX, socket.SOCK_STREAM) as client:
        return client.connect_ex(str(place)) == 0


@contextmanager
def _voice(environment: dict[str, str], folder: Path) -> Iterator[dict[str, int]]:
    """Somebody who reads sentences aloud for as long as the block lasts.

    Speaker and player are two children of ours joined by a pipe: a player started by the speaker would outlive it unreaped.
    """
    sentences = [_speak(text, folder / f"sentence{n}.wav") for n, text in enumerate(SENTENCES)]
    speaker = [sys.executable, "-m", "secureproctor.demo.voice", *sentences]
    player = [
        "pacat",
        "--playback",
        "--raw",
        "--format=s16le",
        f"--rate={SPEECH_RATE}",
        "--channels=1",
        "--latency-msec=200",
    ]
    with ExitStack() as stack:
        voice = stack.enter_context(running(speaker, environment, folder / "voice.log", stdout=subprocess.PIPE))
        pacat = stack.enter_context(running(player, environment, folder / "pacat.log", stdin=voice.stdout))
        yield {"voice": voice.pid, "pacat": pacat.pid}


def _speak(text: str, wav: Path) -> str:
    subprocess.run(
        [find("espeak-ng"), "-s", "150", "-a", "80", "-w", str(wav), text], check=True, stdin=subprocess.DEVNULL
    )
    return str(wav)

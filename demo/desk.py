"""The virtual desk: a machine without screen, camera and sound card looks like a candidate's PC, and gets everything back.

    with desk() as pc:
        subprocess.run([...], env=pc.environment)

Screen: Xvfb with a window manager. Sound: PulseAudio, whose microphone hears what its loudspeaker plays, and somebody talking.
Camera: real pictures of a person over loopback HTTP. All belongs to a keeper process (keeper.py) that ends with its owner.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

from secureproctor.demo.camera import PHOTO, CameraFault, CameraSight, tell
from secureproctor.demo.keeper import Wanted, ask
from secureproctor.demo.program import DeskError, find
from secureproctor.demo.sound import MICROPHONE

_LETTING_GO_S = 20.0  # several parts in a row may each need a kill after three seconds


@dataclass(frozen=True, slots=True)
class Desk:
    """How to reach the parts.

    `environment` is complete: give it to a process as it is, and it sees the desk's devices and none of the machine's.
    `pids` holds the process id by part: keeper, Xvfb, openbox, pulseaudio, voice, pacat, camera.
    `folder` is private, and removed at the end.
    """

    environment: dict[str, str]
    camera_url: str | None
    pids: dict[str, int]
    folder: Path

    @property
    def display(self) -> str | None:
        """The X display, as `:99`; None for a desk without screen."""
        return self.environment.get("DISPLAY")

    @property
    def photo_url(self) -> str:
        """A photo of the person before the camera, as an exam may have one; empty without a camera."""
        return urljoin(self.camera_url, PHOTO) if self.camera_url else ""

    def camera_fault(self, fault: CameraFault) -> None:
        """Break the camera, or repair it with `CameraFault.NONE`."""
        self._tell_camera(fault)

    def camera_sees(self, sight: CameraSight) -> None:
        """Put a person before the camera (as in the beginning), or an ID card."""
        self._tell_camera(sight)

    def _tell_camera(self, what: CameraFault | CameraSight) -> None:
        if self.camera_url is None:
            raise DeskError("no_camera", "This desk was set up without a camera.", "Ask for one: desk(camera=True).")
        tell(self.camera_url, what)

    def mute_microphone(self, muted: bool) -> None:
        """The microphone goes on at its rate, with zeros."""
        argv = [find("pactl"), "set-source-mute", MICROPHONE, str(int(muted))]
        subprocess.run(argv, env=self.environment, check=True, capture_output=True)


@contextmanager
def desk(
    *,
    screen: bool = True,
    camera: bool = True,
    sound: bool = True,
    speech: bool = True,
    size: tuple[int, int] = (1920, 1080),
    fps: int = 15,
) -> Iterator[Desk]:
    """A desk for as long as the block lasts; blocks about a second at the beginning, less at the end.

    A part that is not wanted is not there at all, as on a PC without it. Raises DeskError when a part cannot be had.
    """
    if platform.system() != "Linux":
        raise DeskError("not_linux", "The virtual desk exists on Linux only.", "Use this PC's own devices.")
    wanted = Wanted(screen, camera, sound, speech, *size, fps)
    # a session of its own: Ctrl-C is the owner's affair, who then lets go of the pipe
    keeper = subprocess.Popen(ask(wanted), stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    pc = None
    try:
        pc = _reach(keeper)
        yield pc
    finally:
        _let_go(keeper)
        if pc is not None:  # the folder is still there if the keeper itself was killed
            shutil.rmtree(pc.folder, ignore_errors=True)


def _reach(keeper: subprocess.Popen[bytes]) -> Desk:
    line = keeper.stdout.readline() if keeper.stdout else b""
    if not line:
        raise DeskError("keeper_failed", "The desk's keeper ended at once.", "Its own message stands above.")
    answer = json.loads(line)
    if "code" in answer:
        raise DeskError(**answer)
    return Desk(**answer | {"folder": Path(answer["folder"])})


def _let_go(keeper: subprocess.Popen[bytes]) -> None:
    """Close the pipe, and wait until all is gone; a second Ctrl-C meanwhile leaves the rest to the keeper."""
    try:
        keeper.communicate(timeout=_LETTING_GO_S)  # closes the pipe first
    except subprocess.TimeoutExpired:
        keeper.kill()
        keeper.communicate()


def has_own_devices(system: str = sys.platform, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether somebody sits at this machine: then its own screen, camera and microphone are used, not a virtual desk."""
    return system in ("win32", "darwin") or any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))

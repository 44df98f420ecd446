"""On what it was measured: the machine, how busy it was with other things, and the versions of what did the work."""

import os
import platform
import subprocess
import time
from importlib.metadata import version

from secureproctor.benchmarks import proc
from secureproctor.demo.program import find

LIBRARIES = ("secureproctor", "av", "opencv-python-headless", "mss", "numpy", "sounddevice", "cryptography", "httpx")
BUSY_PCT = 10.0
"""A machine that does more than this by itself is called busy."""
_LOOK_S = 3.0


def busy_pct() -> float:
    """The share of all processors that is in use now; looks for three seconds."""
    before = proc.of_machine()
    time.sleep(_LOOK_S)
    return proc.busy_pct(before, proc.of_machine())


def described() -> dict[str, str]:
    """What a reader needs to know to judge the figures."""
    return {
        "Processor": f"{proc.processor()}, {os.cpu_count()} cores",
        "System": f"{platform.freedesktop_os_release()['PRETTY_NAME']}, {platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "Libraries": ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        "ffmpeg, the program": _ffmpeg(),
    }


def _ffmpeg() -> str:
    said = subprocess.run([find("ffmpeg"), "-version"], capture_output=True, text=True, check=True).stdout
    return said.split()[2]

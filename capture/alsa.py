"""Why no microphone is found on Linux, asked of the system itself.

To PortAudio a sound card without permission looks like no sound card. The kernel lists its cards for everybody in
/proc/asound, and says through the access rights of /dev/snd/pcm*c who may record.
"""

import os
from collections.abc import Callable
from pathlib import Path

from secureproctor.capture.source import Diagnosis


def _may_record(path: Path) -> bool:
    return os.access(path, os.R_OK | os.W_OK)


def diagnose(
    nodes: Path = Path("/dev/snd"),
    cards: Path = Path("/proc/asound/cards"),
    may_record: Callable[[Path], bool] = _may_record,
) -> Diagnosis:
    """MISSING or NO_PERMISSION when no card can be recorded from; OK when one could be."""
    inputs = list(nodes.glob("pcm*c")) if nodes.is_dir() else []
    if any(may_record(path) for path in inputs):
        return Diagnosis.OK
    listed = cards.exists() and "]:" in cards.read_text()
    hidden = listed and nodes.is_dir() and not os.access(nodes, os.R_OK | os.X_OK)
    return Diagnosis.NO_PERMISSION if inputs or hidden else Diagnosis.MISSING

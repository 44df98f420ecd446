"""What can be broken on purpose before a course, to see that the product says what is wrong and leaves nothing behind."""

import shutil
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Breakage:
    """What is missing or wrong. `service_gone`: the service is ended before Init. `disk_mb`: size of the agent's disk."""

    meaning: str
    screen: bool = True
    camera: bool = True
    sound: bool = True
    signature: bool = True
    service_gone: bool = False
    disk_mb: int = 0


BREAKAGES: dict[str, Breakage] = {
    "nothing": Breakage("nothing is broken"),
    "signature": Breakage("the private key is not the one that belongs to the public key", signature=False),
    "camera": Breakage("there is no camera", camera=False),
    "microphone": Breakage("there is no microphone", sound=False),
    "display": Breakage("there is no display", screen=False),
    "service": Breakage("the service is down at Init", service_gone=True),
    "disk": Breakage("the disk is full", disk_mb=16),
}


def small_disk(megabytes: int, folder: str) -> list[str]:
    """Words before a command line that give it a disk of that size at `folder`; it goes with the command.

    A private mount namespace: nothing is mounted for anybody else, and nothing has to be unmounted.
    """
    if not megabytes:
        return []
    unshare = shutil.which("unshare") or "/usr/bin/unshare"
    script = 'mkdir -p "$1" && mount -t tmpfs -o size="$2" tmpfs "$1" && shift 2 && exec "$@"'
    return [unshare, "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", folder, f"{megabytes}m"]

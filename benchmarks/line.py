"""A narrow, slow line between two network namespaces: its rate is the kernel's (tbf), its delay is made here.

The near end is the process's own namespace (start it with `alone`), the far one belongs to a child. Between them are
two TUN devices whose packets a second child carries over, each after half of the round trip: a delay that needs no netem,
which not every kernel has. The kernel removes all of it with the last process, so nothing is left however a run ends.
"""

import contextlib
import fcntl
import os
import selectors
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

NEAR, FAR = "10.77.0.1", "10.77.0.2"
READY_S = 10.0
DEVICES = ("near", "far")
PACKET = 65536
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000  # linux/if_tun.h


def alone(words: Sequence[str]) -> list[str]:
    """The command line that runs `words` with a network of its own, as its root."""
    user = ["--user", "--map-root-user"] if sys.platform != "win32" and os.geteuid() else []
    return ["unshare", *user, "--net", "--", *words]


@contextmanager
def line(kbit: int, round_trip_ms: float, buffer_ms: float, congestion: str) -> Iterator[list[str]]:
    """The line as long as the block lasts: `kbit` a second towards the far end, with a buffer of `buffer_ms` before it,
    and the congestion control of that name for who sends into it.

    Gives the words that go before a command line to run it at the far end. Raises RuntimeError with a program's own words.
    """
    far = subprocess.Popen(["unshare", "--net", "--", "cat"], stdin=subprocess.PIPE)
    carrier = subprocess.Popen(
        [sys.executable, "-m", "secureproctor.benchmarks.line", str(round_trip_ms / 2000)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        _wait_for_namespace(far)
        if carrier.stdout is None or carrier.stdout.readline() != b"ready\n":
            raise RuntimeError("the TUN devices could not be made; /dev/net/tun and root are needed")
        at_far_end = ["nsenter", f"--net=/proc/{far.pid}/ns/net", "--"]
        _run(["ip", "link", "set", "far", "netns", str(far.pid)])
        for before, device, own, other in (([], "near", NEAR, FAR), (at_far_end, "far", FAR, NEAR)):
            _run([*before, "ip", "link", "set", "lo", "up"])
            _run([*before, "ip", "addr", "add", own, "peer", other, "dev", device])
            _run([*before, "ip", "link", "set", device, "up"])
        _run(["ip", "route", "replace", FAR, "dev", "near", "congctl", congestion])
        shape = f"tbf rate {kbit}kbit burst 16kb latency {buffer_ms:g}ms"
        _run(["tc", "qdisc", "add", "dev", "near", "root", *shape.split()])
        yield at_far_end
    finally:
        for child in (carrier, far):  # each ends when its standard input does
            child.communicate()


def _wait_for_namespace(child: "subprocess.Popen[bytes]") -> None:
    own, deadline = os.readlink("/proc/self/ns/net"), time.monotonic() + READY_S
    while os.readlink(f"/proc/{child.pid}/ns/net") == own:
        if child.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("a network namespace could not be made; as root, or with user namespaces, it can")
        time.sleep(0.005)


def _run(words: Sequence[str]) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")


def carry(delay_s: float) -> None:
    """Carry packets from each device to the other, `delay_s` later, until the standard input ends."""
    _hurry()
    near, far = (_tun(name) for name in DEVICES)
    print("ready", flush=True)
    with selectors.DefaultSelector() as selector:
        for fd in (0, near, far):
            selector.register(fd, selectors.EVENT_READ)
        waiting: deque[tuple[float, int, bytes]] = deque()  # both ways wait equally long
        while True:
            left_s = waiting[0][0] - time.monotonic() if waiting else None
            for key, _ in selector.select(None if left_s is None else max(0.0, left_s)):
                if key.fd == 0:
                    return
                waiting.append((time.monotonic() + delay_s, far if key.fd == near else near, os.read(key.fd, PACKET)))
            while waiting and waiting[0][0] <= time.monotonic():
                _, to, packet = waiting.popleft()
                _write(to, packet)


def _write(fd: int, packet: bytes) -> None:
    try:
        os.write(fd, packet)
    except OSError:  # the other end is not up yet, or no longer: a line loses packets then
        return


if sys.platform != "win32":

    def _tun(name: str) -> int:
        fd = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(fd, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
        return fd

    def _hurry() -> None:
        """The delay is to be the line's, and not that of a busy machine."""
        with contextlib.suppress(PermissionError):
            os.nice(-20)

else:

    def _tun(name: str) -> int:
        raise RuntimeError(f"the device {name} cannot be made: there are no TUN devices here")

    def _hurry() -> None:
        pass


if __name__ == "__main__":
    carry(float(sys.argv[1]))

"""Two computers joined by one link that can be cut, narrowed and made to lose packets: network namespaces and a veth.

The near one is the process's own: what was started by `in_own_network` sees nothing of the machine's network, and whatever
it starts stands beside it, agent, camera and fault proxy alike. The far one is the service's. The kernel removes both with
their last process, so nothing is left of them however a test ends; and nothing needs a name that could clash. Whoever is
not root gets a user namespace around it all.
"""

import ctypes
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

NEAR, FAR = "10.77.0.1", "10.77.0.2"
READY_S = 10.0
_CLONE_NEWNET = 0x40000000  # linux/sched.h
_libc = ctypes.CDLL(None, use_errno=True)
_SOCKETS, _KEYBOARDS = Path("/tmp/.X11-unix"), Path("/var/lib/xkb")
_LOSS = """
table inet weather
delete table inet weather
table inet weather {{
    chain incoming {{
        type filter hook input priority 0
        iifname != "lo" numgen random mod 100 < {percent} drop
    }}
}}
"""


def in_own_network(words: Sequence[str]) -> list[str]:
    """The command line that runs `words` with a network and mounts of its own, as their root."""
    user = ["--user", "--map-root-user"] if os.geteuid() else []
    return ["unshare", *user, "--net", "--mount", "--", *words]


@dataclass(frozen=True, slots=True)
class Network:
    """The link, fair in the beginning. `holder` is the process that keeps the far namespace alive."""

    holder: int

    @property
    def far(self) -> list[str]:
        """Words that go before a command line, to run it at the far end."""
        return ["nsenter", f"--net=/proc/{self.holder}/ns/net", "--"]

    def connected_there(self, port: int) -> socket.socket:
        """A connection to the far end that does not go over the link: a socket stays in the namespace where it was made."""
        with ThreadPoolExecutor(1) as thread:  # of its own, which goes to the far end and does not come back
            return thread.submit(self._connect_there, port).result()

    def _connect_there(self, port: int) -> socket.socket:
        with open(f"/proc/{self.holder}/ns/net") as there:
            if _libc.setns(there.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
        return socket.create_connection((FAR, port), READY_S)

    def link_down(self, *, here: bool = True) -> None:
        """Cut the link: `here` as a computer notices it at once, otherwise somewhere on the way."""
        self._ip(here, "link set wire down")

    def link_up(self) -> None:
        """Join it again."""
        for here in (True, False):
            self._ip(here, "link set wire up")

    def loss(self, percent: int) -> None:
        """Drop so many packets in a hundred (0 to 99), at random, each way."""
        for before in ([], self.far):
            _run([*before, "nft", "-f", "-"], _LOSS.format(percent=percent))

    def rate(self, kbit: int | None) -> None:
        """Let so many kilobits a second through each way; None: as many as there are."""
        shape = f"tbf rate {kbit}kbit burst 16kb latency 400ms" if kbit else "pfifo_fast"
        for before in ([], self.far):
            _run([*before, "tc", "qdisc", "replace", "dev", "wire", "root", *shape.split()])

    def fair(self) -> None:
        """As in the beginning."""
        self.link_up()
        self.loss(0)
        self.rate(None)

    def _ip(self, here: bool, words: str) -> None:
        _run([*([] if here else self.far), "ip", *words.split()])


def _hide_screens() -> None:
    """An X server finds a free number by its abstract socket, which a network namespace hides from the others'. Then it
    takes the path of that number from whoever has it, and writes its keyboard where another is just reading its own:
    so these folders must be private, too."""
    _SOCKETS.mkdir(mode=0o1777, exist_ok=True)
    for folder in (_SOCKETS, _KEYBOARDS):
        if folder.exists():
            _run(["mount", "-t", "tmpfs", "-o", "mode=1777", "screens", str(folder)])


@contextmanager
def network() -> Iterator[Network]:
    """A far end and the link to it, as long as the block lasts. Only for what `in_own_network` started."""
    holder = subprocess.Popen(
        ["unshare", "--net", "--", "cat"], stdin=subprocess.PIPE
    )  # it ends with our end of the pipe
    try:
        _wait_for_namespace(holder)
        _hide_screens()
        net = Network(holder.pid)
        _run(f"ip link add wire type veth peer name wire netns {holder.pid}".split())
        for here, address in ((True, NEAR), (False, FAR)):
            net._ip(here, f"addr add {address}/24 dev wire")
            net._ip(here, "link set lo up")
        net.link_up()
        yield net
    finally:
        holder.communicate()


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """A disk of so many megabytes at `folder`, as long as the block lasts; nobody outside sees it."""
    folder.mkdir()
    _run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "small", str(folder)])
    try:
        yield
    finally:
        _run(["umount", "--lazy", str(folder)])


def _wait_for_namespace(holder: "subprocess.Popen[bytes]") -> None:
    own, deadline = os.readlink("/proc/self/ns/net"), time.monotonic() + READY_S
    while os.readlink(f"/proc/{holder.pid}/ns/net") == own:
        if holder.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("a network namespace could not be made; as root, or with user namespaces, it can")
        time.sleep(0.005)


def _run(words: Sequence[str], text: str = "") -> None:
    """Raises RuntimeError with the program's own words."""
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")

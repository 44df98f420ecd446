"""Keeps a Linux computer from sleeping by logind's inhibitor (systemd-inhibit(1)), where there is one and it lets us.

The inhibitor lives as long as a child process, and that as long as its input is open: when this process dies, however it
dies, nothing is left behind. That it holds is never assumed: the child ends at once where logind refuses or is not there.
Here it was tried without logind only.
"""

import subprocess
from collections.abc import Sequence

COMMAND = ("systemd-inhibit", "--what=idle:sleep", "--mode=block", "--who=SecureProctor", "--why=An exam is under way")
UNTIL_CLOSED = ("cat",)
END_S = 2.0


class Inhibitor:
    """Off at first; `start` and `stop` may be called in any order, and twice."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._command = (*command, *UNTIL_CLOSED)
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def holds(self) -> bool:
        """Whether the child lives, which it does only while the inhibitor is in force."""
        return self._child is not None and self._child.poll() is None

    def start(self) -> bool:
        """Whether it could be started; whether it is in force shows a moment later (`holds`)."""
        if self.holds:
            return True
        self.stop()
        nowhere = subprocess.DEVNULL
        try:
            self._child = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=nowhere, stderr=nowhere)
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """Give sleep back."""
        child, self._child = self._child, None
        if child is None:
            return
        if child.stdin is not None:
            child.stdin.close()
        try:
            child.wait(END_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

"""The newest picture of a source, for another thread to take a still of while the source's own goes on.

The picture is one that the source keeps anyway, so that all this costs it is a lock that nobody else holds.
"""

import threading

import cv2
import numpy as np

from secureproctor.capture.camera import Bgr


class Latest:
    """The source holds `changing` while it writes into the picture; others see it through `seen` only."""

    def __init__(self) -> None:
        self.changing = threading.Condition()
        self._picture: Bgr | None = None
        self._number = 0
        self._over = False

    def show(self, picture: Bgr | None) -> None:
        """The newest picture, BGR or BGRA, in full size; None when the source has none now."""
        with self.changing:
            self._picture = picture
            self._number += 1
            self.changing.notify_all()

    def end(self) -> None:
        """No other will come: whoever waits need not."""
        with self.changing:
            self._over = True
            self.changing.notify_all()

    def seen(self, timeout_s: float, *, next_one: bool) -> Bgr | None:
        """The newest picture as BGR, or the next one, once there is one; None when there was none in time.

        It is the caller's own, or one that nobody writes into any more.
        """
        with self.changing:
            after = self._number if next_one else -1
            self.changing.wait_for(
                lambda: self._over or (self._picture is not None and self._number > after), timeout_s
            )
            if self._over or self._picture is None or self._number <= after:
                return None
            if self._picture.shape[2] == 4:
                return np.asarray(cv2.cvtColor(self._picture, cv2.COLOR_BGRA2BGR), np.uint8)
            return self._picture

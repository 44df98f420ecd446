"""Whether two pictures are equal, as fast as memory can be read.

`memcmp` of the C library looks at 8 MB in 0.2 ms and stops at the first difference; comparing in NumPy makes an array of
8 million truth values first, and comparing memory views takes thirty times as long.
"""

import ctypes
import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray


def _c_library() -> ctypes.CDLL:
    """The C library. On Windows the one that is part of the system since Windows 95. Not yet run on Windows."""
    return ctypes.CDLL("msvcrt" if sys.platform == "win32" else None)


def make_equal() -> Callable[[NDArray[np.uint8], NDArray[np.uint8]], bool]:
    """A function that tells whether two C-contiguous arrays of one size hold the same bytes."""
    memcmp = _c_library().memcmp
    memcmp.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
    memcmp.restype = ctypes.c_int

    def equal(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> bool:
        return bool(memcmp(a.ctypes.data, b.ctypes.data, a.nbytes) == 0)

    return equal

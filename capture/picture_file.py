"""What a JPEG or a PNG says of itself before anything of it is decoded: whether it is whole, and how large it would become.

A few bytes can claim a picture of gigabytes, and libjpeg fills what is missing of a cut picture with grey and calls it a
success. So both are found out here, from the markers alone (ITU-T T.81 annex B; PNG specification, third edition, chapter 5).
Pure; nothing is copied.
"""

import struct
import zlib
from dataclasses import dataclass

MAX_BYTES = 6 * 1024 * 1024
MAX_PIXELS = 34_000_000
"""A little more than 8K (7680 x 4320)."""
MIN_SIDE, MAX_SIDE = 16, 16384

_JPEG = b"\xff\xd8\xff"
_PNG = b"\x89PNG\r\n\x1a\n"
_SIZES = {0xC0, 0xC1, 0xC2}
"""Start of frame of the Huffman-coded processes: baseline, extended, progressive. Encoders make no others."""
_END, _SCAN = 0xD9, 0xDA
_ALONE = {0x01, *range(0xD0, 0xD8)}
_CHUNK = struct.Struct(">I4s")


class NotAPicture(ValueError):
    """The bytes are no picture that is taken here. Says why in a sentence's part."""


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels, as the file claims them."""

    width: int
    height: int


def size_of(data: bytes) -> Size:
    """The size of a whole JPEG or PNG that can be borne. Raises NotAPicture."""
    if len(data) > MAX_BYTES:
        raise NotAPicture(f"it has more than {MAX_BYTES} bytes")
    if data.startswith(_JPEG):
        size = _of_jpeg(data)
    elif data.startswith(_PNG):
        size = _of_png(data)
    else:
        raise NotAPicture("it is neither a JPEG nor a PNG")
    if min(size.width, size.height) < MIN_SIDE:
        raise NotAPicture(f"its sides are {size.width} and {size.height} pixels, and {MIN_SIDE} is the least")
    if max(size.width, size.height) > MAX_SIDE or size.width * size.height > MAX_PIXELS:
        raise NotAPicture(f"with {size.width} x {size.height} pixels it is too large")
    return size


def _of_jpeg(data: bytes) -> Size:
    """Marker after marker until the first scan; then the end of the image must be the end of the file."""
    size: Size | None = None
    at = 2
    while True:
        marker, at = _marker(data, at)
        if marker in _ALONE:
            continue
        if marker == _SCAN:
            break
        length = int.from_bytes(data[at : at + 2], "big")
        if length < 2 or at + length > len(data):
            raise NotAPicture("the JPEG is cut off in its header")
        if marker in _SIZES and length >= 8 and size is None:
            height, width = struct.unpack_from(">HH", data, at + 3)
            size = Size(width, height)
        at += length
    if size is None:
        raise NotAPicture("the JPEG does not tell its size before its first scan")
    if not data.rstrip(b"\0").endswith(bytes((0xFF, _END))):  # some cameras and encoders fill up with zeros
        raise NotAPicture("the JPEG is cut off")
    return size


def _marker(data: bytes, at: int) -> tuple[int, int]:
    """The marker at `at`, and where it ends; a marker may be filled up with 0xFF in front."""
    if data[at : at + 1] != b"\xff":
        raise NotAPicture("the JPEG is cut off in its header")
    while data[at : at + 1] == b"\xff":
        at += 1
    if at >= len(data) or data[at] in (0x00, _END):
        raise NotAPicture("the JPEG has no picture in it")
    return data[at], at + 1


def _of_png(data: bytes) -> Size:
    """Chunk after chunk, each by its checksum, until the last one."""
    view = memoryview(data)
    size: Size | None = None
    at = len(_PNG)
    while at + 12 <= len(data):
        length, name = _CHUNK.unpack_from(data, at)
        end = at + 8 + length
        if end + 4 > len(data):
            break
        if zlib.crc32(view[at + 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
            raise NotAPicture("the PNG is damaged")
        if (name == b"IHDR") != (size is None) or name == b"acTL":
            raise NotAPicture("the PNG does not begin with one header, or it is animated")
        if size is None:
            size = Size(*struct.unpack_from(">II", data, at + 8)) if length == 13 else Size(0, 0)
        if name == b"IEND":
            return size
        at = end + 4
    raise NotAPicture("the PNG is cut off")

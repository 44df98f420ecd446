"""Single pictures as evidence: the candidate's photo and ID card, and what a proctor asks to see.

They are records of the stream `stills`, sealed and chained like all others. The body is a line of JSON (`StillInfo`), a line
feed, and the bytes of a JPEG (ITU-T T.81). A still that was taken before Start has session time 0; `at_ms` says when it was.
"""

from typing import Literal

import msgspec

from secureproctor.contract.record import RecordError

Identity = Literal["photo", "id_card"]
"""What a candidate shows for authorization."""
StillOf = Literal["photo", "id_card", "screen", "webcam"]
CODEC = "image/jpeg"
MAX_STILL = 4 * 1024 * 1024
"""Bytes of a picture; a camera's 1080p at quality 90 has about 0.4 MB."""

HINTS: dict[str, str] = {
    "no_face": "No face is seen. Sit in front of the camera.",
    "several_faces": "More than one face is seen. Be alone in the picture.",
    "face_small": "Your face is far away. Come closer.",
    "too_dark": "The picture is too dark. Turn on a light in front of you.",
    "too_bright": "The picture is too bright. Turn away from the window or the lamp.",
    "blurred": "The picture is blurred. Hold still, and wipe the lens.",
    "card_missing": "No card is seen. Hold your ID card into the frame.",
    "card_small": "The card does not fill the frame. Hold it closer.",
}
"""What may be better about a picture, as told to the candidate. A hint never forbids: a person decides."""


class StillInfo(msgspec.Struct, frozen=True):
    """What a picture shows and when it was taken (milliseconds since 1970). `request` is the command that asked for it."""

    of: StillOf
    at_ms: int
    width: int
    height: int
    hints: tuple[str, ...] = ()
    request: str = ""


def pack(info: StillInfo, jpeg: bytes) -> bytes:
    """A still as a record's body. Raises RecordError when the picture is too large."""
    if len(jpeg) > MAX_STILL:
        raise RecordError(f"a picture of {len(jpeg)} bytes does not fit")
    return msgspec.json.encode(info) + b"\n" + jpeg


def unpack(body: bytes) -> tuple[StillInfo, bytes]:
    """A record's body as a still. Raises RecordError."""
    line, _, jpeg = body.partition(b"\n")
    try:
        info = msgspec.json.decode(line, type=StillInfo)
    except (ValueError, RecursionError):
        raise RecordError("it holds no picture") from None
    if not jpeg.startswith(b"\xff\xd8"):
        raise RecordError("its picture is no JPEG")
    return info, jpeg

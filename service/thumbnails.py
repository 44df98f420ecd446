"""Small pictures for the wall of candidates: the first frame of a stream's newest segment, which is a key frame.

A wall of fifty candidates asks for a dozen a second, so a picture is decoded once for all who ask (kept by its place and
width), few are decoded at once, and whoever has it already is told so (304) before anything is read.
"""

import asyncio
import io
from collections import OrderedDict
from collections.abc import Iterator
from fractions import Fraction

import av
from av.codec.context import ThreadType
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import Interpolation
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from secureproctor.contract.errors import Refusal
from secureproctor.contract.record import RecordError, RecordKind
from secureproctor.contract.streams import Stream
from secureproctor.service.evidence import Evidence, StoredRecord
from secureproctor.service.sessions import Sessions
from secureproctor.service.store import Store
from secureproctor.service.tokens import Tokens

PICTURES = (Stream.SCREEN, Stream.WEBCAM)
WIDTHS = (160, 320, 640, 960)
"""What is asked for becomes the next of these: few widths, so that many consoles share a picture."""
AT_ONCE = 2
KEPT = 512
"""Pictures in memory, the longest unasked go first; at 320 pixels one has 5 to 25 kB."""
QUALITY = 5
"""FFmpeg's scale for JPEG, 2 (best) to 31."""
HEADERS = {
    "Cache-Control": "private, no-cache",  # kept by the browser, and asked about each time
    "Referrer-Policy": "no-referrer",  # addresses hold access codes
    "X-Content-Type-Options": "nosniff",
}

Key = tuple[str, Stream, int, int, int]
"""Session, stream, epoch, seq and width."""


class Thumbnails:
    """Serves `GET /v1/sessions/{id}/media/{stream}/thumbnail.jpg`."""

    def __init__(self, store: Store, sessions: Sessions, evidence: Evidence, tokens: Tokens) -> None:
        self._store = store
        self._sessions = sessions
        self._evidence = evidence
        self._tokens = tokens
        self._kept: OrderedDict[Key, bytes] = OrderedDict()
        self._turns = asyncio.Semaphore(AT_ONCE)

    def routes(self) -> list[BaseRoute]:
        """The addresses of this part."""
        return [Route("/v1/sessions/{id}/media/{stream}/thumbnail.jpg", self.newest)]

    async def newest(self, request: Request) -> Response:
        """The picture; 304 when the caller has it, 404 when there is none."""
        session_id, stream = str(request.path_params["id"]), str(request.path_params["stream"])
        self._tokens.check_access(session_id, request.query_params.get("access", ""))
        if stream not in PICTURES:
            raise Refusal("not_found")
        width = _width(request.query_params.get("w", ""))
        record = await self._store.run(self._evidence.newest, session_id, Stream(stream), RecordKind.MEDIA)
        if record is None:
            raise Refusal("not_found")
        tag = f'"{record.hash.hex()[:16]}-{width}"'
        headers = {**HEADERS, "ETag": tag}
        if request.headers.get("If-None-Match") == tag:
            return Response(status_code=304, headers=headers)
        picture = await self._picture(session_id, record, width)
        return Response(picture, headers=headers, media_type="image/jpeg")

    async def _picture(self, session_id: str, record: StoredRecord, width: int) -> bytes:
        key = (session_id, record.stream, record.epoch, record.seq, width)
        async with self._turns:  # who waited for the same picture finds it kept
            if key not in self._kept:
                self._kept[key] = await self._store.run(self._made, session_id, record, width)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]

    def _made(self, session_id: str, record: StoredRecord, width: int) -> bytes:
        init = self._evidence.record(session_id, record.stream, record.epoch, 0)
        if init is None:
            raise Refusal("not_found")
        key = self._sessions.private_key(self._sessions.find(session_id))
        try:
            parts = [self._evidence.opened(session_id, each, key) for each in (init, record)]
            return thumbnail(b"".join(parts), width)
        except (RecordError, av.FFmpegError):
            raise Refusal("not_found") from None


def thumbnail(segment: bytes, width: int) -> bytes:
    """The first frame of a fragmented MP4 as a JPEG, at most `width` wide. Raises av.FFmpegError when it holds none."""
    with av.open(io.BytesIO(segment), "r", format="mp4") as container:
        stream = container.streams.video[0]
        # frame threads would hold the first frame back until the others are fed, too
        stream.codec_context.thread_type = ThreadType.SLICE
        stream.codec_context.thread_count = 1
        frame = next(container.decode(stream), None)
    if frame is None:
        raise av.error.InvalidDataError(0, "no frame")
    scale = min(1.0, width / frame.width)
    wide, high = (max(2, round(side * scale / 2) * 2) for side in (frame.width, frame.height))
    small = frame.reformat(wide, high, format="yuvj420p", interpolation=Interpolation.AREA)
    return b"".join(_encoded(small))


def _encoded(frame: av.VideoFrame) -> Iterator[bytes]:
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, VideoCodecContext)  # noqa: S101 - what the codec's name says
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "yuvj420p"
    encoder.time_base = Fraction(1, 1)  # a single picture has no time; the encoder insists
    encoder.options = {"qmin": str(QUALITY), "qmax": str(QUALITY)}
    for packet in (*encoder.encode(frame), *encoder.encode(None)):
        yield bytes(packet)


def _width(wanted: str) -> int:
    least = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 6 else WIDTHS[1]
    return next((width for width in WIDTHS if width >= least), WIDTHS[-1])

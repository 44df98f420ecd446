"""Reading a request's body with a limit: a promised length is checked before a byte is read, the others on the way."""

import asyncio
from typing import Any, TypeVar, overload

import msgspec
from starlette.requests import Request

from secureproctor.contract.errors import Refusal
from secureproctor.service.init import field_refusal

T = TypeVar("T")

STALLED_S = 30.0
"""A candidate whose network went away in the middle of a body must not hold its place for ever."""


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body. Raises Refusal too_large, or busy when nothing comes for STALLED_S: the sender may try again."""
    promised = request.headers.get("Content-Length", "")
    if promised.isascii() and promised.isdigit() and int(promised) > limit:
        raise Refusal("too_large", limit=limit)
    body = bytearray()
    chunks = request.stream()
    try:
        while (chunk := await asyncio.wait_for(anext(chunks, None), STALLED_S)) is not None:
            body += chunk
            if len(body) > limit:
                raise Refusal("too_large", limit=limit)
    except TimeoutError:
        raise Refusal("busy") from None
    return bytes(body)


@overload
def read_struct(data: bytes | str, kind: type[T]) -> T: ...


@overload
def read_struct(data: bytes | str, kind: Any) -> Any: ...


def read_struct(data: bytes | str, kind: Any) -> Any:
    """JSON as a struct, or as one of a tagged union. Raises Refusal body_malformed, field_missing or field_invalid."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise field_refusal(str(error)) from None
    except (ValueError, RecursionError) as error:
        raise Refusal("body_malformed", why=str(error)) from None

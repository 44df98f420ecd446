"""How the service answers: msgspec structs as JSON, and every "no" as an ErrorAnswer."""

import logging
from collections.abc import Mapping

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ExceptionHandler

from secureproctor.contract.errors import ErrorAnswer, Refusal

log = logging.getLogger(__name__)

PRIVATE: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",  # addresses hold access codes
    "X-Content-Type-Options": "nosniff",
}
RETRY_AFTER_S = {"busy": 2, "storage_full": 30}


def answer(body: msgspec.Struct, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A struct as JSON."""
    return Response(msgspec.json.encode(body), status, {**PRIVATE, **(headers or {})}, "application/json")


def refused(refusal: Refusal) -> Response:
    """A refusal with its status, and Retry-After where trying again may help."""
    retry = RETRY_AFTER_S.get(refusal.code)
    return answer(ErrorAnswer(refusal.info), refusal.status, {"Retry-After": str(retry)} if retry else None)


async def _on_refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)  # noqa: S101 - Starlette's signature is wider than its registration
    return refused(error)


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - as above
    known = error.status_code == 405
    refusal = Refusal("method_not_allowed", method=request.method) if known else Refusal("not_found")
    return answer(ErrorAnswer(refusal.info), error.status_code, error.headers)


async def _on_failure(request: Request, error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return refused(Refusal("internal"))


async def _on_gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)  # nobody is there to read it


HANDLERS: dict[int | type[Exception], ExceptionHandler] = {
    Refusal: _on_refusal,
    HTTPException: _on_http,
    ClientDisconnect: _on_gone,
    Exception: _on_failure,
}
"""What becomes of an exception in an HTTP call."""

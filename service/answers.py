"""How the service answers: msgspec structs as JSON, and every "no" as an ErrorAnswer."""

import logging
import random
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
RETRY_AFTER_S: Mapping[str, tuple[int, int]] = {"busy": (1, 5), "storage_full": (20, 60)}
"""Whole seconds (RFC 9110 §10.2.3), drawn between two: a hall that was sent away together must not come back together."""


def answer(body: msgspec.Struct, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A struct as JSON."""
    return Response(msgspec.json.encode(body), status, {**PRIVATE, **(headers or {})}, "application/json")


def refused(refusal: Refusal) -> Response:
    """A refusal with its status, and Retry-After where trying again may help."""
    between = RETRY_AFTER_S.get(refusal.code)
    wait_s = random.randint(*between) if between else refusal.data.get("wait_s")  # noqa: S311 - no secret
    retry = {"Retry-After": str(wait_s)} if wait_s else None
    return answer(ErrorAnswer(refusal.info), refusal.status, retry)


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

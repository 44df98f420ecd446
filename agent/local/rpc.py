"""JSON-RPC 2.0 as the loopback API speaks it, without its socket: frames to calls, results and refusals to frames."""

from typing import Any

import msgspec

from secureproctor.agent.local.routes import ROUTES, Route
from secureproctor.contract.errors import ErrorInfo, Refusal
from secureproctor.contract.page import RPC_CODES

Id = int | str | None


class Request(msgspec.Struct, frozen=True):
    """A request of the page."""

    jsonrpc: str
    method: str
    id: int | str
    params: msgspec.Raw = msgspec.Raw(b"{}")


class RpcError(Exception):
    """The frame is no call that can be answered with a result; `frame` is the answer to write."""

    def __init__(self, request_id: Id, kind: str, info: ErrorInfo) -> None:
        self.frame = _frame(request_id, error={"code": RPC_CODES[kind], "message": info.message, "data": info})
        super().__init__(info.message)


def read_call(frame: str | bytes) -> tuple[int | str, str, Route, msgspec.Struct]:
    """A request's id, method, route and params. Raises RpcError."""
    try:
        request = msgspec.json.decode(frame, type=Request)
    except msgspec.ValidationError as error:
        raise RpcError(None, "request", _malformed(error)) from None
    except (ValueError, RecursionError) as error:  # also bytes that are no text, and nesting beyond the stack
        raise RpcError(None, "parse", _malformed(error)) from None
    route = ROUTES.get(request.method)
    if route is None:
        raise RpcError(request.id, "method", _malformed(f"there is no method {request.method[:40]!r}"))
    if len(frame) > route.longest:  # who may send pictures may not send anything else of that length
        raise RpcError(request.id, "refused", Refusal("message_too_long", limit=route.longest).info)
    try:
        params = msgspec.json.decode(request.params, type=route.params)
    except (ValueError, RecursionError) as error:
        raise RpcError(request.id, "params", _malformed(error)) from None
    return request.id, request.method, route, params


def result(request_id: int | str, value: msgspec.Struct | msgspec.Raw) -> str:
    """The answer of a call that succeeded."""
    return _frame(request_id, result=value)


def refused(request_id: int | str, refusal: Refusal) -> str:
    """The answer of a call that was refused."""
    return RpcError(request_id, "refused", refusal.info).frame


def event(value: msgspec.Struct) -> str:
    """A notification."""
    return msgspec.json.encode({"jsonrpc": "2.0", "method": "event", "params": value}).decode()


def _malformed(why: object) -> ErrorInfo:
    return Refusal("body_malformed", why=why).info


def _frame(request_id: Id, **content: Any) -> str:
    return msgspec.json.encode({"jsonrpc": "2.0", "id": request_id, **content}).decode()

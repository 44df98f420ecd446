"""The agent's HTTP calls to the proctoring service, but for the evidence itself: Init, report, token.

The page's signed bytes are passed on unchanged: the agent neither holds the exam's keys nor touches what they signed.
Raises Refusal for every expected "no": the service's own ones as they came, and `service_unreachable` or
`service_puzzling` for the rest.
"""

from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import msgspec

from secureproctor.contract.errors import ErrorAnswer, Refusal
from secureproctor.contract.http import InitAnswer, InitData, TokenAnswer
from secureproctor.contract.page import SignedQuery, SignedRequest

T = TypeVar("T")
TIMEOUT = httpx.Timeout(20.0, connect=5.0)


class ServiceRefusal(Refusal):
    """A refusal in the service's own words, whose code may be newer than this agent."""

    def __init__(self, answer: ErrorAnswer, status: int) -> None:
        error = answer.error
        self.code, self.status, self.number, self.field = error.code, status, error.number, error.field
        self.message, self.remedy = error.message, error.remedy
        Exception.__init__(self, f"{error.message} {error.remedy}")


@dataclass(slots=True)
class ServiceApi:
    """The service at `url` (no slash at its end)."""

    url: str
    client: httpx.AsyncClient

    async def init(self, request: SignedRequest) -> InitData:
        """Register a candidate."""
        headers = {"Content-Type": "application/json"} | _authorization(request.authorization)
        answer = await self._ask(
            "POST", "/v1/init", params=request.query, content=request.body.encode(), headers=headers
        )
        return _decoded(answer, InitAnswer).data

    async def report(self, query: SignedQuery) -> msgspec.Raw:
        """The answer of `GET /v2/report/`, as it came."""
        answer = await self._ask("GET", "/v2/report/", params=query.query, headers=_authorization(query.authorization))
        return _decoded(answer, msgspec.Raw)

    async def renew(self, session_id: str, token: str) -> str:
        """A fresh token for an old one."""
        answer = await self._ask(
            "POST", f"/v1/sessions/{session_id}/token", headers={"Authorization": f"Bearer {token}"}
        )
        return _decoded(answer, TokenAnswer).token

    async def _ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            answer = await self.client.request(method, self.url + path, timeout=TIMEOUT, **request)
        except httpx.HTTPError as error:
            raise Refusal("service_unreachable", url=self.url, why=str(error) or type(error).__name__) from None
        if answer.is_success:
            return answer
        try:
            raise ServiceRefusal(msgspec.json.decode(answer.content, type=ErrorAnswer), answer.status_code)
        except (ValueError, RecursionError):  # also bytes that are no text, and nesting beyond the stack
            raise Refusal("service_puzzling", why=f"status {answer.status_code} without an error's code") from None


@dataclass(slots=True)
class SessionAccess:
    """A session's token, and how it is renewed."""

    api: ServiceApi
    session_id: str
    token: str

    async def renew(self) -> None:
        """Ask for a fresh token; the old one stays when there is no answer."""
        try:
            self.token = await self.api.renew(self.session_id, self.token)
        except Refusal:
            return


def _authorization(value: str) -> dict[str, str]:
    return {"Authorization": value} if value else {}


def _decoded(answer: httpx.Response, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except (ValueError, RecursionError) as error:
        raise Refusal("service_puzzling", why=str(error)) from None

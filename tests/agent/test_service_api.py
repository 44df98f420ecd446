"""The agent's calls to the service, over a transport that answers as the test has written it down."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest

from secureproctor.agent.service_api import ServiceApi, SessionAccess
from secureproctor.contract.errors import ErrorAnswer, ErrorInfo, Refusal
from secureproctor.contract.http import InitAnswer, TokenAnswer
from secureproctor.contract.page import SignedQuery, SignedRequest

if TYPE_CHECKING:
    from tests.agent.conftest import Stage

URL = "https://service.example"
Answer = Callable[[httpx.Request], httpx.Response]


def api(answer: Answer) -> ServiceApi:
    return ServiceApi(URL, httpx.AsyncClient(transport=httpx.MockTransport(answer)))


def says(status: int, body: bytes = b"") -> Answer:
    return lambda request: httpx.Response(status, content=body)


async def test_the_signed_bytes_are_passed_on_unchanged(stage: "Stage") -> None:
    await stage.registered()
    data, seen = stage.session.data, []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=msgspec.json.encode(InitAnswer(data)))

    body = '{ "userId" : "zoë",\n "groupName":"a b" }'
    assert await api(answer).init(SignedRequest(body, "SIGNATURE", {"ak": "k", "asgn": "a+b/c="})) == data
    (request,) = seen
    assert (request.method, request.url.path, request.content) == ("POST", "/v1/init", body.encode())
    assert request.headers["Authorization"] == "SIGNATURE"
    assert dict(request.url.params) == {"ak": "k", "asgn": "a+b/c="}


async def test_a_request_without_the_header_has_none() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=b'{"data": {}}')

    assert await api(answer).report(SignedQuery({"userId": "u 1"})) == msgspec.Raw(b'{"data": {}}')
    assert "Authorization" not in seen[0].headers
    assert str(seen[0].url) == f"{URL}/v2/report/?userId=u+1"


async def test_a_refusal_comes_in_the_services_own_words_even_when_its_code_is_new() -> None:
    info = ErrorInfo("exam_full", "The exam is full.", "Come back later.", "E999", "groupName")
    with pytest.raises(Refusal, match=r"The exam is full\. Come back later\.") as caught:
        await api(says(422, msgspec.json.encode(ErrorAnswer(info)))).init(SignedRequest("{}"))
    assert (caught.value.info, caught.value.status) == (info, 422)


@pytest.mark.parametrize(
    "body", [b"", b"<html>Bad Gateway</html>", b'{"error":"text"}', b"\xff\xfe", b'{"error":"\xff"}', b"[" * 99_999]
)
@pytest.mark.parametrize("status", [301, 404, 500, 502])
async def test_an_answer_without_an_errors_code_is_puzzling(status: int, body: bytes) -> None:
    with pytest.raises(Refusal, match=f"status {status}") as caught:
        await api(says(status, body)).init(SignedRequest("{}"))
    assert caught.value.code == "service_puzzling"


@pytest.mark.parametrize("body", [b"", b"{}", b'{"data":{}}', b"\xff", b'{"data":"\xff"}', b"[" * 99_999])
async def test_a_success_of_another_shape_is_puzzling(body: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        await api(says(200, body)).init(SignedRequest("{}"))
    assert caught.value.code == "service_puzzling"


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("refused"), httpx.ReadTimeout(""), httpx.RemoteProtocolError("odd")]
)
async def test_no_answer_says_who_cannot_be_reached_and_why(error: Exception) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(Refusal, match=URL) as caught:
        await api(answer).report(SignedQuery({}))
    assert caught.value.code == "service_unreachable"
    assert (str(error) or type(error).__name__) in caught.value.message


async def test_a_token_is_renewed_with_the_old_one() -> None:
    seen: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.url.path, request.headers["Authorization"]))
        return httpx.Response(200, content=msgspec.json.encode(TokenAnswer("new")))

    access = SessionAccess(api(answer), "id-1", "old")
    await access.renew()
    assert (access.token, seen) == ("new", [("/v1/sessions/id-1/token", "Bearer old")])


@pytest.mark.parametrize("status", [401, 500, 200])
async def test_the_old_token_stays_when_there_is_no_new_one(status: int) -> None:
    access = SessionAccess(api(says(status)), "id-1", "old")
    await access.renew()
    assert access.token == "old"

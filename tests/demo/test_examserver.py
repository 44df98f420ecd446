"""The exam's own server: what it asks the proctoring service, and whom it lets in."""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import msgspec
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from secureproctor.contract.attestation import HEADER, VERDICTS, Verdict, VerifyAnswer, VerifyBody, VerifyData
from secureproctor.contract.signing import sign_body
from secureproctor.demo.examserver import MAX_AGE_S, VERIFY, Gate
from secureproctor.demo.program import running
from secureproctor.demo.stage import Program, read_when_there

CLIENT, PRIVATE = "a client", "its private key"
EXAM = "https://exam.example"
Service = Callable[[httpx.Request], httpx.Response]


def judging(verdict: Verdict) -> Service:
    """A service whose verdict is always the same."""
    data = VerifyData(verdict == "ok", verdict, VERDICTS[verdict], user_id="u-1")
    return lambda _: httpx.Response(200, content=msgspec.json.encode(VerifyAnswer(data)))


async def asked(service: Service, path: str = "/questions", **headers: str) -> httpx.Response:
    """What an exam's page gets from a server that asks this service."""
    transport = httpx.MockTransport(service)
    async with httpx.AsyncClient(transport=transport, base_url="https://proctor.example") as client:
        app = Starlette(routes=[Route("/questions", Gate(EXAM, client, CLIENT, PRIVATE).questions)])
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=EXAM) as page:
            return await page.get(path, headers=headers)


@pytest.mark.parametrize("verdict", VERDICTS)
async def test_only_whom_the_service_vouches_for_gets_the_questions(verdict: Verdict) -> None:
    answer = await asked(judging(verdict), **{HEADER: "a.b.c"})
    told = answer.json()
    assert (answer.status_code, "questions" in told) == ((200, True) if verdict == "ok" else (403, False))
    assert (told["verdict"], told["reason"]) == (verdict, VERDICTS[verdict])
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


async def test_it_asks_of_the_whole_address_and_signs_the_exact_body() -> None:
    seen: list[httpx.Request] = []

    def service(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return judging("ok")(request)

    await asked(service, "/questions?page=2", **{HEADER: "a.b.c"})
    (request,) = seen
    assert (request.method, request.url.path) == ("POST", VERIFY)
    assert request.headers["Authorization"] == sign_body(PRIVATE, request.content)
    body = msgspec.json.decode(request.content, type=VerifyBody)
    assert body == VerifyBody(CLIENT, "a.b.c", f"{EXAM}/questions?page=2", max_age_s=MAX_AGE_S)


async def test_a_request_without_a_header_is_judged_too() -> None:
    """What is missing is the service's to say, and no reason to leave it unasked."""
    tokens: list[str] = []

    def service(request: httpx.Request) -> httpx.Response:
        tokens.append(json.loads(request.content)["token"])
        return judging("missing")(request)

    assert (await asked(service)).status_code == 403
    assert tokens == [""]


def _unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


OUT_OF_ORDER: dict[str, Service] = {
    "unreachable": _unreachable,
    "refuses the question": lambda _: httpx.Response(401),
    "fails": lambda _: httpx.Response(500),
    "is no such service": lambda _: httpx.Response(200, text="<html>"),
    "says something else": lambda _: httpx.Response(200, json={"data": {"ok": True}}),
}


@pytest.mark.parametrize("service", OUT_OF_ORDER)
async def test_nobody_is_let_in_when_the_service_cannot_say(service: str) -> None:
    answer = await asked(OUT_OF_ORDER[service], **{HEADER: "a.b.c"})
    assert (answer.status_code, answer.json()["verdict"]) == (503, "unknown")
    assert PRIVATE not in answer.text


async def test_it_says_where_it_is_and_ends_when_it_is_told_to(tmp_path: Path) -> None:
    ready = tmp_path / "exam.json"
    argv = [sys.executable, "-m", "secureproctor.demo.examserver", "--service", "http://127.0.0.1:9"]
    argv += ["--key", f"{CLIENT}:{PRIVATE}", "--ready-file", str(ready)]
    with running(argv, os.environ, tmp_path / "exam.log") as process:
        said = await read_when_there(ready, Program("The exam's server", process, tmp_path / "exam.log"))
        async with httpx.AsyncClient(base_url=str(said["url"]), trust_env=False) as client:
            assert (await client.get("/questions")).status_code == 503
            assert (await client.get("/answers")).status_code == 404
        process.terminate()
        assert await asyncio.to_thread(process.wait, 20) is not None

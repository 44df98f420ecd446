"""The documentation's servers let nobody see the questions but a locked exam: a real service judges a real attestation."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
from websockets.sync.client import connect

from secureproctor.contract.attestation import HEADER, VERDICTS
from secureproctor.contract.channel import Backlog, Heartbeat, KeepAlive, SessionChanged, ToAgent
from secureproctor.contract.http import InitAnswer, InitData
from secureproctor.contract.link import Link
from secureproctor.contract.signing import sign_body
from secureproctor.demo.stage import PUBLIC_KEY
from tests.docs.servers import COMMANDS, exam
from tests.e2e.programs import Service
from tests.service.attesting import NOW_MS, Attester

CANDIDATE = {"userId": "candidate-1", "groupName": "physics-101"}
"""Whom the examples know."""


@pytest.fixture(scope="module", params=COMMANDS)
def server(request: pytest.FixtureRequest, service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an example's server."""
    with exam(request.param, service.url, service.private_key, tmp_path_factory.mktemp("exam")) as address:
        yield address


def registered(service: Service) -> InitData:
    """A locked exam of that candidate."""
    body = {"publicKey": PUBLIC_KEY, **CANDIDATE, "proctoringSettings": {"navigationControl": True}}
    content = json.dumps(body).encode()
    headers = {"Authorization": sign_body(service.private_key, content)}
    answer = httpx.post(f"{service.url}/v1/init", content=content, headers=headers, trust_env=False)
    return msgspec.json.decode(answer.raise_for_status().content, type=InitAnswer).data


@pytest.fixture(scope="module")
def attest(service: Service) -> Callable[..., str]:
    """Attests for an address, as the candidate's agent does: with a key that it told, for a nonce that it was given."""
    data = registered(service)
    agent, link = Attester(data.session_id), Link()
    address = f"{service.url.replace('http://', 'ws://')}/v1/sessions/{data.session_id}/channel"
    beat = Heartbeat("running", NOW_MS, 1, Backlog(0, 0), {})
    with connect(address, additional_headers={"Authorization": f"Bearer {data.token}"}, proxy=None) as channel:
        frames = [link.connected(), link.send(agent.key), link.send(SessionChanged("running", NOW_MS, 0))]
        for frame in (*frames, link.momentary(beat)):
            channel.send(frame.decode())
        nonce = ""
        while not nonce or link.waiting:
            body, answers = link.receive(channel.recv(timeout=20))
            for each in answers:
                channel.send(each.decode())
            message = msgspec.json.decode(body, type=ToAgent) if body else None
            nonce = message.nonce if isinstance(message, KeepAlive) else nonce
    return lambda url, **changes: agent.attest(nonce, aud=url, once=True, **changes)


def asked(url: str, attestation: str = "") -> httpx.Response:
    return httpx.get(url, headers={HEADER: attestation} if attestation else {}, trust_env=False)


def test_an_attested_request_is_answered_once(server: str, attest: Callable[..., str]) -> None:
    url = f"{server}/questions?page=1"
    token = attest(url)
    first, again = asked(url, token), asked(url, token)
    assert (first.status_code, first.json()) == (200, {"questions": ["Why is the sky blue?"]})
    assert (again.status_code, again.json()) == (403, {"reason": VERDICTS["replayed"]})


def test_nobody_else_sees_the_questions(server: str, attest: Callable[..., str]) -> None:
    url = f"{server}/questions"
    tokens = ("", "nonsense", attest(f"{server}/elsewhere"), attest(url, phase="lifted"))
    reasons = [asked(url, token).json()["reason"] for token in tokens]
    assert reasons == [VERDICTS[verdict] for verdict in ("missing", "malformed", "wrong_audience", "not_locked")]


@pytest.mark.parametrize("language", COMMANDS)
def test_while_the_service_cannot_be_asked_nobody_sees_them(language: str, service: Service, tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    with exam(language, nowhere, service.private_key, tmp_path) as address:
        assert asked(f"{address}/questions", "token").status_code == 503

"""The documentation's signing examples: a real service accepts what they sign, and refuses what another key signs."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.docs.servers import COMMANDS, exam
from tests.e2e.programs import Service

SCHEMES = ("body", "parameters")


@pytest.fixture(scope="module", params=COMMANDS)
def server(request: pytest.FixtureRequest, service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an example's server."""
    folder = tmp_path_factory.mktemp("exam")
    with exam(request.param, service.url, service.private_key, folder) as address:
        yield address


@pytest.fixture(scope="module", params=COMMANDS)
def stranger(
    request: pytest.FixtureRequest, service: Service, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """An example's server with a private key that the service does not know."""
    with exam(request.param, service.url, "another", tmp_path_factory.mktemp("exam")) as address:
        yield address


def signed(server: str, call: str, **asked: str) -> dict[str, Any]:
    """What the exam page would get."""
    answer = httpx.post(f"{server}/sign/{call}", params=asked, trust_env=False)
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


def registered(service: Service, request: dict[str, Any]) -> httpx.Response:
    """What the service answers to an agent that passes the page's request on."""
    headers = {"Authorization": request.get("authorization", ""), "Content-Type": "application/json"}
    body, query = request["body"].encode(), request.get("query", {})
    return httpx.post(f"{service.url}/v1/init", content=body, params=query, headers=headers, trust_env=False)


def reported(service: Service, request: dict[str, Any]) -> httpx.Response:
    """What the service answers to a signed query."""
    headers = {"Authorization": request.get("authorization", "")}
    return httpx.get(f"{service.url}/v2/report/", params=request["query"], headers=headers, trust_env=False)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_service_accepts_what_the_exam_signs(service: Service, server: str, scheme: str) -> None:
    answer = registered(service, signed(server, "init", scheme=scheme))
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["user_name"] == "Eileen Collins"
    assert answer.json()["data"]["settings"]["authorization"] is True
    report = reported(service, signed(server, "report", scheme=scheme, format="json"))
    assert report.status_code == 200, report.text
    assert report.json()["report"]["session_id"] == answer.json()["data"]["session_id"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_another_key_signs_is_refused(service: Service, stranger: str, scheme: str) -> None:
    init = registered(service, signed(stranger, "init", scheme=scheme))
    report = reported(service, signed(stranger, "report", scheme=scheme))
    assert [each.json()["error"]["code"] for each in (init, report)] == ["signature_mismatch"] * 2


def test_the_private_key_stays_at_the_server(service: Service, server: str) -> None:
    page = httpx.get(f"{server}/", trust_env=False)
    texts = [page.text, *(str(signed(server, call, scheme=each)) for call in ("init", "report") for each in SCHEMES)]
    assert [text for text in texts if service.private_key in text] == []
    assert f"{service.url}/secureproctor.js" in page.text

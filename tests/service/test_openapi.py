"""The OpenAPI document is true: it names every address, and whoever calls as it says is answered as it says."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.core.result import Ok
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute

from secureproctor.contract.http import PATHS
from secureproctor.contract.signing import sign_body
from secureproctor.contract.streams import Stream
from secureproctor.service.app import create_app
from secureproctor.service.config import ServiceConfig
from secureproctor.service.openapi import OPERATIONS, document
from secureproctor.service.vault import Vault
from tests.service.house import House

PUBLIC, PRIVATE = "exam-public", "exam-private"
EXAMPLES = 8
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
FILES = frozenset({"/", "/web/{path}"})
"""What pages are made of, and where the front leads: no calls."""


def addresses(app: Starlette) -> set[str]:
    """The routes of an app as PATHS spells them."""
    found = set()
    for route in app.routes:
        assert isinstance(route, Route | WebSocketRoute)
        path = re.sub(r":\w+}", "}", route.path)
        methods = (route.methods or {"GET"}) - {"HEAD"} if isinstance(route, Route) else {"GET"}
        found |= {f"{method} {path}" for method in methods if path not in FILES}
    return found


def test_it_names_every_address_of_the_service_and_no_other(house: House) -> None:
    config = ServiceConfig(house.folder, {}, "http://127.0.0.1:1")
    app = create_app(config, house.store, Vault.opened(house.folder), house.clock)
    assert addresses(app) == set(PATHS) == set(OPERATIONS)
    named = {f"{method.upper()} {path}" for path, item in document()["paths"].items() for method in item}
    assert named == set(PATHS)


def test_it_is_served_and_a_valid_document(server: Any) -> None:
    served = server.http.get("/openapi.json").json()
    assert served == json.loads(json.dumps(document()))
    assert served["openapi"] == "3.1.0"
    for schema in served["components"]["schemas"].values():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
    schemathesis.openapi.from_dict(served).validate()
    text = json.dumps(served)
    references = set(re.findall(r'"\$ref": "#/components/schemas/(\w+)"', text))
    assert references <= served["components"]["schemas"].keys()


@dataclass
class Caller:
    """Sends what schemathesis made up, with the right keys or without any."""

    server: Any
    candidate: Any
    access: str
    trusted: bool

    def call(self, case: Case[Any]) -> httpx.Response:
        made = case.as_transport_kwargs()
        query = {name: str(value) for name, value in (made.get("params") or {}).items() if value is not None}
        if self.trusted and OPERATIONS[case.operation.label].key == "exam":
            query.pop("asgn", None)  # the signature is in the header
            query |= {"publicKey": PUBLIC} if "publicKey" in query else {}
            if isinstance(made.get("json"), dict) and "publicKey" in made["json"]:
                made["json"]["publicKey"] = PUBLIC
        body = json.dumps(made["json"]).encode() if "json" in made else _bytes(made.get("data"))
        headers = {name: value for name, value in made["headers"].items() if name.lower() != "authorization"}
        if self.trusted:
            self._unlock(OPERATIONS[case.operation.label].key, query, headers, body)
        answer: httpx.Response = self.server.http.request(
            made["method"], _path(made["url"]), params=query, content=body, headers=headers
        )
        return answer

    def _unlock(self, key: str, query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
        if key == "session":
            headers.update(self.candidate.authorization)
        elif key == "proctor":
            headers["Authorization"] = f"Bearer {self.server.proctor_key}"
        elif key == "link":
            query["access"] = self.access
        elif key == "exam":
            signed = body or "\n".join(query[name] for name in sorted(query)).encode()
            headers["Authorization"] = sign_body(PRIVATE, signed)


def _bytes(data: Any) -> bytes:
    return data if isinstance(data, bytes) else b"" if data is None else str(data).encode()


def _path(url: str) -> str:
    return url.partition("://")[2].partition("/")[2].join(("/", "")) if "://" in url else url


@pytest.fixture(scope="module")
def caller(own_server: Any) -> Callable[[bool], Caller]:
    """Callers of a session that has a record of each kind."""
    candidate = own_server.register()
    for stream in Stream:
        for seq in (0, 1):
            if stream is Stream.STILLS:
                candidate.still(seq)
            else:
                candidate.record(stream, seq, duration_us=1_000_000 * seq, payload=b"[]")
    with own_server.console() as console:
        access = console.snapshot(candidate.id).access
    return lambda trusted: Caller(own_server, candidate, access, trusted)


SCHEMA = schemathesis.openapi.from_dict(document())
OPEN = {"/v1/health", "/demo", "/console", "/report/{id}", "/v1/proctor", "/v1/proctor/live", "/openapi.json"}
OPEN |= {"/secureproctor.js", "/authorization.js", "/v1/sessions/{id}/segments"}
"""Addresses that take whatever is asked: nothing that one could send is unfitting."""
CALLS = [
    (operation, trusted, mode)
    for found in SCHEMA.get_all_operations()
    if isinstance(found, Ok) and (operation := found.ok())
    for trusted in (True, False)
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    if mode is GenerationMode.POSITIVE or operation.path not in OPEN
]


def test_every_address_is_called() -> None:
    assert {operation.label for operation, _, _ in CALLS} == set(PATHS)


@pytest.mark.parametrize(
    ("operation", "trusted", "mode"), CALLS, ids=[f"{each.label} {trusted} {mode}" for each, trusted, mode in CALLS]
)
def test_whoever_calls_is_answered_as_the_document_says(
    caller: Callable[[bool], Caller], operation: Any, trusted: bool, mode: GenerationMode
) -> None:
    calling = caller(trusted)
    fixed = {"id": calling.candidate.id} if trusted and "{id}" in operation.path else None

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode, path_parameters=fixed))
    def play(case: Case[Any]) -> None:
        case.validate_response(calling.call(case), checks=CHECKS)

    play()

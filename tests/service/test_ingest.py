"""Evidence over the wire: idempotent, create-only, durable."""

import select
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from secureproctor.contract.channel import SessionChanged
from secureproctor.contract.errors import Refusal
from secureproctor.contract.record import MAX_BODY, record_hash
from secureproctor.contract.streams import Stream
from secureproctor.service.answers import refused
from secureproctor.service.ingest import MAX_AT_ONCE


def test_a_record_is_stored_once_and_told_again(server: Any) -> None:
    candidate = server.register()
    sealed = candidate.seal(Stream.SCREEN, 0)
    first, second = (candidate.put(sealed, Stream.SCREEN, 0) for _ in range(2))
    digest = record_hash(sealed).hex()
    assert (first.status_code, first.json()) == (201, {"status": "stored", "hash": digest})
    assert (second.status_code, second.json()) == (200, {"status": "already", "hash": digest})


def test_another_record_at_the_same_place_is_a_conflict(server: Any) -> None:
    candidate = server.register()
    candidate.record(Stream.AUDIO, 0)
    answer = candidate.put(candidate.seal(Stream.AUDIO, 0, payload=b"other"), Stream.AUDIO, 0)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "record_conflict")


def test_a_record_at_another_address_is_refused(server: Any) -> None:
    candidate, stranger = server.register(), server.register()
    sealed = candidate.seal(Stream.SCREEN, 4)
    for answer in (candidate.put(sealed, Stream.SCREEN, 5), stranger.put(sealed, Stream.SCREEN, 4)):
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "record_mismatch")


@pytest.mark.parametrize("garbage", [b"", b"SPR1", b"x" * 500, b"SPR1" + b"\xff" * 500])
def test_what_is_no_record_is_refused(server: Any, garbage: bytes) -> None:
    answer = server.register().put(garbage, Stream.SCREEN, 0)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "record_malformed")


def test_a_number_beyond_all_measure_is_refused(server: Any) -> None:
    candidate = server.register()
    sealed = candidate.seal(Stream.SCREEN, 1, duration_us=2**64 - 1)
    assert candidate.put(sealed, Stream.SCREEN, 1).json()["error"]["code"] == "record_malformed"


@pytest.mark.parametrize("place", ["screen/0/x", "screen/-1/0", "nothing/0/0", "screen/0/" + "9" * 400, "screen/0/٣"])
def test_an_address_that_cannot_be_is_not_found_or_refused(server: Any, place: str) -> None:
    candidate = server.register()
    sealed = candidate.seal(Stream.SCREEN, 0)
    url = f"/v1/sessions/{candidate.id}/segments/{place}"
    assert server.http.put(url, content=sealed, headers=candidate.authorization).status_code in (400, 404)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x.y.z", "Basic abc", "Bearer \xff"])
def test_without_a_valid_token_nothing_is_stored(server: Any, header: str) -> None:
    candidate = server.register()
    headers = {"Authorization": header.encode("latin-1")} if header else {}
    answer = server.http.put(
        candidate.path(Stream.SCREEN, 0), content=candidate.seal(Stream.SCREEN, 0), headers=headers
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "token_invalid")


def test_a_huge_body_is_refused_by_its_announced_length_and_on_the_way(server: Any) -> None:
    candidate = server.register()
    chunk = bytes(1 << 20)

    def endless() -> Any:
        yield from (chunk for _ in range(MAX_BODY // len(chunk) + 8))

    for body in (endless(), bytes(MAX_BODY + 1000)):
        try:
            answer = server.http.put(candidate.path(Stream.SCREEN, 0), content=body, headers=candidate.authorization)
        except httpx.TransportError:
            continue  # the service answered and closed while the body was still being written
        assert answer.status_code == 413
    assert server.http.get(f"/v1/sessions/{candidate.id}/segments", headers=candidate.authorization).json() == {
        "streams": {}
    }


def test_too_many_at_once_are_asked_to_come_back(launch: Any) -> None:
    server = launch()
    candidate = server.register()
    head = f"PUT {candidate.path(Stream.SCREEN, 0)} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
    head += f"Authorization: {candidate.authorization['Authorization']}\r\n\r\nhalf"
    port = int(server.url.rpartition(":")[2])
    sealed = candidate.seal(Stream.SCREEN, 0)
    with ExitStack() as stack:
        halves = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(MAX_AT_ONCE + 1)]
        for half in halves:
            half.sendall(head.encode())
        answered, _, _ = select.select(halves, [], [], 5)  # all places are taken when one of them is refused
        assert [half.recv(12) for half in answered] == [b"HTTP/1.1 429"]
        answer = candidate.put(sealed, Stream.SCREEN, 0)
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["Retry-After"]) <= 5
    until = time.monotonic() + 5
    while (answer := candidate.put(sealed, Stream.SCREEN, 0)).status_code == 429 and time.monotonic() < until:
        pass  # the places become free as the service notices that the others have gone
    assert answer.status_code == 201


def test_of_many_who_store_the_same_record_at_once_exactly_one_is_first(server: Any) -> None:
    candidate = server.register()
    sealed = candidate.seal(Stream.WEBCAM, 0, payload=bytes(300_000))
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: candidate.put(sealed, Stream.WEBCAM, 0).status_code, range(16)))
    assert sorted(answers) == [200] * 15 + [201]


def test_of_different_records_for_one_place_exactly_one_stays(server: Any) -> None:
    candidate = server.register()
    rivals = [candidate.seal(Stream.WEBCAM, 0, payload=bytes([n])) for n in range(8)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda sealed: candidate.put(sealed, Stream.WEBCAM, 0).status_code, rivals))
    assert sorted(answers) == [201] + [409] * 7


def test_what_is_stored_is_listed_as_runs(server: Any) -> None:
    candidate = server.register()
    for epoch, seq in ((0, 0), (0, 1), (0, 3), (1, 0)):
        candidate.record(Stream.SCREEN, seq, epoch=epoch)
    answer = server.http.get(f"/v1/sessions/{candidate.id}/segments", headers=candidate.authorization)
    assert answer.json() == {"streams": {"screen": [[0, 0, 1], [0, 3, 3], [1, 0, 0]]}}


def test_an_acknowledged_record_survives_the_death_of_the_service(launch: Any) -> None:
    first = launch()
    candidate = first.register()
    sealed = candidate.record(Stream.SCREEN, 0)
    first.stop(signal.SIGKILL)
    candidate.server = launch()
    answer = candidate.put(sealed, Stream.SCREEN, 0)
    assert (answer.status_code, answer.json()["status"]) == (200, "already")


def test_evidence_is_accepted_after_the_end(server: Any) -> None:
    candidate = server.register()
    with candidate.channel() as agent:
        agent.tell(SessionChanged("ended", 1_700_000_000_000, 5_000_000, "stopped"))
        agent.settle()
    assert candidate.put(candidate.seal(Stream.SCREEN, 0), Stream.SCREEN, 0).status_code == 201


def test_evidence_of_a_purged_session_is_refused_with_a_code_of_its_own(launch: Any) -> None:
    first = launch()
    candidate = first.register()
    sealed = candidate.record(Stream.SCREEN, 0)
    first.stop()
    candidate.server = second = launch("--retention", "0")
    until = time.monotonic() + 10
    while (answer := candidate.put(sealed, Stream.SCREEN, 0)).status_code == 200 and time.monotonic() < until:
        time.sleep(0.05)  # the first round deletes it
    renewed = second.http.post(f"/v1/sessions/{candidate.id}/token", headers=candidate.authorization)
    for each in (answer, renewed):
        assert (each.status_code, each.json()["error"]["code"]) == (404, "session_unknown")


@pytest.mark.parametrize(("code", "least", "most"), [("busy", 1, 5), ("storage_full", 20, 60)])
def test_those_who_are_sent_away_are_not_asked_to_come_back_together(code: str, least: int, most: int) -> None:
    waits = {int(refused(Refusal(code, why="a test")).headers["Retry-After"]) for _ in range(200)}
    assert least <= min(waits) < max(waits) <= most

"""A session from Init to its report, over the wire: report, playlists, opened segments, access codes, pages."""

import json
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from secureproctor.contract.channel import SessionChanged
from secureproctor.contract.signing import sign_body, sign_parameters
from secureproctor.contract.streams import MEDIA, Stream

PUBLIC, PRIVATE = "exam-public", "exam-private"
S = 1_000_000
NOW_MS = 1_700_000_000_000


def proctored(server: Any, seconds: int = 8, live_only: bool = False, **changes: Any) -> Any:
    """A candidate whose session ran, with segments of 2 s of all streams and one record of events."""
    candidate = server.register(**changes)
    with candidate.channel() as agent:
        agent.tell(SessionChanged("running", NOW_MS, 0))
        for stream in MEDIA:
            candidate.record(stream, 0, payload=b"ftyp-" + stream.encode(), live_only=live_only)
            for seq in range(1, seconds // 2 + 1):
                how = {"start_us": (seq - 1) * 2 * S, "duration_us": 2 * S, "payload": f"{stream}-{seq}".encode()}
                candidate.record(stream, seq, live_only=live_only, **how)
        hidden = [{"kind": "page_hidden", "at_us": S, "wall_ms": NOW_MS + 1000}]
        candidate.record(Stream.EVENTS, 0, payload=json.dumps(hidden).encode(), live_only=live_only)
        agent.beat(at_us=seconds * S)
        agent.tell(SessionChanged("ended", NOW_MS + seconds * 1000, seconds * S, "stopped"))
        agent.settle()
    return candidate


def report_query(candidate: Any, **changes: str) -> dict[str, str]:
    query = {"publicKey": PUBLIC, "groupName": "group", "userId": candidate.data.user_id, "reportFormat": "json"}
    return {**query, **changes}


def signed_report(server: Any, query: dict[str, str]) -> Any:
    values = "\n".join(query[name] for name in sorted(query))
    return server.http.get("/v2/report/", params=query, headers={"Authorization": sign_body(PRIVATE, values.encode())})


@pytest.fixture(scope="module")
def reviewed(server: Any) -> tuple[Any, str]:
    """A finished session and the access code of its report."""
    candidate = proctored(server)
    link = signed_report(server, report_query(candidate)).json()["data"]["url"]
    return candidate, parse_qs(urlsplit(link).query)["access"][0]


def get(reviewed: tuple[Any, str], path: str, **params: str) -> Any:
    candidate, access = reviewed
    return candidate.server.http.get(f"/v1/sessions/{candidate.id}/{path}", params={"access": access, **params})


def test_the_signed_report_is_whole_and_links_to_itself(server: Any, reviewed: tuple[Any, str]) -> None:
    candidate, access = reviewed
    answer = signed_report(server, report_query(candidate)).json()
    report = answer["report"]
    assert report["verified"] is True
    assert [(each["stream"], each["coverage_pct"]) for each in report["streams"]] == [
        ("screen", 100.0), ("webcam", 100.0), ("audio", 100.0)
    ]  # fmt: skip
    assert [chain["stream"] for chain in report["chains"]] == ["screen", "webcam", "audio", "events"]
    assert [flag["flag"] for flag in report["flags"]] == ["AWAY_FROM_WINDOW"]
    assert (report["state"], report["end_reason"], report["running_s"]) == ("ended", "stopped", 8.0)
    assert answer["data"]["ci_band"] == report["credibility"]["band"] == "High"
    assert answer["data"]["url"] == f"{server.url}/report/{candidate.id}?access={access}"
    assert server.http.get(answer["data"]["json_url"]).json() == report


def test_the_report_is_a_link_unless_json_was_asked_for(server: Any, reviewed: tuple[Any, str]) -> None:
    answer = signed_report(server, report_query(reviewed[0], reportFormat="url"))
    assert answer.json()["report"] is None


def test_the_report_can_be_signed_by_parameters(server: Any, reviewed: tuple[Any, str]) -> None:
    query = report_query(reviewed[0], ak=PUBLIC, ts=str(int(time.time())))
    query["asgn"] = sign_parameters(PRIVATE, "GET", f"{server.url}/v2/report/", query)
    assert server.http.get("/v2/report/", params=query).status_code == 200
    assert server.http.get("/v2/report/", params={**query, "userId": "other"}).status_code == 401


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"userId": "nobody"}, 404, "session_unknown"),
        ({"userId": ""}, 400, "field_missing"),
        ({"reportFormat": "pdf"}, 400, "field_invalid"),
        ({"publicKey": "unknown"}, 403, "key_not_authorized"),
    ],
)
def test_a_report_that_cannot_be_given_is_refused(
    server: Any, reviewed: tuple[Any, str], changes: dict[str, str], status: int, code: str
) -> None:
    answer = signed_report(server, report_query(reviewed[0], **changes))
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_the_newest_session_of_a_user_is_reported(server: Any) -> None:
    first = server.register(userId="returning")
    second = server.register(userId="returning")
    report = signed_report(server, report_query(second)).json()["report"]
    assert report["session_id"] == second.id != first.id


def test_every_address_of_a_playlist_gives_what_was_sealed(reviewed: tuple[Any, str]) -> None:
    candidate, _ = reviewed
    playlist = get(reviewed, "media/screen.m3u8")
    assert playlist.headers["Content-Type"] == "application/vnd.apple.mpegurl"
    assert playlist.text.endswith("#EXT-X-ENDLIST\n")
    addresses = [line for line in playlist.text.splitlines() if not line.startswith("#")]
    base = f"/v1/sessions/{candidate.id}/media/"
    answers = [candidate.server.http.get(base + address) for address in addresses]
    assert [answer.text for answer in answers] == ["screen-1", "screen-2", "screen-3", "screen-4"]
    assert {answer.headers["Content-Type"] for answer in answers} == {"video/mp4"}
    assert get(reviewed, "media/screen/0/0").text == "ftyp-screen"
    assert get(reviewed, "media/audio/0/1").headers["Content-Type"] == "audio/mp4"


def test_the_master_playlist_leads_to_both_parts(reviewed: tuple[Any, str]) -> None:
    candidate, access = reviewed
    text = get(reviewed, "media/master.m3u8").text
    assert f'URI="audio.m3u8?access={access}"' in text
    assert text.endswith(f"screen.m3u8?access={access}\n")
    assert candidate.server.http.get(f"/v1/sessions/{candidate.id}/media/audio.m3u8?access={access}").status_code == 200


def test_a_whole_epoch_comes_as_one_file(reviewed: tuple[Any, str]) -> None:
    answer = get(reviewed, "media/audio.mp4")
    assert (answer.text, answer.headers["Epochs"]) == ("ftyp-audioaudio-1audio-2audio-3audio-4", "0")
    assert get(reviewed, "media/audio.mp4", epoch="1").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["media/screen.m3u8", "media/master.m3u8", "media/screen/0/0", "media/screen.mp4", "report"],
)
def test_nothing_opens_without_the_access_code_of_this_session(
    server: Any, reviewed: tuple[Any, str], path: str
) -> None:
    candidate, access = reviewed
    other = server.register()
    for session_id, code in ((candidate.id, ""), (candidate.id, access[:-1]), (other.id, access)):
        answer = server.http.get(f"/v1/sessions/{session_id}/{path}", params={"access": code})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "access_denied")


@pytest.mark.parametrize("path", ["events/0/0", "nothing.m3u8", "screen/0/77", "screen/x/0", "events.mp4"])
def test_what_is_no_medium_is_not_found(reviewed: tuple[Any, str], path: str) -> None:
    answer = get(reviewed, f"media/{path}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_a_record_that_was_changed_on_the_disk_shows_in_the_report(launch: Any, tmp_path: Any) -> None:
    server = launch()
    candidate = proctored(server)
    file = tmp_path / "data" / "records" / candidate.id / "webcam" / "0-2.spr"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    report = signed_report(server, report_query(candidate)).json()["report"]
    faults = {chain["stream"]: chain["faults"] for chain in report["chains"]}
    assert faults["webcam"] == ["Record 0/2: it is not the record that was received."]
    assert [(each["kind"], each["stream"], each["source"]) for each in report["tampering"]] == [
        ("spoilt", "webcam", "store")
    ]
    assert [(gap["stream"], gap["start_s"], gap["end_s"]) for gap in report["gaps"]] == [("webcam", 2.0, 4.0)]
    assert "CHAIN_BROKEN" in [flag["flag"] for flag in report["flags"]]


def test_what_was_refused_is_named_in_the_report(server: Any) -> None:
    candidate = server.register()
    with candidate.channel() as agent:
        agent.tell(SessionChanged("running", NOW_MS, 0))
        seals = [
            candidate.seal(Stream.SCREEN, seq, start_us=(seq - 1) * S, duration_us=S * bool(seq)) for seq in range(8)
        ]
        offered = {0: 0, 1: 1, 2: 3, 3: 2, 5: 1, 7: 7}
        answers = {seq: candidate.put(seals[of], Stream.SCREEN, seq).status_code for seq, of in offered.items()}
        answers[4] = candidate.put(seals[4][:-5], Stream.SCREEN, 4).status_code
        answers[6] = candidate.put(b"x" + seals[6][1:], Stream.SCREEN, 6).status_code
        candidate.put(candidate.seal(Stream.SCREEN, 7, payload=b"a second one"), Stream.SCREEN, 7)
        agent.beat(at_us=7 * S)
        agent.tell(SessionChanged("ended", NOW_MS + 7000, 7 * S, "stopped"))
        agent.settle()
    assert answers == {0: 201, 1: 201, 2: 400, 3: 400, 4: 400, 5: 400, 6: 400, 7: 201}
    report = signed_report(server, report_query(candidate)).json()["report"]
    found = [(each["kind"], each["seq"], each["source"]) for each in report["tampering"] if each["stream"] == "screen"]
    assert found == [
        ("reordered", 2, "upload"),
        ("reordered", 3, "upload"),
        ("truncated", 4, "upload"),
        ("replayed", 5, "upload"),
        ("altered", 6, "upload"),
        ("replaced", 7, "upload"),
    ]
    assert "EVIDENCE_TAMPERED" in [flag["flag"] for flag in report["flags"]]


def test_with_recording_off_the_evidence_is_gone_after_the_live_window(launch: Any, tmp_path: Any) -> None:
    server = launch("--live-window", "0")
    candidate = proctored(server, live_only=True, proctoringSettings={"recording": False})
    media = tmp_path / "data" / "records" / candidate.id
    until = time.monotonic() + 10
    while (left := [path for stream in MEDIA for path in media.glob(f"{stream}/*")]) and time.monotonic() < until:
        time.sleep(0.05)  # the service drops it by its own clock
    assert left == []
    report = signed_report(server, report_query(candidate)).json()["report"]
    assert [(each["coverage_pct"], each["playlist"]) for each in report["streams"]] == [(100.0, "")] * 3
    assert report["verified"] is True


@pytest.mark.parametrize("page", ["/demo", "/console", "/secureproctor.js", "/authorization.js", "/web/style.css"])
def test_pages_come_with_their_type_and_a_strict_policy(server: Any, page: str) -> None:
    answer = server.http.get(page)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith(("text/html", "text/javascript", "text/css"))
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


def test_the_front_leads_to_the_demo(server: Any) -> None:
    assert server.http.get("/").headers["Location"] == "/demo"


@pytest.mark.parametrize(
    "path",
    ["../app.py", "%2e%2e/app.py", "..%2fapp.py", "%00", "/etc/passwd", "", "a" * 400 + ".js"],
)
def test_no_path_leads_out_of_the_web_folder(server: Any, path: str) -> None:
    answer = server.http.send(httpx.Request("GET", httpx.URL(server.url).copy_with(raw_path=f"/web/{path}".encode())))
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nowhere", 404), ("DELETE", "/v1/init", 405), ("PUT", "/v1/health", 405)]
)
def test_an_unknown_address_or_method_is_answered_in_words(server: Any, method: str, path: str, status: int) -> None:
    answer = server.http.request(method, path)
    assert answer.status_code == status
    assert answer.json()["error"]["message"].endswith(".")


def test_health_tells_version_and_time(server: Any) -> None:
    health = server.http.get("/v1/health").json()
    assert (health["service"], abs(health["now_ms"] / 1000 - time.time()) < 60) == ("secureproctor", True)

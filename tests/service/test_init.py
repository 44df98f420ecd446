"""Init over the wire: who may register, and what is said when something is wrong."""

import base64
import json
import time
from typing import Any

import pytest

from secureproctor.contract.signing import sign_body, sign_parameters

PUBLIC, PRIVATE = "exam-public", "exam-private"
BODY = json.dumps({"publicKey": PUBLIC, "userId": "u", "groupName": "g"}).encode()


def post(server: Any, body: bytes, **how: Any) -> Any:
    return server.http.post("/v1/init", content=body, **how)


def error_of(answer: Any) -> dict[str, str]:
    error: dict[str, str] = answer.json()["error"]
    assert error["message"].endswith(".")
    return error


def test_a_signed_body_registers_a_session(server: Any) -> None:
    data = server.register().data
    assert data.expiry_s == 300
    assert data.origins[0] == server.url
    assert len(base64.b64decode(data.sealing_key)) == 32
    assert abs(data.now_ms / 1000 - time.time()) < 60
    assert data.retention_s == 72 * 3600


@pytest.mark.parametrize("spelling", ["{url}/v1/init", "/v1/init"])
def test_signed_parameters_register_with_either_spelling_of_the_address(server: Any, spelling: str) -> None:
    query = {"ak": PUBLIC, "ts": str(int(time.time()))}
    endpoint = spelling.format(url=server.url)
    query["asgn"] = sign_parameters(PRIVATE, "POST", endpoint, {**query, "rd": BODY.decode()})
    assert post(server, BODY, params=query).status_code == 200


@pytest.mark.parametrize(
    ("ts", "number"), [("soon", "E504"), (str(int(time.time()) - 90_000), "E504"), ("", "E504"), ("9" * 30, "E504")]
)
def test_a_stale_or_malformed_time_stamp_is_refused(server: Any, ts: str, number: str) -> None:
    query = {"ak": PUBLIC, "ts": ts}
    query["asgn"] = sign_parameters(PRIVATE, "POST", "/v1/init", {**query, "rd": BODY.decode()})
    answer = post(server, BODY, params=query)
    assert (answer.status_code, error_of(answer)["number"]) == (400, number)


def test_a_signature_over_other_bytes_is_refused(server: Any) -> None:
    answer = post(server, BODY + b" ", headers={"Authorization": sign_body(PRIVATE, BODY)})
    assert (answer.status_code, error_of(answer)["code"], error_of(answer)["number"]) == (
        401,
        "signature_mismatch",
        "E401",
    )


def test_an_unsigned_request_is_refused(server: Any) -> None:
    assert error_of(post(server, BODY))["code"] == "signature_missing"


def test_an_unknown_key_is_refused(server: Any) -> None:
    body = BODY.replace(PUBLIC.encode(), b"nobody")
    answer = post(server, body, headers={"Authorization": sign_body(PRIVATE, body)})
    assert (answer.status_code, error_of(answer)["number"]) == (403, "E403")


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"userId": None}, "field_missing", "userId"),
        ({"groupName": "  "}, "field_missing", "groupName"),
        ({"publicKey": ""}, "field_missing", "publicKey"),
        ({"userId": 7}, "field_invalid", "userId"),
        ({"expiryTime": 1}, "field_invalid", "expiryTime"),
        ({"proctoringSettings": {"initialState": "asleep"}}, "field_invalid", "proctoringSettings.initialState"),
        ({"proctoringSettings": {"msb": True}}, "field_missing", "proctoringSettings.msbKey"),
        ({"proctoringSettings": {"msb": True, "msbKey": "a.b.c"}}, "msb_key_malformed", "proctoringSettings.msbKey"),
        (
            {"proctoringSettings": {"lockdown": {"required": ["gravity"]}}},
            "field_invalid",
            "proctoringSettings.lockdown.required[0]",
        ),
        (
            {"proctoringSettings": {"lockdown": {"required": ["keys"], "off": ["focus", "keys"]}}},
            "field_invalid",
            "proctoringSettings.lockdown.off",
        ),
        (
            {"proctoringSettings": {"lockdown": {"displays": 0}}},
            "field_invalid",
            "proctoringSettings.lockdown.displays",
        ),
        (
            {"proctoringSettings": {"lockdown": {"browsingTolerance": -1}}},
            "field_invalid",
            "proctoringSettings.lockdown.browsingTolerance",
        ),
        (
            {"proctoringSettings": {"lockdown": {"allowedPrograms": ["OBS "], "forbiddenPrograms": ["obs"]}}},
            "field_invalid",
            "proctoringSettings.lockdown.allowedPrograms",
        ),
        (
            {"proctoringSettings": {"lockdown": {"forbiddenPrograms": ["  "]}}},
            "field_invalid",
            "proctoringSettings.lockdown.forbiddenPrograms",
        ),
        (
            {"proctoringSettings": {"initialState": "paused", "pauseResume": False}},
            "field_invalid",
            "proctoringSettings.initialState",
        ),
        (
            {"proctoringSettings": {"candidatePhotoUrl": "javascript:1"}},
            "field_invalid",
            "proctoringSettings.candidatePhotoUrl",
        ),
    ],
)
def test_a_field_that_does_not_fit_is_named(server: Any, changes: dict[str, object], code: str, field: str) -> None:
    answer = server.init(**changes)
    error = error_of(answer)
    assert (answer.status_code, error["code"], error["field"]) == (400, code, field)
    assert field in error["message"] or code == "msb_key_malformed"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff\xfe", b'"text"', b"[" * 50_000, b'{"userId": "\xff"}'])
def test_a_body_that_is_no_init_is_refused_in_words(server: Any, body: bytes) -> None:
    answer = post(server, body, headers={"Authorization": sign_body(PRIVATE, body)})
    assert (answer.status_code, error_of(answer)["number"]) == (400, "E400")


def test_a_body_beyond_the_limit_is_refused(server: Any) -> None:
    assert error_of(post(server, b" " * 70_000))["code"] == "too_large"


def test_every_setting_is_passed_on_and_none_is_without_effect(server: Any) -> None:
    data = server.register(
        proctoringSettings={"navigationControl": True, "recording": False, "lockdown": {"required": ["keys"]}}
    ).data
    assert data.not_enforced == ()
    assert data.settings.recording is False
    assert data.settings.lockdown.required == ("keys",)
    assert (data.client, data.msb_keys) == (PUBLIC, ())


def test_what_is_required_and_off_at_once_is_named(server: Any) -> None:
    both = {"required": ["keys", "focus"], "off": ["keys", "focus", "power"]}
    error = error_of(server.init(proctoringSettings={"navigationControl": True, "lockdown": both}))
    assert "it names what is required: System keys, Exam window" in error["message"]


def test_lockdown_settings_without_a_lockdown_are_harmless(server: Any) -> None:
    data = server.register(proctoringSettings={"lockdown": {"required": ["keys"]}, "msbKey": "nonsense"}).data
    assert data.settings.lockdown.required == ("keys",)


def test_whoever_leaves_out_id_and_photo_leaves_out_the_id(server: Any) -> None:
    settings = server.register(proctoringSettings={"authorization": True, "skipIdAndPhoto": True}).data.settings
    assert (settings.skip_id, settings.skip_id_and_photo) == (True, True)


def test_a_fresh_token_is_given_for_the_old_one(server: Any) -> None:
    candidate = server.register()
    answer = server.http.post(f"/v1/sessions/{candidate.id}/token", headers=candidate.authorization)
    fresh = {"Authorization": f"Bearer {answer.json()['token']}"}
    assert server.http.get(f"/v1/sessions/{candidate.id}/segments", headers=fresh).json() == {"streams": {}}


def test_a_token_of_another_session_is_refused(server: Any) -> None:
    one, other = server.register(), server.register()
    answer = server.http.post(f"/v1/sessions/{one.id}/token", headers=other.authorization)
    assert (answer.status_code, error_of(answer)["code"]) == (401, "token_invalid")

"""The exam's server asks what an attestation is worth: what is fresh, of this session and for this address is good."""

import asyncio
import json
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import msgspec
import pytest
from starlette.applications import Starlette

from secureproctor.contract.attestation import VERDICTS, RuleState, VerifyAnswer, VerifyData
from secureproctor.contract.channel import CommandUpdate, SessionChanged
from secureproctor.contract.console import Issue
from secureproctor.contract.lockdown import LockdownSettings
from secureproctor.contract.msb import BrowserIdentity
from secureproctor.contract.signing import sign_body, sign_parameters
from secureproctor.service import attestations, attested, ledger
from secureproctor.service.app import create_app
from secureproctor.service.attestation import JUDGEMENTS
from secureproctor.service.attested import USED_FOR_MS
from secureproctor.service.config import ServiceConfig
from secureproctor.service.nonces import Nonces
from secureproctor.service.session import Session
from secureproctor.service.sessions import load, save
from secureproctor.service.vault import Vault
from tests.service.attesting import HELD, Attester, msb_key
from tests.service.house import House

CLIENT, PRIVATE = "k", "exam-private"
"""The client that House registers for."""
PATH = "/v1/attestations/verify"
ORIGIN = "https://exam.example"
URL = f"{ORIGIN}/questions/1?page=2"
PROVEN = BrowserIdentity(7, "/opt/browser", proof="path")


@dataclass
class Exam:
    """An exam's server, a candidate's agent, and the service between them, on a clock that the test moves."""

    house: House
    app: Starlette
    session: Session = field(init=False)
    agent: Attester = field(init=False)

    def __post_init__(self) -> None:
        self.nonces = Nonces(Vault.opened(self.house.folder).derived("attestation nonces"), self.house.clock.wall)
        self.begin()

    def begin(self, **settings: Any) -> None:
        """A locked session of its own, with its agent's key."""
        self.session = self.house.register(**({"navigation_control": True} | settings))
        self.agent = self.new_agent()

    def new_agent(self) -> Attester:
        agent = Attester(self.session.id)
        with self.house.store.transaction() as db:
            attested.keyed(db, self.session.id, agent.key, self.house.clock.now_ms())
        return agent

    def token(self, **changes: Any) -> str:
        nonce = changes.pop("nonce", self.nonces.fresh(self.session.id))
        return self.agent.attest(nonce, **{"aud": ORIGIN, **changes})

    def ask(self, token: str, **changes: Any) -> VerifyData:
        answer = self.post({"publicKey": CLIENT, "token": token, "url": URL, **changes})
        assert answer.status_code == 200, answer.text
        data = msgspec.json.decode(answer.content, type=VerifyAnswer).data
        assert data.ok is (data.verdict == "ok")
        assert data.reason == VERDICTS[data.verdict]
        return data

    def post(self, body: dict[str, Any], **how: Any) -> Any:
        content = json.dumps(body).encode()
        how = how or {"headers": {"Authorization": sign_body(PRIVATE, content)}}

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:1") as client:
                return await client.post(PATH, content=content, **how)

        return asyncio.run(ask())

    def change(self, **changes: Any) -> None:
        with self.house.store.transaction() as db:
            save(db, replace(load(db, self.session.id), **changes))


@pytest.fixture
def exam(house: House) -> Exam:
    config = ServiceConfig(house.folder, {CLIENT: PRIVATE, "other": "other-private"}, "http://127.0.0.1:1")
    app = create_app(config, house.store, Vault.opened(house.folder), house.clock)
    return Exam(house, app)


def test_a_fresh_attestation_is_good_and_says_how_the_exam_stands(exam: Exam) -> None:
    token = exam.token()
    exam.house.now += 3
    data = exam.ask(token)
    assert (data.verdict, data.session_id, data.user_id, data.group_name) == ("ok", exam.session.id, "u", "g")
    assert (data.state, data.phase, data.rules, data.browser) == ("running", "locked", HELD, None)
    assert data.age_s == pytest.approx(3, abs=0.01)
    assert exam.ask(token).ok, "it is good for its origin as long as it is fresh"


def test_a_static_replay_fails_as_soon_as_it_is_stale(exam: Exam) -> None:
    token = exam.token()
    exam.house.now += 29
    assert exam.ask(token).ok
    assert exam.ask(token, maxAgeS=10).verdict == "stale"
    exam.house.now += 2
    assert exam.ask(token).verdict == "stale"
    assert exam.ask(token, maxAgeS=60).ok
    exam.house.now += 24 * 3600
    assert exam.ask(token, maxAgeS=3600).verdict == "stale"


def test_one_for_one_use_is_good_for_one_use(exam: Exam) -> None:
    one, other = exam.token(aud=URL, once=True), exam.token(aud=URL, once=True)
    assert [exam.ask(each).verdict for each in (one, one, other, other, one)] == [
        "ok", "replayed", "ok", "replayed", "replayed"
    ]  # fmt: skip


def test_one_for_one_use_stays_used_after_a_restart_until_it_is_stale_for_everybody(exam: Exam, house: House) -> None:
    token = exam.token(aud=URL, once=True)
    assert exam.ask(token).ok
    again = create_app(
        ServiceConfig(house.folder, {CLIENT: PRIVATE}, "http://127.0.0.1:1"), house.store,
        Vault.opened(house.folder), house.clock,
    )  # fmt: skip
    exam.app = again
    assert exam.ask(token, maxAgeS=3600).verdict == "replayed"
    house.now += 3601
    assert exam.ask(token, maxAgeS=3600).verdict == "stale"

    def used() -> int:
        with house.store.transaction() as db:
            attested.forget_used(db, house.clock.now_ms())
            return int(next(db.execute("SELECT count(*) FROM used_attestations"))[0])

    assert used() == 1
    house.now += USED_FOR_MS / 1000
    assert used() == 0


def test_who_signs_twice_under_one_number_has_one_use(exam: Exam) -> None:
    first = exam.token(aud=URL, once=True)
    exam.agent.n -= 1
    second = exam.token(aud=URL, once=True, iat=1)
    assert first != second
    assert [exam.ask(each).verdict for each in (first, second)] == ["ok", "replayed"]


@pytest.mark.parametrize(
    ("aud", "once", "url", "verdict"),
    [
        (ORIGIN, False, URL, "ok"),
        (URL, False, URL, "ok"),
        (URL, True, URL, "ok"),
        ("HTTPS://Exam.Example:443/questions/1?page=2#top", True, URL, "ok"),
        (ORIGIN, True, URL, "wrong_audience"),
        (URL, True, f"{ORIGIN}/questions/2", "wrong_audience"),
        (URL, False, f"{ORIGIN}/questions/2", "wrong_audience"),
        ("https://exam.example:8443", False, URL, "wrong_audience"),
        ("http://exam.example", False, URL, "wrong_audience"),
        ("https://exam.example.evil.example", False, URL, "wrong_audience"),
        ("", False, URL, "wrong_audience"),
        ("", False, "", "wrong_audience"),
    ],
)
def test_it_is_good_for_the_address_that_it_names(exam: Exam, aud: str, once: bool, url: str, verdict: str) -> None:
    assert exam.ask(exam.token(aud=aud, once=once), url=url).verdict == verdict


def test_a_token_of_another_session_is_none_of_this_one(exam: Exam) -> None:
    first, agent = exam.session, exam.agent
    exam.begin()
    stolen = agent.attest(exam.nonces.fresh(first.id), sid=exam.session.id, aud=ORIGIN)
    assert exam.ask(stolen).verdict == "bad_signature"
    borrowed = exam.agent.attest(exam.nonces.fresh(first.id), aud=ORIGIN)
    assert exam.ask(borrowed).verdict == "stale", "the nonce is another session's"


@pytest.mark.parametrize(("asked", "verdict"), [
    ({"userId": "u", "groupName": "g"}, "ok"),
    ({"userId": "somebody"}, "wrong_candidate"),
    ({"groupName": "another exam"}, "wrong_candidate"),
])  # fmt: skip
def test_it_is_of_the_candidate_whom_the_exam_means(exam: Exam, asked: dict[str, str], verdict: str) -> None:
    data = exam.ask(exam.token(), **asked)
    assert data.verdict == verdict
    assert bool(data.session_id) is data.ok


def test_another_clients_server_learns_nothing(exam: Exam) -> None:
    body = {"publicKey": "other", "token": exam.token(), "url": URL}
    signature = sign_body("other-private", json.dumps(body).encode())
    answer = exam.post(body, headers={"Authorization": signature})
    data = msgspec.json.decode(answer.content, type=VerifyAnswer).data
    assert (data.verdict, data.session_id, data.phase, data.rules) == ("wrong_client", "", "", ())


def test_what_was_altered_or_signed_by_a_stranger_is_not_the_agents(exam: Exam) -> None:
    header, payload, signature = exam.token(phase="lifted").split(".")
    other = exam.token().split(".")[1]
    assert exam.ask(f"{header}.{other}.{signature}").verdict == "bad_signature"
    stranger = Attester(exam.session.id)
    assert exam.ask(stranger.attest(exam.nonces.fresh(exam.session.id), aud=ORIGIN)).verdict == "bad_signature"
    assert exam.ask(f"{header}.{payload}.{signature[:-2]}").verdict == "malformed"


def test_an_agent_that_came_back_has_another_key_and_both_are_its_sessions(exam: Exam) -> None:
    before = exam.token()
    exam.agent = exam.new_agent()
    assert [exam.ask(each).verdict for each in (before, exam.token())] == ["ok", "ok"]


@pytest.mark.parametrize(
    "token", ["x", "a.b.c", "a.b", "..", "é.b.c", "x" * 8000, "e30.e30.e30"], ids=lambda token: token[:10]
)
def test_what_is_no_attestation_is_told_so(exam: Exam, token: str) -> None:
    assert exam.ask(token).verdict == "malformed"


@pytest.mark.parametrize(
    "payload",
    [b"{}", b"[]", b'{"sid": "a", "sid": "b"}', b"\xff", b'{"sid":"s","nonce":"n","n":-1,"iat":0,"phase":"off","rules":[]}',
     b'{"sid":"s","nonce":"n","n":9223372036854775808,"iat":0,"phase":"off","rules":[]}'],
)  # fmt: skip
def test_what_does_not_state_an_attestation_is_none_though_it_is_signed(exam: Exam, payload: bytes) -> None:
    assert exam.ask(exam.agent.sign(payload)).verdict == "malformed"
    assert exam.ask(exam.agent.sign(payload, "msb+jws")).verdict == "malformed"


def test_a_request_without_one_and_one_of_nobodys_session(exam: Exam) -> None:
    assert [exam.ask(token).verdict for token in ("", "  ")] == ["missing", "missing"]
    assert exam.ask(exam.token(sid="nobody")).verdict == "unknown_session"


@pytest.mark.parametrize(
    "nonce", ["", "nonsense", "18bcfe56800.AAAAAAAAAAAAAAAAAAAAAA", "-1.x", "0x1.y", "1_0.z", "é.é"]
)
def test_a_nonce_that_the_service_never_gave_is_not_fresh(exam: Exam, nonce: str) -> None:
    assert exam.ask(exam.token(nonce=nonce)).verdict == "stale"


def test_a_nonce_lives_by_the_services_clock(exam: Exam) -> None:
    token = exam.token(iat=0)
    assert exam.ask(token).ok, "the agent's clock may say what it wants"
    exam.house.now -= 30
    assert exam.ask(token).age_s == 0.0, "a clock that is set back a little makes nothing stale"
    exam.house.now -= 3600
    assert exam.ask(token).verdict == "stale"


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"state": "ended"}, "session_over"),
        ({"state": "ending"}, "session_over"),
        ({"phase": "lifted", "state": "paused"}, "not_locked"),
        ({"phase": "probed"}, "not_locked"),
        ({"phase": "stuck"}, "not_locked"),
    ],
)
def test_it_is_good_while_the_exam_is_locked(exam: Exam, changes: dict[str, str], verdict: str) -> None:
    data = exam.ask(exam.token(**changes))
    assert (data.verdict, data.session_id, data.phase) == (verdict, exam.session.id, changes.get("phase", "locked"))


def test_a_session_that_the_service_ended_is_over_whatever_its_agent_says(exam: Exam) -> None:
    exam.change(state="ended", end_reason="expired")
    assert exam.ask(exam.token()).verdict == "session_over"


def without(rule: str, **changes: Any) -> tuple[RuleState, ...]:
    """All rules, one of them otherwise or not at all."""
    rest = tuple(each for each in HELD if each.rule != rule)
    own = next(each for each in HELD if each.rule == rule)
    return (*rest, msgspec.structs.replace(own, **changes)) if changes else rest


@pytest.mark.parametrize(
    ("rules", "verdict"),
    [
        (HELD, "ok"),
        (without("clipboard", holds=False), "ok"),
        (without("keys", holds=False), "rule_missing"),
        (without("keys", standing="observed"), "rule_missing"),
        (without("keys", standing="impossible", holds=False), "rule_missing"),
        (without("keys"), "rule_missing"),
        (without("displays", standing="could_not_check"), "rule_missing"),
        ((), "rule_missing"),
    ],
)
def test_what_the_exam_requires_has_to_be_in_place(exam: Exam, rules: tuple[RuleState, ...], verdict: str) -> None:
    exam.begin(lockdown=LockdownSettings(required=("keys", "displays")))
    assert exam.ask(exam.token(rules=rules)).verdict == verdict


def test_what_a_proctor_overrode_is_not_missed(exam: Exam) -> None:
    """By the service's own record of the command that took effect: the agent's word on it is worth nothing."""
    exam.begin(lockdown=LockdownSettings(required=("keys",)))
    token = exam.token(rules=without("keys"))
    with exam.house.store.transaction() as db:
        issue = Issue(exam.session.id, "override", "a broken keyboard", argument="keys")
        command = ledger.issued(db, exam.session.id, issue, "ada", exam.house.clock.now_ms())
    assert exam.ask(token).verdict == "rule_missing", "it was ordered, and is not done yet"
    with exam.house.store.transaction() as db:
        ledger.updated(db, exam.session.id, CommandUpdate(command.id, "applied", 1))
    assert exam.ask(token).ok


def test_with_the_secure_browser_it_has_to_be_one_and_its_key_may_require_more(exam: Exam) -> None:
    exam.begin(msb=True, msb_key=msb_key("k", "g", lockdown=LockdownSettings(required=("screenshots",))))
    assert exam.ask(exam.token()).verdict == "browser_unproven"
    assert exam.ask(exam.token(browser=replaced(PROVEN, proof="none"))).verdict == "browser_unproven"
    data = exam.ask(exam.token(browser=PROVEN))
    assert (data.verdict, data.browser) == ("ok", PROVEN)
    assert exam.ask(exam.token(browser=PROVEN, rules=without("screenshots"))).verdict == "rule_missing"


def replaced(browser: BrowserIdentity, **changes: Any) -> BrowserIdentity:
    return msgspec.structs.replace(browser, **changes)


def test_a_key_of_an_older_version_that_is_none_requires_nothing(exam: Exam) -> None:
    exam.begin(msb=True, msb_key="made in advance")
    assert exam.ask(exam.token(browser=PROVEN)).ok


def test_the_first_thing_that_speaks_against_it_is_the_verdict(exam: Exam) -> None:
    token = exam.token(phase="lifted", rules=(), aud="https://elsewhere.example")
    exam.change(state="ended")
    assert exam.ask(token).verdict == "wrong_audience"
    order = ["missing", "malformed", "unknown_session", *(verdict for verdict, _ in JUDGEMENTS)]
    assert ["ok", *order] == list(VERDICTS)


def test_the_exams_server_signs_by_either_scheme(exam: Exam) -> None:
    body = {"publicKey": CLIENT, "token": exam.token(), "url": URL}
    query = {"ak": CLIENT, "ts": str(int(exam.house.now))}
    query["asgn"] = sign_parameters(PRIVATE, "POST", PATH, {**query, "rd": json.dumps(body)})
    answer = exam.post(body, params=query)
    assert answer.json()["data"]["ok"] is True


@pytest.mark.parametrize(
    ("body", "private", "code"),
    [
        ({}, "wrong", "signature_mismatch"),
        ({"publicKey": "nobody"}, PRIVATE, "key_not_authorized"),
        ({"token": None}, PRIVATE, "field_invalid"),
        ({"token": "x" * 8193}, PRIVATE, "field_invalid"),
        ({"maxAgeS": 0}, PRIVATE, "field_invalid"),
        ({"maxAgeS": 1e9}, PRIVATE, "field_invalid"),
    ],
)
def test_who_may_not_ask_or_asks_nonsense_is_refused(exam: Exam, body: dict[str, Any], private: str, code: str) -> None:
    asked = {"publicKey": CLIENT, "token": "x", "url": URL, **body}
    answer = exam.post(asked, headers={"Authorization": sign_body(private, json.dumps(asked).encode())})
    assert answer.json()["error"]["code"] == code


def test_an_unsigned_question_is_refused(exam: Exam) -> None:
    answer = exam.post({"publicKey": CLIENT, "token": exam.token(), "url": URL}, headers={})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "signature_missing")


def test_more_questions_than_can_be_judged_at_once_are_asked_to_come_back(
    exam: Exam, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert exam.ask(exam.token()).ok
    monkeypatch.setattr(attestations, "MAX_AT_ONCE", 0)
    answer = exam.post({"publicKey": CLIENT, "token": exam.token(), "url": URL})
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "busy")
    assert int(answer.headers["Retry-After"]) > 0


def test_over_the_wire_an_agent_attests_and_the_exams_server_asks(server: Any) -> None:
    candidate = server.register(proctoringSettings={"navigationControl": True})
    agent = Attester(candidate.id)
    with candidate.channel() as channel:
        channel.tell(agent.key)
        channel.tell(SessionChanged("running", 1_700_000_000_000, 0))
        channel.settle()
        token = agent.attest(channel.nonce(), aud=URL, once=True)
        body = json.dumps({"publicKey": "exam-public", "token": token, "url": URL}).encode()
        headers = {"Authorization": sign_body(PRIVATE, body)}
        found = [server.http.post(PATH, content=body, headers=headers).json()["data"] for _ in range(2)]
    assert [each["verdict"] for each in found] == ["ok", "replayed"]
    assert found[0]["user_id"] == candidate.data.user_id

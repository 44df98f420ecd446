"""What an agent tells and attests of its lockdown, as the service keeps it and shows it to proctors."""

from typing import Any

import msgspec
import pytest

from secureproctor.contract.attestation import FRESH_S, RuleState, Verdict
from secureproctor.contract.channel import Backlog, Heartbeat, KeepAlive, LockdownChanged, SessionChanged, SessionKey
from secureproctor.contract.http import ProctoringSettings
from secureproctor.contract.lockdown import RULES, LockdownSettings, RuleStatus
from secureproctor.contract.msb import BrowserIdentity
from secureproctor.service import attested, ledger, lockdown
from secureproctor.service.attested import MAX_KEYS, UNLIKE_AFTER_MS
from secureproctor.service.effects import effect
from secureproctor.service.flat import flat
from secureproctor.service.lockdown import MAX_SENTENCE, Lockdown
from secureproctor.service.session import Session
from tests.service.attesting import HELD, Attester
from tests.service.house import House

NOW_MS = 1_700_000_000_000
BROWSER = BrowserIdentity(7, "/opt/browser", "Browser", "1", "Maker", "signature", True)
RULES_TOLD = (
    RuleStatus("keys", "enforced", True, True, sightings=3),
    RuleStatus("screenshots", "impossible", True, False, "This system cannot.", "Use another one."),
    RuleStatus("displays", "observed", True, True),
)


@pytest.fixture
def session(house: House) -> Session:
    return house.register(navigation_control=True)


def tell(house: House, session: Session, message: Any) -> None:
    with house.store.transaction() as db:
        effect(db, session.id, message, house.clock.now_ms(), house.nonces)


def beat(house: House, session: Session, attestation: str) -> None:
    tell(house, session, Heartbeat("running", NOW_MS, 1, Backlog(0, 0), {}, attestation=attestation))


def now(house: House, session: Session) -> Session:
    return house.sessions.find(session.id)


def known(house: House, session: Session) -> Lockdown:
    with house.store.transaction() as db:
        return attested.known(db, session.id)


def test_the_newest_word_on_the_lockdown_is_kept(house: House, session: Session) -> None:
    assert known(house, session) == Lockdown()
    tell(house, session, LockdownChanged("probed", RULES_TOLD[:1], NOW_MS))
    tell(house, session, LockdownChanged("locked", RULES_TOLD, NOW_MS + 1, BROWSER, 2))
    assert known(house, session).told == LockdownChanged("locked", RULES_TOLD, NOW_MS + 1, BROWSER, 2)
    shown = now(house, session)
    assert (shown.phase, shown.stopping, shown.away, shown.browser) == ("locked", 1, 2, "signature")


def test_what_is_kept_has_bounds(house: House, session: Session) -> None:
    endless = "x" * 10_000
    rules = tuple(RuleStatus(rule, "observed", why=endless, remedy=endless, sightings=-5) for rule in RULES) * 20
    browser = BrowserIdentity(1, endless, endless, endless, endless, why=endless)
    tell(house, session, LockdownChanged("locked", rules, NOW_MS, browser, 10**30))
    told = known(house, session).told
    assert [each.rule for each in told.rules] == list(RULES)
    assert {(len(each.why), each.sightings) for each in told.rules} == {(MAX_SENTENCE, 0)}
    assert len(msgspec.json.encode(told)) < 25_000
    assert now(house, session).away == 1_000_000


def test_a_key_is_kept_once_and_a_change_of_it_is_on_the_record(house: House, session: Session) -> None:
    one, other = Attester(session.id), Attester(session.id)
    for key in (one.key, one.key, other.key, SessionKey("!" * 43, NOW_MS), SessionKey("A" * 42 + "B", NOW_MS)):
        tell(house, session, key)
    with house.store.transaction() as db:
        assert list(attested.keys(db, session.id)) == [other.key.x, one.key.x]
        seen = ledger.events_seen(db, session.id)
    assert [(each.kind, each.detail["changed"]) for each in seen] == [("session_key", False), ("session_key", True)]


def test_a_machine_whose_agent_died_is_not_locked_until_the_next_one_says_so(house: House, session: Session) -> None:
    """Neither is the next one doubted because it attests otherwise than the former one told."""
    tell(house, session, Attester(session.id).key)
    tell(house, session, LockdownChanged("locked", RULES_TOLD, NOW_MS))
    following = Attester(session.id)
    tell(house, session, following.key)
    told = known(house, session).told
    assert (now(house, session).phase, told.phase, {each.holds for each in told.rules}) == ("lifted", "lifted", {False})
    attesting(house, session, following, 60, phase="off", rules=())
    assert known(house, session).doubts == ()
    tell(house, session, LockdownChanged("locked", RULES_TOLD, NOW_MS))
    assert now(house, session).phase == "locked"


def test_the_newest_keys_are_kept(house: House, session: Session) -> None:
    agents = [Attester(session.id) for _ in range(MAX_KEYS + 3)]
    for agent in agents:
        tell(house, session, agent.key)
    with house.store.transaction() as db:
        assert list(attested.keys(db, session.id)) == [agent.key.x for agent in reversed(agents[3:])]


def test_a_good_attestation_is_counted_with_its_time(house: House, session: Session) -> None:
    agent = Attester(session.id)
    tell(house, session, agent.key)
    for _ in range(3):
        house.now += 5
        beat(house, session, agent.attest(house.nonces.fresh(session.id)))
    assert (now(house, session).attested, now(house, session).attested_ms) == (3, house.clock.now_ms())
    assert known(house, session).misattested == {}
    beat(house, session, "")
    assert (now(house, session).attested, known(house, session).misattested) == (3, {})


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"sid": "another"}, "unknown_session"),
        ({"aud": "https://exam.example"}, "wrong_audience"),
        ({"once": True}, "wrong_audience"),
        ({"n": 1}, "replayed"),
    ],
)
def test_a_bad_one_is_counted_under_its_verdict(
    house: House, session: Session, changes: dict[str, Any], verdict: Verdict
) -> None:
    agent = Attester(session.id)
    tell(house, session, agent.key)
    beat(house, session, agent.attest(house.nonces.fresh(session.id)))
    for _ in range(2):
        beat(house, session, agent.attest(house.nonces.fresh(session.id), **changes))
    assert known(house, session).misattested == {verdict: 2}
    assert now(house, session).attested == 1


def test_one_that_is_old_unreadable_or_a_strangers_is_bad(house: House, session: Session) -> None:
    agent = Attester(session.id)
    tell(house, session, agent.key)
    old = agent.attest(house.nonces.fresh(session.id))
    house.now += FRESH_S + 1
    for attestation in (
        old,
        agent.attest("none of ours"),
        "x",
        Attester(session.id).attest(house.nonces.fresh(session.id)),
    ):
        beat(house, session, attestation)
    assert known(house, session).misattested == {"bad_signature": 1, "malformed": 1, "stale": 2}


def attesting(house: House, session: Session, agent: Attester, seconds: int, **changes: Any) -> None:
    for _ in range(seconds // 5):
        house.now += 5
        beat(house, session, agent.attest(house.nonces.fresh(session.id), **changes))


@pytest.mark.parametrize(
    "changes", [{"phase": "lifted"}, {"rules": (RuleState("keys", "enforced", False),)}], ids=["phase", "rule"]
)
def test_who_attests_otherwise_than_they_tell_is_doubted(
    house: House, session: Session, changes: dict[str, Any]
) -> None:
    agent = Attester(session.id)
    tell(house, session, agent.key)
    tell(house, session, LockdownChanged("locked", RULES_TOLD, NOW_MS))
    attesting(house, session, agent, 5, **changes)
    attesting(house, session, agent, 20, rules=(HELD[5], RuleState("screenshots", "impossible", False)))
    assert known(house, session).doubts == (), "a change may be just on its way"
    attesting(house, session, agent, 30, **changes)
    (doubt,) = known(house, session).doubts
    assert (doubt.kind, doubt.until_ms - doubt.from_ms) == ("contradicted", 25_000)
    attesting(house, session, agent, 30, rules=())
    assert known(house, session).doubts == (doubt,)
    assert known(house, session).told.phase == "locked", "neither overrides the other"


def test_who_attests_and_tells_nothing_is_doubted(house: House, session: Session) -> None:
    agent = Attester(session.id)
    tell(house, session, agent.key)
    attesting(house, session, agent, 5 + UNLIKE_AFTER_MS // 1000)
    assert [doubt.kind for doubt in known(house, session).doubts] == ["contradicted"]
    with house.store.transaction() as db:
        assert lockdown.newest(db, session.id).phase == "off"


def test_each_answer_to_a_heartbeat_brings_another_nonce(server: Any) -> None:
    with server.register().channel() as agent:
        nonces = [agent.nonce() for _ in range(2)]
        agent.tell(SessionChanged("running", NOW_MS, 0))
        nonces.append(agent.expect(KeepAlive).nonce)
    assert len({*nonces}) == 3
    assert all(nonces)


def test_a_proctor_sees_phase_rules_browser_and_attestation(server: Any) -> None:
    candidate = server.register(proctoringSettings={"navigationControl": True, "lockdown": {"displays": 2}})
    attester = Attester(candidate.id)
    with candidate.channel() as agent, server.console() as console:
        before = console.snapshot(candidate.id)
        assert (before.lockdown, before.stopping, before.away, before.browser) == ("off", 0, 0, "")
        agent.tell(attester.key)
        agent.tell(LockdownChanged("probed", RULES_TOLD, NOW_MS))
        stopped = console.snapshot(candidate.id, lambda s: s.lockdown == "probed")
        assert (stopped.stopping, stopped.attested_s) == (1, None)
        agent.tell(SessionChanged("running", NOW_MS, 0))
        agent.tell(LockdownChanged("locked", RULES_TOLD, NOW_MS, BROWSER, 4))
        agent.settle()
        agent.beat(attestation=attester.attest(agent.nonce(), rules=HELD[:1]))
        shown = console.snapshot(candidate.id, lambda s: s.attested_s is not None)
        assert (shown.lockdown, shown.away, shown.browser) == ("locked", 4, "signature")
        assert 0 <= shown.attested_s < 20
        detail = console.open(candidate.id, lambda it: it.browser)
        assert (detail.rules, detail.browser) == (RULES_TOLD, BROWSER)
        assert detail.settings["lockdown.displays"] == "2"
        agent.tell(SessionChanged("paused", NOW_MS, 1))
        agent.tell(LockdownChanged("lifted", (), NOW_MS))
        assert console.snapshot(candidate.id, lambda s: s.lockdown == "lifted").attested_s is None


def test_settings_are_one_flat_table_and_the_lockdowns_are_in_it_where_there_is_one() -> None:
    lock = LockdownSettings(("keys", "focus"), (), 3, program_patience_s=20.0, displays=2)
    unlocked = flat(ProctoringSettings(lockdown=lock))
    locked = flat(ProctoringSettings(lockdown=lock, navigation_control=True))
    assert {name for name in locked if name not in unlocked} == {f"lockdown.{name}" for name in LOCKDOWN}
    assert {name: locked[f"lockdown.{name}"] for name in LOCKDOWN} == LOCKDOWN
    assert unlocked["screenCapture"] is True
    assert {type(value) for value in locked.values()} == {str, bool}


LOCKDOWN = {
    "required": "keys, focus",
    "off": "none",
    "browsingTolerance": "3",
    "beyondTolerance": "record",
    "programs": "close",
    "programPatienceS": "20",
    "allowedPrograms": "none",
    "forbiddenPrograms": "none",
    "displays": "2",
    "whilePaused": "kept",
}
"""As a console shows it."""

"""What the agent attests, for which nonce, and when it has nothing to attest."""

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from secureproctor.agent.session.attestations import Attestations, attestations_for
from secureproctor.agent.session.lockdown import Lockdown
from secureproctor.agent.session.machine import OVER, State
from secureproctor.agent.session.tolerance import Tolerance
from secureproctor.contract import jws
from secureproctor.contract.attestation import FRESH_S, HEADER, TYPE, Claims, RuleState
from secureproctor.contract.channel import KeepAlive
from secureproctor.contract.errors import Refusal
from secureproctor.contract.lockdown import LockdownSettings, RuleStatus
from secureproctor.contract.page import Attest
from secureproctor.lockdown.browser.attesting import Attesting

if TYPE_CHECKING:
    from tests.agent.conftest import Stage

SECOND = 1_000_000
URL = "https://Exam.example:8443/page?id=1"


class Agent:
    """Attestations on clocks of the test's own."""

    def __init__(self) -> None:
        self.now_us = 5 * SECOND
        self.attesting = Attesting("session")
        self.attestations = Attestations(self.attesting, lambda: self.now_us, lambda: self.now_us // 1000)
        rules = (RuleStatus("keys", "enforced", holds=True), RuleStatus("printing", "impossible"))
        self.lockdown = Lockdown(LockdownSettings(), Tolerance(None), phase="locked", rules=rules)

    def read(self, token: str) -> Claims:
        return msgspec.json.decode(jws.verify(jws.read(token, TYPE), self.attesting.x), type=Claims)

    def beat(self, state: State = State.RUNNING) -> str:
        return self.attestations.for_heartbeat(self.lockdown, state)

    def asked(self, url: str = URL, once: bool = False, state: State = State.RUNNING) -> Any:
        return self.attestations.for_request(self.lockdown, state, Attest(url, once))


@pytest.fixture
def agent() -> Agent:
    return Agent()


def test_a_heartbeat_attests_the_rules_for_the_newest_nonce(agent: Agent) -> None:
    assert agent.beat() == ""
    agent.attestations.heard("first")
    agent.attestations.heard("second")
    agent.attestations.heard("")
    claims = agent.read(agent.beat())
    assert (claims.sid, claims.nonce, claims.phase, claims.state, claims.aud) == (
        "session", "second", "locked", "running", "",
    )  # fmt: skip
    assert claims.rules == (RuleState("keys", "enforced", True), RuleState("printing", "impossible", False))
    assert agent.read(agent.beat()).n > claims.n


def test_a_nonce_that_came_long_ago_is_attested_no_more(agent: Agent) -> None:
    agent.attestations.heard("nonce")
    agent.now_us += int(FRESH_S * SECOND) - 1
    assert agent.beat()
    agent.now_us += 1
    assert agent.beat() == ""
    with pytest.raises(Refusal, match="not been heard lately"):
        agent.asked()


@pytest.mark.parametrize("state", sorted(OVER))
def test_after_the_end_there_is_nothing_to_attest(agent: Agent, state: State) -> None:
    agent.attestations.heard("nonce")
    assert agent.beat(state) == ""


def test_a_request_is_attested_for_its_origin_or_once_for_its_whole_address(agent: Agent) -> None:
    agent.attestations.heard("nonce")
    agent.now_us += 10 * SECOND
    origin, once = agent.asked(), agent.asked(once=True)
    assert (agent.read(origin.value).aud, agent.read(origin.value).once) == ("https://exam.example:8443", False)
    assert (agent.read(once.value).aud, agent.read(once.value).once) == (URL, True)
    assert origin.header == HEADER
    assert origin.expires_ms == agent.now_us // 1000 + 20_000


@pytest.mark.parametrize("url", ["", "about:blank", "file:///etc/passwd", "https://", "http://[broken"])
def test_what_is_no_address_of_a_page_is_not_attested(agent: Agent, url: str) -> None:
    agent.attestations.heard("nonce")
    with pytest.raises(Refusal, match="the address is not one of a page"):
        agent.asked(url)


@pytest.mark.parametrize("state", [State.READY, State.STARTING, State.ENDED])
def test_only_an_exam_that_goes_on_is_attested_for_requests(agent: Agent, state: State) -> None:
    agent.attestations.heard("nonce")
    with pytest.raises(Refusal, match=f"the session is {state}"):
        agent.asked(state=state)


async def test_the_nonce_comes_with_the_services_keep_alive(stage: "Stage") -> None:
    await stage.running(navigation_control=True)
    assert stage.session.attestations is not None
    await stage.take(KeepAlive(1, "nonce"))
    assert stage.session.attestations.for_heartbeat(stage.lockdown, State.RUNNING)


async def test_an_exam_without_lockdown_has_no_key(stage: "Stage") -> None:
    await stage.running()
    await stage.take(KeepAlive(1, "nonce"))
    assert attestations_for(stage.session.data) is None

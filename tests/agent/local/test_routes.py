"""The methods of the desk that have no test of their own elsewhere, and the table of all."""

from typing import TYPE_CHECKING, Any

import pytest

from secureproctor.agent.local.browser_desk import BrowserDesk
from secureproctor.agent.local.door import MAX_MESSAGE, Visitor
from secureproctor.agent.local.routes import ROUTES, Desk
from secureproctor.agent.session.status import view
from secureproctor.capture.handed import HandedFrames
from secureproctor.contract.channel import Chat, ChatMark
from secureproctor.contract.errors import Refusal
from secureproctor.contract.page import METHODS, DepartedRow, Status
from secureproctor.contract.streams import Stream

if TYPE_CHECKING:
    from tests.agent.conftest import Stage

PAGE = Visitor("https://exam.example")


class Caller:
    """A page at the desk of a stage."""

    def __init__(self, stage: "Stage") -> None:
        api: Any = type("Api", (), {"url": "https://service.example"})
        browser = BrowserDesk(stage.browser, HandedFrames())
        self.desk = Desk(stage.conductor, stage.obedience, api, browser, lambda: self.view(stage))

    @staticmethod
    def view(stage: "Stage") -> Status:
        return view(stage.conductor, "agent", 0, stage.obedience.automatic)

    async def call(self, method: str, **params: Any) -> Any:
        route = ROUTES[method]
        return await route.handle(self.desk, PAGE, route.params(**params))


@pytest.fixture
def caller(stage: "Stage") -> Caller:
    return Caller(stage)


def test_every_method_of_the_contract_has_a_route() -> None:
    assert set(ROUTES) == set(METHODS)


def test_what_changes_nothing_is_for_every_page() -> None:
    for_all = {method for method, route in ROUTES.items() if not route.holds}
    looks = {"hello", "report", "conversation", "departed", "takeOver"}
    assert for_all == looks | {"attest", "attach", "beat", "handFrame"}


def test_only_a_picture_may_be_longer_than_what_a_page_says() -> None:
    assert {method for method, route in ROUTES.items() if route.longest > MAX_MESSAGE} == {"handFrame"}


async def test_a_page_takes_a_candidate_through_authorization(stage: "Stage", caller: Caller) -> None:
    await stage.ready(authorization=True, skip_id=True)
    with pytest.raises(Refusal) as caught:
        await caller.call("startPreview", of="photo")
    assert caught.value.code == "consent_missing"
    assert (await caller.call("consent", accepted=True)).authorization.step == "capture"
    assert (await caller.call("startPreview", of="photo")).authorization.preview
    assert (await caller.call("takePhoto", of="photo")).hints == ("blurred",)
    assert not (await caller.call("stopPreview")).authorization.preview
    assert (await caller.call("submitAuthorization")).authorization.step == "submitted"
    await stage.command("authorize")
    assert (await caller.call("start")).state == "running"


async def test_a_page_that_comes_later_sees_all_that_waits(stage: "Stage", caller: Caller) -> None:
    await stage.ready(authorization=True)
    await caller.call("consent", accepted=True)
    status = await caller.call("hello", tab="t-1")
    assert (status.state, status.authorization.step) == ("awaiting_authorization", "capture")
    await stage.running()
    await stage.command("pause")
    status = await caller.call("hello", tab="t-1")
    assert [(each.kind, each.id, each.text) for each in status.pending] == [("pause", "c-1", "please")]


async def test_the_page_reads_and_answers(stage: "Stage", caller: Caller) -> None:
    assert (await caller.call("conversation")).messages == ()
    await stage.registered()
    await stage.take(Chat("m-1", "proctor", "Look up.", 1, "Ada"))
    await caller.call("chatRead", id="m-1")
    sent = await caller.call("sendMessage", text="Yes.")
    conversation = (await caller.call("conversation")).messages
    assert [(each.id, each.sender, each.read_ms is None) for each in conversation] == [
        ("m-1", "proctor", False), (sent.id, "candidate", True),
    ]  # fmt: skip


async def test_what_has_left_the_computer_is_evidence_and_chat(stage: "Stage", caller: Caller) -> None:
    assert (await caller.call("departed")).rows == ()
    await stage.registered()
    sent = await caller.call("sendMessage", text="Yes.")
    stage.session.delivery.departures.delivered((Stream.STILLS, 0, 0), 500)
    await stage.take(ChatMark(sent.id, "delivered", 9))
    departed = await caller.call("departed")
    assert departed.service == "https://service.example"
    assert [(row.what, row.pieces, row.bytes) for row in departed.rows] == [("stills", 1, 500), ("chat", 1, 4)]
    assert departed.rows[-1] == DepartedRow("chat", 1, 4, 9, 9)


async def test_a_page_takes_the_session_over(stage: "Stage", caller: Caller) -> None:
    other = Visitor("https://exam.example")
    await caller.call("hello", tab="t-1")
    await ROUTES["hello"].handle(caller.desk, other, ROUTES["hello"].params(tab="t-2"))
    assert caller.desk.holder.holds(PAGE)
    await ROUTES["takeOver"].handle(caller.desk, other, ROUTES["takeOver"].params())
    assert not caller.desk.holder.holds(PAGE)

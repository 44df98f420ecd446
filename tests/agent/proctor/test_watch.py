"""The watch over the link, on times that the test makes up."""

from hypothesis import given
from hypothesis import strategies as st

from secureproctor.agent.proctor.watch import Change, LinkWatch
from secureproctor.contract.channel import LINK_LOST_AFTER_S

SECOND = 1_000_000


def looks(watch: LinkWatch, *at_s: float) -> list[Change]:
    return [watch.look(int(at * SECOND)) for at in at_s]


def test_a_link_that_is_heard_never_changes() -> None:
    watch = LinkWatch(60 * SECOND, 0)
    for at_s in range(0, 600, 10):
        watch.heard(at_s * SECOND)
        assert looks(watch, at_s, at_s + 9) == [Change.NONE, Change.NONE]


def test_each_change_is_told_once() -> None:
    watch = LinkWatch(60 * SECOND, 0)
    assert looks(watch, 14.9, 15, 16, 59.9, 60, 61, 600) == [
        Change.NONE, Change.LOST, Change.NONE, Change.NONE, Change.EXPIRED, Change.NONE, Change.NONE,
    ]  # fmt: skip


def test_a_contact_restores_the_link_and_sets_the_deadline_anew() -> None:
    watch = LinkWatch(60 * SECOND, 0)
    assert looks(watch, 50) == [Change.LOST]
    assert watch.left_s(50 * SECOND) == 10
    watch.heard(55 * SECOND)
    assert looks(watch, 56, 71) == [Change.RESTORED, Change.LOST]
    assert watch.left_s(71 * SECOND) == 44


def test_an_expiry_time_shorter_than_the_silence_of_a_lost_link_holds() -> None:
    assert looks(LinkWatch(10 * SECOND, 0), 9.9, 10) == [Change.NONE, Change.EXPIRED]


def test_no_time_is_left_past_the_deadline() -> None:
    assert LinkWatch(10 * SECOND, 0).left_s(11 * SECOND) == 0


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 40)), max_size=60))
def test_lost_and_restored_alternate_and_expired_comes_at_most_once(steps: list[tuple[bool, float]]) -> None:
    watch, now, told = LinkWatch(60 * SECOND, 0), 0, []
    for heard, pause_s in steps:
        now += int(pause_s * SECOND)
        if heard:
            watch.heard(now)
        told.append(watch.look(now))
        assert watch.online == (now - watch.last_contact_us < LINK_LOST_AFTER_S * SECOND)
    turns = [change for change in told if change in {Change.LOST, Change.RESTORED}]
    assert turns == [Change.LOST, Change.RESTORED][:2] * (len(turns) // 2) + [Change.LOST] * (len(turns) % 2)
    assert told.count(Change.EXPIRED) <= 1

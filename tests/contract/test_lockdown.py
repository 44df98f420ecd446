"""The words of the lockdown: rules and standings, what satisfies two wishes at once, what keeps an exam from starting."""

from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secureproctor.contract import attestation, lockdown, msb
from secureproctor.contract.attestation import VERDICTS, Verdict
from secureproctor.contract.channel import COMMANDS
from secureproctor.contract.http import ProctoringSettings
from secureproctor.contract.lockdown import (
    PHASES,
    RULES,
    STANDINGS,
    LockdownSettings,
    Phase,
    RuleId,
    RuleStatus,
    Standing,
    stopping,
    strictest,
)
from secureproctor.contract.msb import FLOOR, FloorId, MsbClaims, below_floor


def names(alphabet: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(alphabet), unique=True, max_size=4).map(tuple)


RULE_NAMES = names(list(RULES))
WISHES = st.builds(
    LockdownSettings,
    required=RULE_NAMES,
    off=RULE_NAMES,
    browsing_tolerance=st.none() | st.integers(0, 10),
    beyond_tolerance=st.sampled_from(["record", "pause", "end"]),
    programs=st.sampled_from(["observe", "ask", "close"]),
    program_patience_s=st.floats(0, 600),
    allowed_programs=names(["a", "b", "c"]),
    forbidden_programs=names(["a", "b", "c"]),
    displays=st.integers(1, 16),
    while_paused=st.sampled_from(["kept", "lifted"]),
)


@settings(max_examples=200, deadline=None)
@given(WISHES, WISHES)
def test_the_strictest_of_two_softens_neither(one: LockdownSettings, other: LockdownSettings) -> None:
    both = strictest(one, other)
    for each in (one, other):
        assert set(both.required) >= set(each.required)
        assert set(both.wanted) >= set(each.wanted)
        assert set(both.allowed_programs) <= set(each.allowed_programs)
        assert set(both.forbidden_programs) >= set(each.forbidden_programs)
        assert both.displays <= each.displays
        assert both.program_patience_s <= each.program_patience_s
        assert (both.while_paused, each.while_paused) != ("lifted", "kept")
        if each.browsing_tolerance is not None:
            assert both.browsing_tolerance is not None
            assert both.browsing_tolerance <= each.browsing_tolerance


@settings(max_examples=100, deadline=None)
@given(WISHES, WISHES)
def test_it_is_the_same_from_either_side_and_no_stricter_than_it_has_to_be(
    one: LockdownSettings, other: LockdownSettings
) -> None:
    assert set(strictest(one, other).wanted) == set(strictest(other, one).wanted) <= {*one.wanted, *other.wanted}
    same = strictest(one, one)
    assert (set(same.required), set(same.wanted), same.displays) == (set(one.required), set(one.wanted), one.displays)


def test_what_is_required_is_wanted_though_it_is_off() -> None:
    wish = LockdownSettings(required=("focus", "keys"), off=tuple(RULES))
    assert wish.wanted == ("keys", "focus")
    assert LockdownSettings().wanted == tuple(RULES)


@pytest.mark.parametrize(
    ("rule", "standing", "stops"),
    [
        ("keys", "enforced", False),
        ("keys", "observed", True),
        ("keys", "impossible", True),
        ("keys", "could_not_check", True),
        ("displays", "observed", False),
        ("displays", "enforced", False),
        ("displays", "could_not_check", True),
    ],
)
def test_a_required_rule_stops_the_start_unless_it_stands_as_high_as_it_can(
    rule: RuleId, standing: Standing, stops: bool
) -> None:
    status = RuleStatus(rule, standing, required=True)
    wished = msgspec.structs.replace(status, required=False)
    overridden = msgspec.structs.replace(status, overridden=True)
    assert [each.rule for each in stopping([status, wished, overridden])] == ([rule] if stops else [])


def test_an_exam_is_locked_by_either_setting() -> None:
    assert ProctoringSettings(msb=True).locked
    assert ProctoringSettings(navigation_control=True).locked
    assert not ProctoringSettings(lockdown=LockdownSettings(required=("keys",))).locked


@pytest.mark.parametrize(
    ("table", "words"),
    [(RULES, RuleId), (STANDINGS, Standing), (PHASES, Phase), (VERDICTS, Verdict), (FLOOR, FloorId)],
)
def test_every_word_has_a_meaning(table: dict[str, object], words: object) -> None:
    assert tuple(table) == get_args(words)


def test_each_rule_can_be_overridden() -> None:
    assert COMMANDS["override"].arguments == tuple(RULES)


def test_a_key_and_an_attestation_are_signed_alike_and_cannot_be_taken_for_each_other() -> None:
    assert attestation.ALGORITHM == msb.ALGORITHM
    assert attestation.TYPE != msb.TYPE
    assert lockdown.LockdownSettings is MsbClaims.__annotations__["lockdown"]


BELOW: dict[FloorId, ProctoringSettings] = {
    "screenCapture": ProctoringSettings(screen_capture=False),
    "recording": ProctoringSettings(recording=False),
    "audioProctoring": ProctoringSettings(audio_proctoring=False),
    "authorization": ProctoringSettings(),
    "idCard": ProctoringSettings(skip_id=True),
    "photo": ProctoringSettings(skip_id_and_photo=True),
    "captureWhilePaused": ProctoringSettings(capture_while_paused=False),
}
"""Init's settings that do not give what a key demands."""


@pytest.mark.parametrize("demand", FLOOR)
def test_what_a_key_demands_and_init_does_not_give_is_named(demand: FloorId) -> None:
    claims = MsbClaims("client", "exam", 0, 0, 1, "1", floor=(demand,))
    assert below_floor(claims, BELOW[demand]) == (FLOOR[demand][0],)
    assert below_floor(claims, ProctoringSettings(authorization=True)) == ()

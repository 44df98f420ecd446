"""How signs are weighed."""

from hypothesis import given
from hypothesis import strategies as st

from secureproctor.lockdown.readings import Sign, Signs
from secureproctor.lockdown.rules.evidence import ALONE, detail_of, weight_of

SIGN = st.builds(Sign, st.sampled_from(["a", "b", "c", "d"]), st.floats(0, 1), st.just("seen"))
SIGNS = st.lists(SIGN, max_size=8).map(lambda found: Signs(tuple(found)))


@given(SIGN)
def test_one_sign_alone_is_never_a_verdict(sign: Sign) -> None:
    assert weight_of(Signs((sign,))) <= ALONE


@given(SIGNS)
def test_the_weight_is_between_nothing_and_certainty(signs: Signs) -> None:
    assert 0 <= weight_of(signs) <= 1


@given(SIGNS, SIGN)
def test_another_sign_never_makes_it_less(signs: Signs, sign: Sign) -> None:
    assert weight_of(Signs((*signs.found, sign))) >= weight_of(signs)


@given(SIGNS, st.lists(st.text(max_size=5), max_size=5))
def test_what_is_unknown_weighs_nothing(signs: Signs, unknown: list[str]) -> None:
    assert weight_of(Signs(signs.found, tuple(unknown))) == weight_of(signs)


def test_the_same_sign_twice_counts_once() -> None:
    assert weight_of(Signs((Sign("a", 0.8, "x"), Sign("a", 0.8, "y")))) == ALONE


def test_a_strong_sign_needs_more_than_a_trace_beside_it() -> None:
    assert weight_of(Signs((Sign("a", 0.8, "x"), Sign("b", 0.05, "y")))) == ALONE
    assert weight_of(Signs((Sign("a", 0.8, "x"), Sign("b", 0.3, "y")))) == 0.86


def test_an_event_carries_each_sign_with_its_weight_and_what_is_unknown() -> None:
    signs = Signs((Sign("pci", 0.4, "virtio"), Sign("smbios", 0.8, "QEMU")), ("sensors", "cores"))
    assert detail_of(signs) == {
        "weight": 0.88,
        "evidence": "smbios 0.8: QEMU; pci 0.4: virtio",
        "unknown": "sensors, cores",
    }

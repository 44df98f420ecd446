"""What answers mean, and the time that a Retry-After names."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secureproctor.agent.delivery.verdict import LONGEST_RETRY_AFTER_S, Outcome, judge, retry_after
from secureproctor.contract.http import Stored

DIGEST = "ab" * 32
NOW = "Wed, 21 Oct 2015 07:28:00 GMT"


@pytest.mark.parametrize(
    ("text", "date", "seconds"),
    [
        ("0", "", 0),
        ("7", "", 7),
        (" 7 ", "", 7),
        ("9" * 40, "", LONGEST_RETRY_AFTER_S),
        ("Wed, 21 Oct 2015 07:28:30 GMT", NOW, 30),
        ("Wed, 21 Oct 2015 07:27:30 GMT", NOW, 0),
        ("Wed, 21 Oct 2099 07:28:00 GMT", NOW, LONGEST_RETRY_AFTER_S),
        ("Wed, 21 Oct 2015 07:28:30 GMT", "", None),
        ("Wed, 21 Oct 2015 07:28:30 GMT", "yesterday", None),
        ("Wed, 21 Oct 2015 07:28:30 +99999999999999999999", NOW, None),
        ("-5", NOW, None),
        ("٣", NOW, None),
        ("", NOW, None),
    ],
)
def test_a_retry_after_is_seconds_or_a_date_of_the_services_own_clock(
    text: str, date: str, seconds: float | None
) -> None:
    assert retry_after({"Retry-After": text, "Date": date}) == seconds


@given(st.text(), st.text())
def test_no_retry_after_breaks_anything(text: str, date: str) -> None:
    found = retry_after({"Retry-After": text, "Date": date})
    assert found is None or 0 <= found <= LONGEST_RETRY_AFTER_S


@given(st.integers(100, 599), st.binary())
def test_no_status_takes_a_record_out_of_the_spool_without_the_services_word(status: int, body: bytes) -> None:
    verdict = judge(status, {}, body, DIGEST)
    assert verdict.outcome not in {Outcome.ACKNOWLEDGED, Outcome.SET_ASIDE}
    assert not verdict.by_service


@given(st.integers(100, 599))
def test_only_success_acknowledges(status: int) -> None:
    body = msgspec.json.encode(Stored("stored", DIGEST))
    assert (judge(status, {}, body, DIGEST).outcome is Outcome.ACKNOWLEDGED) is (status in {200, 201})

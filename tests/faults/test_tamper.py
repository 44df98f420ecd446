"""Whatever is done to the records that wait on the candidate's disk, the report names it and counts nothing of it."""

import pytest

from tests.conftest import Played
from tests.faults.conftest import Course
from tests.faults.tamper import SEGMENT_S, SESSIONS, Tampered

NAMED = {
    "delete": "deleted",
    "delete_some": "deleted",
    "delete_tail": "deleted",
    "truncate": "truncated",
    "flip_body": "altered",
    "flip_header": "altered",
    "replace_by_own": "replaced",
    "swap": "reordered",
    "copy_older": "replayed",
    "copy_foreign": "replayed",
}
"""What each forgery is called in the report."""


COURSE = Course("tamper", list[Tampered], takes_s=55)
pytestmark = pytest.mark.plays(COURSE)


@pytest.fixture(scope="module")
def tampered(played: Played) -> dict[str, Tampered]:
    return {each.forgery: each for each in played(COURSE)}


def test_every_forgery_is_tried() -> None:
    assert {forge.__name__ for each in SESSIONS for forge in each.forgeries.values()} == NAMED.keys()


@pytest.mark.parametrize("forgery", NAMED)
def test_the_report_names_the_manipulation_and_its_place(tampered: dict[str, Tampered], forgery: str) -> None:
    case = tampered[forgery]
    found = [finding for finding in case.report.tampering if finding.stream == case.stream]
    assert {finding.kind for finding in found} == {NAMED[forgery]}
    last = max(seq for _, seq in case.places)  # of an open end the report says where it begins
    places = {
        (finding.epoch, seq)
        for finding in found
        for seq in range(finding.seq, (last if finding.until_seq is None else finding.until_seq) + 1)
    }
    assert places == set(case.places)


@pytest.mark.parametrize("forgery", NAMED)
def test_the_time_of_it_is_not_covered_and_the_session_not_verified(
    tampered: dict[str, Tampered], forgery: str
) -> None:
    case = tampered[forgery]
    coverage = {each.stream: each.coverage_pct for each in case.report.streams}
    assert not case.report.verified
    assert not next(chain for chain in case.report.chains if chain.stream == case.stream).verified
    assert coverage[case.stream] < 100
    assert [gap for gap in case.report.gaps if gap.stream == case.stream and gap.end_s - gap.start_s > SEGMENT_S / 2]
    assert "EVIDENCE_TAMPERED" in {each.flag for each in case.report.flags}


def test_what_nobody_touched_is_not_accused(tampered: dict[str, Tampered]) -> None:
    case = tampered["delete_tail"]
    assert {finding.stream for finding in case.report.tampering} == {case.stream}

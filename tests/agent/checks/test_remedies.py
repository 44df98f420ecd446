"""Every outcome that is not a pass ends in a step that the candidate can take, on each operating system."""

import pytest

from secureproctor.agent.checks import devices, network
from secureproctor.agent.checks.remedies import REMEDIES, remedy
from secureproctor.agent.checks.run import CHECKS
from secureproctor.capture.source import Diagnosis

PLATFORMS = ("win32", "darwin", "linux")
DEVICE_CODES = {
    "camera": {"missing", "no_permission", "busy", "stalled", "black", "frozen", "could_not_check"},
    "microphone": {"missing", "no_permission", "busy", "stalled", "silent", "quiet", "could_not_check"},
    "screen": {"no_display", "no_permission", "stalled", "black", "could_not_check"},
}


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(("check_id", "code"), REMEDIES)
def test_every_remedy_is_a_whole_sentence(check_id: str, code: str, platform: str) -> None:
    steps = remedy(check_id, code, platform)
    assert len(steps.split()) >= 5
    assert steps[0].isupper()
    assert steps.endswith(".")


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("check_id", DEVICE_CODES)
def test_no_diagnosis_of_a_device_is_without_a_remedy(check_id: str, platform: str) -> None:
    """Also one that this device cannot have: it falls back to the steps of a check that could not run."""
    for code in (*Diagnosis, "could_not_check", "a code of a newer probe"):
        assert remedy(check_id, code, platform)


@pytest.mark.parametrize("check_id", DEVICE_CODES)
def test_the_ordinary_troubles_of_a_device_have_their_own_row(check_id: str) -> None:
    assert {code for id_, code in REMEDIES if id_ == check_id} == DEVICE_CODES[check_id]


def test_every_check_has_steps_for_when_it_could_not_run_and_no_row_belongs_to_no_check() -> None:
    assert {id_ for id_, code in REMEDIES if code == "could_not_check"} == {check.id for check in CHECKS}
    assert {id_ for id_, _ in REMEDIES} == {check.id for check in CHECKS}


def test_every_way_in_which_the_service_fails_to_answer_has_its_own_steps() -> None:
    codes = {code for _, code, _ in network.CAUSES}
    assert codes == {code for id_, code in REMEDIES if id_ == "service_reachable"} - {"could_not_check"}
    assert len({remedy("service_reachable", code, "linux") for code in codes}) == len(codes)


def test_every_diagnosis_of_the_probes_has_a_verdict() -> None:
    assert set(Diagnosis) <= set(devices.VERDICTS)


@pytest.mark.parametrize(
    ("platform", "words"),
    [("win32", "Settings > Privacy & security"), ("darwin", "System Settings > Privacy"), ("linux", "usermod -aG")],
)
@pytest.mark.parametrize("check_id", ["camera", "microphone"])
def test_a_permission_is_granted_where_that_system_grants_it(check_id: str, platform: str, words: str) -> None:
    assert words in remedy(check_id, "no_permission", platform)


def test_an_unknown_unix_gets_the_steps_of_linux() -> None:
    assert remedy("camera", "busy", "freebsd14") == remedy("camera", "busy", "linux")

"""Each thing that can be broken on purpose: the demo says what is wrong and what to do, and leaves nothing behind."""

import pytest

from secureproctor.demo.breakage import BREAKAGES
from tests.conftest import Played, each_of
from tests.demo.conftest import Show

CODES = {
    "display": "checks_failed",
    "service": "service_unreachable",
    "disk": "checks_failed",
    "signature": "signature_mismatch",
    "camera": "checks_failed",
    "microphone": "checks_failed",
}
MISSING = {"camera": "camera", "microphone": "microphone", "display": "screen", "disk": "disk_space"}
"""The one check that fails."""
BROKEN = {Show(f"--desk --broken {name}", "Init"): name for name in CODES}
DISPLAY, SERVICE, DISK, *SLOW = BROKEN
"""First those that need a way of their own; the others differ by a part of the desk, or by a letter of the key."""


def test_every_breakage_is_played_here() -> None:
    assert CODES.keys() == BREAKAGES.keys() - {"nothing"}


@pytest.mark.parametrize("show", each_of(DISPLAY, SERVICE, DISK, slow=SLOW))
def test_a_breakage_ends_with_a_sentence_and_a_remedy(played: Played, show: Show) -> None:
    demo, name = played(show), BROKEN[show]
    assert demo.process.returncode == 1, (demo.said, demo.complained)
    summary = demo.summary
    assert not summary["ok"]
    [failure] = summary["failures"]
    assert failure["code"] == CODES[name]
    assert failure["message"]
    assert failure["remedy"]
    shown = "".join(demo.said)
    assert failure["code"] in shown
    assert failure["message"] in shown
    assert failure["remedy"] in shown
    assert (demo.complained, demo.left) == ("", [])
    if name in MISSING:
        assert [each["id"] for each in summary["checks"] if each["status"] != "passed"] == [MISSING[name]]
        assert len(summary["checks"]) >= 6

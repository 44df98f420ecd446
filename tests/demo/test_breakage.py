"""Each thing that can be broken on purpose: the demo says what is wrong and what to do, and leaves nothing behind."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from secureproctor.demo.breakage import BREAKAGES

if TYPE_CHECKING:
    from tests.demo.conftest import Demo

CODES = {
    "signature": "signature_mismatch",
    "camera": "checks_failed",
    "microphone": "checks_failed",
    "display": "checks_failed",
    "service": "service_unreachable",
    "disk": "checks_failed",
}
AT_ONCE = 3  # most of each is the start of a browser


@pytest.fixture(scope="module")
def broken(start: "Callable[..., Demo]") -> "Iterator[dict[str, Future[Demo]]]":
    """All breakages, played a few at a time, each to its end."""

    def play(name: str) -> "Demo":
        demo = start("--desk", "--broken", name)
        demo.wait_for("Init")
        demo.processes()
        demo.wait()
        return demo

    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {name: pool.submit(play, name) for name in CODES}


def test_every_breakage_is_played_here() -> None:
    assert CODES.keys() == BREAKAGES.keys() - {"nothing"}


@pytest.mark.parametrize("name", CODES)
def test_a_breakage_ends_with_a_sentence_and_a_remedy(broken: "dict[str, Future[Demo]]", name: str) -> None:
    demo = broken[name].result()
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
    assert demo.complained == ""
    demo.assert_nothing_remains()


@pytest.mark.parametrize(
    ("name", "check"),
    [("camera", "camera"), ("microphone", "microphone"), ("display", "screen"), ("disk", "disk_space")],
)
def test_what_is_missing_is_the_one_check_that_fails(broken: "dict[str, Future[Demo]]", name: str, check: str) -> None:
    checks = broken[name].result().summary["checks"]
    assert [each["id"] for each in checks if each["status"] != "passed"] == [check]
    assert len(checks) >= 6

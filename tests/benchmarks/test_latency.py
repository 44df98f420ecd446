"""What the benchmark of latency sees of a page: a request and its effect, each once, by the page's own clock."""

import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from secureproctor.benchmarks.latency import BOTH_SEEN, TAKE, WATCH

DEMO = Path(__file__).parents[2] / "service" / "web" / "demo.html"
PAGE = '<p id="request"></p><div id="pauseLayer" hidden></div>'
ASK = "id => { document.getElementById('request').dataset.id = id }"
COVER = "covered => { document.getElementById('pauseLayer').hidden = !covered }"


def test_a_request_and_its_effect_are_seen_once() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page()
        page.set_content(PAGE)
        page.evaluate(WATCH)
        begun_ms = int(time.time() * 1000)
        page.evaluate(ASK, "command-1")
        assert page.evaluate(BOTH_SEEN) is False
        page.evaluate(COVER, True)
        assert page.evaluate(BOTH_SEEN) is True
        seen = page.evaluate(TAKE)
        browser.close()
    assert [(what, key) for what, key, _ in seen] == [("listener", "command-1"), ("covered", "true")]
    assert begun_ms <= seen[0][2] <= seen[1][2]


def test_the_demo_page_has_what_is_watched() -> None:
    text = DEMO.read_text()
    assert [name for name in ("request", "pauseLayer") if f'id="{name}"' not in text] == []

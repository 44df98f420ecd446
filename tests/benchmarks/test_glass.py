"""The clock on the screen, drawn and read in real Chromium; what its numbers mean; the camera's counter."""

import base64
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from secureproctor.benchmarks.glass import CELL, CLOCK_BITS, CODES, DRAW_CLOCK, READ, Glass, ages, clock_ms
from secureproctor.demo.camera import Lens

READ_PICTURE = f"""async ([data, place]) => {{
  const picture = new Image();
  picture.src = data;
  await picture.decode();
  return ({READ})(picture, place, [picture.naturalWidth, picture.naturalHeight]);
}}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield chromium
        chromium.close()


def as_data(kind: str, picture: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


def test_the_clock_can_be_read_off_a_picture_of_half_the_size(browser: Browser) -> None:
    screen = CODES["screen"]
    page = browser.new_page(viewport={"width": screen.width, "height": screen.height}, device_scale_factor=0.5)
    page.evaluate(DRAW_CLOCK, {"bits": CLOCK_BITS, "cell": CELL})
    before = int(time.time() * 1000)
    picture = page.screenshot(type="jpeg", quality=60)
    after = int(time.time() * 1000)
    number = page.evaluate(READ_PICTURE, [as_data("jpeg", picture), screen.place])
    page.close()
    assert before - 100 <= clock_ms(after, number) <= after


def test_what_holds_no_clock_is_unreadable(browser: Browser) -> None:
    page = browser.new_page()
    number = page.evaluate(READ_PICTURE, [as_data("png", page.screenshot()), CODES["screen"].place])
    page.close()
    assert number == -1


@pytest.mark.parametrize("count", [0, 1, 0x5A5A5A, 2**24 - 1])
def test_the_cameras_counter_can_be_read_in_a_page(browser: Browser, count: int) -> None:
    page = browser.new_page()
    picture = Lens(15).jpeg(count, 0.0)
    assert page.evaluate(READ_PICTURE, [as_data("jpeg", picture), CODES["webcam"].place]) == count
    page.close()


def test_a_clock_that_turned_over_is_still_in_the_past() -> None:
    at_ms = 5 * 2**CLOCK_BITS + 100
    assert clock_ms(at_ms, 40) == at_ms - 60
    assert clock_ms(at_ms, 2**CLOCK_BITS - 50) == at_ms - 150
    assert clock_ms(at_ms, -1) == -1


def test_ages_leave_out_what_could_not_be_read() -> None:
    assert ages([(100, 40.0), (200, -1), (300, 100.0)]) == Glass([60.0, 200.0], 1)

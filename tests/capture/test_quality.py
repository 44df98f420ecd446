"""The levels as a table: what they leave of a plan."""

from itertools import pairwise
from typing import get_args

import msgspec
import pytest

from secureproctor.capture.plan import CapturePlan
from secureproctor.capture.quality import FULL, QUALITIES
from secureproctor.contract.page import RoomStatus

PLANS = [CapturePlan(), CapturePlan(screen_fps=30, screen_crf=48, webcam_fps=25, webcam_crf=51, audio_bitrate=64_000)]


def test_the_levels_are_those_that_the_page_is_told() -> None:
    level = next(field for field in msgspec.structs.fields(RoomStatus) if field.name == "level")
    assert tuple(QUALITIES) == get_args(level.type)
    assert level.default == FULL


@pytest.mark.parametrize("plan", PLANS)
def test_full_quality_is_the_plan_itself(plan: CapturePlan) -> None:
    assert QUALITIES[FULL].applied(plan) == plan


@pytest.mark.parametrize("plan", PLANS)
def test_each_level_asks_for_less_than_the_one_before_and_changes_no_device(plan: CapturePlan) -> None:
    plans = [quality.applied(plan) for quality in QUALITIES.values()]
    for better, worse in pairwise(plans):
        assert (better.screen_fps > worse.screen_fps, better.webcam_fps > worse.webcam_fps) == (True, True)
        assert better.screen_crf <= worse.screen_crf <= 51
        assert better.webcam_crf <= worse.webcam_crf <= 51
        assert better.webcam_scale >= worse.webcam_scale
        assert better.audio_bitrate >= worse.audio_bitrate
    devices = {(p.streams, p.webcam_device, p.webcam_width, p.webcam_height, p.microphone, p.display) for p in plans}
    assert devices == {(plan.streams, 0, 640, 480, None, None)}
    assert {each.segment_s for each in plans} == {plan.segment_s}


@pytest.mark.parametrize(("planned", "kept"), [(48_000, 32_000), (30_000, 24_000), (16_000, 16_000)])
def test_sound_is_never_taken_below_what_speech_needs_nor_above_the_plan(planned: int, kept: int) -> None:
    assert QUALITIES["least"].applied(CapturePlan(audio_bitrate=planned)).audio_bitrate == kept


def test_sound_is_untouched_at_reduced_quality() -> None:
    assert QUALITIES["reduced"].applied(CapturePlan()).audio_bitrate == CapturePlan().audio_bitrate

"""The rules by the event tap, as macOS gives and takes rights, and while keys are kept from everybody."""

import pytest

from secureproctor.contract.lockdown import RuleId, Standing
from secureproctor.lockdown.macos.api import Rights
from secureproctor.lockdown.rule import ApplyFailed
from tests.lockdown.macos.fakes import DENIED, EXAM, GRANTED, LISTENING, NEW, UNASKED, Mac, Watched, program


@pytest.mark.parametrize(
    ("rule", "rights", "standing"),
    [
        ("keys", GRANTED, "enforced"),
        ("keys", LISTENING, "observed"),
        ("keys", DENIED, "impossible"),
        ("keys", UNASKED, "impossible"),
        ("screenshots", GRANTED, "observed"),
        ("screenshots", LISTENING, "observed"),
        ("screenshots", DENIED, "impossible"),
        ("printing", GRANTED, "observed"),
        ("printing", DENIED, "observed"),
        ("injected_input", LISTENING, "observed"),
        ("injected_input", DENIED, "impossible"),
    ],
)
def test_a_rule_claims_what_the_rights_allow(rule: RuleId, rights: Rights, standing: Standing) -> None:
    watched = Watched(Mac())
    watched.mac.rights = rights
    probed = next(each for each in watched.place.rules if each.id == rule).probe(watched.terms)
    assert probed.standing == standing
    if rights != GRANTED and rule not in ("printing", "injected_input"):
        assert "Accessibility" in probed.why + probed.remedy


def test_looking_for_rights_makes_no_tap() -> None:
    """macOS would ask the candidate, perhaps under the exam's window."""
    watched = Watched(Mac(rights=UNASKED))
    for rule in watched.place.rules:
        rule.probe(watched.terms)
    assert not watched.mac.events


def test_a_stopped_key_is_told() -> None:
    watched = Watched(Mac(), "keys")
    assert watched.mac.press("q", "Cmd")
    watched.run(0.1)
    assert watched.told("key_stopped") == [{"keys": "Cmd+Q", "injected": False}]
    assert watched.mac.loop.woken


def test_without_the_right_to_stop_a_key_is_told_as_seen() -> None:
    watched = Watched(Mac(rights=LISTENING), "keys")
    assert not watched.mac.press("q", "Cmd")
    watched.run(0.1)
    assert watched.told("key_seen") == [{"keys": "Cmd+Q", "injected": False}]


def test_by_policy_keys_are_heard_and_not_stopped() -> None:
    watched = Watched(Mac(), "keys", "screenshots", observe_only=True)
    assert not watched.mac.press("3", "Cmd", "Shift")
    watched.run(0.1)
    assert watched.told("screenshot_tried") == [{"how": "Cmd+Shift+3", "injected": False, "stopped": False}]


def test_each_rule_stops_its_own_keys_until_it_is_restored() -> None:
    watched = Watched(Mac(), "keys", "screenshots", "printing")
    assert watched.mac.press("4", "Cmd", "Shift")
    assert watched.mac.press("p", "Cmd")
    watched.rules[1].restore({})
    assert not watched.mac.press("4", "Cmd", "Shift")
    assert watched.mac.press("Tab", "Cmd")
    watched.restore()
    assert not watched.mac.tap.is_there


def test_a_right_that_is_taken_away_takes_the_tap_and_the_rule_says_so() -> None:
    watched = Watched(Mac(), "keys")
    watched.mac.rights = DENIED
    assert not watched.verify()
    with pytest.raises(ApplyFailed, match="Accessibility"):
        watched.apply()
    assert not watched.mac.tap.is_there, "a tap without a right would block the whole computer's input"


def test_what_is_left_of_the_rights_is_used_and_what_comes_back_as_well() -> None:
    watched = Watched(Mac(), "keys")
    watched.mac.rights = LISTENING
    assert not watched.verify()
    watched.apply()
    assert watched.verify()
    assert not watched.mac.press("Tab", "Cmd")
    watched.mac.rights = GRANTED
    assert not watched.verify(), "more could be done than is done"
    watched.apply()
    assert watched.mac.press("Tab", "Cmd")
    assert watched.mac.events == [("tap", True), ("tap", False), ("tap", True)]


def test_a_tap_that_macos_asks_no_more_is_made_anew() -> None:
    watched = Watched(Mac(), "keys")
    watched.mac.tap.is_there = False
    assert not watched.verify()
    watched.apply()
    assert watched.verify()


def test_a_tap_that_cannot_be_made_is_a_failure_with_a_sentence() -> None:
    with pytest.raises(ApplyFailed, match="no event tap"):
        Watched(Mac(refuses={"tap"}), "keys")


def test_while_a_program_keeps_all_keys_the_rule_does_not_claim_to_stop_them() -> None:
    watched = Watched(Mac(), "keys")
    watched.mac.secure_input = True
    assert watched.probe().standing == "observed"
    assert watched.verify(), "a password is being typed"
    watched.mac.now += 6
    assert not watched.verify()
    with pytest.raises(ApplyFailed, match="keeps all keys"):
        watched.apply()
    watched.mac.secure_input = False
    watched.apply()
    assert watched.verify()


def test_input_that_a_process_made_is_told_with_its_program() -> None:
    mac = Mac()
    mac.running[NEW] = program(NEW, "/opt/typer", own=True)
    watched = Watched(mac, "injected_input")
    mac.press("a", source=NEW)
    mac.press("b", source=NEW)
    mac.press("c")
    assert mac.tap.click is not None
    mac.tap.click(NEW)
    watched.run(0.1)
    assert watched.told("input_injected") == [
        {"device": "keyboard", "program": "typer", "assistive": None},
        {"device": "mouse", "program": "typer", "assistive": None},
    ]
    assert all(each.counts for each in watched.seen)


def test_what_assistive_technology_types_is_no_violation() -> None:
    mac = Mac()
    mac.running[NEW] = program(NEW, "/System/Library/CoreServices/VoiceOver.app/Contents/MacOS/VoiceOver")
    watched = Watched(mac, "injected_input")
    mac.press("a", source=NEW)
    watched.run(0.1)
    assert [(each.detail["assistive"], each.counts) for each in watched.seen] == [("VoiceOver", False)]


def test_the_exams_own_browser_may_type() -> None:
    watched = Watched(Mac(), "injected_input")
    watched.mac.press("a", source=EXAM)
    watched.run(0.1)
    assert not watched.seen


def test_what_is_typed_is_never_told() -> None:
    watched = Watched(Mac(), "keys", "screenshots", "printing")
    for letter in "secret":
        assert not watched.mac.press(letter)
    watched.run(1.5)
    assert not watched.seen

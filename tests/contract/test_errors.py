"""The table of refusals: complete, usable as it stands, and the only source of codes."""

import ast
import re
import string
from pathlib import Path

import msgspec
import pytest

from secureproctor.contract.errors import CODES, ErrorAnswer, ErrorInfo, Refusal

ROOT = Path(__file__).parents[2]
FOLDERS = ("contract", "config", "capture", "agent", "service", "lockdown")


def placeholders(text: str) -> set[str]:
    return {re.split(r"[.!\[]", name)[0] for _, name, _, _ in string.Formatter().parse(text) if name}


def raised() -> dict[str, set[tuple[str, frozenset[str]]]]:
    """Every `Refusal("code", name=...)` of the source: code → places and the names that they fill."""
    found: dict[str, set[tuple[str, frozenset[str]]]] = {}
    for file in (file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Refusal" and node.args:
                code = ast.literal_eval(node.args[0])
                names = frozenset(keyword.arg or "" for keyword in node.keywords)
                found.setdefault(code, set()).add((f"{file.relative_to(ROOT)}:{node.lineno}", names))
    return found


@pytest.mark.parametrize("code", CODES)
def test_every_refusal_fills_its_sentences(code: str) -> None:
    row = CODES[code]
    names = placeholders(row.message) | placeholders(row.remedy)
    values = {name: f"<{name}>" for name in names - {"field"}}
    refusal = Refusal(code, field="<field>", **values)
    assert all(f"<{name}>" in refusal.message + refusal.remedy for name in names)
    assert "{" not in refusal.message
    assert "{" not in refusal.remedy or code == "token_expired"  # {id} stands for itself in an address


@pytest.mark.parametrize("code", CODES)
def test_every_refusal_has_a_status_of_an_error_a_sentence_and_a_remedy(code: str) -> None:
    row = CODES[code]
    assert 400 <= row.status < 600
    assert row.message.endswith(".")
    assert row.remedy.endswith((".", "}"))


def test_every_code_that_the_source_raises_is_in_the_table() -> None:
    used = raised()
    assert len(used) > 10
    assert set(used) - set(CODES) == set()


def test_every_place_fills_exactly_what_its_sentences_ask_for() -> None:
    wrong = {
        place: wanted ^ (names - {"field"})
        for code, places in raised().items()
        for place, names in places
        if (wanted := (placeholders(CODES[code].message) | placeholders(CODES[code].remedy)) - {"field"})
        != names - {"field"}
    }
    assert wrong == {}


def test_an_unknown_code_is_a_mistake_of_the_programmer() -> None:
    with pytest.raises(KeyError):
        Refusal("no_such_code")


def test_a_refusal_carries_its_row_to_the_wire_and_back() -> None:
    refusal = Refusal("field_missing", field="userId")
    assert refusal.info == ErrorInfo(
        "field_missing", "The field userId is missing or empty.", "Fill in userId.", "E400", "userId"
    )
    answer = ErrorAnswer(refusal.info)
    assert msgspec.json.decode(msgspec.json.encode(answer), type=ErrorAnswer) == answer
    assert str(refusal) == "The field userId is missing or empty. Fill in userId."


def test_text_of_a_peer_is_never_read_as_a_placeholder() -> None:
    assert Refusal("body_malformed", why="{field.__class__}").message.endswith("{field.__class__}.")

"""Writes the documents that are made from the code, so that they cannot say something else: protocol, settings, diagram.

    python docs/generate.py            write them
    python docs/generate.py --check    exit 1, and name them, when one differs from the code

A document that is partly written by hand has a part between two markers, which is replaced.
"""

import inspect
import re
import sys
import types
import typing
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from secureproctor.agent.session.machine import diagram
from secureproctor.config.settings import FIELDS, Origin
from secureproctor.contract import (
    attestation,
    channel,
    console,
    errors,
    events,
    http,
    link,
    lockdown,
    msb,
    page,
    record,
    report,
    signing,
    stills,
)

DOCS = Path(__file__).parent
NOTE = "<!-- Made by docs/generate.py from the code. Change the code, then run `make docs`. -->"


def protocol() -> str:
    """docs/protocol.md."""
    parts = [
        "# Protocol",
        NOTE,
        "What the exam page, the agent and the proctoring service say to each other. The truth is the code of `contract/`.",
        "## Signatures",
        _prose(signing),
        "## HTTP",
        _prose(http),
        _table(("Address", "Meaning"), ((f"`{name}`", meaning) for name, meaning in http.PATHS.items())),
        *_structs(http),
        "### Settings of Init",
        _table(("Field", "On the form", "Meaning"), _init_settings()),
        "## Lockdown",
        _prose(lockdown),
        _table(("Rule", "Name", "Meaning", ""), _rules()),
        _table(("Standing", "Meaning"), ((f"`{name}`", meaning) for name, meaning in lockdown.STANDINGS.items())),
        _table(("Phase", "Meaning"), ((f"`{name}`", meaning) for name, meaning in lockdown.PHASES.items())),
        *_structs(lockdown),
        "## The MSB Key and the secure browser",
        _prose(msb),
        _table(("Floor", "Demands that"), ((f"`{name}`", words) for name, (words, _) in msb.FLOOR.items())),
        *_structs(msb),
        "## Attestation",
        _prose(attestation),
        f"The header is `{attestation.HEADER}`.",
        _table(("Verdict", "Meaning"), ((f"`{name}`", meaning) for name, meaning in attestation.VERDICTS.items())),
        *_structs(attestation),
        "## The sealed record",
        _prose(record),
        "### Stills",
        _prose(stills),
        _table(("Hint", "As told to the candidate"), ((f"`{name}`", words) for name, words in stills.HINTS.items())),
        *_structs(stills),
        "## The proctor channel",
        _prose(channel),
        _table(("Command", "Meaning", "Arguments", "Lifetime", "Acknowledged by"), _commands()),
        _limits(),
        *_structs(channel),
        "### Delivery over a link that comes and goes",
        _prose(link),
        "## Events",
        _prose(events),
        _table(("Event", "Meaning"), ((f"`{name}`", meaning) for name, meaning in events.EVENTS.items())),
        "### Flags",
        _table(("Flag", "Meaning"), ((f"`{name}`", meaning) for name, meaning in events.FLAGS.items())),
        *_structs(events),
        "## The report",
        _prose(report),
        _table(("Finding", "Meaning"), ((f"`{name}`", meaning) for name, meaning in report.TAMPERING.items())),
        *_structs(report),
        "## The page and the agent",
        _prose(page),
        f"The agent listens at `ws://127.0.0.1:{page.DEFAULT_PORT}{page.PATH}` unless its settings name another port.",
        _table(("Method", "Meaning"), ((f"`{name}`", meaning) for name, meaning in page.METHODS.items())),
        _table(("Notification", "Meaning"), ((f"`{name}`", meaning) for name, meaning in page.EVENTS.items())),
        *_structs(page),
        "## The console and the service",
        _prose(console),
        *_structs(console),
        "## Errors",
        _prose(errors),
        _table(("Code", "Status", "Number", "Message", "Remedy"), _errors()),
    ]
    return "\n\n".join(parts) + "\n"


def _commands() -> Iterable[tuple[str, ...]]:
    for name, rule in channel.COMMANDS.items():
        by = "the page, or the agent with Enable Auto Acknowledgement" if rule.asks_page else "the agent"
        yield f"`{name}`", rule.meaning, ", ".join(f"`{each}`" for each in rule.arguments), f"{rule.lifetime_s:g} s", by


def _limits() -> str:
    every, lost, size = channel.KEEP_ALIVE_S, channel.LINK_LOST_AFTER_S, channel.MAX_MESSAGE
    remind, within = channel.REMIND_EVERY_S, channel.ACKNOWLEDGE_WITHIN_S
    return (
        f"Keep-alive every {every:g} s; the link counts as lost after {lost:g} s of silence; frames of at most {size} bytes. "
        f"A page is reminded of a request every {remind:g} s; after {within:g} s its command is `unacknowledged`."
    )


def settings() -> str:
    """docs/settings.md."""
    how = (
        f"The strongest origin that sets a value wins: {' < '.join(Origin)}. The policy file is "
        "`/etc/secureproctor/policy.toml` on Linux; the environment's names are `SECUREPROCTOR_` and the setting in "
        "capitals; a command-line option is the setting with dashes."
    )
    rows = (
        (
            f"`{name}`",
            _type(field.type),
            f"`{field.default!r}`",
            field.metadata["meaning"],
            ", ".join(origin for origin in Origin if origin in field.metadata["by"] and origin is not Origin.DEFAULT),
        )
        for name, field in FIELDS.items()
    )
    return (
        "\n\n".join(
            [
                "# Settings of the agent",
                NOTE,
                how,
                _table(("Setting", "Type", "Default", "Meaning", "May be set by"), rows),
            ]
        )
        + "\n"
    )


def architecture() -> str:
    """docs/architecture.md with a fresh state diagram."""
    path = DOCS / "architecture.md"
    block = f"<!-- states: begin -->\n{NOTE}\n\n```mermaid\n{diagram()}\n```\n\n<!-- states: end -->"
    return re.sub(r"<!-- states: begin -->.*<!-- states: end -->", lambda _: block, path.read_text("utf-8"), flags=re.S)


DOCUMENTS: dict[str, Callable[[], str]] = {
    "protocol.md": protocol,
    "settings.md": settings,
    "architecture.md": architecture,
}


def main(words: list[str]) -> int:
    """Write or check the documents; the exit code."""
    stale = [name for name, make in DOCUMENTS.items() if not _is(DOCS / name, make())]
    if "--check" in words:
        for name in stale:
            sys.stderr.write(f"docs/{name} differs from the code; run: make docs\n")
        return 1 if stale else 0
    for name in stale:
        (DOCS / name).write_text(DOCUMENTS[name](), "utf-8")
        sys.stdout.write(f"docs/{name} written\n")
    return 0


def _is(path: Path, text: str) -> bool:
    return path.exists() and path.read_text("utf-8") == text


def _prose(module: types.ModuleType) -> str:
    """A module's docstring; indented blocks become code blocks, its first line stays."""
    return re.sub(r"((?:^    .*\n?|^\n(?=    ))+)", _fenced, inspect.getdoc(module) or "", flags=re.M).strip()


def _fenced(block: re.Match[str]) -> str:
    return f"\n```text\n{inspect.cleandoc(block[0].rstrip())}\n```\n"


def _structs(module: types.ModuleType) -> Iterable[str]:
    for name, kind in vars(module).items():
        if inspect.isclass(kind) and issubclass(kind, msgspec.Struct) and kind.__module__ == module.__name__:
            yield f"### {name}"
            yield inspect.getdoc(kind) or ""
            yield _fields(kind)


def _fields(kind: type[msgspec.Struct]) -> str:
    hints = typing.get_type_hints(kind)
    tag = kind.__struct_config__.tag
    rows = [("`type`", f"`{tag!r}`", "")] if tag else []
    for field in msgspec.structs.fields(kind):
        default = "" if field.required else f"`{_default(field)}`"
        rows.append((f"`{field.encode_name}`", _type(hints[field.name]), default))
    return _table(("Field", "Type", "Default"), rows)


def _default(field: msgspec.structs.FieldInfo) -> str:
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return msgspec.json.encode(value).decode()


def _type(hint: object) -> str:
    text = hint.__name__ if inspect.isclass(hint) and not typing.get_args(hint) else str(hint)
    return re.sub(r"secureproctor\.[a-z_.]+\.|typing\.|msgspec\._core\.|msgspec\.", "", text).replace("|", "\\|")


def _init_settings() -> Iterable[tuple[str, ...]]:
    for name, (label, meaning) in http.SETTINGS.items():
        yield f"`{name}`", label, meaning


def _rules() -> Iterable[tuple[str, ...]]:
    for name, rule in lockdown.RULES.items():
        yield f"`{name}`", rule.name, rule.meaning, "observes only" if rule.observes else ""


def _errors() -> Iterable[tuple[str, ...]]:
    for code, row in errors.CODES.items():
        yield f"`{code}`", str(row.status), row.number, row.message, row.remedy


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("\n", " ") for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

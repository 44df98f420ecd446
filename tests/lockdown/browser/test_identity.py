"""Who the secure browser is: only what the system says proves anything."""

from dataclasses import dataclass, field

import pytest

from secureproctor.contract.msb import BrowserIdentity, Proof
from secureproctor.lockdown.browser.identity import identify, is_accepted, problem_of
from secureproctor.lockdown.readings import Running

PATH = "/opt/exam/browser"
BROWSER = Running(40, "browser", PATH, "ExamBrowser.exe", "Example Ltd", 1, 8.5)


SHELL = Running(45, "sh", "/bin/sh", parent=40)


@dataclass
class Facts:
    """A system of one browser (pid 40, started by 1) and one agent (pid 50, below 45)."""

    running: Running | None = BROWSER
    guarded: bool | None = True
    above: tuple[Running, ...] = (SHELL, BROWSER)
    asked: list[str] = field(default_factory=list)

    def describe(self, pid: int) -> Running | None:
        return self.running if pid == 40 else None

    def ancestors(self, pid: int) -> tuple[Running, ...]:
        return self.above if pid == 50 else ()

    def peer(self, port: int, peer_port: int) -> int | None:
        raise AssertionError((port, peer_port))

    def only_admin_writes(self, path: str) -> bool | None:
        self.asked.append(path)
        return self.guarded

    def is_alive(self, pid: int, started: float) -> bool:
        raise AssertionError((pid, started))


def who(facts: Facts, *accepted: str) -> BrowserIdentity:
    return identify(facts, 40, accepted, "Exam Browser", "3.1", agent_pid=50)


@pytest.mark.parametrize(
    ("accepted", "proof"),
    [
        ((f"path:{PATH}",), "path"),
        (("signer:Example Ltd",), "signature"),
        (("name:browser",), "none"),
        (("name:browser", f"path:{PATH}"), "path"),
        ((f"path:{PATH}", "signer:Example Ltd"), "signature"),
        (("path:/opt/exam/browser2",), "none"),
        (("path:/opt/exam",), "none"),
        (("path:/opt/exam/./browser",), "none"),
        (("path:browser",), "none"),
        (("path:",), "none"),
        (("signer:example ltd",), "none"),
        (("signer:",), "none"),
        (("signer:Example",), "none"),
        ((PATH,), "none"),
        ((), "none"),
    ],
)
def test_the_best_entry_that_holds_is_the_proof(accepted: tuple[str, ...], proof: Proof) -> None:
    found = who(Facts(), *accepted)
    assert found.proof == proof
    assert bool(found.why) == (proof == "none")


def test_all_that_is_known_is_told() -> None:
    assert who(Facts(), f"path:{PATH}") == BrowserIdentity(
        40, PATH, "Exam Browser", "3.1", "Example Ltd", "path", True, ""
    )


@pytest.mark.parametrize(("guarded", "words"), [(False, "others than administrators"), (None, "could not be checked")])
def test_a_path_proves_nothing_where_others_can_write_or_nobody_knows(guarded: bool | None, words: str) -> None:
    found = who(Facts(guarded=guarded), f"path:{PATH}")
    assert found.proof == "none"
    assert words in found.why
    assert not is_accepted(found, (f"path:{PATH}",))


def test_the_program_that_runs_is_checked_and_not_the_entry() -> None:
    facts = Facts()
    who(facts, "path:/tmp/link", f"path:{PATH}")
    assert facts.asked == [PATH]


def test_a_program_without_a_signature_is_not_signed_by_nobody() -> None:
    facts = Facts(running=Running(40, "browser", PATH))
    assert who(facts, "signer:").proof == "none"
    assert who(facts, "signer:Example Ltd").proof == "none"


def test_a_program_whose_path_cannot_be_read_is_proven_by_nothing() -> None:
    found = who(Facts(running=Running(40, "browser")), f"path:{PATH}", "path:")
    assert (found.proof, found.path) == ("none", "")


@pytest.mark.parametrize("name", ["browser", "BROWSER", "browser.exe", "ExamBrowser"])
def test_a_name_is_recognized_in_any_letters_and_proves_nothing(name: str) -> None:
    found = who(Facts(), f"name:{name}")
    assert found.proof == "none"
    assert "name" in found.why


def test_a_process_that_is_gone_is_nobody() -> None:
    found = identify(Facts(), 41, (f"path:{PATH}",), "Exam Browser", "3.1", agent_pid=50)
    assert (found.pid, found.path, found.proof) == (41, "", "none")
    assert "could not be found" in found.why
    assert not is_accepted(found, (f"path:{PATH}", "name:"))


@pytest.mark.parametrize(
    ("above", "started"),
    [
        ((Running(40, "browser", PATH, started=8.5),), True),
        ((Running(40, "other", "/bin/other", started=9.5),), False),
        ((Running(44, "browser", PATH, started=8.5),), False),
        ((), False),
    ],
)
def test_only_this_very_process_among_the_ancestors_started_the_agent(
    above: tuple[Running, ...], started: bool
) -> None:
    assert who(Facts(above=above), f"path:{PATH}").started_agent is started


@pytest.mark.parametrize(
    ("accepted", "taken"),
    [
        ((), True),
        ((f"path:{PATH}",), True),
        (("name:browser",), True),
        (("name:browser.exe",), True),
        (("name:chrome",), False),
        (("path:/usr/bin/chromium",), False),
        (("signer:Somebody",), False),
    ],
)
def test_what_an_exam_accepts(accepted: tuple[str, ...], taken: bool) -> None:
    assert is_accepted(who(Facts(), *accepted), accepted) is taken


@pytest.mark.parametrize(
    "entry", [f"path:{PATH}", "path:C:\\Program Files\\Exam\\browser.exe", "name:browser", "signer:Example Ltd"]
)
def test_an_entry_as_it_should_be_has_no_problem(entry: str) -> None:
    assert problem_of(entry) == ""


@pytest.mark.parametrize("entry", ["", PATH, "path:", "path:browser", "name:", "publisher:x", "name:" + "x" * 300])
def test_an_entry_that_could_never_match_has_one(entry: str) -> None:
    assert problem_of(entry)

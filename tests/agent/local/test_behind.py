"""Which browser is behind a connection, among processes of the test's own."""

import pytest

from secureproctor.agent.local.behind import behind, main_process
from secureproctor.agent.local.door import Visitor
from secureproctor.agent.local.facts import NoFacts, process_facts
from tests.agent.guards import FakeFacts

CHROMIUM = "/usr/lib/chromium/chromium"
PAGE, PORTS = "https://exam.example", (46317, 50_000)


@pytest.fixture
def facts() -> FakeFacts:
    """A desktop: a browser of several processes, whose host was started by itself and by a shell."""
    facts = FakeFacts()
    facts.add(1, "/usr/bin/plasmashell")
    facts.add(10, CHROMIUM, 1)
    facts.add(11, CHROMIUM, 10)
    facts.add(12, CHROMIUM, 11)
    facts.add(20, "/bin/sh", 10)
    return facts


def found(facts: FakeFacts, visitor: Visitor) -> int:
    running = behind(facts, visitor)
    return running.pid if running else 0


def test_a_page_belongs_to_its_browsers_topmost_process(facts: FakeFacts) -> None:
    facts.peers[PORTS] = 12
    assert found(facts, Visitor(PAGE, ports=PORTS)) == 10


@pytest.mark.parametrize("started_by", [10, 11, 20])
def test_a_native_messaging_host_was_started_by_its_browser_or_by_a_shell_of_it(
    facts: FakeFacts, started_by: int
) -> None:
    facts.peers[PORTS] = 999  # the host itself
    assert found(facts, Visitor(PAGE, True, started_by, PORTS)) == 10


def test_of_a_connection_that_nobody_knows_or_a_process_that_is_gone_nothing_is_said(facts: FakeFacts) -> None:
    assert found(facts, Visitor(PAGE, ports=PORTS)) == 0
    assert found(facts, Visitor(PAGE, True, 999, PORTS)) == 0


def test_a_program_of_another_name_above_it_is_not_the_browser(facts: FakeFacts) -> None:
    facts.add(30, "/usr/bin/firefox", 10)
    running = main_process(facts, 30)
    assert running is not None
    assert running.pid == 30


def test_a_shell_without_anybody_above_it_is_what_there_is(facts: FakeFacts) -> None:
    facts.add(40, "/bin/bash")
    running = main_process(facts, 40)
    assert running is not None
    assert running.pid == 40


def test_a_system_that_nobody_knows_tells_nothing_and_calls_nobody_gone() -> None:
    facts = process_facts("plan9")
    assert isinstance(facts, NoFacts)
    assert behind(facts, Visitor(PAGE, ports=PORTS)) is None
    assert (facts.ancestors(1), facts.only_admin_writes("/"), facts.is_alive(1, 0.0)) == ((), None, True)

"""Who the secure browser is, as the operating system tells. Pure over `ProcessFacts`.

Accepted browsers are named by policy or by the MSB Key:

    path:/opt/exam/browser      the process runs exactly this file, and only administrators can change it or a folder above it
    signer:Example Ltd          its program is signed by this name
    name:browser                its file has this name; that proves nothing, since anybody can name a file so

A path is the program's own file, not a link to it: who could change the link would choose the program. What is proven is which
program runs, not that its owner did not give it odd arguments or look into its memory.
"""

import os
from collections.abc import Callable, Sequence

from secureproctor.contract.msb import BrowserIdentity, Proof
from secureproctor.lockdown.readings import ProcessFacts, Running

Judgement = tuple[bool, Proof, str]
"""Whether a process is what an entry names, what that proves, and why it proves no more."""

_LONGEST = 256


def identify(
    facts: ProcessFacts,
    pid: int,
    accepted: Sequence[str],
    product: str,
    version: str,
    agent_pid: int | None = None,
) -> BrowserIdentity:
    """The process `pid`, which says that it is the secure browser `product`. The best proof that an entry gives counts.

    `why` is a sentence's part that says what is missing, empty when something is proven. `agent_pid` None: this process.
    """
    running = facts.describe(pid)
    if running is None:
        return BrowserIdentity(pid, "", product, version, why="its process could not be found")
    proof, why = _best(facts, running, accepted)
    ancestors = facts.ancestors(os.getpid() if agent_pid is None else agent_pid)
    return BrowserIdentity(
        pid=pid,
        path=running.path,
        product=product,
        version=version,
        signer=running.signer,
        proof=proof,
        started_agent=any((each.pid, each.started) == (pid, running.started) for each in ancestors),
        why=why,
    )


def is_accepted(identity: BrowserIdentity, accepted: Sequence[str]) -> bool:
    """Whether an exam that accepts these browsers takes this one: it is proven, or its name is enough, or none is named."""
    if not accepted or identity.proof != "none":
        return True
    name = _file_name(identity.path)
    return bool(name) and any(
        _same_name(entry.removeprefix("name:"), name) for entry in accepted if _kind(entry) == "name"
    )


def problem_of(entry: str) -> str:
    """What is wrong with an entry of accepted browsers, as a sentence's part; empty: nothing."""
    kind, value = _kind(entry), entry.partition(":")[2]
    if kind not in _KINDS or not value:
        return "it does not begin with path:, name: or signer:, or names nothing after it"
    if kind == "path" and not (value.startswith("/") or value[1:3] in (":\\", ":/")):
        return "its path does not begin at the root"
    if len(entry) > _LONGEST:
        return f"it has more than {_LONGEST} characters"
    return ""


def _best(facts: ProcessFacts, running: Running, accepted: Sequence[str]) -> tuple[Proof, str]:
    if not accepted:
        return "none", "nothing says which programs are secure browsers here"
    judged = [
        _KINDS[_kind(entry)](facts, running, entry.partition(":")[2]) for entry in accepted if _kind(entry) in _KINDS
    ]
    matched = [(proof, why) for match, proof, why in judged if match]
    for best in ("signature", "path"):
        if any(proof == best for proof, _ in matched):
            return best, ""
    if matched:
        return "none", matched[0][1]
    return "none", f"{running.path or running.name or 'its program'} is not among the browsers that are accepted here"


def _by_path(facts: ProcessFacts, running: Running, path: str) -> Judgement:
    if not running.path or os.path.normcase(running.path) != os.path.normcase(path):
        return False, "none", ""
    guarded = facts.only_admin_writes(running.path)
    if guarded is None:
        return True, "none", "it could not be checked who can change its program"
    if not guarded:
        return True, "none", "others than administrators can change its program, or a folder above it"
    return True, "path", ""


def _by_signer(_facts: ProcessFacts, running: Running, signer: str) -> Judgement:
    return bool(running.signer) and running.signer == signer, "signature", ""


def _by_name(_facts: ProcessFacts, running: Running, name: str) -> Judgement:
    names = (running.name, _file_name(running.path), running.original_name)
    match = any(_same_name(name, each) for each in names if each)
    return match, "none", "it is accepted by its name, which proves nothing"


_KINDS: dict[str, Callable[[ProcessFacts, Running, str], Judgement]] = {
    "path": _by_path,
    "signer": _by_signer,
    "name": _by_name,
}


def _kind(entry: str) -> str:
    return entry.partition(":")[0]


def _file_name(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


def _same_name(wanted: str, name: str) -> bool:
    """Windows' `.exe` is no part of a name that people give."""
    return _bare(wanted) == _bare(name)


def _bare(name: str) -> str:
    return name.casefold().removesuffix(".exe")

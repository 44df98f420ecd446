"""Who the candidate is, as far as it was looked at: what was shown, what the proctor decided, and in which words. Pure."""

from collections.abc import Sequence

from secureproctor.contract.report import CommandReport, IdentityReport, StillReport
from secureproctor.contract.stills import Identity
from secureproctor.service.session import Session

DECISIONS = frozenset({"authorize", "reject", "resubmit"})
OFF = "off"
FIRST = "consent"


def identity(
    session: Session,
    commands: Sequence[CommandReport],
    stills: Sequence[StillReport],
    reference: str = "",
    reference_error: str = "",
) -> IdentityReport:
    """All that is known. `reference` is the address of the exam's photo, "" when there is none (yet)."""
    if not session.settings.authorization:
        return IdentityReport(step=OFF, reference=reference, reference_error=reference_error)
    decision = _decision(commands)
    return IdentityReport(
        step=session.step or FIRST,
        wanted=tuple(session.wanted.split()),
        consent_ms=session.consent_ms,
        submitted_ms=session.submitted_ms,
        decided_ms=decision.applied_ms if decision else None,
        decided_by=decision.issued_by if decision else "",
        text=decision.text if decision else "",
        photo=_newest(stills, "photo"),
        id_card=_newest(stills, "id_card"),
        reference=reference,
        reference_error=reference_error,
    )


def _decision(commands: Sequence[CommandReport]) -> CommandReport | None:
    """The latest decision that took effect at the candidate's."""
    return max(
        (each for each in commands if each.kind in DECISIONS and each.applied_ms is not None),
        key=lambda each: each.applied_ms or 0,
        default=None,
    )


def _newest(stills: Sequence[StillReport], of: Identity) -> StillReport | None:
    return max((each for each in stills if each.of == of), key=lambda each: (each.epoch, each.seq), default=None)

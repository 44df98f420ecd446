"""Authorization as it is, and the rules of its steps. Pure; the journal makes it durable.

    consent ──agrees──► capture ──submits──► submitted ──► authorized | rejected
       ▲                 │   ▲                   │
       └──takes it back──┘   └──asked for more───┘

Consent comes first: nothing opens the camera before it. When the exam wants no pictures, consent alone is submitted. Each rule
gives the journal's entry of the next step, or refuses; `apply` takes an entry, also one that a journal tells.
"""

from dataclasses import dataclass, field

from secureproctor.agent.session.journal import AuthorizationMoved
from secureproctor.contract.channel import AuthorizationStep
from secureproctor.contract.errors import Refusal
from secureproctor.contract.events import Detail
from secureproctor.contract.http import InitData, ProctoringSettings
from secureproctor.contract.page import ConsentTerms
from secureproctor.contract.stills import Identity

NAMES: dict[Identity, str] = {"photo": "photo", "id_card": "ID card"}
ASKED: dict[str, tuple[Identity, ...]] = {"photo": ("photo",), "id_card": ("id_card",), "both": ("photo", "id_card")}
"""What the arguments of the command `resubmit` ask for."""
NOT_SUBMITTED: dict[AuthorizationStep, str] = {
    "consent": "the candidate has not agreed to be proctored yet",
    "capture": "the candidate has not handed in what is wanted yet",
    "authorized": "the candidate is authorized already",
    "rejected": "the candidate was rejected already",
}
"""Why there is nothing to decide."""
DECIDED_BY: dict[AuthorizationStep, str] = {"authorized": "authorize", "rejected": "reject", "capture": "resubmit"}


def pictures_of(settings: ProctoringSettings) -> tuple[Identity, ...]:
    """What the candidate is to show."""
    if settings.skip_id_and_photo:
        return ()
    return ("photo",) if settings.skip_id else ("photo", "id_card")


def authorization_for(settings: ProctoringSettings) -> "Authorization | None":
    """Authorization as a session begins with it; None when the exam does without."""
    return Authorization(pictures_of(settings)) if settings.authorization else None


def terms_of(data: InitData, streams: tuple[str, ...], service: str) -> ConsentTerms:
    """What the candidate is asked to agree to."""
    captures = (*streams, *pictures_of(data.settings))
    kept_h = round(data.retention_s / 3600, 1)
    return ConsentTerms(captures, data.group_name, data.operator, service, kept_h, not data.settings.recording)


def events_of(entry: AuthorizationMoved, before: AuthorizationStep, terms: ConsentTerms) -> list[tuple[str, Detail]]:
    """What a step puts on the record: kinds of contract/events.py with their details."""
    agreed: tuple[str, Detail] = ("consent_given", {"captures": " ".join(terms.captures), "kept_h": terms.kept_h})
    match entry.step:
        case "consent":
            return [("consent_refused", {})]
        case "capture" if entry.command:
            return [("resubmit_requested", {"wanted": " ".join(entry.wanted), "by": entry.by})]
        case "capture":
            return [agreed]
        case "submitted":
            return [agreed] * (before == "consent") + [("authorization_submitted", {})]
        case "authorized":
            return [("authorized", {"by": entry.by})]
        case "rejected":
            return [("rejected", {"by": entry.by, "reason": entry.text})]


@dataclass(slots=True)
class Authorization:
    """How far it came. `due` is what the exam wants of every candidate, `wanted` what is still to be handed in."""

    due: tuple[Identity, ...]
    step: AuthorizationStep = "consent"
    wanted: tuple[Identity, ...] = field(default=())
    text: str = ""
    by: str = ""

    def apply(self, entry: AuthorizationMoved) -> None:
        """The step that an entry tells."""
        self.step, self.wanted, self.text, self.by = entry.step, entry.wanted, entry.text, entry.by

    def answered(self, accepted: bool, now_ms: int) -> AuthorizationMoved | None:
        """The candidate agrees, or does not; None when that is known. Raises Refusal not_now once it was handed in."""
        if self.step not in {"consent", "capture"}:
            raise Refusal(
                "not_now",
                call="Consent",
                state=self.step,
                remedy="Tell the proctor, or leave the exam, to take it back.",
            )
        if not accepted:
            return AuthorizationMoved("consent", now_ms)
        if self.step == "capture":
            return None
        return AuthorizationMoved("capture", now_ms, self.due) if self.due else AuthorizationMoved("submitted", now_ms)

    def require(self, picture: Identity, call: str) -> None:
        """Raise Refusal consent_missing or picture_not_wanted."""
        if self.step == "consent":
            raise Refusal("consent_missing", call=call)
        if picture not in self.wanted:
            raise Refusal("picture_not_wanted", of=NAMES[picture])

    def submitted(self, taken: frozenset[Identity], now_ms: int) -> AuthorizationMoved | None:
        """The candidate hands in; None when that was done. Raises Refusal consent_missing or pictures_missing."""
        if self.step == "consent":
            raise Refusal("consent_missing", call="Submitting")
        if self.step != "capture":
            return None
        missing = [NAMES[picture] for picture in self.wanted if picture not in taken]
        if missing:
            raise Refusal("pictures_missing", missing=", ".join(missing))
        return AuthorizationMoved("submitted", now_ms)

    def decided(self, step: AuthorizationStep, now_ms: int, text: str, by: str, command: str) -> AuthorizationMoved:
        """The proctor decides. Raises Refusal command_refused with the reason why there is nothing to decide."""
        if self.step != "submitted":
            raise Refusal("command_refused", kind=DECIDED_BY[step], why=NOT_SUBMITTED[self.step])
        return AuthorizationMoved(step, now_ms, (), text, by, command)

    def asked_again(self, argument: str, now_ms: int, text: str, by: str, command: str) -> AuthorizationMoved:
        """The proctor asks for pictures; what is still wanted stays so. Raises Refusal command_refused."""
        asked = ASKED[argument]
        if self.step not in {"capture", "submitted"}:
            raise Refusal("command_refused", kind="resubmit", why=NOT_SUBMITTED[self.step])
        for picture in asked:
            if picture not in self.due:  # nobody agreed to show it
                raise Refusal("command_refused", kind="resubmit", why=f"the exam left the {NAMES[picture]} out")
        wanted = tuple(picture for picture in self.due if picture in {*asked, *self.wanted})
        return AuthorizationMoved("capture", now_ms, wanted, text, by, command)

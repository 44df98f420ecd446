"""The bodies of the HTTP calls between the exam's page, the agent and the service.

Init's body keeps the names that exam integrators know (camelCase); everything else is snake_case. Unknown fields are
ignored, so that a newer peer can say more than an older one understands.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from secureproctor.contract.lockdown import LockdownSettings

Text = Annotated[str, Meta(max_length=256)]
Url = Annotated[str, Meta(max_length=2048)]

PATHS: dict[str, str] = {
    "GET /v1/health": "Whether the service is there, and its clock (Health).",
    "POST /v1/init": "Register a candidate; signed by the exam's server (InitBody → InitAnswer).",
    "POST /v1/sessions/{id}/token": "A fresh session token for an old one, also after the end, within the retention time.",
    "PUT /v1/sessions/{id}/segments/{stream}/{epoch}/{seq}": "A sealed record; create-only (→ Stored).",
    "GET /v1/sessions/{id}/segments": "What is stored, as chain positions (→ StoredList).",
    "GET /v1/sessions/{id}/channel": "The proctor channel: a WebSocket (contract.channel).",
    "GET /v2/report/": "The report as a link or as JSON; signed by the exam's server (→ ReportAnswer).",
    "GET /v1/sessions/{id}/report": "The report as JSON, by a link's access code (contract.report).",
    "GET /v1/sessions/{id}/media/{stream}.m3u8": "A stream's HLS playlist, by a link's access code.",
    "GET /v1/sessions/{id}/media/master.m3u8": "The screen with the sound, as one HLS presentation.",
    "GET /v1/sessions/{id}/media/{stream}.mp4": "An epoch of a stream as one file; `epoch=`, and the header Epochs.",
    "GET /v1/sessions/{id}/media/{stream}/{epoch}/{seq}": "One opened init or media segment, by a link's access code.",
    "GET /report/{id}": "The report as a page on which the recording plays.",
    "GET /demo": "The demo page.",
    "GET /console": "The proctor's console; it talks over the WebSocket /v1/proctor.",
    "GET /v1/proctor": "The proctors' WebSocket (contract.console).",
    "GET /v1/sessions/{id}/media/{stream}/thumbnail.jpg": "The newest picture of a stream, small, by a link's access code.",
    "GET /v1/sessions/{id}/stills/{epoch}/{seq}": "A still as a JPEG, by a link's access code.",
    "GET /v1/sessions/{id}/reference": "The exam's reference photo of the candidate, by a link's access code.",
    "GET /v1/proctor/live": "Segments as they come, for consoles: a WebSocket (contract.console.Watch).",
    "POST /v1/attestations/verify": "Judge the attestation of an exam's request; signed by the exam's server "
    "(contract.attestation.VerifyBody → VerifyAnswer).",
    "POST /v1/proctor/login": "A proctor logs in (contract.console.LogIn → LoggedIn).",
    "GET /v1/proctors": "The proctors' accounts, for a super proctor (→ contract.console.ProctorAccounts).",
    "PUT /v1/proctors/{name}": "Make or change an account (contract.console.ProctorChange → ProctorAccount).",
    "DELETE /v1/proctors/{name}": "Remove an account.",
    "GET /openapi.json": "This list as an OpenAPI document.",
    "GET /secureproctor.js": "The page's side of the agent.",
    "GET /authorization.js": "The authorization desk for exam pages, a module that works on secureproctor.js.",
}
"""Every address of the service, in the order of docs/protocol.md."""


class ProctoringSettings(msgspec.Struct, frozen=True, rename="camel"):
    """What the exam wants of this session."""

    screen_capture: bool = True
    recording: bool = True
    audio_proctoring: bool = True
    authorization: bool = False
    pause_resume: bool = True
    initial_state: Literal["running", "paused"] = "running"
    end_test: bool = True
    msb: bool = False
    msb_key: Annotated[str, Meta(max_length=16384)] = ""
    navigation_control: bool = False
    skip_id: bool = False
    skip_id_and_photo: bool = False
    candidate_photo_url: Url = ""
    capture_while_paused: bool = True
    lockdown: LockdownSettings = LockdownSettings()

    @property
    def locked(self) -> bool:
        """Whether the exam wants a lockdown."""
        return self.msb or self.navigation_control


SETTINGS: dict[str, tuple[str, str]] = {
    "screenCapture": ("Screen Capture", "The candidate's screen is captured."),
    "recording": (
        "Recording On",
        "The whole session is recorded and available in the report. Off: evidence serves the live view only.",
    ),
    "audioProctoring": ("Audio Proctoring", "The microphone is captured."),
    "authorization": ("Authorization On", "A proctor authorizes the candidate before the start."),
    "pauseResume": ("Pause/Resume test on", "The proctor may pause and resume the test."),
    "initialState": ("Initial State", "The session begins paused or running."),
    "endTest": ("End test on", "The proctor may end the test."),
    "msb": ("MSB", "The secure browser locks the candidate's system down while the test runs."),
    "msbKey": ("MSB Key", "Made in advance by the client; holds all test settings."),
    "navigationControl": ("Enable Navigation Control", "Lockdown that restricts navigation."),
    "skipId": ("Skip ID", "Authorization goes without an ID card."),
    "skipIdAndPhoto": ("Skip ID and Photo", "Authorization goes without ID card and photo."),
    "candidatePhotoUrl": ("Candidate Photo URL", "A reference photo of the candidate."),
    "captureWhilePaused": ("Capture while paused", "Evidence goes on while the test is paused."),
    "lockdown": (
        "Lockdown",
        "What Navigation Control and MSB lock, and how strictly; an MSB Key can only add to it.",
    ),
}
"""Each setting's name on the form and its meaning, in the form's order."""


class UserMetaData(msgspec.Struct, frozen=True):
    """Who the candidate is, as far as the exam says."""

    name: Text = ""
    email: Text = ""


class InitBody(msgspec.Struct, frozen=True, rename="camel"):
    """`POST /v1/init`. `expiry_time` is the session expiry time in seconds: how long the link may be gone."""

    public_key: Text
    user_id: Text
    group_name: Text
    proctoring_settings: ProctoringSettings = ProctoringSettings()
    expiry_time: Annotated[int, Meta(ge=10, le=86400)] = 300
    user_meta_data: UserMetaData = UserMetaData()


MANDATORY: dict[str, str] = {"publicKey": "Public Key", "userId": "User ID", "groupName": "Group Name"}
"""Fields of Init that may not be empty, with their names on the form."""


class InitData(msgspec.Struct, frozen=True):
    """What Init gives the agent. Times in milliseconds since 1970 or in seconds, as the names say.

    `origins` are the page origins that may talk to the agent about this session; `sealing_key` is the session's X25519
    public key (base64 of 32 bytes), for which the agent seals all evidence; `not_enforced` names settings that were
    asked for and that this service cannot pass on; `operator` is who runs the service, as the candidate is told. `client` is
    the public key that registered; `msb_keys` are the keys by which its MSB Keys may be signed (JWK `x`, base64url).
    """

    token: str
    session_id: str
    expiry_s: int
    settings: ProctoringSettings
    sealing_key: str
    origins: tuple[str, ...]
    not_enforced: tuple[str, ...]
    now_ms: int
    retention_s: int
    user_id: str
    group_name: str
    user_name: str = ""
    operator: str = ""
    client: str = ""
    msb_keys: tuple[str, ...] = ()


class InitAnswer(msgspec.Struct, frozen=True):
    """The answer of `POST /v1/init`; `data` holds the token, as the vendors' integrations expect."""

    data: InitData


class TokenAnswer(msgspec.Struct, frozen=True):
    """A fresh session token."""

    token: str


class Health(msgspec.Struct, frozen=True):
    """`GET /v1/health`."""

    service: str
    version: str
    now_ms: int


class Stored(msgspec.Struct, frozen=True):
    """The answer of an ingest: 201 `stored`, 200 `already`. `hash` is the record's SHA-256 in hexadecimal."""

    status: Literal["stored", "already"]
    hash: str


class StoredList(msgspec.Struct, frozen=True):
    """What the service holds of a session: stream → list of (epoch, first seq, last seq) runs without a hole."""

    streams: dict[str, list[tuple[int, int, int]]]


class ReportLink(msgspec.Struct, frozen=True):
    """Where the report is. The link opens for whoever has it, until `expires_ms`."""

    url: str
    json_url: str
    expires_ms: int
    ci_score: float
    ci_band: str


class ReportAnswer(msgspec.Struct, frozen=True):
    """The answer of `GET /v2/report/`; `report` is the whole report when `reportFormat` was `json`."""

    data: ReportLink
    report: msgspec.Raw = msgspec.Raw(b"null")

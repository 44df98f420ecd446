"""The agent's settings, as one table: the fields of `Settings` with their type, default, meaning and who may set them.

A new setting is a new field here. Command-line options, the policy file and the documentation are made from this table.
What one exam wants (screen on or off, expiry time) is not here: it comes with Init, signed by the exam's server.
"""

# ruff: noqa: RUF009 - _setting is dataclasses.field with two words more; it is not called again for each instance

import dataclasses
import enum
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from msgspec import Meta

from secureproctor.contract.page import DEFAULT_PORT


class Origin(enum.StrEnum):
    """Where a value came from, weakest first. A managed policy beats everything, so that IT has the last word."""

    DEFAULT = "default"
    USER = "user file"
    ENVIRONMENT = "environment"
    COMMAND_LINE = "command line"
    POLICY = "policy"


ANYBODY = frozenset(Origin)
ADMIN = frozenset({Origin.DEFAULT, Origin.POLICY, Origin.COMMAND_LINE, Origin.ENVIRONMENT})
COMMAND_ONLY = frozenset({Origin.DEFAULT, Origin.COMMAND_LINE})
POLICY_ONLY = frozenset({Origin.DEFAULT, Origin.POLICY})


Port = Annotated[int, Meta(ge=0, le=65535)]
Rate = Annotated[float, Meta(gt=0, le=120)]
BitRate = Annotated[int, Meta(ge=6_000, le=512_000)]
Crf = Annotated[int, Meta(ge=0, le=51)]
SegmentLength = Annotated[float, Meta(gt=0, le=60)]
Megabytes = Annotated[int, Meta(ge=1, le=10_000_000)]
Patience = Annotated[float, Meta(ge=0, le=10_000)]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


def _setting(default: Any, meaning: str, by: frozenset[Origin] = ANYBODY) -> Any:
    return dataclasses.field(default=default, metadata={"meaning": meaning, "by": by})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of an agent. The metadata of each field holds `meaning` and `by` (the origins that may set it)."""

    service_url: str = _setting(
        "http://127.0.0.1:8400", "Address of the proctoring service; never taken from a page.", ADMIN
    )
    local_port: Port = _setting(
        DEFAULT_PORT, "Port on 127.0.0.1 at which the exam page finds the agent; 0 takes a free one."
    )
    allowed_origins: tuple[str, ...] = _setting(
        (),
        "Page origins that may talk to the agent, besides the service's own and those of the session's token.",
        ADMIN,
    )
    state_dir: str = _setting("", "Folder of the spool and the journals; empty: the user's data folder.")
    runtime_dir: str = _setting("", "Folder of the pairing token and the lock; empty: the user's runtime folder.")
    webcam: str = _setting("0", "The camera: its number, or its path on Linux.")
    microphone: str = _setting("", "The microphone's name or number; empty: the system's default.")
    test_camera: str = _setting("", "Address of a test camera in place of the webcam; put on the record.", COMMAND_ONLY)
    allow_test_sources: bool = _setting(True, "Whether test sources are allowed at all.", POLICY_ONLY)
    screen_fps: Rate = _setting(12.0, "Most pictures of the screen per second; an unchanged screen costs none.")
    screen_preset: str = _setting("superfast", "x264 preset of the screen.")
    screen_crf: Crf = _setting(28, "x264 quality of the screen; lower is better and larger.")
    webcam_fps: Rate = _setting(10.0, "Pictures of the webcam per second.")
    audio_bitrate: BitRate = _setting(48_000, "Bits per second of the audio.")
    # with what it takes to hear, close, seal and write one (0.2 s), so much is lost when the agent is killed: less than 2 s
    segment_s: SegmentLength = _setting(1.7, "Length of a segment in seconds.")
    retention_h: Patience = _setting(72.0, "Hours for which undelivered evidence is kept after the end.", ADMIN)
    spool_quota_mb: Megabytes = _setting(
        8_192, "Most megabytes of undelivered evidence on the disk; near it, quality goes down.", ADMIN
    )
    disk_floor_mb: Megabytes = _setting(
        512, "Megabytes that evidence leaves free on the disk, at most a twentieth of it.", ADMIN
    )
    page_gone_s: Patience = _setting(120.0, "Seconds after which a session ends whose exam page is gone.", ADMIN)
    lockdown: Literal["enforce", "observe"] = _setting(
        "enforce",
        "Whether lockdown rules are enforced here, or only observed; exams that require more do not start.",
        ADMIN,
    )
    allowed_programs: tuple[str, ...] = _setting(
        (), "Programs that no exam's lockdown closes on this computer, by file name.", ADMIN
    )
    msb_keys: tuple[str, ...] = _setting(
        (), "Keys trusted for MSB Keys, each as client=key; without any, those that the service names.", ADMIN
    )
    msb_browsers: tuple[str, ...] = _setting(
        (), "What a secure browser is here, each as path:, name: or signer: with a value.", ADMIN
    )
    log_level: LogLevel = _setting("INFO", "DEBUG, INFO, WARNING or ERROR.")


FIELDS: dict[str, dataclasses.Field[Any]] = {field.name: field for field in dataclasses.fields(Settings)}

"""What the session says when a source fails: event kinds, and remedies in a sentence."""

from secureproctor.capture.media import SourceReport, SourceState
from secureproctor.contract.errors import ErrorInfo, Refusal
from secureproctor.contract.http import ProctoringSettings
from secureproctor.contract.streams import Stream


def wanted_streams(settings: ProctoringSettings) -> frozenset[Stream]:
    """The media that an exam's settings ask for; the webcam is always among them."""
    optional = {Stream.SCREEN: settings.screen_capture, Stream.AUDIO: settings.audio_proctoring}
    return frozenset({Stream.WEBCAM} | {stream for stream, on in optional.items() if on})


SOURCE_EVENTS: dict[SourceState, str] = {
    SourceState.STARTED: "source_started",
    SourceState.LOST: "source_lost",
    SourceState.RECOVERED: "source_recovered",
    SourceState.STOPPED: "source_stopped",
}

_REMEDIES: dict[str, str] = {
    "busy": "Close the other programs that use the {stream}.",
    "missing": "Connect the {stream} again; the session goes on by itself.",
    "no_permission": "Allow this program to use the {stream} in the system's privacy settings.",
    "no_display": "Log in to a desktop session; the screen cannot be seen from here.",
    "no_frames": "Bring the exam to the front in the secure browser; if it stays so, start the browser again.",
}


def remedy_for(stream: Stream, code: str) -> str:
    """What a candidate can do about a source's diagnosis."""
    return _REMEDIES.get(code, "Check the {stream} and its cable, and run Check System again.").format(stream=stream)


def lost_error(report: SourceReport) -> ErrorInfo:
    """A lost source, as the page is told."""
    return Refusal(
        "source_lost",
        stream=report.stream,
        diagnosis=report.code or "no data",
        remedy=remedy_for(report.stream, report.code),
    ).info

"""The kinds of evidence that a session has."""

import enum


class Stream(enum.StrEnum):
    """A kind of evidence. The value is what stands in paths and JSON; the order is that of the report."""

    SCREEN = "screen"
    WEBCAM = "webcam"
    AUDIO = "audio"
    EVENTS = "events"
    STILLS = "stills"


MEDIA: tuple[Stream, ...] = (Stream.SCREEN, Stream.WEBCAM, Stream.AUDIO)

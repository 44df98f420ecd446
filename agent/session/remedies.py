"""What a page is told to do when a call is not possible now, and what a candidate is told when the disk runs short."""

from secureproctor.agent.session.machine import State

REMEDIES: dict[State, str] = {
    State.IDLE: "Register with Init first.",
    State.REGISTERED: "Pass Check System first.",
    State.AWAITING_AUTHORIZATION: "Wait for the proctor's authorization.",
    State.READY: "Start proctoring first.",
    State.STARTING: "Wait until proctoring has started.",
    State.RUNNING: "Stop the present session first.",
    State.PAUSED: "Stop the present session first.",
    State.ENDING: "The session is over; register anew.",
    State.DRAINING: "The session is over; register anew.",
    State.ENDED: "The session is over; register anew.",
}
SQUEEZED: dict[bool, str] = {
    False: "pictures are recorded in a lower quality",
    True: "the oldest pictures that wait for the service are given up",
}
"""By whether evidence is given up."""

"""What may be better about a photo or an ID card: hints to the candidate, as codes of contract.stills.HINTS.

First what the picture is to show is looked for; light and sharpness are then judged there, or else in the whole picture: a
bright window behind a dark face is no good light. A hint never forbids, a person decides.

On one core a photo of 1280x720 takes 4 to 5 ms and a card 7 to 10: five times a second, 2 to 5 percent of it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from secureproctor.capture.camera import Bgr
from secureproctor.capture.observers.card import find_card
from secureproctor.capture.observers.faces import face_finder
from secureproctor.capture.observers.picture import Luma, faults, luma
from secureproctor.contract.stills import HINTS, Identity

FACE_SMALL = 0.2
"""Of the picture's height, from the forehead to the chin."""
ALSO_A_FACE = 1 / 3
"""Of the largest face's height: smaller ones are far away, or pictures on a wall."""
CARD_SMALL = 0.5
"""Of the length with which it would fill the frame."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a picture is to show: what may be better about it, and where it is, as fractions: left, top, right, bottom."""

    codes: frozenset[str]
    box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)

    def of(self, grey: Luma) -> Luma:
        """This part of a picture."""
        height, width = grey.shape
        left, top, right, bottom = (min(max(side, 0.0), 1.0) for side in self.box)
        return grey[int(top * height) : round(bottom * height), int(left * width) : round(right * width)]


def _person(picture: Bgr) -> Subject:
    faces = face_finder().find(picture)
    if not faces:
        return Subject(frozenset({"no_face"}))
    height, width = picture.shape[:2]
    face = faces[0]
    codes = {
        code
        for code, applies in (
            ("several_faces", sum(each.height > ALSO_A_FACE * face.height for each in faces) > 1),
            ("face_small", face.height < FACE_SMALL * height),
        )
        if applies
    }
    aside, above = face.width / 4, face.height / 4  # hair and collar, without which there are few edges
    sides = (face.left - aside, face.top - above, face.left + face.width + aside, face.top + face.height + above)
    left, top, right, bottom = sides
    return Subject(frozenset(codes), (left / width, top / height, right / width, bottom / height))


def _card(picture: Bgr) -> Subject:
    card = find_card(picture)
    if card is None:
        return Subject(frozenset({"card_missing"}))
    (left, top), (right, bottom) = card.corners.min(0), card.corners.max(0)
    codes = frozenset({"card_small"} if card.fills < CARD_SMALL else ())
    return Subject(codes, (float(left), float(top), float(right), float(bottom)))


SUBJECTS: dict[Identity, Callable[[Bgr], Subject]] = {"photo": _person, "id_card": _card}
"""How what a picture is to show is looked for."""


def hints_for(of: Identity, picture: Bgr) -> tuple[str, ...]:
    """Hints on a picture of shape (height, width, 3), in the order of HINTS. Raises ModelAltered (for a photo)."""
    subject = SUBJECTS[of](picture)
    codes = subject.codes | faults(subject.of(luma(picture)))
    return tuple(code for code in HINTS if code in codes)

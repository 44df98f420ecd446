// @ts-check
/* What may be better about a picture, in words that stand still long enough to be read and heard. */

/** contract/stills.py HINTS, as the candidate is told. */
export const HINTS = /** @type {Record<string, string>} */ ({
  no_face: "No face is seen. Sit in front of the camera.",
  several_faces: "More than one face is seen. Be alone in the picture.",
  face_small: "Your face is far away. Come closer.",
  too_dark: "The picture is too dark. Turn on a light in front of you.",
  too_bright: "The picture is too bright. Turn away from the window or the lamp.",
  blurred: "The picture is blurred. Hold still, and wipe the lens.",
  card_missing: "No card is seen. Hold your ID card into the frame.",
  card_small: "The card does not fill the frame. Hold it closer.",
});

const NONE = "The picture looks good.";
const AT_ONCE = 2; // who is told to do more at once does nothing
const SEEN_FOR_MS = 800;
const STANDS_FOR_MS = 2500; // as long as a screen reader takes for a sentence

/** Codes in words. @param {string[]} codes */
export function hintWords(codes) {
  return codes.length
    ? codes
        .slice(0, AT_ONCE)
        .map((code) => HINTS[code] ?? code.replaceAll("_", " "))
        .join(" ")
    : NONE;
}

/** The words for what a camera sees, which is told some times a second: what was seen for a moment only is passed over. */
export class SteadyHints {
  shown = "";
  #next = "";
  #since = 0;
  #shownAt = -Infinity;

  /** The words to show when these codes are seen now. @param {string[]} codes @param {number} nowMs of a steady clock */
  saw(codes, nowMs) {
    const words = hintWords(codes);
    if (words !== this.#next) [this.#next, this.#since] = [words, nowMs];
    const steady = nowMs - this.#since >= SEEN_FOR_MS && nowMs - this.#shownAt >= STANDS_FOR_MS;
    if (steady && words !== this.shown) [this.shown, this.#shownAt] = [words, nowMs];
    return this.shown;
  }

  /** The camera was closed, or is shown something else. */
  forget() {
    this.shown = this.#next = "";
    this.#shownAt = -Infinity;
  }
}

// @ts-check
/*
 * The authorization desk on the page. Its parts are made once and stay: what is a live region must be there before it speaks, and
 * a button that has the focus keeps it.
 */

import { el } from "./dom.js";
import { hintWords } from "./authorization-hints.js";
import { PICTURES } from "./authorization-steps.js";

/** @typedef {import("./authorization-steps.js").Seen} Seen */

const BUTTONS = {
  accept: "I agree",
  decline: "I do not agree",
  "start-camera": "Open the camera",
  take: "Take the picture",
  use: "Use this picture",
  retake: "Take it again",
  submit: "Hand in",
};
const HIDDEN = "hidden";
const LESSER = ["decline", "retake"];
const WRITING = "input, textarea, select, [contenteditable]";
const RELOADED = "It was taken. This page was loaded again since, and cannot show it.";
const ELSEWHERE = "This exam is open in another tab of the browser. Go on there, or take it over to this tab.";

/** @param {{jpeg: string}} picture */
const address = ({ jpeg }) => `data:image/jpeg;base64,${jpeg}`;

/** A live region is read out whenever it is written, also with the same words. @param {Element} place @param {string} words */
function say(place, words) {
  if (place.textContent !== words) place.textContent = words;
}

export class View {
  /** @type {Record<string, any>} */ #parts = {};
  #view = "";

  /** @param {(button: string) => void} press */
  constructor(press) {
    this.press = press;
    this.section = el(
      "section",
      { class: "authorization", "data-step": "", "aria-labelledby": "authorizationTitle", hidden: true },
      this.#part("progress", "p", { class: "desk-progress" }),
      this.#part("title", "h2", { id: "authorizationTitle", tabindex: -1 }),
      this.#part("state", "p", { "data-desk": "state", role: "status" }),
      this.#said(),
      this.#part("terms", "dl", { "data-desk": "terms" }),
      this.#camera(),
      this.#part("hints", "p", { "data-desk": "hints", role: "status" }),
      this.#part("kept", "div", { class: "desk-kept" }),
      this.#part("fault", "p", { "data-desk": "fault", role: "alert" }),
      this.#part("held", "div", { class: "desk-held" }, el("p", {}, ELSEWHERE), this.#takeOver()),
      this.#part(
        "buttons",
        "div",
        { class: "desk-buttons" },
        ...Object.entries(BUTTONS).map((each) => this.#button(...each)),
      ),
    );
  }

  hide() {
    this.#view = HIDDEN;
    this.section.hidden = true;
    this.section.dataset.step = "";
    for (const name of ["preview", "shot"]) this.#parts[name].removeAttribute("src");
    this.#parts.kept.replaceChildren();
  }

  /** @param {Seen} seen @param {{held: boolean, busy: string, hints: string}} now */
  show(seen, { held, busy, hints }) {
    this.section.hidden = false;
    this.section.dataset.step = seen.step;
    this.#words("progress", seen.progress);
    this.#words("title", seen.title);
    say(this.#parts.state, seen.state);
    say(this.#parts.words, seen.words);
    this.#parts.said.hidden = !seen.words;
    this.#showTerms(seen);
    this.#showCamera(seen);
    this.#showHints(seen, hints);
    this.#showKept(seen);
    this.#showButtons(seen.buttons, held, busy);
    if (!busy) this.#follow(`${seen.step} ${seen.camera}`);
  }

  /** @param {string} words */
  fault(words) {
    say(this.#parts.fault, words);
  }

  /** @param {string} name @param {string} tag @param {Record<string, any>} attributes @param {...Node} children */
  #part(name, tag, attributes, ...children) {
    return (this.#parts[name] = el(tag, attributes, ...children));
  }

  #said() {
    const words = this.#part("words", "blockquote", { "data-desk": "words" });
    return this.#part("said", "figure", { class: "desk-said" }, el("figcaption", {}, "The proctor wrote"), words);
  }

  #camera() {
    return this.#part(
      "camera",
      "div",
      { class: "desk-camera" },
      this.#part("preview", "img", { "data-desk": "preview", alt: "What your camera sees now" }),
      this.#part("shot", "img", { "data-desk": "shot", alt: "" }),
      this.#part("dark", "p", { class: "desk-dark" }),
    );
  }

  #takeOver() {
    return this.#button("take-over", "Go on in this tab");
  }

  /** @param {string} name @param {string} label */
  #button(name, label) {
    const kind = LESSER.includes(name) || name.startsWith("retake") ? null : "desk-primary";
    return el("button", { type: "button", class: kind, "data-desk": name, onclick: () => this.press(name) }, label);
  }

  /** @param {string} name @param {string} words */
  #words(name, words) {
    say(this.#parts[name], words);
    this.#parts[name].hidden = !words;
  }

  /** @param {Seen} seen */
  #showTerms({ terms }) {
    const rows = (terms ?? []).flatMap(([name, value]) => [
      el("dt", {}, name),
      el("dd", {}, typeof value === "string" ? value : el("ul", {}, ...value.map((each) => el("li", {}, each)))),
    ]);
    this.#parts.terms.hidden = !terms;
    this.#parts.terms.replaceChildren(...rows);
  }

  /** @param {Seen} seen */
  #showCamera({ step, camera, frame, shot }) {
    const { preview, dark } = this.#parts;
    this.#parts.camera.hidden = !camera;
    this.#parts.camera.dataset.of = step;
    this.#picture(preview, frame);
    this.#picture(this.#parts.shot, shot);
    if (shot) this.#parts.shot.alt = PICTURES[/** @type {keyof typeof PICTURES} */ (shot.of)].alt;
    dark.hidden = Boolean(frame || shot);
    dark.textContent = camera === "live" ? "The camera opens." : "The camera is closed.";
  }

  /** @param {any} image @param {any} picture */
  #picture(image, picture) {
    image.hidden = !picture;
    if (!picture) image.removeAttribute("src");
    else if (image.src !== address(picture)) image.src = address(picture);
  }

  /** @param {Seen} seen @param {string} hints of the preview */
  #showHints({ camera, shot, frame }, hints) {
    const words = shot ? hintWords(shot.hints) : frame ? hints : "";
    this.#parts.hints.hidden = !camera || camera === "off";
    this.#parts.hints.dataset.good = String(words === hintWords([]));
    say(this.#parts.hints, words);
  }

  /** @param {Seen} seen */
  #showKept({ kept }) {
    const { kept: place } = this.#parts;
    const key = JSON.stringify(kept?.map(({ of, shot }) => [of, shot?.at_ms]) ?? null);
    place.hidden = !kept?.length;
    if (place.dataset.key === key) return;
    place.dataset.key = key;
    place.replaceChildren(...(kept ?? []).map((each) => this.#keptPicture(each)));
  }

  /** @param {{of: keyof typeof PICTURES, shot: any}} kept */
  #keptPicture({ of, shot }) {
    const { name, alt, again } = PICTURES[of];
    const picture = shot
      ? el("img", { "data-desk": `kept-${of}`, src: address(shot), alt })
      : el("p", { class: "desk-dark" }, RELOADED);
    return el("figure", {}, el("figcaption", {}, name), picture, this.#button(`retake-${of}`, again));
  }

  /** @param {string[]} names of those at the foot @param {boolean} held @param {string} busy */
  #showButtons(names, held, busy) {
    this.#parts.held.hidden = !held;
    for (const button of this.#parts.buttons.children) button.hidden = !names.includes(button.dataset.desk);
    for (const button of this.section.querySelectorAll("button")) {
      const name = button.dataset.desk;
      button.disabled = busy !== "" || (held && name !== "take-over");
      button.setAttribute("aria-busy", String(busy === name));
    }
  }

  /**
   * The focus goes to each step's heading. It is never taken from something else on the page; but a desk that appears, as Check System
   * lets it, may have it from who does not write. A page that has just been loaded keeps it.
   * @param {string} view
   */
  #follow(view) {
    const before = this.#view;
    if (view === before) return;
    this.#view = view;
    const focused = document.activeElement ?? document.body;
    const free = focused === document.body || this.section.contains(focused);
    if (before && (free || (before === HIDDEN && !focused.matches(WRITING)))) this.#parts.title.focus();
  }
}

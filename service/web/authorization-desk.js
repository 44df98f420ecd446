// @ts-check
/* The authorization desk at work: it listens to the agent, does what a button says, and lets the camera follow the steps. */

import { SteadyHints } from "./authorization-hints.js";
import { isShown, outcomeOf, pictureOf, seen, stepOf } from "./authorization-steps.js";
import { View } from "./authorization-view.js";

/** @typedef {import("./secureproctor.js").SecureProctor} SecureProctor */
/** @typedef {import("./authorization-steps.js").Identity} Identity */
/** @typedef {import("./authorization-steps.js").Own} Own */

export class Desk {
  /** @type {Own} */ #own = { shots: new Map(), at: "", looking: false, declined: false, frame: null };
  /** @type {Identity | "" | null} what the camera was opened for, null while that is not known */ #aimed = null;
  #open = false;
  #hints = new SteadyHints();
  #busy = "";
  #session = "";
  #view = new View((button) => void this.#press(button));

  /** @type {Record<string, (event: any) => void>} */
  #listeners = {
    status: () => this.#show(),
    connection: () => this.#show(),
    holder: () => this.#show(),
    preview: (frame) => this.#saw(frame),
  };

  /** What each button does. @type {Record<string, () => unknown>} */
  #actions = {
    accept: () => this.proctor.consent(true),
    decline: async () => {
      await this.proctor.consent(false);
      this.#own.declined = true;
    },
    "start-camera": () => this.#aim(this.#picture),
    take: () => this.#take(/** @type {Identity} */ (this.#picture)),
    retake: () => this.#again(this.#picture),
    "retake-photo": () => this.#again("photo"),
    "retake-id_card": () => this.#again("id_card"),
    use: () => this.#again(""),
    submit: () => this.proctor.submitAuthorization(),
    "take-over": () => this.proctor.takeOver(),
  };

  /** @param {SecureProctor} proctor @param {(outcome: import("./authorization.js").Outcome) => void} decided */
  constructor(proctor, decided) {
    this.proctor = proctor;
    this.decided = decided;
  }

  get section() {
    return this.#view.section;
  }

  open() {
    for (const [kind, listener] of this.#kinds) this.proctor.setListener(kind, listener);
    this.#show();
  }

  close() {
    for (const [kind, listener] of this.#kinds) this.proctor.removeListener(kind, listener);
    this.section.remove();
  }

  get #kinds() {
    return /** @type {[any, any][]} */ (Object.entries(this.#listeners));
  }

  /** The picture that the present step is about. */
  get #picture() {
    const authorization = this.proctor.status?.authorization;
    return authorization ? pictureOf(stepOf(authorization, this.#own)) : "";
  }

  /** @param {string} button */
  async #press(button) {
    this.#busy = button;
    this.#view.fault("");
    this.#show();
    try {
      await this.#actions[button]();
    } catch (error) {
      const { message, remedy = "" } = /** @type {any} */ (error);
      this.#view.fault(`${message} ${remedy}`.trim());
    } finally {
      this.#busy = "";
      this.#show();
    }
  }

  /** @param {Identity | ""} of to open the camera for, or to look for something else with it; "" closes it */
  async #aim(of) {
    if (this.#aimed !== of) this.#hints.forget();
    this.#aimed = of;
    await (of ? this.proctor.startPreview(of) : this.proctor.stopPreview());
  }

  /** @param {Identity} of */
  async #take(of) {
    this.#again(of); // the status may tell that it was taken before the picture is here
    this.#own.shots.set(of, await this.proctor.takePhoto(of));
    Object.assign(this.#own, { at: of, looking: true });
  }

  /** @param {Identity | ""} of to take it again; "" goes on to what is next */
  #again(of) {
    Object.assign(this.#own, { at: of, looking: false });
  }

  /** @param {any} frame */
  #saw(frame) {
    this.#own.frame = frame;
    this.#aimed ??= frame.of; // after a reload; else the last frames of the picture before may still be on their way
    if (frame.of === this.#picture) this.#hints.saw(frame.hints, performance.now());
    this.#show();
  }

  #show() {
    const { status, connected, holding } = this.proctor;
    if (!status) return;
    const outcome = outcomeOf(status);
    if (outcome) this.decided(outcome);
    this.#forget(status);
    if (!isShown(status)) return this.#view.hide();
    const now = { held: holding === false, busy: this.#busy, hints: this.#hints.shown };
    this.#view.show(seen(status, connected, this.#own), now);
    this.#follow(status);
  }

  /** A picture is kept in the page no longer than until it is handed in. @param {any} status */
  #forget({ session_id, authorization }) {
    const open = authorization?.preview ?? false;
    if (this.#open && !open) this.#closed();
    this.#open = open;
    if (session_id === this.#session && authorization?.step === "capture") return;
    if (session_id !== this.#session || authorization?.step !== "consent") this.#own.declined = false;
    this.#session = session_id;
    this.#own.shots.clear();
    this.#again("");
  }

  /** Not whenever it is closed: while it opens, its first frames may come before the word that it is open. */
  #closed() {
    this.#own.frame = this.#aimed = null;
    this.#hints.forget();
  }

  /** An open camera follows the steps: on to the next picture, and closed after the last. @param {any} status */
  #follow({ authorization }) {
    const { connected, holding } = this.proctor;
    if (!authorization.preview || this.#aimed === null || this.#busy || !connected || holding === false) return;
    // nobody waits for it: what cannot be done now is told when the candidate asks for it, and the agent closes it by itself
    if (this.#aimed !== this.#picture) this.#aim(this.#picture).catch(() => {});
  }
}

// @ts-check
/*
 * What a proctor can order, as one table: where a command is not possible, its button says why. What cannot be taken back asks
 * first. The answer to a command comes here when it was refused, and to the list of commands when it was taken.
 */

import { Component, createRef, html } from "./console-html.js";
import { nameOf, OVER, UNDER_WAY } from "./console-order.js";

/** @typedef {{action: string, label: string, kind: string, argument?: string, look?: string, asks?: (name: string) => string}} Order */

/** @type {Order[]} */
export const DECISIONS = [
  { action: "authorize", label: "Allow", kind: "authorize", look: "primary" },
  {
    action: "reject",
    label: "Reject …",
    kind: "reject",
    look: "danger",
    asks: (name) => `Reject ${name}? The session ends, and the exam does not begin.`,
  },
];

/** @type {Order[]} */
export const RESUBMISSIONS = [
  { action: "resubmit-photo", label: "Photo", kind: "resubmit", argument: "photo" },
  { action: "resubmit-id_card", label: "ID card", kind: "resubmit", argument: "id_card" },
  { action: "resubmit-both", label: "Both", kind: "resubmit", argument: "both" },
];

/** @type {Order[]} */
const TEST = [
  { action: "pause", label: "Pause", kind: "pause" },
  { action: "resume", label: "Resume", kind: "resume" },
  {
    action: "end",
    label: "End …",
    kind: "end",
    look: "danger",
    asks: (name) => `End the test of ${name}? It cannot be taken up again.`,
  },
];

/** @type {Order[]} */
const QUALITIES = [
  { action: "quality-full", label: "Full", kind: "quality", argument: "full" },
  { action: "quality-reduced", label: "Reduced", kind: "quality", argument: "reduced" },
  { action: "quality-least", label: "Lowest", kind: "quality", argument: "least" },
];

/** @type {Order[]} */
const SNAPSHOTS = [
  { action: "snapshot-screen", label: "Screen", kind: "snapshot", argument: "screen" },
  { action: "snapshot-webcam", label: "Camera", kind: "snapshot", argument: "webcam" },
];

/** @type {Record<string, (snapshot: any, settings: any, argument?: string) => string>} why not, or "" */
const WHY_NOT = {
  pause: (snapshot) => testing(snapshot),
  resume: (snapshot) => testing(snapshot),
  end: ({ end_test }) => (end_test ? "" : "End test was switched off at Init."),
  authorize: ({ authorization_step }) => waits(authorization_step, ["submitted"]),
  reject: ({ authorization_step }) => waits(authorization_step, ["consent", "capture", "submitted"]),
  resubmit: ({ authorization_step }, settings, argument) =>
    settings.skipIdAndPhoto || (settings.skipId && argument !== "photo")
      ? "It was left out at Init."
      : waits(authorization_step, ["submitted"]),
  snapshot: ({ state }, settings, argument) =>
    !UNDER_WAY.includes(state)
      ? "The session does not run."
      : argument === "screen" && settings.screenCapture === false
        ? "Screen Capture was switched off at Init."
        : "",
};

/** @param {any} snapshot */
const testing = ({ pause_resume, state }) =>
  !pause_resume
    ? "Pause/Resume was switched off at Init."
    : UNDER_WAY.includes(state)
      ? ""
      : "The session does not run.";

/** @param {string} step @param {string[]} fitting */
const waits = (step, fitting) => (fitting.includes(step) ? "" : "The candidate does not wait for a decision.");

/** @param {Order} order @param {any} snapshot @param {any} settings */
const whyNot = ({ kind, argument }, snapshot, settings) =>
  OVER.includes(snapshot.state) ? "The session has ended." : (WHY_NOT[kind]?.(snapshot, settings, argument) ?? "");

/** Buttons, the words that go with the next of them, and the question before what is final. */
export class Ordering extends Component {
  reason = createRef();
  dialog = createRef();
  /** @type {Order | null} */ asking = null;

  /** @param {Order} order */
  press = (order) => {
    if (!order.asks) return this.give(order);
    this.asking = order;
    this.forceUpdate(() => this.dialog.current.showModal());
  };

  closed = () => {
    this.asking = null;
    this.forceUpdate();
  };

  /** @param {Order} order */
  give({ kind, argument }) {
    const { snapshot, line } = this.props;
    const text = this.reason.current?.value.trim() ?? "";
    const sent = line.issue(snapshot.session_id, kind, { text, argument });
    if (sent && this.reason.current) this.reason.current.value = "";
  }

  /** @param {string} placeholder */
  words(placeholder) {
    return html`<input
      data-input="reason"
      ref=${this.reason}
      maxlength="4000"
      autocomplete="off"
      aria-label="Words for the candidate with the next command (optional)"
      placeholder=${placeholder}
    />`;
  }

  /** @param {string} label @param {Order[]} orders */
  group(label, orders) {
    const { snapshot, settings } = this.props;
    return html`<div class="buttons" role="group" aria-label=${label}>
      ${orders.map((order) => {
        const why = whyNot(order, snapshot, settings);
        const pressed = order.kind === "quality" ? String(snapshot.quality === order.argument) : null;
        return html`<button
          key=${order.action}
          type="button"
          class=${order.look ?? ""}
          data-action=${order.action}
          disabled=${Boolean(why)}
          title=${why}
          aria-pressed=${pressed}
          onclick=${() => this.press(order)}
        >
          ${order.label}
        </button>`;
      })}
    </div>`;
  }

  question() {
    const order = this.asking;
    const name = nameOf(this.props.snapshot);
    const words = this.reason.current?.value.trim();
    const answered = (/** @type {boolean} */ sure) => {
      if (sure && order) this.give(order);
      this.dialog.current.close();
    };
    return html`<dialog class="ask" ref=${this.dialog} onclose=${this.closed} aria-labelledby=${`ask-${this.title}`}>
      <p id=${`ask-${this.title}`}>${order?.asks?.(name)}</p>
      <p class="hint">
        ${words ? `The candidate is told: “${words}”` : "The candidate is told no reason; none was typed."}
      </p>
      <div class="buttons">
        <button type="button" class="danger" data-action="confirm" onclick=${() => answered(true)}>
          ${order?.kind === "reject" ? "Reject" : "End the test"}
        </button>
        <button type="button" data-action="cancel" onclick=${() => answered(false)}>Go back</button>
      </div>
    </dialog>`;
  }

  title = "order";
}

export class Orders extends Ordering {
  title = "test";

  render() {
    const { snapshot, answer } = this.props;
    const deciding = snapshot.authorization && !["authorized", "rejected"].includes(snapshot.authorization_step);
    return html`<section class="card orders" aria-labelledby="ordersTitle">
      <h3 id="ordersTitle">Commands</h3>
      ${this.group("Test", TEST)} ${!deciding && this.words("Words for the candidate (optional)")}
      <div class="pair">
        <span>Quality</span>${this.group("Quality of the capture", QUALITIES)}
        <span>Snapshot</span>${this.group("Snapshot in full resolution", SNAPSHOTS)}
      </div>
      <p data-part="answer" class="fault" role="alert" hidden=${!answer}>${answer}</p>
      ${this.asking && this.question()}
    </section>`;
  }
}

// @ts-check
/*
 * The conversation in the demo page: also what was said before the page was loaded again, and how far each message came.
 *
 * For automation: #conversation li[data-message][data-sender=proctor|candidate][data-mark=sent|delivered|read]; a proctor's message is
 *   read once it was before the eyes of somebody: in sight, on a page that is visible and has the focus.
 */

import { byId, clock, el } from "./dom.js";

/** @typedef {import("./secureproctor.js").SecureProctor} SecureProctor */
/** @typedef {import("./secureproctor.js").ChatMessage} Message */

const MARKS = ["sent", "delivered", "read"];
/** @type {Record<string, string>} */
const WORDS = { sent: "Sent", delivered: "Delivered", read: "Read" };

/** @param {Message} message */
const markOf = ({ delivered_ms, read_ms }) => (read_ms ? "read" : delivered_ms ? "delivered" : "sent");

export class Chat {
  #list = byId("conversation");
  /** @type {Set<string>} the proctor's messages that were in sight */ #sighted = new Set();
  /** @type {Map<string, string>} marks that came before their message */ #early = new Map();
  #session = "";
  #telling = false;
  #watch = new IntersectionObserver((entries) => this.#saw(entries), { threshold: 0.1 });

  /** @param {SecureProctor} proctor */
  constructor(proctor) {
    this.proctor = proctor;
    proctor.setListener("chat", (message) => this.#add(heard(message)));
    proctor.setListener("chatMark", ({ id, mark }) => this.#mark(id, mark));
    proctor.setListener("connection", ({ connected }) => connected && this.#fetch());
    proctor.setListener("status", ({ session_id }) => this.#belong(session_id));
    proctor.setListener("holder", () => this.#tellRead());
    for (const [target, name] of /** @type {const} */ ([
      [window, "focus"],
      [document, "visibilitychange"],
    ]))
      target.addEventListener(name, () => this.#tellRead());
  }

  /** Send a message of the candidate, and show it. @param {string} text */
  async send(text) {
    const { id } = await this.proctor.sendMessage(text);
    const marks = { delivered_ms: null, read_ms: null };
    this.#add({ id, sender: "candidate", text, at_ms: Date.now(), by: "", ...marks });
  }

  /** @param {string} session */
  #belong(session) {
    if (session === this.#session) return;
    this.#session = session;
    this.#list.replaceChildren();
    this.#fetch();
  }

  async #fetch() {
    if (!this.#session) return;
    try {
      const { messages } = await this.proctor.conversation();
      for (const message of messages) this.#add(message);
    } catch {
      // the next connection asks again
    }
  }

  /** @param {Message} message */
  #add(message) {
    const { id, sender, at_ms } = message;
    if (!this.#find(id)) this.#place(this.#item(message), at_ms);
    this.#mark(id, markOf(message));
    if (this.#early.has(id)) this.#mark(id, this.#early.get(id) ?? "");
    if (sender === "proctor") this.#watch.observe(this.#find(id));
  }

  /** @param {Message} message */
  #item({ id, sender, text, at_ms, by }) {
    const who = sender === "proctor" ? by || "Proctor" : "You";
    const about = el("span", { class: "hint" }, `${who}, ${clock(at_ms)}`);
    const mark = sender === "candidate" ? el("span", { class: "hint", "data-part": "mark" }) : null;
    return el("li", { "data-message": id, "data-sender": sender, "data-at": at_ms }, about, text, mark);
  }

  /** In the order of time, whenever it comes. @param {HTMLElement} item @param {number} at */
  #place(item, at) {
    const end = this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight < 40;
    const after = [...this.#list.children].find((each) => Number(each.dataset.at) > at) ?? null;
    this.#list.insertBefore(item, after);
    if (end) this.#list.scrollTop = this.#list.scrollHeight; // who reads further up stays there
  }

  /** @param {string} id */
  #find(id) {
    return [...this.#list.children].find((each) => each.dataset.message === id);
  }

  /** A mark never goes back. @param {string} id @param {string} mark */
  #mark(id, mark) {
    const item = this.#find(id);
    if (!item) return this.#early.set(id, mark);
    if (MARKS.indexOf(mark) <= MARKS.indexOf(item.dataset.mark)) return undefined;
    item.dataset.mark = mark;
    const shown = item.querySelector("[data-part=mark]");
    if (shown) shown.textContent = WORDS[mark];
    return undefined;
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #saw(entries) {
    for (const { target, isIntersecting } of entries) {
      const id = /** @type {HTMLElement} */ (target).dataset.message ?? "";
      if (isIntersecting) this.#sighted.add(id);
      else this.#sighted.delete(id);
    }
    this.#tellRead();
  }

  /** Tell of the last message in sight that it was read, and with it all before; the page that holds the session alone may. */
  async #tellRead() {
    if (this.#telling || this.proctor.holding === false) return;
    if (document.visibilityState !== "visible" || !document.hasFocus()) return;
    const last = [...this.#list.children].findLast((each) => this.#sighted.has(each.dataset.message));
    if (!last || last.dataset.mark === "read") return;
    this.#telling = true;
    try {
      await this.proctor.chatRead(last.dataset.message);
      this.#readUpTo(last);
    } catch {
      // told again when the page or the message is next looked at
    } finally {
      this.#telling = false;
    }
  }

  /** @param {HTMLElement} last */
  #readUpTo(last) {
    const items = [...this.#list.children];
    for (const each of items.slice(0, items.indexOf(last) + 1))
      if (each.dataset.sender === "proctor") this.#mark(each.dataset.message, "read");
  }
}

/** A message of the proctor as it comes has been delivered. @param {any} event @returns {Message} */
function heard({ id, text, at_ms, by = "" }) {
  return { id, sender: "proctor", text, at_ms, by, delivered_ms: at_ms, read_ms: null };
}

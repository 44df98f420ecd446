// @ts-check
/*
 * All that the console knows, and who wants to know of which part of it.
 *
 * Topics: `me`, `line`, `list` (which sessions there are), `session:<id>`, `detail:<id>`, `answer:<id>`. A card follows its own
 * session only, so that one of fifty that changes is one that is drawn again.
 */

const SEEN = "secureproctor.seenFlags";

export class State {
  /** Snapshots by session, each with `arrived` (performance.now()). @type {Map<string, any>} */
  sessions = new Map();
  /** @type {Map<string, any>} */ details = new Map();
  /** Why the last command of a session was refused. @type {Map<string, string>} */
  answers = new Map();
  /** The Welcome, with `arrived`. @type {any} */
  me = null;
  connected = false;
  /** Why somebody is asked to log in. */
  refusal = "";
  /** How many flags of a session the proctor has had before their eyes. @type {Record<string, number>} */
  seen = JSON.parse(sessionStorage.getItem(SEEN) ?? "{}");
  /** @type {Map<string, Set<() => void>>} */ #topics = new Map();

  /** @param {string} topic @param {() => void} tell @returns {() => void} ends it */
  on(topic, tell) {
    const told = this.#topics.get(topic) ?? new Set();
    this.#topics.set(topic, told.add(tell));
    return () => {
      told.delete(tell);
      if (!told.size) this.#topics.delete(topic);
    };
  }

  /** @param {string} topic */
  tell(topic) {
    for (const tell of [...(this.#topics.get(topic) ?? [])]) tell();
  }

  /** The service's clock, milliseconds since 1970. */
  now = () => (this.me ? this.me.now_ms + performance.now() - this.me.arrived : Date.now());

  /** @param {any} snapshot */
  snapshot(snapshot) {
    const known = this.sessions.has(snapshot.session_id);
    this.sessions.set(snapshot.session_id, { ...snapshot, arrived: performance.now() });
    if (!known) this.tell("list");
    this.tell(`session:${snapshot.session_id}`);
  }

  /** @param {any} detail */
  detail(detail) {
    this.details.set(detail.session_id, detail);
    this.tell(`detail:${detail.session_id}`);
  }

  /** @param {string} id */
  gone(id) {
    this.sessions.delete(id);
    this.details.delete(id);
    this.tell("list");
    this.tell(`session:${id}`);
  }

  /** @param {string} id @param {string} sentence */
  answer(id, sentence) {
    this.answers.set(id, sentence);
    this.tell(`answer:${id}`);
  }

  /** Flags that came since the candidate's page was open last. @param {any} snapshot */
  unseen = ({ session_id, flags = [] }) => Math.max(0, flags.length - (this.seen[session_id] ?? 0));

  /** @param {string} id */
  sawFlags(id) {
    const count = this.sessions.get(id)?.flags?.length ?? 0;
    if (this.seen[id] === count) return;
    this.seen[id] = count;
    sessionStorage.setItem(SEEN, JSON.stringify(this.seen));
  }

  /** Somebody else may log in at this screen. */
  forget() {
    this.sessions.clear();
    this.details.clear();
    this.answers.clear();
    this.me = null;
    this.tell("list");
  }
}

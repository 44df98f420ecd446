// @ts-check
/*
 * The console's end of /v1/proctor (contract/console.py): says who it is, keeps the connection, and tells the state what comes.
 *
 * The key of the link comes by the fragment (`#key=...`), which browsers do not send; key or token stay in sessionStorage.
 */

const WHO = "secureproctor.proctor";
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
const ALL_TOLD_MS = 5000;
const NOT_SENT = "The service is not connected; nothing was sent.";
const NOT_CONFIRMED = "The connection broke before the service confirmed it. If it is not in the chat, send it again.";

/** @typedef {{key?: string, token?: string}} Who */

export class Line {
  /** @type {WebSocket | null} */ #socket = null;
  /** Commands without an answer yet: the console's mark → the session. @type {Map<string, string>} */
  #asked = new Map();
  /** Messages without an answer yet: the console's mark → who waits for it. @type {Map<string, (sentence: string) => void>} */
  #saying = new Map();
  #open = new Set();
  #attempts = 0;
  #marks = 0;
  #again = 0;
  #told = new Set();

  /** @param {import("./console-state.js").State} state */
  constructor(state) {
    this.state = state;
    this.#takeKey();
    if (this.who) this.#connect();
  }

  /** @returns {Who | null} */
  get who() {
    return JSON.parse(sessionStorage.getItem(WHO) ?? "null");
  }

  /** What opens the service's calls for proctors. */
  get bearer() {
    return `Bearer ${this.who?.token || this.who?.key || ""}`;
  }

  hello = () => ({ type: "hello", ...this.who });

  #takeKey() {
    const key = new URLSearchParams(location.hash.slice(1).replaceAll("+", "%2B")).get("key");
    if (!key) return;
    sessionStorage.setItem(WHO, JSON.stringify({ key }));
    history.replaceState(null, "", `${location.pathname}${location.search}#/`); // out of the address bar and the history
  }

  /** @param {Who} who */
  enter(who) {
    sessionStorage.setItem(WHO, JSON.stringify(who));
    this.state.refusal = "";
    this.#connect();
    this.state.tell("me");
  }

  /** Log out, or be logged out for a reason. @param {string} sentence */
  leave(sentence = "") {
    sessionStorage.removeItem(WHO);
    this.state.refusal = sentence;
    this.state.forget();
    clearTimeout(this.#again);
    this.#socket?.close();
    this.state.tell("me");
  }

  #connect() {
    clearTimeout(this.#again);
    const address = new URL("v1/proctor", document.baseURI);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = (this.#socket = new WebSocket(address));
    socket.onopen = () => socket.send(JSON.stringify(this.hello()));
    socket.onmessage = ({ data }) => socket === this.#socket && this.#received(JSON.parse(data));
    socket.onclose = () => socket === this.#socket && this.#lost();
  }

  #lost() {
    this.#socket = null;
    this.#asked.clear();
    for (const unsure of this.#saying.values()) unsure(NOT_CONFIRMED);
    this.#saying.clear();
    this.#connected(false);
    if (!this.who) return;
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#attempts++);
    this.#again = setTimeout(() => this.#connect(), pause * (0.5 + Math.random() / 2));
  }

  /** @param {boolean} connected */
  #connected(connected) {
    this.state.connected = connected;
    this.state.tell("line");
  }

  /** @param {any} message */
  #received(message) {
    const { state } = this;
    const takers = /** @type {Record<string, () => void>} */ ({
      welcome: () => this.#welcomed(message),
      session: () => (this.#told.add(message.session_id), state.snapshot(message)),
      detail: () => state.detail(message),
      gone: () => state.gone(message.session_id),
      issued: () => this.#answered(message.request, ""),
      failed: () => this.#failed(message),
    });
    takers[message.type]?.(); // a newer service may say more
  }

  /** @param {any} welcome */
  #welcomed(welcome) {
    this.#attempts = 0;
    this.state.me = { ...welcome, arrived: performance.now() };
    this.state.tell("me");
    this.#connected(true);
    for (const id of this.#open) this.#send({ type: "open", session_id: id });
    this.#told = new Set();
    setTimeout(() => this.#forgetUntold(this.#told), ALL_TOLD_MS);
  }

  /** What was purged while the console was away is told of no more. @param {Set<unknown>} told */
  #forgetUntold(told) {
    if (told !== this.#told || !this.state.connected) return;
    for (const id of this.state.sessions.keys()) if (!told.has(id)) this.state.gone(id);
  }

  /** @param {any} failure */
  #failed({ error, request = "" }) {
    const sentence = `${error.message} ${error.remedy ?? ""}`.trim();
    if (["proctor_key_invalid", "login_needed"].includes(error.code)) return this.leave(sentence);
    if (this.#asked.has(request) || this.#saying.has(request)) return this.#answered(request, sentence);
    for (const id of this.#open) this.state.answer(id, sentence);
  }

  /** @param {string} request @param {string} sentence */
  #answered(request, sentence) {
    this.#saying.get(request)?.(sentence);
    this.#saying.delete(request);
    const id = this.#asked.get(request);
    this.#asked.delete(request);
    if (id) this.state.answer(id, sentence);
  }

  /** @param {object} message @returns {boolean} whether it could be sent */
  #send(message) {
    if (!this.state.connected || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /**
   * Order something; the answer comes to the state.
   * @param {string} id
   * @param {string} kind
   * @param {{text?: string, argument?: string}} how
   */
  issue(id, kind, { text = "", argument = "" } = {}) {
    const request = `console-${++this.#marks}`;
    this.#asked.set(request, id);
    const sent = this.#send({ type: "command", session_id: id, kind, text, argument, request });
    if (!sent) this.#answered(request, NOT_SENT);
    return sent;
  }

  /**
   * Write to a candidate; why the service did not take it, or "" when it has it on its disk.
   * @param {string} id
   * @param {string} text
   * @returns {Promise<string>}
   */
  say(id, text) {
    const request = `console-${++this.#marks}`;
    return new Promise((resolve) => {
      const answered = (/** @type {string} */ sentence) => {
        this.state.answer(id, sentence);
        resolve(sentence);
      };
      if (this.#send({ type: "chat", session_id: id, text, request })) this.#saying.set(request, answered);
      else answered(NOT_SENT);
    });
  }

  /** @param {string} id @param {string} message */
  read = (id, message) => this.#send({ type: "read", session_id: id, id: message });

  /** @param {string} id */
  open(id) {
    this.#open.add(id);
    this.#send({ type: "open", session_id: id });
  }

  /** @param {string} id */
  shut(id) {
    this.#open.delete(id);
    this.#send({ type: "shut", session_id: id });
  }
}

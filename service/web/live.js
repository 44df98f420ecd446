// @ts-check
/*
 * The live view's one socket (contract.console.Watch): binary frames of all streams that are watched, each to its feed.
 *
 * Pushed segments instead of LL-HLS: the agent seals whole segments, so there are no parts that a playlist could name earlier,
 * and a push saves what a playlist costs: its round trip for each segment of each stream, and the player's guess of the edge.
 */

const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 5000;

/** @typedef {import("./live-feed.js").Feed} Feed */

export class LiveLine {
  /** @type {Map<string, {session: string, stream: string, feed: Feed}>} */ #watched = new Map();
  /** @type {WebSocket | null} */ #socket = null;
  #attempts = 0;
  #asked = false;
  #again = 0;

  /** @param {() => object} hello the first message, with the key or the token */
  constructor(hello) {
    this.hello = hello;
  }

  /**
   * Feed a stream of a session from now on.
   * @param {string} session
   * @param {string} stream
   * @param {Feed} feed
   * @returns {() => void} ends it
   */
  watch(session, stream, feed) {
    const key = `${session}/${stream}`;
    this.#watched.set(key, { session, stream, feed });
    this.#changed();
    return () => {
      if (this.#watched.get(key)?.feed !== feed) return;
      this.#watched.delete(key);
      this.#changed();
    };
  }

  /** Several changes at once are one message. */
  #changed() {
    if (this.#asked) return;
    this.#asked = true;
    queueMicrotask(() => {
      this.#asked = false;
      if (!this.#watched.size) this.#socket?.close();
      else if (!this.#socket) this.#connect();
      else this.#ask();
    });
  }

  #ask() {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    const watched = [...this.#watched.values()].map(({ session, stream }) => ({ session_id: session, stream }));
    this.#socket.send(JSON.stringify({ type: "watch", watched }));
  }

  #connect() {
    clearTimeout(this.#again);
    const address = new URL("v1/proctor/live", document.baseURI);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = (this.#socket = new WebSocket(address));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      socket.send(JSON.stringify(this.hello()));
      this.#ask();
    };
    socket.onmessage = ({ data }) => {
      this.#attempts = 0;
      if (data instanceof ArrayBuffer) this.#received(data);
    };
    socket.onclose = () => this.#lost();
  }

  #lost() {
    this.#socket = null;
    if (!this.#watched.size) return;
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#attempts++);
    this.#again = setTimeout(
      () => this.#watched.size && !this.#socket && this.#connect(),
      pause * (0.5 + Math.random() / 2),
    );
  }

  /** @param {ArrayBuffer} frame */
  #received(frame) {
    const length = new DataView(frame).getUint32(0);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(frame, 4, length)));
    this.#watched.get(`${header.session_id}/${header.stream}`)?.feed.take(header, frame.slice(4 + length));
  }
}

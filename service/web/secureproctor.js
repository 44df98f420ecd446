// @ts-check
/*
 * SecureProctor for exam pages: `<script src=".../secureproctor.js"></script>` defines `window.SecureProctor`.
 *
 *     const proctor = new SecureProctor();
 *     proctor.setListener("pause", (request) => hideTheExam());
 *     await proctor.init(signedRequest);    // signed by the exam's server, never in the page
 *     await proctor.checkSystem();
 *     await proctor.start();
 *
 * It speaks JSON-RPC 2.0 with the agent on this machine. The connection may come and go: it is restored with growing pauses,
 * `hello` is called each time so that the state is right again, and a call that is made meanwhile waits. A call whose answer
 * was lost is sent again only if doing it twice is harmless; otherwise the caller is told, because only the caller knows.
 */
(() => {
  "use strict";

  const DEFAULT_AGENT_URL = "ws://127.0.0.1:46317/v1/page";
  const LOOPBACK = /^wss?:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?\//;
  const FIRST_PAUSE_MS = 250;
  const LONGEST_PAUSE_MS = 5000;

  /**
   * What each method may take, and whether it may be sent a second time when the connection broke before its answer.
   * Stop has no limit: it resolves when all evidence has arrived, which is as slow as the candidate's network.
   * @type {Record<string, {limitMs: number, repeatable: boolean}>}
   */
  const METHODS = {
    hello: { limitMs: 10_000, repeatable: true },
    init: { limitMs: 60_000, repeatable: false },
    checkSystem: { limitMs: 180_000, repeatable: true },
    start: { limitMs: 60_000, repeatable: false },
    stop: { limitMs: Infinity, repeatable: false },
    report: { limitMs: 60_000, repeatable: true },
    enableAutoAcknowledgement: { limitMs: 10_000, repeatable: true },
    pauseAck: { limitMs: 10_000, repeatable: true },
    resumeAck: { limitMs: 10_000, repeatable: true },
    endAck: { limitMs: 10_000, repeatable: true },
    sendMessage: { limitMs: 10_000, repeatable: false },
    visibility: { limitMs: 10_000, repeatable: true },
  };

  const LISTENERS = ["error", "chat", "pause", "resume", "end", "status", "connection"];

  /** Errors that arise in the page; all others come from agent and service, with their own codes. */
  const ERRORS = {
    agent_missing: {
      message: "The SecureProctor agent does not answer on this computer.",
      remedy:
        "Start the SecureProctor agent (or install it) and try again. If it runs, allow this site to reach it: choose “Allow” " +
        "when the browser asks, or open the site settings left of the address and allow “Local network access”. " +
        "An agent that runs answers only the sites that it was set up for.",
    },
    agent_denied: {
      message: "The browser does not let this page reach the SecureProctor agent on this computer.",
      remedy:
        "Open the site settings left of the address, allow “Local network access” (also named “Apps on device”), and " +
        "reload the page. On a managed computer the administrator allows it with the policy LocalNetworkAccessAllowedForUrls.",
    },
    agent_timeout: {
      message: "The SecureProctor agent did not answer in time.",
      remedy: "Look whether the agent still runs; it goes on by itself when it comes back. Then try again.",
    },
    connection_lost: {
      message:
        "The connection to the SecureProctor agent broke before it answered; the call may or may not have taken effect.",
      remedy: "Wait for the connection to come back, look at the status, and call again if it is still needed.",
    },
    agent_url_invalid: {
      message: "The agent's address is not a WebSocket on this computer.",
      remedy: `Use an address such as ${DEFAULT_AGENT_URL}, or none for the usual one.`,
    },
    answer_malformed: {
      message: "The SecureProctor agent answered something that this page does not understand.",
      remedy: "Update the agent, or this page's secureproctor.js, so that they fit together.",
    },
    closed: { message: "This page has ended its connection to the agent.", remedy: "Make a new SecureProctor." },
    listener_invalid: {
      message: "This is not a listener.",
      remedy: `Give one of ${LISTENERS.join(", ")} and a function.`,
    },
  };

  /** An error with a code for programs, a sentence for a person, and a remedy. */
  class SecureProctorError extends Error {
    /** @param {{code: string, message: string, remedy?: string, number?: string, field?: string}} info */
    constructor({ code, message, remedy = "", number = "", field = "" }) {
      super(message);
      this.name = "SecureProctorError";
      this.code = code;
      this.remedy = remedy;
      this.number = number;
      this.field = field;
    }
  }

  /** @param {keyof typeof ERRORS} code */
  const failure = (code) => new SecureProctorError({ code, ...ERRORS[code] });

  /** @param {any} error the `error` member of a JSON-RPC answer; its `data` is an ErrorInfo */
  function refusal(error) {
    if (error?.data?.code) return new SecureProctorError(error.data);
    return new SecureProctorError({
      ...ERRORS.answer_malformed,
      code: "answer_malformed",
      message: error?.message ?? "",
    });
  }

  /** Chromium reports a denied loopback like an absent agent; its permissions tell them apart where it has them. */
  async function whyUnreachable() {
    for (const name of ["loopback-network", "local-network-access"]) {
      try {
        const { state } = await navigator.permissions.query({ name: /** @type {any} */ (name) });
        if (state === "denied") return failure("agent_denied");
      } catch {
        // a browser without this permission has nothing to deny
      }
    }
    return failure("agent_missing");
  }

  /**
   * A call that has no answer yet.
   * @typedef {{id: number, method: string, params: object, greeting: boolean, sent: boolean, timer: number,
   *            resolve: (result: any) => void, reject: (error: Error) => void}} Call
   */

  /** The WebSocket to the agent, again and again, and the calls on it. `greet` runs first on each connection. */
  class Connection {
    /** @type {WebSocket | null} */ #socket = null;
    /** @type {Map<number, Call>} */ #calls = new Map();
    #ready = false;
    #met = false;
    #closed = false;
    #attempts = 0;
    #nextId = 1;
    #retry = 0;

    /**
     * @param {string} url
     * @param {{connectTimeoutMs: number, reconnectTimeoutMs: number, greet: () => Promise<void>,
     *          changed: (connected: boolean) => void, notified: (params: any) => void}} options
     */
    constructor(url, options) {
      this.url = url;
      this.options = options;
      this.#connect();
    }

    get ready() {
      return this.#ready && this.#open;
    }

    /** Whether what is sent now goes out: a socket that the browser is closing tells so before `onclose` comes. */
    get #open() {
      return this.#socket?.readyState === WebSocket.OPEN;
    }

    /**
     * The answer of the agent. Waits for the connection, unless it is the greeting that makes the connection ready.
     * @param {string} method
     * @param {object} params
     * @returns {Promise<any>}
     */
    call(method, params = {}, greeting = false) {
      if (this.#closed) return Promise.reject(failure("closed"));
      return new Promise((resolve, reject) => {
        const call = { id: this.#nextId++, method, params, greeting, sent: false, timer: 0, resolve, reject };
        this.#calls.set(call.id, call);
        if (this.#open && (this.#ready || greeting)) this.#send(call);
        else this.#await(call);
      });
    }

    close() {
      this.#closed = true;
      this.#ready = false;
      clearTimeout(this.#retry);
      this.#socket?.close(1000);
      for (const call of this.#calls.values()) this.#settle(call)?.reject(failure("closed"));
    }

    #connect() {
      const socket = (this.#socket = new WebSocket(this.url));
      socket.onopen = () => this.#opened(socket);
      socket.onmessage = ({ data }) => this.#received(data);
      socket.onclose = () => this.#lost();
    }

    /** @param {WebSocket} socket */
    async #opened(socket) {
      await this.options.greet();
      if (socket !== this.#socket || !this.#open) return;
      this.#attempts = 0;
      this.#ready = this.#met = true;
      this.options.changed(true);
      for (const call of this.#calls.values()) if (!call.sent) this.#send(call);
    }

    #lost() {
      const wasReady = this.#ready;
      this.#ready = false;
      if (this.#closed) return;
      for (const call of this.#calls.values()) if (call.sent) this.#cutOff(call);
      const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#attempts++);
      // jitter: the many pages of one machine room do not all come back in the same instant
      this.#retry = setTimeout(() => this.#connect(), pause * (0.5 + Math.random() / 2));
      if (wasReady) this.options.changed(false);
    }

    /** @param {Call} call */
    #cutOff(call) {
      if (METHODS[call.method].repeatable && !call.greeting) this.#await(call);
      else this.#settle(call)?.reject(failure("connection_lost"));
    }

    /** @param {Call} call */
    #await(call) {
      call.sent = false;
      const { connectTimeoutMs, reconnectTimeoutMs } = this.options;
      if (this.#met) this.#limit(call, reconnectTimeoutMs, () => failure("agent_timeout"));
      else this.#limit(call, connectTimeoutMs, whyUnreachable);
    }

    /** @param {Call} call */
    #send(call) {
      const { id, method, params } = call;
      call.sent = true;
      this.#limit(call, METHODS[method].limitMs, () => failure("agent_timeout"));
      this.#socket?.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    }

    /**
     * @param {Call} call
     * @param {number} limitMs
     * @param {() => Error | Promise<Error>} why
     */
    #limit(call, limitMs, why) {
      clearTimeout(call.timer);
      if (Number.isFinite(limitMs))
        call.timer = setTimeout(async () => this.#settle(call)?.reject(await why()), limitMs);
    }

    /** @param {Call} call @returns {Call | null} the call, the first time */
    #settle(call) {
      clearTimeout(call.timer);
      return this.#calls.delete(call.id) ? call : null;
    }

    /** @param {string} data */
    #received(data) {
      const message = parsed(data);
      if (message?.method === "event") return this.options.notified(message.params);
      const call = this.#calls.get(message?.id);
      if (!call) return undefined;
      this.#settle(call);
      if (message.error) call.reject(refusal(message.error));
      else if ("result" in message) call.resolve(message.result);
      else call.reject(failure("answer_malformed"));
    }
  }

  /** @param {string} data */
  function parsed(data) {
    try {
      return JSON.parse(data);
    } catch {
      return null; // neither an answer nor an event: whoever waits gets a time-out
    }
  }

  /** The exam page's side of the agent; see secureproctor.d.ts for all types. */
  class SecureProctor {
    /** @type {Connection} */ #connection;
    /** @type {Map<string, Function[]>} */ #listeners = new Map();
    #registered = false;
    #seen = "";
    #watch = () => void this.#reportVisibility();

    /** @param {{agentUrl?: string, connectTimeoutMs?: number, reconnectTimeoutMs?: number}} options */
    constructor({ agentUrl = DEFAULT_AGENT_URL, connectTimeoutMs = 5_000, reconnectTimeoutMs = 30_000 } = {}) {
      // a page cannot be talked into sending its signed request to another machine
      if (!LOOPBACK.test(agentUrl)) throw failure("agent_url_invalid");
      /** @type {object | null} the last status that the agent told */
      this.status = null;
      this.#connection = new Connection(agentUrl, {
        connectTimeoutMs,
        reconnectTimeoutMs,
        greet: () => this.#greet(),
        changed: (connected) => this.#connectionChanged(connected),
        notified: (params) => this.#notified(params),
      });
      for (const [target, name] of this.#watched()) target.addEventListener(name, this.#watch);
    }

    /** A SecureProctor that has reached its agent; rejects with `agent_missing` when there is none. */
    static async connect(options = {}) {
      const proctor = new SecureProctor(options);
      try {
        await proctor.hello();
        return proctor;
      } catch (error) {
        proctor.close();
        throw error;
      }
    }

    get connected() {
      return this.#connection.ready;
    }

    async hello() {
      return this.#took(await this.#connection.call("hello"));
    }

    /** @param {{body: string, authorization?: string, query?: Record<string, string>}} signedRequest */
    async init(signedRequest) {
      const registered = await this.#connection.call("init", signedRequest);
      this.#registered = true;
      this.#watch();
      return registered;
    }

    checkSystem() {
      return this.#connection.call("checkSystem");
    }

    async start() {
      return this.#took(await this.#connection.call("start"));
    }

    async stop() {
      return this.#took(await this.#connection.call("stop"));
    }

    /** @param {{query: Record<string, string>, authorization?: string}} signedQuery */
    report(signedQuery) {
      return this.#connection.call("report", signedQuery);
    }

    enableAutoAcknowledgement(enabled = true) {
      return this.#connection.call("enableAutoAcknowledgement", { enabled });
    }

    pauseAck(id = "") {
      return this.#connection.call("pauseAck", { id });
    }

    resumeAck(id = "") {
      return this.#connection.call("resumeAck", { id });
    }

    endAck(id = "") {
      return this.#connection.call("endAck", { id });
    }

    /** @param {string} text */
    sendMessage(text) {
      return this.#connection.call("sendMessage", { text });
    }

    /**
     * @param {string} kind
     * @param {Function} listener
     */
    setListener(kind, listener) {
      if (!LISTENERS.includes(kind) || typeof listener !== "function") throw failure("listener_invalid");
      this.#listeners.set(kind, [...(this.#listeners.get(kind) ?? []), listener]);
    }

    /**
     * @param {string} kind
     * @param {Function} listener
     */
    removeListener(kind, listener) {
      const left = (this.#listeners.get(kind) ?? []).filter((each) => each !== listener);
      this.#listeners.set(kind, left);
    }

    /** End the connection. The session itself goes on: only stop() ends it. */
    close() {
      for (const [target, name] of this.#watched()) target.removeEventListener(name, this.#watch);
      this.#connection.close();
    }

    async #greet() {
      try {
        this.#took(await this.#connection.call("hello", {}, true));
      } catch (error) {
        // a connection that breaks during the greeting is a failed attempt like others; the next one greets again
        if (/** @type {any} */ (error).code !== "connection_lost") this.#tell("error", error);
      }
    }

    /** @param {any} status */
    #took(status) {
      if (typeof status?.state !== "string") return status;
      this.status = status;
      this.#registered = status.session_id !== "" && status.state !== "ended";
      this.#tell("status", status);
      return status;
    }

    /** @param {any} params */
    #notified(params) {
      switch (params?.type) {
        case "status":
          return this.#took(params);
        case "request":
          return this.#tell(params.kind, params);
        case "chat":
          return this.#tell("chat", params);
        case "error":
          return this.#tell("error", new SecureProctorError(params.error));
        default: // an event of a newer agent
      }
    }

    /** @param {boolean} connected */
    #connectionChanged(connected) {
      this.#tell("connection", { connected });
      this.#seen = "";
      if (connected) this.#watch();
    }

    /**
     * @param {string} kind
     * @param {unknown} event
     */
    #tell(kind, event) {
      for (const listener of this.#listeners.get(kind) ?? []) {
        try {
          listener(event);
        } catch (error) {
          reportError(error); // a listener's fault is the page's: it shows up there, and the others are still called
        }
      }
    }

    /** @returns {[EventTarget, string][]} */
    #watched() {
      return [
        [document, "visibilitychange"],
        [window, "focus"],
        [window, "blur"],
      ];
    }

    #visibility() {
      return { visible: document.visibilityState === "visible", focused: document.hasFocus() };
    }

    async #reportVisibility() {
      const now = JSON.stringify(this.#visibility());
      if (!this.#registered || !this.connected || now === this.#seen) return;
      this.#seen = now;
      try {
        await this.#connection.call("visibility", JSON.parse(now));
      } catch {
        this.#seen = ""; // what the agent did not take is told again at the next change
      }
    }
  }

  SecureProctor.SecureProctorError = SecureProctorError;
  SecureProctor.DEFAULT_AGENT_URL = DEFAULT_AGENT_URL;
  Object.assign(globalThis, { SecureProctor, SecureProctorError });
})();

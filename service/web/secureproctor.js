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
 * It speaks JSON-RPC 2.0 with the agent on this machine: through the browser's SecureProctor extension where there is one,
 * else by a WebSocket on 127.0.0.1. The connection may come and go: it is restored with growing pauses, `hello` is called each
 * time so that the state is right again, and a call that is made meanwhile waits. A call whose answer was lost is sent again
 * only if doing it twice is harmless; otherwise the caller is told, because only the caller knows. A request of the proctor that
 * came while no page was there is told as soon as one is.
 */
(() => {
  "use strict";

  const DEFAULT_AGENT_URL = "ws://127.0.0.1:46317/v1/page";
  const LOOPBACK = /^wss?:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?\//;
  const FIRST_PAUSE_MS = 250;
  const LONGEST_PAUSE_MS = 5000;
  const EXTENSION_ANSWERS_MS = 300; // its script is in the page before the page's own; it needs a turn of the event loop

  /**
   * What each method may take, and whether it may be sent a second time when the connection broke before its answer.
   * Stop has no limit: it resolves when all evidence has arrived, which is as slow as the candidate's network.
   * @type {Record<string, {limitMs: number, repeatable: boolean}>}
   */
  const METHODS = {
    hello: { limitMs: 40_000, repeatable: true }, // long, since the extension may have to start the agent
    init: { limitMs: 60_000, repeatable: false },
    checkSystem: { limitMs: 180_000, repeatable: true },
    consent: { limitMs: 10_000, repeatable: false },
    startPreview: { limitMs: 30_000, repeatable: true },
    stopPreview: { limitMs: 10_000, repeatable: true },
    takePhoto: { limitMs: 30_000, repeatable: true },
    submitAuthorization: { limitMs: 30_000, repeatable: true },
    start: { limitMs: 60_000, repeatable: false },
    stop: { limitMs: Infinity, repeatable: false },
    report: { limitMs: 60_000, repeatable: true },
    enableAutoAcknowledgement: { limitMs: 10_000, repeatable: true },
    pauseAck: { limitMs: 10_000, repeatable: true },
    resumeAck: { limitMs: 10_000, repeatable: true },
    endAck: { limitMs: 10_000, repeatable: true },
    sendMessage: { limitMs: 10_000, repeatable: false },
    chatRead: { limitMs: 10_000, repeatable: true },
    conversation: { limitMs: 10_000, repeatable: true },
    departed: { limitMs: 10_000, repeatable: true },
    takeOver: { limitMs: 10_000, repeatable: true },
    quit: { limitMs: 60_000, repeatable: false },
    attest: { limitMs: 10_000, repeatable: true },
    visibility: { limitMs: 10_000, repeatable: true },
  };

  /** Events that go to their listener as they came, and its name.
   *  @type {Record<string, string>} */
  const PLAIN = {
    chat: "chat",
    chat_mark: "chatMark",
    authorization: "authorization",
    preview: "preview",
    warning: "warning",
  };
  const REQUESTS = ["pause", "resume", "end"];
  const LISTENERS = [
    "error",
    "chat",
    "chatMark",
    ...REQUESTS,
    "authorization",
    "preview",
    "warning",
    "holder",
    "status",
    "connection",
  ];

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
    permission_pending: {
      message: "The browser has not yet let this page through to the SecureProctor agent on this computer.",
      remedy:
        "If the browser asks whether this site may reach this computer, choose “Allow”. If it does not ask, start the agent again.",
    },
    extension_missing: {
      message: "The SecureProctor extension does not answer in this browser.",
      remedy:
        "Install the SecureProctor extension, allow it on this site, and reload the page. On a managed computer the administrator " +
        "installs it.",
    },
    native_closed: {
      message: "The browser ended its connection to the SecureProctor agent.",
      remedy:
        "Look whether the SecureProctor agent is installed, and update it and the extension, so that they fit together.",
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
    transport_invalid: { message: "This is no transport.", remedy: "Give auto, loopback or native, or none." },
    url_elsewhere: {
      message: "An attestation goes only to the server that this page comes from.",
      remedy: "Give an address of this page's own origin, or call attest() and put the header on the request yourself.",
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

  /**
   * What a transport tells of its line to the agent: that it is open; each frame, which is a JSON-RPC object; and once, that it is
   * lost, with the reason where the transport knows it.
   * @typedef {{opened: () => void, heard: (frame: any) => void, lost: (why?: Error) => void}} Ear
   */

  /** The WebSocket to the agent. */
  class Loopback {
    kind = "loopback";
    /** @type {WebSocket} */ #socket;

    /** @param {Ear} ear @param {string} url */
    constructor(ear, url) {
      this.#socket = new WebSocket(url);
      this.#socket.onopen = () => ear.opened();
      this.#socket.onmessage = ({ data }) => ear.heard(parsed(data));
      this.#socket.onclose = () => ear.lost();
    }

    /** Whether what is sent now goes out: a socket that the browser is closing tells so before `onclose` comes. */
    get open() {
      return this.#socket.readyState === WebSocket.OPEN;
    }

    get connecting() {
      return this.#socket.readyState === WebSocket.CONNECTING;
    }

    /** @param {object} frame */
    send(frame) {
      this.#socket.send(JSON.stringify(frame));
    }

    close() {
      this.#socket.close(1000);
    }
  }

  /**
   * The browser's extension, which passes frames on to the agent by native messaging. Its content script hears what the page
   * posts to its own window: `hello` asks for a new port, and is answered where the extension is installed.
   */
  class Native {
    kind = "native";
    open = false;
    connecting = false;

    /** @param {Ear} ear */
    constructor(ear) {
      this.ear = ear;
      this.timer = setTimeout(() => this.#lost(failure("extension_missing")), EXTENSION_ANSWERS_MS);
      addEventListener("message", this.#heard);
      this.#post({ hello: 1 });
    }

    /** @param {object} frame */
    send(frame) {
      this.#post({ frame });
    }

    close() {
      this.open = false;
      clearTimeout(this.timer);
      removeEventListener("message", this.#heard);
    }

    /** @param {object} content */
    #post(content) {
      postMessage({ source: "secureproctor-page", ...content }, "/"); // to this origin only
    }

    /** @param {MessageEvent} event */
    #heard = ({ source, origin, data }) => {
      if (source !== window || origin !== location.origin || data?.source !== "secureproctor-extension") return;
      if (data.closed)
        this.#lost(new SecureProctorError({ code: "native_closed", ...ERRORS.native_closed, ...data.closed }));
      else if (data.hello && !this.open) this.#opened();
      else if (data.frame && this.open) this.ear.heard(data.frame);
    };

    #opened() {
      clearTimeout(this.timer);
      this.open = true;
      this.ear.opened();
    }

    /** @param {Error} why */
    #lost(why) {
      this.close();
      this.ear.lost(why);
    }
  }

  /** The extension where it answers, else the WebSocket; asked anew for each line, since an extension may come and go. */
  class Auto {
    /** @type {Native | Loopback} */ #line;

    /** @param {Ear} ear @param {string} url */
    constructor(ear, url) {
      this.#line = new Native({
        ...ear,
        lost: (why) => {
          if (/** @type {any} */ (why)?.code === "extension_missing") this.#line = new Loopback(ear, url);
          else ear.lost(why);
        },
      });
    }

    get kind() {
      return this.#line.kind;
    }

    get open() {
      return this.#line.open;
    }

    get connecting() {
      return this.#line.connecting;
    }

    /** @param {object} frame */
    send(frame) {
      this.#line.send(frame);
    }

    close() {
      this.#line.close();
    }
  }

  /** @type {Record<string, new (ear: Ear, url: string) => Auto | Loopback | Native>} */
  const TRANSPORTS = { auto: Auto, loopback: Loopback, native: Native };

  /** Chromium reports a denied loopback like an absent agent; its permissions tell them apart where it has them. */
  async function whyUnreachable(connecting = false) {
    for (const name of ["loopback-network", "local-network-access"]) {
      try {
        const { state } = await navigator.permissions.query({ name: /** @type {any} */ (name) });
        if (state === "denied") return failure("agent_denied");
        if (state === "prompt" && connecting) return failure("permission_pending");
      } catch {
        // a browser without this permission has nothing to deny
      }
    }
    return failure("agent_missing");
  }

  const TAB = "secureproctor.tab";
  let tab = "";

  /**
   * The name of this tab, by which the agent knows a page that was loaded again. A browser copies the sessionStorage into a tab that
   * is duplicated or opened from another: so the name lies there only while no page of the tab lives.
   */
  function tabName() {
    if (tab) return tab;
    tab = storedName() || Array.from(crypto.getRandomValues(new Uint32Array(4)), (each) => each.toString(36)).join("");
    addEventListener("pagehide", () => storedName(tab));
    addEventListener("pageshow", ({ persisted }) => persisted && storedName());
    return tab;
  }

  /** The name that was left by the page before, which is replaced, or without another taken away. @param {string} name */
  function storedName(name = "") {
    try {
      const left = sessionStorage.getItem(TAB) ?? "";
      if (name) sessionStorage.setItem(TAB, name);
      else sessionStorage.removeItem(TAB);
      return left;
    } catch {
      return ""; // a page without storage is another tab each time
    }
  }

  /**
   * A call that has no answer yet.
   * @typedef {{id: number, method: string, params: object, greeting: boolean, sent: boolean, timer: number,
   *            resolve: (result: any) => void, reject: (error: Error) => void}} Call
   */

  /** The line to the agent, again and again, and the calls on it. `greet` runs first on each line. */
  class Connection {
    /** @type {Auto | Loopback | Native | null} */ #line = null;
    /** @type {Map<number, Call>} */ #calls = new Map();
    /** @type {Error | undefined} why the last line was lost, where that is known */ #why;
    transport = "";
    #ready = false;
    #met = false;
    #closed = false;
    #attempts = 0;
    // not 1: the extension may still carry the answer to a call of a SecureProctor that this page has closed
    #nextId = Math.floor(Math.random() * 1e9);
    #retry = 0;

    /**
     * @param {{transport: string, agentUrl: string, connectTimeoutMs: number, reconnectTimeoutMs: number,
     *          greet: () => Promise<Error | null>, changed: (connected: boolean) => void, notified: (params: any) => void}} options
     */
    constructor(options) {
      this.options = options;
      this.#connect();
    }

    get ready() {
      return this.#ready && this.#open;
    }

    get #open() {
      return this.#line?.open ?? false;
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
      this.#line?.close();
      for (const call of this.#calls.values()) this.#settle(call)?.reject(failure("closed"));
    }

    #connect() {
      const { transport, agentUrl } = this.options;
      const ear = {
        opened: () => void this.#opened(line),
        heard: (/** @type {any} */ frame) => this.#received(frame),
        lost: (/** @type {Error | undefined} */ why) => line === this.#line && this.#lost(why),
      };
      const line = (this.#line = new TRANSPORTS[transport](ear, agentUrl));
    }

    /** @param {Auto | Loopback | Native} line */
    async #opened(line) {
      this.transport = line.kind;
      const fault = await this.options.greet();
      if (line !== this.#line || !this.#open) return;
      if (fault) return this.#turnAway(line, fault);
      this.#attempts = 0;
      this.#ready = this.#met = true;
      this.options.changed(true);
      for (const call of this.#calls.values()) if (!call.sent) this.#send(call);
    }

    /** An agent that does not greet is none yet. @param {Auto | Loopback | Native} line @param {Error} fault */
    #turnAway(line, fault) {
      this.#line = null;
      line.close();
      this.#lost(fault);
    }

    /** @param {Error | undefined} why */
    #lost(why) {
      const wasReady = this.#ready;
      this.#ready = false;
      this.#why = why;
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
      if (this.#met) this.#limit(call, reconnectTimeoutMs, () => this.#giveUp(call));
      else this.#limit(call, connectTimeoutMs, () => this.#awaitGreeting(call));
    }

    /** A line is there already, but the agent behind it may just be starting. @param {Call} call */
    #awaitGreeting(call) {
      if (this.#open && !this.#why) this.#limit(call, METHODS.hello.limitMs, () => this.#giveUp(call));
      else this.#giveUp(call);
    }

    /** @param {Call} call */
    async #giveUp(call) {
      const otherwise = this.#met ? failure("agent_timeout") : await whyUnreachable(this.#line?.connecting);
      this.#settle(call)?.reject(this.#why ?? otherwise);
    }

    /** @param {Call} call */
    #send(call) {
      const { id, method, params } = call;
      call.sent = true;
      this.#limit(call, METHODS[method].limitMs, () => this.#settle(call)?.reject(failure("agent_timeout")));
      this.#line?.send({ jsonrpc: "2.0", id, method, params });
    }

    /**
     * @param {Call} call
     * @param {number} limitMs
     * @param {() => void} passed
     */
    #limit(call, limitMs, passed) {
      clearTimeout(call.timer);
      if (Number.isFinite(limitMs)) call.timer = setTimeout(passed, limitMs);
    }

    /** @param {Call} call @returns {Call | null} the call, the first time */
    #settle(call) {
      clearTimeout(call.timer);
      return this.#calls.delete(call.id) ? call : null;
    }

    /** @param {any} message */
    #received(message) {
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

  /** The address that a server is asked for: whole, and without a fragment. @param {string | URL} url */
  function addressOf(url) {
    const address = new URL(url, document.baseURI);
    address.hash = "";
    return address;
  }

  /**
   * The exam page's side of the agent; see secureproctor.d.ts for all types. The agent's methods attach, beat and handFrame are the
   * secure browser's own, by native messaging: a page has no part in who the browser is.
   */
  class SecureProctor {
    /** @type {Connection} */ #connection;
    /** @type {Map<string, Function[]>} */ #listeners = new Map();
    /** @type {Set<string>} the proctor's requests that a listener was told of */ #told = new Set();
    #registered = false;
    #statusAt = 0;
    #seen = "";
    #fault = "";
    #watch = () => void this.#reportVisibility();

    /** @param {{transport?: string, agentUrl?: string, connectTimeoutMs?: number, reconnectTimeoutMs?: number}} options */
    constructor({ transport, agentUrl, connectTimeoutMs = 5_000, reconnectTimeoutMs = 30_000 } = {}) {
      // who names an agent's address means its WebSocket
      const chosen = transport ?? (agentUrl ? "loopback" : "auto");
      if (!Object.hasOwn(TRANSPORTS, chosen)) throw failure("transport_invalid");
      // a page cannot be talked into sending its signed request to another machine
      if (!LOOPBACK.test(agentUrl ?? DEFAULT_AGENT_URL)) throw failure("agent_url_invalid");
      /** @type {any} the last status that the agent told */
      this.status = null;
      /** @type {boolean | null} whether this page holds the session, null while that is not known */
      this.holding = null;
      this.#connection = new Connection({
        transport: chosen,
        agentUrl: agentUrl ?? DEFAULT_AGENT_URL,
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

    get transport() {
      return this.#connection.transport;
    }

    hello() {
      return this.#call("hello", { tab: tabName() });
    }

    /** @param {{body: string, authorization?: string, query?: Record<string, string>}} signedRequest */
    async init(signedRequest) {
      const registered = await this.#call("init", signedRequest);
      this.#registered = true;
      this.#watch();
      return registered;
    }

    checkSystem() {
      return this.#call("checkSystem");
    }

    /** @param {boolean} accepted */
    consent(accepted) {
      return this.#call("consent", { accepted });
    }

    /** @param {"photo" | "id_card"} of */
    startPreview(of) {
      return this.#call("startPreview", { of });
    }

    stopPreview() {
      return this.#call("stopPreview");
    }

    /** @param {"photo" | "id_card"} of */
    takePhoto(of) {
      return this.#call("takePhoto", { of });
    }

    submitAuthorization() {
      return this.#call("submitAuthorization");
    }

    start() {
      return this.#call("start");
    }

    stop() {
      return this.#call("stop");
    }

    /** @param {{query: Record<string, string>, authorization?: string}} signedQuery */
    report(signedQuery) {
      return this.#call("report", signedQuery);
    }

    enableAutoAcknowledgement(enabled = true) {
      return this.#call("enableAutoAcknowledgement", { enabled });
    }

    pauseAck(id = "") {
      return this.#call("pauseAck", { id });
    }

    resumeAck(id = "") {
      return this.#call("resumeAck", { id });
    }

    endAck(id = "") {
      return this.#call("endAck", { id });
    }

    /** @param {string} text */
    sendMessage(text) {
      return this.#call("sendMessage", { text });
    }

    /** @param {string} id */
    chatRead(id) {
      return this.#call("chatRead", { id });
    }

    conversation() {
      return this.#call("conversation");
    }

    departed() {
      return this.#call("departed");
    }

    takeOver() {
      return this.#call("takeOver");
    }

    /** End the exam with the quit password of its MSB Key. @param {string} password */
    quit(password) {
      return this.#call("quit", { password });
    }

    /**
     * A header that proves to the exam's server that this request comes from the candidate's locked exam.
     * @param {string | URL} url
     * @param {{once?: boolean}} how
     */
    async attest(url, { once = false } = {}) {
      const address = addressOf(url);
      const { header, value, expires_ms: expiresMs } = await this.#call("attest", { url: address.href, once });
      return { header, value, expiresMs };
    }

    /**
     * `fetch` with an attestation that is good for this one request. A redirect to elsewhere fails: the header stays with the exam.
     * @param {string | URL} url
     * @param {RequestInit} init
     */
    async attestedFetch(url, init = {}) {
      const address = addressOf(url);
      if (address.origin !== location.origin) throw failure("url_elsewhere");
      const { header, value } = await this.attest(address, { once: true });
      const headers = new Headers(init.headers);
      headers.set(header, value);
      return fetch(address, { ...init, headers, mode: "same-origin" });
    }

    /** Listen for warnings to the candidate; what it returns ends it. @param {Function} listener */
    onWarning(listener) {
      this.setListener("warning", listener);
      return () => this.removeListener("warning", listener);
    }

    /**
     * @param {string} kind
     * @param {Function} listener
     */
    setListener(kind, listener) {
      if (!LISTENERS.includes(kind) || typeof listener !== "function") throw failure("listener_invalid");
      this.#listeners.set(kind, [...(this.#listeners.get(kind) ?? []), listener]);
      // not before the page has set its others
      if (REQUESTS.includes(kind)) queueMicrotask(() => this.#tellPending());
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

    /** @param {string} method @param {object} params */
    async #call(method, params = {}) {
      return this.#took(await this.#connection.call(method, params));
    }

    /** What the agent had against it, which is told once, or null. @returns {Promise<Error | null>} */
    async #greet() {
      try {
        this.#took(await this.#connection.call("hello", { tab: tabName() }, true));
        this.#fault = "";
        return null;
      } catch (error) {
        const { code } = /** @type {any} */ (error);
        // a connection that breaks during the greeting is a failed attempt like others; the next one greets again
        if (code !== "connection_lost" && code !== this.#fault) this.#tell("error", error);
        this.#fault = code;
        return /** @type {Error} */ (error);
      }
    }

    /** What a call gave; a status among it is kept and told. @param {any} result */
    #took(result) {
      if (typeof result?.state !== "string") return result;
      this.status = result;
      this.#statusAt = performance.now();
      this.#registered = result.session_id !== "" && result.state !== "ended";
      this.#tell("status", result);
      this.#tellPending();
      return result;
    }

    /** @param {any} params */
    #notified(params) {
      switch (params?.type) {
        case "status":
          return this.#took(params);
        case "request":
          return this.#asked(params);
        case "holder":
          return this.#holderChanged(params);
        case "error":
          return this.#tell("error", new SecureProctorError(params.error));
        default: // to its listener as it is, or an event of a newer agent
          return this.#tell(PLAIN[params?.type], params);
      }
    }

    /** A request is told once to who listens, or as a reminder; until then it is owed. @param {any} request */
    #asked(request) {
      const { kind, id, reminder } = request;
      if ((this.#told.has(id) && !reminder) || !this.#listeners.get(kind)?.length) return;
      this.#told.add(id);
      this.#tell(kind, request);
    }

    #tellPending() {
      const waited = (performance.now() - this.#statusAt) / 1000;
      for (const request of this.status?.pending ?? [])
        this.#asked({ type: "request", acknowledged: false, reminder: 0, ...request, left_s: request.left_s - waited });
    }

    /** @param {any} event */
    #holderChanged(event) {
      this.holding = event.holding;
      this.#tell("holder", event);
      this.#seen = "";
      this.#watch();
    }

    /** @param {boolean} connected */
    #connectionChanged(connected) {
      if (!connected) this.holding = null;
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
      if (!this.#registered || !this.connected || this.holding === false || now === this.#seen) return;
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

/** Types of secureproctor.js. Field names of what travels are those of the wire (contract/page.py), in snake_case. */

export type Listener = {
  error: (error: SecureProctorError) => void;
  chat: (message: ChatMessage) => void;
  pause: (request: ProctorRequest) => void;
  resume: (request: ProctorRequest) => void;
  end: (request: ProctorRequest) => void;
  /**
   * The agent's state, whenever it changed, and each second while the service is away or evidence waits. Between two of them
   * a page counts by itself, from the moment at which it was told; `error` tells `link_lost` and `session_expired` once each:
   *
   *     let ends = Infinity;
   *     proctor.setListener("status", ({ link }) => (ends = performance.now() + 1000 * (link.expires_in_s ?? Infinity)));
   *     setInterval(() => {
   *       const left = Math.max(0, Math.ceil((ends - performance.now()) / 1000));
   *       banner.textContent = left < Infinity ? `No connection: the exam ends in ${left} s.` : "";
   *     }, 200);
   */
  status: (status: Status) => void;
  /** The connection to the agent came or went; not the agent's link to the service, which is in Status. */
  connection: (state: { connected: boolean }) => void;
};

/** Init's request as the exam's server made and signed it, by either scheme. */
export interface SignedRequest {
  /** The exact JSON text that was signed. */
  body: string;
  /** The signature of the scheme `body`. */
  authorization?: string;
  /** `ak`, `ts` and `asgn` of the scheme `parameters`. */
  query?: Record<string, string>;
}

/** Report's parameters (groupName, publicKey, reportFormat, userId, perhaps ak, ts, asgn) and signature. */
export interface SignedQuery {
  query: Record<string, string>;
  authorization?: string;
}

export interface Settings {
  screenCapture: boolean;
  recording: boolean;
  audioProctoring: boolean;
  authorization: boolean;
  pauseResume: boolean;
  initialState: "running" | "paused";
  endTest: boolean;
  msb: boolean;
  msbKey: string;
  navigationControl: boolean;
  skipId: boolean;
  skipIdAndPhoto: boolean;
  candidatePhotoUrl: string;
  captureWhilePaused: boolean;
}

export interface Registered {
  token: string;
  session_id: string;
  expiry_s: number;
  settings: Settings;
  /** Settings that were asked for and have no effect in this version. */
  not_enforced: string[];
}

export interface CheckResult {
  id: string;
  name: string;
  status: "passed" | "warned" | "failed" | "could_not_check";
  code: string;
  seen: string;
  remedy: string;
}

export interface CheckResults {
  /** True when no check failed. */
  ok: boolean;
  checks: CheckResult[];
}

/** The link to the service. */
export interface LinkStatus {
  online: boolean;
  /** How long it has been gone, and since when (milliseconds since 1970, 0 while online). */
  offline_s: number;
  offline_since_ms: number;
  /** How long it may still be gone before the session ends; null while online, and once the session is over. */
  expires_in_s: number | null;
}

/** Room for evidence on the candidate's disk. */
export interface RoomStatus {
  free_bytes: number;
  /** How long it takes evidence at the present rate; null while the rate is not known. */
  lasts_s: number | null;
  /** The quality that is captured now: a disk that runs short lowers it. */
  level: "full" | "reduced" | "least";
  /** There was no room even so, and the oldest video has been given up. */
  dropping: boolean;
}

/** A backlog on its way to the service: `left_bytes` of `total_bytes` still wait. */
export interface DrainStatus {
  total_bytes: number;
  left_bytes: number;
  bytes_per_s: number;
  /** null while the rate is not known. */
  left_s: number | null;
}

/** The agent as the candidate may always see it. */
export interface Status {
  agent: string;
  state: string;
  session_id: string;
  paused: boolean;
  /** What is captured now. */
  capturing: string[];
  test_sources: string[];
  link: LinkStatus;
  waiting_segments: number;
  waiting_bytes: number;
  running_s: number;
  /** "" while the session is not over; then `stopped`, `ended by proctor`, `expired`, `browser gone` or `agent shut down`. */
  end_reason: string;
  auto_acknowledgement: boolean;
  pending: string[];
  /** For how long from now session and evidence survive without the service; null while no session runs. */
  survivable_s: number | null;
  room: RoomStatus;
  drain: DrainStatus | null;
}

export interface ChatMessage {
  id: string;
  text: string;
  at_ms: number;
}

/** A pause, resume or end of the proctor that took effect. */
export interface ProctorRequest {
  kind: "pause" | "resume" | "end";
  id: string;
  text: string;
  /** True when the agent has acknowledged it by itself. */
  acknowledged: boolean;
}

export interface ReportAnswer {
  data: { url: string; json_url: string; expires_ms: number; ci_score: number; ci_band: string };
  /** The whole report, when `reportFormat` was `json`. */
  report: object | null;
}

export interface Options {
  /** A WebSocket on this computer; default `SecureProctor.DEFAULT_AGENT_URL`. */
  agentUrl?: string;
  /** How long a call waits for an agent that was never there; default 5000. */
  connectTimeoutMs?: number;
  /** How long a call waits for an agent that went away; default 30000. */
  reconnectTimeoutMs?: number;
}

/**
 * An error with a code for programs, a sentence for a person, and a remedy.
 *
 * Codes that arise in the page: `agent_missing`, `agent_denied` (the browser forbids it), `agent_timeout`, `connection_lost` (the
 * call may have taken effect), `agent_url_invalid`, `answer_malformed`, `closed`, `listener_invalid`, `webcrypto_missing`. All others
 * come from the agent and the service.
 */
export declare class SecureProctorError extends Error {
  constructor(info: { code: string; message: string; remedy?: string; number?: string; field?: string });
  code: string;
  remedy: string;
  /** The number that exam vendors' documents use for the same error, as `E401`, or "". */
  number: string;
  /** The form field that it is about, or "". */
  field: string;
}

/** Added by signing.js, for the demo page only: never ship a private key in a page. */
export interface Signing {
  signBody(privateKey: string, bodyText: string): Promise<string>;
  signParameters(
    privateKey: string,
    method: string,
    endpoint: string,
    parameters: Record<string, string>,
  ): Promise<string>;
  signRequest(request: {
    scheme: "body" | "parameters";
    publicKey: string;
    privateKey: string;
    endpoint: string;
    body: string;
  }): Promise<SignedRequest>;
  signQuery(query: {
    scheme: "body" | "parameters";
    publicKey: string;
    privateKey: string;
    endpoint: string;
    parameters: Record<string, string>;
  }): Promise<SignedQuery>;
}

/** The exam page's side of the agent. All calls reject with a SecureProctorError. */
export declare class SecureProctor {
  static readonly DEFAULT_AGENT_URL: string;
  static readonly SecureProctorError: typeof SecureProctorError;
  static signing?: Signing;

  /** Resolves when the agent was reached. */
  static connect(options?: Options): Promise<SecureProctor>;

  /** Begins to connect at once. Throws `agent_url_invalid` for an address that is not on this computer. */
  constructor(options?: Options);

  /** The last status, null before the first. */
  status: Status | null;
  readonly connected: boolean;

  /** The agent's state now; it is asked by itself at each connection. */
  hello(): Promise<Status>;
  /** Register the candidate. */
  init(signedRequest: SignedRequest): Promise<Registered>;
  /** Check camera, microphone, screen and more. */
  checkSystem(): Promise<CheckResults>;
  start(): Promise<Status>;
  /** Resolves when all evidence is at the service, or says what still waits; it has no time limit. */
  stop(): Promise<Status>;
  report(signedQuery: SignedQuery): Promise<ReportAnswer>;
  enableAutoAcknowledgement(enabled?: boolean): Promise<unknown>;
  /** Acknowledge a request; without an id, the latest of its kind. */
  pauseAck(id?: string): Promise<unknown>;
  resumeAck(id?: string): Promise<unknown>;
  endAck(id?: string): Promise<unknown>;
  /** A message for the proctor, 1 to 4000 characters; delivered later when the link is away. */
  sendMessage(text: string): Promise<{ id: string }>;
  /** Add a listener; all listeners of a kind are called. */
  setListener<K extends keyof Listener>(kind: K, listener: Listener[K]): void;
  removeListener<K extends keyof Listener>(kind: K, listener: Listener[K]): void;
  /** End the connection; the session goes on. */
  close(): void;
}

export default SecureProctor;

declare global {
  var SecureProctor: typeof import("./secureproctor.js").SecureProctor;
  var SecureProctorError: typeof import("./secureproctor.js").SecureProctorError;
}

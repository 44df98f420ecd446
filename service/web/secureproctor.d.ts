/** Types of secureproctor.js. Field names of what travels are those of the wire (contract/page.py), in snake_case. */

export type Listener = {
  error: (error: SecureProctorError) => void;
  chat: (message: ChatEvent) => void;
  /** A message of the candidate was delivered, or read by a proctor. */
  chatMark: (mark: ChatMarkEvent) => void;
  /**
   * A pause, resume or end of the proctor took effect. Each is told once to a page, also when it came before the page was loaded
   * or before the listener was set, and waits for its acknowledgement. What is not acknowledged comes again with `reminder`.
   */
  pause: (request: ProctorRequest) => void;
  resume: (request: ProctorRequest) => void;
  end: (request: ProctorRequest) => void;
  /** The proctor decided; authorization.js shows it. */
  authorization: (decision: AuthorizationEvent) => void;
  /** What the camera sees, some times a second, between startPreview and stopPreview. */
  preview: (picture: PreviewEvent) => void;
  /** The candidate did what the exam does not allow: show it at once, before everything else. */
  warning: (warning: WarningEvent) => void;
  /** This page holds the session, or another tab does: then calls that change something are refused with `held_elsewhere`. */
  holder: (state: HolderEvent) => void;
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
  lockdown: LockdownSettings;
}

/** What an exam wants of the lockdown, when `navigationControl` or `msb` is on. */
export interface LockdownSettings {
  /** Without these the exam does not start, unless a proctor overrides. */
  required: RuleId[];
  /** These are not wanted. */
  off: RuleId[];
  /** How often the exam window may be left; null: as often as one likes. */
  browsingTolerance: number | null;
  /** What happens the next time. */
  beyondTolerance: "record" | "pause" | "end";
  /** Forbidden programs are put on the record, asked to be closed, or asked for a while and then closed. */
  programs: "observe" | "ask" | "close";
  programPatienceS: number;
  allowedPrograms: string[];
  forbiddenPrograms: string[];
  /** How many displays are allowed. */
  displays: number;
  /** Whether the candidate has the computer back while the test is paused. */
  whilePaused: "kept" | "lifted";
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
  /** Requests that took effect and wait for an acknowledgement. */
  pending: PendingRequest[];
  /** For how long from now session and evidence survive without the service; null while no session runs. */
  survivable_s: number | null;
  room: RoomStatus;
  drain: DrainStatus | null;
  /** null when authorization is off. */
  authorization: AuthorizationStatus | null;
  /** The quality that is captured now, lowered by a proctor or by a disk that runs short. */
  quality: Quality;
  lockdown: LockdownStatus;
}

/** The lockdown as the candidate may always see it; an exam page shows it. */
export interface LockdownStatus {
  phase: Phase;
  rules: RuleStatus[];
  /** How often the exam window was left, and how often it may still be; null: as often as one likes. */
  away: number;
  tolerance_left: number | null;
  /** Forbidden programs that the candidate is asked to close. */
  asked: ProgramAsked[];
  /** Assistive technology that is in use, and keeps working. */
  assistive: string[];
  browser: BrowserIdentity | null;
  /** Whether the exam can be ended by quit(). */
  quit_password: boolean;
}

/** `probed`: known, nothing applied yet; `lifted`: restored for a while; `released`: given back; `stuck`: not all of it yet. */
export type Phase = "off" | "probed" | "locked" | "lifted" | "released" | "stuck";

/** `enforced`: it cannot be done, or is undone at once; `observed`: it can be done, and is on the record. */
export type Standing = "enforced" | "observed" | "impossible" | "could_not_check";

export type RuleId =
  | "power"
  | "lock_screen"
  | "switch_user"
  | "sign_out"
  | "task_manager"
  | "keys"
  | "focus"
  | "clipboard"
  | "programs"
  | "windows"
  | "hidden_windows"
  | "screenshots"
  | "printing"
  | "displays"
  | "remote_session"
  | "virtual_machine"
  | "injected_input"
  | "assistive";

/** How a rule stands on this computer. */
export interface RuleStatus {
  rule: RuleId;
  standing: Standing;
  required: boolean;
  /** It is in place now. */
  holds: boolean;
  /** Sentences for the candidate, empty where all is well. */
  why: string;
  remedy: string;
  /** How often it saw or stopped something. */
  sightings: number;
  /** A proctor lets the exam go on without it. */
  overridden: boolean;
}

export interface ProgramAsked {
  program: string;
  category: string;
  /** Until it is closed for the candidate; null: never. */
  left_s: number | null;
}

/** The secure browser as the operating system tells; `product` and `version` are its own words. */
export interface BrowserIdentity {
  pid: number;
  path: string;
  product: string;
  version: string;
  signer: string;
  /** What of the policy it satisfies. */
  proof: "signature" | "path" | "none";
  started_agent: boolean;
  why: string;
}

export interface WarningEvent {
  kind: WarningKind;
  /** A sentence for the candidate. */
  text: string;
  /** How often it happened. */
  times: number;
  /** How often it is still tolerated; null where there is no tolerance. */
  left: number | null;
  /** Until something follows; null where nothing does. */
  left_s: number | null;
}

export type WarningKind = "left_window" | "tolerance_exceeded" | "program" | "displays" | "browser_gone";

/** A header for a request to the exam's server, which has it judged by `POST /v1/attestations/verify` of the service. */
export interface Attestation {
  header: string;
  value: string;
  /** When to ask for another one, milliseconds since 1970. */
  expiresMs: number;
}

/** What the service tells the exam's server of an attestation. */
export type AttestationVerdict =
  /** The request comes from the candidate's locked exam. */
  | "ok"
  /** The request had no attestation. */
  | "missing"
  /** It is no attestation. */
  | "malformed"
  /** The session is not known. */
  | "unknown_session"
  /** The session belongs to another client. */
  | "wrong_client"
  /** The session is of another candidate or another exam. */
  | "wrong_candidate"
  /** It was not signed by the session's agent. */
  | "bad_signature"
  /** It is too old: it may be replayed. */
  | "stale"
  /** It was made for another address. */
  | "wrong_audience"
  /** It was good for one use, and was used before. */
  | "replayed"
  /** The session is over. */
  | "session_over"
  /** The lockdown is not applied. */
  | "not_locked"
  /** A rule that the exam requires is not in place. */
  | "rule_missing"
  /** The exam asks for the secure browser, and this is not known to be one. */
  | "browser_unproven";

export type Quality = "full" | "reduced" | "least";

/** What a candidate shows for authorization. */
export type Identity = "photo" | "id_card";

export interface PendingRequest {
  kind: "pause" | "resume" | "end";
  id: string;
  text: string;
  /** Until the proctor is told that nobody acknowledged it; negative when that has happened. */
  left_s: number;
}

/** What the candidate is asked to agree to. */
export interface ConsentTerms {
  /** Of `screen`, `webcam`, `audio`, `photo`, `id_card`. */
  captures: string[];
  exam: string;
  operator: string;
  service: string;
  /** For how many hours it is kept. */
  kept_h: number;
  /** Nothing is recorded; it is only watched. */
  live_only: boolean;
}

/** How far authorization came. */
export interface AuthorizationStatus {
  step: "consent" | "capture" | "submitted" | "authorized" | "rejected";
  terms: ConsentTerms;
  /** What is still to be shown. */
  wanted: Identity[];
  /** What was taken and not yet submitted. */
  taken: Identity[];
  /** The proctor's words with the last decision. */
  text: string;
  /** Whether the camera is open for a preview. */
  preview: boolean;
}

/** A picture that was taken and not yet submitted. */
export interface Shot {
  of: Identity;
  /** A JPEG in base64. */
  jpeg: string;
  width: number;
  height: number;
  at_ms: number;
  /** What may be better; see Hint. */
  hints: Hint[];
}

/** What may be better about a picture. It never forbids anything: a person decides. */
export type Hint =
  "no_face" | "several_faces" | "face_small" | "too_dark" | "too_bright" | "blurred" | "card_missing" | "card_small";

/** What the camera sees now, small. */
export interface PreviewEvent {
  of: Identity;
  /** A JPEG in base64. */
  jpeg: string;
  width: number;
  height: number;
  hints: Hint[];
}

export interface AuthorizationEvent {
  decision: "authorized" | "rejected" | "resubmit";
  text: string;
  /** For `resubmit`: what is to be shown again. */
  wanted: Identity[];
}

export interface HolderEvent {
  holding: boolean;
}

/** A message of the proctor, as it comes. */
export interface ChatEvent {
  id: string;
  text: string;
  at_ms: number;
  /** The proctor's name. */
  by: string;
}

export interface ChatMarkEvent {
  /** The candidate's message. */
  id: string;
  mark: "delivered" | "read";
  at_ms: number;
}

/** A message of either side in the conversation, with its marks (null: not yet). */
export interface ChatMessage {
  id: string;
  sender: "proctor" | "candidate";
  text: string;
  at_ms: number;
  by: string;
  delivered_ms: number | null;
  read_ms: number | null;
}

/** The chat of the session, oldest first. */
export interface Conversation {
  messages: ChatMessage[];
}

/** What has left this computer, of a kind: `screen`, `webcam`, `audio`, `events`, `stills` or `chat`. */
export interface DepartedRow {
  what: string;
  pieces: number;
  bytes: number;
  first_ms: number;
  last_ms: number;
}

export interface Departed {
  /** Where to. */
  service: string;
  rows: DepartedRow[];
}

/** A pause, resume or end of the proctor that took effect. */
export interface ProctorRequest {
  kind: "pause" | "resume" | "end";
  id: string;
  text: string;
  /** True when the agent has acknowledged it by itself. */
  acknowledged: boolean;
  /** How often it was asked again; 0 the first time. */
  reminder: number;
  /** Until the proctor is told that nobody acknowledged it; negative when that has happened. */
  left_s: number;
}

export interface ReportAnswer {
  data: { url: string; json_url: string; expires_ms: number; ci_score: number; ci_band: string };
  /** The whole report, when `reportFormat` was `json`. */
  report: object | null;
}

export interface Options {
  /**
   * `native`: through the browser's SecureProctor extension, of which a page has one connection. `loopback`: by the WebSocket at
   * `agentUrl`. `auto`, which is the default unless an `agentUrl` is given: through the extension where it answers, else by the
   * WebSocket.
   */
  transport?: "auto" | "loopback" | "native";
  /** A WebSocket on this computer; default `SecureProctor.DEFAULT_AGENT_URL`. */
  agentUrl?: string;
  /** How long a call waits for an agent that was never there; default 5000. */
  connectTimeoutMs?: number;
  /** How long a call waits for an agent that went away; default 30000. */
  reconnectTimeoutMs?: number;
}

/** Codes of errors that arise in the page. */
export type PageErrorCode =
  /** no agent answers on this computer */
  | "agent_missing"
  /** the browser forbids the page to reach this computer (Local Network Access) */
  | "agent_denied"
  /** the browser asks the candidate whether the page may reach this computer */
  | "permission_pending"
  /** no extension answers, and the transport is `native` */
  | "extension_missing"
  /** the extension could not reach the agent, and gave no code of its own */
  | "native_closed"
  /** the agent went away for too long, or did not answer a call in time */
  | "agent_timeout"
  /** the connection broke before the answer; the call may have taken effect */
  | "connection_lost"
  /** not a WebSocket on this computer */
  | "agent_url_invalid"
  | "transport_invalid"
  /** attestedFetch() was called for an address of another origin */
  | "url_elsewhere"
  | "answer_malformed"
  /** close() was called */
  | "closed"
  | "listener_invalid"
  /** by signing.js, on a page that is neither https nor on this computer */
  | "webcrypto_missing";

/** Codes of errors that come from the extension: of its own end, and of that of its program for native messaging. */
export type ExtensionErrorCode = "extension_gone" | "native_host_missing" | "native_host_ended";

/** Codes of errors that come from the agent and the service (contract/errors.py). A newer agent may have others. */
export type AgentErrorCode =
  | "signature_mismatch"
  | "signature_missing"
  | "key_not_authorized"
  | "timestamp_invalid"
  | "timestamp_stale"
  | "body_malformed"
  | "field_missing"
  | "field_invalid"
  | "token_invalid"
  | "token_expired"
  | "proctor_key_invalid"
  | "login_failed"
  | "login_needed"
  | "too_many_tries"
  | "role_missing"
  | "proctor_unknown"
  | "last_super"
  | "access_denied"
  | "command_refused"
  | "method_not_allowed"
  | "not_found"
  | "session_unknown"
  | "record_malformed"
  | "record_mismatch"
  | "record_conflict"
  | "too_large"
  | "busy"
  | "storage_full"
  | "origin_denied"
  | "pairing_denied"
  | "agent_missing"
  | "agent_gone"
  | "not_now"
  | "checks_failed"
  | "source_failed"
  | "service_unreachable"
  | "service_puzzling"
  | "nothing_to_acknowledge"
  | "held_elsewhere"
  | "too_many_pages"
  | "too_many_calls"
  | "consent_missing"
  | "picture_not_wanted"
  | "pictures_missing"
  | "camera_unavailable"
  | "chat_full"
  | "message_too_long"
  | "source_lost"
  | "link_lost"
  | "session_expired"
  | "disk_full"
  | "disk_short"
  | "rules_not_enforceable"
  | "lockdown_failed"
  | "msb_key_missing"
  | "msb_key_malformed"
  | "msb_key_unsigned"
  | "msb_key_untrusted"
  | "msb_key_tampered"
  | "msb_key_expired"
  | "msb_key_early"
  | "msb_key_wrong_exam"
  | "msb_key_wrong_client"
  | "below_floor"
  | "browser_unproven"
  | "quit_refused"
  | "quit_not_possible"
  | "attestation_not_possible"
  | "frame_unreadable"
  | "frame_not_wanted"
  | "internal";

export type ErrorCode = PageErrorCode | ExtensionErrorCode | AgentErrorCode | (string & {});

/** An error with a code for programs, a sentence for a person, and a remedy. */
export declare class SecureProctorError extends Error {
  constructor(info: { code: string; message: string; remedy?: string; number?: string; field?: string });
  code: ErrorCode;
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

  /** Begins to connect at once. Throws `agent_url_invalid` for an address that is not on this computer, and `transport_invalid`. */
  constructor(options?: Options);

  /** The last status, null before the first. */
  status: Status | null;
  /** Whether this page holds the session, null while that is not known: another tab may hold it. */
  holding: boolean | null;
  readonly connected: boolean;
  /** Which transport is in use, "" before one is. */
  readonly transport: "" | "loopback" | "native";

  /** The agent's state now; it is asked by itself at each connection. */
  hello(): Promise<Status>;
  /** Register the candidate. */
  init(signedRequest: SignedRequest): Promise<Registered>;
  /** Check camera, microphone, screen and more. */
  checkSystem(): Promise<CheckResults>;
  /** The candidate agrees to the terms of status.authorization, or does not. */
  consent(accepted: boolean): Promise<Status>;
  /** Open the camera, after consent; `preview` is told what it sees. */
  startPreview(of: Identity): Promise<Status>;
  stopPreview(): Promise<Status>;
  /** Take the candidate's photo or ID card; again replaces the one before. */
  takePhoto(of: Identity): Promise<Shot>;
  /** Hand in what was taken; then the proctor decides. */
  submitAuthorization(): Promise<Status>;
  start(): Promise<Status>;
  /** Resolves when all evidence is at the service, or says what still waits; it has no time limit. */
  stop(): Promise<Status>;
  report(signedQuery: SignedQuery): Promise<ReportAnswer>;
  enableAutoAcknowledgement(enabled?: boolean): Promise<Status>;
  /** Acknowledge a request; without an id, the latest of its kind. */
  pauseAck(id?: string): Promise<Status>;
  resumeAck(id?: string): Promise<Status>;
  endAck(id?: string): Promise<Status>;
  /** A message for the proctor, 1 to 4000 characters; delivered later when the link is away. */
  sendMessage(text: string): Promise<{ id: string }>;
  /** The candidate has read the proctor's messages up to this one. */
  chatRead(id: string): Promise<Status>;
  /** All messages of the session: what a page shows after it was loaded again. */
  conversation(): Promise<Conversation>;
  /** What has left this computer, and where to. */
  departed(): Promise<Departed>;
  /** Make this page the one that holds the session; the other is told. */
  takeOver(): Promise<Status>;
  /** End the exam with the quit password of its MSB Key; rejects with `quit_refused` when it is another one. */
  quit(password: string): Promise<Status>;
  /**
   * A header that states how this computer is locked, signed afresh by the agent. It is good for all requests to the address's
   * origin until `expiresMs`, or with `once` for one request to exactly this address.
   */
  attest(url: string | URL, how?: { once?: boolean }): Promise<Attestation>;
  /**
   * `fetch` of this page's own origin with an attestation that is good for this one request:
   *
   *     const answer = await proctor.attestedFetch("/exam/answers", { method: "POST", body });
   *
   * It never tries twice. Rejects with `url_elsewhere` for another origin, and as attest() and fetch() do.
   */
  attestedFetch(url: string | URL, init?: RequestInit): Promise<Response>;
  /** As setListener("warning", listener); what it returns ends it. */
  onWarning(listener: Listener["warning"]): () => void;
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

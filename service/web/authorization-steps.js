// @ts-check
/*
 * The authorization desk as a table of steps: what each says, and which parts and buttons it has. Pure: of a Status
 * (contract/page.py) and of what the page knows beyond it comes all that is to be seen.
 */

/** @typedef {"photo" | "id_card"} Identity */
/** @typedef {"consent" | Identity | "review" | "submitted" | "authorized" | "rejected"} Step */
/** @typedef {import("./authorization.js").Outcome} Outcome */

/**
 * What the page knows beyond the status: pictures that were taken in it, the one that is looked at or to be taken again (`at`), and
 * which of the two it is; the last answer to the terms; what the camera showed last.
 * @typedef {{shots: Map<Identity, any>, at: Identity | "", looking: boolean, declined: boolean, frame: any}} Own
 */

/**
 * All that is to be seen. `camera` is how a picture's camera is, and "" where the step has none.
 * @typedef {{step: Step, camera: "off" | "live" | "shot" | "", title: string, progress: string, state: string, words: string,
 *            terms: [string, string | string[]][] | null, shot: any, frame: any, kept: {of: Identity, shot: any}[] | null,
 *            buttons: string[]}} Seen
 */

const BEFORE_START = ["registered", "awaiting_authorization"]; // also with a decision: Start is not possible yet
const OVER = ["ending", "draining", "ended"];

/** @type {Record<string, string>} */
const CAPTURES = {
  screen: "Your screen",
  webcam: "The picture of your camera",
  audio: "The sound of your microphone",
  photo: "A photo of you, taken before the start",
  id_card: "A picture of your ID card, taken before the start",
};

/** Of each picture: its names, and what to do while the camera is closed, open, or has taken it. */
export const PICTURES = {
  photo: {
    name: "Photo",
    again: "Take the photo again",
    alt: "The photo that was taken of you",
    off: "The camera opens when you press the button. A picture is taken only when you say so.",
    live: "Look into the camera, and take the picture when you are ready.",
    shot: "Is your face seen well? If not, take the picture again.",
  },
  id_card: {
    name: "ID card",
    again: "Take the ID card again",
    alt: "The picture that was taken of your ID card",
    off: "Have your ID card ready. The camera opens when you press the button.",
    live: "Hold your ID card so that it fills the frame, and take the picture.",
    shot: "Can the card be read well? If not, take the picture again.",
  },
};

/** @type {Record<Step, {title: string, state: string, buttons: string[]}>} */
const STEPS = {
  consent: {
    title: "Before you begin",
    state: "Please read what is captured, and decide whether you agree.",
    buttons: ["accept", "decline"],
  },
  photo: { title: "Your photo", state: "", buttons: [] },
  id_card: { title: "Your ID card", state: "", buttons: [] },
  review: {
    title: "Hand in",
    state: "A proctor looks at what you hand in, and decides whether you may start.",
    buttons: ["submit"],
  },
  submitted: {
    title: "Waiting for the proctor",
    state: "All is handed in, and there is nothing you need to do. The proctor's decision appears here.",
    buttons: [],
  },
  authorized: { title: "You may start", state: "The proctor has let you in.", buttons: [] },
  rejected: {
    title: "You may not start",
    state: "The proctor has not let you in. Ask the exam's staff how to go on.",
    buttons: [],
  },
};
const CAMERA_BUTTONS = { off: ["start-camera"], live: ["take"], shot: ["use", "retake"] };

const DECLINED = "You did not agree, so the exam cannot start, and nothing is captured. You can still agree.";
const AGENT_AWAY = "The SecureProctor agent is away. This page goes on by itself as soon as it is back.";
const LINK_AWAY = "The connection is away. What you handed in is sent by itself as soon as it is back.";

/** Whether there is anything to show. @param {any} status */
export function isShown({ state, authorization }) {
  if (!authorization) return false;
  const { step } = authorization;
  return state === "awaiting_authorization" || step === "rejected" || (state === "ready" && step === "authorized");
}

/** What came of it, or null while that is open. @param {any} status @returns {Outcome | null} */
export function outcomeOf({ state, authorization }) {
  if (!authorization) return state === "idle" ? null : { decision: "off", text: "" };
  const { step, text } = authorization;
  if (step === "rejected" || (step === "authorized" && !BEFORE_START.includes(state))) return { decision: step, text };
  return OVER.includes(state) ? { decision: "ended", text } : null;
}

/** The picture that a step is about, or "". @param {Step} step @returns {Identity | ""} */
export const pictureOf = (step) => (step === "photo" || step === "id_card" ? step : "");

/** Where the candidate is. @param {any} authorization @param {Own} own @returns {Step} */
export function stepOf({ step, wanted, taken }, { at }) {
  if (step !== "capture") return step;
  return at || wanted.find((/** @type {Identity} */ of) => !taken.includes(of)) || "review";
}

/** @param {any} status @param {boolean} connected to the agent @param {Own} own @returns {Seen} */
export function seen(status, connected, own) {
  const { authorization, link } = status;
  const step = stepOf(authorization, own);
  const of = pictureOf(step);
  const camera = of && cameraOf(of, authorization, own);
  const usual = of && camera ? PICTURES[of][camera] : STEPS[step].state;
  return {
    step,
    camera,
    title: STEPS[step].title,
    progress: progress(step, authorization),
    state: connected ? exception(step, link, own) || usual : AGENT_AWAY,
    words: authorization.text,
    terms: step === "consent" ? facts(authorization.terms) : null,
    shot: camera === "shot" && of ? own.shots.get(of) : null,
    frame: camera === "live" ? own.frame : null,
    kept: step === "review" ? authorization.taken.map((/** @type {Identity} */ each) => keptOf(each, own)) : null,
    buttons: camera ? CAMERA_BUTTONS[camera] : STEPS[step].buttons,
  };
}

/** @param {Identity} of @param {any} authorization @param {Own} own */
function cameraOf(of, { preview }, { looking, shots }) {
  if (looking && shots.has(of)) return "shot";
  return preview ? "live" : "off";
}

/** @param {Step} step @param {any} link @param {Own} own */
function exception(step, link, { declined }) {
  if (step === "submitted" && !link.online) return LINK_AWAY;
  return step === "consent" && declined ? DECLINED : "";
}

/** @param {Identity} of @param {Own} own */
const keptOf = (of, { shots }) => ({ of, shot: shots.get(of) ?? null });

/** The place on the way; what the proctor asks for again is not counted again. @param {Step} step @param {any} authorization */
function progress(step, { terms, text }) {
  const pictures = Object.keys(PICTURES).filter((of) => terms.captures.includes(of));
  const way = ["consent", ...pictures, "review"];
  return text || !way.includes(step) ? "" : `Step ${way.indexOf(step) + 1} of ${way.length}`;
}

/** The terms as facts in words: of what, for whom, where, for how long. @param {any} terms @returns {[string, string | string[]][]} */
export function facts({ captures, exam, operator, service, kept_h, live_only }) {
  const retained = live_only
    ? `It is watched live and not recorded. What is noted of the session is kept for ${keptFor(kept_h)}.`
    : keptFor(kept_h);
  return [
    ["What is captured", captures.map((/** @type {string} */ each) => CAPTURES[each] ?? each.replaceAll("_", " "))],
    ["For whom", [operator, exam].filter(Boolean).join(", for ")],
    ["Where it goes", service],
    ["How long it is kept", retained],
  ];
}

/** @param {number} hours */
function keptFor(hours) {
  const [count, unit] = hours < 48 ? [Math.round(hours), "hour"] : [Math.round(hours / 24), "day"];
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

// @ts-check
/* The session's states and other codes in words, the same on every page. An unknown code of a newer peer is shown as it is. */

import { words } from "./dom.js";
import { RULES } from "./lockdown.js";

/** @type {Record<string, string>} */
const STATES = {
  idle: "Not registered",
  registered: "Registered",
  checked: "Checked",
  awaiting_authorization: "Waiting for authorization",
  ready: "Ready to start",
  starting: "Starting",
  running: "Running",
  paused: "Paused",
  ending: "Ending",
  draining: "Delivering the last evidence",
  ended: "Ended",
};

/** @type {Record<string, string>} */
const CAPTURED = { screen: "Screen", webcam: "Camera", audio: "Microphone", events: "Events", stills: "Pictures" };

/** @type {Record<string, string>} */
const COMMANDS = {
  pause: "Pause",
  resume: "Resume",
  end: "End",
  authorize: "Allow",
  reject: "Reject",
  resubmit: "Ask again",
  quality: "Quality",
  snapshot: "Snapshot",
  override: "Override",
};

/** @type {Record<string, string>} */
const STATUSES = {
  issued: "on its way",
  received: "received",
  applied: "in effect",
  unacknowledged: "in effect, not acknowledged",
};

/** @type {Record<string, string>} */
const ARGUMENTS = {
  photo: "the photo",
  id_card: "the ID card",
  both: "photo and ID card",
  full: "full",
  reduced: "reduced",
  least: "lowest",
  screen: "of the screen",
  webcam: "of the camera",
};

/** @type {Record<string, string>} */
const STILLS = { photo: "Photo", id_card: "ID card", screen: "Screen", webcam: "Camera", reference: "Reference" };

/** @type {Record<string, string>} */
const STEPS = {
  "": "Has not begun",
  consent: "Asked for consent",
  capture: "Takes the pictures",
  submitted: "Waits for your decision",
  authorized: "Allowed",
  rejected: "Rejected",
};

/** @param {string} state */
export const stateName = (state) => STATES[state] ?? words(state);

/** @param {string} stream */
export const streamName = (stream) => CAPTURED[stream] ?? words(stream);

/** @param {string} kind */
export const commandName = (kind) => COMMANDS[kind] ?? words(kind);

/** How far a command came. @param {string} status */
export const statusName = (status) => STATUSES[status] ?? words(status);

/** A command's argument, as it goes on after its name. @param {string} argument */
export const argumentName = (argument) => ARGUMENTS[argument] ?? RULES[argument]?.name ?? words(argument);

/** What a picture shows. @param {string} of */
export const stillName = (of) => STILLS[of] ?? words(of);

/** How far authorization came. @param {string} step */
export const stepName = (step) => STEPS[step] ?? words(step);

/** Flags whose code does not say it well enough. @type {Record<string, string>} */
const FLAGS = {
  LOCKDOWN_BROKEN: "Lockdown undone",
  TOLERANCE_EXCEEDED: "Left the exam window too often",
  FORBIDDEN_PROGRAM: "Forbidden program",
  SEVERAL_DISPLAYS: "Too many displays",
  REMOTE_SESSION: "Perhaps a remote session",
  VIRTUAL_MACHINE_SUSPECTED: "Perhaps a virtual machine",
  HIDDEN_WINDOW: "Window hidden from capture",
  INPUT_INJECTED: "Keys or clicks from a program",
  SCREENSHOT_TRIED: "Picture of the screen tried",
  BROWSER_GONE: "Secure browser gone",
  ATTESTATION_MISSING: "Lockdown not attested",
};

/** A flag's code as a sentence begins. @param {string} flag */
export function flagName(flag) {
  if (Object.hasOwn(FLAGS, flag)) return FLAGS[flag];
  const said = words(flag).toLowerCase();
  return said.charAt(0).toUpperCase() + said.slice(1);
}

// @ts-check
/* Who the candidate is, as far as it was looked at, and all single pictures of the session. */

import { byId, clock, dateTime, el } from "./dom.js";
import { argumentName, stepName, stillName } from "./states.js";
import { hintWords, pictureAt } from "./stills.js";

/** @type {Record<string, (identity: any) => string>} */
const DECIDED = {
  off: () => "Authorization was off: nobody looked at who the candidate is.",
  authorized: ({ decided_by, decided_ms }) => `Allowed${by(decided_by)}, ${dateTime(decided_ms)}.`,
  submitted: () => "Not decided: waits for a decision.",
  rejected: ({ decided_by, decided_ms }) => `Rejected${by(decided_by)}, ${dateTime(decided_ms)}.`,
};

/** @param {string} name */
const by = (name) => (name ? ` by ${name}` : "");

/** How far it came, in one line. @param {any} identity */
export const identityLine = ({ step }) =>
  step === "off" ? "Not looked at" : step === "submitted" ? "Waits for a decision" : stepName(step);

/** @param {any} report */
export function showIdentity({ identity, stills = [] }) {
  const { step, text, wanted = [], consent_ms, submitted_ms } = identity;
  byId("identity").dataset.step = step;
  const sentences = [
    DECIDED[step]?.(identity) ?? `Not decided: ${stepName(step).toLowerCase()}.`,
    text ? `“${text}”` : "",
    wanted.length ? `Still to be shown: ${wanted.map(argumentName).join(", ")}.` : "",
    consent_ms ? `Agreed to be proctored at ${clock(consent_ms)}.` : "",
    submitted_ms ? `Handed in at ${clock(submitted_ms)}.` : "",
  ];
  byId("identitySummary").textContent = sentences.filter(Boolean).join(" ");
  byId("identityPictures").replaceChildren(...shownAtTheDesk(identity));
  byId("pictures").hidden = !stills.length;
  byId("stills").replaceChildren(...stills.map(still));
}

/** @param {any} identity */
function shownAtTheDesk({ photo, id_card, reference, reference_error }) {
  const shown = [photo, id_card].filter(Boolean).map(still);
  if (reference) shown.push(picture("reference", reference, stillName("reference"), "of the exam", []));
  if (reference_error) shown.push(el("p", { class: "hint" }, `There is no reference photo: ${reference_error}`));
  return shown;
}

/** @param {any} each */
const still = ({ of, at_ms, url, hints }) => picture(of, url, stillName(of), clock(at_ms), hints);

/** @param {string} of @param {string} url @param {string} name @param {string} when @param {string[]} hints */
function picture(of, url, name, when, hints) {
  const address = pictureAt(url);
  const caption = el("figcaption", {}, el("strong", {}, name), ` ${when}`);
  if (hints.length) caption.append(el("span", { class: "warned" }, hintWords(hints).join(" · ")));
  return el(
    "figure",
    { "data-still": of },
    el(
      "a",
      { href: address, target: "_blank", rel: "noopener" },
      el("img", { src: address, alt: `${name}, ${when}`, loading: "lazy" }),
    ),
    caption,
  );
}

// @ts-check
/*
 * The authorization desk for exam pages: consent, photo, ID card, the proctor's decision.
 *
 *     import { showAuthorization } from "https://proctoring.example/authorization.js";
 *     const { decision } = await showAuthorization(proctor, document.getElementById("desk"));
 *     if (decision === "authorized" || decision === "off") await proctor.start();
 *
 * What it shows follows from the agent's status, so that a page that was loaded again, or a second tab, is at the right step.
 * This file is the door alone: the service serves it at its root, too, and all else lies in its folder `web`.
 *
 * For automation: section.authorization[data-step=consent|photo|id_card|review|submitted|authorized|rejected] holds the
 *   buttons [data-desk=accept|decline|start-camera|take|retake|use|submit|take-over], in the review retake-photo and retake-id_card,
 *   img[data-desk=preview|shot], in the review kept-photo and kept-id_card, [data-desk=state] (what to do now), [data-desk=hints],
 *   [data-desk=words] (the proctor's), [data-desk=terms] and [data-desk=fault].
 */

/** @typedef {import("./secureproctor.js").SecureProctor} SecureProctor */
/** @typedef {import("./authorization-steps.js").Outcome} Outcome */

const FOLDER = new URL(/\/web\/[^/]*$/.test(import.meta.url) ? "./" : "web/", import.meta.url);

/**
 * Show the desk in an element, and follow the session; call it once `init` is done. Resolves when Start is possible, or when it is
 * sure that it will not be: `decision` is `authorized`, `off` (authorization is not asked for), `rejected` or `ended`. The desk
 * goes on to show how things are, until `signal` is aborted: then it is taken away, and a promise that still waits is rejected.
 * @param {SecureProctor} proctor
 * @param {HTMLElement} element
 * @param {{signal?: AbortSignal, style?: string}} options `style`: the address of another stylesheet, "" for none
 * @returns {Promise<Outcome>}
 */
export async function showAuthorization(proctor, element, { signal, style = `${FOLDER}authorization.css` } = {}) {
  if (style) dress(new URL(style, document.baseURI).href);
  /** @type {typeof import("./authorization-desk.js")} */
  const { Desk } = await import(`${FOLDER}authorization-desk.js`);
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const desk = new Desk(proctor, resolve);
    element.append(desk.section);
    desk.open();
    signal?.addEventListener("abort", () => (desk.close(), reject(signal.reason)), { once: true });
  });
}

/** @param {string} href */
function dress(href) {
  if ([...document.querySelectorAll("link")].some((link) => link.href === href)) return;
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href });
  document.head.append(link);
}

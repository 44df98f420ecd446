// @ts-check
/* Single pictures of a session, in the words of those who judge them. */

import { words } from "./dom.js";

/** What the candidate was told of a picture (contract/stills.py HINTS), as a proctor reads it. @type {Record<string, string>} */
const HINTS = {
  no_face: "No face is seen",
  several_faces: "More than one face",
  face_small: "The face is far away",
  too_dark: "Too dark",
  too_bright: "Too bright",
  blurred: "Blurred",
  card_missing: "No card is seen",
  card_small: "The card does not fill the frame",
};

/** @param {string[]} hints */
export const hintWords = (hints) => hints.map((hint) => HINTS[hint] ?? words(hint));

/** @param {string} url relative to the service, which may lie below a path */
export const pictureAt = (url) => new URL(url.replace(/^\//, ""), document.baseURI).href;

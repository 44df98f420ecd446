// @ts-check
/*
 * What has left this computer, as the agent kept it. For automation: #departedShow fetches it, #departed holds the rows
 * [data-departed=<what>].
 */

import { byId, bytes, clock, el, table } from "./dom.js";
import { streamName } from "./states.js";

const NAMES = /** @type {Record<string, string>} */ ({ stills: "Pictures taken", chat: "Chat messages" });
const COLUMNS = ["What", "Pieces", "Size", "From", "To"];
const SEALED = "Pictures, sound and events were sealed on this computer: only the service can open them.";

/** @param {import("./secureproctor.js").Departed} departed */
export function showDeparted({ service, rows }) {
  const place = byId("departed");
  if (!rows.length) return place.replaceChildren(el("p", { class: "hint" }, "Nothing has left this computer."));
  const cells = rows.map((row) => [
    NAMES[row.what] ?? streamName(row.what),
    String(row.pieces),
    bytes(row.bytes),
    clock(row.first_ms),
    clock(row.last_ms),
  ]);
  const shown = table("What has left this computer", COLUMNS, cells);
  shown.querySelectorAll("tbody tr").forEach((/** @type {HTMLElement} */ line, /** @type {number} */ i) => {
    line.dataset.departed = rows[i].what;
  });
  return place.replaceChildren(el("p", {}, `To ${service}. ${SEALED}`), shown);
}

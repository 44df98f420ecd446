// @ts-check
/* The commands of a session, the newest first, each with the way it went: on its way, received, in effect, acknowledged, or why not. */

import { html } from "./console-html.js";
import { clock } from "./dom.js";
import { argumentName, commandName, statusName } from "./states.js";

/** A command's way, in its order. @type {{name: string, at: (command: any) => number | null, by?: (command: any) => string}[]} */
const WAY = [
  { name: "Issued", at: ({ issued_ms }) => issued_ms, by: ({ issued_by }) => issued_by },
  { name: "Received", at: ({ received_ms }) => received_ms },
  { name: "In effect", at: ({ applied_ms }) => applied_ms },
  { name: "Not acknowledged", at: ({ unacknowledged_ms }) => unacknowledged_ms },
  { name: "Acknowledged", at: ({ acknowledged_ms }) => acknowledged_ms, by: ({ acknowledged_by }) => acknowledged_by },
];

/** A command's name with what it is about. @param {{kind: string, argument?: string}} command */
export const commandWords = ({ kind, argument }) =>
  argument ? `${commandName(kind)}: ${argumentName(argument)}` : commandName(kind);

/** Its way so far: where it came, when, and by whom. @param {any} command @returns {{name: string, at: number, by: string}[]} */
export const wayOf = (command) =>
  WAY.map(({ name, at, by }) => ({ name, at: at(command) ?? 0, by: by?.(command) ?? "" })).filter(({ at }) => at);

/** @param {{commands: any[]}} props */
export function Commands({ commands }) {
  return html`<section class="card" aria-labelledby="commandsTitle">
    <h3 id="commandsTitle">Commands so far</h3>
    <ol class="commands" data-part="commands" tabindex="0" aria-label="Commands so far, the newest first">
      ${[...commands].reverse().map((each) => html`<${Row} key=${each.id} command=${each} />`)}
    </ol>
    ${!commands.length && html`<p class="hint">None yet.</p>`}
  </section>`;
}

/** @param {{command: any}} props */
function Row({ command }) {
  const { id, kind, status, text, reason } = command;
  return html`<li data-command=${id} data-kind=${kind} data-status=${status}>
    <p>
      <strong>${commandWords(command)}</strong>
      <span class="mark" data-mark=${status}>${statusName(status)}</span>
    </p>
    ${text && html`<p class="said">“${text}”</p>`} ${reason && html`<p class="why">${reason}</p>`}
    <ol class="way hint">
      ${wayOf(command).map(
        ({ name, at, by }) => html`<li>${name} <span class="number">${clock(at)}</span>${by ? ` by ${by}` : ""}</li>`,
      )}
    </ol>
  </li>`;
}

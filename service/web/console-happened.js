// @ts-check
/* What happened in a session, the newest first: events as facts, and between them the flags that the service draws from them. */

import { Component, html } from "./console-html.js";
import { clock, duration, words } from "./dom.js";
import { sentence } from "./incidents.js";
import { lockdownSentence } from "./lockdown-events.js";
import { argumentName, commandName, flagName, statusName, stillName, streamName } from "./states.js";

const SHOWN = 300;

/** @type {Record<string, (event: any) => string>} */
const SENTENCES = {
  session_started: () => "The session started.",
  session_ended: ({ detail }) => `The session ended${because(detail.reason)}.`,
  paused: ({ detail }) => `The test was paused${by(detail)}.`,
  resumed: ({ detail }) => `The test was resumed${by(detail)}.`,
  source_started: ({ stream }) => `${streamName(stream)}: capture began.`,
  source_lost: ({ stream, detail }) => `${streamName(stream)} delivers nothing${because(detail.code)}.`,
  source_recovered: ({ stream }) => `${streamName(stream)} delivers again.`,
  source_stopped: ({ stream }) => `${streamName(stream)}: capture ended.`,
  gap: ({ stream, detail }) => `There is no evidence of ${streamName(stream)}${because(detail.cause)}.`,
  link_lost: () => "The connection to the service was lost.",
  link_restored: () => "The connection to the service is back.",
  command: ({ detail }) => `${commandName(String(detail.command))}: ${statusName(String(detail.status))}.`,
  page_connected: () => "The exam page connected.",
  page_gone: () => "The exam page's connection closed.",
  page_hidden: () => "The exam page was hidden or lost the focus.",
  page_shown: () => "The exam page is seen again.",
  page_holds: ({ detail }) => `Another page holds the session${detail.taken_over ? ": it was taken over" : ""}.`,
  consent_given: () => "The candidate agreed to be proctored.",
  consent_refused: () => "The candidate did not agree.",
  still_taken: ({ detail }) => `A picture was taken: ${stillName(String(detail.of))}.`,
  authorization_submitted: () => "The candidate handed in what was wanted.",
  authorized: ({ detail }) => `The candidate was allowed to start${by(detail)}.`,
  rejected: ({ detail }) => `The candidate was rejected${by(detail)}${because(detail.reason)}.`,
  resubmit_requested: ({ detail }) => `Asked again${by(detail)}: ${argumentName(String(detail.wanted))}.`,
  quality_changed: ({ detail }) => `The quality is ${argumentName(String(detail.level))} from now on${by(detail)}.`,
  test_source: ({ stream }) => `${streamName(stream)}: a test source, named on the agent's command line.`,
  check: ({ detail }) => `Check System, ${words(String(detail.id))}: ${words(String(detail.status))}${because(detail.seen)}.`,
  preview_started: ({ detail }) => `The camera was opened for a preview: ${stillName(String(detail.of))}.`,
  preview_stopped: () => "The camera of the preview was closed.",
  message_unreadable: () => "The agent could not read a message of the service.",
  setting_not_enforced: ({ detail }) => `A setting has no effect here: ${words(String(detail.setting))}.`,
  acknowledgement_missing: ({ detail }) => `Nobody acknowledged in time: ${commandName(String(detail.command))}.`,
};

/** @param {any} detail */
const by = (detail) => (detail.by ? `, by ${words(String(detail.by))}` : "");

/** @param {unknown} reason */
const because = (reason) => (reason ? `: ${words(String(reason))}` : "");

/** An event in words. @param {any} event */
export function told(event) {
  const known = { ...event, detail: event.detail ?? {} };
  const plain = words(event.kind);
  const worded = sentence(known) || lockdownSentence(known) || SENTENCES[event.kind]?.(known);
  return worded || `${plain.charAt(0).toUpperCase()}${plain.slice(1)}.`;
}

export class Happened extends Component {
  flagsOnly = false;

  toggle = () => {
    this.flagsOnly = !this.flagsOnly;
    this.forceUpdate();
  };

  render() {
    const { snapshot, events } = this.props;
    const rows = this.#rows(snapshot, events);
    return html`<section class="card" aria-labelledby="happenedTitle">
      <div class="titled">
        <h3 id="happenedTitle">What happened</h3>
        <button type="button" data-action="flags-only" aria-pressed=${String(this.flagsOnly)} onclick=${this.toggle}>
          Flags only
        </button>
      </div>
      <ol class="happened" data-part="timeline" tabindex="0" aria-label="What happened, the newest first">
        ${rows.map(
          ({ key, at_ms, at_s, said, flag, kind, note }) =>
            html`<li key=${key} data-flag=${flag} data-event=${kind}>
              <span class="number hint">${clock(at_ms)}</span>
              <span class="number hint">${at_s === null ? "" : duration(at_s)}</span>
              <span>${said}${note && html` <span class="hint">${note}</span>`}</span>
            </li>`,
        )}
      </ol>
      ${!rows.length && html`<p class="hint">Nothing yet.</p>`}
    </section>`;
  }

  /** @param {any} snapshot @param {any[]} events */
  #rows({ flags = [], started_ms }, events) {
    const flagged = flags.map(
      (/** @type {any} */ { flag, start_s, end_s, confidence, note }, /** @type {number} */ i) => ({
        key: `flag-${i}`,
        flag,
        at_s: start_s,
        at_ms: (started_ms ?? 0) + start_s * 1000,
        said: flagName(flag),
        note: [
          end_s > start_s + 1 ? `until ${duration(end_s)}` : "",
          `confidence ${Math.round(confidence * 100)} %`,
          note,
        ]
          .filter(Boolean)
          .join(", "),
      }),
    );
    const facts = events.map((event, i) => ({
      key: `${event.kind}-${event.at_ms}-${i}`,
      kind: event.kind,
      at_s: started_ms === null || event.at_s < 0 ? null : event.at_s,
      at_ms: event.at_ms,
      said: told(event),
    }));
    return [...(this.flagsOnly ? [] : facts), ...flagged].sort((a, b) => b.at_ms - a.at_ms).slice(0, SHOWN);
  }
}

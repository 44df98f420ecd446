// @ts-check
/*
 * How each rule of the lockdown stands on the candidate's computer, and who the secure browser is. What the exam requires and this
 * computer cannot enforce keeps the exam from starting, until the proctor lets it pass: with a reason, which goes on the record.
 */

import { createRef, Component, html } from "./console-html.js";
import { nameOf, OVER } from "./console-order.js";
import { words } from "./dom.js";
import { browserName, inOrder, PROOFS, ruleName, RULES, standingName, STANDINGS, stopsStart } from "./lockdown.js";

const COLUMNS = ["Rule", "Here", "Why, and what happened"];

export class Rules extends Component {
  reason = createRef();
  dialog = createRef();
  /** The rule that is asked about. */ asking = "";

  render() {
    const { snapshot, detail } = this.props;
    const { rules = [], browser } = detail;
    if (!rules.length && !browser) return null;
    return html`<section class="card rules" data-part="rules" aria-labelledby="rulesTitle">
      <h3 id="rulesTitle">Lockdown</h3>
      ${browser && html`<${SecureBrowser} browser=${browser} />`}
      ${
        rules.length > 0 &&
        html`<table>
          <caption>
            The rules of the lockdown
          </caption>
          <thead>
            <tr>
              ${COLUMNS.map((column) => html`<th scope="col">${column}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${inOrder(rules).map((status) => this.#row(status, OVER.includes(snapshot.state)))}
          </tbody>
        </table>`
      }
      ${this.asking && this.#question()}
    </section>`;
  }

  /** @param {any} status @param {boolean} over */
  #row(status, over) {
    const { rule, standing, required, holds, overridden } = status;
    const stops = stopsStart(status) && !over;
    return html`<tr
      key=${rule}
      data-rule=${rule}
      data-standing=${standing}
      data-holds=${String(holds)}
      data-required=${String(required)}
      data-overridden=${String(overridden)}
      data-stops=${String(stops)}
    >
      <td data-label=${COLUMNS[0]}>
        <div>
          <strong title=${RULES[rule]?.meaning}>${ruleName(rule)}</strong>
          ${required && html`<span class="needed">required</span>`}
        </div>
      </td>
      <td data-label=${COLUMNS[1]}>
        <div>
          <span class="standing" data-standing=${standing} title=${STANDINGS[standing]?.meaning}>${standingName(standing)}</span>
          ${holds && html`<span class="hint">in place</span>`}
        </div>
      </td>
      <td data-label=${COLUMNS[2]}>${this.#notes(status, stops)}</td>
    </tr>`;
  }

  /** @param {any} status @param {boolean} stops */
  #notes({ rule, why, remedy, sightings, overridden }, stops) {
    return html`<div>
      ${stops && html`<strong class="told">It stops the start.</strong>`} ${why}
      ${remedy && html`<span class="told hint">What the candidate is told to do: ${remedy}</span>`}
      ${overridden && html`<span class="told">${this.#overriding(rule)}</span>`}
      ${sightings > 0 && html`<span class="told warned">Seen or stopped ${sightings === 1 ? "once" : `${sightings} times`}</span>`}
      ${
        stops &&
        html`<button type="button" data-action="override" data-rule=${rule} onclick=${() => this.#ask(rule)}>
          Override …<span class="unseen"> ${ruleName(rule)}</span>
        </button>`
      }
    </div>`;
  }

  /** Who let it pass, and why, as the record has it. @param {string} rule */
  #overriding(rule) {
    const told = this.props.detail.events.findLast(
      (/** @type {any} */ { kind, detail }) => kind === "rule_overridden" && detail?.rule === rule,
    );
    const { by, reason } = told?.detail ?? {};
    return `Overridden${by ? ` by ${by}` : ""}: the exam goes on without it.${reason ? ` “${reason}”` : ""}`;
  }

  /** @param {string} rule */
  #ask(rule) {
    this.asking = rule;
    this.forceUpdate(() => this.dialog.current.showModal());
  }

  closed = () => {
    this.asking = "";
    this.forceUpdate();
  };

  /** @param {Event} event */
  confirmed = (event) => {
    event.preventDefault();
    const { snapshot, line } = this.props;
    const text = this.reason.current.value.trim();
    if (!text) return this.reason.current.focus();
    line.issue(snapshot.session_id, "override", { text, argument: this.asking });
    this.dialog.current.close();
  };

  #question() {
    const name = ruleName(this.asking);
    return html`<dialog class="ask" ref=${this.dialog} aria-labelledby="overrideTitle" onclose=${this.closed}>
      <form onsubmit=${this.confirmed}>
        <h3 id="overrideTitle">Let ${nameOf(this.props.snapshot)} take the test without “${name}”?</h3>
        <p>The exam requires it: ${RULES[this.asking]?.meaning ?? ""} Your name and your reason go on the record.</p>
        <label>
          Reason
          <input data-input="reason" ref=${this.reason} maxlength="4000" autocomplete="off" required />
        </label>
        <div class="buttons">
          <button class="danger" data-action="confirm">Override</button>
          <button type="button" data-action="cancel" onclick=${() => this.dialog.current.close()}>Go back</button>
        </div>
      </form>
    </dialog>`;
  }
}

/** @param {{browser: any}} props */
function SecureBrowser({ browser }) {
  const { proof, path, started_agent, why } = browser;
  return html`<p data-part="secure-browser" data-proof=${proof}>
    <span class="mark" data-mark=${proof}>${PROOFS[proof]?.name ?? words(proof)}</span> ${browserName(browser)}
    <span class="told hint"
      >${path} · ${PROOFS[proof]?.meaning ?? ""}${why ? ` ${why}` : ""}${started_agent ? " It started the agent." : ""}</span
    >
  </p>`;
}

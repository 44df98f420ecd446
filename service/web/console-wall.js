// @ts-check
/*
 * The wall of candidates. It arranges cards and draws none again: each follows its own session. Its order changes at most every
 * other second, and not under a proctor's hand.
 */

import { Component, html } from "./console-html.js";
import { Card } from "./console-card.js";
import { Glances } from "./console-glance.js";
import { arranged, FILTERS, reasons, SORTS } from "./console-order.js";

const WANTED = "secureproctor.wall";
const AGAIN_MS = 1500;
const HAND_MS = 3000;

const DEFAULTS = { text: "", state: "", group: "", sort: "attention" };

export class Wall extends Component {
  glances = new Glances();
  wanted = { ...DEFAULTS, ...JSON.parse(sessionStorage.getItem(WANTED) ?? "{}") };
  /** @type {string[]} */ ids = [];
  #drawn = "";
  #handMs = -HAND_MS;
  #timer = 0;
  #off = () => {};
  #waiting = false;

  componentDidMount() {
    const { state } = this.props.console;
    this.#off = state.on("list", () => this.#soon());
    this.#timer = setInterval(() => this.#arrange(), AGAIN_MS);
    document.title = "Candidates · SecureProctor Console";
    const left = this.props.last && document.querySelector(`[data-session="${CSS.escape(this.props.last)}"] a`);
    if (left instanceof HTMLElement) left.focus();
  }

  componentWillUnmount() {
    clearInterval(this.#timer);
    this.#off();
  }

  /** Fifty sessions that come at once are one drawing. */
  #soon() {
    if (this.#waiting) return;
    this.#waiting = true;
    setTimeout(() => {
      this.#waiting = false;
      this.forceUpdate();
    }, 20);
  }

  /** Draw again when the order is another one, unless somebody is about to press something. */
  #arrange() {
    const held = performance.now() - this.#handMs < HAND_MS || document.activeElement?.closest("#wall article");
    if (held) return;
    if (this.#arranged().join() + this.#summary() !== this.#drawn) this.forceUpdate();
  }

  #arranged() {
    const { state } = this.props.console;
    return arranged(state.sessions.values(), this.wanted, state.unseen);
  }

  #summary() {
    const { state } = this.props.console;
    const urgent = [...state.sessions.values()].filter((each) => reasons(each, state.unseen(each)).length).length;
    const count = `${this.ids.length} of ${state.sessions.size} candidates`;
    return urgent ? `${count}, ${urgent} ${urgent === 1 ? "needs" : "need"} attention` : count;
  }

  /** @param {string} name @param {string} value */
  want(name, value) {
    this.wanted = { ...this.wanted, [name]: value };
    sessionStorage.setItem(WANTED, JSON.stringify(this.wanted));
    this.forceUpdate();
  }

  render() {
    const { console } = this.props;
    this.ids = this.#arranged();
    const summary = this.#summary();
    this.#drawn = this.ids.join() + summary;
    return html`<div class="toolbar" role="search">
        ${this.#toolbar()}
        <p id="count" class="hint">${summary}</p>
      </div>
      <p id="empty" class="notice" hidden=${this.ids.length > 0}>${this.#nobody()}</p>
      <section id="wall" class="wall" aria-label="Candidates" onpointermove=${() => (this.#handMs = performance.now())}>
        ${this.ids.map((id) => html`<${Card} key=${id} id=${id} console=${console} glances=${this.glances} />`)}
      </section>`;
  }

  #nobody() {
    return this.props.console.state.sessions.size
      ? "No candidate fits the filter."
      : "No candidate has registered yet. They appear here by themselves.";
  }

  #toolbar() {
    const { state } = this.props.console;
    const groups = [...new Set([...state.sessions.values()].map(({ group_name }) => group_name))].sort();
    const labelled = (/** @type {Record<string, {label: string}>} */ table) =>
      Object.entries(table).map(([value, { label }]) => [value, label]);
    return html`<label>
        Find
        <input
          id="filter"
          type="search"
          placeholder="Name, id or group"
          value=${this.wanted.text}
          oninput=${(/** @type {any} */ event) => this.want("text", event.target.value)}
        />
      </label>
      ${this.#choice("filterState", "Show", "state", labelled(FILTERS))}
      ${this.#choice("filterGroup", "Group", "group", [["", "All groups"], ...groups.map((each) => [each, each])])}
      ${this.#choice("sort", "Sort by", "sort", labelled(SORTS))}`;
  }

  /** @param {string} id @param {string} label @param {string} name @param {string[][]} options */
  #choice(id, label, name, options) {
    return html`<label>
      ${label}
      <select id=${id} onchange=${(/** @type {any} */ event) => this.want(name, event.target.value)}>
        ${options.map(([value, said]) => html`<option value=${value} selected=${this.wanted[name] === value}>${said}</option>`)}
      </select>
    </label>`;
  }
}

// @ts-check
/* One candidate's page: what is seen and heard now, what was said, what can be ordered, and what happened. */

import { LinkMark, LockMarks, StateMark } from "./console-card.js";
import { Chat } from "./console-chat.js";
import { Commands } from "./console-commands.js";
import { Desk } from "./console-desk.js";
import { Enlarged } from "./console-enlarged.js";
import { createRef, Following, html } from "./console-html.js";
import { LiveView } from "./console-live.js";
import { coverage, nameOf } from "./console-order.js";
import { Orders } from "./console-orders.js";
import { Rules } from "./console-rules.js";
import { Stills } from "./console-stills.js";
import { Happened } from "./console-happened.js";
import { bytes } from "./dom.js";
import { argumentName } from "./states.js";

const DECIDED = ["authorized", "rejected"];
const EMPTY = { commands: [], chat: [], events: [], stills: [], identity: { step: "off" }, settings: {}, rules: [] };

export class Candidate extends Following {
  heading = createRef();
  /** @type {{list: any[], at: number} | null} */ large = null;

  topics() {
    const { id } = this.props;
    return [`session:${id}`, `detail:${id}`, `answer:${id}`, "line"];
  }

  componentDidMount() {
    super.componentDidMount();
    const { id, console } = this.props;
    console.line.open(id);
    this.#shown();
  }

  componentDidUpdate() {
    this.#shown();
  }

  componentWillUnmount() {
    super.componentWillUnmount();
    const { id, console } = this.props;
    console.state.sawFlags(id);
    console.state.answers.delete(id);
    console.line.shut(id);
  }

  #focused = false;

  /** The heading has the focus as soon as there is one: a screen reader says whose page this is. */
  #shown() {
    const { id, console } = this.props;
    const snapshot = console.state.sessions.get(id);
    if (!snapshot) return;
    document.title = `${nameOf(snapshot)} · SecureProctor Console`;
    console.state.sawFlags(id);
    if (this.#focused) return;
    this.#focused = true;
    this.heading.current?.focus();
    window.scrollTo(0, 0);
  }

  /** Show a picture large, among others of its kind. @param {any[]} list @param {number} at */
  enlarge = (list, at) => {
    this.large = { list, at };
    this.forceUpdate();
  };

  closed = () => {
    this.large = null;
    this.forceUpdate();
  };

  render() {
    const { id, console } = this.props;
    const snapshot = console.state.sessions.get(id);
    if (!snapshot)
      return html`<p class="notice">There is no such session, or not for you.</p>
        <p><a id="back" href="#/">All candidates</a></p>`;
    const detail = console.state.details.get(id) ?? EMPTY;
    const deciding = snapshot.authorization && !DECIDED.includes(snapshot.authorization_step);
    const rules = html`<${Rules} key="rules" snapshot=${snapshot} detail=${detail} line=${console.line} />`;
    const desk = snapshot.authorization && this.#desk(snapshot, detail, deciding);
    return html`<article
        id="candidate"
        data-session=${id}
        data-state=${snapshot.state}
        data-link=${snapshot.link}
        data-authorization=${snapshot.authorization ? snapshot.authorization_step : "off"}
        data-lockdown=${snapshot.lockdown ?? "off"}
        data-away=${snapshot.away ?? 0}
        aria-labelledby="candidateName"
      >
        ${this.#head(snapshot)}
        <div class="board">
          <div class="stack">
            ${snapshot.stopping > 0 && rules}
            ${deciding && desk}
            <${LiveView} key="live" snapshot=${snapshot} settings=${detail.settings} console=${console} />
            ${!deciding && desk}
            ${!snapshot.stopping && rules}
            <${Stills} stills=${detail.stills} enlarge=${this.enlarge} />
            <${Happened} snapshot=${snapshot} events=${detail.events} />
          </div>
          <div class="stack">
            <${Orders}
              key="orders"
              snapshot=${snapshot}
              settings=${detail.settings}
              answer=${console.state.answers.get(id)}
              line=${console.line}
            />
            <${Chat} key="chat" id=${id} chat=${detail.chat} line=${console.line} />
            <${Commands} commands=${detail.commands} />
          </div>
        </div>
      </article>
      ${this.large && html`<${Enlarged} ...${this.large} closed=${this.closed} />`}`;
  }

  /** @param {any} snapshot @param {any} detail @param {boolean} deciding */
  #desk(snapshot, { identity, settings }, deciding) {
    const { id, console } = this.props;
    return html`<${Desk}
      key="desk"
      snapshot=${snapshot}
      identity=${identity}
      settings=${settings}
      deciding=${deciding}
      enlarge=${this.enlarge}
      id=${id}
      line=${console.line}
    />`;
  }

  /** @param {any} snapshot */
  #head(snapshot) {
    const name = nameOf(snapshot);
    const { session_id, user_id, user_name, group_name, access, backlog_segments, backlog_bytes, quality } = snapshot;
    const report = new URL(`report/${encodeURIComponent(session_id)}`, document.baseURI);
    report.searchParams.set("access", access);
    const covered = coverage(snapshot);
    return html`<header class="who">
      <a id="back" class="button" href="#/">All candidates</a>
      <div>
        <h2 id="candidateName" tabindex="-1" ref=${this.heading}>${name}</h2>
        <p class="hint">${user_name ? `${user_id} · ` : ""}${group_name}</p>
      </div>
      <p class="marks">
        <${StateMark} snapshot=${snapshot} /><${LinkMark} snapshot=${snapshot} /><${LockMarks} snapshot=${snapshot} />
        ${quality !== "full" && html`<span class="mark" data-mark="warned" data-part="quality">${argumentName(quality)} quality</span>`}
        ${covered !== null && html`<span class="mark" data-part="coverage">${covered.toFixed(1)} % covered</span>`}
        ${
          backlog_segments > 0 &&
          html`<span class="mark" data-mark="warned" data-part="backlog"
            >${backlog_segments} segments wait (${bytes(backlog_bytes)})</span
          >`
        }
      </p>
      <a class="button" data-part="report" href=${report.href} target="_blank" rel="noopener">Report</a>
    </header>`;
  }
}

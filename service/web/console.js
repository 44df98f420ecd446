// @ts-check
/*
 * The proctor's console: log-in, the wall of candidates, one candidate's page, the proctors' accounts. This file puts it together.
 *
 * Addresses: `#/` the wall · `#/session/<id>` a candidate · `#/accounts` · `#key=<key>` opens it without a log-in.
 *
 * Element ids and attributes, stable for automation:
 *   #connection (data-connected) · #who (data-role) · #logout · #announce: what a screen reader is told
 *   #login (form) #loginName #loginPassword #loginSubmit #loginError
 *   #wall, in it article[data-session=<id>][data-state][data-link][data-authorization][data-lockdown=<phase>][data-away] with
 *     [data-action=open], img[data-thumbnail=screen|webcam] (data-place: which record it shows),
 *     [data-part=link|flags|attention|coverage|backlog|lockdown|away|browser|attested]
 *   #filter (text) #filterState #filterGroup #sort · #count · #empty
 *   #candidate[data-session][data-state][data-link][data-authorization][data-lockdown][data-away] · #back
 *     buttons [data-action=pause|resume|end|authorize|reject|resubmit-photo|resubmit-id_card|resubmit-both|
 *       quality-full|quality-reduced|quality-least|snapshot-screen|snapshot-webcam], [data-input=reason]
 *     end and reject ask first: [data-action=confirm] / [data-action=cancel] · [data-part=answer] (refusals)
 *     [data-part=rules] rows [data-rule=<id>][data-standing][data-holds][data-required][data-overridden], with
 *       [data-action=override][data-rule=<id>], which asks first: [data-input=reason] [data-action=confirm|cancel] ·
 *       [data-part=secure-browser][data-proof]
 *     [data-part=commands] rows [data-command=<id>][data-kind][data-status]
 *     [data-part=chat] li[data-message=<id>][data-sender=proctor|candidate][data-mark=sent|delivered|read],
 *       [data-input=chat] [data-action=say]
 *     [data-part=timeline] li[data-event=<kind>] and li[data-flag=<flag>] · [data-action=flags-only][aria-pressed]
 *     [data-part=desk] with img[data-still=photo|id_card|reference] · [data-part=stills] · #enlarged (dialog)
 *     video[data-live=screen|webcam] (data-behind: seconds behind live; data-stale), [data-action=sound][aria-pressed]
 *     [data-part=state|link|quality|backlog|coverage] · [data-part=report] (link)
 *   super proctors: #accountsOpen · #accounts with rows [data-proctor=<name>] ([data-action=edit|remove]),
 *     form #accountForm #accountName #accountPassword #accountRole #accountGroups #accountDisabled #accountSave, #accountError
 */

import { Accounts } from "./console-accounts.js";
import { announcing } from "./console-announce.js";
import { Candidate } from "./console-candidate.js";
import { Following, html, render } from "./console-html.js";
import { Line } from "./console-line.js";
import { LogIn } from "./console-login.js";
import { State } from "./console-state.js";
import { Wall } from "./console-wall.js";
import { byId } from "./dom.js";
import { LiveLine } from "./live.js";

const ROLES = /** @type {Record<string, string>} */ ({ proctor: "Proctor", super: "Super proctor" });

/** All that the components share. @typedef {{state: State, line: Line, live: LiveLine}} Console */

/** @param {string} hash @returns {[string, string]} the page and what of it */
function routed(hash) {
  const [page = "", of = ""] = hash.replace(/^#\/?/, "").split("/");
  return [page, decodeURIComponent(of)];
}

class App extends Following {
  /** The candidate whose page was left. */ last = "";
  route = routed(location.hash);

  topics() {
    return ["me", "line"];
  }

  componentDidMount() {
    super.componentDidMount();
    window.addEventListener("hashchange", () => {
      if (this.route[0] === "session") this.last = this.route[1];
      this.route = routed(location.hash);
      this.forceUpdate();
    });
  }

  render() {
    const { state, line } = this.props.console;
    return html`<${Bar} console=${this.props.console} />
      <main>${line.who ? (state.me ? this.page() : html`<p class="hint">Connecting …</p>`) : this.logIn()}</main>`;
  }

  logIn() {
    return html`<${LogIn} console=${this.props.console} />`;
  }

  page() {
    const [page, of] = this.route;
    const { console } = this.props;
    if (page === "session") return html`<${Candidate} key=${of} id=${of} console=${console} />`;
    if (page === "accounts" && console.state.me.role === "super") return html`<${Accounts} console=${console} />`;
    return html`<${Wall} console=${console} last=${this.last} />`;
  }
}

/** @param {{console: Console}} props */
function Bar({ console: { state, line } }) {
  const { me, connected } = state;
  const said = connected ? "Connected" : "Not connected; trying again";
  return html`<header class="bar">
    <h1>
      <a href="#/">SecureProctor <span>Console</span></a>
    </h1>
    <p id="connection" class="hint" role="status" data-connected=${String(connected)}>${line.who ? said : ""}</p>
    ${
      me &&
      line.who &&
      html`<nav aria-label="Console">
        <span id="who" class="hint" data-role=${me.role}>${me.name} · ${ROLES[me.role] ?? me.role}</span>
        ${me.role === "super" && html`<a id="accountsOpen" class="button" href="#/accounts">Proctors</a>`}
        <button type="button" id="logout" onclick=${() => line.leave()}>Log out</button>
      </nav>`
    }
  </header>`;
}

const state = new State();
const line = new Line(state);
const shared = { state, line, live: new LiveLine(line.hello) };
announcing(state, byId("announce"));
render(html`<${App} console=${shared} />`, byId("app"));

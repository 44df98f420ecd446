// @ts-check
/* One candidate on the wall. A card follows its own session and is drawn again for nothing else. */

import { Component, createRef, Following, html } from "./console-html.js";
import { coverage, nameOf, OVER, reasons } from "./console-order.js";
import { clock, duration, lasting, words } from "./dom.js";
import { PHASES, phaseName, PROOFS } from "./lockdown.js";
import { flagName, stateName, streamName } from "./states.js";

const FLAGS_SHOWN = 2;
const PLENTY_PCT = 99;
const PICTURES = ["screen", "webcam"];
const OPEN_PHASES = ["probed", "locked", "lifted", "stuck"];
/** Attestations come with each heartbeat, every five seconds. */
const LATE_S = 15;

/** @param {string} id */
export const candidatePage = (id) => `#/session/${encodeURIComponent(id)}`;

/**
 * The link in words. How long the session holds out is counted from the moment at which the service said it: the clocks of
 * the service and of this computer need not agree.
 * @param {any} snapshot
 */
export function linkText({ link, state, heard_ms, expires_in_s, arrived }) {
  if (link === "never") return "not connected yet";
  if (link !== "offline" || heard_ms === null || state === "ended") return link;
  const since = `offline since ${clock(heard_ms)}`;
  if (expires_in_s === null || expires_in_s === undefined) return since;
  const left = Math.ceil(expires_in_s - (performance.now() - arrived) / 1000);
  return left > 0 ? `${since}, ends in ${duration(left)}` : `${since}, ends now`;
}

/** The link, which counts by itself while a session runs out. */
export class LinkMark extends Component {
  timer = 0;

  componentDidMount() {
    this.timer = setInterval(() => this.props.snapshot.link === "offline" && this.forceUpdate(), 1000);
  }

  componentWillUnmount() {
    clearInterval(this.timer);
  }

  render() {
    const { snapshot } = this.props;
    const mark = snapshot.state === "ended" ? "" : snapshot.link;
    return html`<span class="mark" data-part="link" data-mark=${mark}>${linkText(snapshot)}</span>`;
  }
}

/** @param {{snapshot: any}} props */
export function StateMark({ snapshot: { state, end_reason } }) {
  const said = stateName(state) + (end_reason ? `: ${words(end_reason)}` : "");
  return html`<span class="mark" data-part="state" data-mark=${state}>${said}</span>`;
}

/**
 * For how many seconds nothing was attested, when that is too long, else null; counted on from when the service said it.
 * @param {any} snapshot
 * @returns {number | null}
 */
function late({ attested_s, arrived, state }) {
  if (attested_s === null || attested_s === undefined || attested_s < LATE_S || OVER.includes(state)) return null;
  return attested_s + (performance.now() - arrived) / 1000;
}

/** The lockdown at a glance: its phase, leaving the exam window, the secure browser, and when attestations stay away. */
export class LockMarks extends Component {
  timer = 0;

  componentDidMount() {
    this.timer = setInterval(() => late(this.props.snapshot) !== null && this.forceUpdate(), 1000);
  }

  componentWillUnmount() {
    clearInterval(this.timer);
  }

  render() {
    const { snapshot } = this.props;
    const { lockdown = "off", away = 0, browser = "" } = snapshot;
    const missing = late(snapshot);
    const open = OPEN_PHASES.includes(lockdown);
    return html`${
      lockdown !== "off" &&
      html`<span class="mark" data-part="lockdown" data-mark=${open ? lockdown : ""} title=${PHASES[lockdown]?.meaning}
        >${phaseName(lockdown)}</span
      >`
    }
    ${away > 0 && html`<span class="mark" data-part="away" data-mark="warned">${away}× away</span>`}
    ${
      browser !== "" &&
      html`<span class="mark" data-part="browser" data-mark=${browser} title=${PROOFS[browser]?.meaning}
        >${PROOFS[browser]?.name ?? words(browser)}</span
      >`
    }
    ${missing !== null && html`<span class="mark" data-part="attested" data-mark="late">Not attested for ${lasting(missing)}</span>`}`;
  }
}

/** A small picture that keeps itself fresh. */
class Thumbnail extends Component {
  image = createRef();
  over = () => {};

  componentDidMount() {
    this.over = this.props.glances.watch(this.image.current, () => this.address());
  }

  componentWillUnmount() {
    this.over();
  }

  shouldComponentUpdate() {
    return false;
  }

  address() {
    const { id, stream, width, state } = this.props;
    const snapshot = state.sessions.get(id);
    const newest = snapshot?.streams[stream];
    if (!newest?.segments || newest.seq === 0) return null;
    const place = `${newest.epoch}-${newest.seq}`;
    const url = new URL(`v1/sessions/${encodeURIComponent(id)}/media/${stream}/thumbnail.jpg`, document.baseURI);
    url.search = new URLSearchParams({ access: snapshot.access, w: String(width), at: place }).toString();
    return { place, url: url.href };
  }

  render() {
    const { stream, name } = this.props;
    return html`<img
      ref=${this.image}
      class=${stream}
      data-thumbnail=${stream}
      alt=${`${streamName(stream)} of ${name}`}
    />`;
  }
}

export class Card extends Following {
  topics() {
    return [`session:${this.props.id}`];
  }

  shouldComponentUpdate() {
    return false; // its own topic draws it again
  }

  render() {
    const { id, console, glances } = this.props;
    const snapshot = console.state.sessions.get(id);
    if (!snapshot) return null;
    const name = nameOf(snapshot);
    const unseen = console.state.unseen(snapshot);
    const why = reasons(snapshot, unseen);
    return html`<article
      class=${`candidate${snapshot.state === "ended" ? " over" : ""}${why.length ? " urgent" : ""}`}
      data-session=${id}
      data-state=${snapshot.state}
      data-link=${snapshot.link}
      data-authorization=${snapshot.authorization ? snapshot.authorization_step : "off"}
      data-lockdown=${snapshot.lockdown ?? "off"}
      data-away=${snapshot.away ?? 0}
      aria-labelledby=${`name-${id}`}
    >
      <div class="pictures">
        <span class="none">${OVER.includes(snapshot.state) ? "Ended" : "No picture yet"}</span>
        ${PICTURES.map(
          (stream) =>
            html`<${Thumbnail}
              key=${stream}
              id=${id}
              stream=${stream}
              name=${name}
              width=${stream === "screen" ? 320 : 160}
              state=${console.state}
              glances=${glances}
            />`,
        )}
      </div>
      ${why.length > 0 && html`<p class="why" data-part="attention">${why.join(" · ")}</p>`}
      <div class="about">
        <h3 id=${`name-${id}`}><a data-action="open" href=${candidatePage(id)}>${name}</a></h3>
        <p class="hint">${snapshot.group_name}${snapshot.user_name ? ` · ${snapshot.user_id}` : ""}</p>
        <p class="marks">
          <${StateMark} snapshot=${snapshot} /><${LinkMark} snapshot=${snapshot} /><${LockMarks} snapshot=${snapshot} />
        </p>
        <${Figures} snapshot=${snapshot} />
        <${Flags} flags=${snapshot.flags ?? []} />
      </div>
    </article>`;
  }
}

/** @param {{snapshot: any}} props */
function Figures({ snapshot }) {
  const covered = coverage(snapshot);
  const { backlog_segments } = snapshot;
  if (covered === null && !backlog_segments) return null;
  return html`<p class="figures hint">
    ${
      covered !== null &&
      html`<span data-part="coverage" class=${covered < PLENTY_PCT ? "warned" : ""}
        >${covered.toFixed(1)} % covered</span
      >`
    }
    ${backlog_segments > 0 && html`<span data-part="backlog" class="warned">${backlog_segments} segments wait</span>`}
  </p>`;
}

/** @param {{flags: any[]}} props */
function Flags({ flags }) {
  if (!flags.length) return null;
  const newest = flags.slice(-FLAGS_SHOWN).reverse();
  const more = flags.length - newest.length;
  return html`<ul class="flags" data-part="flags" aria-label="Flags">
    ${newest.map(({ flag, start_s }) => html`<li>${flagName(flag)} <span class="number">${duration(start_s)}</span></li>`)}
    ${more > 0 && html`<li class="more">${more} more</li>`}
  </ul>`;
}

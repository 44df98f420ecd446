// @ts-check
/* The live view of one candidate: screen and camera now, and the sound when it is wanted, in step with the camera. */

import { Component, createRef, html } from "./console-html.js";
import { OVER, UNDER_WAY } from "./console-order.js";
import { Feed } from "./live-feed.js";
import { streamName } from "./states.js";

const PICTURES = ["screen", "webcam"];
const CAPTURING = ["starting", ...UNDER_WAY];

export class LiveView extends Component {
  sound = false;

  shouldComponentUpdate(/** @type {any} */ next) {
    const now = this.props;
    return (
      now.snapshot.state !== next.snapshot.state ||
      now.snapshot.link !== next.snapshot.link ||
      now.settings !== next.settings
    );
  }

  toggle = () => {
    this.sound = !this.sound;
    this.forceUpdate();
  };

  render() {
    const { snapshot, settings, console } = this.props;
    if (!CAPTURING.includes(snapshot.state)) return this.#nothing(snapshot.state);
    const shown = PICTURES.filter((stream) => stream !== "screen" || settings.screenCapture !== false);
    const heard = settings.audioProctoring !== false;
    return html`<section class="live" aria-label="Live view">
      ${shown.map((stream) => html`<${LiveVideo} key=${stream} stream=${stream} snapshot=${snapshot} console=${console} parent=${this} />`)}
      <div class="live-controls">
        <button
          type="button"
          data-action="sound"
          aria-pressed=${String(this.sound)}
          disabled=${!heard}
          onclick=${this.toggle}
        >
          ${!heard ? "No sound is captured" : this.sound ? "Sound is on" : "Sound is off"}
        </button>
        ${this.sound && html`<${LiveSound} key="sound" snapshot=${snapshot} console=${console} parent=${this} />`}
      </div>
    </section>`;
  }

  /** @param {string} state */
  #nothing(state) {
    const why = OVER.includes(state)
      ? "The session is over; what was recorded is in its report."
      : "Nothing is captured before the start.";
    return html`<section class="card" aria-labelledby="liveTitle">
      <h3 id="liveTitle">Live view</h3>
      <p class="hint">${why}</p>
    </section>`;
  }

  /** The camera's feed, which the sound keeps in step with. @type {Feed | null} */
  webcam = null;
}

class LiveVideo extends Component {
  video = createRef();
  /** @type {import("./live-feed.js").Shown} */ shown = { behind: null, stale: false, playable: true };
  /** @type {Feed | null} */ feed = null;
  over = () => {};

  componentDidMount() {
    const { stream, snapshot, console, parent } = this.props;
    this.feed = new Feed(this.video.current, console.state.now, this.show);
    this.over = console.live.watch(snapshot.session_id, stream, this.feed);
    if (stream === "webcam") parent.webcam = this.feed;
  }

  componentWillUnmount() {
    this.over();
    this.feed?.close();
    if (this.props.parent.webcam === this.feed) this.props.parent.webcam = null;
  }

  /** @param {import("./live-feed.js").Shown} shown */
  show = (shown) => {
    const rounded = { ...shown, behind: shown.behind === null ? null : Math.round(shown.behind * 10) / 10 };
    const same = Object.entries(rounded).every(([name, value]) => /** @type {any} */ (this.shown)[name] === value);
    this.shown = rounded;
    if (!same) this.forceUpdate();
  };

  #words() {
    const { behind, stale, playable } = this.shown;
    if (!playable) return "This browser cannot play it.";
    if (behind === null) return this.props.snapshot.state === "paused" ? "Paused; no picture yet" : "No picture yet";
    return stale ? `Nothing new for ${Math.round(behind)} s` : "";
  }

  render() {
    const { stream } = this.props;
    const { behind, stale } = this.shown;
    const cover = this.#words();
    return html`<figure class=${`view ${stream}`}>
      <video
        ref=${this.video}
        muted
        playsinline
        data-live=${stream}
        data-behind=${behind === null ? null : behind.toFixed(1)}
        data-stale=${String(stale)}
        aria-label=${`${streamName(stream)}, live`}
      ></video>
      <figcaption>
        ${streamName(stream)}${behind !== null && html` <span class="number">${behind.toFixed(1)} s behind</span>`}
      </figcaption>
      <p class=${behind === null ? "cover" : "cover part"} hidden=${!cover}>${cover}</p>
      <button
        type="button"
        class="corner"
        data-action=${`large-${stream}`}
        aria-label=${`${streamName(stream)} on the whole screen`}
        onclick=${() => this.video.current.requestFullscreen()}
      >
        <svg viewBox="0 0 12 12" aria-hidden="true"><path d="M1 4V1h3M8 1h3v3M11 8v3H8M4 11H1V8" /></svg>
      </button>
    </figure>`;
  }
}

class LiveSound extends Component {
  audio = createRef();
  /** @type {Feed | null} */ feed = null;
  over = () => {};

  componentDidMount() {
    const { snapshot, console, parent } = this.props;
    this.feed = new Feed(this.audio.current, console.state.now, () => {
      if (this.feed) this.feed.leader = parent.webcam;
    });
    this.over = console.live.watch(snapshot.session_id, "audio", this.feed);
  }

  componentWillUnmount() {
    this.over();
    this.feed?.close();
  }

  shouldComponentUpdate() {
    return false;
  }

  render() {
    return html`<audio ref=${this.audio} data-live="audio"></audio>`;
  }
}

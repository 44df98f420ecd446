// @ts-check
/* The conversation with one candidate, with marks; what a proctor has had before their eyes is told to the candidate as read. */

import { Component, createRef, html } from "./console-html.js";
import { clock } from "./dom.js";

const MARKS = /** @type {Record<string, string>} */ ({ sent: "sent", delivered: "delivered", read: "read" });
const NEAR_PX = 40;

/** @param {any} message */
const markOf = ({ delivered_ms, read_ms }) => (read_ms ? "read" : delivered_ms ? "delivered" : "sent");

export class Chat extends Component {
  list = createRef();
  text = createRef();
  readUpTo = "";
  inSight = false;
  atEnd = true;
  /** @type {IntersectionObserver | null} */ sight = null;

  componentDidMount() {
    this.sight = new IntersectionObserver((seen) => {
      this.inSight = seen.at(-1)?.isIntersecting ?? false;
      this.seen();
    });
    this.sight.observe(this.list.current);
    document.addEventListener("visibilitychange", this.seen);
    this.componentDidUpdate();
  }

  componentWillUnmount() {
    this.sight?.disconnect();
    document.removeEventListener("visibilitychange", this.seen);
  }

  componentDidUpdate() {
    const list = this.list.current;
    if (this.atEnd) list.scrollTop = list.scrollHeight;
    this.seen();
  }

  /** The candidate's newest message is read when the conversation is in sight of a page that is shown. */
  seen = () => {
    const { id, chat, line } = this.props;
    const newest = chat.findLast((/** @type {any} */ each) => each.sender === "candidate");
    if (!this.inSight || document.hidden || !newest?.id || newest.read_ms || this.readUpTo === newest.id) return;
    if (line.read(id, newest.id)) this.readUpTo = newest.id;
  };

  /** The words stay in their field until the service has them. @param {Event} event */
  say = async (event) => {
    event.preventDefault();
    const field = this.text.current;
    const said = field.value.trim();
    if (!said || field.readOnly) return;
    field.readOnly = true;
    const refused = await this.props.line.say(this.props.id, said);
    field.readOnly = false;
    if (refused) return;
    field.value = "";
    this.atEnd = true;
  };

  scrolled = () => {
    const { scrollTop, scrollHeight, clientHeight } = this.list.current;
    this.atEnd = scrollHeight - scrollTop - clientHeight < NEAR_PX;
  };

  render() {
    const { chat } = this.props;
    return html`<section class="card" aria-labelledby="chatTitle">
      <h3 id="chatTitle">Chat</h3>
      <ul
        data-part="chat"
        class="conversation"
        role="log"
        aria-label="Chat"
        tabindex="0"
        ref=${this.list}
        onscroll=${this.scrolled}
      >
        ${chat.map(
          (/** @type {any} */ message) =>
            html`<li
              key=${`${message.sender}-${message.id || message.at_ms}`}
              data-message=${message.id}
              data-sender=${message.sender}
              data-mark=${markOf(message)}
            >
              <span class="hint">
                ${message.sender === "candidate" ? "Candidate" : message.by || "Proctor"}, ${clock(message.at_ms)}
              </span>
              ${message.text}
              ${message.sender === "proctor" && html`<span class="hint tick">${MARKS[markOf(message)]}</span>`}
            </li>`,
        )}
      </ul>
      <form class="say" onsubmit=${this.say}>
        <input
          data-input="chat"
          ref=${this.text}
          maxlength="4000"
          autocomplete="off"
          aria-label="Message to the candidate"
          placeholder="Message to the candidate"
        />
        <button data-action="say">Send</button>
      </form>
    </section>`;
  }
}

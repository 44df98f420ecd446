// @ts-check
/* The log-in: name and password for a token; who opened the service's own link does not see it. */

import { Component, createRef, html } from "./console-html.js";

export class LogIn extends Component {
  name = createRef();
  password = createRef();
  fault = "";
  busy = false;

  componentDidMount() {
    this.name.current.focus();
  }

  /** @param {Event} event */
  submit = async (event) => {
    event.preventDefault();
    this.busy = true;
    this.fault = this.props.console.state.refusal = "";
    this.forceUpdate();
    this.fault = await this.tried({ name: this.name.current.value.trim(), password: this.password.current.value });
    this.busy = false;
    this.forceUpdate();
    if (this.fault) this.password.current?.select();
  };

  /** @param {{name: string, password: string}} who @returns {Promise<string>} why not, or "" */
  async tried(who) {
    try {
      const body = JSON.stringify(who);
      const answer = await fetch(new URL("v1/proctor/login", document.baseURI), { method: "POST", body });
      const content = await answer.json();
      if (!answer.ok) return `${content.error.message} ${content.error.remedy ?? ""}`.trim();
      this.props.console.line.enter({ token: content.token });
      return "";
    } catch {
      return "The service does not answer. Check the connection, and try again.";
    }
  }

  render() {
    const fault = this.fault || this.props.console.state.refusal;
    return html`<form id="login" class="card gate" onsubmit=${this.submit} aria-labelledby="loginTitle">
      <h2 id="loginTitle">Log in to proctor</h2>
      <div class="field">
        <label for="loginName">Name</label>
        <input id="loginName" ref=${this.name} required maxlength="64" autocomplete="username" autocapitalize="none" />
      </div>
      <div class="field">
        <label for="loginPassword">Password</label>
        <input
          id="loginPassword"
          ref=${this.password}
          type="password"
          required
          maxlength="256"
          autocomplete="current-password"
          aria-describedby="loginError"
        />
      </div>
      <p id="loginError" class="fault" role="alert">${fault}</p>
      <button id="loginSubmit" class="primary" disabled=${this.busy} aria-busy=${String(this.busy)}>Log in</button>
      <p class="hint">The first super proctor comes by the link that the service prints at its start.</p>
    </form>`;
  }
}

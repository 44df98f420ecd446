// @ts-check
/* The proctors' accounts, for super proctors. */

import { Component, createRef, html } from "./console-html.js";

const ROLES = /** @type {Record<string, string>} */ ({ proctor: "Proctor", super: "Super proctor" });
const EMPTY = { name: "", role: "proctor", groups: [], disabled: false };

export class Accounts extends Component {
  heading = createRef();
  form = createRef();
  /** @type {any[] | null} */ proctors = null;
  fault = "";
  done = "";
  editing = EMPTY;
  /** @type {string | null} */ removing = null;

  componentDidMount() {
    document.title = "Proctors · SecureProctor Console";
    this.heading.current.focus();
    this.#load();
  }

  /** @param {string} path @param {object} how @returns {Promise<any>} the answer, or null when it was refused */
  async #call(path, how = {}) {
    this.fault = this.done = "";
    try {
      const headers = { Authorization: this.props.console.line.bearer };
      const answer = await fetch(new URL(`v1/proctors${path}`, document.baseURI), { headers, ...how });
      const content = answer.status === 204 ? {} : await answer.json();
      if (answer.ok) return content;
      this.fault = `${content.error.message} ${content.error.remedy ?? ""}`.trim();
    } catch {
      this.fault = "The service does not answer. Check the connection, and try again.";
    }
    this.forceUpdate();
    return null;
  }

  async #load() {
    const answer = await this.#call("");
    if (answer) this.proctors = answer.proctors;
    this.forceUpdate();
  }

  /** @param {Event} event */
  save = async (event) => {
    event.preventDefault();
    const { accountName, accountPassword, accountRole, accountGroups, accountDisabled } = this.form.current.elements;
    const name = accountName.value.trim();
    const groups = accountGroups.value
      .split(",")
      .map((/** @type {string} */ each) => each.trim())
      .filter(Boolean);
    const change = {
      role: accountRole.value,
      password: accountPassword.value,
      groups,
      disabled: accountDisabled.checked,
    };
    const saved = await this.#call(`/${encodeURIComponent(name)}`, { method: "PUT", body: JSON.stringify(change) });
    if (!saved) return;
    await this.#load();
    this.edit(EMPTY);
    this.done = `${name} is saved.`;
    this.forceUpdate();
  };

  /** @param {string} name */
  async remove(name) {
    this.removing = null;
    if (!(await this.#call(`/${encodeURIComponent(name)}`, { method: "DELETE" }))) return;
    await this.#load();
    this.done = `${name} is removed.`;
    this.forceUpdate();
  }

  /** @param {any} account */
  edit(account) {
    this.editing = account;
    this.form.current.reset();
    const { accountName, accountRole, accountGroups, accountDisabled } = this.form.current.elements;
    accountName.value = account.name;
    accountRole.value = account.role;
    accountGroups.value = account.groups.join(", ");
    accountDisabled.checked = account.disabled;
    this.forceUpdate();
    if (account !== EMPTY) accountName.focus();
  }

  render() {
    return html`<div id="accounts" class="stack">
      <p><a id="back" class="button" href="#/">All candidates</a></p>
      <section class="card" aria-labelledby="accountsTitle">
        <h2 id="accountsTitle" tabindex="-1" ref=${this.heading}>Proctors</h2>
        ${this.#table()}
      </section>
      ${this.#form()}
    </div>`;
  }

  #table() {
    if (!this.proctors) return html`<p class="hint">Loading …</p>`;
    if (!this.proctors.length)
      return html`<p class="hint">
        Nobody yet. Make the first account below; until then the console's link is the only way in.
      </p>`;
    const columns = ["Name", "Role", "Groups", ""];
    return html`<table>
      <caption>
        Proctors
      </caption>
      <thead>
        <tr>
          ${columns.map((each) => html`<th scope="col">${each || html`<span class="unseen">Change</span>`}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${this.proctors.map((each) => this.#row(each))}
      </tbody>
    </table>`;
  }

  /** @param {any} account */
  #row(account) {
    const { name, role, groups, disabled } = account;
    return html`<tr key=${name} data-proctor=${name}>
      <td data-label="Name">
        <strong>${name}</strong> ${disabled && html`<span class="mark" data-mark="refused">disabled</span>`}
      </td>
      <td data-label="Role">${ROLES[role] ?? role}</td>
      <td data-label="Groups">${role === "super" || !groups.length ? "All" : groups.join(", ")}</td>
      <td>
        <div class="buttons">
          <button type="button" data-action="edit" aria-label=${`Change ${name}`} onclick=${() => this.edit(account)}>
            Change
          </button>
          ${
            this.removing === name
              ? html`<button type="button" class="danger" data-action="confirm" onclick=${() => this.remove(name)}>
                    Remove ${name}
                  </button>
                  <button type="button" data-action="cancel" onclick=${() => this.#ask(null)}>Go back</button>`
              : html`<button
                  type="button"
                  class="danger"
                  data-action="remove"
                  aria-label=${`Remove ${name}`}
                  onclick=${() => this.#ask(name)}
                >
                  Remove
                </button>`
          }
        </div>
      </td>
    </tr>`;
  }

  /** @param {string | null} name */
  #ask(name) {
    this.removing = name;
    this.forceUpdate();
  }

  #form() {
    const known = this.editing.name !== "";
    return html`<form id="accountForm" class="card" ref=${this.form} onsubmit=${this.save} aria-labelledby="formTitle">
      <h2 id="formTitle">${known ? `Change ${this.editing.name}` : "New proctor"}</h2>
      <div class="fields">
        <div class="field">
          <label for="accountName">Name</label>
          <input id="accountName" required maxlength="64" autocomplete="off" autocapitalize="none" />
        </div>
        <div class="field">
          <label for="accountPassword">Password</label>
          <input
            id="accountPassword"
            type="password"
            maxlength="256"
            autocomplete="new-password"
            aria-describedby="passwordHint"
          />
          <p id="passwordHint" class="hint">Empty leaves the password of an account as it is.</p>
        </div>
        <div class="field">
          <label for="accountRole">Role</label>
          <select id="accountRole">
            ${Object.entries(ROLES).map(([role, said]) => html`<option value=${role}>${said}</option>`)}
          </select>
        </div>
        <div class="field">
          <label for="accountGroups">Groups</label>
          <input id="accountGroups" autocomplete="off" aria-describedby="groupsHint" />
          <p id="groupsHint" class="hint">Names with commas between them; empty means all. A super proctor sees all.</p>
        </div>
      </div>
      <label class="check"><input id="accountDisabled" type="checkbox" /> Disabled: may not log in</label>
      <p id="accountError" class="fault" role="alert">${this.fault}</p>
      <p id="accountDone" class="hint" role="status">${this.done}</p>
      <div class="buttons">
        <button id="accountSave" class="primary">Save</button>
        ${known && html`<button type="button" onclick=${() => this.edit(EMPTY)}>New proctor instead</button>`}
      </div>
    </form>`;
  }
}

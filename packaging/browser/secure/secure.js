// @ts-check
/*
 * What makes a browser a secure browser (MSB) for the agent: it starts the agent, introduces itself, beats, holds navigation to
 * the addresses of the MSB Key, and puts a fresh attestation on each request to the exam.
 *
 * It talks over a native messaging host of its own, which the browser started: who the browser is, the agent asks the operating
 * system. secure.json says what to do (README.md). All of it is also what a native secure browser has to do.
 */
"use strict";

importScripts("background.js");

const RETRY_MS = 500;
const RENEW_MS = 4000;
const FRAME_MS = 1000;
const KINDS = ["main_frame", "sub_frame", "xmlhttprequest", "script", "stylesheet", "image", "media", "font", "other"];
const FRAMES = ["main_frame", "sub_frame"];
const BLOCK = 1;
const ALLOW = 1000;
const HEADER = 2000;

const settings = fetch(api.runtime.getURL("secure.json")).then((answer) => answer.json());
let agent = null;

/** One connection with the agent: JSON-RPC calls and their answers. */
class Agent {
  constructor() {
    this.calls = new Map();
    this.last = 0;
    this.parts = [];
    this.port = api.runtime.connectNative(HOST);
    this.gone = new Promise((resolve) => {
      this.port.onDisconnect.addListener(() => {
        void api.runtime.lastError; // read, or the browser complains that nobody did
        for (const { reject } of this.calls.values()) reject(new Error("the agent is gone"));
        resolve();
      });
    });
    this.port.onMessage.addListener((message) => this.hear(message));
    this.port.postMessage({ origin: "", version });
  }

  call(method, params = {}) {
    const id = ++this.last;
    return new Promise((resolve, reject) => {
      this.calls.set(id, { resolve, reject });
      this.port.postMessage({ frame: { jsonrpc: "2.0", id, method, params } });
    });
  }

  hear(message) {
    if (message.part !== undefined) {
      this.parts.push(message.part);
      if (!message.last) return;
      message = { frame: JSON.parse(this.parts.join("")) };
      this.parts = [];
    }
    const call = this.calls.get(message.frame?.id);
    if (!call) return;
    this.calls.delete(message.frame.id);
    if (message.frame.error) call.reject(new Error(message.frame.error.message));
    else call.resolve(message.frame.result);
  }
}

/** Live with the agent as long as it lives, then with the next one. */
async function live() {
  const mine = await settings;
  await hold([mine.startUrl, ...mine.allowedUrls]);
  for (;;) {
    agent = new Agent();
    const over = agent.gone;
    accompany(agent, mine).catch((error) => console.info("secureproctor:", error.message));
    await over;
    agent = null;
    await unattest(mine.exams);
    await pause(RETRY_MS);
  }
}

async function accompany(mine, { product, productVersion, exams, handsFrames }) {
  const attached = await mine.call("attach", { product, version: productVersion, hides_window: handsFrames });
  const ended = mine.gone.then(() => true);
  const until = (ms) => Promise.race([ended, pause(ms)]);
  const beating = (async () => {
    for (let n = 1; !(await until(n === 1 ? 0 : attached.beat_s * 1000)); n += 1) await mine.call("beat", { n });
  })();
  const attesting = (async () => {
    while (!(await until((await attest(mine, exams)) ? RENEW_MS : RETRY_MS)));
  })();
  const handing = (async () => {
    while (handsFrames && !(await until(FRAME_MS))) await hand(mine);
  })();
  await Promise.all([beating, attesting, handing]);
}

/** A fresh header on each request to an exam's origin; none when nothing can be attested. Whether all have one. */
async function attest(mine, exams) {
  let all = true;
  for (const [index, origin] of exams.entries()) {
    const rule = await mine.call("attest", { url: `${origin}/` }).then(
      ({ header, value }) => ({
        id: HEADER + index,
        priority: 3, // an "allow" of more weight would keep it from its requests
        action: { type: "modifyHeaders", requestHeaders: [{ header, operation: "set", value }] },
        condition: { urlFilter: `|${origin}/`, resourceTypes: KINDS },
      }),
      () => null,
    );
    await replace([HEADER + index], rule ? [rule] : []);
    all &&= rule !== null;
  }
  return all;
}

const unattest = (exams) => replace(exams.map((_, index) => HEADER + index), []);

/** A picture of the window, which programs of a hidden window's computer cannot take themselves. */
async function hand(mine) {
  try {
    const shown = await api.tabs.captureVisibleTab(undefined, { format: "jpeg", quality: 70 });
    await mine.call("handFrame", { image: shown.slice(shown.indexOf(",") + 1), at_ms: Date.now() });
  } catch (error) {
    console.info("secureproctor: no frame:", error.message); // between two pages there is none, and the agent may not want one
  }
}

/** Pages and frames of these addresses only; `*` is any run of characters. */
function hold(urls) {
  const rules = urls.filter(Boolean).map((url, index) => ({
    id: ALLOW + index,
    priority: 2,
    action: { type: "allow" },
    condition: { urlFilter: `|${url}${url.endsWith("*") ? "" : "|"}`, resourceTypes: FRAMES },
  }));
  const rest = { id: BLOCK, priority: 1, action: { type: "block" }, condition: { urlFilter: "*", resourceTypes: FRAMES } };
  return replace([], rules.length ? [rest, ...rules] : []);
}

const replace = (removeRuleIds, addRules) => api.declarativeNetRequest.updateSessionRules({ removeRuleIds, addRules });

const pause = (ms) => new Promise((resolve) => setTimeout(() => resolve(false), ms));

api.declarativeNetRequest
  .getSessionRules()
  .then((rules) => replace(rules.map(({ id }) => id), []))
  .then(live);

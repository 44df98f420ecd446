// @ts-check
/*
 * The browser's side of the bridge: a page's port ↔ a native messaging host of its own, which the browser starts and ends.
 *
 * The host is told the page's origin as the browser knows it, first; the page has no word in that. It is never empty: a host
 * without an origin speaks for the browser itself. What follows is carried as it is. The agent decides whether it talks with a
 * page of this origin.
 */
"use strict";

const HOST = "secureproctor.agent";
const api = globalThis.browser ?? globalThis.chrome;
const { version } = api.runtime.getManifest();

api.runtime.onConnect.addListener((page) => {
  const { sender } = page;
  if (sender.id !== api.runtime.id || sender.frameId !== 0) {
    page.disconnect();
    return;
  }
  const host = api.runtime.connectNative(HOST);
  const tell = teller(page);
  let parts = [];

  host.onMessage.addListener((message) => {
    if (message.part === undefined) return tell(message);
    parts.push(message.part);
    if (!message.last) return;
    tell({ frame: JSON.parse(parts.join("")) });
    parts = [];
  });
  host.onDisconnect.addListener((port) => {
    const error = api.runtime.lastError ?? port.error;
    tell({ closed: endOfHost(error?.message ?? "") });
    page.disconnect();
  });
  page.onMessage.addListener((message) => host.postMessage({ frame: message.frame }));
  page.onDisconnect.addListener(() => host.disconnect());
  host.postMessage({ origin: sender.origin || new URL(sender.url).origin, version });
});

/** Tells the page until it was told that the connection is closed; what the host says of it goes before what is guessed here. */
function teller(page) {
  let over = false;
  page.onDisconnect.addListener(() => {
    over = true;
  });
  return (message) => {
    if (over) return;
    over = message.closed !== undefined;
    page.postMessage(message);
  };
}

/** Why there is no host, as far as the browser tells; both browsers say "not found" and "forbidden" or "no such …" in words. */
function endOfHost(said) {
  const missing = /not found|no such|forbidden|not installed/i.test(said);
  return {
    code: missing ? "native_host_missing" : "native_host_ended",
    message: missing
      ? "The browser does not know the SecureProctor agent of this computer."
      : "The program that connects the browser with the SecureProctor agent has ended.",
    remedy: missing
      ? "Install SecureProctor, or run: secureproctor native-host --install. Then load the page again."
      : "Nothing is to be done: the page connects again. If it stays so, install SecureProctor again.",
  };
}

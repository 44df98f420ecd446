/*
 * An exam's server that signs for SecureProctor. Node's own modules are all that it needs.
 *
 *     PROCTOR_PUBLIC_KEY=my-exam PROCTOR_PRIVATE_KEY=a-secret node server.mjs
 *
 * It serves the exam page at http://127.0.0.1:8000/ and signs what the page hands to the agent: `POST /sign/init` and
 * `POST /sign/report`, by the scheme `?scheme=body` or `?scheme=parameters`. The page says nothing about who the candidate
 * is: the server knows. `GET /questions` is for a locked exam only: the service judges the attestation of each request.
 */

import { createHmac, pbkdf2Sync } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const SERVICE = process.env.PROCTOR_SERVICE ?? "http://127.0.0.1:8400";
const PUBLIC_KEY = required("PROCTOR_PUBLIC_KEY");
const PRIVATE_KEY = required("PROCTOR_PRIVATE_KEY");
const PORT = Number(process.env.PORT ?? 8000);
/** How the candidates' browsers spell this server. Never take it from a request: whoever sends it can write what they want. */
const ADDRESS = process.env.EXAM_ADDRESS ?? `http://127.0.0.1:${PORT}`;
const PAGE = new URL("../exam.html", import.meta.url);

function required(name) {
  if (process.env[name]) return process.env[name];
  console.error(`${name} is not set.`);
  process.exit(1);
}

/** Who takes the exam. Yours comes from your log-in, and never from the page. */
function candidate() {
  return { userId: "candidate-1", groupName: "physics-101", name: "Eileen Collins", email: "e@example.org" };
}

/** The scheme of the Authorization header: the exact text is the password, the private key the salt. */
function signBody(text) {
  return pbkdf2Sync(text, PRIVATE_KEY, 1001, 25, "sha1").toString("hex").toUpperCase();
}

/** The scheme of ak, ts and asgn: the values in the order of their names. */
function signParameters(method, endpoint, parameters) {
  return createHmac("sha256", PRIVATE_KEY).update(`${method}${endpoint}\n${joined(parameters)}`).digest("base64");
}

function joined(parameters) {
  return Object.keys(parameters)
    .sort()
    .map((name) => parameters[name])
    .join("\n");
}

/** Who signs, and when. */
function stamped() {
  return { ak: PUBLIC_KEY, ts: String(Math.floor(Date.now() / 1000)) };
}

/** What the page gives to `proctor.init`. */
function init(scheme) {
  const { userId, groupName, name, email } = candidate();
  const body = JSON.stringify({
    publicKey: PUBLIC_KEY,
    userId,
    groupName,
    proctoringSettings: { screenCapture: true, audioProctoring: true, authorization: true },
    expiryTime: 300,
    userMetaData: { name, email },
  });
  if (scheme === "body") return { body, authorization: signBody(body) };
  const query = stamped();
  const asgn = signParameters("POST", `${SERVICE}/v1/init`, { ...query, rd: body });
  return { body, query: { ...query, asgn } };
}

/** What the page gives to `proctor.report`, or your server sends to `GET /v2/report/` by itself. */
function report(scheme, reportFormat) {
  const { userId, groupName } = candidate();
  const query = { groupName, publicKey: PUBLIC_KEY, reportFormat, userId };
  if (scheme === "body") return { query, authorization: signBody(joined(query)) };
  const stampedQuery = { ...query, ...stamped() };
  return { query: { ...stampedQuery, asgn: signParameters("GET", `${SERVICE}/v2/report/`, stampedQuery) } };
}

/** What the service says of a request's header SecureProctor-Attestation: `ok`, and else `verdict` and `reason`. */
async function verified(attestation, path) {
  const { userId, groupName } = candidate();
  const url = `${ADDRESS}${path}`;
  const body = JSON.stringify({ publicKey: PUBLIC_KEY, token: attestation, url, userId, groupName });
  const headers = { Authorization: signBody(body), "Content-Type": "application/json" };
  const answer = await fetch(`${SERVICE}/v1/attestations/verify`, { method: "POST", body, headers });
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()).data;
}

async function questions(request, response) {
  try {
    const { ok, reason } = await verified(request.headers["secureproctor-attestation"] ?? "", request.url);
    const told = ok ? { questions: ["Why is the sky blue?"] } : { reason };
    answer(response, "application/json", JSON.stringify(told), ok ? 200 : 403);
  } catch (error) {
    // the service cannot be asked: the candidate is to try again, and sees nothing meanwhile
    console.error(error);
    response.writeHead(503).end();
  }
}

const SIGNED = { "/sign/init": init, "/sign/report": report };

const server = createServer((request, response) => {
  const { method, url } = request;
  const { pathname, searchParams } = new URL(url, "http://exam");
  if (method === "GET" && pathname === "/") {
    const page = readFileSync(PAGE, "utf8").replaceAll("{{service}}", SERVICE);
    return answer(response, "text/html; charset=utf-8", page);
  }
  if (method === "GET" && pathname === "/questions") return questions(request, response);
  if (method === "POST" && Object.hasOwn(SIGNED, pathname)) {
    const signed = SIGNED[pathname](searchParams.get("scheme") ?? "body", searchParams.get("format") ?? "url");
    return answer(response, "application/json", JSON.stringify(signed));
  }
  return response.writeHead(404).end();
});

function answer(response, kind, text, status = 200) {
  response.writeHead(status, { "Content-Type": kind, "Cache-Control": "no-store" }).end(text);
}

server.listen(PORT, "127.0.0.1", () => console.log(`The exam is at http://127.0.0.1:${server.address().port}/`));

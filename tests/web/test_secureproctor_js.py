"""secureproctor.js against an agent of the contract's types."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from playwright.sync_api import Page, Request, expect

from secureproctor.contract import lockdown, msb, signing
from secureproctor.contract import page as contract
from secureproctor.contract.attestation import HEADER, VERDICTS
from secureproctor.contract.errors import CODES, ErrorInfo, Refusal
from secureproctor.contract.http import ProctoringSettings
from secureproctor.contract.stills import HINTS, Identity
from tests.web.conftest import BROWSERS_OWN

Until = Callable[..., None]

WEB = Path(__file__).parents[2] / "service" / "web"
EXTENSION = Path(__file__).parents[2] / "packaging" / "browser" / "extension"
HEAD = b"<!doctype html><link rel=icon href=/web/icon.svg>"
BLANK = HEAD + b"<script src=/secureproctor.js></script><script src=/web/signing.js></script>"
# evaluates a call of the test's own words: {value}, or the error's fields
TOLD = """async (call) => {
  try { return {value: await (0, eval)(call)}; }
  catch ({name, code, message, remedy, number, field}) { return {name, code, message, remedy, number, field}; }
}"""


@pytest.fixture
def blank(page: Page, site: Any) -> Page:
    """A page with nothing but the library."""
    site.files["/blank"] = ("text/html", BLANK)
    page.goto(f"{site.url}/blank")
    return page


def connected(page: Page, agent: Any, **options: int) -> None:
    make = "(options) => { globalThis.proctor = new SecureProctor(options) }"
    page.evaluate(make, {"agentUrl": agent.url, **options})


def told(page: Page, call: str) -> dict[str, Any]:
    answer: dict[str, Any] = page.evaluate(TOLD, call)
    return answer


CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "proctor.hello()": ("hello", {}),
    "proctor.init({body: '{}', authorization: 'AB', query: {}})": ("init", {"body": "{}", "authorization": "AB"}),
    "proctor.checkSystem()": ("checkSystem", {}),
    "proctor.consent(true)": ("consent", {"accepted": True}),
    "proctor.startPreview('photo')": ("startPreview", {"of": "photo"}),
    "proctor.stopPreview()": ("stopPreview", {}),
    "proctor.takePhoto('id_card')": ("takePhoto", {"of": "id_card"}),
    "proctor.submitAuthorization()": ("submitAuthorization", {}),
    "proctor.start()": ("start", {}),
    "proctor.stop()": ("stop", {}),
    "proctor.report({query: {userId: 'u'}})": ("report", {"query": {"userId": "u"}}),
    "proctor.enableAutoAcknowledgement()": ("enableAutoAcknowledgement", {"enabled": True}),
    "proctor.enableAutoAcknowledgement(false)": ("enableAutoAcknowledgement", {"enabled": False}),
    "proctor.pauseAck('p')": ("pauseAck", {"id": "p"}),
    "proctor.resumeAck()": ("resumeAck", {"id": ""}),
    "proctor.endAck()": ("endAck", {"id": ""}),
    "proctor.sendMessage('Grüße')": ("sendMessage", {"text": "Grüße"}),
    "proctor.chatRead('c-1')": ("chatRead", {"id": "c-1"}),
    "proctor.conversation()": ("conversation", {}),
    "proctor.departed()": ("departed", {}),
    "proctor.takeOver()": ("takeOver", {}),
    "proctor.quit('Schlüssel')": ("quit", {"password": "Schlüssel"}),
    "proctor.attest('https://exam.example/answers#here')": (
        "attest", {"url": "https://exam.example/answers", "once": False},
    ),
    "proctor.attest('https://exam.example/answers?n=1', {once: true})": (
        "attest", {"url": "https://exam.example/answers?n=1", "once": True},
    ),
}  # fmt: skip


def test_every_call_reaches_the_agent_with_the_contracts_params(blank: Page, agent: Any) -> None:
    connected(blank, agent)
    for call, (method, params) in CALLS.items():
        before = len(agent.named(method))
        assert "value" in told(blank, call), call
        sent = agent.named(method)[before]
        for name, value in params.items():
            assert getattr(sent, name) == value, call


def test_each_method_of_the_contract_has_a_call() -> None:
    assert {method for method, _ in CALLS.values()} | {"visibility"} == set(contract.METHODS) - BROWSERS_OWN


def test_a_page_has_no_call_of_the_secure_browsers_own(blank: Page, agent: Any) -> None:
    connected(blank, agent)
    there = "(names) => names.filter((name) => name in proctor)"
    assert set(contract.METHODS) >= BROWSERS_OWN
    assert blank.evaluate(there, sorted(BROWSERS_OWN)) == []


def test_an_attestation_is_a_header_with_its_end(blank: Page, agent: Any) -> None:
    connected(blank, agent)
    assert told(blank, "proctor.attest('answers')") == {
        "value": {"header": HEADER, "value": "head.claims.signature", "expiresMs": 1_700_000_020_000}
    }
    assert agent.named("attest") == [contract.Attest(blank.url.replace("/blank", "/answers"))]


def test_an_attested_request_carries_its_own_attestation_to_its_own_server(blank: Page, site: Any, agent: Any) -> None:
    site.files["/answers"] = ("application/json", b'"taken"')
    connected(blank, agent)
    asked: list[Request] = []
    blank.on("request", lambda request: asked.append(request) if "/answers" in request.url else None)
    call = (
        "proctor.attestedFetch('/answers?n=1', {method: 'POST', body: 'A', headers: {'X-Mine': 'kept'}})"
        ".then((answer) => answer.json())"
    )
    assert told(blank, call) == {"value": "taken"}
    assert [(each.url, each.method, each.post_data) for each in asked] == [(f"{site.url}/answers?n=1", "POST", "A")]
    assert asked[0].headers[HEADER.lower()] == "head.claims.signature"
    assert asked[0].headers["x-mine"] == "kept"
    assert agent.named("attest") == [contract.Attest(f"{site.url}/answers?n=1", once=True)]
    assert told(blank, "proctor.attestedFetch('https://evil.example/answers')")["code"] == "url_elsewhere"
    agent.answers["attest"] = Refusal("attestation_not_possible", why="nothing runs")
    assert told(blank, "proctor.attestedFetch('/answers')")["code"] == "attestation_not_possible"
    assert len(asked) == 1


def test_warnings_are_told_until_they_are_listened_to_no_more(blank: Page, agent: Any) -> None:
    connected(blank, agent)
    blank.evaluate("() => { globalThis.heard = []; globalThis.over = proctor.onWarning(({text}) => heard.push(text)) }")
    told(blank, "proctor.hello()")
    agent.tell(contract.WarningEvent("left_window", "You left the exam window.", 1, 2))
    blank.wait_for_function("heard.length === 1")
    blank.evaluate("over(); proctor.setListener('warning', ({kind}) => heard.push(kind))")
    agent.tell(contract.WarningEvent("displays", "Two displays are in use."))
    blank.wait_for_function("heard.length === 2")
    assert blank.evaluate("heard") == ["You left the exam window.", "displays"]


def test_hello_is_said_first_and_its_status_is_kept(blank: Page, agent: Any) -> None:
    connected(blank, agent)
    assert told(blank, "proctor.checkSystem().then(() => proctor.status.agent)") == {"value": "agent 0.1"}
    assert [method for method, _ in agent.calls] == ["hello", "checkSystem"]


def test_all_listeners_of_a_kind_are_called_until_they_are_removed(blank: Page, agent: Any, until: Until) -> None:
    connected(blank, agent)
    blank.evaluate("""async () => {
        globalThis.heard = [];
        const told = (event) => event.code ?? event.text ?? event.state ?? event.mark ?? event.hints?.[0] ?? event.holding;
        const requests = ["pause", "resume", "end"];
        for (const kind of ["error", "chat", "chatMark", ...requests, "authorization", "preview", "holder", "status"])
            proctor.setListener(kind, (event) => heard.push([kind, told(event)]));
        globalThis.second = (event) => heard.push(["second", event.text]);
        proctor.setListener("chat", second);
        await proctor.hello();
        heard.length = 0;
    }""")
    agent.tell(contract.ErrorEvent(ErrorInfo("source_lost", "The camera is gone.", "Plug it in.")))
    agent.tell(contract.ChatEvent("c1", "hello", 1))
    for kind in ("pause", "resume", "end"):
        agent.tell(contract.RequestEvent(kind, f"{kind}-1", f"please {kind}"))
    agent.tell(contract.ChatMarkEvent("c0", "read", 1))
    agent.tell(contract.AuthorizationEvent("rejected", "no"))
    agent.tell(contract.PreviewEvent("photo", "", 4, 3, ("blurred",)))
    agent.tell(contract.HolderEvent(True))
    agent.become(state="running")
    blank.wait_for_function("heard.length === 11")
    assert blank.evaluate("heard") == [
        ["error", "source_lost"], ["chat", "hello"], ["second", "hello"], ["pause", "please pause"],
        ["resume", "please resume"], ["end", "please end"], ["chatMark", "read"], ["authorization", "no"],
        ["preview", "blurred"], ["holder", True], ["status", "running"],
    ]  # fmt: skip
    blank.evaluate("heard.length = 0; proctor.removeListener('chat', second)")
    agent.tell(contract.ChatEvent("c2", "again", 2))
    blank.wait_for_function("heard.length")
    assert blank.evaluate("heard") == [["chat", "again"]]


def test_a_refusal_keeps_code_sentence_remedy_number_and_field(blank: Page, agent: Any) -> None:
    refusal = Refusal("field_missing", field="userId")
    agent.answers["init"] = refusal
    connected(blank, agent)
    assert told(blank, "proctor.init({body: '{}'})") == {
        "name": "SecureProctorError",
        "code": "field_missing",
        "message": refusal.message,
        "remedy": refusal.remedy,
        "number": "E400",
        "field": "userId",
    }


def test_a_missing_agent_is_told_with_what_to_do(blank: Page, agent: Any) -> None:
    agent.close()
    connected(blank, agent, connectTimeoutMs=300)
    error = told(blank, "proctor.checkSystem()")
    assert error["code"] == "agent_missing"
    assert error["message"] == "The SecureProctor agent does not answer on this computer."
    assert "Start the SecureProctor agent" in error["remedy"]
    assert "Local network access" in error["remedy"]
    error = told(blank, f"SecureProctor.connect({{agentUrl: '{agent.url}', connectTimeoutMs: 200}})")
    assert error["code"] == "agent_missing"


def test_a_browser_that_denies_loopback_is_told_apart(blank: Page, agent: Any) -> None:
    agent.close()
    blank.evaluate("() => { navigator.permissions.query = async () => ({state: 'denied'}) }")
    connected(blank, agent, connectTimeoutMs=100)
    error = told(blank, "proctor.start()")
    assert error["code"] == "agent_denied"
    assert "LocalNetworkAccessAllowedForUrls" in error["remedy"]


def test_connect_resolves_once_the_agent_was_reached(blank: Page, agent: Any) -> None:
    call = f"SecureProctor.connect({{agentUrl: '{agent.url}'}}).then((proctor) => [proctor.connected, proctor.status.state])"
    assert told(blank, call) == {"value": [True, "idle"]}


@pytest.mark.parametrize(
    "url",
    ["ws://evil.example/v1/page", "ws://127.0.0.1.evil.example/", "ws://127.0.0.1@evil.example/", "http://127.0.0.1/"],
)
def test_an_agent_elsewhere_is_refused(blank: Page, url: str) -> None:
    assert told(blank, f"new SecureProctor({{agentUrl: '{url}'}})")["code"] == "agent_url_invalid"


def test_it_comes_back_by_itself_and_asks_for_the_state_again(blank: Page, agent: Any, until: Until) -> None:
    connected(blank, agent)
    told(blank, "proctor.hello()")
    blank.evaluate("globalThis.seen = []; proctor.setListener('connection', ({connected}) => seen.push(connected))")
    agent.close()
    blank.wait_for_function("seen.length === 1")
    agent.status = contract.Status(agent="agent 0.2", state="running", session_id="s")
    agent.open()
    # a call that is made while the agent is away waits for it
    assert told(blank, "proctor.enableAutoAcknowledgement().then(() => proctor.status.agent)") == {"value": "agent 0.2"}
    assert blank.evaluate("seen") == [False, True]


def test_a_call_that_broke_off_is_told_if_it_may_not_be_repeated(blank: Page, agent: Any, until: Until) -> None:
    agent.answers.update({"start": None, "checkSystem": None})
    connected(blank, agent)
    blank.evaluate("""() => {
        globalThis.started = proctor.start().catch((error) => error.code);
        globalThis.checked = proctor.checkSystem();
    }""")
    until(lambda: agent.named("start") and agent.named("checkSystem"), "both calls")
    agent.answers["checkSystem"] = contract.CheckResults(True, ())
    agent.drop()
    assert told(blank, "started") == {"value": "connection_lost"}
    assert told(blank, "checked") == {"value": {"ok": True, "checks": []}}
    assert (len(agent.named("start")), len(agent.named("checkSystem"))) == (1, 2)


def test_a_call_on_a_socket_that_is_closing_waits_for_the_next_one(blank: Page, agent: Any) -> None:
    """The page's own console stays clean: nothing is sent into a socket of which `onclose` has yet to be told."""
    blank.evaluate("""() => {
        const Socket = WebSocket;
        globalThis.WebSocket = class extends Socket {
            constructor(url) { super(url); globalThis.socket = this; }
        };
    }""")
    connected(blank, agent)
    told(blank, "proctor.hello()")
    call = "(() => { socket.close(); const sent = proctor.sendMessage('late'); return sent.then(() => 'answered') })()"
    assert told(blank, call) == {"value": "answered"}
    assert [each.text for each in agent.named("sendMessage")] == ["late"]


def test_an_agent_that_stays_away_ends_in_a_time_out(blank: Page, agent: Any) -> None:
    connected(blank, agent, reconnectTimeoutMs=300)
    told(blank, "proctor.hello()")
    agent.close()
    blank.wait_for_function("!proctor.connected")
    error = told(blank, "proctor.pauseAck()")
    assert error["code"] == "agent_timeout"
    assert error["remedy"]


def test_an_answer_that_never_comes_ends_in_a_time_out(blank: Page, agent: Any, until: Until) -> None:
    blank.clock.install()
    agent.answers["pauseAck"] = None
    connected(blank, agent)
    blank.evaluate("() => { globalThis.waiting = proctor.pauseAck().catch(({code}) => code) }")
    until(lambda: agent.named("pauseAck"), "the call")
    blank.clock.fast_forward(10_000)
    assert told(blank, "waiting") == {"value": "agent_timeout"}


def test_stop_may_take_as_long_as_the_network_does(blank: Page, agent: Any, until: Until) -> None:
    blank.clock.install()
    agent.answers["stop"] = None
    connected(blank, agent)
    blank.evaluate("() => { globalThis.outcome = 'waits'; proctor.stop().catch(({code}) => { outcome = code }) }")
    until(lambda: agent.named("stop"), "the call")
    blank.clock.fast_forward(3_600_000)
    assert blank.evaluate("outcome") == "waits"


def test_after_close_nothing_waits(blank: Page, agent: Any, until: Until) -> None:
    agent.answers["checkSystem"] = None
    connected(blank, agent)
    blank.evaluate("() => { globalThis.waiting = proctor.checkSystem().catch(({code}) => code) }")
    until(lambda: agent.named("checkSystem"), "the call")
    blank.evaluate("proctor.close()")
    assert told(blank, "waiting") == {"value": "closed"}
    assert told(blank, "proctor.start()")["code"] == "closed"
    until(lambda: not agent.connections, "the end of the connection")


def test_visibility_is_told_once_a_session_is_registered(blank: Page, agent: Any, until: Until) -> None:
    connected(blank, agent)
    told(blank, "proctor.hello()")
    blank.evaluate("window.dispatchEvent(new Event('blur'))")
    told(blank, "proctor.init({body: '{}'})")
    until(lambda: agent.named("visibility"), "the first report")
    assert agent.named("visibility") == [contract.Visibility(True, True)]
    blank.evaluate("""() => {
        document.hasFocus = () => false;
        window.dispatchEvent(new Event('blur'));
        window.dispatchEvent(new Event('blur'));
    }""")
    until(lambda: len(agent.named("visibility")) == 2, "the change")
    assert agent.named("visibility")[1] == contract.Visibility(True, False)
    agent.status = contract.Status(agent="agent", state="running", session_id="s")
    agent.drop()
    until(lambda: len(agent.named("visibility")) == 3, "it told again on the new connection")


def test_a_frame_that_is_no_answer_does_no_harm(blank: Page, agent: Any) -> None:
    connected(blank, agent)
    told(blank, "proctor.hello()")
    for connection in list(agent.connections):
        connection.send("not json")
        connection.send('{"jsonrpc":"2.0","method":"event","params":{"type":"of a newer agent"}}')
        connection.send('{"jsonrpc":"2.0","id":999,"result":{}}')
    assert "value" in told(blank, "proctor.hello()")


@pytest.mark.parametrize("kind", ["'shout', () => {}", "'chat'"])
def test_a_listener_must_be_one(blank: Page, agent: Any, kind: str) -> None:
    connected(blank, agent)
    assert told(blank, f"proctor.setListener({kind})")["code"] == "listener_invalid"


SIGNED = ['{"userId":"u-1"}', '{"name":"Zoë Ångström","emoji":"🎓"}', ""]


@pytest.mark.parametrize("private_key", ["secret", "schlüssel+/=🔑"])
def test_the_browser_signs_as_the_contract_does(blank: Page, private_key: str) -> None:
    for body in SIGNED:
        signed = blank.evaluate("([key, body]) => SecureProctor.signing.signBody(key, body)", [private_key, body])
        assert signed == signing.sign_body(private_key, body.encode())
        parameters = {"ts": "1700000000", "ak": "key", "rd": body, "Zeta": "ß", "asgn": "never signed"}
        endpoint = "https://exam.example/v1/init"
        script = "(all) => SecureProctor.signing.signParameters(...all)"
        signed = blank.evaluate(script, [private_key, "post", endpoint, parameters])
        assert signed == signing.sign_parameters(private_key, "post", endpoint, parameters)


@pytest.mark.parametrize("scheme", ["body", "parameters"])
def test_what_the_browser_signed_is_verified(blank: Page, scheme: str) -> None:
    keys, endpoint, now = {"pub": "prïvate"}, "http://127.0.0.1/v1/init", blank.evaluate("Date.now() / 1000")
    shared = {"scheme": scheme, "publicKey": "pub", "privateKey": "prïvate", "endpoint": endpoint}
    request = blank.evaluate("(all) => SecureProctor.signing.signRequest(all)", {**shared, "body": SIGNED[1]})
    signer = signing.verify(
        keys, method="POST", endpoints=[endpoint], query=request["query"], body=request["body"].encode(),
        public_key="pub", authorization=request["authorization"], now_s=now,
    )  # fmt: skip
    assert signer == "pub"
    parameters = {"userId": "ü", "groupName": "g", "publicKey": "pub", "reportFormat": "url"}
    query = blank.evaluate("(all) => SecureProctor.signing.signQuery(all)", {**shared, "parameters": parameters})
    signer = signing.verify(
        keys, method="GET", endpoints=[endpoint], query=query["query"], body=b"",
        public_key="pub", authorization=query["authorization"], now_s=now,
    )  # fmt: skip
    assert signer == "pub"


def test_it_is_also_a_module(page: Page, site: Any) -> None:
    script = b"""
        import Default, {SecureProctor, SecureProctorError} from "/web/secureproctor.mjs";
        document.title = [Default === SecureProctor, SecureProctorError.name];
    """
    site.files["/module.js"] = ("text/javascript", script)
    site.files["/module"] = ("text/html", HEAD + b"<script type=module src=/module.js></script>")
    page.goto(f"{site.url}/module")
    page.wait_for_function("document.title === 'true,SecureProctorError'")


def test_the_types_name_what_there_is(blank: Page) -> None:
    """The members of the class in secureproctor.d.ts are those of the class in secureproctor.js."""
    types = (WEB / "secureproctor.d.ts").read_text()
    body = types.split("export declare class SecureProctor {")[1].split("\n}")[0]
    declared = set(re.findall(r"^  (?:static )?(?:readonly )?(\w+)[?(<:]", body, re.MULTILINE)) - {"constructor"}
    members = blank.evaluate("""() => {
        const proctor = new SecureProctor();
        proctor.close();
        return [SecureProctor.prototype, SecureProctor, proctor].flatMap((each) => Object.getOwnPropertyNames(each));
    }""")
    assert declared == set(members) - {"constructor", "length", "name", "prototype"}
    listeners = types.split("export type Listener = {")[1].split("\n};")[0]
    kinds = re.findall(r"^  (\w+): \(", listeners, re.MULTILINE)
    assert told(blank, "new SecureProctor().setListener('no such kind', () => {})")["remedy"].startswith(
        f"Give one of {', '.join(kinds)} "
    )


WIRE = {
    "Status": contract.Status,
    "PendingRequest": contract.PendingRequest,
    "ConsentTerms": contract.ConsentTerms,
    "AuthorizationStatus": contract.AuthorizationStatus,
    "AuthorizationEvent": contract.AuthorizationEvent,
    "PreviewEvent": contract.PreviewEvent,
    "HolderEvent": contract.HolderEvent,
    "ProctorRequest": contract.RequestEvent,
    "Shot": contract.Shot,
    "ChatEvent": contract.ChatEvent,
    "ChatMarkEvent": contract.ChatMarkEvent,
    "ChatMessage": contract.ChatMessage,
    "Conversation": contract.Conversation,
    "DepartedRow": contract.DepartedRow,
    "Departed": contract.Departed,
    "Registered": contract.Registered,
    "CheckResult": contract.CheckResult,
    "CheckResults": contract.CheckResults,
    "LinkStatus": contract.LinkStatus,
    "RoomStatus": contract.RoomStatus,
    "DrainStatus": contract.DrainStatus,
    "LockdownStatus": contract.LockdownStatus,
    "RuleStatus": lockdown.RuleStatus,
    "ProgramAsked": contract.ProgramAsked,
    "BrowserIdentity": msb.BrowserIdentity,
    "WarningEvent": contract.WarningEvent,
    "Settings": ProctoringSettings,
    "LockdownSettings": lockdown.LockdownSettings,
}


@pytest.mark.parametrize("name", WIRE)
def test_the_types_have_the_fields_of_the_wire(name: str) -> None:
    body = (WEB / "secureproctor.d.ts").read_text().split(f"export interface {name} {{")[1].split("\n}")[0]
    assert set(re.findall(r"^  (\w+)\??:", body, re.MULTILINE)) == set(WIRE[name].__struct_encode_fields__)


def named(union: str) -> set[str]:
    """The texts of a union of the types."""
    body = (WEB / "secureproctor.d.ts").read_text().split(f"export type {union} =")[1].split(";\n")[0]
    return set(re.findall(r'"(\w+)"', body))


def test_the_types_name_every_code() -> None:
    script = (WEB / "secureproctor.js").read_text().split("const ERRORS = {")[1].split("\n  };")[0]
    assert named("PageErrorCode") == {*re.findall(r"^    (\w+): \{", script, re.MULTILINE), "webcrypto_missing"}
    assert named("AgentErrorCode") == set(CODES)
    extension = "".join(path.read_text() for path in EXTENSION.glob("*.js"))
    assert {code for code in named("ExtensionErrorCode") if f'"{code}"' not in extension} == set()
    assert named("Hint") == set(HINTS)
    assert named("Identity") == set(get_args(Identity))
    assert named("RuleId") == set(lockdown.RULES)
    assert named("Standing") == set(lockdown.STANDINGS)
    assert named("Phase") == set(lockdown.PHASES)
    assert named("AttestationVerdict") == set(VERDICTS)
    assert named("WarningKind") == set(get_args(get_type_hints(contract.WarningEvent)["kind"]))


def test_the_countdown_of_the_types_comment_works_as_it_stands(blank: Page, agent: Any) -> None:
    agent.status = contract.Status(agent="agent", state="running", link=contract.LinkStatus(True))
    blank.clock.install()
    blank.clock.pause_at(4_000_000_000)
    connected(blank, agent)
    blank.evaluate("() => { globalThis.banner = document.body.appendChild(document.createElement('p')) }")
    comment = (WEB / "secureproctor.d.ts").read_text().split("once each:\n")[1].split("*/")[0]
    blank.evaluate("(lines) => (0, eval)(lines)", re.sub(r"^ +\* ?", "", comment, flags=re.MULTILINE))
    told(blank, "proctor.hello()")
    banner = blank.locator("p")
    blank.clock.run_for(1000)
    expect(banner).to_be_empty()
    agent.become(link=contract.LinkStatus(False, 15.0, 285.0, 1_700_000_000_000))
    blank.wait_for_function("proctor.status.link.expires_in_s === 285")
    for left in (284, 283):
        blank.clock.run_for(1000)
        expect(banner).to_have_text(f"No connection: the exam ends in {left} s.")
    agent.become(link=contract.LinkStatus(True))
    blank.wait_for_function("proctor.status.link.online")
    blank.clock.run_for(1000)
    expect(banner).to_be_empty()


def test_the_vendored_files_are_those_of_their_readme() -> None:
    vendor = WEB / "vendor"
    row = re.compile(r"^\| `(\S+?)/` .* \| `([^`]+)` \| `([0-9a-f]{64})` \|$", re.MULTILINE)
    named = {f"{folder}/{name}": digest for folder, name, digest in row.findall((vendor / "README.md").read_text())}
    there = {
        path.relative_to(vendor).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in vendor.glob("*/*")
    }
    assert named == there

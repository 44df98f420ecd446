"""The two ways to the agent: the same page code goes over the WebSocket and over the browser's extension."""

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from secureproctor.contract import page as contract
from secureproctor.contract.errors import ErrorInfo, Refusal
from tests.web.conftest import BROWSERS_OWN

Until = Callable[..., None]
WEB = Path(__file__).parents[2] / "service" / "web"
CALLS = [
    "init({body: '{}'})", "checkSystem()", "consent(true)", "startPreview('photo')", "stopPreview()",
    "takePhoto('photo')", "submitAuthorization()", "start()", "stop()", "report({query: {}})",
    "enableAutoAcknowledgement()", "pauseAck('p')", "resumeAck('r')", "endAck('e')", "sendMessage('hello')",
    "chatRead('c')", "conversation()", "departed()", "takeOver()", "quit('secret')", "attest('/answers')",
]  # fmt: skip
EVENTS: dict[str, contract.PageEvent] = {
    "error": contract.ErrorEvent(ErrorInfo("source_lost", "The camera is gone.", "Plug it in.")),
    "chat": contract.ChatEvent("c", "hello", 1, "Ada"),
    "chatMark": contract.ChatMarkEvent("c", "delivered", 1),
    "pause": contract.RequestEvent("pause", "p"),
    "resume": contract.RequestEvent("resume", "r"),
    "end": contract.RequestEvent("end", "e"),
    "authorization": contract.AuthorizationEvent("resubmit", "again", ("photo",)),
    "preview": contract.PreviewEvent("photo", "AAAA", 4, 3),
    "warning": contract.WarningEvent("program", "Please close AnyDesk.", left_s=20.0),
    "holder": contract.HolderEvent(True),
    "status": contract.Status(agent="agent", state="ready"),
}


@pytest.fixture(params=["loopback", "native"])
def ready(exam: Any, request: pytest.FixtureRequest) -> Any:
    """A page that is connected by either transport."""
    if request.param == "native":
        exam.extend()
        exam.load()
    exam.connect(transport=request.param)
    assert exam.told("proctor.hello().then(() => proctor.transport)") == {"value": request.param}
    return exam


def test_every_call_goes_over_either_transport(ready: Any, agent: Any) -> None:
    for call in CALLS:
        assert "value" in ready.told(f"proctor.{call}"), call
    of_pages = set(contract.METHODS) - BROWSERS_OWN
    assert {call.split("(")[0] for call in CALLS} | {"hello", "visibility"} == of_pages
    assert {method for method, _ in agent.calls} >= of_pages - {"visibility"}


def test_every_event_comes_over_either_transport(ready: Any, agent: Any) -> None:
    for kind in EVENTS:
        ready.page.evaluate("listen", kind)
    for event in EVENTS.values():
        agent.tell(event)
    assert [kind for kind, _ in ready.heard(len(EVENTS))] == list(EVENTS)


def test_refusals_keep_their_code_over_either_transport(ready: Any, agent: Any) -> None:
    agent.answers["takePhoto"] = Refusal("camera_unavailable", diagnosis="busy", remedy="Close the other program.")
    error = ready.told("proctor.takePhoto('photo')")
    assert (error["code"], error["remedy"]) == ("camera_unavailable", "Close the other program.")


def test_either_transport_comes_back_when_it_broke(ready: Any, agent: Any, until: Until) -> None:
    ready.page.evaluate("listen('connection')")
    agent.answers["start"] = None
    ready.page.evaluate("() => { globalThis.started = proctor.start().catch(({code}) => code) }")
    until(lambda: agent.named("start"), "the call")
    agent.drop()
    assert ready.told("started") == {"value": "connection_lost"}
    assert [event["connected"] for _, event in ready.heard(2)] == [False, True]
    assert "value" in ready.told("proctor.checkSystem()")


def test_the_extension_is_preferred_where_it_answers(exam: Any, agent: Any) -> None:
    exam.extend()
    exam.load()
    exam.connect(transport="auto", agentUrl="ws://127.0.0.1:9/v1/page")
    assert exam.told("proctor.hello().then(() => proctor.transport)") == {"value": "native"}


def test_without_an_extension_it_is_the_websocket(exam: Any, agent: Any) -> None:
    exam.connect(transport="auto")
    assert exam.page.evaluate("proctor.transport") == ""
    assert exam.told("proctor.hello().then(() => proctor.transport)") == {"value": "loopback"}


def test_who_names_an_address_means_the_websocket(exam: Any, agent: Any) -> None:
    exam.extend()
    exam.load()
    exam.connect()
    assert exam.told("proctor.hello().then(() => proctor.transport)") == {"value": "loopback"}


def test_an_extension_that_went_away_is_replaced_by_the_websocket(exam: Any, agent: Any) -> None:
    """As when it is updated while the page is open: what it left in the page answers no more."""
    exam.extend()
    exam.load()
    exam.connect(transport="auto")
    exam.told("proctor.hello()")
    exam.page.evaluate("() => { listen('connection'); globalThis.uninstalled = true }")
    agent.drop()
    exam.heard(2)
    assert exam.page.evaluate("proctor.transport") == "loopback"


def test_a_missing_extension_is_told_with_what_to_do(exam: Any) -> None:
    exam.connect(transport="native", connectTimeoutMs=500)
    error = exam.told("proctor.start()")
    assert error["code"] == "extension_missing"
    assert "Install the SecureProctor extension" in error["remedy"]


def test_an_agent_that_the_extension_cannot_start_is_told_in_its_words(exam: Any, agent: Any) -> None:
    """The extension's program refuses what was asked meanwhile, and says why it ends."""
    agent.close()
    exam.page.add_init_script("""(() => {
        const say = (content) => postMessage({source: "secureproctor-extension", ...content}, "/");
        const why = {code: "native_host_missing", message: "The browser does not know it.", remedy: "Install it."};
        addEventListener("message", ({data}) => {
            if (data?.source !== "secureproctor-page") return;
            if (data.hello) return say({hello: 1, version: "1.0"});
            say({frame: {jsonrpc: "2.0", id: data.frame.id, error: {code: -32000, message: why.message, data: why}}});
            say({closed: why});
        });
    })()""")
    exam.load()
    exam.connect("error", "connection", transport="native", connectTimeoutMs=500)
    error = exam.told("proctor.start()")
    assert (error["code"], error["message"], error["remedy"]) == (
        "native_host_missing", "The browser does not know it.", "Install it.",
    )  # fmt: skip
    assert [kind for kind, _ in exam.page.evaluate("heard")] == ["error"]  # once, and it never was connected


def test_an_extension_that_starts_the_agent_is_given_time(exam: Any, agent: Any) -> None:
    agent.answers["hello"] = None
    exam.page.clock.install()
    exam.extend()
    exam.load()
    exam.connect(transport="native")
    exam.page.evaluate("() => { globalThis.started = proctor.start().catch(({code}) => code) }")
    exam.page.wait_for_function("proctor.transport === 'native'")
    exam.page.clock.run_for(20_000)
    agent.answers["hello"] = agent.status
    exam.page.clock.run_for(20_500)  # this greeting has failed, and the next one is answered
    exam.page.clock.resume()
    assert exam.told("started.then((status) => status.agent)") == {"value": "agent 0.1"}


def test_what_other_windows_and_scripts_post_is_no_agent(exam: Any, agent: Any) -> None:
    exam.extend()
    exam.load()
    exam.connect(transport="native")
    exam.told("proctor.hello()")
    exam.page.evaluate("""async () => {
        listen("chat");
        const chat = {jsonrpc: "2.0", method: "event", params: {type: "chat", id: "x", text: "forged", at_ms: 1}};
        const frame = document.body.appendChild(document.createElement("iframe"));
        const forged = JSON.stringify({source: "secureproctor-extension", frame: chat});
        frame.contentWindow.eval(`parent.postMessage(${forged}, "*")`);
        for (const data of [null, 7, {source: "other", frame: chat}, {source: "secureproctor-extension"}])
            postMessage(data, "/");
        postMessage("done", "/");
        await new Promise((resolve) => addEventListener("message", ({data}) => data === "done" && resolve()));
    }""")
    agent.tell(contract.ChatEvent("y", "real", 1))
    assert [event["text"] for _, event in exam.heard(1)] == ["real"]


def test_after_close_the_extension_is_not_listened_to(exam: Any, agent: Any) -> None:
    exam.extend()
    exam.load()
    exam.connect(transport="native")
    exam.told("proctor.hello()")
    exam.page.evaluate("listen('chat'); proctor.close()")
    agent.tell(contract.ChatEvent("y", "late", 1))
    exam.page.evaluate("globalThis.proctor = new SecureProctor({transport: 'native'})")
    exam.told("proctor.hello()")  # a message later
    assert exam.page.evaluate("heard") == []


@pytest.mark.parametrize("transport", ["'pigeon'", "''", "'constructor'"])
def test_a_transport_must_be_one(exam: Any, transport: str) -> None:
    assert exam.told(f"new SecureProctor({{transport: {transport}}})")["code"] == "transport_invalid"


@pytest.fixture
def public() -> Iterator[str]:
    """A page with the library that the browser treats as one of the public internet (Local Network Access)."""
    script = (WEB / "secureproctor.js").read_bytes()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            html = self.path == "/"
            self.send_response(200)
            self.send_header("Content-Type", "text/html" if html else "text/javascript")
            self.send_header("Content-Security-Policy", "treat-as-public-address")
            self.end_headers()
            self.wfile.write(b"<!doctype html><script src=/secureproctor.js></script>" if html else script)

        def log_message(self, *_words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


LOOPBACK_CALL = """(agentUrl) => new SecureProctor({agentUrl, connectTimeoutMs: 1000}).start().then(
    () => "started", ({code, remedy}) => [code, remedy])"""


def test_chromium_that_denies_the_local_network_is_told_apart(browser: Browser, public: str, agent: Any) -> None:
    """Chromium itself denies it here; no part of it is pretended."""
    context = browser.new_context()
    try:
        context.grant_permissions([])  # all that is not granted is denied
        page = context.new_page()
        page.goto(public)
        code, remedy = page.evaluate(LOOPBACK_CALL, agent.url)
        assert code == "agent_denied"
        assert "Local network access" in remedy
        context.grant_permissions(["local-network-access"])
        assert page.evaluate(LOOPBACK_CALL, agent.url) == "started"
    finally:
        context.close()


def test_a_question_of_the_browser_that_nobody_answered_is_told(exam: Any) -> None:
    """While Chromium asks, the WebSocket waits; this one waits for an answer that never comes."""
    exam.page.evaluate("() => { navigator.permissions.query = async () => ({state: 'prompt'}) }")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"ws://127.0.0.1:{silent.getsockname()[1]}/v1/page"
        exam.connect(agentUrl=url, connectTimeoutMs=300)
        error = exam.told("proctor.start()")
        exam.page.evaluate("proctor.close()")
    assert error["code"] == "permission_pending"
    assert "choose “Allow”" in error["remedy"]

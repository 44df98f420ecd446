"""JSON-RPC without a socket: what is a call, and what each other frame is answered."""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secureproctor.agent.local import rpc
from secureproctor.agent.local.door import MAX_MESSAGE
from secureproctor.agent.local.routes import ROUTES, Nothing
from secureproctor.contract.channel import CHAT_LENGTH
from secureproctor.contract.errors import Refusal
from secureproctor.contract.page import (
    METHODS,
    Acknowledgement,
    Attach,
    Attest,
    AutoAcknowledgement,
    Beat,
    ChatEvent,
    ChatRead,
    Consent,
    HandedFrame,
    Hello,
    Message,
    Picture,
    Quit,
    Sent,
    SignedQuery,
    SignedRequest,
    Visibility,
)


def call(**fields: object) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "hello", **fields})


def test_a_call_is_read_with_its_params() -> None:
    request_id, method, route, params = rpc.read_call(call(id="a", method="pauseAck", params={"id": "c-1"}))
    assert (request_id, method, route, params) == ("a", "pauseAck", ROUTES["pauseAck"], Acknowledgement("c-1"))


def test_params_may_be_left_out_and_may_say_more() -> None:
    assert rpc.read_call(call(method="pauseAck"))[3] == Acknowledgement()
    assert rpc.read_call(call(method="hello", params={"new": 1}))[0] == 1


NO_CALLS: dict[str, tuple[str | bytes, int | None, int]] = {
    "no json": ("{", None, -32700),
    "bytes": (b"\xff\xfe", None, -32700),
    "bad text": (b'{"jsonrpc":"2.0","id":1,"method":"\xff"}', None, -32700),
    "nested": ("[" * 60_000 + "]" * 60_000, None, -32600),
    "nested params": (call()[:-1] + ',"params":' + "[" * 60_000 + "]" * 60_000 + "}", None, -32700),
    "an array": ("[]", None, -32600),
    "no method": ('{"jsonrpc":"2.0","id":1}', None, -32600),
    "a notification": ('{"jsonrpc":"2.0","method":"hello"}', None, -32600),
    "a list as id": (call(id=[1]), None, -32600),
    "an unknown method": (call(method="explode"), 1, -32601),
    "another case": (call(method="Hello"), 1, -32601),
    "positional params": (call(params=[]), 1, -32602),
    "null params": (call(params=None), 1, -32602),
    "a missing param": (call(method="sendMessage"), 1, -32602),
    "an empty message": (call(method="sendMessage", params={"text": ""}), 1, -32602),
    "a message too long": (call(method="sendMessage", params={"text": "x" * (CHAT_LENGTH + 1)}), 1, -32602),
    "a param of another type": (call(method="enableAutoAcknowledgement", params={"enabled": "yes"}), 1, -32602),
}


@pytest.mark.parametrize("name", NO_CALLS)
def test_what_is_no_call_is_answered_with_its_code(name: str) -> None:
    frame, request_id, code = NO_CALLS[name]
    with pytest.raises(rpc.RpcError) as caught:
        rpc.read_call(frame)
    answer = json.loads(caught.value.frame)
    assert (answer["jsonrpc"], answer["id"], answer["error"]["code"]) == ("2.0", request_id, code)
    assert answer["error"]["data"]["code"] == "body_malformed"
    assert len(caught.value.frame) < 1000


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40) | st.binary(max_size=40) | st.dictionaries(st.text(), st.integers()).map(json.dumps))
def test_whatever_comes_is_a_call_or_an_rpc_error(frame: str | bytes) -> None:
    with pytest.raises(rpc.RpcError) as caught:
        rpc.read_call(frame)
    assert json.loads(caught.value.frame)["error"]["code"] in {-32700, -32600}


def test_a_call_is_not_longer_than_its_method_needs_whoever_makes_it() -> None:
    """A paired program may send long messages, but only pictures in them."""
    body = "x" * MAX_MESSAGE
    assert rpc.read_call(call(method="handFrame", params={"image": body, "at_ms": 1}))[1] == "handFrame"
    with pytest.raises(rpc.RpcError) as caught:
        rpc.read_call(call(method="sendMessage", params={"text": body}))
    assert json.loads(caught.value.frame)["error"]["data"]["code"] == "message_too_long"


def test_a_result_a_refusal_and_a_notification_are_written_as_the_protocol_says() -> None:
    assert json.loads(rpc.result(7, Sent("m-1"))) == {"jsonrpc": "2.0", "id": 7, "result": {"id": "m-1"}}
    assert json.loads(rpc.result("a", msgspec.Raw(b'{"data":1}')))["result"] == {"data": 1}
    refused = json.loads(rpc.refused("a", Refusal("nothing_to_acknowledge", kind="pause")))
    assert (refused["error"]["code"], refused["error"]["data"]["code"]) == (-32000, "nothing_to_acknowledge")
    assert refused["error"]["message"] == "There is no pause request that waits for an acknowledgement."
    event = json.loads(rpc.event(ChatEvent("m-1", "hi", 1)))
    assert event == {
        "jsonrpc": "2.0",
        "method": "event",
        "params": {"type": "chat", "id": "m-1", "text": "hi", "at_ms": 1, "by": ""},
    }


CALLS: dict[str, msgspec.Struct] = {
    "hello": Hello("tab-1"),
    "init": SignedRequest("{}", "signature", {"ak": "key"}),
    "checkSystem": Nothing(),
    "consent": Consent(True),
    "startPreview": Picture("photo"),
    "stopPreview": Nothing(),
    "takePhoto": Picture("id_card"),
    "submitAuthorization": Nothing(),
    "start": Nothing(),
    "stop": Nothing(),
    "report": SignedQuery({"userId": "u"}, "signature"),
    "enableAutoAcknowledgement": AutoAcknowledgement(False),
    "pauseAck": Acknowledgement("c-1"),
    "resumeAck": Acknowledgement("c-1"),
    "endAck": Acknowledgement("c-1"),
    "sendMessage": Message("hi"),
    "chatRead": ChatRead("m-1"),
    "conversation": Nothing(),
    "departed": Nothing(),
    "takeOver": Nothing(),
    "visibility": Visibility(True, False),
    "quit": Quit("a password"),
    "attest": Attest("https://exam.example/page", once=True),
    "attach": Attach("A browser", "1.0", 7, hides_window=True),
    "beat": Beat(1, 7),
    "handFrame": HandedFrame("", 1),
}


def test_there_is_a_call_for_every_method() -> None:
    assert set(CALLS) == set(ROUTES) == set(METHODS)


def test_a_page_that_does_not_hold_the_session_may_look_and_take_over() -> None:
    free = {name for name, route in ROUTES.items() if not route.holds}
    looks = {"hello", "report", "conversation", "departed", "takeOver"}
    assert free == looks | {"attest", "attach", "beat", "handFrame"}


@pytest.mark.parametrize("method", CALLS)
def test_a_methods_params_are_read_as_the_page_wrote_them(method: str) -> None:
    assert rpc.read_call(call(method=method, params=msgspec.to_builtins(CALLS[method])))[3] == CALLS[method]

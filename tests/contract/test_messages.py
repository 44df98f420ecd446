"""Every message survives its way over the wire, and the tables beside them are complete."""

import builtins
import typing
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secureproctor.agent.local.routes import ROUTES
from secureproctor.agent.session.sources import SOURCE_EVENTS
from secureproctor.contract import attestation, channel, console, events, http, lockdown, msb, page, report, stills
from secureproctor.contract.streams import MEDIA, Stream

MODULES = (attestation, channel, console, events, http, lockdown, msb, page, report, stills)
SIGNED_WHOLE = frozenset({msb.MsbClaims})
"""Of these, a reader must understand all: who obeys half of a key obeys none."""


STRUCTS = [
    value
    for module in MODULES
    for value in vars(module).values()
    if isinstance(value, type) and issubclass(value, msgspec.Struct) and value.__module__ == module.__name__
]


def name_of(kind: type[msgspec.Struct]) -> str:
    return f"{kind.__module__.split('.')[-1]}.{kind.__name__}"


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a wire type, as far as the messages use types."""
    if kind is msgspec.Raw:
        return st.just(msgspec.Raw(b'{"type":"any"}'))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return st.builds(kind, **{field.name: values(field.type) for field in msgspec.structs.fields(kind)})
    if kind in {str, int, float, bool, type(None)}:
        return plain(kind, msgspec.Meta())
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return plain(arguments[0], arguments[1]) if arguments[0] in {str, int, float} else values(arguments[0])
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin in {list, tuple} and (origin is list or arguments[-1] is Ellipsis):
        items = st.lists(values(arguments[0]), max_size=2)
        return items if origin is list else items.map(tuple)
    if origin is tuple:
        return st.tuples(*map(values, arguments))
    if origin is dict:
        return st.dictionaries(values(arguments[0]), values(arguments[1]), max_size=2)
    # a union; msgspec does not decode raw JSON in one, so that a whole report in ReportAnswer is only written here
    return st.one_of(*(values(each) for each in arguments if each is not msgspec.Raw))


def plain(kind: Any, bounds: msgspec.Meta) -> st.SearchStrategy[Any]:
    match kind:
        case builtins.str:
            letters, least = st.characters(exclude_categories=["Cs"]), bounds.min_length or 0
            return st.text(letters, min_size=least, max_size=max(min(bounds.max_length or 8, 8), least))
        case builtins.int:
            low, high = (-(2**63) if bounds.ge is None else bounds.ge), (2**63 - 1 if bounds.le is None else bounds.le)
            return st.integers(int(low), int(high))
        case builtins.float:
            above, below = (0.001 if bounds.gt == 0 else bounds.ge), bounds.le
            return st.floats(-1e9 if above is None else above, 1e9 if below is None else below)
        case builtins.bool:
            return st.booleans()
    return st.none()


@pytest.mark.parametrize("kind", STRUCTS, ids=name_of)
def test_a_message_comes_back_as_it_was(kind: type[msgspec.Struct]) -> None:
    @settings(max_examples=15, deadline=None)
    @given(values(kind))
    def comes_back(message: msgspec.Struct) -> None:
        assert msgspec.json.decode(msgspec.json.encode(message), type=kind) == message

    comes_back()


@pytest.mark.parametrize("kind", STRUCTS, ids=name_of)
def test_a_newer_peer_may_say_more(kind: type[msgspec.Struct]) -> None:
    assert kind.__struct_config__.forbid_unknown_fields is (kind in SIGNED_WHOLE)


@pytest.mark.parametrize(
    "union", [channel.ToAgent, channel.ToService, console.FromConsole, console.ToConsole, page.PageEvent]
)
def test_the_messages_of_one_direction_are_told_apart_by_their_type(union: Any) -> None:
    tags = [kind.__struct_config__.tag for kind in typing.get_args(union)]
    assert None not in tags
    assert len(tags) == len(set(tags))


def test_the_pages_methods_are_those_that_the_agent_answers() -> None:
    assert set(page.METHODS) == set(ROUTES)


def test_every_setting_of_init_is_in_the_table_under_its_name_at_the_wire() -> None:
    assert set(http.SETTINGS) == {field.encode_name for field in msgspec.structs.fields(http.ProctoringSettings)}


def test_the_mandatory_fields_are_those_of_init_without_a_default() -> None:
    required = {field.encode_name for field in msgspec.structs.fields(http.InitBody) if field.required}
    assert set(http.MANDATORY) == required


def test_every_command_has_a_meaning() -> None:
    assert set(channel.COMMANDS) == set(typing.get_args(channel.CommandKind))


def test_a_command_ends_in_exactly_the_statuses_after_which_nothing_follows() -> None:
    statuses = set(typing.get_args(channel.CommandStatus))
    assert set(channel.STATUS_ORDER) | channel.FINAL == statuses
    assert channel.STATUS_ORDER[-1] in channel.FINAL


def test_every_report_of_a_source_is_an_event_with_a_meaning() -> None:
    assert set(events.EVENTS) >= set(SOURCE_EVENTS.values())


def test_media_are_all_streams_but_events_and_stills() -> None:
    assert [*MEDIA, Stream.EVENTS, Stream.STILLS] == list(Stream)


@pytest.mark.parametrize("expiry_time", [9, 86401, -1, "300", 1.5])
def test_an_expiry_time_out_of_bounds_is_no_init(expiry_time: object) -> None:
    body = {"publicKey": "k", "userId": "u", "groupName": "g", "expiryTime": expiry_time}
    with pytest.raises(msgspec.ValidationError, match="expiryTime"):
        msgspec.json.decode(msgspec.json.encode(body), type=http.InitBody)


def test_init_reads_the_integrators_names() -> None:
    body = msgspec.json.decode(
        b'{"publicKey":"k","userId":"u","groupName":"g","userMetaData":{"name":"N","email":"E"},'
        b'"proctoringSettings":{"screenCapture":false,"initialState":"paused","somethingNew":1}}',
        type=http.InitBody,
    )
    assert (body.public_key, body.user_meta_data.email, body.expiry_time) == ("k", "E", 300)
    assert body.proctoring_settings == http.ProctoringSettings(screen_capture=False, initial_state="paused")

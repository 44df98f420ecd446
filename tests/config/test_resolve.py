"""Which origin wins, who may set what, and what a wrong value is told."""

import dataclasses
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secureproctor.config import paths
from secureproctor.config.resolve import ConfigError, resolve
from secureproctor.config.settings import ADMIN, ANYBODY, COMMAND_ONLY, FIELDS, POLICY_ONLY, Origin, Settings
from secureproctor.config.stores import listed, read_environment, read_file

SETTABLE = [origin for origin in Origin if origin is not Origin.DEFAULT]


def refusal(layers: dict[Origin, dict[str, object]]) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        resolve(layers)
    return caught.value


# precedence


def test_without_any_layer_all_values_are_the_defaults_and_say_so() -> None:
    resolved = resolve({})
    assert resolved.settings == Settings()
    assert resolved.origins == dict.fromkeys(FIELDS, Origin.DEFAULT)


@given(st.lists(st.sampled_from(SETTABLE), unique=True, min_size=1))
def test_the_strongest_origin_wins_whatever_order_the_layers_have(given_order: list[Origin]) -> None:
    resolved = resolve({origin: {"webcam": origin.value} for origin in given_order})
    strongest = max(given_order, key=list(Origin).index)
    assert resolved.settings.webcam == strongest.value
    assert resolved.origins["webcam"] is strongest


def test_a_managed_policy_beats_the_command_line() -> None:
    assert list(Origin)[-1] is Origin.POLICY


def test_each_value_keeps_its_own_origin() -> None:
    resolved = resolve({Origin.USER: {"webcam": "1"}, Origin.POLICY: {"retention_h": 12}})
    changed = {name: origin for name, origin in resolved.origins.items() if origin is not Origin.DEFAULT}
    assert changed == {"webcam": Origin.USER, "retention_h": Origin.POLICY}
    assert (resolved.settings.webcam, resolved.settings.retention_h) == ("1", 12.0)


# who may set what


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("origin", SETTABLE, ids=str)
def test_every_setting_is_taken_from_its_origins_and_refused_from_all_others(name: str, origin: Origin) -> None:
    layers: dict[Origin, dict[str, object]] = {origin: {name: FIELDS[name].default}}
    if origin in FIELDS[name].metadata["by"]:
        assert resolve(layers).origins[name] is origin
    else:
        error = refusal(layers)
        assert f"cannot be set by the {origin}" in error.message
        assert all(allowed in error.remedy for allowed in FIELDS[name].metadata["by"] - {Origin.DEFAULT})


def test_a_user_cannot_point_the_agent_to_another_service() -> None:
    assert "service_url" in refusal({Origin.USER: {"service_url": "http://evil.example"}}).message


def test_a_test_camera_comes_from_the_command_line_only() -> None:
    camera = {"test_camera": "http://127.0.0.1:1/camera"}
    assert resolve({Origin.COMMAND_LINE: camera}).settings.test_camera == camera["test_camera"]
    for origin in (Origin.USER, Origin.ENVIRONMENT, Origin.POLICY):
        assert "test_camera" in refusal({origin: {**camera}}).message


def test_a_policy_can_forbid_test_cameras() -> None:
    layers: dict[Origin, dict[str, object]] = {
        Origin.POLICY: {"allow_test_sources": False},
        Origin.COMMAND_LINE: {"test_camera": "x"},
    }
    error = refusal(layers)
    assert (error.code, error.message) == ("config_invalid", "A policy forbids test sources.")
    assert not resolve({Origin.POLICY: {"allow_test_sources": False}}).settings.allow_test_sources


# types


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("local_port", "0", 0),
        ("screen_fps", "2.5", 2.5),
        ("screen_fps", "2", 2.0),
        ("webcam", "2", "2"),
        ("state_dir", "", ""),
        ("log_level", "DEBUG", "DEBUG"),
    ],
)
def test_text_becomes_the_settings_type(name: str, text: str, value: object) -> None:
    found = getattr(resolve({Origin.COMMAND_LINE: {name: text}}).settings, name)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False), ("1", True), ("0", False)])
def test_text_becomes_a_truth_value(text: str, value: bool) -> None:
    assert resolve({Origin.POLICY: {"allow_test_sources": text}}).settings.allow_test_sources is value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("local_port", "http"),
        ("local_port", "-1"),
        ("local_port", 65536),
        ("local_port", 1.5),
        ("local_port", True),
        ("screen_fps", "fast"),
        ("screen_fps", "nan"),
        ("screen_fps", 0),
        ("segment_s", -2),
        ("webcam_fps", "inf"),
        ("audio_bitrate", 0),
        ("page_gone_s", "-1"),
        ("log_level", "LOUD"),
        ("screen_crf", None),
    ],
)
def test_a_value_that_is_none_of_its_setting_is_refused_by_name_and_origin(name: str, value: object) -> None:
    error = refusal({Origin.COMMAND_LINE: {name: value}})
    assert f"{name!r} (command line)" in error.message


def test_an_unknown_name_is_refused() -> None:
    assert "no setting 'webcm'" in refusal({Origin.USER: {"webcm": "1"}}).message


# the table


def test_the_settings_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().webcam = "1"  # type: ignore[misc]  # that is the point


@pytest.mark.parametrize("name", FIELDS)
def test_every_setting_has_a_meaning_and_a_known_set_of_origins(name: str) -> None:
    assert FIELDS[name].metadata["meaning"].endswith(".")
    assert FIELDS[name].metadata["by"] in (ANYBODY, ADMIN, COMMAND_ONLY, POLICY_ONLY)


# where they are kept


def test_a_file_that_is_not_there_sets_nothing(tmp_path: Path) -> None:
    assert read_file(tmp_path / "none.toml") == {}


def test_a_file_is_read_with_its_types(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text('allowed_origins = ["https://exam.example", "https://other.example"]\nretention_h = 24\n')
    settings = resolve({Origin.POLICY: read_file(file)}).settings
    assert settings.allowed_origins == ("https://exam.example", "https://other.example")
    assert settings.retention_h == 24.0


@pytest.mark.parametrize("content", [b"webcam = ", b"\xff\xfe", b"[a\n", b"a = 1\na = 2\n"])
def test_a_file_that_is_no_toml_is_told_by_its_path(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"settings\.toml cannot be read"):
        read_file(file)


def test_a_folder_in_the_place_of_a_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_file(tmp_path)


def test_the_environment_sets_by_name_and_splits_lists() -> None:
    environment = {
        "SECUREPROCTOR_LOCAL_PORT": "1234",
        "SECUREPROCTOR_ALLOWED_ORIGINS": " https://a.example ,, https://b.example ",
        "SECUREPROCTOR_HOME": "/somewhere",
        "LOCAL_PORT": "1",
    }
    found = read_environment(environment)
    assert found == {"local_port": "1234", "allowed_origins": ("https://a.example", "https://b.example")}
    assert resolve({Origin.ENVIRONMENT: found}).settings.local_port == 1234


def test_an_empty_list_is_a_list() -> None:
    assert listed("allowed_origins", "") == ()
    assert listed("webcam", "a,b") == "a,b"


def test_the_folders_are_the_settings_or_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert paths.state_dir(Settings(state_dir="/elsewhere")) == Path("/elsewhere")
    assert paths.runtime_dir(Settings(runtime_dir="/run/x")) == Path("/run/x")
    assert paths.state_dir(Settings()) == tmp_path / "data" / "secureproctor"
    assert paths.user_file() == tmp_path / "config" / "secureproctor" / "settings.toml"
    assert os.listdir(tmp_path) == []


def test_the_policy_of_linux_lies_where_only_root_writes() -> None:
    assert paths.LINUX_POLICY.parts[:2] == ("/", "etc")

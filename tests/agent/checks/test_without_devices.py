"""One real run in a process of its own that has no display, no camera and no sound server."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = """
import asyncio, sys
from pathlib import Path
import httpx
from secureproctor.agent.checks.check import CheckContext
from secureproctor.agent.checks.run import run_checks
from secureproctor.agent.checks.table import to_json
from secureproctor.contract.streams import MEDIA

async def main():
    folder = Path(sys.argv[1])
    async with httpx.AsyncClient(trust_env=False) as client:
        context = CheckContext(
            service_url="http://127.0.0.1:1",
            spool_dir=folder,
            expiry_s=10,
            streams=frozenset(MEDIA),
            client=client,
            # names that exist nowhere: also on a desktop with devices this finds none
            webcam_device=str(folder / "video0"),
            microphone=str(folder / "microphone"),
            probe_s=0.5,
        )
        return await run_checks(context)

print(to_json(asyncio.run(main())))
"""
NOT_HERE = ("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "PULSE_SERVER", "PIPEWIRE_REMOTE", "DBUS_SESSION_BUS_ADDRESS")


@pytest.fixture(scope="module")
def run_without_devices(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, dict[str, str]], float]:
    """The results by check id, and the seconds from the start of the process to its end."""
    folder: Path = tmp_path_factory.mktemp("bare")
    environment = {name: value for name, value in os.environ.items() if name not in NOT_HERE}
    environment |= {
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(folder),
        "PULSE_SERVER": f"unix:{folder}/no-server",
    }
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    results = {result["id"]: result for result in json.loads(done.stdout)["checks"]}
    return results, time.monotonic() - began


@pytest.mark.parametrize(
    ("check_id", "code"),
    [("camera", "missing"), ("microphone", "missing"), ("screen", "no_display"), ("service_reachable", "refused")],
)
def test_what_is_not_there_fails_with_its_reason_and_a_remedy(
    run_without_devices: tuple[dict[str, dict[str, str]], float], check_id: str, code: str
) -> None:
    result = run_without_devices[0][check_id]
    assert (result["status"], result["code"]) == ("failed", code), result
    assert result["seen"]
    assert result["remedy"]


def test_all_of_it_takes_seconds_and_the_process_ends(
    run_without_devices: tuple[dict[str, dict[str, str]], float],
) -> None:
    """Measured 0.6 s on two cores; the rest is for a loaded machine."""
    results, seconds = run_without_devices
    assert len(results) == 6
    assert seconds < 20

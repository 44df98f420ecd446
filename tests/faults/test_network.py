"""The link between the two namespaces does what it is told, and takes nothing with it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.network import in_own_network

PROGRAM = '''
import json, socket, subprocess, sys, time
from tests.faults.network import FAR, network

SINK = "import socket; s = socket.create_server((%r, 9)); print(flush=True); c = s.accept()[0]\\n" % FAR
SINK += "while c.recv(65536): pass"

def reaches(within_s=10.0):
    """Whether somebody is there, who refuses; a link that came up a moment ago may still lose the first packet."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        with socket.socket() as client:
            client.settimeout(0.5)
            try:
                if client.connect_ex((FAR, 7)) == 111:
                    return True
            except OSError:
                pass
        time.sleep(0.05)
    return False

def seconds(size):
    with subprocess.Popen([*net.far, sys.executable, "-c", SINK], stdout=subprocess.PIPE) as sink:
        sink.stdout.readline()
        began = time.monotonic()
        with socket.create_connection((FAR, 9)) as client:
            client.sendall(bytes(size))
            client.shutdown(socket.SHUT_WR)
            client.recv(1)
        return time.monotonic() - began

with network() as net:
    said = {"fair": reaches()}
    net.link_down()
    said["down here"] = reaches(0.5)
    net.fair()
    net.link_down(here=False)
    said["down there"] = reaches(0.5)
    net.fair()
    said["fair again"] = reaches()
    net.loss(99)
    said["lossy"] = reaches(0.5)
    net.fair()
    net.rate(1000)
    said["narrow"] = seconds(100_000)
    net.fair()
    said["wide"] = seconds(100_000)
print(json.dumps(said))
'''


@pytest.fixture(scope="module")
def said() -> dict[str, bool | float]:
    """What a program in a network of its own has seen."""
    root = Path(__file__).parents[2]
    words = in_own_network([sys.executable, "-c", PROGRAM])
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr

    seen: dict[str, bool | float] = json.loads(done.stdout)
    return seen


def test_a_cut_link_carries_nothing_until_it_is_joined(said: dict[str, bool | float]) -> None:
    assert {name: said[name] for name in ("fair", "down here", "down there", "fair again")} == {
        "fair": True,
        "down here": False,
        "down there": False,
        "fair again": True,
    }


def test_a_link_that_loses_nearly_everything_carries_nothing(said: dict[str, bool | float]) -> None:
    assert said["lossy"] is False


def test_a_narrow_link_takes_its_time(said: dict[str, bool | float]) -> None:
    """A hundred kilobytes at a megabit a second take 0.8 s, but for what fits into the bucket."""
    assert said["narrow"] > 0.5
    assert said["wide"] < said["narrow"]


def test_nothing_is_seen_of_it_outside(said: dict[str, bool | float]) -> None:
    assert said
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    assert "wire" not in links

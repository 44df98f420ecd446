"""`secureproctor service proctor-password NAME`: an account for a proctor, or a new password, while the service is stopped.

A running service holds its database alone; there, a super proctor does this in the console.
"""

import argparse
import os
import time
from pathlib import Path
from typing import TextIO

from secureproctor.contract.console import ProctorChange
from secureproctor.service.proctors import Proctors
from secureproctor.service.store import Store
from secureproctor.service.vault import Vault

COMMAND = "proctor-password"


def set_password(words: list[str], default_data: Path, source: TextIO) -> None:
    """Read the password from `source`, its first line. Raises Refusal or StoreError."""
    options = _parser(default_data).parse_args(words)
    os.umask(0o077)
    options.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    password = source.readline().rstrip("\r\n")
    store = Store.opened(options.data)
    try:
        proctors = Proctors(store, Vault.opened(options.data), time.time)
        there = next((each for each in proctors.all() if each.name == options.name), None)
        role = "super" if options.super else there.role if there else "proctor"
        proctors.change(options.name, ProctorChange(role, password, there.groups if there else ()))
    finally:
        store.close()


def _parser(default_data: Path) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"secureproctor service {COMMAND}",
        description="Make a proctor's account, or give it another password: the first line of standard input.",
    )
    parser.add_argument("name", help="the proctor's name")
    parser.add_argument("--super", action="store_true", help="a super proctor: sees all, and manages the accounts")
    parser.add_argument("--data", type=Path, default=default_data, help="the service's folder (%(default)s)")
    return parser

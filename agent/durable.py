"""Small files that are either the old ones or the new ones, whatever happens: write beside, synchronise, rename."""

import os
from pathlib import Path


def save(path: Path, data: bytes, *, sync: bool = True) -> None:
    """Replace a file's content in one step. Without `sync` that holds for a crash of the program, not for a
    power cut.

    Raises OSError; the old content is still there then.
    """
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            if sync:
                os.fsync(file.fileno())
        part.replace(path)
        if sync:
            sync_folder(path.parent)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Make a rename in the folder durable."""
    if os.name == "nt":  # NTFS journals a rename; a folder cannot be opened for synchronising there
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

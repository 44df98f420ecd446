"""Whether only administrators can change a program: by its own access list, and by those of the folders above it. Pure.

For the file all rights count that change it. For its folder, those by which the file could be replaced or another one put
beside it (programs load libraries from there). For the folders above, those by which a folder could be renamed or its list
changed: that everybody may make folders in C:\\ is usual, and changes nothing below.
"""

from collections.abc import Callable

from secureproctor.lockdown.windows.api import Access, Entry

ADMINISTRATORS = frozenset(
    {
        "S-1-5-18",  # the system
        "S-1-5-32-544",  # administrators
        "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",  # TrustedInstaller
        "S-1-3-0",  # whoever creates something; it concerns what is made below
    }
)
DELETE, WRITE_DAC, WRITE_OWNER, GENERIC_ALL, GENERIC_WRITE = 0x10000, 0x40000, 0x80000, 0x10000000, 0x40000000
WRITE_DATA, APPEND_DATA, WRITE_EA, DELETE_CHILD, WRITE_ATTRIBUTES = 0x02, 0x04, 0x10, 0x40, 0x100
TAKE_OVER = DELETE | WRITE_DAC | WRITE_OWNER | GENERIC_ALL
FILE = TAKE_OVER | GENERIC_WRITE | WRITE_DATA | APPEND_DATA | WRITE_EA | WRITE_ATTRIBUTES
FOLDER = TAKE_OVER | GENERIC_WRITE | WRITE_DATA | DELETE_CHILD
ABOVE = TAKE_OVER | DELETE_CHILD


def only_admin_writes(path: str, read: Callable[[str], Access | None]) -> bool | None:
    """As in ProcessFacts; None when one of the lists cannot be read and no other one says no."""
    answers = [_is_closed(read(each), rights) for each, rights in _steps(path)]
    if False in answers:
        return False
    return None if None in answers else True


def _steps(path: str) -> list[tuple[str, int]]:
    steps, rights = [(path, FILE)], FOLDER
    while (folder := _folder(path)) != path:
        steps.append((folder, rights))
        path, rights = folder, ABOVE
    return steps


def _folder(path: str) -> str:
    head = path.rstrip("\\").rpartition("\\")[0]
    return head + "\\" if head.endswith(":") else head or path


def _is_closed(access: Access | None, rights: int) -> bool | None:
    if access is None:
        return None
    if access.entries is None or access.owner not in ADMINISTRATORS:
        return False  # the owner may always change the list
    return not any(_grants(entry, rights) for entry in access.entries)


def _grants(entry: Entry, rights: int) -> bool:
    """Entries that forbid are not counted: whom they concern, only Windows can tell."""
    return entry.allows and not entry.inherit_only and entry.sid not in ADMINISTRATORS and bool(entry.mask & rights)

"""Who may change a file (GetNamedSecurityInfo), and what waits to be printed (winspool)."""

import ctypes
from ctypes import wintypes

from secureproctor.lockdown.windows import calls
from secureproctor.lockdown.windows.api import Access, Entry

SE_FILE_OBJECT, OWNER, DACL = 1, 0x1, 0x4
ACCESS_ALLOWED_ACE_TYPE, ACCESS_DENIED_ACE_TYPE, INHERIT_ONLY_ACE = 0, 1, 0x8
PRINTER_ENUM_LOCAL, PRINTER_ENUM_CONNECTIONS = 0x2, 0x4
INSUFFICIENT_BUFFER = 122
ALL_JOBS = 0xFFFFFFFF


class _Acl(ctypes.Structure):
    _fields_ = (
        ("revision", ctypes.c_ubyte),
        ("zero", ctypes.c_ubyte),
        *((name, wintypes.WORD) for name in ("size", "count", "zero_again")),
    )


class _Ace(ctypes.Structure):
    """ACCESS_ALLOWED_ACE; ACCESS_DENIED_ACE is the same. The SID begins behind the mask."""

    _fields_ = (
        ("type", ctypes.c_ubyte),
        ("flags", ctypes.c_ubyte),
        ("size", wintypes.WORD),
        ("mask", wintypes.DWORD),
        ("sid", wintypes.DWORD),
    )


class _Printer(ctypes.Structure):
    """PRINTER_INFO_4W."""

    _fields_ = (("name", wintypes.LPCWSTR), ("server", wintypes.LPCWSTR), ("attributes", wintypes.DWORD))


class _Job(ctypes.Structure):
    """JOB_INFO_1W."""

    _fields_ = (
        ("id", wintypes.DWORD),
        *((name, ctypes.c_void_p) for name in ("printer", "machine", "user", "document", "datatype", "text")),
        *((name, wintypes.DWORD) for name in ("status", "priority", "position", "pages", "printed")),
        ("submitted", wintypes.WORD * 8),
    )


class Files:
    """The reader `access` of api.Readers."""

    def __init__(self) -> None:
        advanced, kernel = calls.Library("advapi32"), calls.Library("kernel32")
        word, pointer, truth = wintypes.DWORD, ctypes.c_void_p, wintypes.BOOL
        pointers = ctypes.POINTER(pointer)
        self._security = advanced(
            "GetNamedSecurityInfoW",
            word,
            wintypes.LPCWSTR,
            ctypes.c_int,
            word,
            pointers,
            pointers,
            pointers,
            pointers,
            pointers,
        )
        self._ace = advanced("GetAce", truth, pointer, word, ctypes.POINTER(ctypes.POINTER(_Ace)))
        self._sid = advanced("ConvertSidToStringSidW", truth, pointer, ctypes.POINTER(pointer))
        self._free = kernel("LocalFree", pointer, pointer)

    def access(self, path: str) -> Access | None:
        """Owner and access list. Entries of kinds that do not belong to files are left out."""
        owner, dacl, descriptor = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
        what = OWNER | DACL
        parts = ctypes.byref(owner), None, ctypes.byref(dacl), None, ctypes.byref(descriptor)
        if self._security(path, SE_FILE_OBJECT, what, *parts):
            return None
        try:
            return Access(self._text(owner.value), None if not dacl else self._entries(dacl.value or 0))
        finally:
            self._free(descriptor)

    def _entries(self, acl: int) -> tuple[Entry, ...]:
        found = []
        for index in range(_Acl.from_address(acl).count):
            at = ctypes.POINTER(_Ace)()
            if not self._ace(acl, index, ctypes.byref(at)):
                continue
            ace = at.contents
            if ace.type in (ACCESS_ALLOWED_ACE_TYPE, ACCESS_DENIED_ACE_TYPE):
                sid = self._text(ctypes.addressof(ace) + _Ace.sid.offset)
                found.append(
                    Entry(ace.type == ACCESS_ALLOWED_ACE_TYPE, sid, ace.mask, bool(ace.flags & INHERIT_ONLY_ACE))
                )
        return tuple(found)

    def _text(self, sid: int | None) -> str:
        text = ctypes.c_void_p()
        if not sid or not self._sid(sid, ctypes.byref(text)):
            return ""
        try:
            return ctypes.wstring_at(text.value or 0)
        finally:
            self._free(text)


class Spooler:
    """The reader `print_jobs` of api.Readers: `printer/number` of every job that waits or prints."""

    def __init__(self) -> None:
        spool = calls.Library("winspool.drv")
        word, truth, words = wintypes.DWORD, wintypes.BOOL, ctypes.POINTER(wintypes.DWORD)
        room = ctypes.c_void_p
        self._printers = spool("EnumPrintersW", truth, word, wintypes.LPCWSTR, word, room, word, words, words)
        self._open = spool("OpenPrinterW", truth, wintypes.LPCWSTR, ctypes.POINTER(calls.HANDLE), ctypes.c_void_p)
        self._close = spool("ClosePrinter", truth, calls.HANDLE)
        self._jobs = spool("EnumJobsW", truth, calls.HANDLE, word, word, word, room, word, words, words)

    def jobs(self) -> frozenset[str] | None:
        """None when the printers cannot be listed. A printer that does not open, or a queue that cannot be read, has none."""
        flags = PRINTER_ENUM_LOCAL | PRINTER_ENUM_CONNECTIONS
        size, count = wintypes.DWORD(), wintypes.DWORD()
        counts = ctypes.byref(size), ctypes.byref(count)
        room = None
        if not self._printers(flags, None, 4, None, 0, *counts):
            room = ctypes.create_string_buffer(max(size.value, 1))
            if not self._printers(flags, None, 4, room, len(room), *counts):
                return None
        printers = (_Printer * count.value).from_buffer(room) if room is not None and count.value else ()
        return frozenset(f"{each.name}/{job}" for each in printers for job in self._numbers(each.name))

    def _numbers(self, printer: str) -> list[int]:
        handle = calls.HANDLE()
        if not self._open(printer, ctypes.byref(handle), None):
            return []
        try:
            size, count = wintypes.DWORD(), wintypes.DWORD()
            self._jobs(handle, 0, ALL_JOBS, 1, None, 0, ctypes.byref(size), ctypes.byref(count))
            room = ctypes.create_string_buffer(max(size.value, 1))
            if not self._jobs(handle, 0, ALL_JOBS, 1, room, size.value, ctypes.byref(size), ctypes.byref(count)):
                return []
            return [job.id for job in (_Job * count.value).from_buffer(room)] if count.value else []
        finally:
            self._close(handle)

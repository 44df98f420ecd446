"""What a program's makers called it, and who signed it: its version resource and its Authenticode signature.

A name in a signature counts only if the signature holds (WinVerifyTrust, without asking the network), and a file is looked at
once: to verify a signature, all of the file is read. Programs that are signed by a catalogue only, as Windows's own, have no
signer here. Sources: winver.h, wintrust.h, wincrypt.h.
"""

import ctypes
import os
from ctypes import wintypes

from secureproctor.lockdown.windows import calls

WTD_UI_NONE, WTD_REVOKE_NONE, WTD_CHOICE_FILE = 2, 0, 1
WTD_STATEACTION_VERIFY, WTD_STATEACTION_CLOSE, WTD_CACHE_ONLY_URL_RETRIEVAL = 1, 2, 0x1000
CERT_NAME_SIMPLE_DISPLAY_TYPE = 4
LANGUAGES = ("040904B0", "040904E4", "000004B0")
"""Where a version resource has its texts if it does not say: English, in Unicode or in code page 1252, or no language."""


class _Guid(ctypes.Structure):
    _fields_ = (("a", wintypes.DWORD), ("b", wintypes.WORD), ("c", wintypes.WORD), ("d", ctypes.c_ubyte * 8))


# WINTRUST_ACTION_GENERIC_VERIFY_V2
VERIFY = (0x00AAC56B, 0xCD44, 0x11D0, (0x8C, 0xC2, 0x00, 0xC0, 0x4F, 0xC2, 0x95, 0xEE))


class _File(ctypes.Structure):
    """WINTRUST_FILE_INFO."""

    _fields_ = (
        ("size", wintypes.DWORD),
        ("path", wintypes.LPCWSTR),
        ("file", calls.HANDLE),
        ("subject", ctypes.c_void_p),
    )


class _Trust(ctypes.Structure):
    """WINTRUST_DATA."""

    _fields_ = (
        ("size", wintypes.DWORD),
        ("policy", ctypes.c_void_p),
        ("sip", ctypes.c_void_p),
        ("ui", wintypes.DWORD),
        ("revocation", wintypes.DWORD),
        ("choice", wintypes.DWORD),
        ("file", ctypes.POINTER(_File)),
        ("action", wintypes.DWORD),
        ("state", calls.HANDLE),
        ("url", wintypes.LPCWSTR),
        ("flags", wintypes.DWORD),
        ("context", wintypes.DWORD),
        ("settings", ctypes.c_void_p),
    )


class _Certificate(ctypes.Structure):
    """The beginning of CRYPT_PROVIDER_CERT."""

    _fields_ = (("size", wintypes.DWORD), ("certificate", ctypes.c_void_p))


class Makers:
    """`made_by` for api_processes.py: (original name, signer), each empty where there is none."""

    def __init__(self) -> None:
        version, trust, crypt = (calls.Library(name) for name in ("version", "wintrust", "crypt32"))
        truth, word, text, pointer = wintypes.BOOL, wintypes.DWORD, wintypes.LPCWSTR, ctypes.c_void_p
        self._known: dict[tuple[str, int, int], tuple[str, str]] = {}
        self._size = version("GetFileVersionInfoSizeW", word, text, ctypes.POINTER(word))
        self._read = version("GetFileVersionInfoW", truth, text, word, word, pointer)
        self._value = version(
            "VerQueryValueW", truth, pointer, text, ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(wintypes.UINT)
        )
        self._verify = trust(
            "WinVerifyTrust", wintypes.LONG, calls.HANDLE, ctypes.POINTER(_Guid), ctypes.POINTER(_Trust)
        )
        self._provider = trust("WTHelperProvDataFromStateData", pointer, calls.HANDLE)
        self._provider_signer = trust("WTHelperGetProvSignerFromChain", pointer, pointer, word, truth, word)
        self._provider_certificate = trust("WTHelperGetProvCertFromChain", ctypes.POINTER(_Certificate), pointer, word)
        self._name = crypt("CertGetNameStringW", word, pointer, word, word, pointer, wintypes.LPWSTR, word)

    def made_by(self, path: str) -> tuple[str, str]:
        """Both, from memory as long as the file is the same one."""
        try:
            status = os.stat(path)
        except OSError:
            return "", ""
        key = (path, status.st_mtime_ns, status.st_size)
        if key not in self._known:
            self._known[key] = (self.original_name(path), self.signer(path))
        return self._known[key]

    def original_name(self, path: str) -> str:
        """OriginalFilename of the version resource."""
        size = self._size(path, None)
        room = ctypes.create_string_buffer(size) if size else None
        if room is None or not self._read(path, 0, size, room):
            return ""
        names = (self._text(room, f"\\StringFileInfo\\{each}\\OriginalFilename") for each in self._languages(room))
        return next(filter(None, names), "")

    def signer(self, path: str) -> str:
        """The subject of the certificate of a signature that holds."""
        file = _File(size=ctypes.sizeof(_File), path=path)
        trust = _Trust(size=ctypes.sizeof(_Trust), ui=WTD_UI_NONE, revocation=WTD_REVOKE_NONE, choice=WTD_CHOICE_FILE)
        trust.file, trust.action = ctypes.pointer(file), WTD_STATEACTION_VERIFY
        trust.flags = WTD_CACHE_ONLY_URL_RETRIEVAL
        action = _Guid(VERIFY[0], VERIFY[1], VERIFY[2], (ctypes.c_ubyte * 8)(*VERIFY[3]))
        arguments = calls.HANDLE(-1), ctypes.byref(action), ctypes.byref(trust)
        try:
            return self._subject(trust.state) if self._verify(*arguments) == 0 else ""
        finally:
            trust.action = WTD_STATEACTION_CLOSE
            self._verify(*arguments)

    def _languages(self, room: ctypes.Array[ctypes.c_char]) -> tuple[str, ...]:
        at, length = ctypes.c_void_p(), wintypes.UINT()
        if not self._value(room, "\\VarFileInfo\\Translation", ctypes.byref(at), ctypes.byref(length)) or not at:
            return LANGUAGES
        numbers = (wintypes.WORD * (length.value // 2)).from_address(at.value or 0)
        own = [f"{numbers[index]:04X}{numbers[index + 1]:04X}" for index in range(0, len(numbers) - 1, 2)]
        return (*own, *LANGUAGES)

    def _text(self, room: ctypes.Array[ctypes.c_char], block: str) -> str:
        at, length = ctypes.c_void_p(), wintypes.UINT()
        if not self._value(room, block, ctypes.byref(at), ctypes.byref(length)) or not at or not length.value:
            return ""
        return ctypes.wstring_at(at.value or 0, length.value).split("\0")[0]

    def _subject(self, data: int) -> str:
        """The name in the first certificate of the first signature of a verification that is still open."""
        provider = self._provider(data)
        signer = self._provider_signer(provider, 0, False, 0) if provider else None
        certificate = self._provider_certificate(signer, 0) if signer else None
        if not certificate:
            return ""
        text = ctypes.create_unicode_buffer(256)
        context = certificate.contents.certificate
        self._name(context, CERT_NAME_SIMPLE_DISPLAY_TYPE, 0, None, text, len(text))
        return text.value

"""Who made a program: its bundle's identifier (Info.plist), and the name in its code signature (Security.framework).

Signatures are looked up once for each file, without checking the program's whole contents: for a forbidden program it is
enough what it says of itself. For the secure browser that is not enough: there the running code itself is asked, and checked.
Not yet run on a Mac.
"""

import os
import plistlib
import re
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from secureproctor.lockdown.macos.frameworks import framework

SIGNING_INFORMATION = 1 << 1
"""kSecCSSigningInformation."""
APPLES = ("/System/", "/usr/libexec/", "/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/")
"""Sealed by the system; their signer is known, and never asked for."""
_NAMED = re.compile(r"(?:Developer ID Application|Apple Distribution|3rd Party Mac Developer Application): (.+)")
_TEAM = re.compile(r" \([A-Z0-9]{10}\)$")
Stamp = tuple[int, int, int]


class Makers:
    """`made_by` is for all processes, `signer_of` for one that wants to be believed."""

    def __init__(self) -> None:
        self._security, self._foundation = framework("Security"), framework("Foundation")
        self._known: dict[str, tuple[Stamp, tuple[str, str]]] = {}

    def made_by(self, path: str) -> tuple[str, str]:
        """Bundle identifier and signer of a program; empty where there is none."""
        stamp = _stamp(path)
        if stamp is None:
            return "", ""
        known = self._known.get(path)
        if known is None or known[0] != stamp:
            signer = "" if path.startswith(APPLES) else self._signer(self._static(path))
            known = self._known[path] = stamp, (bundle_identifier(path), signer)
        return known[1]

    def signer_of(self, pid: int) -> str:
        """The signer of the code that runs as this process, if it is valid; else empty."""
        wanted = {self._security.kSecGuestAttributePid: pid}
        error, code = self._security.SecCodeCopyGuestWithAttributes(None, wanted, 0, None)
        if error or self._security.SecCodeCheckValidity(code, 0, None):
            return ""
        return self._signer(code)

    def _static(self, path: str) -> Any:
        url = self._foundation.NSURL.URLWithString_(f"file://{quote(path)}")
        error, code = self._security.SecStaticCodeCreateWithPath(url, 0, None)
        return None if error else code

    def _signer(self, code: Any) -> str:
        """An unsigned program, and one that was signed without a certificate, has none."""
        if code is None:
            return ""
        error, said = self._security.SecCodeCopySigningInformation(code, SIGNING_INFORMATION, None)
        chain = None if error else said.get(self._security.kSecCodeInfoCertificates)
        return signer_name(self._security.SecCertificateCopySubjectSummary(chain[0]) or "") if chain else ""


def signer_name(certificate: str) -> str:
    """The maker's name out of a certificate's: `Developer ID Application: Example Ltd (A1B2C3D4E5)` is Example Ltd. Apple's own
    certificates have no such form, and stay as they are."""
    named = _NAMED.match(certificate)
    return _TEAM.sub("", named[1]) if named else certificate


def bundle_identifier(path: str) -> str:
    """Of the innermost bundle that the program lies in (`…/Name.app/Contents/MacOS/name`); empty outside of one."""
    for folder in PurePath(path).parents:
        if folder.name == "Contents":
            return _identifier(os.path.join(folder, "Info.plist"))
    return ""


def _identifier(file: str) -> str:
    try:
        with open(file, "rb") as opened:
            said = plistlib.load(opened)
    except (OSError, ValueError, plistlib.InvalidFileException):
        return ""
    found = said.get("CFBundleIdentifier") if isinstance(said, dict) else None
    return found if isinstance(found, str) else ""


def _stamp(path: str) -> Stamp | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns

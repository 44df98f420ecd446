"""The place's connection to its X server, and what it means for a rule that the server, or only the connection, has gone.

What a rule did by the connection ends with it. What it changed in the server (a keymap, a window's state) ends with the server;
when only the connection was cut, it is still there, and is put back by another one. So a before-image names its display, and
the very server that runs there. It is put back from anywhere: another place, another process, a text console.
"""

import os
from typing import Protocol, cast

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.linux.x11 import LOST, X11, ServerGone, ServerMute, connect
from secureproctor.lockdown.rule import ApplyFailed, Image, Probed, Report, RestoreFailed, Rule, Terms

GONE = "The X server has gone."
UNREACHABLE = (ServerGone, ServerMute, *LOST)
"""What says that there is no server, or none any more."""
_DISPLAY, _AUTHORITY, _SERVER = "display", "authority", "server"


class Server:
    """The connection to the session's display while it lasts.

    One that broke is not made anew: another server may listen at the same display by then, of which there is no before-image.
    The guard opens another place.
    """

    def __init__(self, *, wanted: bool = True) -> None:
        self._x: X11 | None = None
        self.is_lost = False
        self._why: Exception = ServerMute(GONE)
        try:
            self._x = connect() if wanted else None
        except (ServerGone, ServerMute) as why:
            self._why = why

    @property
    def x(self) -> X11:
        """The connection. Raises ServerGone or ServerMute."""
        if self._x is None:
            raise self._why
        return self._x

    @property
    def now(self) -> X11 | None:
        """The connection, if there is one."""
        return self._x

    def lost(self) -> None:
        """The connection broke."""
        if self._x is not None:
            self.is_lost, self._why = True, ServerMute(GONE)
        self.close()

    def close(self) -> None:
        """End the connection. Twice is harmless."""
        x, self._x = self._x, None
        if x is not None:
            self._why = ServerMute(GONE)
            x.close()


class XRule(Protocol):
    """A rule over an X server. Of its methods any may raise what UNREACHABLE lists; OnServer makes a Rule of it."""

    @property
    def id(self) -> RuleId:
        """As in Rule."""

    def probe(self, x: X11, terms: Terms) -> Probed:
        """As in Rule."""

    def before(self, x: X11, terms: Terms) -> Image:
        """As in Rule."""

    def apply(self, x: X11, terms: Terms, report: Report) -> None:
        """As in Rule."""

    def verify(self) -> bool:
        """As in Rule; on the connection that `apply` was given."""

    def let_go(self) -> None:
        """Forget what this process holds, on the connection of `apply`. Without `apply`, nothing."""

    def put_back(self, x: X11, image: Image) -> None:
        """Put back what outlives this process. Raises RestoreFailed."""


class OnServer:
    """The rule of a place that has an X server: the same rule, for which a server that has gone is no accident."""

    def __init__(self, server: Server, rule: XRule) -> None:
        self._server = server
        self._rule = rule

    @property
    def id(self) -> RuleId:
        """The inner rule's."""
        return self._rule.id

    def probe(self, terms: Terms) -> Probed:
        """The inner rule's; without a server nobody can tell."""
        try:
            return self._rule.probe(self._server.x, terms)
        except UNREACHABLE:
            return Probed("could_not_check", "The X server could not be asked.", "Sign out, sign in, and start again.")

    def before(self, terms: Terms) -> Image:
        """The inner rule's, with where it belongs."""
        try:
            x = self._server.x
            image = self._rule.before(x, terms)
        except UNREACHABLE:
            return {}  # then `apply` fails, too, and has changed nothing
        return image and {**image, **_address(x)}

    def apply(self, terms: Terms, report: Report) -> None:
        """As the inner rule. Raises ApplyFailed when there is no server."""
        try:
            self._rule.apply(self._server.x, terms, report)
            self._server.x.sync()  # requests without an answer wait in the connection else
        except UNREACHABLE as problem:
            raise ApplyFailed(GONE) from problem

    def verify(self) -> bool:
        """As the inner rule; without a server nothing is in place."""
        try:
            return self._server.now is not None and self._rule.verify()
        except UNREACHABLE:
            self._server.lost()
            return False

    def restore(self, image: Image) -> None:
        """As Rule says. A server that has gone took everything with it; one that does not answer: RestoreFailed."""
        try:
            self._rule.let_go()
            if self._server.now is not None:
                self._server.now.sync()
        except UNREACHABLE:
            self._server.lost()
        _put_back(self._server, self._rule, image)


class LeftOnServer:
    """The rule of a place without an X server, which can still put back what was left on one.

    `secureproctor unlock` may be typed on a text console, and a session may be another one than yesterday.
    """

    def __init__(self, rule: Rule, on_server: XRule) -> None:
        self._rule = rule
        self._on_server = on_server
        self.id: RuleId = rule.id
        self.probe = rule.probe
        self.before = rule.before
        self.apply = rule.apply
        self.verify = rule.verify

    def restore(self, image: Image) -> None:
        """By the image: as the rule of this place, or as the one of X11."""
        if _DISPLAY in image:
            _put_back_anew(self._on_server, image)
        else:
            self._rule.restore(image)


def _put_back(server: Server, rule: XRule, image: Image) -> None:
    if not image:
        return
    now = server.now
    try:
        if now is not None and _is_about(image, now):
            rule.put_back(now, image)
            return
    except LOST:
        server.lost()
    _put_back_anew(rule, image)


def _put_back_anew(rule: XRule, image: Image) -> None:
    """On the very server that the image is about, if that still runs. Raises RestoreFailed."""
    try:
        x = connect(str(image[_DISPLAY]), str(image[_AUTHORITY]))
    except ServerGone:
        return
    except ServerMute as why:
        raise RestoreFailed(str(why)) from why
    try:
        if _is_about(image, x):
            rule.put_back(x, image)
    except LOST as problem:
        raise RestoreFailed(GONE) from problem
    finally:
        x.close()


def _is_about(image: Image, x: X11) -> bool:
    return image[_SERVER] == x.server and image[_DISPLAY] == x.name


def _address(x: X11) -> Image:
    return cast(Image, {_DISPLAY: x.name, _AUTHORITY: os.environ.get("XAUTHORITY", ""), _SERVER: x.server})

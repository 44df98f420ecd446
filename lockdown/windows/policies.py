"""Windows' own policies, as a table: what each rule sets in the registry, and a rule that does just that.

Explorer, Winlogon and the task manager read them when they are asked to do something, so they hold at once. A plain user may
read the policies of their own hive and not write them: that takes an agent that was installed with the rights for it, and
without those the rule says so. Source: Microsoft's ADMX templates (System, CtrlAltDel, StartMenu, Explorer, GameDVR, OSPolicy).
"""

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.rule import ApplyFailed, Image, Probed, Report, Terms
from secureproctor.lockdown.windows.api import Registry, Session
from secureproctor.lockdown.windows.registry import OFF, RegistryPolicy, Setting

_POLICIES = "Software\\Microsoft\\Windows\\CurrentVersion\\Policies"
SYSTEM, EXPLORER = f"{_POLICIES}\\System", f"{_POLICIES}\\Explorer"

TABLE: dict[RuleId, tuple[Setting, ...]] = {
    "power": (Setting("HKCU", EXPLORER, "NoClose"),),
    "lock_screen": (
        Setting("HKCU", SYSTEM, "DisableLockWorkstation"),
        Setting("HKCU", SYSTEM, "DisableChangePassword"),
    ),
    "switch_user": (Setting("HKLM", SYSTEM, "HideFastUserSwitching"),),
    "sign_out": (Setting("HKCU", EXPLORER, "NoLogoff"), Setting("HKCU", EXPLORER, "StartMenuLogOff")),
    "task_manager": (Setting("HKCU", SYSTEM, "DisableTaskMgr"),),
    "screenshots": (
        Setting("HKCU", "Control Panel\\Keyboard", "PrintScreenKeyForSnippingEnabled", OFF),
        Setting("HKCU", "Software\\Microsoft\\Windows\\CurrentVersion\\GameDVR", "AppCaptureEnabled", OFF),
        Setting("HKCU", "System\\GameConfigStore", "GameDVR_Enabled", OFF),
    ),
    "clipboard": (
        Setting("HKCU", "Software\\Microsoft\\Clipboard", "EnableClipboardHistory", OFF),
        Setting("HKCU", "Software\\Microsoft\\Clipboard", "EnableCloudClipboard", OFF),
    ),
}
"""The settings of each rule. Those of `screenshots` and `clipboard` are the user's own, which need no rights."""

RIGHTS = (
    "The agent may not change this setting of Windows; who uses it leaves the exam's window, which is on the record."
)
REMEDY = "Ask those who look after this computer to install the agent for all users, or take the exam on another one."


class PolicyRule:
    """A rule that is policies, and nothing else."""

    def __init__(self, id: RuleId, registry: Registry) -> None:  # noqa: A002 - the contract's name
        self.id: RuleId = id
        self._policy = RegistryPolicy(registry, TABLE[id])
        self._applied = False

    def probe(self, terms: Terms) -> Probed:
        """Whether the right is there."""
        return Probed("enforced") if self._policy.may_write() else Probed("impossible", RIGHTS, REMEDY)

    def before(self, terms: Terms) -> Image:
        """What the settings were."""
        return self._policy.before()

    def apply(self, terms: Terms, report: Report) -> None:
        """Set them."""
        self._policy.apply()
        self._applied = True

    def verify(self) -> bool:
        """Whether they are set."""
        return self._applied and self._policy.holds()

    def restore(self, image: Image) -> None:
        """Put them back."""
        self._applied = False
        self._policy.restore(image)


class PowerRule(PolicyRule):
    """The rule `power`: the menu's power options are away, and neither computer nor display goes to sleep by itself.

    Windows keeps what keeps it awake with the thread that asked for it, so it ends with the agent, however that ends. Without
    the right to the policy it is kept awake all the same. A lid or a power button does what it always does.
    """

    def __init__(self, registry: Registry, session: Session) -> None:
        super().__init__("power", registry)
        self._session = session
        self._may_write = True

    def probe(self, terms: Terms) -> Probed:
        """With less right, less is claimed."""
        if self._policy.may_write():
            return Probed("enforced")
        return Probed("observed", f"The computer is kept awake; its power menu stays. {RIGHTS}", REMEDY)

    def before(self, terms: Terms) -> Image:
        """What the settings were, if they will be changed."""
        self._may_write = self._policy.may_write() and not terms.observe_only
        return super().before(terms) if self._may_write else {}

    def apply(self, terms: Terms, report: Report) -> None:
        """Stay awake, and take the options away."""
        if not self._session.keep_awake(on=True):
            raise ApplyFailed("Windows does not agree to stay awake.")
        self._applied = True
        if self._may_write:
            self._policy.apply()

    def verify(self) -> bool:
        """Awake is what was asked for; the options are looked at."""
        return self._applied and (not self._may_write or self._policy.holds())

    def restore(self, image: Image) -> None:
        """Sleep when you like."""
        self._session.keep_awake(on=False)
        super().restore(image)

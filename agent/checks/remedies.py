"""What to do about each outcome, in steps for each operating system: one table.

The steps are for the candidate, who is nervous and has an exam to begin: they name the very menus and commands. The menus
are those of Windows 11 and of macOS 13 and later; nobody has walked through them on such a machine yet.
"""

from typing import NamedTuple


class Steps(NamedTuple):
    """The remedy on each operating system."""

    windows: str
    macos: str
    linux: str

    def on(self, platform: str) -> str:
        """The steps for a value of `sys.platform`; what is neither Windows nor macOS is taken for a Linux."""
        return {"win32": self.windows, "darwin": self.macos}.get(platform, self.linux)


# Where a system hides the reason, the steps cover the likely ones too: a camera that is forbidden or in use is reported as
# missing on Windows and macOS, and macOS gives a program without permission a microphone that records zeros.


def everywhere(steps: str) -> Steps:
    """The same steps on all systems."""
    return Steps(steps, steps, steps)


def remedy(check_id: str, code: str, platform: str) -> str:
    """What to do about `code` of this check. A code without a row of its own has the steps of `could_not_check`."""
    return (REMEDIES.get((check_id, code)) or REMEDIES[check_id, "could_not_check"]).on(platform)


CAMERA: dict[str, Steps] = {
    "missing": Steps(
        "Connect the camera, or switch it on with the laptop's camera key or slider. In Device Manager, under Cameras, "
        "enable it if it has a down arrow. If it is there, allow it in Settings > Privacy & security > Camera and close "
        "other programs that use it. Then check again.",
        "Connect the camera; its name must appear in System Information > Camera. If it does, allow SecureProctor in "
        "System Settings > Privacy & Security > Camera and quit other programs that use it. Then restart the agent.",
        "Connect the camera, or switch it on with the laptop's camera key. `ls -l /dev/video*` must list it. "
        "Then check again.",
    ),
    "no_permission": Steps(
        "Open Settings > Privacy & security > Camera; turn on Camera access and Let desktop apps access your camera. "
        "Then check again.",
        "Open System Settings > Privacy & Security > Camera and allow SecureProctor (or the terminal that started it). "
        "Then restart the agent.",
        "Look at `ls -l /dev/video0`: your user must be in the group it names. Run `sudo usermod -aG video $USER`, "
        "log out and in again, and restart the agent.",
    ),
    "busy": Steps(
        "Close other programs that use the camera: Teams, Zoom, the Camera app, browser tabs with a video call. "
        "If it stays, sign out and in again.",
        "Quit other programs that use the camera: FaceTime, Zoom, Photo Booth, browser tabs with a video call. "
        "If it stays, restart the Mac.",
        "Close other programs that use the camera. `fuser -v /dev/video0` names the one that holds it.",
    ),
    "stalled": everywhere(
        "Unplug the camera and plug it in again, straight into the computer and not through a hub. "
        "Restart the computer if the camera is built in. Then check again."
    ),
    "black": Steps(
        "Open the camera's cover or slider, press the laptop's camera key, and switch on a light. "
        "The Camera app must show you. Close it and check again.",
        "Open the camera's cover and switch on a light. Photo Booth must show you. Quit it and check again.",
        "Open the camera's cover or slider, press the laptop's camera key, and switch on a light. "
        "A program such as Cheese must show you. Close it and check again.",
    ),
    "frozen": everywhere(
        "Close programs that feed a still picture as a camera, such as OBS or ManyCam, and choose the real camera. "
        "If it is the real one, unplug it and plug it in again. Move a little in front of it and check again."
    ),
    "could_not_check": Steps(
        "Open the Camera app: if it does not show you either, restart the computer. If it does, install the agent again "
        "or show this text to the exam's support.",
        "Open Photo Booth: if it does not show you either, restart the Mac. If it does, install the agent again "
        "or show this text to the exam's support.",
        "Look at `ls -l /dev/video0` and at `journalctl -k` for errors of the camera. If there are none, install the "
        "agent again or show this text to the exam's support.",
    ),
}

MICROPHONE: dict[str, Steps] = {
    "missing": Steps(
        "Connect a microphone or headset. It must appear in Settings > System > Sound > Input; enable it there if it is "
        "disabled. If it is there, allow it in Settings > Privacy & security > Microphone. Then check again.",
        "Connect a microphone or headset. It must appear in System Settings > Sound > Input. If it does, allow "
        "SecureProctor in System Settings > Privacy & Security > Microphone. Then restart the agent.",
        "Connect a microphone or headset. `arecord -l` or `pactl list short sources` must list it. If the list is empty, "
        "start the sound server: `systemctl --user restart pipewire pipewire-pulse`, or `pulseaudio --start`. The library "
        "libportaudio2 must be installed.",
    ),
    "no_permission": Steps(
        "Open Settings > Privacy & security > Microphone; turn on Microphone access and Let desktop apps access your "
        "microphone. Then check again.",
        "Open System Settings > Privacy & Security > Microphone and allow SecureProctor (or the terminal that started "
        "it). Then restart the agent.",
        "Look at `ls -l /dev/snd`: your user must be in the group it names. Run `sudo usermod -aG audio $USER`, "
        "log out and in again, and restart the agent.",
    ),
    "busy": Steps(
        "Close other programs that use the microphone. In the device's properties, under Advanced, turn off Allow "
        "applications to take exclusive control of this device. Then check again.",
        "Quit other programs that use the microphone, such as audio workstations and video calls. Then check again.",
        "Close other programs that use the microphone. `fuser -v /dev/snd/*` names the ones that hold it.",
    ),
    "stalled": Steps(
        "Unplug the microphone and plug it in again; switch a wireless headset off and on. Then check again.",
        "Unplug the microphone and plug it in again; switch a wireless headset off and on. Then check again.",
        "Unplug the microphone and plug it in again; switch a wireless headset off and on. If it stays, restart the "
        "sound server: `systemctl --user restart pipewire pipewire-pulse`, or `pulseaudio -k`.",
    ),
    "silent": Steps(
        "Unmute the microphone: the mute switch of the headset, the laptop's microphone key, and Settings > System > "
        "Sound > Input, where the right device must be chosen and its volume above zero. Speak and check again.",
        "Unmute the microphone at the headset; in System Settings > Sound > Input choose the right device and raise the "
        "volume. If the level moves there when you speak, allow SecureProctor in System Settings > Privacy & Security > "
        "Microphone and restart the agent.",
        "Unmute the microphone at the headset and with `pactl set-source-mute @DEFAULT_SOURCE@ 0` (or in pavucontrol, "
        "Input Devices), and choose the right device there. Speak and check again.",
    ),
    "quiet": Steps(
        "Speak while the check runs. If it stays quiet, raise the volume in Settings > System > Sound > Input, "
        "or move the microphone nearer.",
        "Speak while the check runs. If it stays quiet, raise the input volume in System Settings > Sound > Input, "
        "or move the microphone nearer.",
        "Speak while the check runs. If it stays quiet, raise the volume with `pactl set-source-volume @DEFAULT_SOURCE@ "
        "100%`, or move the microphone nearer.",
    ),
    "could_not_check": Steps(
        "Record a few words with Sound Recorder: if that fails too, restart the computer. If it works, install the agent "
        "again or show this text to the exam's support.",
        "Record a few words with Voice Memos: if that fails too, restart the Mac. If it works, install the agent again "
        "or show this text to the exam's support.",
        "Try `arecord -d 3 /tmp/test.wav`. If that fails too, restart the sound server. If it works, install the library "
        "libportaudio2 or show this text to the exam's support.",
    ),
}

SCREEN: dict[str, Steps] = {
    "no_display": Steps(
        "Connect and switch on a monitor, sign in at the computer itself, and start the agent from that desktop, "
        "not as a service.",
        "Connect and switch on a monitor, log in at the Mac itself, and start the agent from that desktop, "
        "not over ssh.",
        "Start the agent inside a graphical session: `echo $DISPLAY` must say something like :0. If your desktop uses "
        "Wayland, choose a session on Xorg (X11) at the log-in screen.",
    ),
    "no_permission": Steps(
        "Unlock the computer and close any prompt that dims the desktop (User Account Control). Start the agent as the "
        "user who is signed in. Then check again.",
        "Open System Settings > Privacy & Security > Screen Recording (Screen & System Audio Recording on newer systems) "
        "and allow SecureProctor (or the terminal that started it). Then restart the agent.",
        "Start the agent as the user who is logged in to the desktop, not by sudo: `xdpyinfo` must work in the same "
        "terminal. If your desktop uses Wayland, choose a session on Xorg (X11) at the log-in screen.",
    ),
    "stalled": everywhere(
        "Unlock the screen and wake the monitor. If it stays, log out of the desktop, log in again and restart the agent."
    ),
    "black": Steps(
        "Unlock the screen, leave full-screen and protected video, and move a window. "
        "If your desktop simply is black, nothing is to be done.",
        "Allow SecureProctor in System Settings > Privacy & Security > Screen Recording and restart the agent. "
        "If your desktop simply is black, nothing is to be done.",
        "A Wayland desktop gives programs a black screen: choose a session on Xorg (X11) at the log-in screen. "
        "If your desktop simply is black, nothing is to be done.",
    ),
    "could_not_check": Steps(
        "Restart the agent from your desktop. If it stays, install it again or show this text to the exam's support.",
        "Restart the agent from your desktop. If it stays, install it again or show this text to the exam's support.",
        "Restart the agent from a terminal on your desktop, where `echo $DISPLAY` must not be empty. If it stays, "
        "install it again or show this text to the exam's support.",
    ),
}

_FREE_SPACE = Steps(
    "Free space in Settings > System > Storage > Temporary files, and empty the Recycle Bin. Then check again.",
    "Free space in System Settings > General > Storage, and empty the Trash. Then check again.",
    "Empty the trash and delete what you do not need; `df -h ~` shows the free space. Then check again.",
)

DISK_SPACE: dict[str, Steps] = {
    "disk_full": _FREE_SPACE,
    "disk_low": _FREE_SPACE,
    "could_not_check": everywhere(
        "The folder for evidence cannot be read. Start the agent as the user who installed it, or ask the exam's support "
        "to correct the folder in the agent's settings."
    ),
}

CLOCK_DIFFERENCE: dict[str, Steps] = {
    "clock_differs": Steps(
        "Open Settings > Time & language > Date & time, turn on Set time automatically, and press Sync now. "
        "Then check again.",
        "Open System Settings > General > Date & Time and turn on Set time and date automatically. Then check again.",
        "Run `sudo timedatectl set-ntp true`; after a minute `timedatectl` must say that the clock is synchronized. "
        "Then check again.",
    ),
    "could_not_check": everywhere("First follow the steps of Service reachable; then check again."),
}

SERVICE_REACHABLE: dict[str, Steps] = {
    "refused": everywhere(
        "Wait a minute and check again. If it stays, tell the exam's support that nothing accepts connections at this "
        "address, or that a firewall refuses them."
    ),
    "name_unknown": everywhere(
        "Open any web page to see whether the internet works. If it does, switch off the VPN or try another network; "
        "if it stays, the service's address is wrong: tell the exam's support."
    ),
    "tls": everywhere(
        "Correct date and time of this computer. If they are right, this network inspects secure connections, as some "
        "schools and companies do: use another one, or ask its administrator to exempt the service."
    ),
    "timeout": everywhere(
        "Move nearer to the Wi-Fi or use a cable, stop downloads, switch off the VPN, and check again. If web pages are "
        "quick, a firewall may block the service: try another network."
    ),
    "wrong_answer": everywhere(
        "If this network has a log-in page (hotel, school, train), open a web page and log in first. If not, the "
        "service's address is wrong or the service has trouble: tell the exam's support."
    ),
    "address": everywhere(
        "The agent's setting for the service's address must look like https://proctoring.example.org: "
        "ask the exam's support for the right one."
    ),
    "unreachable": Steps(
        "Connect to the internet: Settings > Network & internet; flight mode must be off. Then check again.",
        "Connect to the internet: System Settings > Wi-Fi or Network. Then check again.",
        "Connect to the internet in the network menu of your desktop, or see `nmcli device`. Then check again.",
    ),
    "could_not_check": everywhere(
        "Check again. If it stays, restart the agent, or show this text to the exam's support."
    ),
}

LOCKDOWN: dict[str, Steps] = {
    "not_enforceable": everywhere("Ask the exam's staff: a proctor can let it pass. Then check again."),
    "could_not_check": everywhere(
        "Check again. If it stays, restart the agent, or show this text to the exam's support."
    ),
    "unknown": everywhere("Nothing needs to be done: the exam can start, and the proctor sees the same list."),
}

REMEDIES: dict[tuple[str, str], Steps] = {
    (check_id, code): steps
    for check_id, rows in {
        "camera": CAMERA,
        "microphone": MICROPHONE,
        "screen": SCREEN,
        "disk_space": DISK_SPACE,
        "clock_difference": CLOCK_DIFFERENCE,
        "service_reachable": SERVICE_REACHABLE,
        "lockdown": LOCKDOWN,
    }.items()
    for code, steps in rows.items()
}
"""(check id, code) → the steps. Each check has a row `could_not_check`."""

#!/bin/bash
# Runs a Windows program in the folder that setup.sh made, on an X server of its own, and leaves nothing running.
#
#   packaging/windows-testbed/run.sh FOLDER python -m pytest tests/windows      (python: the Windows Python)
#
# The repository is seen at Z:\repository, read-only. The X server is a VNC server, because that one can be given a second
# monitor and real key presses from within: its port is in TESTBED_RFB_PORT. Two runs in one folder wait for each other.
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(cd "$1" && pwd)
shift
[ "${1:-}" != python ] || set -- 'Z:\python\python.exe' -X utf8 "${@:2}"

scratch=$(mktemp -d)
server=
cleanup() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

exec 9>"$folder/lock"
flock 9

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkfifo "$scratch/display"
Xvnc -displayfd 3 -geometry 1280x800 -depth 24 -SecurityTypes None -localhost -rfbport "$port" -nolisten tcp \
    -AcceptSetDesktopSize 3>"$scratch/display" 9>&- >"$scratch/xvnc.log" 2>&1 &
server=$!
read -r -t 30 display <"$scratch/display" || {
    cat "$scratch/xvnc.log" >&2
    echo "windows-testbed: the X server did not start; its own words are above." >&2
    exit 1
}

export REPOSITORY=$repository FOLDER=$folder TESTBED_DISPLAY=:$display TESTBED_RFB_PORT=$port
# A namespace of processes of its own: whatever was left running ends with it. Wine's server is asked to end before: it writes
# the registry then.
unshare --mount --pid --fork --kill-child bash -c '
    root=$FOLDER/chroot
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount --bind "$FOLDER/python" "$root/python"
    mount --bind "$REPOSITORY" "$root/repository"
    mount -o remount,bind,ro "$root/repository"
    exec chroot "$root" env -i HOME=/home PATH=/usr/bin:/bin LANG=C.UTF-8 DISPLAY=$TESTBED_DISPLAY \
        TESTBED_RFB_PORT=$TESTBED_RFB_PORT WINEPREFIX=/prefix WINEDEBUG=-all \
        WINEDLLOVERRIDES="mscoree,mshtml=;winedbg.exe=d" \
        sh -c "cd /repository && wine \"\$@\"; code=\$?; wineserver --kill; wineserver --wait; exit \$code" _ "$@"
' _ "$@" </dev/null 9>&- 2> >(grep -v fixme >&2)

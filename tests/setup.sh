#!/bin/sh
# Installs what is missing: `setup.sh build` for the library and the demo,
# `setup.sh` for the tests too. Packages come from apt, as root or by sudo
# without a password; Python's go to target/venv. Fails if something is still
# missing afterwards, and says what and how to get it.
set -eu
cd "$(dirname "$0")/.."
for_tests=1
[ "${1:-}" != build ] || for_tests=

venv=target/venv
python=

# A Python that can make a venv; /usr/bin has Debian's, whatever PATH has.
find_python() {
    for python in python3 /usr/bin/python3; do
        "$python" -c 'import ensurepip, venv' 2>/dev/null && return
    done
    python=
    return 1
}

venv_is_ready() {
    cmp -s tests/requirements.txt "$venv/requirements.txt" &&
        "$venv/bin/python" -c '' 2>/dev/null
}

compiles() { # language, header
    # shellcheck disable=SC2086 # may be a command with options
    echo "#include <$2>" | $CC -E -x "$1" - >/dev/null 2>&1
}

# The Debian packages of what is missing.
find_missing() {
    missing=
    command -v "${CC%% *}" >/dev/null || missing="$missing gcc"
    compiles c stdio.h || missing="$missing libc6-dev"
    [ -n "$for_tests" ] || return 0
    compiles c++ vector || missing="$missing g++"
    for tool in make cmake pkg-config valgrind; do
        command -v "$tool" >/dev/null || missing="$missing $tool"
    done
    command -v abidw >/dev/null || missing="$missing abigail-tools"
    command -v nm >/dev/null || missing="$missing binutils"
    command -v rawtominc >/dev/null || missing="$missing minc-tools"
    command -v gnuplot >/dev/null || missing="$missing gnuplot-nox"
    command -v R >/dev/null || missing="$missing r-base-core"
    Rscript -e 'library(tinytest)' >/dev/null 2>&1 || missing="$missing r-cran-tinytest"
    venv_is_ready || find_python || missing="$missing python3 python3-venv"
}

if [ "$(id -u)" = 0 ]; then
    as_root=
else
    as_root='sudo -n'
fi
CC=${CC:-cc}

if ! command -v cargo >/dev/null; then
    echo "Missing: Rust (cargo), 1.85 or newer. Get it with rustup, see rust-lang.org/tools/install" >&2
    exit 1
fi

find_missing
if [ -n "$missing" ] && command -v apt-get >/dev/null && $as_root true 2>/dev/null; then
    echo "Installing$missing"
    # shellcheck disable=SC2086 # both are lists of words
    $as_root apt-get update -q </dev/null &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
            --no-install-recommends $missing </dev/null ||
        echo "apt-get failed" >&2
    find_missing
fi

status=0
if [ -n "$for_tests" ]; then
    for part in rustfmt clippy; do
        tool=cargo-${part#rust}
        "$tool" --version >/dev/null 2>&1 || rustup component add "$part" || {
            echo "Missing: $part. Get it with: rustup component add $part" >&2
            status=1
        }
    done
fi

if [ -n "$missing" ]; then
    echo "Missing:$missing" >&2
    echo "Get it with: sudo apt-get install$missing (or your system's packages of these tools)" >&2
    status=1
fi

if [ -n "$for_tests" ] && ! venv_is_ready && find_python; then
    echo "Installing Python packages into $venv"
    rm -rf "$venv"
    mkdir -p target
    if "$python" -m venv "$venv" &&
        "$venv/bin/python" -m pip install -q --disable-pip-version-check \
            -r tests/requirements.txt </dev/null; then
        cp tests/requirements.txt "$venv/requirements.txt"
    else
        echo "Missing: the Python packages of tests/requirements.txt in $venv" >&2
        status=1
    fi
fi
exit $status

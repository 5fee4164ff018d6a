#!/bin/sh
# Installs and builds what `make bench` needs besides the library: programs
# from apt, as root or by sudo without a password, Python packages into
# target/bench/venv, and the readers of benches/peers into target/bench/bin.
# Fails if something is missing, and says what and how to get it.
set -eu
cd "$(dirname "$0")/.."
CC=${CC:-cc}
venv=target/bench/venv
bin=target/bench/bin
mkdir -p "$bin"

# The Debian packages of what is missing.
find_missing() {
    missing=
    for tool in pigz bgzip zstd; do
        command -v "$tool" >/dev/null || missing="$missing $tool"
    done
    # The program bgzip is in the package tabix.
    missing=$(echo "$missing" | sed 's/bgzip/tabix/')
    echo '#include <nifti/nifti1.h>' | $CC -E - >/dev/null 2>&1 || missing="$missing libnifti-dev"
    echo '#include <isa-l/igzip_lib.h>' | $CC -E - >/dev/null 2>&1 || missing="$missing libisal-dev"
    venv_is_ready || find_python || missing="$missing python3 python3-venv"
}

# A Python that can make a venv; /usr/bin has Debian's, whatever PATH has.
find_python() {
    for python in python3 /usr/bin/python3; do
        "$python" -c 'import ensurepip, venv' 2>/dev/null && return
    done
    return 1
}

venv_is_ready() {
    cmp -s benches/peers/requirements.txt "$venv/requirements.txt" &&
        "$venv/bin/python" -c '' 2>/dev/null
}

if [ "$(id -u)" = 0 ]; then
    as_root=
else
    as_root='sudo -n'
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
if [ -n "$missing" ]; then
    echo "Missing:$missing" >&2
    echo "Get it with: sudo apt-get install$missing (or your system's packages of these tools)" >&2
    exit 1
fi

if ! venv_is_ready; then
    echo "Installing Python packages into $venv"
    rm -rf "$venv"
    if find_python && "$python" -m venv "$venv" &&
        "$venv/bin/python" -m pip install -q --disable-pip-version-check \
            -r benches/peers/requirements.txt </dev/null; then
        cp benches/peers/requirements.txt "$venv/requirements.txt"
    else
        echo "Missing: the Python packages of benches/peers/requirements.txt in $venv" >&2
        exit 1
    fi
fi

# niftilib does not tell its version but by printing.
version=$(dpkg-query -W -f '${Version}' libniftiio-dev 2>/dev/null || echo '(version unknown)')
flags='-std=c11 -O2 -Wall -Wextra'
# shellcheck disable=SC2086 # a list of words
$CC $flags -Iinclude benches/peers/ours.c -o "$bin/ours" \
    -Ltarget/release -larrayproxy -Wl,-rpath,'$ORIGIN/../../release' -lpthread
# shellcheck disable=SC2086
$CC $flags -isystem /usr/include/nifti -DNIFTILIB_VERSION="\"$version\"" \
    benches/peers/niftilib.c -o "$bin/niftilib" -lniftiio
version=$(dpkg-query -W -f '${Version}' libisal-dev 2>/dev/null || echo '(version unknown)')
# shellcheck disable=SC2086
$CC $flags -DISAL_VERSION="\"$version\"" benches/peers/isal.c -o "$bin/isal" -lisal
CARGO_TARGET_DIR=target/bench/peers cargo build --release --locked -q \
    --manifest-path benches/peers/Cargo.toml
cp target/bench/peers/release/arrayproxy-peers "$bin"

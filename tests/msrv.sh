#!/usr/bin/env bash
# Checks the library with the oldest rustc that Cargo.toml promises, which is
# that of Debian 13: `cargo check --lib` in a Debian 13 folder, target/msrv
# (about 1.1 GB, made once by debootstrap, a minute or two; needs root or sudo
# without a password). The check itself is offline.
set -euo pipefail
cd "$(dirname "$0")/.."

suite=trixie
root=target/msrv/$suite
wanted=$(sed -nE 's/^rust-version = "([0-9.]+)"/\1/p' Cargo.toml)

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo -n)
"${as_root[@]}" true || {
    echo "make msrv needs root, or sudo without a password" >&2
    exit 1
}

if ! [ -e "$root/complete" ]; then
    if ! [ -e /usr/sbin/debootstrap ]; then
        "${as_root[@]}" apt-get update -q </dev/null
        "${as_root[@]}" apt-get install -y -q --no-install-recommends debootstrap </dev/null
    fi
    # The Debian mirror that this machine uses.
    # shellcheck disable=SC2016 # a format of apt's
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
        'Origin: Debian' 'Label: Debian' | sed -n 1p)
    [ -n "$mirror" ] || {
        echo "apt's sources name no Debian mirror" >&2
        exit 1
    }
    mkdir -p target/msrv
    "${as_root[@]}" rm -rf "$root"
    "${as_root[@]}" /usr/sbin/debootstrap --variant=minbase \
        --include=rustc,cargo,gcc,libc6-dev "$suite" "$PWD/$root" "$mirror"
    "${as_root[@]}" touch "$root/complete"
fi

# Copies instead of mounts: nothing to undo, and `make clean` stays safe.
cargo fetch --locked
"${as_root[@]}" rm -rf "$root/build"
"${as_root[@]}" mkdir -p "$root/build/cargo/registry" "$root/build/repo"
"${as_root[@]}" cp -r "${CARGO_HOME:-$HOME/.cargo}"/registry/{index,cache} "$root/build/cargo/registry/"
tar --exclude=./target --exclude=./.git --exclude=./fuzz -cf - . |
    "${as_root[@]}" tar --no-same-owner -xf - -C "$root/build/repo"

inside() {
    "${as_root[@]}" chroot "$root" env -i PATH=/usr/bin:/bin HOME=/root LC_ALL=C \
        CARGO_HOME=/build/cargo CARGO_NET_OFFLINE=true sh -c "cd /build/repo && $1"
}

version=$(inside 'rustc --version')
case $version in
"rustc $wanted".*) ;;
*)
    echo "Cargo.toml promises rustc $wanted, this Debian has $version" >&2
    exit 1
    ;;
esac
inside 'cargo check --lib --locked && cargo check --lib --locked --no-default-features'
echo "The library builds with $version."

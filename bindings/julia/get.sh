#!/bin/sh
# Installs Julia 1.5.3 from Debian's release before this one, which has no newer; the
# source is there only meanwhile. What else it needs goes to target/julia.
# Prints the command to run Julia with.
#
# With this Debian's libunwind an error that is thrown ends Julia, so that of the
# older release is put before it, for Julia alone.
set -eu
cd "$(dirname "$0")/../.."
folder=$PWD/target/julia
unwind=$folder/unwind

if [ "$(id -u)" = 0 ]; then
    as_root=
else
    as_root='sudo -n'
fi

# The archive that the system's own packages come from.
archive() {
    for file in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
        [ -e "$file" ] || continue
        sed -nE 's/^URIs: *([^ ]+).*/\1/p; s/^deb +(\[[^]]*\] +)?([^ ]+) .*/\2/p' "$file"
    done | grep -v security | head -n 1
}

get() {
    address=$(archive)
    [ -n "$address" ] || {
        echo "no source of packages is known" >&2
        return 1
    }
    source=/etc/apt/sources.list.d/arrayproxy-julia.list
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    echo "deb [signed-by=$keyring] $address bullseye main" | $as_root tee "$source" >/dev/null
    # shellcheck disable=SC2064 # what it is now
    trap "$as_root rm -f '$source'" EXIT
    $as_root apt-get update -q >&2
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends julia/bullseye libjulia1/bullseye >&2
    mkdir -p "$unwind"
    (cd "$folder" && apt-get download -q libunwind8/bullseye >&2 && dpkg -x libunwind8_*.deb unwind)
}

command -v julia >/dev/null && [ -d "$unwind/usr" ] || get
libraries=$(dirname "$(find "$unwind" -name 'libunwind.so.8' | head -n 1)")
echo "env LD_LIBRARY_PATH=$libraries julia"

#!/bin/sh
# Installs and builds the readers of the bindings: Julia and R from apt, as root
# or by sudo without a password, the R package into target/bench/R, the rest into
# target/bench/bin. Comes after setup.sh.
set -eu
cd "$(dirname "$0")/.."
bin=$PWD/target/bench/bin

if ! command -v R >/dev/null; then
    as_root=
    [ "$(id -u)" = 0 ] || as_root='sudo -n'
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends r-base-core </dev/null
fi
# What to run Julia with.
sh bindings/julia/get.sh >"$bin/julia.command"

"${CXX:-c++}" -std=c++17 -O2 -Wall -Wextra -Iinclude -Ibindings/cpp benches/peers/read_cpp.cpp \
    -o "$bin/cpp" -Ltarget/release -larrayproxy -Wl,-rpath,'$ORIGIN/../../release'
"${CC:-cc}" -O2 -shared -fPIC benches/peers/checksum.c -o "$bin/checksum.so"

mkdir -p target/bench/R
AP_INCLUDE=$PWD/include AP_LIB=$PWD/target/release \
    R CMD INSTALL --preclean --clean --library=target/bench/R bindings/R >target/bench/R/log 2>&1 || {
    cat target/bench/R/log >&2
    exit 1
}

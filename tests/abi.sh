#!/usr/bin/env bash
# Compares the ABI with the description kept in abi/: what is added passes,
# what is changed or removed fails. `abi.sh write` writes the description.
#
# Described is what include/arrayproxy.h declares, which is what programs were
# built with: its functions as a library of stubs with debug information, its
# constants as an enumeration. So neither rustc's choices nor what is behind
# the handles get into it. That the library is as its header says is for
# tests/header.rs and ctests/run.sh.
#
# shellcheck disable=SC2317 # functions are called through check
set -u
cd "$(dirname "$0")/.." || exit 1
out=$PWD/target/abi
# shellcheck source=tests/check.sh
. tests/check.sh

CC=${CC:-gcc}
version=$(sed -nE '/^version = /{s/^version = "(0\.[0-9]+|[1-9][0-9]*)\..*/\1/p;q;}' Cargo.toml)
description=abi/$version.abi

rm -rf "$out"
mkdir -p "$out" || exit 1

# A library with the functions of a header, which can't be called.
stubs() { # header
    echo "#include \"$1\""
    $CC -E -P -DAP_API=AP_STUB -DAP_NO_INLINE "$1" | tr '\n' ' ' | grep -o 'AP_STUB [^;]*' |
        sed -E 's/^AP_STUB (.*)/\1 { __builtin_trap(); }/'
    echo "enum ap_constants {"
    $CC -E -dM "$1" | LC_ALL=C sort |
        sed -nE '/^#define AP_((ABI_)?VERSION|API)/!s/^#define (AP_[A-Z0-9_]+) .+/    value_of_\1 = \1,/p'
    echo "} ap_constants;"
}

describe() { # header, description
    stubs "$1" >"$out/stubs.c" &&
        (cd "$out" && $CC -std=gnu99 -g -w -fPIC -shared -nostdlib -Wl,-soname,"libarrayproxy.so.$version" \
            stubs.c -o stubs.so) &&
        abidw --no-corpus-path --no-comp-dir-path --no-show-locs --no-elf-needed --no-architecture \
            --no-parameter-names --out-file "$2" "$out/stubs.so"
}

if [ "${1:-}" = write ]; then
    mkdir -p abi && describe "$PWD/include/arrayproxy.h" "$description" && echo "$description"
    exit
fi

compare() { # header
    describe "$1" "$out/new.abi" || return 1
    abidiff --no-added-syms "$description" "$out/new.abi"
}

# Compares a changed header: `passes` or `fails`, a name, an expression for sed.
try() {
    local status
    sed -zE "$3" include/arrayproxy.h >"$out/arrayproxy.h"
    ! cmp -s include/arrayproxy.h "$out/arrayproxy.h" || { echo "nothing was changed"; return 1; }
    compare "$out/arrayproxy.h"
    status=$?
    case $1 in
    passes) [ "$status" -eq 0 ] ;;
    fails) [ $((status & 7)) -eq 4 ] ;; # a change, and no error of abidiff's own
    esac
}
passes() {
    check "passes: $1" try passes "$@"
}
fails() {
    check "fails: $1" try fails "$@"
}

# The functions described are there, whatever the header says.
exported() {
    nm -D --defined-only target/release/libarrayproxy.so | awk '{ print $3 }' | sort >"$out/exported"
    sed -nE "s/.*<elf-symbol name='([^']+)' type='func-type'.*/\1/p" "$description" | sort |
        comm -23 - "$out/exported" >"$out/missing"
    cat "$out/missing"
    [ -s "$out/exported" ] && [ ! -s "$out/missing" ]
}

no_paths() {
    ! grep -E "[\"'][^\"']*/[^\"']*[\"']" "$description"
}

for tool in "${CC%% *}" nm abidw abidiff; do
    check "tool $tool is installed" command -v "$tool"
done
check "$description is there (else: make abi)" test -f "$description"
[ "$failed" -eq 0 ] || finish

check "the description names no folders" no_paths
check "the library has its functions" exported
check "nothing of $description was changed or removed" compare "$PWD/include/arrayproxy.h"

# The comparison itself.
passes "a new function" 's/AP_API void ap_free\(/AP_API double ap_not_yet(ap_plan *plan);\n&/'
passes "a new constant" 's/#define AP_OK 0/&\n#define AP_ERR_NOT_YET -99/'
passes "a new handle" 's/typedef struct ap_plan ap_plan;/&\ntypedef struct ap_not_yet ap_not_yet;\nAP_API ap_not_yet *ap_not_yet_new(void);/'
passes "other names of parameters" 's/(ap_free\(ap_proxy \*)proxy/\1image/'
fails "a function removed" 's/AP_API void ap_free\([^;]*;//'
fails "a function renamed" 's/ap_free\(/ap_release(/'
fails "a wider parameter" 's/(ap_read_all\([^;]*)uint32_t/\1uint64_t/'
fails "a signed parameter" 's/(ap_read_all\([^;]*)uint32_t/\1int32_t/'
fails "one more parameter" 's/(ap_read_all\([^;]*)\)/\1, int32_t more)/'
fails "a result where there was none" 's/AP_API void ap_free\(/AP_API ap_status ap_free(/'
fails "another handle" 's/ap_free\(ap_proxy/ap_free(ap_plan/'
fails "another callback" 's/(\*ap_read_at_fn\)[^;]*)size_t/\1uint32_t/'
fails "a longer ap_error" 's/message\[496\]/message[1008]/'
fails "ap_slice in another order" 's/(int64_t )start;(.*int64_t )stop;/\1stop;\2start;/'
fails "a wider ap_dtype" 's/typedef int32_t ap_dtype/typedef int64_t ap_dtype/'
fails "another value of a constant" 's/#define AP_ERR_IO -7/#define AP_ERR_IO -77/'
fails "a constant removed" 's/#define AP_ERR_IO -7//'
finish

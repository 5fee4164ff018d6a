#!/usr/bin/env bash
# Builds the C tests against the built library and runs them: shared, static,
# under valgrind, with gcc's sanitizers. Looks at the header and the exported
# symbols too. One line per check; the last one is `N passed, N failed`.
#
# TARGET_DIR   where libarrayproxy.so and .a are (target/release)
# AP_INCLUDE   where arrayproxy.h is (include)
# CC, CXX      compilers (gcc, g++)
#
# shellcheck disable=SC2317 # functions are called through check
set -u
cd "$(dirname "$0")/.." || exit 1
target=${TARGET_DIR:-target/release}
include=${AP_INCLUDE:-include}
CC=${CC:-gcc}
CXX=${CXX:-g++}
out=target/ctests
# shellcheck source=tests/check.sh
. tests/check.sh
soname=libarrayproxy.so.0.1
native_libs='-lgcc_s -lutil -lrt -lpthread -lm -ldl -lc'

programs='version status dtype options source open meta fields extensions slice read cast scale
    plan layout nifti affine analyze spm matlab mgh gzip codecs seekindex badindex indexpath batch
    load array view noview images imagedata imagethreads control stop heard sliceproxy partshape
    partaffine partfile series seriesparts seriesfiles dlpack fromdlpack parallel cached forked
    harmed changed errors null edges threads big'
c_flags='-std=c99 -Wall -Wextra -pedantic -Werror -Wstrict-prototypes -D_GNU_SOURCE'
cc_flags='-std=c++11 -Wall -Wextra -pedantic -Werror'
sanitize='-g -fsanitize=address,undefined -fno-sanitize-recover=all'

# The program must end well within the time and say nothing but its own line:
# a library that prints is as wrong as one that fails.
run_quietly() { # seconds, command...
    local seconds=$1 lines status
    shift
    TMPDIR=$PWD/$out/tmp timeout -k 5 "$seconds" "$@" >"$log.said" 2>&1
    status=$?
    cat "$log.said"
    lines=$(wc -l <"$log.said")
    [ "$status" -eq 0 ] || { echo "exit status $status"; return 1; }
    [ "$lines" -eq 1 ] || { echo "$lines lines, wanted 1"; return 1; }
    grep -Eq '^[a-z]+: [1-9][0-9]* passed, 0 failed$' "$log.said"
}

run_small() {
    CTESTS_SMALL=1 run_quietly "$@"
}

run_valgrind() {
    run_small 600 valgrind -q --leak-check=full --error-exitcode=99 --child-silent-after-fork=yes \
        --suppressions=ctests/valgrind.supp \
        --show-leak-kinds=definite,indirect,possible \
        --errors-for-leak-kinds=definite,indirect,possible "$@"
}

# The helpers of all programs, with given flags.
build_support() { # folder, flags
    local file
    for file in ctests/support/*.c; do
        # shellcheck disable=SC2086 # flags are words
        $CC $c_flags $2 -O1 -I"$include" -c "$file" -o "$1/$(basename "$file" .c).o" || return
    done
}

# build KIND PROGRAM: shared, static or sanitized.
build() {
    local kind=$1 name=$2 flags='' compile libs source
    libs="-L$out/lib -larrayproxy -Wl,-rpath,\$ORIGIN/../lib -lpthread -lm"
    case $kind in
    static) libs="$target/libarrayproxy.a -nodefaultlibs $native_libs" ;;
    sanitized) flags=$sanitize ;;
    esac
    if [ "$name" = wrapper ]; then
        source=ctests/wrapper.cc
        compile="$CXX $cc_flags"
        libs=${libs/-nodefaultlibs/-lstdc++}
    else
        source=ctests/$name.c
        compile="$CC $c_flags"
    fi
    local support=$out/support
    [ "$kind" != sanitized ] || support=$out/support-sanitized
    # shellcheck disable=SC2086
    $compile $flags -O1 -I"$include" -Ictests "$source" "$support"/*.o -o "$out/$kind/$name" $libs
}

header_as() { # language, standard, flags...
    local language=$1 standard=$2 compile=$CC
    shift 2
    [ "$language" = c ] || compile=$CXX
    $compile -x "$language" -std="$standard" -Wall -Wextra -pedantic -Werror -Wshadow -Wconversion \
        -Wsign-conversion -Wcast-qual -Wundef "$@" -I"$include" -fsyntax-only ctests/header.c
}

exported() {
    nm -D --defined-only "$target/libarrayproxy.so" | awk '{print $3}' | sort
}

# Functions that the header declares: the preprocessor removes its comments.
declared() {
    $CC -E -P -DAP_API=AP_DECLARED -DAP_NO_INLINE "$include/arrayproxy.h" | tr '\n' ' ' |
        tr ';' '\n' | sed -nE 's/.*AP_DECLARED[^(]*[ *](ap_[a-z0-9_]+) *\(.*/\1/p' | sort
}

# The first C program of the README, as the body of a main.
readme_compiles() {
    {
        printf '#include <stdio.h>\n#include <stdlib.h>\n#include <arrayproxy.h>\nint main(void)\n{\n'
        sed -n '/^```c$/,/^```$/p' README.md | sed '/^```/d'
        printf 'return 0;\n}\n'
    } >"$out/readme.c"
    # shellcheck disable=SC2086 # a list of words
    grep -q ap_read_slice "$out/readme.c" &&
        $CC $c_flags -I"$include" -c "$out/readme.c" -o "$out/readme.o"
}

symbols_prefixed() {
    exported >"$out/exported"
    [ -s "$out/exported" ] || return
    ! grep -v '^ap_' "$out/exported"
}

# Same names on both sides; those on one side only are shown.
symbols_match() {
    exported >"$out/exported"
    declared >"$out/declared"
    [ -s "$out/declared" ] && diff "$out/declared" "$out/exported"
}

has_soname() {
    readelf -d "$target/libarrayproxy.so" | grep SONAME
    readelf -d "$target/libarrayproxy.so" | grep -Fq "Library soname: [$soname]"
}

rm -rf "$out"
mkdir -p "$out"/{lib,support,support-sanitized,shared,static,sanitized,tmp,logs,results} || exit 1

for tool in "$CC" "$CXX" valgrind nm readelf timeout; do
    check "tool ${tool%% *} is installed" command -v "${tool%% *}"
done
for file in "$target/libarrayproxy.so" "$target/libarrayproxy.a" "$include/arrayproxy.h"; do
    check "$file is there" test -f "$file"
done
[ "$failed" -eq 0 ] || finish

cp "$target/libarrayproxy.so" "$out/lib/$soname" && ln -sf "$soname" "$out/lib/libarrayproxy.so"

for standard in c99 c11 c17 c2x; do
    check "header as $standard" header_as c "$standard" -Wstrict-prototypes -Wold-style-definition
    check "header as $standard without helpers" header_as c "$standard" -DAP_NO_INLINE
done
for standard in c++98 c++11 c++14 c++17 c++20; do
    check "header as $standard" header_as c++ "$standard"
    check "header as $standard without helpers" header_as c++ "$standard" -DAP_NO_INLINE
done

check "exported symbols start with ap_" symbols_prefixed
check "declared functions are the exported ones" symbols_match
check "soname is $soname" has_soname
check "README's program compiles" readme_compiles

check "build helpers" build_support "$out/support" ""
check "build helpers, sanitized" build_support "$out/support-sanitized" "$sanitize"

# All of one program.
program() {
    local name=$1 kind
    log=$out/logs/$name
    for kind in shared static sanitized; do
        check "build $name, $kind" build "$kind" "$name"
    done
    check "run $name, shared" run_quietly 100 "$out/shared/$name"
    check "run $name, static" run_quietly 100 "$out/static/$name"
    check "run $name, sanitized" run_quietly 200 "$out/sanitized/$name"
    check "run $name, valgrind" run_valgrind "$out/shared/$name"
}

# As many programs at a time as there are cores.
cores=$(nproc)
for name in $programs wrapper; do
    while [ "$(jobs -rp | wc -l)" -ge "$cores" ]; do
        wait -n
    done
    program "$name" >"$out/results/$name" &
done
wait
for name in $programs wrapper; do
    cat "$out/results/$name"
    good=$(grep -c '^ok ' "$out/results/$name")
    passed=$((passed + good))
    failed=$((failed + 7 - good))
done
finish

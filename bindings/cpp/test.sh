#!/usr/bin/env bash
# Builds the C++ tests against the built library and runs them: as C++17, 20 and 23,
# and with sanitizers; the README's program and the gallery too. One line per check; the
# last one is `N passed, N failed`. Needs `make build`, and target/venv for the cases.
#
# CXX    compiler (g++, and clang++ if it is there)
# JOBS   programs at a time (as many as there are cores)
#
# shellcheck disable=SC2016,SC2317 # sed's backquotes; functions are called through check
set -u
cd "$(dirname "$0")/../.." || exit 1
out=target/bindings/cpp
# shellcheck source=tests/check.sh
. tests/check.sh
library=target/release/libarrayproxy.so
here=bindings/cpp
# As they are installed.
include=$out/include
flags="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -g -I$include"
sanitize='-fsanitize=address,undefined -fno-sanitize-recover=all'
jobs=${JOBS:-$(nproc)}
programs='cases reading handles callbacks threads leak'

if [ -n "${CXX:-}" ]; then
    compilers=("$CXX")
else
    compilers=(g++)
    ! command -v clang++ >/dev/null || compilers+=(clang++)
fi

rm -rf "$out"
mkdir -p "$out"/{lib,include/arrayproxy,bin,logs,results} || exit 1

# Programs look for the library by its soname, in a folder with nothing else in it.
copy_library() {
    local soname
    soname=$(readelf -d "$library" | sed -n 's/.*soname: \[\(.*\)\]/\1/p')
    cp "$library" "$out/lib/$soname" && ln -s "$soname" "$out/lib/libarrayproxy.so"
}

copy_headers() {
    cp include/arrayproxy.h "$here/arrayproxy.hpp" "$include/" &&
        cp "$here"/arrayproxy/*.hpp "$include/arrayproxy/"
}

make_cases() {
    AP_LIBRARY=$PWD/$library PYTHONDONTWRITEBYTECODE=1 \
        target/venv/bin/python bindings/cases.py target/bindings/cases
}

build() { # compiler, standard, source, program, flags...
    local compiler=$1 standard=$2 source=$3 program=$4
    shift 4
    # shellcheck disable=SC2086 # flags are words
    "$compiler" -std="c++$standard" $flags "$@" "$source" -o "$out/bin/$program" \
        -L"$out/lib" -larrayproxy -Wl,-rpath,"\$ORIGIN/../lib" -pthread
}

# The program must end well within the time and say nothing but its own line.
run() { # program
    local status
    timeout -k 5 300 "$out/bin/$1" >"$log.said" 2>&1
    status=$?
    cat "$log.said"
    [ "$status" -eq 0 ] || { echo "exit status $status"; return 1; }
    [ "$(wc -l <"$log.said")" -eq 1 ] &&
        grep -Eq '^[a-z]+: [1-9][0-9]* passed, 0 failed$' "$log.said"
}

# Each header by itself, and twice, with more warnings than a user may have.
headers_alone() { # compiler, standard
    local header standard=$2
    [ "$1-$2" != clang++-23 ] || standard=2b
    for header in arrayproxy.hpp arrayproxy/base.hpp arrayproxy/parts.hpp; do
        # shellcheck disable=SC2086 # flags are words
        printf '#include <%s>\n#include <%s>\n' $header $header |
            "$1" -x c++ -std="c++$standard" $flags -Wsign-conversion -Wold-style-cast \
                -Wcast-qual -Wundef -Wnon-virtual-dtor -fsyntax-only - || return
    done
}

# Two files of one program include the header: nothing in it is defined twice.
two_files() {
    cat >"$out/one.cpp" <<'END'
#include <arrayproxy.hpp>
int axes(const char *path) { return arrayproxy::open(path).ndim(); }
END
    cat >"$out/two.cpp" <<'END'
#include <arrayproxy.hpp>
int axes(const char *path);
int main()
{
    const char *path = "tests/data/example4d.nii.gz";
    return axes(path) == 4 && arrayproxy::open(path).read<int>(60, 50, 10, 1)() == 444 ? 0 : 1;
}
END
    build "${compilers[0]}" 17 "$out/one.cpp" two "$out/two.cpp" && "$out/bin/two"
}

# The README's first program and what it is said to print.
readme_program() {
    sed -n '/^```cpp$/,/^```$/{/^```$/q;/^```/d;p}' "$here/README.md" >"$out/readme.cpp"
    [ "$(wc -l <"$out/readme.cpp")" -eq 10 ] || { wc -l "$out/readme.cpp"; return 1; }
    build "${compilers[0]}" 17 "$out/readme.cpp" readme || return
    "$out/bin/readme" | tee "$out/readme.said"
    [ -s "$out/readme.said" ] && grep -Fq "\`$(cat "$out/readme.said")\`" "$here/README.md"
}

# All of README's other C++, in a function that is compiled.
readme_compiles() {
    {
        printf '#include <arrayproxy.hpp>\nvoid body(const arrayproxy::Proxy &);\n'
        printf 'void body(const arrayproxy::Proxy &image)\n{\n'
        sed -n '/^```cpp$/,/^```$/p' "$here/README.md" | sed '1,/^```$/d; /^```/d'
        printf '}\nint main() {}\n'
    } >"$out/readme_rest.cpp"
    grep -q range "$out/readme_rest.cpp" && build "${compilers[0]}" 17 "$out/readme_rest.cpp" rest
}

has_gnuplot() {
    command -v gnuplot && return
    local as_root=''
    [ "$(id -u)" = 0 ] || as_root='sudo -n'
    $as_root apt-get install -y -q --no-install-recommends gnuplot-nox && command -v gnuplot
}

gallery() {
    build "${compilers[0]}" 17 "$here/gallery.cpp" gallery &&
        "$out/bin/gallery" tests/data/mni152_t1.nii.gz tests/data/functional.nii \
            "$out/gallery.png" >"$out/gallery.gnuplot" && gnuplot "$out/gallery.gnuplot" || return
    local size
    size=$(wc -c <"$out/gallery.png")
    echo "$size bytes"
    [ "$(head -c 4 "$out/gallery.png" | tail -c 3)" = PNG ] && [ "$size" -gt 30000 ] &&
        [ "$size" -lt 150000 ]
}

gallery_refuses() {
    ! "$out/bin/gallery" tests/data/nothing.nii tests/data/functional.nii "$out/none.png" \
        >"$out/refused" 2>&1 && grep "nothing.nii" "$out/refused"
}

for tool in "${compilers[@]}" readelf timeout; do
    check "tool $tool is installed" command -v "$tool"
done
check "$library is there" test -f "$library"
check "library is copied" copy_library
check "headers are copied" copy_headers
check "cases are made" make_cases
[ "$failed" -eq 0 ] || finish

# One program in one way: as a standard has it, or sanitized.
program() { # compiler, standard or "sanitized", program
    local compiler=$1 way=$2 name=$3 file=$1-$2-$3 standard=$2 options=-O0
    log=$out/logs/$file
    case $way in
    17) options=-O2 ;;
    23) [ "$compiler" != clang++ ] || standard=2b ;;
    sanitized) standard=20 options="-O1 $sanitize" ;;
    esac
    # shellcheck disable=SC2086 # flags are words
    check "build $name, $compiler, $way" \
        build "$compiler" $standard "$here/tests/$name.cpp" "$file" $options
    check "run $name, $compiler, $way" run "$file"
}

lines=()
for compiler in "${compilers[@]}"; do
    for way in 17 20 23 sanitized; do
        [ $way = sanitized ] ||
            check "headers alone, $compiler, $way" headers_alone "$compiler" $way
        for name in $programs; do
            [ $way-"$name" = sanitized-leak ] || lines+=("$compiler $way $name")
        done
    done
done
for line in "${lines[@]}"; do
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do
        wait -n
    done
    # shellcheck disable=SC2086 # three words
    program $line >"$out/results/${line// /-}" &
done
wait
for line in "${lines[@]}"; do
    cat "$out/results/${line// /-}"
    good=$(grep -c '^ok ' "$out/results/${line// /-}")
    passed=$((passed + good))
    failed=$((failed + 2 - good))
done
check "two files with the header" two_files
check "README's program runs" readme_program
check "README's other lines compile" readme_compiles
check "gnuplot is installed" has_gnuplot
check "gallery draws" gallery
check "gallery names a file that is not there" gallery_refuses
finish

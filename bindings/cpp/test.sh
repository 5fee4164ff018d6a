#!/usr/bin/env bash
# Builds the C++ tests against the built library and runs them: as C++17, 20 and 23,
# and with sanitizers; the README's lines and the gallery too. One line per check; the
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
flags="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wsign-conversion -Wold-style-cast"
flags="$flags -Wcast-qual -Wundef -Wnon-virtual-dtor -Werror -g -I$include"
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

# Each header by itself, and twice.
headers_alone() { # compiler, standard
    local header standard=$2
    [ "$1-$2" != clang++-23 ] || standard=2b
    for header in arrayproxy.hpp arrayproxy/base.hpp arrayproxy/parts.hpp; do
        # shellcheck disable=SC2086 # flags are words
        printf '#include <%s>\n#include <%s>\n' $header $header |
            "$1" -x c++ -std="c++$standard" $flags -fsyntax-only - || return
    done
}

# Two files of one program include the header: nothing in it is defined twice. What a shared
# object throws comes out of it, though it hides all that it can.
two_files() {
    cat >"$out/hidden.cpp" <<'END'
#include <arrayproxy.hpp>
#define SEEN __attribute__((visibility("default")))
struct SEEN Gone : std::exception {};
SEEN arrayproxy::Source failing()
{
    const auto read = [](void *, std::size_t, std::uint64_t) -> std::size_t { throw Gone(); };
    return arrayproxy::Source::callbacks(read, 1000);
}
SEEN void fail() { throw arrayproxy::error(AP_ERR_RANGE, "from inside"); }
END
    cat >"$out/one.cpp" <<'END'
#include <arrayproxy.hpp>
int axes(const char *path) { return arrayproxy::open(path).ndim(); }
END
    cat >"$out/two.cpp" <<'END'
#include <arrayproxy.hpp>
struct __attribute__((visibility("default"))) Gone : std::exception {};
arrayproxy::Source failing();
void fail();
int axes(const char *path);
int main(int argc, char **)
{
    if (argc == 1) {
        const char *path = "tests/data/example4d.nii.gz";
        return axes(path) == 4 && arrayproxy::open(path).read<int>(60, 50, 10, 1)() == 444 ? 0 : 1;
    }
    int caught = 0;
    try {
        arrayproxy::open(failing());
    } catch (const Gone &) {
        caught++;
    }
    try {
        fail();
    } catch (const arrayproxy::error &e) {
        caught += e.code() == AP_ERR_RANGE;
    }
    return caught - 2;
}
END
    build "${compilers[0]}" 17 "$out/hidden.cpp" ../lib/libhidden.so -shared -fPIC \
        -fvisibility=hidden -fvisibility-inlines-hidden &&
        build "${compilers[0]}" 17 "$out/one.cpp" two "$out/two.cpp" -L"$out/lib" -lhidden &&
        "$out/bin/two"
}

# Lines that must not compile, and what the compiler has to say of each.
misuse() {
    cat >"$out/misuse.cpp" <<'END'
#include <arrayproxy.hpp>
#include <string_view>
using namespace arrayproxy;
void body(const Proxy &, Nd<float> &, std::vector<bool> &, const std::array<float, 3> &);
void body(const Proxy &image, Nd<float> &nd, std::vector<bool> &bits,
          const std::array<float, 3> &constant)
{
    image.read<void>(); // load<void>() and load<disk>() take it
    image.read<disk>(); // load<void>() and load<disk>() take it
    image.read<long double>(); // no element type of arrayproxy; specialise dtype_of
    image.read_into(bits); // std::vector<bool> has no elements in memory: read std::uint8_t
    image.read_batch<bool>({0}); // std::vector<bool> has no elements in memory: read
    image.read_into(constant); // the memory is const
    image.volumes<Proxy>(How{}); // proxies are unread: give the How to their reads
    nd(1.5, 2.5); // an index is an integer
    nd.at(true); // an index is an integer
    Source::memory(std::string_view("abc")); // a view does not keep its memory
}
END
    "${compilers[0]}" -std=c++17 -I"$include" -fsyntax-only -fmax-errors=0 "$out/misuse.cpp" \
        >"$out/misuse.said" 2>&1 && { echo 'it compiles'; return 1; }
    local number text count=0
    while IFS=: read -r number text; do
        if ! grep -Fq "misuse.cpp:$number:" "$out/misuse.said" ||
            ! grep -Fq "$text" "$out/misuse.said"; then
            echo "line $number: $text"
            return 1
        fi
        count=$((count + 1))
    done < <(grep -n ' // ' "$out/misuse.cpp" | sed 's|:.* // |:|')
    [ "$count" -eq 10 ]
}

# The README's first program and what it is said to print.
readme_program() {
    sed -n '/^```cpp$/,/^```$/{/^```$/q;/^```/d;p}' "$here/README.md" >"$out/readme.cpp"
    [ "$(wc -l <"$out/readme.cpp")" -eq 10 ] || { wc -l "$out/readme.cpp"; return 1; }
    build "${compilers[0]}" 17 "$out/readme.cpp" readme || return
    "$out/bin/readme" | tee "$out/readme.said"
    [ -s "$out/readme.said" ] && grep -Fq "\`$(cat "$out/readme.said")\`" "$here/README.md"
}

# What is between backquotes, of lines that are read.
spans() {
    grep -o '`[^`]*`' | tr -d '`'
}
# A list item of the README.
item() { # name
    sed -n "/^- \*\*$1\.\*\*/,/^- \*\*\|^\$/p" "$here/README.md" | sed '1b; /^- /d'
}

# All of README's other C++: its blocks, the calls in the table of results and in the rest.
readme_compiles() {
    local file=$out/readme_rest.cpp
    {
        cat <<'END'
#include <arrayproxy.hpp>
using T = float;
std::size_t my_store_read(void *, std::size_t, std::uint64_t);
void blocks(const arrayproxy::Proxy &);
void blocks(const arrayproxy::Proxy &image)
{
END
        sed -n '/^```cpp$/,/^```$/p' "$here/README.md" | sed '1,/^```$/d; /^```/d'
        sed -n '/^## The rest/,/^## Tests/p' "$here/README.md" | grep -v '^## ' | spans |
            sed -n 's/^Options(/ap::&/; /^ap::Options(\|^control\./s/$/;/p'
        cat <<'END'
}
void table(const arrayproxy::Proxy &);
void table(const arrayproxy::Proxy &image)
{
    using arrayproxy::all, arrayproxy::rest;
    std::vector<T> vector;
    std::array<T, 4> span{};
    const arrayproxy::View<T> view(span.data(), {4});
    const std::vector<arrayproxy::Index> indices;
END
        sed -n '/^| wanted/,/^$/p' "$here/README.md" | sed '1,2d; /^$/d' |
            awk -F'|' '{print $(NF - 1)}' | spans |
            sed 's/index\.\.\./rest, all, 1/; s/^for .*/& (void)v/; s/.*/{ &; }/'
        cat <<'END'
}
void lists(const arrayproxy::Proxy &, const arrayproxy::Plan &, arrayproxy::Control &);
void lists(const arrayproxy::Proxy &image, const arrayproxy::Plan &plan,
           arrayproxy::Control &control)
{
    const arrayproxy::error e(AP_ERR_NULL, "");
    const std::size_t i = 0, j = 0;
    const std::string name;
END
        item Errors | spans | sed -n 's/^[a-z_]*()$/(void)e.&;/p'
        item Metadata | spans | sed 's/.*/(void)image.&;/'
        item Threads | spans | sed 's/$/;/'
        echo '}'
    } >"$file"
    # No part of it may be lost.
    [ "$(grep -c ';' "$file")" -ge 53 ] || { grep -c ';' "$file"; return 1; }
    # shellcheck disable=SC2086 # flags are words
    "${compilers[0]}" -std=c++17 $flags -fsyntax-only "$file"
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

gallery_refuses() { # image, series, what it says
    "$out/bin/gallery" "$1" "$2" "$out/none.png" >"$out/refused" 2>&1
    [ $? -eq 1 ] && tail -n 1 "$out/refused" | grep "$3"
}

for tool in "${compilers[@]}" readelf timeout; do
    check "tool $tool is installed" command -v "$tool"
done
check "$library is there" test -f "$library"
check "library is copied" copy_library
check "headers are copied" copy_headers
check "cases are made" make_cases
[ "$failed" -eq 0 ] || finish

standin=-D__cpp_lib_mdspan=202207L
has_mdspan() { # compiler
    printf '#include <version>\n#ifndef __cpp_lib_mdspan\n#error\n#endif\n' |
        "$1" -std=c++23 -x c++ -fsyntax-only - 2>/dev/null
}

# One program in one way: as a standard has it, sanitized, or with what it needs.
program() { # compiler, standard or "sanitized" or "mdspan", program
    local compiler=$1 way=$2 name=$3 file=$1-$2-$3 standard=$2 options=-O0
    log=$out/logs/$file
    case $way in
    17) options=-O2 ;;
    23) [ "$compiler" != clang++ ] || standard=2b ;;
    sanitized) standard=20 options="-O1 $sanitize" ;;
    mdspan)
        standard=23
        has_mdspan "$compiler" || standard=20 options="-I$here/tests/standin $standin"
        ;;
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
    lines+=("$compiler mdspan mdspan")
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
check "exceptions of an object that hides its names" "$out/bin/two" hidden
check "misuse does not compile" misuse
check "README's program runs" readme_program
check "README's other lines compile" readme_compiles
check "gnuplot is installed" has_gnuplot
check "gallery draws" gallery
bold=tests/data/functional.nii
check "gallery names a file that is not there" gallery_refuses tests/data/nothing.nii $bold \
    nothing.nii
check "gallery refuses a series without time" gallery_refuses $bold tests/data/mni152_t1.nii.gz \
    '^a series has four axes, this one 3$'
finish

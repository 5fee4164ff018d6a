#!/usr/bin/env bash
# Installs the built library below target/install and builds a stranger's
# programs against it: by pkg-config and CMake, shared and static, in C and
# C++, after a move, with an older header. Needs `make` to have run.
#
# shellcheck disable=SC2086,SC2046,SC2317 # lists of words; functions called through check
set -u
cd "$(dirname "$0")/.." || exit 1
out=$PWD/target/install
# shellcheck source=tests/check.sh
. tests/check.sh

CC=${CC:-gcc}
CXX=${CXX:-g++}
c_flags='-std=c99 -Wall -Wextra -pedantic -Werror'
cc_flags='-std=c++11 -Wall -Wextra -pedantic -Werror'
version=$(sed -nE '/^version = /{s/^version = "(.+)"/\1/p;q;}' Cargo.toml)
soversion=$(echo "$version" | sed -E 's/^(0\.[0-9]+|[1-9][0-9]*)\..*/\1/')
image=$PWD/tests/data/example4d.nii.gz
voxel='128 x 96 x 24 x 2, 444' # NiBabel's shape, and [60, 50, 10, 1]

rm -rf "$out"
mkdir -p "$out/programs" "$out/no-cargo" || exit 1
cp -r tests/stranger "$out/stranger"
prefix=$out/prefix
programs=$out/programs

for tool in "${CC%% *}" "${CXX%% *}" make cmake pkg-config readelf rustc; do
    check "tool $tool is installed" command -v "$tool"
done
[ "$failed" -eq 0 ] || finish

# Where nothing else is found.
export PKG_CONFIG_LIBDIR=$prefix/lib/pkgconfig
unset PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR LD_LIBRARY_PATH CMAKE_PREFIX_PATH

# says TEXT COMMAND...: the command succeeds and prints just that.
says() {
    local wanted=$1 said
    shift
    said=$("$@" 2>&1) || { echo "$said"; return 1; }
    printf 'said:   %s\nwanted: %s\n' "$said" "$wanted"
    [ "$said" = "$wanted" ]
}

# All that is below a folder: place, type, mode and target of links.
tree() {
    (cd "$1" && find . ! -type d -printf '%P %y %m %l\n' | sed -E 's/ l [0-7]+/ l/; s/ +$//' |
        LC_ALL=C sort)
}

expected_tree() { # include, lib
    cat <<END
$1/arrayproxy.h f 644
$1/arrayproxy.hpp f 644
$1/arrayproxy/base.hpp f 644
$1/arrayproxy/parts.hpp f 644
$2/libarrayproxy.a f 644
$2/libarrayproxy.so l libarrayproxy.so.$version
$2/libarrayproxy.so.$soversion l libarrayproxy.so.$version
$2/libarrayproxy.so.$version f 755
$2/pkgconfig/arrayproxy.pc f 644
share/cmake/arrayproxy/arrayproxy-config-version.cmake f 644
share/cmake/arrayproxy/arrayproxy-config.cmake f 644
share/doc/arrayproxy/LICENSE-APACHE f 644
share/doc/arrayproxy/LICENSE-MIT f 644
share/doc/arrayproxy/README.md f 644
END
}

has_tree() { # folder, include, lib
    diff <(expected_tree "$2" "$3" | LC_ALL=C sort) <(tree "$1")
}

# Whoever installs may have no cargo.
printf '#!/bin/sh\necho "cargo was run"\nexit 1\n' >"$out/no-cargo/cargo"
chmod +x "$out/no-cargo/cargo"
run_make() {
    PATH=$out/no-cargo:$PATH make --no-print-directory "$@"
}

# Builds the stranger's program, as `c` or `cc`, in its own folder.
build() { # language, program, flags and libraries
    local language=$1 program=$programs/$2
    shift 2
    case $language in
    c) (cd "$out/stranger" && $CC $c_flags program.c -o "$program" "$@") ;;
    cc) (cd "$out/stranger" && $CXX $cc_flags program.cc -o "$program" "$@") ;;
    esac
}

# As the README has them.
# shellcheck disable=SC2016
shared_recipe='$(pkg-config --cflags --libs arrayproxy)'
# shellcheck disable=SC2016,SC2034
static_recipe='$(pkg-config --static --cflags --libs arrayproxy |
    sed s/-larrayproxy/-l:libarrayproxy.a/)'

build_by() { # recipe, language, program
    eval "build $2 $3 $1"
}

in_readme() {
    local readme
    readme=$(<README.md)
    [[ $readme == *"cc program.c $1"* ]]
}

needs_shared() { # program
    readelf -d "$1" | grep NEEDED
    readelf -d "$1" | grep -Fq "[libarrayproxy.so.$soversion]"
}

needs_no_shared() {
    readelf -d "$1" | grep -F '[libc.so' &&
        ! readelf -d "$1" | grep -q libarrayproxy
}

run() { # program, library folder
    LD_LIBRARY_PATH=${2:-} says "$voxel" "$1" "$image"
}

configure() { # build folder, prefix, wanted version
    CC=$CC CXX=$CXX cmake -S "$out/stranger" -B "$out/$1" -DCMAKE_BUILD_TYPE=Release \
        -DCMAKE_PREFIX_PATH="$2" -DWANTED="$3"
}

# Configures and builds, and the package is that of the prefix.
cmake_build() { # build folder, prefix
    rm -rf "${out:?}/$1"
    configure "$1" "$2" "$soversion" 2>&1 | tee "$out/$1.log"
    grep -Fx "found $version in $2/share/cmake/arrayproxy" "$out/$1.log" &&
        cmake --build "$out/$1" -j 2
}

## Installing

check "install below DESTDIR" run_make install DESTDIR="$out/a stage" PREFIX=/usr \
    LIBDIR=/usr/lib/odd INCLUDEDIR=/usr/include/odd
check "just the files wanted, below DESTDIR" has_tree "$out/a stage/usr" include/odd lib/odd
check "no file names DESTDIR" test -z "$(grep -rlF "$out/a stage" "$out/a stage")"
check "install below PREFIX, without cargo" run_make install PREFIX="$prefix"
check "just the files wanted, below PREFIX" has_tree "$prefix" include lib
check "install over it" run_make install PREFIX="$prefix"
check "the same files" has_tree "$prefix" include lib
builds_if_older() {
    make -n --no-print-directory -W src/lib.rs install | grep "cargo build"
}
check "install builds if a source is newer" builds_if_older
relative_is_refused() {
    ! run_make install PREFIX=target/install/relative && [ ! -e "$out/relative" ]
}
check "PREFIX must be absolute" relative_is_refused
[ "$failed" -eq 0 ] || finish

## Versions

cat >"$out/version.c" <<'END'
#include <arrayproxy.h>
#include <stdio.h>
int main(void)
{
    printf("%d.%d.%d %s %s\n", AP_VERSION_MAJOR, AP_VERSION_MINOR, AP_VERSION_PATCH,
           ap_version_string(), ap_version() == AP_VERSION_NUMBER ? "same" : "another");
    return 0;
}
END
header_and_library_agree() {
    $CC $c_flags "$out/version.c" -o "$programs/version" $(pkg-config --cflags --libs arrayproxy) &&
        LD_LIBRARY_PATH=$prefix/lib says "$version $version same" "$programs/version"
}
soname() {
    readelf -d "$prefix/lib/libarrayproxy.so" | sed -n 's/.*soname: \[\(.*\)\]/\1/p'
}
check "header and library are of Cargo's version" header_and_library_agree
check "pkg-config's is the same" says "$version" pkg-config --modversion arrayproxy
check "soname is of that version" says "libarrayproxy.so.$soversion" soname
# CMake's is in cmake_build.

## pkg-config

check "arrayproxy.pc is valid" says "" pkg-config --validate arrayproxy
for kind in shared static; do
    recipe=${kind}_recipe
    check "README has the line for pkg-config, $kind" in_readme "${!recipe}"
    for language in c cc; do
        name="$language by pkg-config, $kind"
        program=$programs/$language-$kind
        check "build $name" build_by "${!recipe}" $language $language-$kind
        if [ $kind = shared ]; then
            check "$name, needs the library" needs_shared "$program"
            check "run $name" run "$program" "$prefix/lib"
        else
            check "$name, needs no library of ours" needs_no_shared "$program"
            check "run $name" run "$program"
        fi
    done
done

cat >"$out/classes.cpp" <<'END'
#include <arrayproxy.hpp>
#include <iostream>
int main(int, char **argv)
{
    std::cout << arrayproxy::open(argv[1]).read<int>(60, 50, 10, 1)() << "\n";
}
END
cpp_classes() {
    $CXX -std=c++17 -Wall -Wextra -pedantic -Werror "$out/classes.cpp" -o "$programs/classes" \
        $(pkg-config --cflags --libs arrayproxy) &&
        LD_LIBRARY_PATH=$prefix/lib says "${voxel##* }" "$programs/classes" "$image"
}
check "build and run C++'s classes by pkg-config" cpp_classes

# What rustc says a static library of its needs.
native_libs() {
    rustc --crate-type staticlib --print native-static-libs -o "$out/empty.a" - </dev/null 2>&1 |
        sed -n 's/^note: native-static-libs: //p'
}
pc_libs() {
    sed -n 's/^Libs.private: //p' "$prefix/lib/pkgconfig/arrayproxy.pc"
}
cmake_libs() {
    sed -nE 's/.*INTERFACE_LINK_LIBRARIES "(gcc_s.*)"\)/-l\1/p' \
        "$prefix/share/cmake/arrayproxy/arrayproxy-config.cmake" | sed 's/;/ -l/g'
}
check "Libs.private is what rustc names" says "$(native_libs)" pc_libs
check "CMake's is the same" says "$(native_libs)" cmake_libs

# Symbols of the static library that are neither ours nor mangled by Rust nor
# of the compiler's own library, as the README names them: PREFIX_* or whole.
c_symbols() {
    readelf -sW "$prefix/lib/libarrayproxy.a" |
        awk '/^File:/ { builtins = /compiler_builtins/ }
            !builtins && ($5 == "GLOBAL" || $5 == "WEAK") && $7 != "UND" { print $8 }' |
        grep -Ev '^(ap_|_ZN|_R|anon\.|DW\.ref\.|__)' | sed -E 's/^(_?[A-Z]+_|g_).*/\1*/' | sort -u
}
readme_names_symbols() {
    local symbol status=0
    c_symbols >"$out/symbols"
    grep -x rust_eh_personality "$out/symbols" || return
    while read -r symbol; do
        grep -Fq "\`$symbol\`" README.md || { echo "$symbol"; status=1; }
    done <"$out/symbols"
    return $status
}
check "README names the static library's C symbols" readme_names_symbols

# As a system has it that ships no shared library.
archive_only() {
    cp -a "$prefix" "$out/archive" && rm "$out"/archive/lib/*.so* &&
        build c archive $(pkg-config --define-prefix --static --cflags --libs \
            "$out/archive/lib/pkgconfig/arrayproxy.pc") && run "$programs/archive"
}
check "build and run c by pkg-config --static where there is no shared library" archive_only

sysroot() {
    mv "$out/a stage" "$out/stage" &&
        PKG_CONFIG_SYSROOT_DIR=$out/stage PKG_CONFIG_LIBDIR=$out/stage/usr/lib/odd/pkgconfig \
            build_by "$shared_recipe" c sysroot && run "$programs/sysroot" "$out/stage/usr/lib/odd"
}
check "build and run c by pkg-config in a sysroot" sysroot

## CMake

check "build c and cc by CMake" cmake_build cmake "$prefix"
for language in c cc; do
    program=$out/cmake/$language
    check "$language by CMake, shared, needs the library" needs_shared "${program}_arrayproxy"
    check "run $language by CMake, shared" run "${program}_arrayproxy"
    check "$language by CMake, static, needs no library of ours" needs_no_shared "${program}_static"
    check "run $language by CMake, static" run "${program}_static"
done
check "build by CMake, odd folders" cmake_build odd "$out/stage/usr"
check "run c by CMake, odd folders" run "$out/odd/c_arrayproxy"
check "build by CMake where there is no shared library" cmake_build archived "$out/archive"
check "just the static target" test ! -e "$out/archived/c_arrayproxy" -a -e "$out/archived/c_static"

# cargo-c installs the same files, with nothing filled in.
as_cargo_c() {
    cp -a "$prefix" "$out/cargo-c" &&
        cp packaging/*.cmake "$out/cargo-c/share/cmake/arrayproxy/" &&
        mkdir "$out/cargo-c/lib64" && mv "$out"/cargo-c/lib/lib* "$out/cargo-c/lib64/" &&
        cmake_build unfilled "$out/cargo-c" && run "$out/unfilled/c_arrayproxy"
}
check "build and run by CMake, its files as they are" as_cargo_c

lost() {
    rm -rf "$out/cargo-c/lib64" "$out/unfilled"
    ! configure unfilled "$out/cargo-c" "" >"$out/lost.log" 2>&1 || return
    grep "is not where" "$out/lost.log"
}
check "a lost library is named" lost

# The rule for versions, with headers of other versions.
cp -a "$prefix" "$out/versioned"
set_version() { # version
    local number i=0
    for number in ${1//./ }; do
        local names=(MAJOR MINOR PATCH)
        sed -i "s/^#define AP_VERSION_${names[i]} .*/#define AP_VERSION_${names[i]} $number/" \
            "$out/versioned/include/arrayproxy.h"
        i=$((i + 1))
    done
}
serves() { # wanted version, installed version
    configure versions "$out/versioned" "$1" 2>&1 | tee "$out/versions.log"
    grep -q "^found $2 in" "$out/versions.log"
}
refuses() {
    ! configure versions "$out/versioned" "$1" >"$out/versions.log" 2>&1 || return
    cat "$out/versions.log"
    grep -Eq "(compatible with|matches) requested" "$out/versions.log"
}
set_version 0.3.2
for wanted in "" 0.3 0.3.1 0.3.2 0.3.2\;EXACT 0.1...0.3.2 0.2...\<0.4; do
    check "version 0.3.2 serves who wants '$wanted'" serves "$wanted" 0.3.2
done
for wanted in 0 0.2 0.3.3 0.4 1 1.3 0.3.1\;EXACT 0.1...0.3 0.1...\<0.3.2 0.3.3...2; do
    check "version 0.3.2 refuses who wants '$wanted'" refuses "$wanted"
done
set_version 1.4.2
for wanted in 1 1.0 1.2.9 1.4.2; do
    check "version 1.4.2 serves who wants '$wanted'" serves "$wanted" 1.4.2
done
for wanted in 0.4 1.4.3 1.5 2; do
    check "version 1.4.2 refuses who wants '$wanted'" refuses "$wanted"
done

## An older header

# Ours without some functions and constants, and of an older version.
mkdir "$out/older"
awk -v RS= -v ORS='\n\n' '!/AP_API[^;]*[ *\n](ap_plan_[a-z]+|ap_read_box|ap_trim)\(/' \
    "$prefix/include/arrayproxy.h" |
    sed -E 's/^(#define AP_VERSION_(MAJOR|MINOR)) .*/\1 0/; s/^(#define AP_VERSION_PATCH) .*/\1 9/
        /^#define AP_(READ_CHECKED|ERR_CHANGED) /d' >"$out/older/arrayproxy.h"
older_header() {
    ! grep -E 'ap_plan_new\(|ap_read_box\(|AP_ERR_CHANGED ' "$out/older/arrayproxy.h" &&
        grep -q 'ap_read_slice(' "$out/older/arrayproxy.h" &&
        build c older -I"$out/older" $(pkg-config --libs arrayproxy)
}
newer_library() {
    LD_LIBRARY_PATH=$prefix/lib says "The library is newer than its header.
$voxel" "$programs/older" "$image"
}
check "an older header builds" older_header
check "its program runs with the newer library, and notices" newer_library

## Moving

# The old place is gone, so nothing can come from there.
mv "$prefix" "$out/moved"
moved_pkg_config() {
    PKG_CONFIG_LIBDIR=$out/moved/lib/pkgconfig build_by \
        "${shared_recipe/pkg-config/pkg-config --define-prefix}" c moved &&
        run "$programs/moved" "$out/moved/lib"
}
check "build and run c by pkg-config, moved" moved_pkg_config
check "build c and cc by CMake, moved" cmake_build moved-cmake "$out/moved"
check "run cc by CMake, moved, shared" run "$out/moved-cmake/cc_arrayproxy"
check "run cc by CMake, moved, static" run "$out/moved-cmake/cc_static"
mv "$out/moved" "$prefix"

## Uninstalling

touch "$prefix/include/other.h" "$prefix/lib/libother.so" "$prefix/share/doc/arrayproxy/notes"
check "uninstall" run_make uninstall PREFIX="$prefix"
check "others' files stay, and none of ours" says "include/other.h f 644
lib/libother.so f 644
share/doc/arrayproxy/notes f 644" tree "$prefix"
check "uninstall below DESTDIR" run_make uninstall DESTDIR="$out/stage" PREFIX=/usr \
    LIBDIR=/usr/lib/odd INCLUDEDIR=/usr/include/odd
check "no file is left" says "" tree "$out/stage"
check "nor a folder of ours" says "" find "$out/stage" -name arrayproxy
check "uninstall where nothing is" run_make uninstall DESTDIR="$out/stage" PREFIX=/usr
finish

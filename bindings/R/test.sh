#!/bin/sh
# Builds, checks and tests the package against target/release. All that is made
# goes to target/bindings/R. The last line is `N passed, N failed`.
set -eu
cd "$(dirname "$0")/../.."
root=$PWD
out=$root/target/bindings/R
export AP_INCLUDE="$root/include" AP_LIB="$root/target/release"
export AP_CASES="$root/target/bindings/cases"
export AP_LIBRARY="$AP_LIB/libarrayproxy.so"
export R_LIBS="$out/library" AP_LEAK_ROUNDS="${AP_LEAK_ROUNDS:-100000}"
export TT_AT_HOME=TRUE # those that take long, too
# Few open files: more than these are asked for.
# shellcheck disable=SC3045 # dash and bash have it
ulimit -n 1024
unset MAKEFLAGS MFLAGS
rm -rf "$out"
mkdir -p "$out/library"

passed=0 failed=0
verdict() { # status, what
    if [ "$1" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $2"
    fi
}
try() { # what, command...
    what=$1 status=0
    shift
    "$@" >"$out/log" 2>&1 || status=$?
    [ "$status" -eq 0 ] || tail -n 40 "$out/log"
    verdict "$status" "$what"
}

try "shared cases" target/venv/bin/python bindings/cases.py "$AP_CASES"
cd "$out"
try "R CMD build" R CMD build "$root/bindings/R"
try "R CMD INSTALL" R CMD INSTALL --library=library arrayproxy_*.tar.gz

# Calls of R's API alone, and nothing that other libraries could clash with.
nm -u library/arrayproxy/libs/arrayproxy.so >log
hidden=0
! grep -qE 'R_PromiseExpr|Rf_findVarInFrame|R_findVar' log || hidden=1
verdict $hidden "R's API"
nm -D --defined-only library/arrayproxy/libs/arrayproxy.so | awk '{ print $3 }' >log
visible=0
[ "$(cat log)" = R_init_arrayproxy ] || visible=1
[ "$visible" -eq 0 ] || cat log
verdict $visible "one visible symbol"

# What CRAN gets: where no library is installed, from the crates in the package
# alone. Without the tests that take long, as on CRAN; all tests run below.
offline() {
    env -u AP_LIB -u AP_INCLUDE -u AP_LIBRARY PKG_CONFIG_PATH= PKG_CONFIG_LIBDIR=/nonexistent \
        "$@"
}
try "package.sh" sh "$root/bindings/R/package.sh" "$out/cran"
try "R CMD check" offline env TT_AT_HOME=FALSE CARGO_BUILD_TARGET=none \
    RUSTFLAGS=--nonsense R CMD check --no-manual cran/arrayproxy_*.tar.gz
grep -E -A 3 '(NOTE|WARNING|ERROR)$' log || true
clean=0
grep -qE '^Status: (OK|1 NOTE)$' log || clean=1
[ "$(grep -c '^\* .*NOTE$' log)" = "$(grep -c 'installed package size ... NOTE$' log)" ] || clean=1
verdict $clean "R CMD check is clean, but for the size"
built=0
grep -q '^using Rust: rustc 1\.' arrayproxy.Rcheck/00install.out || built=1
ldd arrayproxy.Rcheck/arrayproxy/libs/arrayproxy.so >log
grep -q libarrayproxy log && built=1
verdict $built "the package holds the library"
for crate in libc zstd-sys; do
    held=0
    grep -q "^$crate [0-9]" arrayproxy.Rcheck/arrayproxy/AUTHORS || held=1
    verdict $held "AUTHORS names those of $crate"
done
small=0
[ "$(cat cran/arrayproxy_*.tar.gz | wc -c)" -lt 5000000 ] || small=1
verdict $small "the package is below CRAN's 5 MB"

# A line for each file that fails, and the counts in the end.
cat >run.R <<'TEXT'
library(arrayproxy)
library(tinytest)
results <- run_test_dir(system.file("tinytest", package = "arrayproxy"), verbose = 0,
                        at_home = TRUE)
bad <- results[!as.logical(results)]
if (length(bad)) print(bad)
cat(sum(as.logical(results)), length(bad), "\n")
TEXT
status=0
Rscript run.R >log 2>&1 || status=$?
if [ "$status" -eq 0 ]; then
    read -r good bad <<TEXT
$(tail -n 1 log)
TEXT
    passed=$((passed + good)) failed=$((failed + bad))
    [ "$bad" -eq 0 ] || cat log
else
    tail -n 40 log
    verdict 1 "tests of the package"
fi

# The README's lines as they stand, in the repository.
awk '/^```r$/ { on = 1; next } /^```$/ { on = 0 } on' "$root/bindings/R/README.md" >readme.R
lines=0
[ "$(wc -l <readme.R)" -ge 10 ] || lines=1
verdict $lines "README.md has its lines"
cd "$root"
try "README.md runs" Rscript "$out/readme.R"
try "gallery.R" Rscript bindings/R/gallery.R "$out/gallery.png"
small=0
[ "$(wc -c <bindings/R/gallery.png)" -lt 150000 ] || small=1
verdict $small "gallery.png is small"

try "overhead.c" "${CC:-cc}" -O2 -I"$AP_INCLUDE" bindings/R/overhead.c -o "$out/overhead" \
    -L"$AP_LIB" -larrayproxy -Wl,-rpath,"$AP_LIB"
try "overhead" Rscript bindings/R/overhead.R "$AP_CASES/plain.nii" \
    "$("$out/overhead" "$AP_CASES/plain.nii")"
cat "$out/log"

# By pkg-config, as after `make install`.
mkdir -p "$out/pc"
sed -e "s|@LIBDIR@|$AP_LIB|" -e "s|@INCLUDEDIR@|$AP_INCLUDE|" -e "s|@VERSION@|0.1.0|" \
    packaging/arrayproxy.pc.in >"$out/pc/arrayproxy.pc"
mkdir -p "$out/library2"
cd "$out"
try "pkg-config" env -u AP_LIB -u AP_INCLUDE PKG_CONFIG_PATH="$out/pc" \
    R CMD INSTALL --library=library2 arrayproxy_*.tar.gz
try "loads by pkg-config" env R_LIBS="$out/library2" Rscript -e 'library(arrayproxy)'
# From a folder whose name means something to the shell, make and sed.
odd="$out/a&b | c"
mkdir -p "$odd"
ln -s "$AP_LIB"/libarrayproxy.so* "$AP_INCLUDE/arrayproxy.h" "$odd"
try "odd folder" env AP_LIB="$odd" AP_INCLUDE="$odd" \
    R CMD INSTALL --library=library2 arrayproxy_*.tar.gz
try "loads from the odd folder" env R_LIBS="$out/library2" Rscript -e 'library(arrayproxy)'
cd "$root"

# Without the library, and without Rust of this age, there is a sentence, and
# nothing is built.
refuses() { # folder of sources, what is said, setting of the environment...
    folder=$1 said=$2 status=0
    shift 2
    (cd "$folder" && offline env "$@" sh configure) >"$out/log" 2>&1 && status=1
    grep -q "$said" "$out/log" || status=1
    [ ! -e "$folder/src/Makevars" ] || status=1
    [ "$status" -eq 0 ] || cat "$out/log"
    verdict "$status" "configure says: $said"
}
mkdir "$out/old"
printf '#!/bin/sh\necho "rustc 1.84.1 (e71f9a9a9 2025-01-27)"\n' >"$out/old/rustc"
chmod +x "$out/old/rustc"
cp -R bindings/R "$out/empty"
refuses "$out/empty" 'make install' PATH="$PATH"
refuses "$out/empty" 'one is not set' AP_LIB="$AP_LIB"
refuses "$out/empty" 'one is not set' AP_INCLUDE="$AP_INCLUDE"
refuses "$out/empty" 'from the root on' AP_LIB=target/release AP_INCLUDE=include
refuses "$out/empty" 'from the root on' AP_LIB="$AP_LIB" AP_INCLUDE="/a'b"
refuses "$out/empty" 'no arrayproxy.h in' AP_LIB="$AP_LIB" AP_INCLUDE="$out"
refuses "$out/empty" 'no libarrayproxy.so in' AP_LIB="$out" AP_INCLUDE="$AP_INCLUDE"
refuses "$out/cran/package" '^1.84.1\. Install them' PATH="$out/old:$PATH"

# Without a home, and by a `sort` that knows no versions.
printf '#!/bin/sh\nexit 2\n' >"$out/old/sort"
printf '#!/bin/sh\necho "rustc 1.185.0"\n' >"$out/old/rustc"
chmod +x "$out/old/sort"
# shellcheck disable=SC2016 # for the inner shell
try "configure without a home" offline env -u HOME PATH="$out/old:$PATH" \
    sh -c 'cd "$1" && sh configure && sh cleanup' sh "$out/cran/package"

# On macOS none of the libraries of Linux is linked.
printf '#!/bin/sh\necho Darwin\n' >"$out/old/uname"
chmod +x "$out/old/uname"
# shellcheck disable=SC2016
try "configure on macOS" offline env PATH="$out/old:$PATH" sh -c \
    'cd "$1" && sh configure && grep "^PKG_LIBS = -Lrust -larrayproxy_r $" src/Makevars &&
     sh cleanup' sh "$out/cran/package"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

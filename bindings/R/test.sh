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

# Short rounds here, as all tests run once more below.
try "R CMD check" env AP_LEAK_ROUNDS=1000 R CMD check --no-manual arrayproxy_*.tar.gz
grep -E '(NOTE|WARNING|ERROR)$' log || true
grep '^Status: ' log || true
warnings=0
grep -qE '^Status: .*(WARNING|ERROR)' log && warnings=1
verdict $warnings "R CMD check without warnings"

# A line for each file that fails, and the counts in the end.
cat >run.R <<'TEXT'
library(arrayproxy)
library(tinytest)
results <- run_test_dir(system.file("tinytest", package = "arrayproxy"), verbose = 0)
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
cd "$root"

# Without the library there is a sentence, and nothing is built.
(
    cd "$out"
    rm -rf empty
    cp -R "$root/bindings/R" empty
    cd empty
    env -u AP_LIB PKG_CONFIG_PATH= PKG_CONFIG_LIBDIR=/nonexistent sh configure
) >"$out/log" 2>&1 && status=1 || status=0
grep -q 'make install' "$out/log" || status=1
verdict $status "configure without the library"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

#!/usr/bin/env bash
# Runs the package's tests by Pkg.test, without a network: in a depot of its own, whose one
# registry is empty. The last line counts them.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=$PWD/target/bindings
package=$PWD/bindings/julia/ArrayProxies.jl
julia=$(sh bindings/julia/get.sh)
command -v gnuplot >/dev/null || {
    as_root=
    [ "$(id -u)" = 0 ] || as_root='sudo -n'
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends gnuplot-nox
}

export AP_LIBRARY=$PWD/target/release/libarrayproxy.so
PYTHONDONTWRITEBYTECODE=1 target/venv/bin/python bindings/cases.py "$folder/cases"

depot=$folder/julia/depot
rm -rf "$depot" "$folder/julia/project"
mkdir -p "$depot/registries/Empty"
cat >"$depot/registries/Empty/Registry.toml" <<'END'
name = "Empty"
uuid = "5cb2a1f3-9a0b-4d0c-8e53-1c2d7a1f6b90"
repo = ""
[packages]
END

export AP_CASES=$folder/cases AP_README=$package/README.md
export AP_EXAMPLE=$PWD/tests/data/example4d.nii.gz
export JULIA_DEPOT_PATH=$depot JULIA_NUM_THREADS=2 JULIA_PKG_SERVER=
log=$folder/julia/log
status=0
$julia --project="$folder/julia/project" -e '
    using Pkg
    Pkg.develop(PackageSpec(path = ARGS[1]))
    # Most of the time goes to compiling what runs once.
    Pkg.test("ArrayProxies", julia_args = `-O1`)' "$package" 2>&1 | tee "$log" || status=$?

made=$folder/julia/gallery.png
rm -f "$made"
$julia --project="$folder/julia/project" "$package/gallery.jl" tests/data/mni152_t1.nii.gz \
    tests/data/functional.nii "$made" || status=1
[ -s "$made" ] || { echo "gallery.jl drew nothing"; status=1; }

# Of each testset: its name, and how many passed, failed, broke and there are.
read -r passed failed < <(awk -F'|' '
    /^Test Summary:/ { split($2, names, " "); next }
    /^[A-Za-z0-9].*\|/ {
        n = split($2, counts, " ")
        for (i = 1; i <= n; i++) {
            if (names[i] == "Pass") passed += counts[i]
            if (names[i] == "Fail" || names[i] == "Error") failed += counts[i]
        }
    }
    END { print passed + 0, failed + 0 }' "$log")
[ "$status" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]

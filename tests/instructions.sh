#!/usr/bin/env bash
# Counts the instructions of some reads (tests/instructions/reads.c) and compares
# them with tests/instructions/counts: figures that do not depend on what else a
# machine does. The kernels are those for all processors, so that the count is the
# same on each. A change beyond 5 % fails, up or down.
#
#   bash tests/instructions.sh          # compare; only report if rustc or
#                                       # valgrind are not those of the file
#   bash tests/instructions.sh write    # take what is counted as right
#
# The last line is `N passed, N failed`.
set -euo pipefail
cd "$(dirname "$0")/.."
kept=tests/instructions/counts
target=${CARGO_TARGET_DIR:-target}/portable
versions="$(rustc --version), $(valgrind --version)"

RUSTFLAGS='--cfg portable_kernels' CARGO_TARGET_DIR=$target \
    cargo build --release --locked -q --lib
${CC:-cc} -std=c99 -O2 -Wall -Wextra -Iinclude tests/instructions/reads.c -o "$target/reads" \
    "$target/release/libarrayproxy.a" -lpthread -lm -ldl

found=
for work in whole column voxel; do
    valgrind --tool=callgrind --toggle-collect=counted --callgrind-out-file=/dev/null \
        "$target/reads" "$work" 2>"$target/said"
    found+="$work $(awk '/Collected/ { print $4 }' "$target/said")"$'\n'
done
found=${found%$'\n'}
if [ "${1:-}" = write ]; then
    printf '%s\n%s\n' "$versions" "$found" >"$kept"
    exit
fi
state=FAILED
if [ "$(head -n 1 "$kept")" != "$versions" ]; then
    state=reported
    echo "counted with other versions: $(head -n 1 "$kept"), here $versions"
fi
{
    tail -n +2 "$kept"
    echo "$found"
} | awk -v state="$state" -v kept="$(($(wc -l <"$kept") - 1))" '
    NR <= kept { old[$1] = $2; next }
    {
        seen[$1] = 1
        change = old[$1] > 0 ? 100 * ($2 / old[$1] - 1) : 100
        far = $2 <= 0 || change > 5 || change < -5
        bad = far && (state == "FAILED" || $2 <= 0)
        printf "%-8s %s %d instructions, %+.1f %% of what they were (%d)\n",
            bad ? "FAILED" : far ? state : "ok", $1, $2, change, old[$1]
        if (bad) failed++; else passed++
    }
    END {
        for (work in old) if (!(work in seen)) { print "FAILED   " work " was not counted"; failed++ }
        if (failed) print "if that is how it is to be: bash tests/instructions.sh write"
        printf "%d passed, %d failed\n", passed, failed
        exit failed || !passed
    }'

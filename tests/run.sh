#!/usr/bin/env bash
# Everything that `make test` runs. A step that fails does not stop the others.
# The last line counts the single tests of all steps, and one for each step
# that is not made of tests. Logs and summary are left in target/tests.
#
# A step whose tools are missing is skipped and named; with CI=true it fails.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null
# A `make -j` above would hand cargo a job server that is not there.
unset MAKEFLAGS MFLAGS

export CARGO_TARGET_DIR=$PWD/target
logs=target/tests
rm -rf "$logs"
mkdir -p "$logs"

passed=0 failed=0 summary=()

note() { # state, seconds, step, remark
    summary+=("$(printf '%-8s %5s s  %-24s %s' "$@")")
}

# "passed failed" of a log: the sum over cargo's test programs, or the closing
# line of another runner.
counts() { # kind, log
    awk -v kind="$1" '
        function add_up(line,   word, n, i) {
            n = split(line, word, /[ ,;=]+/)
            for (i = 1; i < n; i++) {
                if (word[i + 1] ~ /^passed/) passed += word[i]
                if (word[i + 1] ~ /^(failed|errors?)$/) failed += word[i]
            }
        }
        kind == "cargo" && /^test result: / { add_up($0) }
        kind == "runner" && /^=* ?[0-9]+ (passed|failed|errors?|skipped)/ { last = $0 }
        END { add_up(last); print passed + 0, failed + 0 }' "$2"
}

# Kinds: `cargo` and `runner` run tests and must run some, `one` counts as one.
step() { # name, kind, command that shows that the tools are there, command...
    local name=$1 kind=$2 tools=$3 status=0 start=$SECONDS good=0 bad=0
    local log=$logs/${1// /-}.log
    shift 3
    printf '\n== %s: %s\n' "$name" "$*"
    if [ "${CI:-}" != true ] && ! $tools >/dev/null 2>&1; then
        echo "skipped: \"$tools\" does not work here"
        note skipped 0 "$name" "needs \"$tools\""
        return
    fi
    "$@" 2>&1 | tee "$log" || status=$?
    if [ "$kind" = one ]; then
        [ "$status" -eq 0 ] && good=1 || bad=1
    else
        read -r good bad <<<"$(counts "$kind" "$log")"
        if [ $((good + bad)) -eq 0 ]; then
            echo "no test was run"
            bad=1
        elif [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
            bad=1
        fi
    fi
    passed=$((passed + good)) failed=$((failed + bad))
    local state=ok
    [ "$bad" -eq 0 ] || state=FAILED
    note "$state" $((SECONDS - start)) "$name" "$good passed, $bad failed"
    printf -- '-- %s: %s, %s s\n' "$name" "$state" $((SECONDS - start))
}

format() {
    cargo fmt --check && cargo fmt --check --manifest-path fuzz/Cargo.toml &&
        cargo fmt --check --manifest-path benches/peers/Cargo.toml
}

setup() {
    sh tests/setup.sh || {
        [ "${CI:-}" != true ] && echo "Steps that need what is missing are skipped."
    }
}

step 'setup' one true setup
step 'format' one 'cargo fmt --version' format
step 'clippy' one 'cargo clippy --version' \
    cargo clippy --locked --all-targets -- -D warnings
step 'clippy without features' one 'cargo clippy --version' \
    cargo clippy --locked --no-default-features --lib -- -D warnings
step 'tests' cargo true cargo test --locked --no-fail-fast
step 'tests without features' cargo true cargo test --locked --no-default-features --lib
# Not all of the tests: those that reach unsafe code without the C programs.
step 'address sanitizer' cargo true env RUSTC_BOOTSTRAP=1 RUSTFLAGS='-Zsanitizer=address' \
    CARGO_TARGET_DIR="$CARGO_TARGET_DIR/sanitized" \
    cargo test --locked --target "$(rustc -vV | sed -n 's/^host: //p')" \
    --lib --test reading --test opening --test images
step 'documentation' one true \
    env RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps
step 'release build' one 'make --version' make --no-print-directory build
step 'ABI' runner 'abidiff --version' bash tests/abi.sh
step 'installing' runner 'cmake --version' bash tests/install.sh
step 'C tests' runner 'valgrind --version' bash ctests/run.sh
step 'instructions' runner 'valgrind --version' bash tests/instructions.sh
step 'oracle' runner 'target/venv/bin/python -m pytest --version' \
    env AP_LIBRARY="$CARGO_TARGET_DIR/release/libarrayproxy.so" PYTHONDONTWRITEBYTECODE=1 \
    target/venv/bin/python -m pytest -q -p no:cacheprovider tests/oracle
step 'Python' runner 'python3 -m venv --help' bash bindings/python/test.sh
step 'C++' runner 'c++ --version' bash bindings/cpp/test.sh
step 'Julia' runner 'sh bindings/julia/get.sh' bash bindings/julia/test.sh
step 'R' runner 'R --version' bash bindings/R/test.sh
step 'fuzz targets' one 'c++ --version' \
    env RUSTFLAGS='--cfg fuzzing' CARGO_TARGET_DIR="$CARGO_TARGET_DIR/fuzz" \
    cargo check --locked --manifest-path fuzz/Cargo.toml

{
    printf '\n== summary\n'
    printf '%s\n' "${summary[@]}"
    printf '\n%s passed, %s failed\n' "$passed" "$failed"
} | tee "$logs/summary.txt"
[ "$failed" -eq 0 ]

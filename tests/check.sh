# For scripts of checks, to be sourced: one line per check, and at the end
# `N passed, N failed`. `out` is a folder of the script's own, `log` a file in it
# for what runs beside others.
# shellcheck shell=bash disable=SC2154

passed=0
failed=0

# check NAME COMMAND...: one line; the command's output only if it fails.
check() {
    local name=$1
    shift
    if "$@" >"${log:=$out/log}" 2>&1 </dev/null; then
        passed=$((passed + 1))
        echo "ok      $name"
    else
        failed=$((failed + 1))
        echo "FAILED  $name"
        head -n 60 "$log" | sed 's/^/        /'
    fi
}

finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
    exit
}

#!/usr/bin/env bash
# Builds the wheel around target/release's library, installs it into a venv of its own
# and runs the tests. The last line counts them.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=$PWD/target/bindings
venv=$folder/python/venv
here=bindings/python
export PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1

mkdir -p "$folder/python"
if ! cmp -s "$here/tests/requirements.txt" "$venv/requirements.txt"; then
    rm -rf "$venv"
    for python in python3 /usr/bin/python3; do
        "$python" -m venv "$venv" 2>/dev/null && break
    done
    "$venv/bin/python" -m pip install -q -r "$here/tests/requirements.txt"
    cp "$here/tests/requirements.txt" "$venv/requirements.txt"
fi

AP_LIBRARY=$PWD/target/release/libarrayproxy.so target/venv/bin/python bindings/cases.py "$folder/cases"

rm -rf "$folder/python/wheels"
"$venv/bin/python" -m pip wheel -q --no-deps --no-build-isolation \
    -w "$folder/python/wheels" "$here"
"$venv/bin/python" -m pip install -q --no-deps --force-reinstall "$folder"/python/wheels/*.whl
[[ $(basename "$folder"/python/wheels/*.whl) == *-py3-none-linux_* ]] || {
    echo "the wheel is not for any Python 3 on Linux"
    exit 1
}

env -u AP_LIBRARY AP_CASES="$folder/cases" AP_README="$PWD/$here/README.md" \
    AP_EXAMPLE="$PWD/tests/data/example4d.nii.gz" \
    "$venv/bin/python" -m pytest -q -p no:cacheprovider -c "$here/pyproject.toml" \
    --rootdir "$here" "$here/tests"

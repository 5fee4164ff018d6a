"""NiBabel's own tests of its proxies, with ours in their place."""

import os
import re
import subprocess
import sys
from pathlib import Path

# What is asked for there: their openers, and attributes that they have for them.
INTERNAL = ["test_keep_file_open_true_false_invalid"]


def test_nibabels_own():
    modules = ["nibabel.tests.test_arrayproxy", "nibabel.tests.test_proxy_api"]
    left_out = " and ".join(f"not {name}" for name in INTERNAL)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "swapped",
         "-k", left_out, "--pyargs", *modules],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    last = ran.stdout.strip().splitlines()[-1]
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr
    assert int(re.search(r"(\d+) passed", last)[1]) >= 95, last

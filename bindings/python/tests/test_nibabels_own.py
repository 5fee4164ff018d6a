"""NiBabel's own tests of its proxies and formats, with our proxies in their place."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROXIES = ["test_arrayproxy", "test_proxy_api"]
# Of the images' common tests those of these formats: others want a server on the web.
FORMATS = [
    *(f"test_{name}" for name in ("brikhead", "ecat", "parrec", "minc1", "minc2")),
    *(f"test_image_api::Test{name}API" for name in ("AFNI", "PARREC", "Minc1", "Minc2")),
]
# What is asked for there: their openers, and attributes that they have for them.
INTERNAL = ["test_keep_file_open_true_false_invalid"]


@pytest.mark.parametrize(
    "modules, least", [(PROXIES, 95), (FORMATS, 140)], ids=["proxies", "formats"]
)
def test_nibabels_own(modules, least):
    left_out = " and ".join(f"not {name}" for name in INTERNAL)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "swapped",
         "-k", left_out, "--pyargs", *(f"nibabel.tests.{name}" for name in modules)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    last = ran.stdout.strip().splitlines()[-1]
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr
    assert int(re.search(r"(\d+) passed", last)[1]) >= least, last

"""What the README shows, as it stands."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(os.environ["AP_README"]).read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_first_is_short():
    lines = [line for line in BLOCKS[0].splitlines() if line.strip()]
    assert len(lines) <= 10 and len(BLOCKS) == 3


def test_gallery(tmp_path):
    here = Path(os.environ["AP_README"]).parent
    images = [here / "../../tests/data" / name for name in ("mni152_t1.nii.gz", "functional.nii")]
    made = tmp_path / "made.png"
    command = [sys.executable, here / "gallery.py", *images, made]
    subprocess.run(command, check=True, timeout=100)
    assert made.stat().st_size > 10_000


@pytest.mark.parametrize("number", range(3))
def test_block(number, tmp_path):
    shutil.copy(os.environ["AP_EXAMPLE"], tmp_path / "bold.nii.gz")
    code = BLOCKS[number]
    if number == 2:  # programs that dask starts import this one
        code += "assert mean.shape == image.shape[:3]\n"
    if number == 1:
        code += "assert type(image.dataobj) is arrayproxy.ArrayProxy\n"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, timeout=100)

"""Type hints, as mypy has them: of the package, and of who uses it as it is installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SETTINGS = HERE.parent / "pyproject.toml"


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    cache = tmp_path_factory.mktemp("mypy")

    def run(*what):
        command = [sys.executable, "-m", "mypy", "--config-file", SETTINGS, "--cache-dir", cache]
        ran = subprocess.run(
            [*command, *what], cwd=cache, capture_output=True, text=True, timeout=500
        )
        return ran.returncode, ran.stdout + ran.stderr

    return run


def test_the_package(checked):
    code, text = checked(SETTINGS.parent / "src/arrayproxy")
    assert code == 0, text
    assert "no issues found" in text


def test_of_who_uses_it(checked):
    code, text = checked(HERE / "hinted.py")
    assert code == 0, text


def test_that_it_is_installed_with_its_hints(checked, tmp_path):
    """Without them all would be Any, of which nothing is wrong."""
    path = tmp_path / "code.py"
    path.write_text("import arrayproxy\nreveal_type(arrayproxy.open('a').shape)\n")
    code, text = checked(path)
    assert code == 0 and '"tuple[int, ...]"' in text, text


def test_that_it_runs():
    subprocess.run([sys.executable, HERE / "hinted.py", os.environ["AP_EXAMPLE"]], check=True)

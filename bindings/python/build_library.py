"""What hatchling runs when it builds a wheel: the shared library goes into the package.

AP_LIBRARY names the library; otherwise it is the one that `make build` makes. Nothing of
Python is in it, so one wheel for each platform serves all versions.
"""

import os
import sys
import sysconfig
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NAMES = {"win32": "arrayproxy.dll", "darwin": "libarrayproxy.dylib"}
NAME = NAMES.get(sys.platform, "libarrayproxy.so")


class LibraryHook(BuildHookInterface):
    def initialize(self, version, build_data):
        built = Path(self.root, "../../target/release", NAME)
        library = Path(os.environ.get("AP_LIBRARY") or built).resolve()
        if not library.exists():
            raise FileNotFoundError(f"{library}: build it with `make build`, or set AP_LIBRARY")
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
        build_data["force_include"][str(library)] = f"arrayproxy/{NAME}"

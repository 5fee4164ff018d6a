"""The readers: processes that take one job at a time."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

PEERS = Path(__file__).parents[1] / "peers"
ROOT = PEERS.parents[1]

# What the reader is called in tables. Those that only decode to memory know
# nothing of images.
NAMES = {
    "ours": "ours",
    "nibabel": "NiBabel",
    "indexed_gzip": "NiBabel + indexed_gzip",
    "nibabel_rapidgzip": "NiBabel + rapidgzip",
    "simpleitk": "SimpleITK",
    "niftilib": "niftilib",
    "nifti": "nifti crate",
    "numpy": "NumPy memmap",
    "limit": "plain code",
    "rapidgzip": "rapidgzip, decoding",
    "libdeflate": "libdeflate, decoding",
    "isal": "ISA-L, decoding",
    "zlib-rs": "zlib-rs, decoding",
    "cpp": "C++",
    "python": "Python",
    "julia": "Julia",
    "r": "R",
}


def command(name, built):
    def python(script, *args):
        return [sys.executable, PEERS / script, *args]

    library = f"AP_LIBRARY={ROOT}/target/release/libarrayproxy.so"
    checksum = built / "checksum.so"
    if name == "julia":
        julia = (built / "julia.command").read_text().split()
        where = f"JULIA_LOAD_PATH={ROOT}/bindings/julia:@stdlib"
        depot = f"JULIA_DEPOT_PATH={ROOT}/target/bench/julia"
        return ["env", library, where, depot, *julia, PEERS / "read_julia.jl", checksum]

    return {
        "ours": [built / "ours"],
        "cpp": [built / "cpp"],
        "niftilib": [built / "niftilib"],
        "isal": [built / "isal"],
        "nibabel": python("read_nibabel.py", "nibabel"),
        "indexed_gzip": python("read_nibabel.py", "indexed_gzip"),
        "nibabel_rapidgzip": python("read_nibabel.py", "rapidgzip"),
        "numpy": python("read_numpy.py"),
        "python": [
            "env", library, f"PYTHONPATH={ROOT}/bindings/python/src", *python("read_python.py")
        ],
        "r": ["env", f"R_LIBS={ROOT}/target/bench/R", "Rscript", PEERS / "read_r.R", checksum],
        "simpleitk": python("read_simpleitk.py"),
        "rapidgzip": python("read_rapidgzip.py"),
    }.get(name, [built / "arrayproxy-peers", name])


# Memory that a reader frees stays its own, in huge pages, and serves the next
# job. New pages can cost more than all that is measured, and another price each
# time: the host of a virtual machine takes back what was free for a while.
TUNABLES = ":".join(
    f"glibc.malloc.{setting}"
    for setting in ("mmap_max=0", "trim_threshold=0x1000000000", "hugetlb=1")
)


class Failed(Exception):
    """A reader could not do its job, or got other values."""


@dataclass(frozen=True)
class Job:
    """What one reader does, and what it has to read."""

    reader: str
    work: str
    file: Path
    dtype: str = "disk"
    boxes: object = None
    # What is told to the reader besides.
    args: dict = field(default_factory=dict, hash=False)
    # Seconds are multiplied by it: a part of a job that takes long stands for all.
    scale: float = 1.0

    def line(self):
        given = {"dtype": self.dtype, **self.args}
        if self.boxes is not None:
            given["boxes"] = self.boxes.path
        pairs = [f"{name}={value}" for name, value in given.items()]
        return "\t".join([self.work, str(self.file), *pairs])

    def is_part(self):
        return self.scale > 1


@dataclass
class Answer:
    seconds: float
    checksum: int
    more: dict


class Reader:
    def __init__(self, name, built, keeps=True):
        words = [str(word) for word in command(name, built)]
        pipe = subprocess.PIPE
        env = {**os.environ, "GLIBC_TUNABLES": TUNABLES} if keeps else None
        self.process = subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True, env=env)
        self.name, self.version = name, self.process.stdout.readline().strip()
        if not self.version:
            raise Failed(f"{name} does not start")

    def ask(self, job):
        try:
            self.process.stdin.write(job.line() + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # no answer will come, which says as much
        state, *rest = self.process.stdout.readline().strip().split("\t")
        if state != "ok":
            raise Failed(f"{self.name}: {' '.join(rest) or self.end()}")
        seconds, checksum, *more = rest
        more = dict(pair.split("=", 1) for pair in more)
        return Answer(float(seconds), int(checksum, 16), more)

    def end(self):
        return f"ended with {self.process.wait()}"

    def close(self):
        self.process.communicate()  # to the end of its input, whatever it still says


class Readers:
    """Started when first needed, ended together."""

    def __init__(self, built):
        self.built, self.running = built, {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for reader in self.running.values():
            reader.close()

    def ask(self, job):
        # Results in new memory are what they are: nothing is kept.
        keeps = not {"fresh", "default"} & job.args.keys()
        reader = self.get(job.reader, keeps)
        try:
            return reader.ask(job)
        except Failed:
            if reader.process.poll() is not None:
                del self.running[job.reader, keeps]  # the next job gets a new one
            raise

    def get(self, name, keeps):
        if (name, keeps) not in self.running:
            self.running[name, keeps] = Reader(name, self.built, keeps)
        return self.running[name, keeps]

    def restart(self):
        """All readers anew when they are needed again."""
        self.__exit__()
        self.running.clear()

    def alone(self, name):
        """A new process, for what earlier jobs would leave traces in."""
        return Reader(name, self.built, keeps=False)

    def versions(self):
        return list(dict.fromkeys(reader.version for reader in self.running.values()))

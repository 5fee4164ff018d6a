"""The same reads through each binding, held against C."""

from measure import Row
from readers import NAMES, Job
from truth import Boxes

TIMES = 20_000
# The most that a call may cost beyond the same in C, in seconds.
LANGUAGES = {"cpp": None, "python": 8e-6, "julia": 0.5e-6, "r": 5e-6}
# Those that give int16 as it is stored: R has none, Julia's binding reads values.
AS_STORED = ("cpp", "python")


class BindingRows:
    def __init__(self, data):
        self.series = data.plain("fmri")
        middle = [n // 2 for n in data.shape]
        self.voxel = Boxes(data, "bindings_voxel", [(middle, (1,) * 4)])

    def all(self):
        for reader, more in LANGUAGES.items():
            args = {"times": TIMES}
            yield self.row("a voxel", reader, ("voxel", "float64", self.voxel, args), more=more)
        for reader in LANGUAGES:
            yield self.row("whole to float64", reader, ("whole", "float64"), 1.02)
        # Told, not judged: mere copies, and new pages, differ from process to process.
        for reader in AS_STORED:
            yield self.row("whole as stored", reader, ("whole", "disk"))
        fresh = ("whole", "float64", None, {"fresh": 1})
        yield self.row("whole to float64, new memory", "cpp", fresh)

    def row(self, title, reader, what, reach=None, more=None):
        job = lambda name: Job(name, what[0], self.series, *what[1:])
        against = ("C", job("ours"), 1)
        return Row(f"{NAMES[reader]}: {title}", job(reader), against, reach, more=more)

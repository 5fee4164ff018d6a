"""Ways in which a file may be compressed: "gzip", and each kind such as "gzip-members"."""

from collections.abc import Callable
from dataclasses import dataclass

from bzip2s import BZIP2S
from gzips import GZIPS
from zstds import ZSTDS


@dataclass(frozen=True)
class Packing:
    codec: str  # as `ap_codec` names it
    suffix: str  # of file names
    pack: Callable[[bytes], bytes]


CODECS = ["plain", "gzip", "bzip2", "zstd"]
PACKINGS = {"plain": Packing("none", "", bytes)}
for codec, suffix, kinds in [
    ("gzip", ".gz", GZIPS),
    ("bzip2", ".bz2", BZIP2S),
    ("zstd", ".zst", ZSTDS),
]:
    for kind, pack in kinds.items():
        name = codec if kind == "single" else f"{codec}-{kind}"
        PACKINGS[name] = Packing(codec, suffix, pack)

# What comes several times in one file.
SEVERAL = ["gzip-members", "bzip2-streams", "zstd-frames"]
# [BUG] NiBabel fails at what follows the last frame, as the zstd program does.
NOT_NIBABELS = ["zstd-junk"]

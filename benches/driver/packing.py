"""The compressed forms of the images."""

import bz2
import gzip
import shutil
import struct
import subprocess
import zlib

PIECE = 1 << 20
# Plain bytes in a member of the file of many: about as bgzip's successors and
# tools that append volume by volume write them.
MEMBER = 1 << 20


def gzipped(level):
    """One stream of zlib's, as most programs write it."""

    def pack(plain, to):
        encoder = zlib.compressobj(level, zlib.DEFLATED, 31)
        with open(plain, "rb") as source, open(to, "wb") as file:
            while piece := source.read(PIECE):
                file.write(encoder.compress(piece))
            file.write(encoder.flush())

    return pack


def members(plain, to):
    """Many gzip files, one after the other."""
    with open(plain, "rb") as source, open(to, "wb") as file:
        while piece := source.read(MEMBER):
            file.write(gzip.compress(piece, 6, mtime=0))


def bzipped(plain, to):
    with open(plain, "rb") as source, bz2.open(to, "wb", 9) as file:
        shutil.copyfileobj(source, file, PIECE)


def by(*command):
    """What a program makes of its input."""

    def pack(plain, to):
        with open(plain, "rb") as source, open(to, "wb") as file:
            subprocess.run(command, stdin=source, stdout=file, check=True)

    return pack


def long(series, volumes, to):
    """The series over and over in one stream: ten times the size."""
    with open(series, "rb") as source, open(to, "wb") as file:
        packer = subprocess.Popen(["pigz", "-6", "-n"], stdin=subprocess.PIPE, stdout=file)
        head = bytearray(source.read(352))
        given = struct.unpack_from("<h", head, 48)[0]
        struct.pack_into("<h", head, 48, volumes)
        packer.stdin.write(head)
        for _ in range(volumes // given):
            source.seek(352)
            shutil.copyfileobj(source, packer.stdin, PIECE)
        packer.stdin.close()
        if packer.wait() != 0:
            raise RuntimeError("pigz failed")


# Name: what it is made of, and how. bzip2 takes its time: a tenth is enough.
FORMS = {
    "fmri.nii.gz": ("fmri", gzipped(6)),
    "fmri_level1.nii.gz": ("fmri", gzipped(1)),
    "fmri_pigz.nii.gz": ("fmri", by("pigz", "-6", "-n", "-p", "2")),
    "fmri_pigz_i.nii.gz": ("fmri", by("pigz", "-6", "-n", "-i", "-p", "2")),
    "fmri_bgzf.nii.gz": ("fmri", by("bgzip", "-c", "-@", "2")),
    "fmri_members.nii.gz": ("fmri", members),
    "fmri.nii.zst": ("fmri", by("zstd", "-q", "-3", "-T2", "-c")),
    "cut.nii.gz": ("cut", gzipped(6)),
    "cut.nii.bz2": ("cut", bzipped),
    "t1.nii.gz": ("t1", gzipped(6)),
    "f32.nii.gz": ("f32", gzipped(6)),
    "text.nii.gz": ("text", gzipped(6)),
}
# For the decoders: "cut" is of the series.
KINDS = ("cut", "t1", "f32", "text")
for kind in KINDS:
    FORMS[f"{kind}_level1.nii.gz"] = (kind, gzipped(1))
    FORMS[f"{kind}_level9.nii.gz"] = (kind, gzipped(9))
    FORMS[f"{kind}_pigz.nii.gz"] = (kind, by("pigz", "-6", "-n", "-p", "2"))

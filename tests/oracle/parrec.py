"""PAR/REC of Philips' scanners: a text of general information and of a line for each image
(.PAR), and the images (.REC)."""

from dataclasses import dataclass
from io import BytesIO, StringIO

import numpy as np
from nibabel.fileholders import FileHolder
from nibabel.parrec import PARRECImage

from files import ImageFile
from model import Scaling

# Keys as the scanner writes them, by NiBabel's names.
KEYS = {
    "patient_name": "Patient name",
    "exam_name": "Examination name",
    "protocol_name": "Protocol name",
    "exam_date": "Examination date/time",
    "series_type": "Series Type",
    "acq_nr": "Acquisition nr",
    "recon_nr": "Reconstruction nr",
    "scan_duration": "Scan Duration [sec]",
    "max_cardiac_phases": "Max. number of cardiac phases",
    "max_echoes": "Max. number of echoes",
    "max_slices": "Max. number of slices/locations",
    "max_dynamics": "Max. number of dynamics",
    "max_mixes": "Max. number of mixes",
    "patient_position": "Patient position",
    "prep_direction": "Preparation direction",
    "tech": "Technique",
    "scan_resolution": "Scan resolution  (x, y)",
    "scan_mode": "Scan mode",
    "repetition_time": "Repetition time [ms]",
    "fov": "FOV (ap,fh,rl) [mm]",
    "water_fat_shift": "Water Fat shift [pixels]",
    "angulation": "Angulation midslice(ap,fh,rl)[degr]",
    "off_center": "Off Centre midslice(ap,fh,rl) [mm]",
    "flow_compensation": "Flow compensation <0=no 1=yes> ?",
    "presaturation": "Presaturation     <0=no 1=yes> ?",
    "phase_enc_velocity": "Phase encoding velocity [cm/sec]",
    "mtc": "MTC               <0=no 1=yes> ?",
    "spir": "SPIR              <0=no 1=yes> ?",
    "epi_factor": "EPI factor        <0,1=no EPI>",
    "dyn_scan": "Dynamic scan      <0=no 1=yes> ?",
    "diffusion": "Diffusion         <0=no 1=yes> ?",
    "diffusion_echo_time": "Diffusion echo time [ms]",
    "max_diffusion_values": "Max. number of diffusion values",
    "max_gradient_orient": "Max. number of gradient orients",
    "nr_label_types": "Number of label types   <0=no ASL>",
}
# Those that a version does not have.
LATER = {
    "V4": ["max_diffusion_values", "max_gradient_orient", "nr_label_types"],
    "V4.1": ["nr_label_types"],
}

# A line's columns with what they hold unless told otherwise.
COLUMNS = {
    "slice number": 1, "echo number": 1, "dynamic scan number": 1, "cardiac phase number": 1,
    "image_type_mr": 0, "scanning sequence": 2, "index in REC file": 0, "image pixel size": 16,
    "scan percentage": 62, "recon resolution": (1, 1), "rescale intercept": 0.0,
    "rescale slope": 1.0, "scale slope": 0.00428404, "window center": 1070,
    "window width": 1860.5, "image angulation": (-13.26, 0.0, -0.0),
    "image offcentre": (2.51, -0.81, -8.69), "slice thickness": 6.0, "slice gap": 2.25,
    "image_display_orientation": 0, "slice orientation": 2, "fmri_status_indication": 0,
    "image_type_ed_es": 2, "pixel spacing": (3.75, 2.5), "echo_time": 30.0,
    "dyn_scan_begin_time": 0.0, "trigger_time": 0.0, "diffusion_b_factor": 0.0,
    "number of averages": 1, "image_flip_angle": 90.0, "cardiac frequency": 0,
    "minimum RR-interval": 0, "maximum RR-interval": 0, "TURBO factor": 39,
    "Inversion delay": 0.0, "diffusion b value number": 1, "gradient orientation number": 1,
    "contrast type": "T1-weighted", "diffusion anisotropy type": 8,
    "diffusion": (0.5, -0.25, 0.0), "label type": 1,
}  # fmt: skip
COUNTS = {"V4": 35, "V4.1": 40, "V4.2": 41}


def words(value):
    if isinstance(value, (tuple, list)):
        return "  ".join(map(words, value))
    return str(value)


@dataclass
class Parrec(ImageFile):
    """Of three axes, or four. `fields` overrides keys and columns, `None` leaves a key out;
    `rows` are what lines have in these columns, one after the other."""

    version: str = "V4.2"
    rows: list = None

    format = "parrec"
    offset = 0
    extensions = ("PAR", "REC")

    def __post_init__(self):
        self.type = {"int16": "uint16"}.get(self.type, self.type)
        self.shape = (*self.shape, 1, 1, 1)[: max(3, min(4, len(self.shape)))]
        if self.shape[3:] == (1,):
            self.shape = self.shape[:3]

    @property
    def scaling(self):
        return Scaling(self.slope, self.inter, arithmetic="double")

    def general(self):
        volumes = self.shape[3] if len(self.shape) == 4 else 1
        own = {
            "patient_name": "no one", "exam_name": "t\u00eate", "protocol_name": "WIP EPI: asc",
            "exam_date": "2014.02.14 / 09:00:57", "series_type": "Image   MRSERIES",
            "acq_nr": 2, "recon_nr": 1, "scan_duration": 14.5, "max_cardiac_phases": 1,
            "max_echoes": 1, "max_slices": self.shape[2], "max_dynamics": volumes,
            "max_mixes": 1, "patient_position": "Head First Supine",
            "prep_direction": "Anterior-Posterior", "tech": "FEEPI",
            "scan_resolution": (64, 39), "scan_mode": "MS", "repetition_time": 2250.5,
            "fov": (240.0, 70.0, 240.0), "water_fat_shift": 11.05,
            "angulation": (0.0, 0.0, 0.0), "off_center": (7.25, 30.5, -8.75),
            "flow_compensation": 0, "presaturation": 0,
            "phase_enc_velocity": (0.0, 0.5, 0.0), "mtc": 0, "spir": 1, "epi_factor": 39,
            "dyn_scan": int(volumes > 1), "diffusion": 0, "diffusion_echo_time": 0.0,
            "max_diffusion_values": 1, "max_gradient_orient": 1, "nr_label_types": 0,
        }  # fmt: skip
        changed = {name: value for name, value in self.fields.items() if name not in COLUMNS}
        # One name is a key's and a column's.
        changed |= {"diffusion": self.fields["diffusion"]} if "diffusion" in self.fields else {}
        later = LATER.get(self.version, [])
        entries = {name: value for name, value in own.items() if name not in later} | changed
        return {name: value for name, value in entries.items() if value is not None}

    def table(self):
        """What each line has, in the order of the file."""
        x, y, slices, *volumes = self.shape
        rows = self.rows
        if rows is None:
            places = [(s, v) for v in range(*volumes or [1]) for s in range(slices)]
            rows = [{"slice number": s + 1, "dynamic scan number": v + 1} for s, v in places]
        own = {
            "image pixel size": {"uint8": 8, "uint16": 16}[self.type],
            "recon resolution": (x, y),
            "rescale intercept": self.inter,
            "rescale slope": self.slope,
        }
        changed = {name: value for name, value in self.fields.items() if name in COLUMNS}
        changed.pop("diffusion", None)
        return [
            COLUMNS | own | {"index in REC file": number} | row | changed
            for number, row in enumerate(rows)
        ]

    def lines(self):
        count = COUNTS.get(self.version, 41)
        return ["  ".join(map(words, list(row.values())[:count])) for row in self.table()]

    def text(self):
        title = "# === DATA DESCRIPTION FILE " + "=" * 50
        general = [
            f".    {KEYS.get(name, name):<35}:   {words(value)}"
            for name, value in self.general().items()
        ]
        tool = f"# CLINICAL TRYOUT     Research image export tool     {self.version}"
        top = [title, "#", tool, "#"]
        middle = ["#", "# === IMAGE INFORMATION ====", "#  sl ec  dyn ph ty    idx pix", ""]
        end = ["", "# === END OF DATA DESCRIPTION FILE ====", "not a line", ""]
        return "\r\n".join([*top, *general, *middle, *self.lines(), *end])

    def header(self):
        return self.text().encode()

    def byte_of(self, name):
        """Where the line of a key begins, or of the first image; the end, without a key."""
        if name in COLUMNS:
            return self.header().index(self.lines()[0].encode())
        return self.header().index(f".    {KEYS.get(name, name)}".encode())

    def nibabel_image(self, path):
        return self.nibabel_by()

    def nibabel_by(self, **options):
        """As NiBabel opens it, which knows no compressed ones."""
        _, image = self.parts()
        files = {
            "header": FileHolder(fileobj=StringIO(self.text().replace("\r\n", "\n"))),
            "image": FileHolder(fileobj=BytesIO(image)),
        }
        return PARRECImage.from_file_map(files, **options)


def images(file):
    """The images as they are stored, one after the other."""
    x, y, *rest = file.shape
    return np.moveaxis(file.stored().reshape((x, y, -1), order="F"), -1, 0)

"""Files without a header, whose layout the caller tells."""

from dataclasses import dataclass
from types import SimpleNamespace

from nibabel.arrayproxy import ArrayProxy

from eltypes import TYPES
from files import ImageFile
from model import Scaling
from proxy import Proxy


@dataclass
class LayoutFile(ImageFile):
    order: str = "F"
    offset: int = 21

    format = "layout"

    @property
    def scaling(self):
        return Scaling() if TYPES[self.type].is_rgb else Scaling(self.slope, self.inter)

    def header(self):
        return b""

    def nibabel_image(self, path):
        dtype = TYPES[self.type].dtype.newbyteorder(self.byte_order)
        spec = self.shape, dtype, self.offset, self.slope, self.inter
        return SimpleNamespace(dataobj=ArrayProxy(str(path), spec, order=self.order))

    def open(self, path, **options):
        what = self.type, self.shape, self.order, self.byte_order
        return Proxy.open_layout(path, *what, self.offset, self.slope, self.inter, **options)

    def open_sources(self, contents, **options):
        return self.open(*contents, **options)

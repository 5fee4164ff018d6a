"""NiBabel with this package's proxies.

    import arrayproxy.nibabel
    arrayproxy.nibabel.enable()

From then on ``nibabel.load`` gives images whose ``dataobj`` is an `arrayproxy.ArrayProxy`:
NIfTI, Analyze, SPM, MGH and CIFTI-2. Proxies of other formats stay NiBabel's, since they are
no single block of one slope; `arrayproxy.open` reads them.
"""

from __future__ import annotations

from nibabel.analyze import AnalyzeImage
from nibabel.freesurfer.mghformat import MGHImage

from ._spec import ArrayProxy

_own = {AnalyzeImage: AnalyzeImage.ImageArrayProxy, MGHImage: MGHImage.ImageArrayProxy}


def enable() -> None:
    """Make images that are loaded from now on have this package's proxies."""
    for image in _own:
        image.ImageArrayProxy = ArrayProxy


def disable() -> None:
    """Make them have NiBabel's again."""
    for image, proxy in _own.items():
        image.ImageArrayProxy = proxy

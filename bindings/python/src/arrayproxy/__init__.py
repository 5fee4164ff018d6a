"""Read parts of N-d arrays in neuroimaging files without loading the rest.

`open` gives a proxy of an image file. `ArrayProxy` stands in for NiBabel's, and
`arrayproxy.nibabel.enable()` makes NiBabel use it.
"""

from ._errors import (
    ArgumentError,
    ArrayProxyError,
    CancelledError,
    FileMissingError,
    FormatError,
    IndexingError,
    MemoryLimitError,
    ReadError,
    UnsupportedError,
    ValueRangeError,
)
from ._image import ImageProxy, open  # noqa: A004 - as `gzip.open`
from ._library import lib
from ._spec import ArrayProxy, is_proxy, reshape_dataobj

__version__ = lib.ap_version_string().decode()

__all__ = [
    "ArgumentError",
    "ArrayProxy",
    "ArrayProxyError",
    "CancelledError",
    "FileMissingError",
    "FormatError",
    "ImageProxy",
    "IndexingError",
    "MemoryLimitError",
    "ReadError",
    "UnsupportedError",
    "ValueRangeError",
    "is_proxy",
    "open",
    "reshape_dataobj",
]

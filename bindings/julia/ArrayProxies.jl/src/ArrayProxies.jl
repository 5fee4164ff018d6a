"""
Read parts of N-d arrays in neuroimaging files without loading the rest.

`ArrayProxy(path)` is an array whose elements stay in the file until they are asked for.
"""
module ArrayProxies

using Libdl

export ArrayProxy, ArrayProxyError
export affine, zooms, isscaled, disktype, chunkshape, readinto!
export fields, field, imageformat, codec, notes

include("library.jl")
include("handles.jl")
include("indices.jl")
include("array.jl")
include("reading.jl")
include("header.jl")

end

"""
Read parts of N-d arrays in neuroimaging files without loading the rest.

`ArrayProxy(path)` is an array whose elements stay in the file until they are asked for.
"""
module ArrayProxies

using Libdl

export ArrayProxy, ArrayProxyError
export affine, xform, zooms, isscaled, scalefactors, disktype, chunkshape, readinto!
export fields, field, headerbytes, imageformat, codec, notes
export buildindex, saveindex, loadindex, diskarray

include("library.jl")
include("handles.jl")
include("indices.jl")
include("array.jl")
include("reading.jl")
include("lists.jl")
include("blocks.jl")
include("forward.jl")
include("header.jl")
include("seekindex.jl")

"""
    diskarray(A)

The proxy as an array of DiskArrays.jl, if that package is loaded; before Julia 1.9 this
package's ext/DiskArraysGlue.jl is to be included, too.
"""
function diskarray end

end

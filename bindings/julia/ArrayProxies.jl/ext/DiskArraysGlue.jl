# Proxies as arrays of DiskArrays.jl. Julia 1.9 loads this when both packages are loaded; before,
#
#     using ArrayProxies, DiskArrays
#     include(joinpath(dirname(pathof(ArrayProxies)), "..", "ext", "DiskArraysGlue.jl"))
module DiskArraysGlue

using ArrayProxies
import DiskArrays
import DiskArrays: AbstractDiskArray, Chunked, GridChunks

"Bytes of a chunk, as stored."
const CHUNK = 16 << 20

struct DiskArrayProxy{T,N} <: AbstractDiskArray{T,N}
    proxy::ArrayProxy{T,N}
end

ArrayProxies.diskarray(A::ArrayProxy) = DiskArrayProxy(A)

Base.size(A::DiskArrayProxy) = size(A.proxy)
DiskArrays.haschunks(::DiskArrayProxy) = Chunked()
DiskArrays.eachchunk(A::DiskArrayProxy) = GridChunks(A, chunkshape(A.proxy, CHUNK))

# Straight into what lies in memory at equal steps, else by blocks.
DiskArrays.readblock!(A::DiskArrayProxy{T,N}, out::AbstractArray,
                      ranges::Vararg{OrdinalRange,N}) where {T,N} =
    copyto!(out, view(A.proxy, ranges...))

end

"""
Proxies as arrays of DiskArrays.jl, of which this needs its package to be loaded:

    using ArrayProxies, DiskArrays
    include(joinpath(dirname(pathof(ArrayProxies)), "..", "ext", "DiskArraysGlue.jl"))
    A = DiskArraysGlue.DiskArrayProxy(ArrayProxy("bold.nii.gz"))
"""
module DiskArraysGlue

using ArrayProxies
using ArrayProxies: _ap_read_box, ErrorBytes, address, checked
import Main.DiskArrays
import Main.DiskArrays: AbstractDiskArray, Chunked, GridChunks

"Bytes of a chunk, as stored."
const CHUNK = 16 << 20

struct DiskArrayProxy{T,N} <: AbstractDiskArray{T,N}
    proxy::ArrayProxy{T,N}
end

Base.size(A::DiskArrayProxy) = size(A.proxy)
DiskArrays.haschunks(::DiskArrayProxy) = Chunked()
DiskArrays.eachchunk(A::DiskArrayProxy) = GridChunks(A, chunkshape(A.proxy, CHUNK))

function DiskArrays.readblock!(A::DiskArrayProxy{T,N}, out::Array{T,N},
                               ranges::Vararg{AbstractUnitRange,N}) where {T,N}
    proxy = A.proxy
    start = collect(Int64, map(r -> first(r) - 1, ranges))
    count = collect(Int64, map(length, ranges))
    GC.@preserve proxy start count out checked() do error
        ccall(_ap_read_box[], Int32,
              (Ptr{Cvoid}, Int32, Ptr{Int64}, Ptr{Int64}, Ptr{Int64}, Int32, UInt32, Ptr{Cvoid},
               Csize_t, Ptr{ErrorBytes}),
              address(proxy), N, start, count, C_NULL, proxy.code, 0, out, sizeof(out), error)
    end
    return out
end

DiskArrays.readblock!(A::DiskArrayProxy{T,N}, out::AbstractArray,
                      ranges::Vararg{AbstractUnitRange,N}) where {T,N} =
    copyto!(out, DiskArrays.readblock!(A, Array{T,N}(undef, map(length, ranges)), ranges...))

end

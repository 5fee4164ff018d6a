# A stand-in of DiskArrays.jl's interface: reads of ranges, and chunks.
module DiskArrays

abstract type AbstractDiskArray{T,N} <: AbstractArray{T,N} end
struct Chunked end
struct GridChunks{N}
    size::NTuple{N,Int}
    chunk::NTuple{N,Int}
end
GridChunks(A, chunk) = GridChunks(size(A), chunk)
haschunks() = nothing
eachchunk() = nothing
readblock!() = nothing
function Base.getindex(A::AbstractDiskArray{T,N}, I::Vararg{OrdinalRange,N}) where {T,N}
    readblock!(A, Array{T,N}(undef, map(length, I)), I...)
end

end

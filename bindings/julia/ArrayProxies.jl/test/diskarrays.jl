# A stand-in of DiskArrays.jl's interface: reads of unit ranges, and chunks.
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
    function Base.getindex(A::AbstractDiskArray{T,N}, I::Vararg{AbstractUnitRange,N}) where {T,N}
        readblock!(A, Array{T,N}(undef, map(length, I)), I...)
    end
end

include("../ext/DiskArraysGlue.jl")

@testset "DiskArrays" begin
    A = ArrayProxy(SCALED)
    B = Array(A)
    D = DiskArraysGlue.DiskArrayProxy(A)
    @test D[2:5, 1:6, 3:3, 2:4] == B[2:5, 1:6, 3:3, 2:4]
    @test DiskArrays.haschunks(D) isa DiskArrays.Chunked
    @test DiskArrays.eachchunk(D).chunk == size(A)
    out = view(zeros(9, 6, 5, 4), 1:7, :, :, :)
    @test DiskArrays.readblock!(D, out, axes(B)...) == B
end

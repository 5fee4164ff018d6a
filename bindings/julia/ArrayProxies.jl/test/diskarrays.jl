push!(LOAD_PATH, joinpath(@__DIR__, "standin"))
import DiskArrays
pop!(LOAD_PATH)

# A module between, as where a package includes it.
module Somewhere
    push!(LOAD_PATH, joinpath(@__DIR__, "standin"))
    include("../ext/DiskArraysGlue.jl")
    pop!(LOAD_PATH)
end

@testset "DiskArrays" begin
    A = ArrayProxy(SCALED)
    B = Array(A)
    D = diskarray(A)
    @test D[2:5, 1:6, 3:3, 2:4] == B[2:5, 1:6, 3:3, 2:4]
    @test D[7:-2:1, 1:6, 3:3, 2:2:4] == B[7:-2:1, 1:6, 3:3, 2:2:4]
    @test DiskArrays.haschunks(D) isa DiskArrays.Chunked
    @test DiskArrays.eachchunk(D).chunk == size(A)
    out = view(zeros(9, 6, 5, 4), 9:-1:3, :, :, :)
    @test DiskArrays.readblock!(D, out, axes(B)...) === out == B
    # No array between.
    long = diskarray(ArrayProxy(zeros_file(UInt8, 1000, 1000)))
    into = view(ones(UInt8, 2000, 1000), 1:2:2000, :)
    DiskArrays.readblock!(long, into, 1:1000, 1:1000)
    @test (@allocated DiskArrays.readblock!(long, into, 1:1000, 1:1000)) < 10^5 && iszero(into)
end

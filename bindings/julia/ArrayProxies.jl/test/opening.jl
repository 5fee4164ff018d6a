@testset "as stored, rounded, and checked" begin
    A = ArrayProxy(SCALED, stored = true)
    slope, inter = scalefactors(A)
    @test eltype(A) == Int16 == disktype(A) && (slope, inter) == (0.5, 10.0)
    B = Array(ArrayProxy(SCALED))
    @test A .* slope .+ inter == B
    @test Array(ArrayProxy(SCALED, stored = true, T = Float32)) == Array(A)
    @test Array(ArrayProxy(SCALED, T = Int16, round = true)) == round.(Int16, B)
    # Values that are no multiple of 1, and up to 60.
    small = ArrayProxy(SCALED, T = Int8, checked = true)
    @test Array(small) == trunc.(Int8, B)
    @test_throws ArrayProxyError ArrayProxy(SCALED, T = UInt8, checked = true)[:, :, :, 1]
    shared = ArrayProxy(joinpath(FOLDER, "slices.PAR"))
    @test scalefactors(shared)[1] isa Union{Float64,Array{Float64}}
end

@testset "series" begin
    A = ArrayProxy([SCALED, SCALED, SCALED], T = Float32)
    B = Array(ArrayProxy(SCALED))
    @test size(A) == (size(B)..., 3) && A[:, :, :, :, 2] == B && A == cat(B, B, B, dims = 5)
    @test vec(A) == vec(Array(A)) && sum(A) == 3sum(B)
    @test_throws ArrayProxyError ArrayProxy(String[])
    @test_throws ArrayProxyError ArrayProxy([SCALED, EXAMPLE])
end

in_memory() = view(ArrayProxy(read(SCALED)), :, :, 2, :)

@testset "files in memory" begin
    bytes = read(SCALED)
    A = ArrayProxy(bytes)
    @test A == ArrayProxy(SCALED) && codec(A) == "gzip"
    # The bytes cannot move.
    try
        resize!(bytes, 1 << 20)
    catch
    end
    @test A == ArrayProxy(SCALED)
    parts = [in_memory() for _ in 1:20]
    GC.gc()
    rubbish = [rand(UInt8, 2000) for _ in 1:1000]
    @test all(part -> part == A[:, :, 2, :], parts)
    @test_throws ArrayProxyError ArrayProxy(UInt8[])
end

@testset "open and close" begin
    kept = open(ArrayProxy, SCALED, T = Float32) do A
        @test isopen(A) && eltype(A) == Float32
        A
    end
    @test !isopen(kept)
end

@testset "seek index" begin
    path = joinpath(MADE, "example.gzidx")
    A = ArrayProxy(EXAMPLE)
    told = 0
    @test buildindex(A, progress = (done, total) -> told += 1) === A && told > 0
    @test saveindex(A, path) == path && filesize(path) > 0
    B = loadindex(ArrayProxy(EXAMPLE), path)
    @test B[:, :, 24, 2] == A[:, :, 24, 2] == ArrayProxy(EXAMPLE, index_path = path)[:, :, 24, 2]
    @test_throws ArrayProxyError loadindex(B, SCALED)
    @test ArrayProxies.trim(B) === nothing && B[5, 5, 5, 2] == A[5, 5, 5, 2]
    stopped = try
        buildindex(ArrayProxy(EXAMPLE), progress = (done, total) -> false)
    catch problem
        problem
    end
    @test stopped isa ArrayProxyError && stopped.name == "AP_ERR_CANCELLED"
end

@testset "the library" begin
    problem = try
        ArrayProxies.loadlibrary(["no-such-library"])
    catch caught
        sprint(showerror, caught)
    end
    @test occursin("AP_LIBRARY", problem) && occursin("make install", problem)
    @test occursin("no-such-library", problem)
    @test ccall(ArrayProxies._ap_abi_version[], Int32, ()) == ArrayProxies.ABI
    described = Base.Docs.meta(ArrayProxies)
    @test all(name -> haskey(described, Base.Docs.Binding(ArrayProxies, name)), names(ArrayProxies))
end

resident() = parse(Int, split(read("/proc/self/statm", String))[2]) * 4096
descriptors() = length(readdir("/proc/self/fd"))

function opened_and_dropped(path, n)
    total, most = 0.0, 0
    for i in 1:n
        total += ArrayProxy(path)[1, 1, 1]
        i % 1000 == 0 && (most = max(most, descriptors()))
    end
    return most
end

@testset "100,000 proxies leave nothing behind" begin
    path = joinpath(FOLDER, "plain.nii")
    opened_and_dropped(path, 20_000) # what the collector keeps for itself
    before = resident()
    @test opened_and_dropped(path, 100_000) < 1000
    @test resident() - before < 16 << 20
end

# RLIMIT_NOFILE of Linux.
getlimit(numbers) = ccall(:getrlimit, Cint, (Cint, Ptr{UInt64}), 7, numbers)
setlimit(numbers) = ccall(:setrlimit, Cint, (Cint, Ptr{UInt64}), 7, numbers)

@testset "where few files may be open" begin
    GC.gc()
    before = zeros(UInt64, 2)
    @test getlimit(before) == 0
    path = joinpath(FOLDER, "plain.nii")
    few = descriptors() + 50
    try
        @test setlimit([UInt64(few), before[2]]) == 0
        opened_and_dropped(path, 999)
        kept = ArrayProxy[]
        problem = try
            foreach(_ -> push!(kept, ArrayProxy(path)), 1:few)
        catch caught
            caught
        end
        @test problem isa ArrayProxyError && problem.os_error == 24
    finally
        setlimit(before)
    end
end

@testset "a voxel takes little memory" begin
    A = ArrayProxy(joinpath(FOLDER, "plain.nii"))
    voxels(A, n) = (total = 0; for i in 1:n; total += A[1, 2, 1 + i % 3]; end; total)
    linear(A, n) = (total = 0; for i in 1:n; total += A[1 + i % 50]; end; total)
    voxels(A, 1), linear(A, 1)
    @test (@allocated voxels(A, 1000)) <= 200 * 1000
    @test (@allocated linear(A, 1000)) <= 300 * 1000
end

# Whole arrays: what Base does element by element otherwise. From here on reads of single
# voxels of this type are counted.

const VOXELS = Ref(0)
for N in 1:4
    @eval ArrayProxies.element(A::ArrayProxy{Int32,$N}, I::NTuple{$N,Int}) =
        (VOXELS[] += 1; ArrayProxies.slice(A, map(i -> i:i, I))[1])
end

const WHOLE = [
    sum, prod, maximum, minimum, extrema, findmax, findmin, argmax, argmin, collect, copy, hash,
    unique,
    vec, A -> A .+ 1, A -> A + A, A -> 2A, A -> A == copy(A), A -> copy(A) == A, A -> A ≈ A,
    A -> [x for x in A],
    A -> foldl(-, A), A -> foldr(-, A), A -> reduce((a, b) -> b, A), A -> sum(abs, A),
    A -> sum(A, dims = 1),
    A -> sum(A, dims = (1, ndims(A))), A -> maximum(A, dims = 2), A -> sum(A; dims = ndims(A)),
    A -> mapreduce(abs, max, A, dims = 1), A -> mapreduce(x -> x, +, A, init = 5),
    A -> count(iszero, A),
    A -> any(==(3), A), A -> all(>=(0), A, dims = 1), A -> sum!(zeros(Int, size(A, 1)), A),
    A -> extrema(A, dims = 1), A -> findmax(A, dims = 2), A -> argmin(A, dims = 2),
    A -> findall(==(3), A), A -> findfirst(==(5), A), A -> findlast(==(5), A),
    A -> findnext(==(5), A, CartesianIndex(map(_ -> 1, size(A)))),
    A -> permutedims(A, ndims(A):-1:1), A -> reverse(A, dims = 1), A -> sort(A, dims = 2),
    A -> cumsum(A, dims = 2), A -> accumulate(max, A, dims = 1),
    A -> diff(reshape(A, size(A, 1), :), dims = 1),
    A -> circshift(A, 1), A -> circshift(A, map(_ -> 2, size(A))), A -> mapslices(sum, A, dims = 1),
    A -> map(abs, A), A -> map(+, A, A), A -> map!(abs, zeros(size(A)), A),
    A -> map!(+, zeros(size(A)), A, A),
    A -> collect(pairs(A)), A -> collect(zip(A, A)), A -> collect(enumerate(A)),
    A -> cat(A, A, dims = 3),
    A -> repeat(A, map(_ -> 2, size(A))...), A -> reinterpret(UInt32, A),
    A -> (out = zeros(size(A)); out .= A; out),
    A -> copyto!(zeros(size(A)), A), A -> copyto!(zeros(length(A) + 2), A),
    A -> copyto!(zeros(length(A)), 1, A),
    A -> copyto!(zeros(length(A)), 5, A, 3, 20), A -> copyto!(zeros(length(A)), 1, A, 3),
    A -> copyto!(zeros(size(A) .+ 1), CartesianIndices(map(n -> 2:n, size(A))), A,
                 CartesianIndices(map(n -> 1:n-1, size(A)))),
    A -> copyto!(PermutedDimsArray(zeros(reverse(size(A))), ndims(A):-1:1), A),
    A -> copyto!(view(zeros(2 * size(A, 1), size(A)[2:end]...), 1:2:2*size(A, 1),
                      map(_ -> :, size(A)[2:end])...), A),
    A -> (out = zeros(Int, size(A)); out[map(_ -> :, size(A))...] = A; out),
    A -> sum(vec(A)), A -> sum(PermutedDimsArray(A, ndims(A):-1:1)), A -> A[A .> 3],
    A -> [sum(part) for part in eachslice(A, dims = 2)],
    A -> sum(view(A, [1, 3], map(_ -> :, size(A)[2:end])...)),
    A -> view(A, [1, 3], map(_ -> :, size(A)[2:end])...) .+ 1,
]

const MATRICES = [
    M -> M', transpose, M -> M' * M, M -> M * M', M -> M * ones(size(M, 2)),
    M -> ones(size(M, 1))' * Array(M),
    M -> M' * ones(size(M, 1)), M -> ones(3, size(M, 1)) * M, M -> M * view(M, 1, :),
    M -> view(M, :, 1)' * ones(size(M, 1)),
    permutedims, M -> permutedims(view(M, :, 1)), M -> reverse(view(M, :, 1)),
    M -> reverse(view(M, :, 1), 2, 3),
    M -> cumsum(view(M, :, 1)), M -> sort(view(M, :, 1)), M -> rotl90(M), M -> map(sum, eachcol(M)),
    M -> copyto!(zeros(9, 9), 2:3, 4:5, M, 1:2, 1:2), M -> [M; M], M -> norm(M),
    M -> cumsum(M, dims = 1),
]

"The same of arrays in files and in memory, and the file is read by less than its voxels."
function same(f, A, B)
    VOXELS[] = 0
    of_file, of_memory = f(A), f(B)
    return VOXELS[] <= 1 && of_file == of_memory && eltype(of_file) == eltype(of_memory)
end

@testset "never voxel by voxel" begin
    A = ArrayProxy(joinpath(FOLDER, "plain.nii"), T = Int32)
    M = ArrayProxy(joinpath(FOLDER, "chunks.mnc"), T = Int32)
    @test A[1, 1, 1] isa Int32 && VOXELS[] == 1
    for (array, B) in ((A, Array(A)), (M, Array(M)))
        for (i, f) in enumerate(WHOLE)
            @test (i, same(f, array, B)) == (i, true)
        end
        for (i, f) in enumerate(MATRICES)
            @test (i, same(f, view(array, :, :, 2), B[:, :, 2])) == (i, true)
        end
    end
end

@testset "blocks are all of an array, once" begin
    for size in ((7, 6, 5, 4), (5,), (), (3, 1, 4), (0, 3), (1, 1)), room in (1, 3, 7, 20, 42, 1000)
        blocks = ArrayProxies.Blocks(size, ArrayProxies.cut(size, room))
        numbers = LinearIndices(size)
        @test reduce(vcat, [vec(collect(numbers[block...])) for block in blocks],
            init = Int[]) == 1:prod(size)
        @test all(block -> prod(map(length, block)) <= room, blocks)
    end
end

@testset "blocks of row-major files" begin
    A = ArrayProxy(joinpath(FOLDER, "chunks.mnc"))
    blocks = ArrayProxies.Blocks(A.size, chunkshape(A, 100))
    @test A.rowmajor && length(blocks) > 5
    @test sum(block -> sum(ArrayProxies.slice(A, block)), blocks) == sum(A) == sum(Array(A))
end

@testset "large arrays by blocks" begin
    path = zeros_file(UInt8, 20_000, 1000, inter = 1) # ones
    A = ArrayProxy(path, T = Float32)
    @test sum(A) == sum(A, dims = (1, 2))[] == 2f7 == sum(x -> x, A)
    @test A[end] == 1 && all(==(2f4), sum(A, dims = 1)) && all(==(1f3), sum(A, dims = 2))
    B = fill(1f0, 20_000, 1000)
    tenths(ones) = abs(mapreduce(x -> 0.1f0x, +, ones) - 2e7 * Float64(0.1f0))
    @test tenths(A) <= 2 * tenths(B)
    sum(A, dims = 1)
    @test (@allocated sum(A, dims = 2)) < 100 << 20 # blocks, which the collector takes meanwhile
    count_loop(A) = (n = 0; for x in A; n += x == 1; end; n)
    @test count_loop(view(A, :, 1:10)) == 200_000
    @test (@allocated count_loop(view(A, :, 1:10))) < 10^6
    @test copyto!(zeros(Float64, size(A)), A) == B
    into = zeros(20)
    copyto!(into, 3, A, 10^7, 5)
    @test (@allocated copyto!(into, 3, A, 10^7, 5)) < 10^5 && sum(into) == 5
end

ours(method) = method.module === ArrayProxies

@testset "no call is ambiguous" begin
    names_in(where) = [getfield(where, name) for name in names(where,
        all = true) if isdefined(where, name)]
    extended = filter(f -> f isa Function && any(ours, methods(f)),
                      [names_in(Base); names_in(Base.Broadcast); names_in(Base.Iterators)])
    @test length(extended) > 40
    for f in extended, one in filter(ours, collect(methods(f))), other in methods(f)
        # SparseArrays, which is loaded with Julia, has one for sparse vectors.
        one === other || nameof(other.module) === :SparseArrays || !Base.isambiguous(one, other) ||
            @test (one, other) === nothing
    end
end

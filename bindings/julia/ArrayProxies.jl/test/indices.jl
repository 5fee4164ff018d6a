using Random

function anyindex(random, n)
    a, b = minmax(rand(random, 1:n), rand(random, 1:n))
    return rand(random, (
        a, Colon(), a:b, b:-1:a, a:rand(random, 1:3):b, b:-2:a, a:a-1, Int8(a),
            rand(random, 1:n, 3),
        rand(random, Bool, n), Int[], Base.OneTo(b),
    ))
end

@testset "any index reads what Base takes of an array" begin
    random = MersenneTwister(1)
    for name in ("scaled.nii.gz", "plain.nii", "chunks.mnc", "slices.PAR", "line.nii", "long.nii")
        A = ArrayProxy(joinpath(FOLDER, name))
        B = Array(A)
        @test B isa Array{eltype(A),ndims(A)}
        @test size(B) == size(A) && length(A) == length(B)
        for _ in 1:12 # each is compiled anew
            I = map(n -> anyindex(random, n), size(A))
            @test isequal(A[I...], B[I...])
            if all(i -> i isa Union{Int,Colon,AbstractRange}, I)
                part = view(A, I...)
                @test part isa ArrayProxy && isequal(Array(part), collect(view(B, I...)))
            end
        end
        for i in (1, length(A), length(A) ÷ 2, 2:3, 3:-1:1, :, [2, 1, 2], B .> 0, B .> Inf)
            @test isequal(A[i], B[i])
        end
        @test A[CartesianIndex(size(A))] == B[end] == A[end]
        @test A[CartesianIndices(A)] == B
        @test_throws BoundsError A[map(n -> n + 1, size(A))...]
        @test_throws BoundsError A[0]
        @test_throws BoundsError A[map(n -> 0:1, size(A))...]
    end
end

@testset "what is no index is none" begin
    A = ArrayProxy(joinpath(FOLDER, "plain.nii"))
    line = ArrayProxy(joinpath(FOLDER, "line.nii"))
    @test_throws BoundsError line[trues(5)]
    @test_throws BoundsError line[[trues(11); false]]
    @test_throws BoundsError A[trues(8), 1, 1]
    @test_throws BoundsError A[trues(9, 8)]
    @test_throws BoundsError A[false:true, 1, 1]
    @test_throws BoundsError A[:, 1]
    @test_throws BoundsError A[1, 1, 1, 2]
    @test_throws BoundsError A[length(A) + 1]
    @test_throws BoundsError A[0:3]
    for I in ((true, 1, 1), (1, true, :), (1.0, 1, 1), ("a",), ([1.0, 2.0], 1, 1))
        @test_throws ArgumentError A[I...]
    end
    @test_throws ArgumentError view(A, true, 1, 1)
    @test A[Any[1, 2], 1, 1] == A[1:2, 1, 1] && A[[], 1, 1] == []
end

@testset "indices of one and of several axes" begin
    for name in ("plain.nii", "chunks.mnc")
        A = ArrayProxy(joinpath(FOLDER, name))
        B = Array(A)
        n, rest = size(A, 1), map(_ -> 1, size(A)[3:end])
        mask, planes = B[:, :, rest...] .> 0, [CartesianIndex(2, 1), CartesianIndex(1, 3)]
        for I in ((map(_ -> 1, size(A))..., 1, 1), (map(_ -> :, size(A))..., 1), (:, 2, rest..., 1),
                  (1, :, rest..., 1:1), ([2, 1], 1, rest..., :), (map(_ -> 1, size(A))..., [1, 1]),
                  (findall(mask), rest...), (planes, rest...), (1, [CartesianIndex(2, rest...)]),
                  (CartesianIndex(2, 1), rest...), (fill(2, 2, 2), 1, rest...),
                      (trues(n), 1, rest...),
                  (n-1:n+2,), (2:2:2n,), (3n:-1:1,), (fill(n, 2, 3),), ([1, length(A)],), (Int[],))
            got, right = A[I...], B[I...]
            @test isequal(got, right) && typeof(got) == typeof(right)
            @test isequal(Array(view(A, I...)), Array(view(B, I...)))
        end
        # Base of Julia 1.5 does not take these.
        @test A[mask, rest...] == B[:, :, rest...][mask]
        @test A[mask, map(_ -> :, rest)...] == B[findall(mask), map(_ -> :, rest)...]
        @test_throws BoundsError A[mask[1:end-1, :], rest...]
        @test all(i -> A[i] == B[i], 1:7:length(A))
        @test view(A, map(_ -> :, size(A))..., 1) isa ArrayProxy
        @test view(A, CartesianIndex(1, 2), rest...) isa ArrayProxy
    end
    A = ArrayProxy(joinpath(FOLDER, "plain.nii"))
    @test view(A, 2:50) isa ArrayProxy && view(A, 5) isa ArrayProxy{UInt8,0}
    long = ArrayProxy(zeros_file(UInt8, 100, 100, 1000))
    long[1, 1, 1, 1], long[:, :, 3, 1], long[5:8]
    @test (@allocated long[1, 1, 1, 1]) < 10^4 && (@allocated long[:, :, 3, 1]) < 10^5
    @test (@allocated long[5:8]) < 10^5
end

some(A) = (A[5], A[1, 1, 1, 1], A[CartesianIndex(1, 1, 1)], A[:, :, 1], A[:], A[1:2, 1, 1, 1],
           A[:, :, 1, :], A[[1, 2], :, 1], A[0x1, :, 1], view(A, :, :, 1), view(A, 1, 1, 1),
           view(A, :, 1, 1:2), chunkshape(A, 100), sum(A), sum(A, dims = 3), maximum(A), Array(A),
           Array{Float32}(A), A .+ 1, affine(A), zooms(A), A[A.size...])

@testset "types are inferred" begin
    A = ArrayProxy(joinpath(FOLDER, "plain.nii"))
    @inferred some(A)
    # One of two: whether there is a proxy is known when the file is.
    for shaped in (A -> vec(A), A -> reshape(A, :, 7), A -> reshape(A, 7, 72))
        type = only(Base.return_types(shaped, (typeof(A),)))
        @test type isa Union && isconcretetype(type.a) && isconcretetype(type.b)
    end
    folded(A) = (total = 0; for x in A; total += x; end; total)
    @test (@inferred folded(A)) == sum(A)
end

using Random

function anyindex(random, n)
    a, b = minmax(rand(random, 1:n), rand(random, 1:n))
    return rand(random, (
        a, Colon(), a:b, b:-1:a, a:rand(random, 1:3):b, b:-2:a, a:a-1, Int8(a), rand(random, 1:n, 3),
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
        for _ in 1:20 # each is compiled anew
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

@testset "many threads" begin
    A = ArrayProxy(SCALED)
    B = Array(A)
    right = fill(false, 400)
    Threads.@threads for i in 1:400
        t = 1 + i % 4
        right[i] = A[:, :, :, t] == B[:, :, :, t] && A[3, 2, 1, t] == B[3, 2, 1, t]
    end
    @test all(right) && Threads.nthreads() > 1
end

freed(handle) = handle.users[] & ArrayProxies.FREED != 0

@testset "closing waits for those who read" begin
    A = ArrayProxy(SCALED)
    ArrayProxies.used(A) do at
        close(A)
        @test !isopen(A) && !freed(A.handle)
    end
    @test freed(A.handle)
    close(A)
    B = Array(ArrayProxy(SCALED))
    A = ArrayProxy(SCALED)
    @test readinto!(similar(B), A, progress = (done, total) -> close(A)) == B
    @test freed(A.handle)
    # Both at once, with others that find it closed.
    for _ in 1:300
        A = ArrayProxy(joinpath(FOLDER, "plain.nii"))
        Threads.@threads for i in 1:2
            try
                A[1, 1, 1]
                close(A)
                A[1, 1, 1]
            catch problem
                problem isa ArgumentError || rethrow()
            end
        end
        freed(A.handle) && A.handle.users[] & 0xffff == 0 || @test false
    end
end

@testset "copies have a handle of their own" begin
    A = ArrayProxy(SCALED)
    B, C = deepcopy((A, A))
    @test B.handle === C.handle !== A.handle && B.handle.address != A.handle.address
    close(A)
    @test isopen(B) && B[1, 1, 1, 1] == ArrayProxy(SCALED)[1, 1, 1, 1]
    close(B)
    @test !isopen(deepcopy(B))
end

function sent(A)
    io = IOBuffer()
    serialize(io, A)
    return deserialize(seekstart(io))
end

@testset "other processes open the file again" begin
    A = cd(() -> ArrayProxy("scaled.nii.gz", T = Float32, threads = 2), FOLDER)
    part = reshape(view(A, :, :, :, 2), 42, :)
    for original in (A, part, view(A, 1, :, 5:-2:1, 3), ArrayProxy(read(SCALED)),
                     ArrayProxy([SCALED, SCALED]))
        copied = sent(original)
        @test typeof(copied) == typeof(original) && copied.handle !== original.handle
        @test copied == Array(original) && affine(A) == affine(sent(A))
        close(copied)
        @test isopen(original)
    end
    close(A)
    @test_throws ArgumentError sent(A)[1, 1, 1, 1]
    @test sent(part) == part
    path = joinpath(MADE, "gone.nii.gz")
    cp(SCALED, path)
    gone = ArrayProxy(path)
    rm(path)
    @test_throws ArrayProxyError sent(gone)[1, 1, 1, 1]
end

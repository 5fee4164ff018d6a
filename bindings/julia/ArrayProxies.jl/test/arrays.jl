const SCALED = joinpath(FOLDER, "scaled.nii.gz")

@testset "an array as others are" begin
    A = ArrayProxy(SCALED, threads = 2)
    B = Array(A)
    @test A isa AbstractArray{Float64,4} && size(A) == (7, 6, 5, 4)
    @test A == B && B == A && A == ArrayProxy(SCALED)
    @test collect(A) == B && copy(A) == B && convert(Array, A) == B
    @test A .+ 1 == B .+ 1 && sin.(A) == sin.(B) && A + A == 2B
    @test sum(A) == sum(B) && maximum(A) == maximum(B)
    @test sum(A, dims = 4) == sum(B, dims = 4) && extrema(A) == extrema(B)
    @test map(abs, A) == map(abs, B)
    @test [x for x in A] == B && collect(enumerate(A))[end] == (length(B), B[end])
    @test repr(A) == "7×6×5×4 ArrayProxy{Float64,4}"
    @test occursin("nifti1, compressed by gzip", repr(MIME("text/plain"), A))
    @test Array{Float32}(A) == Float32.(B)
    @test Array(ArrayProxy(SCALED, T = Float32)) == Float32.(B)
    @test ArrayProxy(SCALED, T = Int16)[2, 3, :, 1] == trunc.(Int16, B[2, 3, :, 1])
end

@testset "copies of another type are converted elements" begin
    for (name, T) in (("scaled.nii.gz", Int16), ("scaled.nii.gz", Float32),
                      ("scaled.nii.gz", nothing), ("long.nii", nothing), ("plain.nii", Bool),
                      ("chunks.mnc", Int8))
        A = ArrayProxy(joinpath(FOLDER, name), T = T)
        B = Array(A)
        for S in (Float32, Float64, ComplexF32, BigFloat, Any)
            C = Array{S}(B)
            @test Array{S}(A) == convert(Array{S}, A) == C && eltype(Array{S}(A)) == S
            @test copyto!(similar(C), A) == C && copyto!(zeros(ComplexF64, size(A)), A) == B
        end
    end
    # What Float32 does not hold.
    path = joinpath(MADE, "big.nii")
    bytes = read(joinpath(FOLDER, "long.nii"))
    offset = Int(field(ArrayProxy(bytes), "vox_offset"))
    big = Int64[1 << 53 - 1, 1 << 60 + 5 << 36, 1 << 24 + 1, -5, (1 << 24 + 1) * 3, 7, 8, 9, 10]
    write(path, bytes[1:offset], big)
    A = ArrayProxy(path)
    @test vec(A) == big && Array{Float32}(A) == Float32.(Array(A))
    @test Array{Float64}(A) == Float64.(Array(A))
end

@testset "into arrays that are there" begin
    A = ArrayProxy(SCALED)
    B = Array(A)
    out = zeros(size(A))
    @test copyto!(out, A) === out == B
    ints = zeros(Int, size(A))
    @test_throws InexactError copyto!(ints, A)
    room = fill(-1.0, 14, 6, 10, 4)
    @test readinto!(view(room, 14:-2:1, :, 1:2:9, :), A) == B
    @test count(==(-1.0), room) >= length(room) - length(B)
    @test_throws DimensionMismatch readinto!(zeros(3), A)
    @test_throws ArgumentError readinto!(Array{Char}(undef, size(A)), A)
    part = view(A, 1:3, :, :, 2)
    @test copyto!(zeros(3, 6, 5), part) == B[1:3, :, :, 2]
    told = Tuple{Int,Int}[]
    readinto!(out, A, progress = (done, total) -> (push!(told, (done, total)); true))
    @test !isempty(told) && told[end][2] == sizeof(out)
    stopped = try
        readinto!(out, A, progress = (done, total) -> false)
    catch problem
        problem
    end
    @test stopped isa ArrayProxyError && stopped.name == "AP_ERR_CANCELLED"
    @test readinto!(out, A, progress = (done, total) -> nothing) == B
    @test_throws DomainError readinto!(out, A, progress = (done, total) -> sqrt(-1))
end

@testset "other shapes" begin
    for name in ("scaled.nii.gz", "chunks.mnc", "slices.PAR", "plain.nii")
        A = ArrayProxy(joinpath(FOLDER, name))
        B = Array(A)
        for dims in ((length(A),), (size(A, 1), length(A) ÷ size(A, 1)), (1, length(A), 1))
            @test reshape(A, dims) == reshape(B, dims)
            @test reshape(A, dims...)[end] == B[end]
        end
        @test vec(A) == vec(B)
        @test_throws DimensionMismatch reshape(A, 7, 7, 7)
        @test_throws DimensionMismatch reshape(A, -1, -length(A))
        @test reshape(A, Int32(size(A, 1)), :) == reshape(A, size(A, 1), :) == reshape(B, size(A,
            1), :)
    end
    @test reshape(ArrayProxy(SCALED), 42, :) isa ArrayProxy{Float64,2}
end

@testset "what the header tells" begin
    A = ArrayProxy(EXAMPLE)
    @test (imageformat(A), codec(A), isscaled(A), disktype(A)) == ("nifti1", "gzip", false, Int16)
    @test zooms(A)[1:3] ≈ Float32[2, 2, 2.2]
    @test field(A, "dim") == [4, size(A)..., 1, 1, 1] && field(A, "descrip") == "FSL3.3"
    @test field(A, "magic") == "n+1" && field(A, "scl_slope") isa Float64
    @test "dim" in fields(A) && notes(A) == String[]
    @test affine(A, onebased = true) * [1, 1, 1, 1] ≈ affine(A) * [0, 0, 0, 1]
    @test affine(A, onebased = true) * [3, 5, 9, 1] ≈ affine(A) * [2, 4, 8, 1]
    @test affine(A, which = :sform) == affine(A) != affine(A, which = :base)
    @test xform(A) == (affine = affine(A), code = 1) && xform(A, which = :base).code == 0
    @test headerbytes(A)[1:4] == reinterpret(UInt8, Int32[348]) && length(headerbytes(A)) == 348
    @test scalefactors(A) == (1.0, 0.0)
    @test chunkshape(A, 1 << 30) == size(A) && prod(chunkshape(A, 1000)) * 2 <= 1000
end

@testset "errors" begin
    missing_one = try
        ArrayProxy("missing.nii")
    catch problem
        problem
    end
    @test missing_one isa ArrayProxyError && missing_one.name == "AP_ERR_NOT_FOUND"
    @test occursin("missing.nii", sprint(showerror, missing_one))
    @test_throws ArrayProxyError ArrayProxy(EXAMPLE, no_such = 1)
    @test_throws ArrayProxyError ArrayProxy(@__FILE__)
    @test_throws ArrayProxyError ArrayProxy(EXAMPLE, index_path = @__FILE__, strict = true)
    @test size(ArrayProxy(EXAMPLE, index_path = "not, there", strict = true)) == (128, 96, 24, 2)
    @test missing_one.os_error == 2
    A = ArrayProxy(EXAMPLE)
    @test_throws ArrayProxyError field(A, "no_such")
    @test_throws ArgumentError affine(A, which = :foo)
    @test_throws TypeError ArrayProxy(EXAMPLE, T = "a")
    @test_throws ArgumentError ArrayProxy(EXAMPLE, T = Real)
    @test_throws ArrayProxyError ArrayProxy(EXAMPLE, T = NTuple{3,UInt8})
    part = view(A, :, :, 1, 1)
    @test isopen(A)
    close(A)
    close(A)
    @test !isopen(A) && size(part) == size(A)[1:2] && part[1, 1] isa Int16
    @test_throws ArgumentError A[1, 1, 1, 1]
    @test_throws ArgumentError Array(A)
    @test occursin("closed", repr(MIME("text/plain"), A))
end

# The cases that the tests of all bindings share (bindings/cases.py), a line each.

text(line, name) = match(Regex("\"$name\": \"([^\"]*)\""), line)[1]
real(line, name) = parse(Float64, match(Regex("\"$name\": ([-0-9.e+]+)"), line)[1])
ints(line, name) = map(m -> parse(Int, m.match),
                       eachmatch(r"-?[0-9]+", match(Regex("\"$name\": \\[([^]]*)\\]"), line)[1]))

weight(x::Complex) = Base.real(x) + 2.0 * imag(x)
weight(x) = Float64(x)
weighed(values) = sum(Float64[weight(x) * (1 + (i - 1) % 97) for (i, x) in enumerate(values)])

const TYPES = Dict(
    "auto" => nothing, "float32" => Float32, "int16" => Int16, "complex128" => ComplexF64,
    "float64" => Float64, "uint8" => UInt8, "int32" => Int32, "int64" => Int64,
    "uint16" => UInt16, "complex64" => ComplexF32,
)

@testset "shared cases" begin
    lines = filter(line -> startswith(line, "{"), readlines(joinpath(FOLDER, "cases.json")))
    @test length(lines) > 100 && any(line -> text(line, "dtype") == "disk", lines)
    for line in lines
        wanted = text(line, "dtype")
        how = wanted == "disk" ? (stored = true,) : (T = TYPES[wanted],)
        A = ArrayProxy(joinpath(FOLDER, text(line, "file")); how...)
        axes = zip(ints(line, "start"), ints(line, "count"), ints(line, "step"), ints(line, "drop"))
        index = map(collect(axes)) do (start, count, step, drop)
            drop == 1 ? start + 1 : range(start + 1, step = step, length = count)
        end
        got = A[index...]
        @test eltype(got) == eltype(A) == TYPES[text(line, "type")]
        @test collect(size(got)) == ints(line, "shape")
        @test weighed(got) == real(line, "sum")
    end
end

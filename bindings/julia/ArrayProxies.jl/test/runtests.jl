# AP_LIBRARY, AP_CASES, AP_EXAMPLE and AP_README say where things are: by default where they
# are in the repository, after bindings/julia/test.sh.

const ROOT = normpath(joinpath(@__DIR__, "..", "..", "..", ".."))

function place(name, default)
    path = get(ENV, name, joinpath(ROOT, default))
    ispath(path) || error("there is no $path: set $name, or run bindings/julia/test.sh")
    return path
end

const BUILT = joinpath(ROOT, "target/release/libarrayproxy.so")
haskey(ENV, "AP_LIBRARY") || !isfile(BUILT) || (ENV["AP_LIBRARY"] = BUILT)

using ArrayProxies
using LinearAlgebra, Random, Serialization, Test

const FOLDER = place("AP_CASES", "target/bindings/cases")
const EXAMPLE = place("AP_EXAMPLE", "tests/data/example4d.nii.gz")
const README = place("AP_README", "bindings/julia/ArrayProxies.jl/README.md")

const MADE = mktempdir()

"A file of zeros, which takes no room on the disk; `inter` is added to each."
function zeros_file(T, dims...; inter = 0)
    codes = Dict(UInt8 => 2, Int16 => 4, Float32 => 16)
    path = joinpath(MADE, "zeros-$T-$(join(dims, 'x'))-$inter.nii")
    ispath(path) && return path
    open(path, "w") do file
        put(at, values...) = (seek(file, at); foreach(value -> write(file, value), values))
        put(0, Int32(348))
        put(40, Int16(length(dims)), map(Int16, dims)..., ones(Int16, 7 - length(dims))...)
        put(70, Int16(codes[T]), Int16(8 * sizeof(T)))
        put(76, ones(Float32, 8))
        put(108, Float32(352), Float32(1), Float32(inter))
        put(344, "n+1\0")
        truncate(file, 352 + prod(dims) * sizeof(T))
    end
    return path
end

include("cases.jl")
include("indices.jl")
include("arrays.jl")
include("opening.jl")
include("diskarrays.jl")
include("limits.jl")
include("threads.jl")
include("whole.jl")

@testset "README" begin
    code = match(r"```julia\n(.*?)```"s, read(README, String))[1]
    lines = filter(!isempty, split(code, '\n'))
    @test length(lines) <= 10
    mktempdir() do folder
        cp(EXAMPLE, joinpath(folder, "bold.nii.gz"))
        cd(folder) do
            reader = Module()
            for line in lines
                value = include_string(reader, line)
                said = match(r"# => (.*)$", line)
                said === nothing || @test value == include_string(reader, said[1])
                @test !startswith(line, r"[a-z]+ = ") || !isdefined(Base, Symbol(split(line)[1]))
            end
        end
    end
    @test count("# => ", code) >= 4
end

# AP_LIBRARY, AP_CASES, AP_EXAMPLE and AP_README say where things are.

using ArrayProxies
using Test

const FOLDER = ENV["AP_CASES"]
const EXAMPLE = ENV["AP_EXAMPLE"]

include("cases.jl")
include("indices.jl")
include("arrays.jl")
include("diskarrays.jl")
include("limits.jl")

@testset "README" begin
    text = read(ENV["AP_README"], String)
    code = match(r"```julia\n(.*?)```"s, text)[1]
    @test count(!isempty, split(code, '\n')) <= 10
    mktempdir() do folder
        cp(EXAMPLE, joinpath(folder, "bold.nii.gz"))
        cd(() -> include_string(Module(), code), folder)
    end
    @test true # it ran as it stands
end

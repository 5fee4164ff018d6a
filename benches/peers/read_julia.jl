# The binding for Julia. Works: "voxel", `times` reads of the box's first voxel, and
# "whole", as float64. Usage: julia read_julia.jl CHECKSUM.SO
using ArrayProxies
using Libdl

const SUM = dlsym(dlopen(ARGS[1]), :checksum_halves)

function checksum(data)
    halves = zeros(2)
    GC.@preserve data ccall(SUM, Cvoid, (Ptr{Cvoid}, Ref{Float64}, Ptr{Float64}),
                            pointer(data), Float64(sizeof(data)), halves)
    return UInt64(halves[1]) << 32 | UInt64(halves[2])
end

function voxel(A, place, times)
    value = A[place...]
    start = time_ns()
    for _ in 1:times
        value = A[place...]
    end
    return (time_ns() - start) / 1e9 / times, [value]
end

function whole(A)
    result = fill(1.0, size(A))
    start = time_ns()
    copyto!(result, A)
    return (time_ns() - start) / 1e9, result
end

function work(line)
    kind, file, rest = split(line, '\t', limit = 3)
    args = Dict(split(part, '=', limit = 2) for part in split(rest, '\t'))
    A = ArrayProxy(file)
    if kind == "voxel"
        numbers = parse.(Int, split(readline(args["boxes"])))
        seconds, result = voxel(A, Tuple(numbers[1:4] .+ 1), parse(Int, args["times"]))
    else
        seconds, result = whole(A)
    end
    sum = string(checksum(result), base = 16, pad = 16)
    println("ok\t", seconds, "\t", sum)
end

println("Julia ", VERSION)
flush(stdout)
for line in eachline(stdin)
    try
        work(line)
    catch problem
        println("error\t", replace(sprint(showerror, problem), r"\s+" => " "))
    end
    GC.gc()
end

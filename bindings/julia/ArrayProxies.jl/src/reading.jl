# Reading: single elements, parts into new arrays, and into arrays that are there.

# Without room for an error first: most calls succeed, and a call that fails is made again.
@noinline function failed(A::ArrayProxy, index, n, out, nbytes)
    checked() do error
        GC.@preserve A index out ccall(
            _ap_read_slice[], Int32,
            (Ptr{Cvoid}, Ptr{Cvoid}, Int32, Int32, UInt32, Ptr{Cvoid}, Csize_t, Ptr{ErrorBytes}),
            address(A), index, n, A.code, 0, out, nbytes, error)
    end
    return nothing
end

@inline function readslice!(out, nbytes, A::ArrayProxy{T,N}, index) where {T,N}
    status = GC.@preserve A index out ccall(
        _ap_read_slice[], Int32,
        (Ptr{Cvoid}, Ptr{Cvoid}, Int32, Int32, UInt32, Ptr{Cvoid}, Csize_t, Ptr{Cvoid}),
        address(A), index, N, A.code, 0, out, nbytes, C_NULL)
    status < 0 && failed(A, index, N, out, nbytes)
    return nothing
end

@inline function Base.getindex(A::ArrayProxy{T,N}, I::Vararg{Int,N}) where {T,N}
    @boundscheck checkbounds(A, I...)
    index, out = Ref(entries(I, A.size)), Ref{T}()
    readslice!(out, sizeof(T), A, index)
    return out[]
end

function Base.getindex(A::ArrayProxy{T,N}, I::Vararg{Simple,N}) where {T,N}
    I isa NTuple{N,Integer} && return A[map(Int, I)...]
    @boundscheck checkbounds(A, I...)
    out = Array{T}(undef, lengths(I, A.size))
    index = Ref(entries(I, A.size))
    readslice!(out, sizeof(out), A, index)
    return out
end

# Zero axes have one element, and no entries.
Base.getindex(A::ArrayProxy{T,0}) where {T} = Array(A)[]

"Indices of one axis."
const OfAxis = Union{Integer,AbstractVector{<:Integer}}

listed(mask::Base.LogicalIndex{Int}) = collect(mask)
listed(index) = index

"""
Other indices: lists and masks are taken from the smallest box that holds them, linear ones
from a row of all elements.
"""
function Base.getindex(A::ArrayProxy{T,N}, I...) where {T,N}
    J = map(listed, to_indices(A, I))
    J isa NTuple{N,Simple} && return A[J...]
    checkbounds(A, J...)
    N > 1 && J isa Tuple{OfAxis} && return reshape(A, length(A))[J[1]]
    # What Base makes of it, such as lists of places.
    J isa NTuple{N,OfAxis} || return Array(A)[J...]
    any(isempty, J) && return Array{T}(undef, lengths(J, A.size))
    box = map(j -> minimum(j):maximum(j), J)
    return A[box...][map((j, b) -> j .- (first(b) - 1), J, box)...]
end

Base.Array(A::ArrayProxy{T,N}) where {T,N} = copyto!(Array{T,N}(undef, A.size), A)
Base.Array{T}(A::ArrayProxy{S,N}) where {T,S,N} = copyto!(Array{T,N}(undef, A.size), A)
Base.Array{T,N}(A::ArrayProxy{S,N}) where {T,S,N} = Array{T}(A)
Base.collect(A::ArrayProxy) = Array(A)
Base.copy(A::ArrayProxy) = Array(A)

"""
    readinto!(out, A; progress = nothing)

Read all of `A` into an array of its size: of any strides if elements lie in memory at
equal steps, and of any type that the library reads. `progress(done, total)` is called with
bytes of the result now and then; what it gives must be `true` for the read to go on.
"""
function readinto!(out::StridedArray{T}, A::ArrayProxy; progress = nothing) where {T}
    size(out) == size(A) || throw(DimensionMismatch("$(size(out)) is not $(size(A))"))
    isempty(out) && return out
    code = T === eltype(A) ? A.code : codeof(T)
    plan = Ref{Ptr{Cvoid}}(C_NULL)
    GC.@preserve A checked() do error
        ccall(_ap_plan_new[], Int32,
              (Ptr{Cvoid}, Ptr{Cvoid}, Int32, Int32, UInt32, Ptr{Ptr{Cvoid}}, Ptr{ErrorBytes}),
              address(A), C_NULL, 0, code, 0, plan, error)
    end
    try
        withcontrol(progress) do control
            readplan!(out, plan[], control)
        end
    finally
        ccall(_ap_plan_free[], Cvoid, (Ptr{Cvoid},), plan[])
    end
    return out
end

function readplan!(out::StridedArray{T}, plan, control) where {T}
    steps = collect(Int64, strides(out)) .* sizeof(T)
    reaches = Int64[(n - 1) * step for (n, step) in zip(size(out), steps)]
    before = -reduce(+, min.(reaches, 0), init = 0)
    nbytes = before + reduce(+, max.(reaches, 0), init = 0) + sizeof(T)
    GC.@preserve out steps checked() do error
        ccall(_ap_plan_read[], Int32,
              (Ptr{Cvoid}, Ptr{Cvoid}, Csize_t, Csize_t, Ptr{Int64}, Ptr{Cvoid}, Ptr{ErrorBytes}),
              plan, Ptr{Cvoid}(pointer(out)) - before, nbytes, before, steps, control, error)
    end
end

mutable struct Progress
    told::Any
    problem::Any
end

"Called on the thread that reads; what it throws must not cross the library."
function tell(user::Ptr{Cvoid}, done::UInt64, total::UInt64)
    progress = unsafe_pointer_to_objref(user)::Progress
    try
        return progress.told(Int(done), Int(total)) === true ? Int32(0) : Int32(1)
    catch problem
        progress.problem = problem
        return Int32(1)
    end
end

withcontrol(read, ::Nothing) = read(C_NULL)

function withcontrol(read, told)
    progress = Progress(told, nothing)
    callback = @cfunction(tell, Int32, (Ptr{Cvoid}, UInt64, UInt64))
    control = ccall(_ap_control_new[], Ptr{Cvoid}, ())
    try
        GC.@preserve progress begin
            ccall(_ap_control_set_callback[], Cvoid,
                  (Ptr{Cvoid}, Ptr{Cvoid}, Ptr{Cvoid}, UInt32),
                  control, callback, pointer_from_objref(progress), 100)
            read(control)
        end
    catch
        progress.problem === nothing || throw(progress.problem)
        rethrow()
    finally
        ccall(_ap_control_free[], Cvoid, (Ptr{Cvoid},), control)
    end
end

"Whether elements of this type come straight from the library, as `convert` would make them."
isdirect(::Type{T}, ::Type{S}) where {T,S} = T === S || (T <: Union{Float32,Float64} && S <: Real)

function Base.copyto!(out::StridedArray{T}, A::ArrayProxy{S}) where {T,S}
    if size(out) == size(A) && isdirect(T, S)
        return readinto!(out, A)
    end
    copyto!(out, isdirect(S, S) ? readinto!(Array{S}(undef, A.size), A) : Array(A))
    return out
end

# What Base would do element by element.

Base.Broadcast.broadcastable(A::ArrayProxy) = Array(A)
Base.map(f, A::ArrayProxy) = map(f, Array(A))
Base.:(==)(A::ArrayProxy, B::AbstractArray) = Array(A) == B
Base.:(==)(A::AbstractArray, B::ArrayProxy) = A == Array(B)
Base.:(==)(A::ArrayProxy, B::ArrayProxy) = Array(A) == Array(B)
Base.mapreducedim!(f, op, R::AbstractArray, A::ArrayProxy) = Base.mapreducedim!(f, op, R, Array(A))

"Elements that are read at a time by a loop."
const AHEAD = 1 << 20

function Base.iterate(A::ArrayProxy{T,N}) where {T,N}
    isempty(A) && return nothing
    N == 0 && return (A[], (T[], 1, 2))
    return iterate(A, (T[], 1, 1))
end

"The state: elements that were read, the next of them, the next slice of the last axis."
function Base.iterate(A::ArrayProxy{T,N}, (ahead, i, next)) where {T,N}
    if i > length(ahead)
        N == 0 && return nothing
        n = A.size[N]
        next > n && return nothing
        each = max(1, length(A) ÷ n)
        stop = min(n, next + max(1, AHEAD ÷ each) - 1)
        ahead = vec(A[ntuple(_ -> :, N - 1)..., next:stop])
        return (ahead[1], (ahead, 2, stop + 1))
    end
    return (ahead[i], (ahead, i + 1, next))
end

# Reading: single elements, parts into new arrays, and into arrays that are there.

# Without room for an error first: most calls succeed, and a call that fails is made again.
@noinline function failed(A::ArrayProxy, index, n, out, nbytes)
    attempt(A) do at, error
        GC.@preserve index out ccall(
            _ap_read_slice[], Int32,
            (Ptr{Cvoid}, Ptr{Cvoid}, Int32, Int32, UInt32, Ptr{Cvoid}, Csize_t, Ptr{ErrorBytes}),
            at, index, n, A.code, A.flags, out, nbytes, error)
    end
    return nothing
end

@inline function readslice!(out, nbytes, A::ArrayProxy{T,N}, index) where {T,N}
    handle = A.handle
    status = GC.@preserve handle index out begin
        # As `used` does, but nothing can throw here.
        at = enter(handle)
        status = ccall(
            _ap_read_slice[], Int32,
            (Ptr{Cvoid}, Ptr{Cvoid}, Int32, Int32, UInt32, Ptr{Cvoid}, Csize_t, Ptr{Cvoid}),
            at, index, N, A.code, A.flags, out, nbytes, C_NULL)
        leave(handle)
        status
    end
    status < 0 && failed(A, index, N, out, nbytes)
    return nothing
end

@inline function element(A::ArrayProxy{T,N}, I::NTuple{N,Int}) where {T,N}
    index, out = Ref(entries(I, A.size)), Ref{T}()
    readslice!(out, sizeof(T), A, index)
    return out[]
end

"A new array of what `I` selects."
function slice(A::ArrayProxy{T,N}, I::NTuple{N,Simple}) where {T,N}
    out = Array{T}(undef, lengths(I, A.size))
    readslice!(out, sizeof(out), A, Ref(entries(I, A.size)))
    return out
end

@inline function Base.getindex(A::ArrayProxy{T,N}, I::Vararg{Int,N}) where {T,N}
    @boundscheck checkbounds(A, I...)
    return element(A, I)
end

@inline function Base.getindex(A::ArrayProxy{T,N}, I::Vararg{Simple,N}) where {T,N}
    @boundscheck checkbounds(A, I...)
    return I isa Tuple{Vararg{Integer}} ? element(A, map(Int, I)) : slice(A, I)
end

@inline function Base.getindex(A::ArrayProxy, I::Vararg{Any,M}) where {M}
    J = to_indices(A, I)
    @boundscheck checkall(A, J)
    return selected(A, J)
end

@inline function selected(A::ArrayProxy{T,N}, J::Tuple) where {T,N}
    N != 1 && J isa Tuple{AbstractArray{<:Integer}} && return row(A, listed(J[1]))
    fit = fitted(A, J)
    # What Base makes of it.
    fit === nothing && return Array(A)[J...]
    I, more = fit
    I isa NTuple{N,Int} && return beyond(element(A, I), more)
    I isa NTuple{N,Simple} && return beyond(slice(A, I), more)
    return beyond(lists(A, map(listed, I)), more)
end

"What `more` makes of axes of length 1 behind the last."
beyond(part, more::Tuple{Vararg{Integer}}) = part
beyond(part, more::Tuple) = beyond(fill(part), more)
beyond(part::Array, more::Tuple{Vararg{Integer}}) = part
beyond(part::Array, more::Tuple) =
    reshape(part, size(part)..., map(_ -> 1, more)...)[map(_ -> :, size(part))..., more...]

"""
    readinto!(out, A; progress = nothing)

Read all of `A` into an array of its size: of any strides if elements lie in memory at
equal steps, and of any type that the library reads. `progress(done, total)` is called with
bytes of the result now and then; the read stops if it gives `false`.
"""
function readinto!(out::StridedArray{T}, A::ArrayProxy; progress = nothing) where {T}
    size(out) == size(A) || throw(DimensionMismatch("$(size(out)) is not $(size(A))"))
    isempty(out) && return out
    code = T === eltype(A) ? A.code : codeof(T)
    make = (at, plan, error) -> ccall(
        _ap_plan_new[], Int32,
        (Ptr{Cvoid}, Ptr{Cvoid}, Int32, Int32, UInt32, Ptr{Ptr{Cvoid}}, Ptr{ErrorBytes}),
        at, C_NULL, 0, code, A.flags, plan, error)
    withplan(A, make) do plan
        withcontrol(control -> readplan!(out, plan, control), progress)
    end
    return out
end

"Reads by a plan that `make(proxy, place, error)` makes, and frees it."
function withplan(read, A::ArrayProxy, make)
    plan = Ref{Ptr{Cvoid}}(C_NULL)
    attempt((at, error) -> make(at, plan, error), A)
    try
        read(plan[])
    finally
        ccall(_ap_plan_free[], Cvoid, (Ptr{Cvoid},), plan[])
    end
end

function readplan!(out::StridedArray{T}, plan, control) where {T}
    steps = collect(Int64, strides(out)) .* sizeof(T)
    reaches = Int64[(n - 1) * step for (n, step) in zip(size(out), steps)]
    before = -reduce(+, min.(reaches, 0), init = 0)
    nbytes = before + reduce(+, max.(reaches, 0), init = 0) + sizeof(T)
    GC.@preserve out steps attempt() do error
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
        return progress.told(Int(done), Int(total)) === false ? Int32(1) : Int32(0)
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

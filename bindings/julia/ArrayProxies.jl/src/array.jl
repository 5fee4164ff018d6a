"""
    ArrayProxy(path; T = nothing, stored = false, round = false, checked = false, options...)
    ArrayProxy(paths; ...)
    ArrayProxy(bytes; ...)

The array of an image file, of a list of files that make one array with one more axis, or of
a file's bytes in memory, which must not be changed meanwhile. Only headers are read; elements
are when they are asked for.

`T` is the type that reading gives: by default what the file means, mostly `Float64` for
scaled data, else as stored. `stored` gives values as they are stored, not scaled. Integers are
cut towards zero, or rounded with `round`; what does not fit becomes the nearest limit, or
fails with `checked`. Options are the library's by their names: `threads`, `mmap`,
`keep_open`, `cache_bytes`, `index_path`, `strict`, `format`, `codec` and others.

Indices count from 1. `A[:, :, 20]`, ranges and steps of either sign read what they name, in
one call; `view` and `reshape` read nothing. `Array(A)`, `copyto!`, sums and broadcasting read
whole parts, never voxel by voxel. `close(A)` frees the file as soon as no thread reads, as the
garbage collector does later.
"""
struct ArrayProxy{T,N} <: AbstractArray{T,N}
    handle::Handle
    size::NTuple{N,Int}
    "Whether elements are stored with the last axis moving fastest."
    rowmajor::Bool
    "Type and flags for reads."
    code::Int32
    flags::UInt32
end

ArrayProxy(path::AbstractString; options...) = opened(abspath(path); options...)
ArrayProxy(paths::AbstractVector{<:AbstractString}; options...) =
    opened(String[abspath(path) for path in paths]; options...)
# Another array of the same memory: as long as it is there, none can be moved.
ArrayProxy(bytes::Vector{UInt8}; options...) = opened(reshape(bytes, :, 1); options...)

# `open(ArrayProxy, path) do A` closes it at the end.
Base.open(::Type{ArrayProxy}, source; options...) = ArrayProxy(source; options...)

function opened(source; T::Union{Nothing,Type} = nothing, stored::Bool = false,
                round::Bool = false, checked::Bool = false, options...)
    code = T !== nothing ? codeof(T) : stored ? DISK : AUTO
    flags = stored * READ_RAW | round * READ_ROUND | checked * READ_CHECKED
    origin = Opened(source, collect(Pair{Symbol,Any}, options))
    handle = Handle(make(origin), origin)
    shape, order, type = used(handle) do at
        # Nothing is read, but the type and the flags must be such as can be.
        shape = axesof() do to, n
            ccall(_ap_shape[], Int32, (Ptr{Cvoid}, Ptr{Int64}, Int32), at, to, n)
        end
        index = repeat(Int64[RANGE, 0, 0, 1], length(shape))
        attempt() do error
            ccall(_ap_slice_nbytes[], Int64,
                  (Ptr{Cvoid}, Ptr{Int64}, Int32, Int32, UInt32, Ptr{ErrorBytes}),
                  at, index, length(shape), code, flags, error)
        end
        type = stored ? ccall(_ap_disk_dtype[], Int32, (Ptr{Cvoid},), at) :
                        ccall(_ap_auto_dtype[], Int32, (Ptr{Cvoid},), at)
        shape, ccall(_ap_order[], Int32, (Ptr{Cvoid},), at), TYPES[type]
    end
    return ArrayProxy{something(T, type),length(shape)}(
        handle, Tuple(shape), order == Int32('C'), code, flags)
end

Base.size(A::ArrayProxy) = A.size
Base.IndexStyle(::Type{<:ArrayProxy}) = IndexCartesian()
Base.isopen(A::ArrayProxy) = isopen(A.handle)
Base.close(A::ArrayProxy) = close(A.handle)

"What the library gives for the proxy's address."
used(call, A::ArrayProxy) = used(call, A.handle)
attempt(call, A::ArrayProxy) = attempt(call, A.handle)

function Base.show(io::IO, ::MIME"text/plain", A::ArrayProxy)
    isopen(A) || return print(io, summary(A), " (closed)")
    print(io, summary(A), " in a file of format ", imageformat(A))
    codec(A) == "none" || print(io, ", compressed by ", codec(A))
end

Base.show(io::IO, A::ArrayProxy) = print(io, summary(A))

"A proxy of what `I` selects; nothing is read."
function part(A::ArrayProxy{T,N}, I::NTuple{N,Simple}) where {T,N}
    handle = derived(A.handle, Part(A.handle.origin, entries(I, A.size)))
    size = lengths(I, A.size)
    return ArrayProxy{T,length(size)}(handle, size, A.rowmajor, A.code, A.flags)
end

@inline function Base.view(A::ArrayProxy{T,N}, I::Vararg{Simple,N}) where {T,N}
    @boundscheck checkbounds(A, I...)
    return part(A, I)
end

"A proxy of the part, where the indices are such that there is one; else a view of Base's."
function Base.view(A::ArrayProxy{T,N}, I::Vararg{Any,M}) where {T,N,M}
    J = to_indices(A, I)
    @boundscheck checkbounds(A, J...)
    if N != 1 && J isa Tuple{AbstractRange}
        row = vec(A)
        row isa ArrayProxy && return part(row, J)
    else
        fit = fitted(A, J)
        fit !== nothing && fit[1] isa NTuple{N,Simple} && fit[2] isa Tuple{Vararg{Integer}} &&
            return part(A, fit[1])
    end
    return invoke(view, Tuple{AbstractArray,Vararg{Any,M}}, A, I...)
end

"""
The same elements in another shape: a proxy, where the file has them in this order and
factors are not split; else a view of Base's.
"""
function Base.reshape(A::ArrayProxy{T,N}, dims::Dims{M}) where {T,N,M}
    prod(dims) == length(A) && all(>=(0), dims) || throw(DimensionMismatch(
        "an array of $(length(A)) elements cannot be reshaped to $dims"))
    if !A.rowmajor
        try
            handle = derived(A.handle, Shaped(A.handle.origin, collect(dims)))
            return ArrayProxy{T,M}(handle, dims, A.rowmajor, A.code, A.flags)
        catch problem
            problem isa ArrayProxyError && problem.code == ERR_UNSUPPORTED || rethrow()
        end
    end
    return invoke(reshape, Tuple{AbstractArray,Dims{M}}, A, dims)
end

Base.reshape(A::ArrayProxy, dims::Tuple{Vararg{Union{Int,Colon}}}) =
    reshape(A, Base._reshape_uncolon(A, dims))

# Base takes other integers only without a colon.
for D in (Int, Integer, Union{Int,Colon}, Union{Integer,Colon})
    @eval Base.reshape(A::ArrayProxy, dims::$D...) =
        reshape(A, map(n -> n isa Colon ? n : Int(n), dims))
end
Base.reshape(A::ArrayProxy{<:Any,1}, ::Colon) = A

"""
    ArrayProxy(path; T = nothing, options...)

The array of an image file. Only its header is read; elements are when they are asked for.

`T` is the type that reading gives: by default what the file means, mostly `Float64` for
scaled data, else as stored. Options are the library's by their names: `threads`, `mmap`,
`keep_open`, `cache_bytes`, `index_path`, `strict`, `format`, `codec` and others.

Indices count from 1. `A[:, :, 20]`, ranges and steps of either sign read what they name, in
one call; `view` and `reshape` read nothing. `Array(A)`, `copyto!`, sums and broadcasting read
whole parts, never voxel by voxel. `close(A)` frees the file at once, as the garbage collector
does later.
"""
struct ArrayProxy{T,N} <: AbstractArray{T,N}
    handle::Handle
    size::NTuple{N,Int}
    "Whether elements are stored with the last axis moving fastest."
    rowmajor::Bool
    code::Int32
end

function ArrayProxy(path::AbstractString; T = nothing, options...)
    handle = opened(path, options)
    auto = ccall(_ap_auto_dtype[], Int32, (Ptr{Cvoid},), handle.address)
    return wrapped(handle, T === nothing ? TYPES[auto] : T, T === nothing ? AUTO : codeof(T))
end

function wrapped(handle::Handle, ::Type{T}, code::Int32) where {T}
    shape = axesof() do at, n
        ccall(_ap_shape[], Int32, (Ptr{Cvoid}, Ptr{Int64}, Int32), handle.address, at, n)
    end
    order = ccall(_ap_order[], Int32, (Ptr{Cvoid},), handle.address)
    return ArrayProxy{T,length(shape)}(handle, Tuple(shape), order == Int32('C'), code)
end

Base.size(A::ArrayProxy) = A.size
Base.IndexStyle(::Type{<:ArrayProxy}) = IndexCartesian()
Base.isopen(A::ArrayProxy) = A.handle.address != C_NULL
Base.close(A::ArrayProxy) = release(A.handle)

"The address of an open handle; to be used while the proxy is preserved."
@inline function address(A::ArrayProxy)
    at = A.handle.address
    at == C_NULL && throw(ArgumentError("the array proxy is closed"))
    return at
end

function Base.show(io::IO, ::MIME"text/plain", A::ArrayProxy)
    isopen(A) || return print(io, summary(A), " (closed)")
    print(io, summary(A), " in a file of format ", imageformat(A))
    codec(A) == "none" || print(io, ", compressed by ", codec(A))
end

Base.show(io::IO, A::ArrayProxy) = print(io, summary(A))

"A proxy of what `I` selects, if the library can; nothing is read."
function part(A::ArrayProxy{T}, I::Tuple) where {T}
    index = collect(Iterators.flatten(entries(I, A.size)))
    handle = GC.@preserve A index made() do out, error
        ccall(_ap_slice_proxy[], Int32,
              (Ptr{Cvoid}, Ptr{Int64}, Int32, Ptr{Ptr{Cvoid}}, Ptr{ErrorBytes}),
              address(A), index, length(I), out, error)
    end
    return wrapped(handle, T, A.code)
end

function Base.view(A::ArrayProxy{T,N}, I::Vararg{Simple,N}) where {T,N}
    @boundscheck checkbounds(A, I...)
    return part(A, I)
end

"""
The same elements in another shape: a proxy, where the file has them in this order and
factors are not split; else a view of Base's.
"""
function Base.reshape(A::ArrayProxy{T}, dims::Dims) where {T}
    prod(dims) == length(A) || throw(DimensionMismatch(
        "an array of $(length(A)) elements cannot be reshaped to $dims"))
    if !A.rowmajor
        shape = collect(Int64, dims)
        try
            handle = GC.@preserve A shape made() do out, error
                ccall(_ap_reshape[], Int32,
                      (Ptr{Cvoid}, Int32, Ptr{Int64}, Ptr{Ptr{Cvoid}}, Ptr{ErrorBytes}),
                      address(A), length(shape), shape, out, error)
            end
            return wrapped(handle, T, A.code)
        catch problem
            problem isa ArrayProxyError && problem.code == ERR_UNSUPPORTED || rethrow()
        end
    end
    return invoke(reshape, Tuple{AbstractArray,Dims}, A, dims)
end

Base.reshape(A::ArrayProxy, dims::Tuple{Vararg{Union{Int,Colon}}}) = reshape(A, known(dims, length(A)))

"The lengths, of which a colon leaves one open."
function known(dims, count)
    open = sum(n -> n isa Colon, dims)
    open == 1 || throw(DimensionMismatch("only one length can be left open, not $open"))
    each = prod(n -> n isa Colon ? 1 : n, dims)
    each > 0 && count % each == 0 ||
        throw(DimensionMismatch("an array of $count elements cannot be reshaped to $dims"))
    return map(n -> n isa Colon ? count ÷ each : n, dims)
end

# What the header tells.

gettext(f, A::ArrayProxy) =
    GC.@preserve A unsafe_string(ccall(f, Cstring, (Ptr{Cvoid},), address(A)))

"The format, such as `\"nifti1\"`."
imageformat(A::ArrayProxy) = gettext(_ap_format[], A)

"How the data are compressed: `\"none\"`, `\"gzip\"` and others."
codec(A::ArrayProxy) = gettext(_ap_codec[], A)

"Whether what is stored is scaled."
isscaled(A::ArrayProxy) =
    GC.@preserve A ccall(_ap_is_scaled[], Int32, (Ptr{Cvoid},), address(A)) == 1

"The type of what is stored."
disktype(A::ArrayProxy) =
    TYPES[GC.@preserve A ccall(_ap_disk_dtype[], Int32, (Ptr{Cvoid},), address(A))]

const AFFINES = (best = 0, sform = 1, qform = 2, base = 3)

"""
    affine(A; which = :best, onebased = false)

Voxel to world, 4 by 4, RAS+ in mm. For indices that count from 0, as the formats have it, or
with `onebased` for Julia's. `which` may be `:sform`, `:qform` or `:base`.
"""
function affine(A::ArrayProxy; which::Symbol = :best, onebased::Bool = false)
    rows = Vector{Float64}(undef, 16)
    GC.@preserve A rows checked() do error
        ccall(_ap_affine[], Int32, (Ptr{Cvoid}, Int32, Ptr{Float64}, Ptr{ErrorBytes}),
              address(A), AFFINES[which], rows, error)
    end
    matrix = permutedims(reshape(rows, 4, 4))
    if onebased
        matrix[1:3, 4] -= vec(sum(matrix[1:3, 1:3], dims = 2))
    end
    return matrix
end

"Voxel sizes in mm; the fourth is the time step in the header's unit."
function zooms(A::ArrayProxy)
    numbers = Vector{Float64}(undef, 64)
    n = GC.@preserve A numbers checked() do error
        ccall(_ap_zooms[], Int32, (Ptr{Cvoid}, Ptr{Float64}, Int32, Ptr{ErrorBytes}),
              address(A), numbers, 64, error)
    end
    return resize!(numbers, n)
end

"Size of a part of at most so many bytes, as stored, that is cheap to read."
function chunkshape(A::ArrayProxy, nbytes::Integer)
    return Tuple(GC.@preserve A axesof() do at, n
        ccall(_ap_chunk_shape[], Int32, (Ptr{Cvoid}, UInt64, Ptr{Int64}, Int32),
              address(A), nbytes, at, n)
    end)
end

function texts(f, A::ArrayProxy)
    found = String[]
    while true
        text = GC.@preserve A ccall(f, Cstring, (Ptr{Cvoid}, Int32), address(A), length(found))
        text == C_NULL && return found
        push!(found, unsafe_string(text))
    end
end

"What was odd in the header, but read all the same."
notes(A::ArrayProxy) = texts(_ap_warning[], A)

"Names of the header's fields, as NiBabel has them."
fields(A::ArrayProxy) = texts(_ap_field_name[], A)

function numbers(f, A::ArrayProxy, name::AbstractString, ::Type{T}) where {T}
    call(at, n, error) = GC.@preserve A ccall(
        f, Int32, (Ptr{Cvoid}, Cstring, Ptr{T}, Int32, Ptr{ErrorBytes}), address(A), name, at, n,
        error)
    error = newerror()
    count = call(C_NULL, 0, error)
    count == ERR_UNSUPPORTED && return nothing
    count < 0 && raise(count, error)
    found = Vector{T}(undef, count)
    checked(error -> call(found, count, error))
    return count == 1 ? found[1] : found
end

"A field of the header: a number, numbers, or a text."
function field(A::ArrayProxy, name::AbstractString)
    for (f, T) in ((_ap_field_ints[], Int64), (_ap_field_reals[], Float64))
        found = numbers(f, A, name, T)
        found === nothing || return found
    end
    call(at, n, error) = GC.@preserve A ccall(
        _ap_field_text[], Int64, (Ptr{Cvoid}, Cstring, Ptr{UInt8}, Csize_t, Ptr{ErrorBytes}),
        address(A), name, at, n, error)
    size = checked(error -> call(C_NULL, 0, error))
    text = Vector{UInt8}(undef, size)
    checked(error -> call(text, size, error))
    return String(text[1:end-1])
end

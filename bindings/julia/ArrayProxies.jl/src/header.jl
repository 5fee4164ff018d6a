# What the header tells.

gettext(f, A::ArrayProxy) =
    used(at -> unsafe_string(ccall(f, Cstring, (Ptr{Cvoid},), at)), A)

"The format, such as `\"nifti1\"`."
imageformat(A::ArrayProxy) = gettext(_ap_format[], A)

"How the data are compressed: `\"none\"`, `\"gzip\"` and others."
codec(A::ArrayProxy) = gettext(_ap_codec[], A)

"Whether what is stored is scaled."
isscaled(A::ArrayProxy) = used(at -> ccall(_ap_is_scaled[], Int32, (Ptr{Cvoid},), at), A) == 1

"The type of what is stored."
disktype(A::ArrayProxy) =
    TYPES[used(at -> ccall(_ap_disk_dtype[], Int32, (Ptr{Cvoid},), at), A)]

"""
    scalefactors(A)

Slope and intercept: numbers, or arrays whose lengths are 1 along axes where they do not vary.
MINC clips what is stored first, and values of ECAT are rounded after each of two factors.
"""
function scalefactors(A::ArrayProxy)
    shape = axesof() do to, n
        used(at -> ccall(_ap_scale_shape[], Int32, (Ptr{Cvoid}, Ptr{Int64}, Int32), at, to, n), A)
    end
    slope, inter = Array{Float64}(undef, shape...), Array{Float64}(undef, shape...)
    attempt(A) do at, error
        ccall(_ap_scale_factors[], Int32,
              (Ptr{Cvoid}, Ptr{Float64}, Ptr{Float64}, Csize_t, Ptr{ErrorBytes}),
              at, slope, inter, length(slope), error)
    end
    return isempty(shape) ? (slope[], inter[]) : (slope, inter)
end

const AFFINES = (best = 0, sform = 1, qform = 2, base = 3)

"""
    affine(A; which = :best, onebased = false)

Voxel to world, 4 by 4, RAS+ in mm. For indices that count from 0, as the formats have it, or
with `onebased` for Julia's. `which` may be `:sform`, `:qform` or `:base`.
"""
affine(A::ArrayProxy; options...) = xform(A; options...).affine

"As `affine`, with the xform code: 0 if the format has none."
function xform(A::ArrayProxy; which::Symbol = :best, onebased::Bool = false)
    haskey(AFFINES, which) || throw(ArgumentError(
        "there is no affine :$which, but " * join(map(repr, keys(AFFINES)), ", ", " and ")))
    rows = Vector{Float64}(undef, 16)
    code = attempt(A) do at, error
        ccall(_ap_affine[], Int32, (Ptr{Cvoid}, Int32, Ptr{Float64}, Ptr{ErrorBytes}),
              at, AFFINES[which], rows, error)
    end
    matrix = permutedims(reshape(rows, 4, 4))
    if onebased
        matrix[1:3, 4] -= vec(sum(matrix[1:3, 1:3], dims = 2))
    end
    return (affine = matrix, code = Int(code))
end

"Voxel sizes in mm; the fourth is the time step in the header's unit."
function zooms(A::ArrayProxy)
    numbers = Vector{Float64}(undef, 64)
    n = attempt(A) do at, error
        ccall(_ap_zooms[], Int32, (Ptr{Cvoid}, Ptr{Float64}, Int32, Ptr{ErrorBytes}),
              at, numbers, 64, error)
    end
    return resize!(numbers, n)
end

"Size of a part of at most so many bytes, as stored, that is cheap to read."
function chunkshape(A::ArrayProxy{T,N}, nbytes::Integer) where {T,N}
    shape = axesof() do to, n
        used(A) do at
            ccall(_ap_chunk_shape[], Int32, (Ptr{Cvoid}, UInt64, Ptr{Int64}, Int32),
                  at, nbytes, to, n)
        end
    end
    return ntuple(k -> shape[k], Val(N))
end

"The header's bytes as stored, without extensions."
function headerbytes(A::ArrayProxy)
    return used(A) do at
        size = Ref{Csize_t}(0)
        from = ccall(_ap_header[], Ptr{UInt8}, (Ptr{Cvoid}, Ptr{Csize_t}), at, size)
        from == C_NULL ? UInt8[] : copy(unsafe_wrap(Array, from, size[]))
    end
end

texts(f, A::ArrayProxy) = used(A) do at
    found = String[]
    while true
        text = ccall(f, Cstring, (Ptr{Cvoid}, Int32), at, length(found))
        text == C_NULL && return found
        push!(found, unsafe_string(text))
    end
end

"What was odd in the header, but read all the same."
notes(A::ArrayProxy) = texts(_ap_warning[], A)

"Names of the header's fields, as NiBabel has them."
fields(A::ArrayProxy) = texts(_ap_field_name[], A)

function numbers(f, A::ArrayProxy, name::AbstractString, ::Type{T}) where {T}
    call(to, n) = attempt(A) do at, error
        ccall(f, Int32, (Ptr{Cvoid}, Cstring, Ptr{T}, Int32, Ptr{ErrorBytes}),
              at, name, to, n, error)
    end
    found = try
        Vector{T}(undef, call(C_NULL, 0))
    catch problem
        problem isa ArrayProxyError && problem.code == ERR_UNSUPPORTED || rethrow()
        return nothing
    end
    call(found, length(found))
    return length(found) == 1 ? found[1] : found
end

"A field of the header: a number, numbers, or a text."
function field(A::ArrayProxy, name::AbstractString)
    for (f, T) in ((_ap_field_ints[], Int64), (_ap_field_reals[], Float64))
        found = numbers(f, A, name, T)
        found === nothing || return found
    end
    call(to, n) = attempt(A) do at, error
        ccall(_ap_field_text[], Int64, (Ptr{Cvoid}, Cstring, Ptr{UInt8}, Csize_t, Ptr{ErrorBytes}),
              at, name, to, n, error)
    end
    text = Vector{UInt8}(undef, call(C_NULL, 0))
    call(text, length(text))
    return String(text[1:end-1])
end

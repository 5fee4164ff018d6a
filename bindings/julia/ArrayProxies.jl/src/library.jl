# The shared library: where it is, its types and its errors.

"The library: `AP_LIBRARY`, or what the system finds by its name."
const NAME = "libarrayproxy"
const LIBRARY = Ref{Ptr{Cvoid}}(C_NULL)

function __init__()
    LIBRARY[] = dlopen(get(ENV, "AP_LIBRARY", NAME))
    for name in FUNCTIONS
        ADDRESSES[name][] = dlsym(LIBRARY[], name)
    end
end

const FUNCTIONS = [
    :ap_status_name, :ap_options_new, :ap_options_free,
    :ap_options_parse, :ap_options_set_text, :ap_open, :ap_free, :ap_reshape, :ap_slice_proxy,
    :ap_shape, :ap_auto_dtype, :ap_disk_dtype, :ap_order, :ap_is_scaled, :ap_format,
    :ap_codec, :ap_affine, :ap_zooms, :ap_chunk_shape, :ap_warning, :ap_field_name,
    :ap_field_ints, :ap_field_reals, :ap_field_text, :ap_read_slice, :ap_read_box,
    :ap_plan_new, :ap_plan_read, :ap_plan_free, :ap_control_new, :ap_control_free,
    :ap_control_set_callback,
]
const ADDRESSES = Dict(name => Ref{Ptr{Cvoid}}(C_NULL) for name in FUNCTIONS)

# A constant of its own for each, so that a call costs no look into the table.
for name in FUNCTIONS
    @eval const $(Symbol(:_, name)) = ADDRESSES[$(QuoteNode(name))]
end

const AUTO = Int32(0)
const DISK = Int32(1)
const ERR_UNSUPPORTED = Int32(-13)
const OPT_INDEX_PATH = Int32(10)

"Julia's types by the library's codes; RGB are tuples."
const TYPES = Dict{Int32,DataType}(
    1537 => Bool,
    257 => Int8, 258 => Int16, 260 => Int32, 264 => Int64,
    513 => UInt8, 514 => UInt16, 516 => UInt32, 520 => UInt64,
    770 => Float16, 772 => Float32, 776 => Float64,
    1032 => ComplexF32, 1040 => ComplexF64,
    1283 => NTuple{3,UInt8}, 1284 => NTuple{4,UInt8},
    784 => NTuple{16,UInt8}, 1056 => NTuple{32,UInt8},
)
const CODES = Dict(type => code for (code, type) in TYPES)

codeof(::Type{T}) where {T} =
    get(() -> throw(ArgumentError("elements cannot be read as $T")), CODES, T)

"A call of the library failed: its code, the code's name, and what it says."
struct ArrayProxyError <: Exception
    code::Int32
    name::String
    detail::Int64
    message::String
end

Base.showerror(io::IO, e::ArrayProxyError) = print(io, e.name, ": ", e.message)

"`ap_error`: two numbers of 32 bits, one of 64 and a text."
const ErrorBytes = NTuple{64,Int64}

newerror() = Ref{ErrorBytes}(ntuple(_ -> 0, 64))

function raise(status::Integer, bytes::Ref{ErrorBytes})
    GC.@preserve bytes begin
        at = Base.unsafe_convert(Ptr{ErrorBytes}, bytes)
        detail = unsafe_load(Ptr{Int64}(at), 2)
        message = unsafe_string(Ptr{UInt8}(at) + 16)
    end
    name = unsafe_string(ccall(_ap_status_name[], Cstring, (Int32,), status))
    throw(ArrayProxyError(status, name, detail, message))
end

"The count that `call(error)` gives, or what it says went wrong."
@inline function checked(call)
    error = newerror()
    status = call(error)
    status < 0 && raise(status, error)
    return status
end

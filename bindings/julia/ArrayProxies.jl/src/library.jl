# The shared library: where it is, its types and its errors.

const LIBRARY = Ref{Ptr{Cvoid}}(C_NULL)

"Of `ap_abi_version`: what this package was written for."
const ABI = 0

"Where the library may be: at `AP_LIBRARY`, or where the system looks for these names."
candidates() = haskey(ENV, "AP_LIBRARY") ? [ENV["AP_LIBRARY"]] :
    ["libarrayproxy", "libarrayproxy.so.0.1", "libarrayproxy.0.1.dylib"]

function loadlibrary(names)
    problem = nothing
    for name in names
        try
            return dlopen(name)
        catch caught
            problem = something(problem, caught)
        end
    end
    error("the shared library arrayproxy cannot be loaded: set AP_LIBRARY to its path, or " *
          "install it with `make install` (", sprint(showerror, problem), ")")
end

function __init__()
    LIBRARY[] = loadlibrary(candidates())
    for name in FUNCTIONS
        ADDRESSES[name][] = dlsym(LIBRARY[], name)
    end
    abi = ccall(_ap_abi_version[], Int32, ())
    abi == ABI || error("the shared library arrayproxy has ABI $abi, but this package needs $ABI")
    return nothing
end

const FUNCTIONS = [
    :ap_abi_version, :ap_status_name, :ap_options_new, :ap_options_free,
    :ap_options_parse, :ap_options_set_text, :ap_open, :ap_open_source, :ap_open_series,
    :ap_source_memory, :ap_source_free, :ap_series_new, :ap_series_add, :ap_series_free,
    :ap_clone, :ap_free, :ap_trim, :ap_reshape, :ap_slice_proxy, :ap_slice_nbytes,
    :ap_shape, :ap_auto_dtype, :ap_disk_dtype, :ap_order, :ap_is_scaled, :ap_format,
    :ap_codec, :ap_affine, :ap_zooms, :ap_chunk_shape, :ap_header, :ap_scale_shape,
    :ap_scale_factors, :ap_warning, :ap_field_name,
    :ap_field_ints, :ap_field_reals, :ap_field_text, :ap_read_slice,
    :ap_plan_new, :ap_plan_lists, :ap_plan_read, :ap_plan_free, :ap_control_new, :ap_control_free,
    :ap_control_set_callback, :ap_seekindex_build, :ap_seekindex_save, :ap_seekindex_load,
]
const ADDRESSES = Dict(name => Ref{Ptr{Cvoid}}(C_NULL) for name in FUNCTIONS)

# A constant of its own for each, so that a call costs no look into the table.
for name in FUNCTIONS
    @eval const $(Symbol(:_, name)) = ADDRESSES[$(QuoteNode(name))]
end

const AUTO = Int32(0)
const DISK = Int32(1)
const READ_RAW, READ_ROUND, READ_CHECKED = UInt32(2), UInt32(4), UInt32(8)
const ERR_IO = Int32(-7)
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

"""
A call of the library failed: its code, the code's name, what it says, and the system's error
(`errno`) if the system failed, else 0.
"""
struct ArrayProxyError <: Exception
    code::Int32
    name::String
    detail::Int64
    message::String
    os_error::Int32
end

Base.showerror(io::IO, e::ArrayProxyError) = print(io, e.name, ": ", e.message)

"`ap_error`: two numbers of 32 bits, one of 64 and a text."
const ErrorBytes = NTuple{64,Int64}

newerror() = Ref{ErrorBytes}(ntuple(_ -> 0, 64))

function toerror(status::Integer, bytes::Ref{ErrorBytes})
    GC.@preserve bytes begin
        at = Base.unsafe_convert(Ptr{ErrorBytes}, bytes)
        os_error = unsafe_load(Ptr{Int32}(at), 2)
        detail = unsafe_load(Ptr{Int64}(at), 2)
        message = unsafe_string(Ptr{UInt8}(at) + 16)
    end
    name = unsafe_string(ccall(_ap_status_name[], Cstring, (Int32,), status))
    return ArrayProxyError(status, name, detail, message, os_error)
end

"The system's ENFILE and EMFILE."
const TOO_MANY_FILES = (23, 24)

toomany(e::ArrayProxyError) = e.code == ERR_IO && e.os_error in TOO_MANY_FILES

"""
The count that `call(error)` gives, or what it says went wrong. If there are too many open
files it is tried twice: proxies that were dropped hold theirs until they are collected.
"""
function attempt(call)
    error = newerror()
    status = call(error)
    if status < 0 && toomany(toerror(status, error))
        GC.gc()
        status = call(error)
    end
    status < 0 && throw(toerror(status, error))
    return status
end

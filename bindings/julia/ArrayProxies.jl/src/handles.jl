# Handles of the library: made, shared by threads, and freed once.

"""
An address, and how many calls use it now. Closing marks it; who uses it last frees it.
`origin` tells how it was made: serialization writes addresses as NULL, and the first use in
the other process makes it anew.
"""
mutable struct Handle
    address::Ptr{Cvoid}
    users::Threads.Atomic{Int}
    origin::Any
    function Handle(address::Ptr{Cvoid}, origin)
        handle = new(address, Threads.Atomic{Int}(0), origin)
        return owned(handle)
    end
end

"Marks in `users`, above any count."
const CLOSED, FREED = 1 << 40, 1 << 41

"How many hold a file of their own, and how many may before dropped ones are looked for."
const OPEN = Threads.Atomic{Int}(0)
const ROOM = Threads.Atomic{Int}(500)

function owned(handle::Handle)
    handle.origin isa Opened && Threads.atomic_add!(OPEN, 1)
    return finalizer(close, handle)
end

# The collector does not know what they hold: it would come too late.
function makeroom()
    OPEN[] < ROOM[] && return
    GC.gc(false)
    OPEN[] > ROOM[] ÷ 2 && GC.gc()
    ROOM[] = max(500, 2 * OPEN[])
    return
end

Base.isopen(handle::Handle) = handle.users[] < CLOSED

function Base.close(handle::Handle)
    Threads.atomic_or!(handle.users, CLOSED) == 0 && free(handle)
    return nothing
end

@inline function enter(handle::Handle)
    before = Threads.atomic_add!(handle.users, 1)
    at = handle.address
    return before < CLOSED && at != C_NULL ? at : enterother(handle, before)
end

@inline function leave(handle::Handle)
    Threads.atomic_sub!(handle.users, 1) == CLOSED + 1 && free(handle)
    return nothing
end

# Those who find it closed count for a moment, too: two may come here.
@noinline function free(handle::Handle)
    Threads.atomic_or!(handle.users, FREED) & FREED == 0 || return nothing
    handle.address == C_NULL && return nothing
    ccall(_ap_free[], Cvoid, (Ptr{Cvoid},), handle.address)
    handle.origin isa Opened && Threads.atomic_sub!(OPEN, 1)
    return nothing
end

const REMAKING = ReentrantLock()

@noinline function enterother(handle::Handle, before)
    try
        before < CLOSED || throw(ArgumentError("the array proxy is closed"))
        lock(REMAKING) do
            handle.address == C_NULL || return
            handle.address = make(handle.origin)
            owned(handle)
        end
    catch
        leave(handle)
        rethrow()
    end
    return handle.address
end

"What `call(address)` gives; meanwhile nobody can free the handle."
@inline function used(call, handle::Handle)
    return GC.@preserve handle begin
        at = enter(handle)
        try
            call(at)
        finally
            leave(handle)
        end
    end
end

"As `attempt`, of `call(address, error)`."
attempt(call, handle::Handle) = attempt(error -> used(at -> call(at, error), handle))

Base.deepcopy_internal(handle::Handle, done::IdDict) = get!(() -> clone(handle), done, handle)

clone(handle::Handle) = !isopen(handle) ? handle :
    Handle(used(at -> ccall(_ap_clone[], Ptr{Cvoid}, (Ptr{Cvoid},), at), handle), handle.origin)

"What `call(out, error)` makes."
function made(call)
    out = Ref{Ptr{Cvoid}}(C_NULL)
    attempt(error -> call(out, error))
    return out[]
end

# How handles are made, and made again.

"A file's path, those of a series, or the bytes of a file."
const Source = Union{String,Vector{String},Matrix{UInt8}}

struct Opened
    source::Source
    options::Vector{Pair{Symbol,Any}}
end

struct Part
    of::Any
    index::Any
end

struct Shaped
    of::Any
    shape::Vector{Int64}
end

function make(origin::Opened)
    makeroom()
    settings = ccall(_ap_options_new[], Ptr{Cvoid}, ())
    try
        foreach(option -> set(settings, option...), origin.options)
        return openfrom(origin.source, settings)
    finally
        ccall(_ap_options_free[], Cvoid, (Ptr{Cvoid},), settings)
    end
end

function make(origin::Union{Part,Shaped})
    whole = make(origin.of)
    try
        return derive(origin, whole)
    finally
        ccall(_ap_free[], Cvoid, (Ptr{Cvoid},), whole)
    end
end

set(settings, name, value) = attempt() do error
    # The one that may hold a comma.
    name === :index_path && return ccall(
        _ap_options_set_text[], Int32, (Ptr{Cvoid}, Int32, Cstring, Ptr{ErrorBytes}),
        settings, OPT_INDEX_PATH, value, error)
    ccall(_ap_options_parse[], Int32, (Ptr{Cvoid}, Cstring, Ptr{ErrorBytes}),
          settings, "$name=$(value isa Bool ? Int(value) : value)", error)
end

openfrom(path::String, settings) = made() do out, error
    ccall(_ap_open[], Int32, (Cstring, Ptr{Cvoid}, Ptr{Ptr{Cvoid}}, Ptr{ErrorBytes}),
          path, settings, out, error)
end

function openfrom(paths::Vector{String}, settings)
    series = ccall(_ap_series_new[], Ptr{Cvoid}, ())
    try
        for path in paths
            attempt() do error
                ccall(_ap_series_add[], Int32, (Ptr{Cvoid}, Cstring, Ptr{ErrorBytes}),
                      series, path, error)
            end
        end
        return made() do out, error
            ccall(_ap_open_series[], Int32,
                  (Ptr{Cvoid}, Ptr{Cvoid}, Ptr{Ptr{Cvoid}}, Ptr{ErrorBytes}),
                  series, settings, out, error)
        end
    finally
        ccall(_ap_series_free[], Cvoid, (Ptr{Cvoid},), series)
    end
end

# The origin, which all handles of these bytes have, keeps them alive.
function openfrom(bytes::Matrix{UInt8}, settings)
    source = made() do out, error
        ccall(_ap_source_memory[], Int32,
              (Ptr{UInt8}, Csize_t, Ptr{Cvoid}, Ptr{Cvoid}, Ptr{Ptr{Cvoid}}, Ptr{ErrorBytes}),
              bytes, length(bytes), C_NULL, C_NULL, out, error)
    end
    try
        return made() do out, error
            ccall(_ap_open_source[], Int32,
                  (Ptr{Cvoid}, Ptr{Cvoid}, Ptr{Cvoid}, Ptr{Ptr{Cvoid}}, Ptr{ErrorBytes}),
                  source, C_NULL, settings, out, error)
        end
    finally
        ccall(_ap_source_free[], Cvoid, (Ptr{Cvoid},), source)
    end
end

function derive(part::Part, whole::Ptr{Cvoid})
    index = Ref(part.index)
    return made() do out, error
        ccall(_ap_slice_proxy[], Int32,
              (Ptr{Cvoid}, Ptr{Cvoid}, Int32, Ptr{Ptr{Cvoid}}, Ptr{ErrorBytes}),
              whole, index, length(part.index), out, error)
    end
end

derive(shaped::Shaped, whole::Ptr{Cvoid}) = made() do out, error
    ccall(_ap_reshape[], Int32,
          (Ptr{Cvoid}, Int32, Ptr{Int64}, Ptr{Ptr{Cvoid}}, Ptr{ErrorBytes}),
          whole, length(shaped.shape), shaped.shape, out, error)
end

derived(handle::Handle, origin) = Handle(used(at -> derive(origin, at), handle), origin)

"What a function writes that gives as many numbers as axes."
function axesof(call)
    numbers = Vector{Int64}(undef, 64)
    n = GC.@preserve numbers call(pointer(numbers), Int32(64))
    return resize!(numbers, n)
end

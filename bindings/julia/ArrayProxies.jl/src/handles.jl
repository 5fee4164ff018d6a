# Handles, which are freed when nothing needs them any more.

mutable struct Handle
    address::Ptr{Cvoid}
    function Handle(address::Ptr{Cvoid})
        handle = new(address)
        finalizer(release, handle)
        return handle
    end
end

function release(handle::Handle)
    address, handle.address = handle.address, C_NULL
    address == C_NULL || ccall(_ap_free[], Cvoid, (Ptr{Cvoid},), address)
    return nothing
end

"A handle that `call(out, error)` makes."
function made(call)
    out = Ref{Ptr{Cvoid}}(C_NULL)
    checked(error -> call(out, error))
    return Handle(out[])
end

function opened(path::AbstractString, options)
    settings = ccall(_ap_options_new[], Ptr{Cvoid}, ())
    try
        for (name, value) in options
            text = "$name=$(value isa Bool ? Int(value) : value)"
            checked() do error
                # The one that may hold a comma.
                name === :index_path && return ccall(
                    _ap_options_set_text[], Int32,
                    (Ptr{Cvoid}, Int32, Cstring, Ptr{ErrorBytes}),
                    settings, OPT_INDEX_PATH, value, error)
                ccall(_ap_options_parse[], Int32, (Ptr{Cvoid}, Cstring, Ptr{ErrorBytes}),
                      settings, text, error)
            end
        end
        return made() do out, error
            ccall(_ap_open[], Int32, (Cstring, Ptr{Cvoid}, Ptr{Ptr{Cvoid}}, Ptr{ErrorBytes}),
                  path, settings, out, error)
        end
    finally
        ccall(_ap_options_free[], Cvoid, (Ptr{Cvoid},), settings)
    end
end

"What a function writes that gives as many numbers as axes."
function axesof(call)
    numbers = Vector{Int64}(undef, 64)
    n = GC.@preserve numbers call(pointer(numbers), Int32(64))
    return resize!(numbers, n)
end

# Seek indices, by which parts of compressed files are found. And what is kept between reads.

"""
    buildindex(A; progress = nothing)

Build the seek index of compressed data to the end; elsewhere it does nothing. `progress` as
for `readinto!`, in compressed bytes.
"""
function buildindex(A::ArrayProxy; progress = nothing)
    withcontrol(progress) do control
        attempt(A) do at, error
            ccall(_ap_seekindex_build[], Int32, (Ptr{Cvoid}, Ptr{Cvoid}, Ptr{ErrorBytes}),
                  at, control, error)
        end
    end
    return A
end

indexfile(f, A, path) = attempt(A) do at, error
    ccall(f, Int32, (Ptr{Cvoid}, Cstring, Ptr{ErrorBytes}), at, path, error)
end

"Save what there is of the seek index of a gzip file, as indexed_gzip reads it too."
saveindex(A::ArrayProxy, path::AbstractString) = (indexfile(_ap_seekindex_save[], A, path); path)

"Load a seek index that was saved. The option `index_path` does it when opening."
loadindex(A::ArrayProxy, path::AbstractString) = (indexfile(_ap_seekindex_load[], A, path); A)

"Give back what can be made again: cached data and the open file."
trim(A::ArrayProxy) = used(at -> ccall(_ap_trim[], Cvoid, (Ptr{Cvoid},), at), A)

# What Base would do element by element is done to arrays in memory.

"Base's views of proxies."
const Views{T,N} = Union{
    SubArray{T,N,<:ArrayProxy},
    Base.ReshapedArray{T,N,<:ArrayProxy},
    PermutedDimsArray{T,N,<:Any,<:Any,<:ArrayProxy},
}

"Arrays whose elements are in a file."
const InFile{T,N} = Union{ArrayProxy{T,N},Views{T,N}}

"The elements, in memory."
loaded(A::ArrayProxy) = Array(A)
function loaded(A::SubArray{T,N,<:ArrayProxy}) where {T,N}
    part = parent(A)[parentindices(A)...]
    return convert(Array{T,N}, N == 0 ? fill(part) : part)
end
loaded(A::Base.ReshapedArray{T,N,<:ArrayProxy}) where {T,N} = reshape(Array(parent(A)), size(A))
loaded(A::PermutedDimsArray{T,N,P,Q,<:ArrayProxy}) where {T,N,P,Q} =
    permutedims(Array(parent(A)), P)

Base.Broadcast.broadcastable(A::InFile) = loaded(A)
Base._mapreduce(f, op, ::IndexCartesian, A::Views) = mapreduce(f, op, loaded(A))
Base.mapreducedim!(f, op, R::AbstractArray, A::Views) = Base.mapreducedim!(f, op, R, loaded(A))
Base.pairs(A::InFile) = pairs(loaded(A))
Base.pairs(A::InFile{<:Any,1}) = pairs(loaded(A))
Base.Iterators.reverse(A::InFile) = Iterators.reverse(loaded(A))
Base.iterate(A::Views, (all, i) = (loaded(A), 1)) =
    i > length(all) ? nothing : (@inbounds(all[i]), (all, i + 1))
Base.hash(A::InFile, h::UInt) = hash(loaded(A), h)
Base.reinterpret(::Type{T}, A::InFile) where {T} = reinterpret(T, loaded(A))

Base.:(==)(A::InFile, B::AbstractArray) = loaded(A) == B
Base.:(==)(A::AbstractArray, B::InFile) = A == loaded(B)
Base.:(==)(A::InFile, B::InFile) = loaded(A) == loaded(B)

# The array comes first, or after a function; Base has methods of its own for one and two axes.
for A in (InFile, InFile{<:Any,1}, InFile{<:Any,2})
    for f in (:permutedims, :reverse, :sort, :cumsum, :cumprod, :diff, :extrema, :findmax,
              :findmin)
        @eval Base.$f(A::$A; options...) = $f(loaded(A); options...)
    end
    for f in (:permutedims, :reverse)
        @eval Base.$f(A::$A, more; options...) = $f(loaded(A), more; options...)
    end
end
for f in (:rotl90, :rotr90, :rot180)
    @eval Base.$f(A::InFile{<:Any,2}) = $f(loaded(A))
end
# Matrices are turned, so that products are those of plain ones.
for f in (:adjoint, :transpose)
    @eval Base.$f(A::InFile{<:Any,1}) = $f(loaded(A))
    @eval Base.$f(A::InFile{<:Any,2}) = copy($f(loaded(A)))
end
for S in (Any, Real, Tuple{Vararg{Integer}})
    @eval Base.circshift(A::InFile, by::$S) = circshift(loaded(A), by)
end
Base.reverse(A::InFile{<:Any,1}, start, stop) = reverse(loaded(A), start, stop)
for f in (:accumulate, :mapslices, :map, :extrema)
    @eval Base.$f(g, A::InFile; options...) = $f(g, loaded(A); options...)
end
for f in (:findnext, :findprev)
    @eval Base.$f(g::Function, A::InFile, start) = $f(g, loaded(A), start)
end
Base.map!(f::F, out::AbstractArray, A::InFile) where {F} = map!(f, out, loaded(A))
Base.map!(f::F, out::AbstractArray, A::InFile, B::AbstractArray) where {F} =
    map!(f, out, loaded(A), B)
Base.map!(f::F, out::AbstractArray, A::AbstractArray, B::InFile) where {F} =
    map!(f, out, A, loaded(B))
Base.map!(f::F, out::AbstractArray, A::InFile, B::InFile) where {F} =
    map!(f, out, loaded(A), loaded(B))

const Lines{T} = Union{InFile{T,1},InFile{T,2}}
Base.:*(A::InFile{<:Any,2}, B::StridedVecOrMat) = loaded(A) * B
Base.:*(A::StridedVecOrMat, B::InFile{<:Any,2}) = A * loaded(B)
Base.:*(A::InFile{<:Any,2}, B::Lines) = loaded(A) * loaded(B)

# Copies of parts read just these.

fill_from!(out::AbstractArray, A::Views) = copyto!(out, loaded(A))
Base.copyto!(out::AbstractArray, A::InFile) = fill_from!(out, A)
Base.copyto!(out::PermutedDimsArray, A::InFile) = fill_from!(out, A)
Base.copyto!(out::PermutedDimsArray{T,N}, A::InFile{T,N}) where {T,N} = fill_from!(out, A)

Base.copyto!(out::AbstractArray, at::Integer, A::InFile) = copyto!(out, at, loaded(A))
Base.copyto!(out::AbstractArray, at::Integer, A::InFile, start::Integer) =
    copyto!(out, at, A, start, length(A) - start + 1)
function Base.copyto!(out::AbstractArray, at::Integer, A::InFile, start::Integer, n::Integer)
    n > 0 || return copyto!(out, at, Array{eltype(A)}(undef, 0), 1, n)
    checkbounds(out, at:at+n-1)
    return copyto!(out, at, A[start:start+n-1], 1, n)
end
const Ranges{N} = NTuple{N,AbstractUnitRange{Int}}
function Base.copyto!(out::AbstractArray{S,N}, places::CartesianIndices{N,<:Ranges{N}},
                      A::InFile{T,N}, from::CartesianIndices{N,<:Ranges{N}}) where {S,T,N}
    part = A[from.indices...]
    return copyto!(out, places, part, CartesianIndices(part))
end
Base.copyto!(out::AbstractVecOrMat, i::AbstractRange{Int}, j::AbstractRange{Int}, A::Lines,
             k::AbstractRange{Int}, l::AbstractRange{Int}) =
    copyto!(out, i, j, A[k, l], 1:length(k), 1:length(l))

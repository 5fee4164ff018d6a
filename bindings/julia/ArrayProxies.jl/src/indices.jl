# Julia's indices as the library has them: four numbers an entry, counted from 0.

const RANGE, AT = 0, 1
const NONE = typemin(Int64)

"Whole numbers that count; `Bool` does not."
const Whole = Union{Signed,Unsigned}

"Indices that the library takes itself."
const Simple = Union{Whole,Colon,AbstractRange{<:Whole}}

@inline entry(i::Integer, n) = (Int64(AT), Int64(i) - 1, Int64(0), Int64(1))
@inline entry(::Colon, n) = (Int64(RANGE), Int64(0), Int64(n), Int64(1))

function entry(r::AbstractRange{<:Integer}, n)
    isempty(r) && return (Int64(RANGE), Int64(0), Int64(0), Int64(1))
    # The element behind the last, which has no number before the first.
    stop = Int64(last(r)) - 1 + (step(r) < 0 ? -1 : 1)
    return (Int64(RANGE), Int64(first(r)) - 1, stop < 0 ? NONE : stop, Int64(step(r)))
end

@inline entries(I::Tuple, size::Tuple) = map(entry, I, size)

@inline lengths(::Tuple{}, ::Tuple{}) = ()
@inline lengths(I::Tuple, size::Tuple) =
    (lengths1(I[1], size[1])..., lengths(Base.tail(I), Base.tail(size))...)
@inline lengths1(::Integer, n) = ()
@inline lengths1(::Colon, n) = (n,)
@inline lengths1(r::AbstractVector, n) = (length(r),)

"How many axes an index takes; of what is no index, more than there can be."
naxes(::Any) = Val(1000)
naxes(::Union{Integer,AbstractArray{<:Integer}}) = Val(1)
naxes(::AbstractArray{CartesianIndex{K}}) where {K} = Val(K)

@inline total() = Val(0)
@inline total(index, more...) = plus(naxes(index), total(more...))
@inline plus(::Val{M}, ::Val{N}) where {M,N} = Val(M + N)

"""
The indices of `N` axes that are meant, and those of axes behind the last, which are of length 1;
`nothing` if there are other than indices, or one of several axes stands across the last.
`J` was checked.
"""
@inline fitted(A, J::Tuple) = fitted(A, J, total(J...))
@inline fitted(A::AbstractArray{<:Any,N}, J, ::Val{N}) where {N} = J, ()
@inline function fitted(A::AbstractArray{<:Any,N}, J, ::Val{M}) where {N,M}
    # One index counts through all elements.
    J isa Tuple{Int} && return Tuple(CartesianIndices(A)[J[1]]), ()
    M < N && return (J..., ntuple(_ -> 1, Val(N - M))...), ()
    M == length(J) || return nothing
    return ntuple(k -> J[k], Val(N)), ntuple(k -> J[N+k], Val(M - N))
end

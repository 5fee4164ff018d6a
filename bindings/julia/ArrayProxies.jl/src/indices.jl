# Julia's indices as the library has them: four numbers an entry, counted from 0.

const RANGE, AT = 0, 1
const NONE = typemin(Int64)

"Indices that the library takes itself."
const Simple = Union{Integer,Colon,AbstractRange{<:Integer}}

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

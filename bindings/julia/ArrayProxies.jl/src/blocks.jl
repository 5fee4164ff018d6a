# Whole arrays, a block at a time.

"Bytes that are read at a time."
const BLOCK = 8 << 20

"Parts of an array, which together are all of it."
struct Blocks{N} <: AbstractVector{NTuple{N,UnitRange{Int}}}
    size::NTuple{N,Int}
    step::NTuple{N,Int}
end

grid(blocks::Blocks) = CartesianIndices(map(cld, blocks.size, blocks.step))
Base.size(blocks::Blocks) = (length(grid(blocks)),)
function Base.getindex(blocks::Blocks{N}, i::Int) where {N}
    place = grid(blocks)[i]
    return ntuple(Val(N)) do k
        ((place[k] - 1) * blocks.step[k] + 1):min(place[k] * blocks.step[k], blocks.size[k])
    end
end

"Parts that hold the elements one after the other, in Julia's order."
function inorder(A::ArrayProxy{T,N}) where {T,N}
    room = max(1, BLOCK ÷ sizeof(T))
    # Each of these takes a walk through the file.
    A.rowmajor && (room = max(room, cld(length(A), 4)))
    return Blocks(A.size, cut(A.size, room))
end

@inline cut(::Tuple{}, room) = ()
@inline cut(size::Tuple, room) =
    (clamp(room, 1, max(1, size[1])), cut(Base.tail(size), room ÷ max(1, size[1]))...)

"Parts in the order that suits the file."
anyorder(A::ArrayProxy) =
    A.rowmajor ? Blocks(A.size, chunkshape(A, BLOCK)) : inorder(A)

"Operations whose result does not depend on the order."
const Commutative =
    Union{typeof(+),typeof(Base.add_sum),typeof(max),typeof(min),typeof(|),typeof(&)}

blocksfor(op, A) = inorder(A)
blocksfor(op::Commutative, A) = anyorder(A)

# Elements are added in pairs within a block, and so are the blocks.
function Base._mapreduce(f, op, ::IndexCartesian, A::ArrayProxy)
    isempty(A) && return mapfoldl(f, op, A)
    blocks = blocksfor(op, A)
    results = [Base._mapreduce(f, op, IndexLinear(), slice(A, block)) for block in blocks]
    length(results) == 1 && return results[1]
    return Base._mapreduce(identity, op, IndexLinear(), results)
end

function Base.mapreducedim!(f, op, R::AbstractArray, A::ArrayProxy)
    # Base says what is wrong.
    fits = ndims(R) <= ndims(A) && !Base.has_offset_axes(R) &&
           all(k -> size(R, k) in (1, size(A, k)), 1:ndims(A))
    fits || return Base.mapreducedim!(f, op, R, Array(A))
    for block in blocksfor(op, A)
        part = ntuple(k -> size(R, k) == 1 ? (1:1) : block[k], Val(ndims(R)))
        Base.mapreducedim!(f, op, view(R, part...), slice(A, block))
    end
    return R
end

"The state: elements that were read, the next of them, the next block."
@inline function Base.iterate(A::ArrayProxy{T}, (ahead, i, next) = (T[], 1, 1)) where {T}
    if i > length(ahead)
        ahead, i, next = further(A, next), 1, next + 1
        isempty(ahead) && return nothing
    end
    return @inbounds(ahead[i]), (ahead, i + 1, next)
end

@noinline function further(A::ArrayProxy{T}, next::Int) where {T}
    blocks = inorder(A)
    return next > length(blocks) ? T[] : vec(slice(A, blocks[next]))
end

# Elements of another type are converted by Julia, so that they are what `A[i]` would give.
function fill_from!(out::AbstractArray, A::ArrayProxy{T}) where {T}
    axes(out) == axes(A) || return copyto!(out, Array(A))
    out isa StridedArray{T} && return readinto!(out, A)
    for block in anyorder(A)
        copyto!(view(out, block...), slice(A, block))
    end
    return out
end

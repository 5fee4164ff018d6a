# Lists of indices and masks: the library reads what those of single axes name. Of places over
# several axes the smallest box is read that holds them, and Base takes them from it.

listed(mask::Base.LogicalIndex) = collect(mask)
listed(index) = index

const MaskOfAxes = Base.LogicalIndex{<:CartesianIndex}

# Base of Julia 1.5 cannot check masks of several axes beside other indices.
@inline function checkall(A, J::Tuple)
    masksfit(J, axes(A)) || throw(BoundsError(A, J))
    checkbounds(A, map(j -> j isa MaskOfAxes && length(J) > 1 ? collect(j) : j, J)...)
end

masksfit(::Tuple{}, axes) = true
@inline function masksfit(J::Tuple, axes)
    mine, others = Base.IteratorsMD.split(axes, naxes(J[1]))
    return !(J[1] isa MaskOfAxes && mine != Base.axes(J[1].mask)) && masksfit(Base.tail(J), others)
end

"What lists, and other indices, select together of all axes."
function lists(A::ArrayProxy{T,N}, J::Tuple) where {T,N}
    out = Array{T}(undef, map(length, Base.index_shape(J...)))
    isempty(out) && return out
    J isa NTuple{N,OfAxis} && return readlists!(out, A, map(places, J))
    box = spans(J)
    return slice(A, box)[shifted(J, map(first, box))...]
end

"Indices of one axis."
const OfAxis = Union{Integer,AbstractArray{<:Integer}}

"As the library counts them; nothing for a whole axis."
places(::Base.Slice) = Int64[]
places(i::Integer) = Int64[i-1]
places(list::AbstractArray) = Int64[i - 1 for i in list]

function readlists!(out::Array, A::ArrayProxy{T,N}, lists) where {T,N}
    pointers = Ptr{Int64}[isempty(list) ? C_NULL : pointer(list) for list in lists]
    counts = Int64[length(list) for list in lists]
    make = (at, plan, error) -> GC.@preserve lists ccall(
        _ap_plan_lists[], Int32,
        (Ptr{Cvoid}, Int32, Ptr{Ptr{Int64}}, Ptr{Int64}, Int32, UInt32, Ptr{Ptr{Cvoid}},
         Ptr{ErrorBytes}),
        at, N, pointers, counts, A.code, A.flags, plan, error)
    withplan(A, make) do plan
        attempt() do error
            ccall(_ap_plan_read[], Int32,
                  (Ptr{Cvoid}, Ptr{Cvoid}, Csize_t, Csize_t, Ptr{Int64}, Ptr{Cvoid},
                   Ptr{ErrorBytes}),
                  plan, out, sizeof(out), 0, C_NULL, C_NULL, error)
        end
    end
    return out
end

@inline spans(::Tuple{}) = ()
@inline spans(J::Tuple) = (span(J[1])..., spans(Base.tail(J))...)
@inline span(i::Integer) = (Int(i):Int(i),)
@inline span(list::AbstractArray{<:Integer}) = (UnitRange{Int}(extrema(list)...),)
@inline span(list::AbstractArray{CartesianIndex{K}}) where {K} =
    ntuple(k -> UnitRange{Int}(extrema(place[k] for place in list)...), Val(K))

@inline shifted(::Tuple{}, ::Tuple{}) = ()
@inline function shifted(J::Tuple, starts::Tuple)
    mine, others = Base.IteratorsMD.split(starts, naxes(J[1]))
    return (shift(J[1], mine .- 1), shifted(Base.tail(J), others)...)
end
@inline shift(i::Union{Integer,AbstractArray{<:Integer}}, by) = i .- by[1]
@inline shift(list::AbstractArray{<:CartesianIndex}, by) =
    map(place -> place - CartesianIndex(by), list)

"What a list selects that counts through all elements."
function row(A::ArrayProxy{T,N}, list::AbstractArray{<:Integer}) where {T,N}
    isempty(list) && return Array{T}(undef, size(list))
    whole = A.rowmajor ? A : vec(A)
    whole isa ArrayProxy{T,1} && return selected(whole, (list,))
    box, before = around(A.size, extrema(list)...)
    return slice(A, box)[list .- before]
end

"""
The smallest box of whole leading axes that holds elements `low` to `high`, and how many are
before it.
"""
function around(size::NTuple{N,Int}, low, high) where {N}
    places = CartesianIndices(size)
    a, b = Tuple(places[low]), Tuple(places[high])
    differs = something(findlast(a .!= b), 0)
    box = ntuple(k -> k < differs ? (1:size[k]) : (a[k]:b[k]), Val(N))
    return box, LinearIndices(size)[map(first, box)...] - 1
end

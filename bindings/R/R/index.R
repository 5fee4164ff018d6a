# Reading by indices. Those that are evenly spaced on every axis are the glue's
# alone; the rest come here as positions, with what repeats or goes astray.

`[.arrayproxy` <- function(x, ..., drop = TRUE) {
    .Call(C_subset, x, environment(), drop, NULL)
}

# AP_READ_ROUND and AP_READ_CHECKED.
read_flags <- c(round = 4L, checked = 8L)

# `how` to read: what the glue takes beside the indices.
how_to <- function(dtype, round, checked) {
    if (!is_text(dtype))
        refuse("dtype must be a text")
    list(dtype, sum(read_flags[c(isTRUE(round), isTRUE(checked))]))
}

read_array <- function(x, ..., dtype = "auto", round = FALSE, checked = FALSE, drop = TRUE) {
    .Call(C_subset, x, environment(), drop, how_to(dtype, round, checked))
}

as.array.arrayproxy <- function(x, ..., dtype = "auto", round = FALSE, checked = FALSE) {
    if (...length() > 0)
        refuse("as.array() of a proxy takes dtype, round and checked: see read_array()")
    read_array(x, dtype = dtype, round = round, checked = checked, drop = FALSE)
}

`[[.arrayproxy` <- function(x, ..., exact = TRUE) .Call(C_one_element, x, environment())

`$.arrayproxy` <- function(x, name) {
    refuse("an arrayproxy has no parts by name: see field()")
}

# Called by the glue if an axis has positions that are not evenly spaced.
# `even`: for each axis start, count and step; `positions`: NULL, or from 1 on.
# What is not known is not read, and is NA in the result.
pick <- function(x, even, positions, drop, how) {
    unknown <- vapply(positions, anyNA, NA)
    known <- lapply(positions, function(v) if (anyNA(v)) v[!is.na(v)] else v)
    out <- .Call(C_read_lists, x, even, known, drop && !any(unknown), how)
    if (!any(unknown)) return(out)
    places <- lapply(seq_along(positions), function(a) {
        gone <- is.na(positions[[a]])
        if (unknown[a]) replace(cumsum(!gone), gone, NA) else quote(expr = )
    })
    # The parts of a colour are an axis before those of the file.
    if (length(dim(out)) > length(places))
        places <- c(list(quote(expr = )), places)
    do.call(`[`, c(list(out), places, list(drop = drop)))
}

# Called by the glue for x[i]: a matrix with a row for each voxel, or positions
# in the whole array as one vector.
one_index <- function(x, i, how) {
    n <- dim(x)
    if (is.numeric(i) && is.matrix(i) && ncol(i) == length(n))
        return(voxels(x, i, how))
    flat <- as_vector_proxy(x)
    if (!is.null(flat)) {
        out <- read_flat(flat, i, how = how)
        # A colour keeps the axis of its parts; else a plain vector, as in R.
        return(if (length(dim(out)) > 1) out else as.vector(out))
    }
    at <- seq_len(length(x))[i]
    if (anyNA(at) && !anyNA(i))
        raise("AP_ERR_INDEX", "subscript out of bounds")
    voxels(x, arrayInd(at, n), how)
}

read_flat <- function(x, ..., how) .Call(C_subset, x, environment(), TRUE, how)

# NULL if the stored order is not R's, or parts lie apart.
as_vector_proxy <- function(x) {
    tryCatch({
        dim(x) <- length(x)
        x
    }, AP_ERR_UNSUPPORTED = function(e) NULL)
}

voxels <- function(x, points, how) {
    storage.mode(points) <- "double"
    points <- trunc(points)
    points <- points[rowSums(points == 0, na.rm = TRUE) == 0, , drop = FALSE]
    known <- which(!is.na(rowSums(points)))
    out <- .Call(C_read_points, x, points[known, , drop = FALSE], how)
    if (length(known) == nrow(points)) out else out[match(seq_len(nrow(points)), known)]
}

# Reading by indices. Those that are evenly spaced on every axis are the glue's
# alone; the rest come here as positions, with what repeats or goes astray.

`[.arrayproxy` <- function(x, ..., drop = TRUE) {
    .Call(C_subset, x, environment(), drop, NULL)
}

read_array <- function(x, ..., dtype = "auto", drop = TRUE) {
    if (!is.character(dtype) || length(dtype) != 1 || is.na(dtype))
        stop("dtype must be a text")
    .Call(C_subset, x, environment(), drop, dtype)
}

`[[.arrayproxy` <- function(x, ...) {
    out <- x[...]
    if (length(out) != 1)
        stop("[[ takes one element, here are ", format(length(out)))
    as.vector(out)
}

`$.arrayproxy` <- function(x, name) {
    stop("an arrayproxy has no parts by name: see field()")
}

read_only <- function(x, ..., value) {
    stop("an arrayproxy is read only: assign to what as.array() gives")
}

`[<-.arrayproxy` <- read_only
`[[<-.arrayproxy` <- read_only
`$<-.arrayproxy` <- read_only

# Called by the glue if an axis has positions that are not evenly spaced.
# `even`: for each axis start, count and step; `positions`: NULL, or from 1 on.
#
# Reads what spans the positions, unless that is much more than what is wanted:
# then run by run. Picks from the result.
pick <- function(x, even, positions, drop, dtype) {
    sorted <- lapply(positions, function(v) sort(unique(v)))
    uneven <- !vapply(positions, is.null, NA)
    count <- span <- even[2, ]
    count[uneven] <- lengths(sorted)[uneven]
    span[uneven] <- vapply(sorted[uneven], reach, 0)
    by_run <- prod(span) > max(4 * prod(count), 65536)
    runs <- lapply(seq_along(positions), function(a) {
        if (!uneven[a]) even[, a, drop = FALSE]
        else if (by_run) runs_of(sorted[[a]])
        else matrix(c(if (span[a] > 0) sorted[[a]][1] - 1 else 0, span[a], 1), 3)
    })
    out <- .Call(C_read_runs, x, runs, dtype)
    places <- lapply(seq_along(positions), function(a) {
        if (!uneven[a]) quote(expr = )
        else if (by_run) match(positions[[a]], sorted[[a]])
        else positions[[a]] - runs[[a]][1]
    })
    # The parts of a colour are an axis before those of the file.
    if (length(dim(out)) > length(places))
        places <- c(list(quote(expr = )), places)
    do.call(`[`, c(list(out), places, list(drop = drop)))
}

reach <- function(sorted) {
    if (length(sorted)) sorted[length(sorted)] - sorted[1] + 1 else 0
}

# Stretches of neighbours: start from 0, count and step of each in a column.
runs_of <- function(sorted) {
    first <- which(c(TRUE, diff(sorted) != 1))
    rbind(sorted[first] - 1, diff(c(first, length(sorted) + 1)), 1)
}

# Called by the glue for x[i]: a matrix with a row for each voxel, or positions
# in the whole array as one vector.
one_index <- function(x, i, dtype) {
    n <- dim(x)
    if (is.numeric(i) && is.matrix(i) && ncol(i) == length(n))
        return(voxels(x, i, dtype))
    flat <- as_vector_proxy(x)
    if (!is.null(flat)) {
        out <- read_array(flat, i, dtype = if (is.null(dtype)) "auto" else dtype)
        # A colour keeps the axis of its parts; else a plain vector, as in R.
        return(if (length(dim(out)) > 1) out else as.vector(out))
    }
    at <- seq_len(length(x))[i]
    if (anyNA(at) && !anyNA(i))
        stop("subscript out of bounds")
    voxels(x, arrayInd(at, n), dtype)
}

# NULL if the stored order is not R's, or parts lie apart.
as_vector_proxy <- function(x) {
    tryCatch({
        dim(x) <- length(x)
        x
    }, AP_ERR_UNSUPPORTED = function(e) NULL)
}

voxels <- function(x, points, dtype) {
    points <- points[rowSums(points == 0, na.rm = TRUE) == 0, , drop = FALSE]
    known <- which(!is.na(rowSums(points)))
    inside <- points[known, , drop = FALSE]
    storage.mode(inside) <- "double"
    out <- .Call(C_read_points, x, inside, dtype)
    if (length(known) == nrow(points)) out else out[match(seq_len(nrow(points)), known)]
}

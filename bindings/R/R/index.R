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
# What is not known is not read, and is NA in the result.
pick <- function(x, even, positions, drop, dtype) {
    unknown <- vapply(positions, anyNA, NA)
    known <- lapply(positions, function(v) as.double(v[!is.na(v)]))
    known[vapply(positions, is.null, NA)] <- list(NULL)
    out <- .Call(C_read_lists, x, even, known, drop && !any(unknown), dtype)
    if (!any(unknown)) return(out)
    places <- lapply(seq_along(positions), function(a) {
        if (unknown[a]) ifelse(is.na(positions[[a]]), NA, cumsum(!is.na(positions[[a]])))
        else quote(expr = )
    })
    # The parts of a colour are an axis before those of the file.
    if (length(dim(out)) > length(places))
        places <- c(list(quote(expr = )), places)
    do.call(`[`, c(list(out), places, list(drop = drop)))
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

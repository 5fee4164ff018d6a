# Affine, voxel sizes, header fields, types, and how they are shown.

# As the library numbers them.
affines <- c(best = 0L, sform = 1L, qform = 2L, base = 3L)

affine <- function(x, which = c("best", "sform", "qform", "base"), base = 0) {
    if (!is.numeric(base) || length(base) != 1 || !base %in% 0:1)
        stop("base must be 0 or 1")
    out <- .Call(C_affine_of, x, affines[[match.arg(which)]])
    # Voxel 1 of R is voxel 0 of the file.
    out[1:3, 4] <- out[1:3, 4] - base * rowSums(out[1:3, 1:3])
    out
}

pixdim <- function(x) .Call(C_zooms_of, x)

fields <- function(x) .Call(C_field_names, x)

field <- function(x, name) {
    if (!is.character(name) || length(name) != 1 || is.na(name))
        stop("name must be a text")
    .Call(C_field_value, x, name)
}

dtype <- function(x, which = c("disk", "auto")) .Call(C_info, x)[[match.arg(which)]]

scaling <- function(x) .Call(C_factors_of, x)

warnings_of <- function(x) .Call(C_notes_of, x)

size_text <- function(n) {
    if (is.null(n)) "one element"
    else paste(format(n, scientific = FALSE, trim = TRUE), collapse = " x ")
}

format.arrayproxy <- function(x, ...) {
    path <- basename(path_of(x))
    name <- if (length(path) == 1) path else paste(path[1], "and", length(path) - 1, "more")
    if (!.Call(C_is_open, x))
        return(paste0("<arrayproxy> ", name, ", closed"))
    about <- .Call(C_info, x)
    sprintf("<arrayproxy> %s: %s, %s%s, %s", name, size_text(dim(x)), about$disk,
            if (about$scaled) paste0(" scaled to ", about$auto) else "",
            if (about$codec == "none") about$format
            else paste0(about$format, " (", about$codec, ")"))
}

print.arrayproxy <- function(x, ...) {
    cat(format(x), "\n", sep = "")
    invisible(x)
}

str.arrayproxy <- function(object, ...) cat(" ", format(object), "\n", sep = "")

# NULL where a format or a part has none.
or_null <- function(value) tryCatch(value, arrayproxy_error = function(e) NULL)

summary.arrayproxy <- function(object, ...) {
    about <- .Call(C_info, object)
    out <- list(path = path_of(object), dim = dim(object), dtype = about$disk,
                read_as = about$auto, format = about$format, codec = about$codec,
                scaling = scaling(object), pixdim = or_null(pixdim(object)),
                orientation = or_null(field(object, "orientation")),
                affine = or_null(affine(object)), warnings = warnings_of(object))
    structure(out, class = "summary.arrayproxy")
}

print.summary.arrayproxy <- function(x, ...) {
    line <- function(name, ...) cat(format(name, width = 13), ..., "\n", sep = "")
    line("file", paste(x$path, collapse = ", "))
    line("dim", size_text(x$dim))
    line("type", x$dtype, if (x$read_as != x$dtype) paste0(", read as ", x$read_as))
    line("format", x$format, if (x$codec != "none") paste0(" (", x$codec, ")"))
    factors <- vapply(x$scaling, function(f) paste(format(range(f)), collapse = " to "), "")
    if (length(x$scaling$slope) == 1)
        factors <- vapply(x$scaling, format, "")
    line("scaling", "slope ", factors[["slope"]], ", intercept ", factors[["inter"]])
    if (!is.null(x$pixdim)) line("pixdim", paste(format(x$pixdim, trim = TRUE), collapse = " x "))
    if (!is.null(x$orientation)) line("orientation", x$orientation)
    if (!is.null(x$affine)) {
        cat("affine, of indices from 0\n")
        print(x$affine)
    }
    for (note in x$warnings) line("warning", note)
    invisible(x)
}

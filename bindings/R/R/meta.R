# Affine, voxel sizes, header fields, types, and how they are shown.

# As the library numbers them.
affines <- c(best = 0L, sform = 1L, qform = 2L, base = 3L)

# Generics, as other packages have functions of these names.
affine <- function(x, ...) UseMethod("affine")
pixdim <- function(x, ...) UseMethod("pixdim")
fields <- function(x, ...) UseMethod("fields")
field <- function(x, ...) UseMethod("field")
dtype <- function(x, ...) UseMethod("dtype")
scaling <- function(x, ...) UseMethod("scaling")

affine.arrayproxy <- function(x, which = c("best", "sform", "qform", "base"), base = 0, ...) {
    if (!is.numeric(base) || length(base) != 1 || !base %in% 0:1)
        refuse("base must be 0 or 1")
    out <- .Call(C_affine_of, x, affines[[match.arg(which)]])
    # Voxel 1 of R is voxel 0 of the file.
    out[1:3, 4] <- out[1:3, 4] - base * rowSums(out[1:3, 1:3])
    out
}

affine_code <- function(x, which = c("best", "sform", "qform", "base")) {
    .Call(C_affine_code_of, x, affines[[match.arg(which)]])
}

# For the generic of RNifti, whose arguments these are.
xform.arrayproxy <- function(image, useQuaternionFirst = TRUE) {
    has_code <- function(which) or_null(affine_code(image, which) > 0)
    order <- c("sform", "qform")
    if (useQuaternionFirst) order <- rev(order)
    affine(image, c(Filter(function(which) isTRUE(has_code(which)), order), "best")[1])
}

pixdim.arrayproxy <- function(x, ...) .Call(C_zooms_of, x)

fields.arrayproxy <- function(x, ...) .Call(C_field_names, x)

is_text <- function(value) is.character(value) && length(value) == 1 && !is.na(value)

field.arrayproxy <- function(x, name, as = c("value", "text"), ...) {
    if (!is_text(name))
        refuse("name must be a text")
    .Call(C_field_value, x, name, match.arg(as) == "text")
}

dtype.arrayproxy <- function(x, which = c("disk", "auto"), ...) {
    .Call(C_info, x)[[match.arg(which)]]
}

scaling.arrayproxy <- function(x, ...) .Call(C_factors_of, x)

warnings_of <- function(x) .Call(C_notes_of, x)

header_bytes <- function(x) .Call(C_header_of, x)

extensions <- function(x) .Call(C_extensions_of, x)

build_index <- function(x) invisible(.Call(C_seekindex_build, x))

save_index <- function(x, file) index_file(x, file, TRUE)

load_index <- function(x, file) index_file(x, file, FALSE)

index_file <- function(x, file, saves) {
    if (!is_text(file))
        refuse("file must be a text")
    invisible(.Call(C_seekindex_file, x, file, saves))
}

index_info <- function(x) .Call(C_seekindex_info, x)

size_text <- function(n) {
    if (is.null(n)) "one element"
    else paste(format(n, scientific = FALSE, trim = TRUE), collapse = " x ")
}

format.arrayproxy <- function(x, ...) {
    path <- basename(path_of(x))
    name <- if (length(path) == 1) path else paste(path[1], "and", length(path) - 1, "more")
    # One from another process may be without its file here.
    about <- or_null(.Call(C_info, x))
    if (is.null(about))
        return(paste0("<arrayproxy> ", name, if (is_closed(x)) ", closed" else ", not found"))
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

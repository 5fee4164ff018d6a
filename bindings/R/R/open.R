# Objects of class "arrayproxy": external pointers to what the library opened,
# see src/handle.c. All work on elements and headers is the library's.

# The system's EMFILE.
TOO_MANY_FILES <- 24L

open_image <- function(path, threads = 1, ...) {
    if (!is.raw(path) && (!is.character(path) || length(path) == 0 || anyNA(path)))
        refuse("path must be a text, several for a series, or a file's raw bytes")
    options <- list(threads = threads, ...)
    if (is.null(names(options)) || !all(nzchar(names(options))))
        refuse("options need their names")
    if (!all(lengths(options) == 1))
        refuse("each option takes one value")
    values <- vapply(options, option_text, "", USE.NAMES = FALSE)
    # The library takes options as "name=value,name=value".
    several <- grepl("[,=]", names(options)) |
        (grepl(",", values, fixed = TRUE) & names(options) != "index_path")
    if (any(several))
        raise("AP_ERR_OPTION", paste0("option ", names(options)[several][1], " takes one value"))
    if (is.character(path)) path <- absolute(path)
    open_origin(list(path, names(options), values, list()))
}

# Found again after setwd(), too.
absolute <- function(path) {
    path <- path.expand(path)
    inside <- nzchar(path) & !startsWith(path, "/")
    path[inside] <- file.path(getwd(), path[inside])
    path
}

# Also called by the glue, if a proxy comes from another process.
open_origin <- function(origin) {
    x <- tryCatch(.Call(C_open_file, origin), AP_ERR_IO = function(e) {
        # Proxies that were dropped hold files until they are collected.
        if (e$os_error != TOO_MANY_FILES) stop(e)
        gc()
        .Call(C_open_file, origin)
    })
    for (step in origin[[4]])
        x <- if (is.matrix(step)) .Call(C_slice_again, x, step)
             else .Call(C_reshape_handle, x, step)
    x
}

# Where a proxy comes from: of a closed one the name alone is left.
path_of <- function(x) {
    origin <- .Call(C_origin_of, x)
    if (is.list(origin)) origin <- origin[[1]]
    if (is.raw(origin)) "(in memory)" else origin
}

is_closed <- function(x) !is.list(.Call(C_origin_of, x))

option_text <- function(value) {
    if (is.logical(value))
        value <- as.integer(value)
    if (is.numeric(value)) format(value, scientific = FALSE, trim = TRUE, digits = 15)
    else enc2utf8(path.expand(as.character(value)))
}

close.arrayproxy <- function(con, ...) {
    .Call(C_close_handle, con, path_of(con))
    invisible(NULL)
}

slice <- function(x, ...) UseMethod("slice")

slice.arrayproxy <- function(x, ..., drop = TRUE) {
    .Call(C_slice_handle, x, environment(), drop)
}

`dim<-.arrayproxy` <- function(x, value) .Call(C_reshape_handle, x, value)

# Called by the glue: the library's error as a condition.
raise <- function(code, message, os_error = 0L) {
    stop(structure(class = c(code, "arrayproxy_error", "error", "condition"),
                   list(message = message, call = NULL, os_error = os_error)))
}

refuse <- function(...) raise("AP_ERR_ARGUMENT", paste0(...))

# Called by the glue when a read was stopped: the user's interrupt or the time
# limit's error goes on its way, as if nobody had caught it.
resignal <- function(condition) {
    if (inherits(condition, "interrupt")) {
        signalCondition(condition)
        invokeRestart("abort")
    }
    stop(condition)
}

# Objects of class "arrayproxy": a list of the external pointer and the paths.
# All work on elements and headers is the library's.

proxy <- function(handle, path) {
    structure(list(handle, path), class = "arrayproxy")
}

path_of <- function(x) .subset2(x, 2L)

# The system's EMFILE.
TOO_MANY_FILES <- 24L

open_image <- function(path, threads = 1, ...) {
    if (!is.character(path) || length(path) == 0 || anyNA(path))
        stop("path must be a text, or several for a series")
    options <- list(threads = threads, ...)
    if (is.null(names(options)) || !all(nzchar(names(options))))
        stop("options need their names")
    if (!all(lengths(options) == 1))
        stop("each option takes one value")
    values <- vapply(options, option_text, "")
    handle <- tryCatch(
        .Call(C_open_file, path, names(options), values),
        AP_ERR_IO = function(e) {
            # Proxies that were dropped hold files until they are collected.
            if (e$os_error != TOO_MANY_FILES) stop(e)
            gc()
            .Call(C_open_file, path, names(options), values)
        }
    )
    proxy(handle, path)
}

option_text <- function(value) {
    if (is.logical(value))
        value <- as.integer(value)
    if (is.numeric(value)) format(value, scientific = FALSE, trim = TRUE, digits = 15)
    else enc2utf8(path.expand(as.character(value)))
}

close.arrayproxy <- function(con, ...) {
    .Call(C_close_handle, con)
    invisible(NULL)
}

slice <- function(x, ..., drop = TRUE) {
    proxy(.Call(C_slice_handle, x, environment(), drop), path_of(x))
}

`dim<-.arrayproxy` <- function(x, value) {
    proxy(.Call(C_reshape_handle, x, value), path_of(x))
}

# Called by the glue: the library's error as a condition.
raise <- function(code, message, os_error) {
    stop(structure(class = c(code, "arrayproxy_error", "error", "condition"),
                   list(message = message, call = NULL, os_error = os_error)))
}

# Called by the glue when a read was stopped: the user's interrupt or the time
# limit's error goes on its way, as if nobody had caught it.
resignal <- function(condition) {
    if (inherits(condition, "interrupt")) {
        signalCondition(condition)
        invokeRestart("abort")
    }
    stop(condition)
}

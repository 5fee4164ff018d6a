# What makes a proxy behave as an array.

dim.arrayproxy <- function(x) .Call(C_shape, x)

length.arrayproxy <- function(x) .Call(C_size, x)

is.array.arrayproxy <- function(x) length(dim(x)) > 0

is.matrix.arrayproxy <- function(x) length(dim(x)) == 2

plain <- function(x) if (inherits(x, "arrayproxy")) as.array(x) else x

# Functions of R that take an array. Each gets a method that reads the proxy and
# calls it anew.
reading <- list(
    base = c("all.equal", "anyDuplicated", "anyNA", "aperm", "as.character",
             "as.complex", "as.data.frame", "as.double", "as.integer", "as.list",
             "as.logical", "as.matrix", "as.vector", "cut", "diff", "duplicated",
             "is.finite", "is.infinite", "is.na", "is.nan", "mean", "plot", "rep",
             "rev", "scale", "sort", "split", "t", "unique", "unlist", "xtfrm"),
    stats = c("median", "quantile"),
    graphics = c("boxplot", "contour", "hist", "image", "persp")
)

# Calls `generic` with the arguments that the method in `frame` was given.
call_anew <- function(generic, arguments, frame) {
    given <- vapply(arguments, function(name) {
        name == "..." || !eval(call("missing", as.name(name)), frame)
    }, NA)
    values <- lapply(arguments[given], as.name)
    names(values) <- ifelse(seq_along(values) == 1 | arguments[given] == "...", "",
                            arguments[given])
    eval(as.call(c(generic, values)), frame)
}

# A method with the arguments that the generic has.
reading_method <- function(name, package) {
    generic <- call("::", as.name(package), as.name(name))
    method <- args(eval(generic))
    arguments <- names(formals(method))
    first <- as.name(arguments[1])
    body(method) <- bquote({
        .(first) <- as.array(.(first))
        call_anew(quote(.(generic)), .(arguments), environment())
    })
    environment(method) <- topenv()
    method
}

for (package in names(reading))
    for (name in reading[[package]])
        assign(paste0(name, ".arrayproxy"), reading_method(name, package))

# What takes several arrays.
c.arrayproxy <- function(...) do.call(c, lapply(list(...), plain))

cbind.arrayproxy <- function(..., deparse.level = 1) {
    do.call(cbind, c(lapply(list(...), plain), deparse.level = deparse.level))
}

rbind.arrayproxy <- function(..., deparse.level = 1) {
    do.call(rbind, c(lapply(list(...), plain), deparse.level = deparse.level))
}

# Operators, and the functions of R's groups.
Ops.arrayproxy <- function(e1, e2) {
    if (missing(e2)) get(.Generic)(plain(e1)) else get(.Generic)(plain(e1), plain(e2))
}

Math.arrayproxy <- function(x, ...) get(.Generic)(as.array(x), ...)

Complex.arrayproxy <- function(z) get(.Generic)(as.array(z))

Summary.arrayproxy <- function(..., na.rm = FALSE) {
    do.call(.Generic, c(lapply(list(...), plain), na.rm = na.rm))
}

# What would change one.
read_only <- function(x, ..., value) {
    refuse("an arrayproxy is read only: assign to what as.array() gives")
}

for (name in c("[", "[[", "$", "dimnames", "length", "levels", "names"))
    assign(paste0(name, "<-.arrayproxy"), read_only)

rm(name, package)

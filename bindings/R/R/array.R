# What makes a proxy behave as an array.

dim.arrayproxy <- function(x) .Call(C_shape, x)

length.arrayproxy <- function(x) .Call(C_size, x)

as.array.arrayproxy <- function(x, ..., dtype = "auto") {
    read_array(x, dtype = dtype, drop = FALSE)
}

as.matrix.arrayproxy <- function(x, ...) as.matrix(as.array(x))

as.vector.arrayproxy <- function(x, mode = "any") as.vector(as.array(x), mode)

as.double.arrayproxy <- function(x, ...) as.double(as.array(x))

as.list.arrayproxy <- function(x, ...) as.list(as.vector(as.array(x)))

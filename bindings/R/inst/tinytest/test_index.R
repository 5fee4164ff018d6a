# Indices against those of R on the same array, in memory.
source("helpers.R")

same <- function(x, a, index, drop) {
    index <- lapply(index, function(i) if (is.null(i)) quote(expr = ) else i)
    arguments <- c(index, if (!drop) list(drop = FALSE))
    ours <- do.call(`[`, c(list(x), arguments))
    expect_identical(ours, do.call(`[`, c(list(a), arguments)),
                     info = paste(deparse(arguments), collapse = ""))
}

random_index <- function(n) {
    some <- sample.int(2 * n, 1) - 1
    switch(sample.int(13, 1),
        NULL, # left out
        sample.int(n, 1),
        seq(1, n, by = sample.int(3, 1)),
        rev(seq_len(n)),
        sample.int(n, some, replace = TRUE),
        as.numeric(sample.int(n)),
        -sample.int(n, sample.int(n, 1)),
        sample(c(TRUE, FALSE), n, replace = TRUE),
        c(TRUE, FALSE)[seq_len(min(n, 2))],
        c(0, sample.int(n, 1), 0),
        integer(0),
        c(sample.int(n, 1), NA, sample.int(n, 1)),
        sample.int(n, some, replace = TRUE) + 0.7
    )
}

set.seed(1)
for (n in list(c(5, 4, 3, 2), c(7, 6), 11, c(1, 4, 1), c(3, 1, 2, 2, 2))) {
    a <- array(sample.int(1000, prod(n)), n)
    x <- open_image(int32_file(a, n))
    expect_identical(dim(x), dim(a))
    expect_identical(length(x), length(a))
    expect_identical(x[], a)
    expect_identical(x[drop = FALSE], a)
    for (k in 1:150) same(x, a, lapply(n, random_index), k %% 2 == 0)

    # One vector for all axes.
    one <- sample.int(length(a), 20, replace = TRUE)
    if (length(n) > 1) {
        expect_identical(x[one], a[one])
        expect_identical(x[-one], a[-one])
        expect_identical(x[a > 500], a[a > 500])
        # A row for each voxel.
        points <- arrayInd(one, n)
        points[3, ] <- NA
        expect_identical(x[points], a[points])
        points[5, 1] <- 0
        expect_identical(x[points], a[points])
    }
    expect_identical(x[[one[1]]], a[[one[1]]])
    expect_error(x[length(a) + 1], "out of bounds")
    at <- as.list(arrayInd(one[1], n))
    expect_identical(do.call(`[[`, c(list(x), at)), a[[one[1]]])

    # Functions of R that use nothing but dim and indices.
    expect_identical(head(x, 2), head(a, 2))
    expect_equal(tail(x, 1), tail(a, 1), check.attributes = FALSE)
    expect_identical(as.vector(x), as.vector(a))
    expect_identical(as.numeric(x), as.numeric(a))
    expect_identical(as.list(x), as.list(a))
    expect_identical(apply(x, 1, sum), apply(a, 1, sum))
}

# Far positions are read run by run, near ones with what is between them.
n <- c(300, 40, 30)
a <- array(seq_len(prod(n)) %% 32000L, n)
x <- open_image(int16_file(a, n))
same(x, a, list(c(300, 1, 2, 150, 1), c(40, 1, 1), c(1, 30, 2)), TRUE)
same(x, a, list(NULL, c(1, 40, 2), c(30, 1, NA)), TRUE)
same(x, a, list(c(2, 299), sample.int(40), c(30, 2, 1)), FALSE)
same(x, a, list(sample.int(300, 100), NULL, sample.int(30, 20)), TRUE)
m <- a[, , 1]
y <- slice(x, , , 1)
expect_identical(as.matrix(y), m)
expect_identical(y[c(5, 1, 5), 2:1], m[c(5, 1, 5), 2:1])

# Left out in a caller.
f <- function(i, j) x[i, j, 2]
expect_identical(f(), a[, , 2])
expect_identical(f(3), a[3, , 2])
g <- function(...) x[...]
expect_identical(g(1:2, , 3), a[1:2, , 3])

# Lazy parts and other dims.
part <- slice(x, 10:2, -1, c(TRUE, FALSE))
b <- a[10:2, -1, c(TRUE, FALSE)]
expect_identical(dim(part), dim(b))
expect_identical(part[], b)
expect_identical(part[3:1, , c(2, 9, 9)], b[3:1, , c(2, 9, 9)])
expect_identical(part[c(1, 7, 100)], b[c(1, 7, 100)])
expect_identical(slice(part, 1, , )[], b[1, , ])
expect_identical(dim(slice(part, 1, , , drop = FALSE)), c(1L, dim(b)[-1]))
none <- slice(x, 3, 4, 5)
expect_null(dim(none))
expect_identical(none[], a[3, 4, 5])
expect_identical(none[1], a[3, 4, 5])
expect_error(slice(x, c(1, 2, 4), , ), "evenly spaced")
dim(x) <- c(100, 120, 30)
dim(a) <- c(100, 120, 30)
expect_identical(x[5:1, c(1, 120, 7), ], a[5:1, c(1, 120, 7), ])

# Nothing known on an axis.
a <- array(1:24, 2:4)
x <- open_image(int32_file(a, 2:4))
same(x, a, list(NA, NULL, NULL), TRUE)
same(x, a, list(1, NA_integer_, 2), FALSE)
same(x, a, list(NaN, 1:2, 3), TRUE)

# Defaults of a caller.
k <- function(i, j = 3) x[i, j, 1]
expect_identical(k(2), a[2, 3, 1])
expect_identical(k(2, 1), a[2, 1, 1])

# x[[ ]] takes one element.
for (i in list(1, 24, 7.9, TRUE)) expect_identical(x[[i]], a[[i]])
expect_identical(x[[TRUE, 1, 1]], a[[TRUE, 1, 1]])
expect_identical(x[[2, 3, 4, exact = TRUE]], a[[2, 3, 4]])
expect_error(x[[-1, 1, 1]], "negative")
expect_error(x[[-1]], "negative")
expect_error(x[[NA]], "out of bounds")
expect_error(x[[NA_integer_, 1, 1]], "out of bounds")
expect_error(x[[]], "out of bounds")
expect_error(x[[, 1, 1]], "out of bounds")
expect_error(x[[25]], "out of bounds")
expect_error(x[[3, 1, 1]], "out of bounds")
expect_error(x[[0]], "one element")
expect_error(x[[1, 1]], "number of subscripts")

# Matrices are cut towards zero first.
expect_identical(x[cbind(0.5, 1, 1)], a[cbind(0.5, 1, 1)])
expect_identical(x[cbind(c(-0.5, 2.9), 1, 4.2)], a[cbind(c(-0.5, 2.9), 1, 4.2)])
expect_error(x[cbind(-1, 1, 1)], "negative")

# Code as an index is none, and does not run.
ran <- FALSE
for (code in list(quote(ran <<- TRUE), quote(ran), quote(1 + 1))) {
    expect_error(x[code], "invalid subscript type")
    expect_error(x[code, 1, 1], "invalid subscript type")
    expect_error(x[[code]], "invalid subscript type")
}
expect_false(ran)
row_major <- file.path(Sys.getenv("AP_CASES"), "chunks.mnc")
if (file.exists(row_major)) expect_error(open_image(row_major)[quote(1 + 1)], "invalid")

# What R refuses.
for (bad in expression(x[3, 1, 1], x[1, 1], x[c(1, -1), , ], x["a", , ], x[list(1)], x[[9, 9]],
                       x[rep(TRUE, 25)], slice(x, 1), slice(x, c(1, 1), , ), x[25], x[1i, , ],
                       read_array(x, dtype = "q"), dim(x) <- NULL, dim(x) <- list(24),
                       as.array(x, dtyp = "int8"), as.array(x, 1), field(x, 1), x$a,
                       affine(x, base = 2), open_image(1), do.call(`[`, c(list(x), rep(1, 70))))) {
    problem <- tryCatch(eval(bad), error = identity)
    expect_inherits(problem, "arrayproxy_error", info = deparse(bad)[1])
    expect_null(conditionCall(problem), info = deparse(bad)[1])
}
expect_error(dim(x) <- NULL, "length\\(x\\)")
expect_error(as.array(x, dtyp = "int8"), "dtype")
expect_error(x[3, 1, 1], "out of bounds")
expect_error(x[c(1, 5, 2), 1, 1], "out of bounds")
expect_error(x[1, 1], "incorrect number of dimensions")
expect_error(x[c(-1, 1), , ], "negative")
expect_error(x[c(-1, NA), , ], "negative")
expect_error(x[c(TRUE, TRUE, TRUE), , ], "too long")
expect_error(x["a", , ], "dimnames")
expect_error(x[1i, , ], "invalid subscript type 'complex'")
expect_error(x[Inf, , ], "out of bounds")
expect_error(x[cbind(1, 1, 5)], "out of bounds")
expect_error(x[[1:2, 1, 1]], "one element")
expect_error(x[1, 1, 1] <- 0, "read only")
expect_error(x[[1]] <- 0, "read only")
expect_error(x$dim <- 0, "read only")
expect_error(x$dim, "field")
expect_error(dim(x) <- 7, class = "AP_ERR_ARGUMENT")
expect_error(dim(x) <- c(-1, NA))

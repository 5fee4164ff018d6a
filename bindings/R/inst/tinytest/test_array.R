# Functions of R on a proxy against the same on its array.
source("helpers.R")

# `expr` in terms of x, once a proxy, once the array that it reads as.
same <- function(expr, x) {
    expr <- substitute(expr)
    a <- as.array(x)
    with_array <- eval(expr, list(x = a), globalenv())
    expect_identical(eval(expr, list(x = x), globalenv()), with_array,
                     info = paste(deparse(expr), collapse = ""))
}
grDevices::pdf(NULL)

a <- array(c(5L, 3:24), 2:4)
x <- open_image(int32_file(a, 2:4))
same(c(x + 1, 1 - x, x * x, -x, +x, !x, x %/% 2L, x == 5, 3 > x, x & TRUE), x)
same(dim(x + x), x)
same(list(sum(x), range(x), max(x, 30), min(x, 0), prod(x), any(x > 3), all(x)), x)
same(list(sqrt(x), round(x / 7, 2), log(x, base = 2), log(x, 2), cumsum(x), trunc(x)), x)
same(round(x, digits = -1), x)
same(list(Re(x), Im(x), Mod(x), Conj(x)), x)
same(list(mean(x), mean(x, trim = 0.1), median(x), quantile(x, c(0.1, 0.9))), x)
same(list(aperm(x), aperm(x, c(3, 1, 2)), aperm(perm = 3:1, a = x)), x)
same(list(is.na(x), anyNA(x), is.finite(x), is.nan(x), is.infinite(x)), x)
same(list(unique(x), duplicated(x), anyDuplicated(x), duplicated(x, fromLast = TRUE)), x)
same(list(c(x), c(x, 1.5), c(x, x), unlist(x), rep(x, 2), rep(x, times = 2, each = 3)), x)
same(list(rev(x), sort(x), sort(x, decreasing = TRUE), order(x)), x)
same(list(as.integer(x), as.double(x), as.numeric(x), as.logical(x), as.complex(x),
          as.character(x), as.vector(x), as.vector(x, "list"), as.list(x), as.matrix(x)), x)
same(list(cut(x, 3), split(x, rep(1:2, 12)), all.equal(x, x + 0), diff(x)), x)
same(list(hist(x, plot = FALSE)$counts, boxplot(x, plot = FALSE)$stats), x)
same(list(apply(x, 1:2, sum), sweep(x, 1, 1:2), ifelse(x > 3, x, 0L), which(x > 3)), x)
same(list(outer(x, 1:2), array(x, 24), matrix(x, 2), pmax(x + 0, 3), paste(x)), x)

m <- open_image(int32_file(a[, , 2], 2:3))
same(list(t(x), cbind(x, 1:2), rbind(x, 1:3), cbind(1:2, x, b = 3:4), rbind(x, x)), m)
same(list(as.data.frame(x), data.frame(x), scale(x), as.matrix(x), diff(x)), m)
same(list(image(x), contour(x), dim(persp(x))), m)
v <- open_image(int32_file(c(4, 1, 4), 3))
same(list(c(x), t(x), rep_len(x, 2), unique(x), sapply(x, function(i) i + 1), Map(identity, x)), v)
same(list(mapply(function(p, q) p * q, x, 3:1), Reduce(`+`, x), Filter(isTRUE, x)), v)
expect_null(plot(v))
f <- open_image(write_nifti(writeBin(c(1, NaN, 3, 4), raw(), size = 4), c(2, 2), 16, 32))
same(list(anyNA(x), is.na(x), is.nan(x), mean(x), sum(x, na.rm = TRUE), x == x), f)
same(list(mean(x, na.rm = TRUE), median(x, na.rm = TRUE), max(x, na.rm = TRUE)), f)
z <- open_image(write_nifti(writeBin(c(1, -2, 0.5, 3), raw(), size = 4), 2, 32, 64))
same(list(Re(x), Im(x), Mod(x), Conj(x), x * 2i, sum(x)), z)
none <- slice(x, 1, 1, 1)
expect_identical(c(none, 1L), c(5L, 1L))
expect_identical(none + 1L, 6L)

# Each argument is looked at once, and only if it is given.
looks <- 0
look <- function(value) {
    looks <<- looks + 1
    value
}
expect_equal(mean(look(x), trim = look(0.1)), mean(a, trim = 0.1))
expect_identical(rep(look(v), times = look(2)), rep(c(4L, 1L, 4L), 2))
expect_equal(looks, 4)

# What does not ask a class says so, and gives no wrong value.
expect_error(for (i in v) i)
expect_error(v %*% v)
expect_error(colMeans(x))
expect_error(nchar(v))
expect_error(1 %in% v)
expect_false(is.list(x))

# Nothing can be changed.
for (change in expression(length(x) <- 3, names(x) <- "a", levels(x) <- "a", is.na(x) <- 1,
                          dimnames(x) <- list(1:2, NULL, NULL), x[1] <- 0L, x[[1]] <- 0L,
                          x$a <- 1))
    expect_error(eval(change), "read only", class = "arrayproxy_error")
expect_identical(x[], a)

# Generics of other packages by the same names take proxies, too.
if (at_home()) {
    folder <- tempfile()
    dir.create(folder)
    stub <- function(name, code, names) {
        source <- file.path(folder, "source", name)
        dir.create(file.path(source, "R"), recursive = TRUE)
        writeLines(c(paste("Package:", name), "Version: 0.1", "Title: T", "Author: A",
                     "Maintainer: A <a@b.c>", "Description: D.", "License: MIT"),
                   file.path(source, "DESCRIPTION"))
        writeLines(paste0("export(", names, ")"), file.path(source, "NAMESPACE"))
        writeLines(code, file.path(source, "R", "code.R"))
        system2(file.path(R.home("bin"), "R"), stdout = FALSE, stderr = FALSE,
                c("CMD", "INSTALL", paste0("--library=", folder), source))
        loadNamespace(name, lib.loc = folder)
    }
    if (!requireNamespace("RNifti", quietly = TRUE))
        stub("RNifti", c("pixdim <- function(object) UseMethod('pixdim')",
                         "xform <- function(image, useQuaternionFirst = TRUE) UseMethod('xform')"),
             "pixdim, xform")
    if (!requireNamespace("dplyr", quietly = TRUE))
        stub("dplyr", "slice <- function(.data, ..., .by = NULL) UseMethod('slice')", "slice")
    expect_identical(RNifti::pixdim(x), pixdim(x))
    expect_identical(RNifti::xform(x), affine(x))
    expect_identical(RNifti::xform(x, useQuaternionFirst = FALSE), affine(x, "sform"))
    expect_identical(dplyr::slice(x, 2:1, , 3)[], a[2:1, , 3])
    unlink(folder, recursive = TRUE)
}
invisible(grDevices::dev.off())

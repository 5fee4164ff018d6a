# More than 2^31 elements: a file of 2.5 GB, whose zeros take no place on disk.
source("helpers.R")
if (!at_home()) exit_file("takes long")
if (!nzchar(Sys.which("truncate"))) exit_file("needs truncate")

path <- write_nifti(as.raw(1:3), c(25000, 25000, 4), 2, 8)
if (system(paste("truncate -s", 352 + 2.5e9, path)) != 0) exit_file("no place for a large file")
x <- open_image(path)
expect_identical(length(x), 2.5e9)
expect_identical(x[1:3, 1, 1], 1:3)
expect_identical(x[25000, 25000, 4], 0L)
expect_identical(x[c(2.5e9, 2, 3)], c(0L, 2L, 3L))
expect_identical(x[[3]], 3L)
expect_error(x[2.5e9 + 1], "out of bounds")
expect_identical(x[c(3, 1, 25000), c(25000, 1), c(4, 1, 1)],
                 array(c(0L, 0L, 0L, 0L, 0L, 0L, rep(c(0L, 0L, 0L, 3L, 1L, 0L), 2)), c(3, 2, 3)))

# An axis that is longer than those of R's arrays.
dim(x) <- c(2.5e9, 1)
expect_identical(dim(x), c(2.5e9, 1))
expect_identical(x[c(2, 2.5e9), 1], c(2L, 0L))
expect_identical(x[3:1, 1], 3:1)
expect_error(x[, c(1, 1)], "too long")
expect_identical(dim(slice(x, 2.4e9:2.5e9, )), as.integer(1e8 + 1))
expect_stdout(print(x), "2500000000 x 1")

# A result that is a long vector takes 10 GB: only where asked for.
if (nzchar(Sys.getenv("AP_LONG"))) {
    all <- x[, 1]
    expect_identical(length(all), 2.5e9)
    expect_identical(all[c(1:3, 2.5e9)], c(1:3, 0L))
    expect_identical(sum(all), 6L)
}
close(x)
unlink(path)

# Types of the file in those of R, and what does not fit.
source("helpers.R")

read_back <- function(bytes, n, datatype, bitpix, ...) {
    open_image(write_nifti(bytes, n, datatype, bitpix, ...))
}
bytes <- function(values, size) writeBin(values, raw(), size = size)

x <- read_back(bytes(c(-128L, -1L, 127L), 1), 3, 256, 8)
expect_identical(x[drop = FALSE], array(c(-128L, -1L, 127L)))
x <- read_back(as.raw(c(0, 128, 255)), 3, 2, 8)
expect_identical(as.vector(x), c(0L, 128L, 255L))
x <- read_back(bytes(c(-32768L, 5L), 2), 2, 4, 16)
expect_identical(as.vector(x), c(-32768L, 5L))
x <- read_back(as.raw(c(255, 255, 1, 0)), 2, 512, 16)
expect_identical(as.vector(x), c(65535L, 1L))
x <- read_back(as.raw(c(255, 255, 255, 255, 1, 0, 0, 0)), 2, 768, 32)
expect_identical(as.vector(x), c(2^32 - 1, 1))
x <- read_back(bytes(c(0.5, NaN, Inf), 4), 3, 16, 32)
expect_identical(as.vector(x), c(0.5, NaN, Inf))
x <- read_back(bytes(c(0.1, pi), 8), 2, 64, 64)
expect_identical(as.vector(x), c(0.1, pi))
x <- read_back(bytes(c(1, -2, 0.5, 3), 4), 2, 32, 64)
expect_identical(as.vector(x), c(1 - 2i, 0.5 + 3i))
expect_identical(as.vector(read_array(x, dtype = "complex64")), c(1 - 2i, 0.5 + 3i))
x <- read_back(bytes(c(0.1, 2), 8), 1, 1792, 128)
expect_identical(as.vector(x), 0.1 + 2i)

# -2^31 is a value, which R's integers have as NA: doubles where it occurs.
x <- open_image(int32_file(c(NA, 1, 2^31 - 1, -7), c(2, 2)))
expect_identical(x[], array(c(-2^31, 1, 2^31 - 1, -7), c(2, 2)))
expect_identical(x[, 2], c(2147483647L, -7L))
expect_identical(x[c(1, 2, 1), 1], c(-2^31, 1, -2^31))
expect_identical(as.vector(read_array(x, dtype = "int32")), c(-2^31, 1, 2^31 - 1, -7))

# Integers of 64 bits: low word first, if this machine has it so.
words <- function(...) writeBin(as.integer(c(...)), raw(), size = 4)
little <- .Platform$endian == "little"
pair <- function(low, high) if (little) words(low, high) else words(high, low)
x <- read_back(c(pair(1, 2^21), pair(5, 0), pair(-1, -1)), 3, 1024, 64)
expect_warning(all <- x[], "1 of the int64 values")
expect_identical(as.vector(all), c(2^53, 5, -1))
expect_identical(x[2:3, drop = FALSE], array(c(5, -1)))
expect_silent(x[2:3])
x <- read_back(c(pair(0, 2^21), pair(-1, -1), pair(0, NA)), 3, 1280, 64)
expect_warning(all <- x[], "1 of the uint64 values")
expect_identical(as.vector(all), c(2^53, 2^64, 2^63))
old <- options(warn = 2)
expect_error(x[2], "rounded")
options(old)

# Colours: their parts are the first axis.
values <- array(sample.int(255, 3 * 24, replace = TRUE), c(3, 4, 3, 2))
x <- read_back(as.raw(values), c(4, 3, 2), 128, 24)
expect_identical(dim(x), c(4L, 3L, 2L))
expect_identical(x[], values)
expect_identical(x[2, , ], values[, 2, , ])
expect_identical(x[c(3, 1, 3), 2, c(2, 1)], values[, c(3, 1, 3), 2, c(2, 1)])
expect_identical(x[5:7], matrix(values, 3)[, 5:7])
expect_error(x[cbind(1, 1, 1)], "index for each axis")
values <- array(sample.int(255, 4 * 6, replace = TRUE), c(4, 3, 2))
expect_identical(read_back(as.raw(values), c(3, 2), 2304, 32)[], values)

# Scaled data are double; other types are the library's casts.
x <- open_image(int16_file(c(-3, 0, 5, 1000), c(2, 2), slope = 0.5, inter = 1))
expect_identical(x[], array(c(-0.5, 1, 3.5, 501), c(2, 2)))
expect_identical(read_array(x, dtype = "disk"), array(c(-3L, 0L, 5L, 1000L), c(2, 2)))
expect_identical(read_array(x, dtype = "uint8"), array(c(0L, 1L, 3L, 255L), c(2, 2)))
expect_identical(read_array(x, 1, , dtype = "int8"), c(0L, 3L))
expect_identical(read_array(x, dtype = "bool"), array(c(TRUE, TRUE, TRUE, TRUE), c(2, 2)))
expect_identical(read_array(x, 2, c(2, 1), dtype = "float32"), c(501, 1))
expect_identical(read_array(x, 1, 1, dtype = "complex128"), -0.5 + 0i)
expect_identical(as.array(x, dtype = "uint16")[2, 2], 501L)
expect_identical(read_array(x, cbind(2, 1:2), dtype = "disk"), c(0L, 1000L))
expect_identical(read_array(x, 3:4, dtype = "disk"), c(5L, 1000L))
expect_error(read_array(x, dtype = "int12"), "int12")
expect_error(read_array(x, dtype = "float16"), "float16")
expect_error(read_array(x, dtype = "rgb24"), class = "AP_ERR_UNSUPPORTED")
expect_error(read_array(x, dtype = 1), "text")

# Rounded, and checked.
y <- open_image(int16_file(c(-3, 1, 5, 1000), c(2, 2), slope = 0.5))
expect_identical(y[], array(c(-1.5, 0.5, 2.5, 500), c(2, 2)))
expect_identical(read_array(y, dtype = "int16"), array(c(-1L, 0L, 2L, 500L), c(2, 2)))
expect_identical(read_array(y, dtype = "int16", round = TRUE),
                 array(c(-2L, 0L, 2L, 500L), c(2, 2)))
expect_identical(read_array(y, c(4, 1, 1), dtype = "int16", round = TRUE), c(500L, -2L, -2L))
expect_identical(read_array(y, 1, , dtype = "int8", checked = TRUE), c(-1L, 2L))
expect_error(read_array(y, dtype = "int8", checked = TRUE), class = "AP_ERR_RANGE")
expect_error(read_array(y, cbind(2, 2), dtype = "int8", checked = TRUE), class = "AP_ERR_RANGE")
expect_error(as.array(y, dtype = "uint8", checked = TRUE), class = "AP_ERR_RANGE")

# Beyond one block of the loops that look for what does not fit; at any place.
n <- 3 * 1024 + 5
for (at in c(1, 1024, 1025, n)) {
    values <- seq_len(n)
    values[at] <- NA
    wide <- as.double(values)
    wide[at] <- -2^31
    expect_identical(as.vector(open_image(int32_file(values, n))), wide)
}
expect_identical(as.vector(open_image(int32_file(seq_len(n), n))), seq_len(n))
long_file <- function(low, high, datatype) {
    words <- rbind(as.integer(low), as.integer(high))
    if (!little) words <- words[2:1, ]
    write_nifti(writeBin(as.vector(words), raw(), size = 4), ncol(words), datatype, 64)
}
# High words from both sides of +-2^51, low words that are odd.
for (datatype in c(1024, 1280)) for (high in c(0, 1, 2^19 - 1, 2^19, 2^20, 2^21)) {
    low <- rep_len(c(0, 1, 5, 2^31 - 1), n)
    signs <- if (datatype == 1024) rep_len(c(1, -1), n) else rep(1, n)
    top <- ifelse(signs > 0, high, -high - 1) # low + 2^32 * top
    got <- suppressWarnings(as.vector(open_image(long_file(low, top, datatype))))
    expect_identical(got, top * 2^32 + low)
    mixed <- c(rep(0, 1024), rep(high, n - 1024))
    got <- suppressWarnings(as.vector(open_image(long_file(low, mixed, datatype))))
    expect_identical(got, mixed * 2^32 + low)
}

# Open, read and drop many proxies at constant memory.
source("helpers.R")
if (!at_home()) exit_file("takes long")
if (!file.exists("/proc/self/statm")) exit_file("needs /proc")

rounds <- as.integer(Sys.getenv("AP_LEAK_ROUNDS", "5000"))
path <- int16_file(1:60, c(5, 4, 3), path = file.path(tempdir(), "leak.nii.gz"))

# Bytes in memory; pages are of 4 KiB where /proc is.
resident <- function() {
    gc()
    as.numeric(strsplit(readLines("/proc/self/statm"), " ")[[1]][2]) * 4096
}

# All ways to make and lose a handle, with reads that fail.
turn <- function() {
    x <- open_image(path)
    x[1, 2, 3]
    x[c(1, 5, 2), , 1]
    x[cbind(1, 2, 3)]
    y <- slice(x, , , 2)
    dim(x) <- c(20, 3)
    y[1, 1]
    tryCatch(x[21, 1], error = identity)
    tryCatch(open_image("none"), error = identity)
    tryCatch(open_image(path, none = 1), error = identity)
    tryCatch(read_array(y, dtype = "rgb24"), error = identity)
}
simple <- function() open_image(path)[1, 2, 3]

# More than a process may have open: dropped ones are collected when needed.
# Seldom full collections: the 1,024 files that are usual come first.
measure <- function(times, what) {
    for (i in seq_len(times)) {
        what()
        if (i %% 500 == 0) gc()
    }
    resident()
}

measure(2000, turn)
before <- measure(2000, simple)
after <- measure(rounds, simple)
expect_true(after - before < 4e6, info = paste(before, "to", after))
before <- after
after <- measure(rounds %/% 10, turn)
expect_true(after - before < 4e6, info = paste(before, "to", after))

# Files that dropped proxies hold are given back when there are no more.
limit <- suppressWarnings(as.numeric(system("ulimit -n", intern = TRUE)))
if (!is.na(limit) && limit <= 4096) {
    many <- lapply(seq_len(limit - 100), function(i) open_image(path))
    rm(many)
    more <- lapply(seq_len(limit - 100), function(i) open_image(path))
    expect_identical(more[[limit - 100]][1, 1, 1], 1L)
}

# The binding for R. Works: "voxel", `times` reads of the box's first voxel, and "whole",
# as double. Usage: Rscript read_r.R CHECKSUM.SO
library(arrayproxy)
dyn.load(commandArgs(TRUE))

# By parts: `.C` copies, and the memory of a whole copy would be the next result's.
checksum <- function(x, part = 2^16) {
    halves <- double(2)
    for (first in seq(1, length(x), part)) {
        piece <- x[first:min(length(x), first + part - 1)]
        halves <- .C("checksum_halves", piece, as.double(8 * length(piece)), halves)[[3]]
    }
    # Hexadecimal digits of what an integer of R does not hold.
    paste0(sprintf("%04x", as.integer(c(halves %/% 65536, halves %% 65536))[c(1, 3, 2, 4)]),
           collapse = "")
}

clock <- function() as.numeric(Sys.time())

voxel <- function(x, at, times) {
    i <- at[1]; j <- at[2]; k <- at[3]; t <- at[4]
    start <- clock()
    for (n in seq_len(times)) value <- x[i, j, k, t]
    list((clock() - start) / times, value)
}

whole <- function(x) {
    start <- clock()
    result <- as.array(x)
    list(clock() - start, result)
}

work <- function(line) {
    parts <- strsplit(line, "\t")[[1]]
    pairs <- strsplit(parts[-(1:2)], "=")
    args <- setNames(lapply(pairs, `[`, 2), vapply(pairs, `[`, "", 1))
    x <- open_image(parts[2])
    found <- if (parts[1] == "voxel") {
        at <- scan(args$boxes, nlines = 1, quiet = TRUE)[1:4] + 1
        voxel(x, at, as.integer(args$times))
    } else whole(x)
    cat(sprintf("ok\t%.9f\t%s\n", found[[1]], checksum(found[[2]])))
}

cat(R.version.string, "\n", sep = "")
input <- file("stdin", "r")
while (length(line <- readLines(input, 1)) == 1) {
    tryCatch(work(line), error = function(problem) {
        cat("error\t", gsub("\\s+", " ", conditionMessage(problem)), "\n", sep = "")
    })
    # What the next job takes is free before its clock starts.
    invisible(gc())
}

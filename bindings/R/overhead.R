# What a read of one voxel, and of a line, costs in R beyond the same in C.
# Usage: Rscript overhead.R IMAGE MICROSECONDS, the latter by overhead.c.
# Aimed at: 5 microseconds. Only told, since other programs may run.
library(arrayproxy)
arguments <- commandArgs(TRUE)
in_c <- as.numeric(arguments[2])
x <- open_image(arguments[1])
reads <- 20000
# The least of 20 rounds: other programs take their share of the rest.
least <- function(read) {
    min(replicate(20, system.time(for (i in seq_len(reads)) read())[["elapsed"]])) / reads * 1e6
}
nothing <- least(function() NULL)
voxel <- least(function() x[3, 4, 2]) - nothing
line <- least(function() x[, 4, 2]) - nothing
cat(sprintf("one voxel: %.2f us in R, %.2f us in C, overhead %.2f us; a line: %.2f us in R\n",
            voxel, in_c, voxel - in_c, line))
stopifnot(is.finite(voxel), is.finite(in_c))

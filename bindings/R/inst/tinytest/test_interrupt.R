# An interrupt and a time limit stop a read, and the session goes on.
source("helpers.R")
if (.Platform$OS.type != "unix") exit_file("needs signals")

# 256 MB that pack well: a read of all takes much longer than a look at R.
folder <- tempfile()
dir.create(folder)
path <- file.path(folder, "large.nii.gz")
n <- c(512, 512, 512)
local({
    plane <- raw(2 * prod(n[1:2]))
    small <- write_nifti(raw(0), n, 4, 16, path = file.path(folder, "head.nii"))
    con <- gzfile(path, "wb", compression = 1)
    writeBin(readBin(small, "raw", 352), con)
    for (k in seq_len(n[3])) writeBin(plane, con)
    base::close(con)
})
# Whatever is decoded is decoded again: no index, no cache.
x <- open_image(path, index_mode = 0, cache_bytes = 0)
expect_true(all(x[1:2, 1, 512] == 0L))

# Reads on and on, so that no read is too fast to be stopped.
on_and_on <- function() {
    for (i in 1:200) x[]
    "read all"
}

interrupt_after <- function(seconds) {
    system(sprintf("(sleep %g; kill -INT %d) >/dev/null 2>&1 &", seconds, Sys.getpid()))
}

# Seconds that one read takes.
whole <- system.time(x[])[["elapsed"]]
interrupt_after(0.3)
began <- proc.time()[["elapsed"]]
outcome <- tryCatch(on_and_on(), interrupt = function(e) "interrupt")
took <- proc.time()[["elapsed"]] - began
expect_identical(outcome, "interrupt")
expect_true(took < 0.3 + max(2, whole), info = paste("took", took, "of", whole))

limited <- function(...) {
    on.exit(setTimeLimit(elapsed = Inf))
    setTimeLimit(elapsed = 0.3, transient = TRUE)
    tryCatch(on_and_on(), error = conditionMessage)
}
expect_true(grepl("time limit", limited()))

# The library itself stops: within one read, long before its end.
expect_true(whole > 0.3, info = paste("one read takes", whole))
interrupt_after(0.1)
began <- proc.time()[["elapsed"]]
outcome <- tryCatch({ x[]; "read all" }, interrupt = function(e) "interrupt")
took <- proc.time()[["elapsed"]] - began
expect_identical(outcome, "interrupt")
expect_true(took < max(0.25, 0.7 * whole), info = paste("took", took, "of", whole))

# By single voxels, too.
points <- arrayInd(seq(1, prod(n), length.out = 2000), n)
interrupt_after(0.1)
outcome <- tryCatch({ for (i in 1:200) x[points]; "read all" },
                    interrupt = function(e) "interrupt")
expect_identical(outcome, "interrupt")

# The proxy is as good as before.
expect_identical(x[5, 6, 7:8], c(0L, 0L))
unlink(folder, recursive = TRUE)

# An interrupt and a time limit stop a read, and R goes on.
source("helpers.R")
if (!at_home()) exit_file("takes long")
if (Sys.info()[["sysname"]] != "Linux") exit_file("needs signals and GNU date")

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

# Reads on and on, so that nothing is too fast to be stopped.
on_and_on <- function(read) {
    for (i in 1:50) read()
    "read all"
}

# Interrupts `read` after 0.1 s: what comes of it, and the seconds from the
# signal to that.
interrupted <- function(read) {
    stamp <- file.path(folder, "stamp")
    system(sprintf("(sleep 0.1; date +%%s.%%N >%s; kill -INT %d) >/dev/null 2>&1 &",
                   shQuote(stamp), Sys.getpid()))
    outcome <- tryCatch(on_and_on(read), interrupt = function(e) "interrupt")
    ended <- as.numeric(Sys.time())
    list(outcome = outcome, took = ended - as.numeric(readLines(stamp)))
}

# Within one read, long before its end: once in five times is enough, as other programs
# may hold this one up.
whole <- system.time(x[])[["elapsed"]]
for (attempt in 1:5) {
    end <- interrupted(function() x[])
    if (end$outcome == "interrupt" && end$took < 0.6 * whole) break
}
expect_identical(end$outcome, "interrupt")
expect_true(end$took < 0.6 * whole, info = paste("took", end$took, "of", whole))

limited <- function() {
    on.exit(setTimeLimit(elapsed = Inf))
    setTimeLimit(elapsed = 0.3, transient = TRUE)
    tryCatch(on_and_on(function() x[]), error = conditionMessage)
}
expect_true(grepl("time limit", limited()))

# By single voxels, too.
points <- arrayInd(seq(1, prod(n), length.out = 2000), n)
expect_identical(interrupted(function() x[points])$outcome, "interrupt")

# The proxy is as good as before.
expect_identical(x[5, 6, 7:8], c(0L, 0L))
unlink(folder, recursive = TRUE)

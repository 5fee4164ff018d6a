# Headers, errors, and handles that are gone.
source("helpers.R")

path <- int16_file(1:24, c(2, 3, 4), slope = 2, inter = -1)
x <- open_image(path)
expect_equal(pixdim(x), c(2, 3, 4))
expect_equal(affine(x), rbind(c(2, 0, 0, -10), c(0, 3, 0, -20), c(0, 0, 4, -30), c(0, 0, 0, 1)))
expect_equal(affine(x, base = 1) %*% c(1, 1, 1, 1), affine(x) %*% c(0, 0, 0, 1))
expect_equal(affine(x, base = 1) %*% c(2, 3, 4, 1), affine(x, base = 0) %*% c(1, 2, 3, 1))
expect_equal(affine(x, "sform"), affine(x))
expect_equal(affine(x, "base")[1, 1], -2)
expect_error(affine(x, base = 2), "0 or 1")
expect_equal(affine(slice(x, 2:1, , ))[1, ], c(-2, 0, 0, -8))
expect_error(affine(slice(x, 1, , )), class = "AP_ERR_UNSUPPORTED")
expect_identical(dtype(x), "int16")
expect_identical(dtype(x, "auto"), "float64")
expect_identical(scaling(x), list(slope = 2, inter = -1))
expect_identical(field(x, "sizeof_hdr"), 348L)
expect_identical(field(x, "dim"), c(3L, 2L, 3L, 4L, 1L, 1L, 1L, 1L))
expect_identical(field(x, "scl_slope"), 2)
expect_identical(field(x, "magic"), "n+1")
expect_identical(field(x, "orientation"), "RAS")
expect_true(all(c("srow_x", "orientation") %in% fields(x)))
for (name in fields(x)) expect_true(length(field(x, name)) > 0)
expect_error(field(x, "nonsense"), class = "AP_ERR_ARGUMENT")
expect_error(field(x, 1), "text")
expect_identical(field(x, "sform_code"), 1L)
expect_identical(field(x, "sform_code", as = "text"), "scanner")
expect_identical(field(x, "dim", as = "text"), "3, 2, 3, 4, 1, 1, 1, 1")
expect_identical(affine_code(x), 1L)
expect_identical(affine_code(x, "qform"), 0L)
expect_identical(header_bytes(x), readBin(path, "raw", 348))
expect_identical(extensions(x), list())
comment <- charToRaw("a comment")
ext <- c(writeBin(c(32L, 6L), raw(), size = 4), comment, raw(24 - length(comment)))
y <- open_image(int16_file(1:24, c(2, 3, 4), extensions = c(ext, ext)))
expect_identical(extensions(y), rep(list(list(code = 6L, data = ext[9:32])), 2))
expect_identical(as.vector(y), 1:24)
expect_identical(warnings_of(x), character(0))
expect_stdout(print(x), "2 x 3 x 4, int16 scaled to float64, nifti1")
expect_stdout(str(x), "2 x 3 x 4")
expect_stdout(print(summary(x)), "orientation  RAS")
expect_identical(summary(x)$dim, 2:4)

# A header that is odd is read, with a note.
odd <- int16_file(1:6, c(2, 3), slope = NaN, inter = 5)
bytes <- readBin(odd, "raw", 1e4)
bytes[253] <- as.raw(99) # qform_code
writeBin(bytes, odd)
y <- open_image(odd)
expect_true(length(warnings_of(y)) > 0)
expect_stdout(print(summary(y)), "warning")
expect_error(open_image(odd, strict = TRUE), class = "AP_ERR_HEADER")

# Options by their names.
expect_identical(open_image(path, threads = 2, mmap = FALSE, format = "nifti1")[], x[])
expect_identical(open_image(path, cache_bytes = 1e5, keep_open = 0)[], x[])
expect_error(open_image(path, max_bytes = 8)[], class = "AP_ERR_MEMORY")
expect_error(open_image(path, nonsense = 1), "nonsense", class = "AP_ERR_OPTION")
expect_error(open_image(path, threads = "many"), class = "AP_ERR_OPTION")
expect_error(open_image(path, 1, 2), "names")
expect_error(open_image(path, mmap = 0:1), "one value")
packed <- int16_file(1:24, c(2, 3, 4), path = file.path(tempdir(), "packed.nii.gz"))
comma <- file.path(tempdir(), "a,b.gzidx")
expect_identical(as.vector(open_image(packed, index_path = comma)), 1:24)

# A value, or a name, does not set a second option.
expect_error(open_image(path, format = "nifti1,strict=1"), class = "AP_ERR_OPTION")
expect_error(do.call(open_image, list(path, "mmap=0,strict" = 1)), class = "AP_ERR_OPTION")

# A file in memory, compressed or not.
for (from in c(path, packed)) {
    bytes <- readBin(from, "raw", 1e4)
    y <- open_image(bytes)
    part <- slice(y, 2, , )
    expect_identical(y[], open_image(from)[])
    bytes[400] <- as.raw(99) # a copy: the proxy's stay
    invisible(gc())
    expect_identical(y[], open_image(from)[])
    expect_stdout(print(y), "(in memory): 2 x 3 x 4", fixed = TRUE)
    close(y)
    rm(y, bytes)
    invisible(gc())
    expect_identical(part[], open_image(from)[2, , ])
}
expect_error(open_image(raw(0)), class = "arrayproxy_error")
expect_error(open_image(as.raw(1:100)), class = "arrayproxy_error")

# Several files are a series.
expect_identical(dim(open_image(c(path, path))), c(2L, 3L, 4L, 2L))
expect_identical(open_image(c(path, path))[2, 3, 4, ], rep(x[2, 3, 4], 2))
expect_stdout(print(open_image(c(path, path))), "and 1 more")
# Its factors are arrays where they vary.
other <- int16_file(1:24, c(2, 3, 4), slope = 3, inter = -1)
two <- open_image(c(path, other))
expect_identical(scaling(two)$slope, array(c(2, 3), c(1, 1, 1, 2)))
expect_identical(two[1, 1, 1, ], c(1, 2))
expect_stdout(print(summary(two)), "slope 2 to 3, intercept -1 to -1")

# Errors say what the library says.
missing <- tryCatch(open_image("no-such-file.nii"), AP_ERR_NOT_FOUND = identity)
expect_inherits(missing, "arrayproxy_error")
expect_true(grepl("no-such-file.nii", conditionMessage(missing)))
expect_error(open_image(character(0)), "path")
expect_error(open_image(NA_character_), "path")
text <- tempfile()
writeLines("no image", text)
expect_error(open_image(text), class = "arrayproxy_error")
short <- tempfile(fileext = ".nii")
writeBin(readBin(path, "raw", 380), short)
cut <- open_image(short)
expect_error(cut[], class = "AP_ERR_TRUNCATED")
expect_error(cut[24:1], class = "AP_ERR_TRUNCATED")
expect_error(cut[cbind(2, 3, 4)], class = "AP_ERR_TRUNCATED")
home <- Sys.getenv("HOME")
Sys.setenv(HOME = dirname(path))
if (path.expand("~") == dirname(path))
    expect_identical(dim(open_image(file.path("~", basename(path)))), 2:4)
Sys.setenv(HOME = home)

# A path that is not ASCII.
umlaut <- file.path(tempdir(), "M\u00e4dchen.nii")
if (isTRUE(file.copy(path, umlaut))) expect_identical(open_image(umlaut)[], x[])

# Forked processes read through one handle.
if (.Platform$OS.type == "unix" && requireNamespace("parallel", quietly = TRUE)) {
    for (y in list(x, open_image(packed), open_image(packed, threads = 2))) {
        a <- as.array(y)
        sums <- parallel::mclapply(rep(1:4, 5), function(k) sum(y[, , k]), mc.cores = 2)
        expect_equal(unlist(sums), rep(apply(a, 3, sum), 5))
    }
}

# Closed: an error each time, never a crash.
stored <- tempfile()
saveRDS(x, stored)
part <- slice(x, , , 2)
close(x)
close(x)
for (f in list(dim, length, function(x) x[1, 1, 1], function(x) x[], function(x) x[[3]],
               as.array, affine, affine_code, pixdim, fields, function(x) field(x, "dim"),
               scaling, dtype, warnings_of, summary, function(x) slice(x, 1, 1, 1),
               function(x) x[cbind(1, 1, 1)], function(x) x[c(1, 5, 2)], mean, header_bytes,
               extensions, build_index, index_info, function(x) save_index(x, stored),
               function(x) dim(x) <- 24))
    expect_error(f(x), "closed", class = "arrayproxy_error")
expect_stdout(print(x), "closed")
expect_identical(part[2, 3], 23) # outlives what it was made from

# By a finalizer, while a read prepares: an error or the value.
for (wait in 1:40) {
    y <- open_image(path)
    local({
        mine <- y
        reg.finalizer(new.env(), function(e) close(mine))
    })
    gctorture2(1000, wait)
    got <- tryCatch(y[c(1, 1, 2), -2, ], arrayproxy_error = function(e) conditionMessage(e))
    got_fields <- tryCatch(fields(y), arrayproxy_error = function(e) conditionMessage(e))
    gctorture(FALSE)
    expect_true(is.array(got) || grepl("closed", got))
    expect_true(length(got_fields) > 1 || grepl("closed", got_fields))
}

# From another process or a saved workspace: opened again by its path and options,
# with all that was sliced.
back <- readRDS(stored)
expect_stdout(print(back), "2 x 3 x 4, int16")
expect_identical(back[2, 3, 4], 47)
y <- open_image(packed, index_mode = 0)
y <- slice(y, 2:1, , c(TRUE, FALSE))
a <- y[]
again <- unserialize(serialize(y, NULL))
expect_identical(again[], a)
expect_identical(dim(slice(again, , 1, )), dim(a)[-2])
expect_identical(unserialize(serialize(again, NULL))[], a)
flat <- open_image(path)
dim(flat) <- c(6, 4)
expect_identical(as.vector(unserialize(serialize(slice(flat, 5, ), NULL))), flat[5, ])
in_memory <- unserialize(serialize(open_image(readBin(packed, "raw", 1e4)), NULL))
expect_identical(as.vector(in_memory), 1:24)
closed <- unserialize(serialize(x, NULL))
expect_error(dim(closed), "closed")
lost <- tempfile(fileext = ".nii")
file.copy(path, lost)
y <- serialize(open_image(lost), NULL)
unlink(lost)
y <- unserialize(y)
expect_error(dim(y), basename(lost), class = "AP_ERR_NOT_FOUND")
expect_stdout(print(y), "not found")
here <- setwd(dirname(path))
y <- serialize(open_image(basename(path)), NULL)
setwd(here)
expect_identical(dim(unserialize(y)), 2:4)
if (at_home() && requireNamespace("parallel", quietly = TRUE)) {
    workers <- parallel::makePSOCKcluster(2)
    parallel::clusterEvalQ(workers, library(arrayproxy))
    y <- open_image(packed)
    planes <- parallel::parLapply(workers, 1:4, function(k, y) y[, , k], y)
    parallel::stopCluster(workers)
    expect_identical(planes, lapply(1:4, function(k) y[, , k]))
}

# Something else in the place of a proxy.
call_glue <- function(...) .Call(arrayproxy:::C_shape, ...)
expect_error(call_glue(1), "not an arrayproxy")
expect_error(call_glue(list(NULL)), "not an arrayproxy")
expect_error(call_glue(list()), "not an arrayproxy")
expect_error(call_glue(path), class = "arrayproxy_error")
expect_error(read_array(1:3), "not an arrayproxy")

# The example in the package, of 1 kB, is made by write_example().
example <- open_image(example_path())
expect_identical(example[], example_stored / 2)
again <- open_image(write_example(tempfile(fileext = ".nii")))
expect_identical(header_bytes(example), header_bytes(again))
expect_true(file.size(example_path()) < 1100)

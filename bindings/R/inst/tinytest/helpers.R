# Writes NIfTI-1 files byte by byte, so that tests need no files from elsewhere.

# `data`: raw bytes of the elements in native order; `extensions`: raw bytes.
write_nifti <- function(data, dim, datatype, bitpix, slope = 1, inter = 0, descrip = "",
                        extensions = raw(0), path = tempfile(fileext = ".nii")) {
    header <- raw(352)
    put <- function(at, value, size) {
        bytes <- writeBin(value, raw(), size = size)
        header[at + seq_along(bytes)] <<- bytes
    }
    put(0, 348L, 4)
    put(40, as.integer(c(length(dim), dim, rep(1, 7 - length(dim)))), 2)
    put(70, as.integer(c(datatype, bitpix)), 2)
    put(76, c(1, 2, 3, 4, 1, 1, 1, 1), 4)
    put(108, 352 + length(extensions), 4)
    put(112, c(slope, inter), 4)
    put(148, charToRaw(descrip), 1)
    put(254, 1L, 2)
    put(280, c(2, 0, 0, -10, 0, 3, 0, -20, 0, 0, 4, -30), 4)
    put(344, charToRaw("n+1"), 1)
    put(348, as.raw(length(extensions) > 0), 1)
    con <- if (grepl("gz$", path)) gzfile(path, "wb") else file(path, "wb")
    on.exit(base::close(con))
    writeBin(c(header, extensions, data), con)
    path
}

int32_file <- function(values, dim, ...)
    write_nifti(writeBin(as.integer(values), raw(), size = 4), dim, 8, 32, ...)

int16_file <- function(values, dim, ...)
    write_nifti(writeBin(as.integer(values), raw(), size = 2), dim, 4, 16, ...)

# The package's example: small, of two volumes, its values half of what is stored.
example_stored <- array((seq_len(336) * 7L) %% 1000L, c(6, 7, 4, 2))

write_example <- function(path)
    int16_file(example_stored, dim(example_stored), slope = 0.5, descrip = "two volumes",
               path = path)

example_path <- function() system.file("extdata", "example.nii.gz", package = "arrayproxy")

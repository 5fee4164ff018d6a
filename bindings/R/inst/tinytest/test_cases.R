# The cases that the tests of all bindings share.
folder <- Sys.getenv("AP_CASES")
if (!nzchar(folder)) exit_file("AP_CASES is not set")

# A case a line: numbers, texts and flat lists.
value_of <- function(line, name) {
    found <- regmatches(line, regexec(paste0('"', name, '": ("[^"]*"|\\[[^]]*\\]|[^,}]*)'), line))
    text <- found[[1]][2]
    if (startsWith(text, '"')) return(substr(text, 2, nchar(text) - 1))
    numbers <- gsub("[][ ]", "", text)
    as.numeric(strsplit(numbers, ",")[[1]])
}

weighed <- function(values) {
    if (is.complex(values)) values <- Re(values) + 2 * Im(values)
    values <- as.double(values)
    sum(values * (1 + (seq_along(values) - 1) %% 97))
}

r_types <- c(uint8 = "integer", int16 = "integer", uint16 = "integer", int32 = "integer",
             int64 = "double", float32 = "double", float64 = "double",
             complex64 = "complex", complex128 = "complex")

lines <- grep("^\\{", readLines(file.path(folder, "cases.json")), value = TRUE)
expect_true(length(lines) > 100)
for (line in lines) {
    case <- function(name) value_of(line, name)
    x <- open_image(file.path(folder, case("file")))
    index <- Map(function(start, count, step) {
        if (count == 0) integer(0) else start + 1 + (seq_len(count) - 1) * step
    }, case("start"), case("count"), case("step"))
    part <- do.call(read_array, c(list(x), index, list(dtype = case("dtype"), drop = FALSE)))
    expect_equal(weighed(part), case("sum"), tolerance = 0, info = line)
    expect_equal(typeof(part), r_types[[case("type")]], info = line)
    expect_equal(as.numeric(dim(part))[case("drop") == 0], case("shape"), info = line)
    if (case("dtype") == "auto")
        expect_identical(do.call(`[`, c(list(x), index, list(drop = FALSE))), part, info = line)
    close(x)
}

# Stored row-major: positions in the whole array are R's all the same.
x <- open_image(file.path(folder, "chunks.mnc"))
a <- x[]
expect_identical(x[c(9, 2, 9, 100)], a[c(9, 2, 9, 100)])
expect_identical(x[a > 0], a[a > 0])
expect_identical(x[-(1:50)], a[-(1:50)])
expect_identical(x[c(NA, 3)], a[c(NA, 3)])
expect_error(x[length(a) + 1], "out of bounds")
expect_error(dim(x) <- length(x), class = "AP_ERR_UNSUPPORTED")
expect_identical(x[c(1, 5, 1), c(7, 2), ], a[c(1, 5, 1), c(7, 2), ])

# Draws the three middle planes of an image, and a voxel's time course.
# Usage, in the repository: Rscript bindings/R/gallery.R PICTURE.png
library(arrayproxy)

# The plane in the middle of axis `across`, in mm, as a patient stands.
plane <- function(x, across, name) {
    index <- list(TRUE, TRUE, TRUE, 1)
    index[[across]] <- (dim(x)[across] + 1) %/% 2
    grey <- do.call(`[`, c(list(x), index))
    shown <- setdiff(1:3, across)
    for (k in 1:2) # towards right, front and top
        if (affine(x)[shown[k], shown[k]] < 0)
            grey <- if (k == 1) grey[nrow(grey):1, ] else grey[, ncol(grey):1]
    size <- pixdim(x)[shown]
    window <- quantile(grey, c(0.02, 0.99))
    image(seq_len(nrow(grey)) * size[1], seq_len(ncol(grey)) * size[2],
          pmin(pmax(grey, window[1]), window[2]), col = gray.colors(256, 0, 1),
          asp = 1, axes = FALSE, xlab = "", ylab = "", main = name)
}

picture <- commandArgs(TRUE)[1]
png(picture, width = 900, height = 520)
layout(rbind(1:3, 4), heights = c(3, 2))
par(mar = c(1, 1, 3, 1))
x <- open_image("tests/data/example4d.nii.gz")
plane(x, 1, "sagittal")
plane(x, 2, "coronal")
plane(x, 3, "axial")

y <- open_image("tests/data/functional.nii")
voxel <- c(9, 11, 2)
par(mar = c(4, 4, 2, 1))
plot(y[voxel[1], voxel[2], voxel[3], ], type = "b", pch = 16, xlab = "volume", ylab = "signal",
     main = paste0("functional.nii [", paste(voxel, collapse = ", "), ", ]"))
invisible(dev.off())

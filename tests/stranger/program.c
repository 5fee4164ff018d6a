/* Somebody's program: prints the shape of a 4-D image and one of its voxels. */
#include <arrayproxy.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    ap_slice index[] = {ap_at(60), ap_at(50), ap_at(10), ap_at(1)};
    int64_t shape[4];
    double voxel;
    ap_proxy *image;
    ap_error err;

    if (argc != 2)
        return 2;
    if (ap_version() > AP_VERSION_NUMBER)
        puts("The library is newer than its header.");
    if (ap_open(argv[1], NULL, &image, &err) < 0 ||
        ap_read_slice(image, index, 4, AP_FLOAT64, 0, &voxel, sizeof voxel, &err) < 0) {
        puts(err.message);
        return 1;
    }
    ap_shape(image, shape, 4);
    printf("%d x %d x %d x %d, %g\n", (int)shape[0], (int)shape[1], (int)shape[2], (int)shape[3],
           voxel);
    ap_free(image);
    return 0;
}

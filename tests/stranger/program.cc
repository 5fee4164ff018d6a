// Somebody's program: prints the shape of an image and one of its voxels.
#include <arrayproxy.h>

#include <iostream>
#include <memory>
#include <stdexcept>
#include <vector>

static void check(ap_status status, const ap_error &err)
{
    if (status < 0)
        throw std::runtime_error(err.message);
}

int main(int argc, char **argv)
try {
    if (argc != 2)
        return 2;
    ap_error err;
    ap_proxy *opened;
    check(ap_open(argv[1], nullptr, &opened, &err), err);
    std::unique_ptr<ap_proxy, decltype(&ap_free)> image(opened, ap_free);

    std::vector<int64_t> shape(ap_ndim(opened));
    ap_shape(opened, shape.data(), ap_ndim(opened));
    const std::vector<ap_slice> index = {ap_at(60), ap_at(50), ap_at(10), ap_at(1)};
    double voxel;
    check(ap_read_slice(opened, index.data(), 4, AP_FLOAT64, 0, &voxel, sizeof voxel, &err), err);

    for (size_t i = 0; i < shape.size(); i++)
        std::cout << (i ? " x " : "") << shape[i];
    std::cout << ", " << voxel << "\n";
} catch (const std::exception &error) {
    std::cout << error.what() << "\n";
    return 1;
}

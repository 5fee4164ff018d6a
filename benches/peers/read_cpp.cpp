// The binding for C++. Works: "voxel", `times` reads of the box's first voxel, and
// "whole", into memory used before or, with `fresh=1`, new; as float64 or as stored.
#include "server.h"

#include <arrayproxy.hpp>
#include <string>
#include <vector>

using namespace arrayproxy;

template <class T> void whole(const Proxy &image, const job *j, uint32_t flags = 0)
{
    if (job_is(j, "fresh", "1")) {
        double start = seconds();
        auto array = image.read<T>();
        double time = seconds() - start;
        return answer(time, checksum(array.data(), array.size() * sizeof(T)), "");
    }
    std::vector<T> array(static_cast<size_t>(image.size()), 1);
    double start = seconds();
    image.read_into(array, How{flags});
    double time = seconds() - start;
    answer(time, checksum(array.data(), array.size() * sizeof(T)), "");
}

static void voxel(const Proxy &image, const job *j)
{
    int64_t count, times = job_number(j, "times", 1);
    box *boxes = boxes_of(job_text(j, "boxes", ""), &count);
    const int64_t *at = boxes[0].start;
    double value = 0, start = seconds();
    for (int64_t i = 0; i < times; i++)
        value = image.read<double>(at[0], at[1], at[2], at[3])();
    double time = seconds() - start;
    answer(time / static_cast<double>(times), checksum(&value, sizeof value), "");
    free(boxes);
}

static void work(const job *j)
{
    try {
        auto image = open(j->parts[1]);
        std::string work = j->parts[0], dtype = job_text(j, "dtype", "disk");
        if (work == "voxel")
            voxel(image, j);
        else if (dtype == "disk")
            whole<int16_t>(image, j, AP_READ_RAW);
        else
            whole<double>(image, j);
    } catch (const std::exception &problem) {
        failed(problem.what());
    }
}

int main()
{
    serve("C++", work);
}

// 100,000 proxies are opened, read and dropped; memory stays as it is.
#include "test.hpp"

#include <fstream>
#include <unistd.h>

namespace {

// Bytes of memory that are in use.
long resident()
{
    std::ifstream file("/proc/self/statm");
    long size = 0, pages = 0;
    file >> size >> pages;
    return pages * sysconf(_SC_PAGESIZE);
}

void use_all(int turn)
{
    const char *const names[] = {"plain.nii", "scaled.nii.gz", "line.nii", "head.mgz"};
    const arrayproxy::Proxy proxy =
        arrayproxy::open(std::string("target/bindings/cases/") + names[turn % 4]);
    const auto values = proxy.read<float>(0);
    const auto part = proxy.slice(arrayproxy::rest, 0);
    const auto array = part.load<double>();
    if (turn % 16 < 4) {
        try {
            proxy.read<float>(1000);
        } catch (const arrayproxy::error &) {
        }
        arrayproxy::Image image(proxy);
        (void)image.data<float>();
        (void)proxy.field_text("orientation");
    }
}

void test_memory()
{
    const int before = 5000, count = 100000;
    for (int turn = 0; turn < before; turn++)
        use_all(turn);
    const long first = resident();
    for (int turn = 0; turn < count; turn++)
        use_all(turn);
    const long last = resident();
    CHECK(first > 1000000);
    // A leak of 16 bytes each would show.
    test::note = std::to_string(first) + " bytes, then " + std::to_string(last);
    CHECK(last - first < 16L * count);
}

} // namespace

int main()
{
    return test::run("leak", {test_memory});
}

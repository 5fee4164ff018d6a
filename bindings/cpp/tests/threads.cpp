// One handle in many threads: reads, a cancel from another thread, exceptions of each.
#include "test.hpp"

#include <atomic>
#include <functional>
#include <thread>

namespace {

using arrayproxy::all, arrayproxy::Control, arrayproxy::How, arrayproxy::Proxy, arrayproxy::rest;

// Runs it in several threads at once; how many came back false or threw.
int in_threads(int count, const std::function<bool(int)> &work)
{
    std::atomic<int> troubles{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < count; i++)
        threads.emplace_back([&, i] {
            try {
                if (!work(i))
                    troubles++;
            } catch (...) {
                troubles++;
            }
        });
    for (std::thread &thread : threads)
        thread.join();
    return troubles;
}

void test_reads()
{
    for (const char *path : {"tests/data/example4d.nii.gz", "tests/data/functional.nii"}) {
        test::note = path;
        const Proxy proxy = arrayproxy::open(path, arrayproxy::Options("threads=2"));
        const arrayproxy::Nd<float> whole = proxy.read<float>();
        const arrayproxy::Plan plan = proxy.plan<float>(rest, 1);
        const int troubles = in_threads(8, [&](int thread) {
            const auto planned = plan.read<float>();
            for (int turn = 0; turn < 20; turn++) {
                const int x = (thread * 7 + turn * 3) % static_cast<int>(whole.shape()[0]);
                const auto plane = proxy.read<float>(x, all, all, turn % 2);
                for (std::int64_t z = 0; z < plane.shape()[1]; z++)
                    for (std::int64_t y = 0; y < plane.shape()[0]; y++)
                        if (plane(y, z) < whole(x, y, z, turn % 2) ||
                            plane(y, z) > whole(x, y, z, turn % 2) ||
                            planned(x, y, z) < whole(x, y, z, 1) ||
                            planned(x, y, z) > whole(x, y, z, 1))
                            return false;
                Proxy part = proxy.slice(x);
                Proxy copy = part.clone();
                part = std::move(copy);
                if (part.ndim() != 3)
                    return false;
            }
            return true;
        });
        CHECK_EQUAL(troubles, 0);
    }
    test::note.clear();
}

// Each thread gets its own error, and a handle may end in another thread.
void test_errors()
{
    const Proxy proxy = test::counted<float>({4, 3});
    CHECK_EQUAL(in_threads(8, [&](int thread) {
                    for (int turn = 0; turn < 200; turn++) {
                        try {
                            proxy.read<float>(100 + thread);
                            return false;
                        } catch (const arrayproxy::error &e) {
                            if (std::string(e.what()).find(std::to_string(100 + thread)) ==
                                std::string::npos)
                                return false;
                        }
                    }
                    return true;
                }),
                0);
    Proxy passed = proxy.clone();
    std::thread([taken = std::move(passed)] { (void)taken.read<float>(); }).join();
    CHECK(passed.get() == nullptr);
    CHECK_EQUAL(proxy.read<int>(3, 2)(), 11);
}

// Callbacks that throw, at the same time: each call throws what its own callback threw.
void test_exceptions()
{
    const Proxy proxy = arrayproxy::open("tests/data/functional.nii");
    CHECK_EQUAL(in_threads(8, [&](int thread) {
                    for (int turn = 0; turn < 50; turn++) {
                        Control control;
                        control.on_progress(
                            [&](std::uint64_t, std::uint64_t) -> bool { throw thread; });
                        try {
                            proxy.read<float>(How{0, &control});
                            return false;
                        } catch (int caught) {
                            if (caught != thread)
                                return false;
                        }
                    }
                    return true;
                }),
                0);
}

// A callback on one of the library's threads: the error comes, its exception stays there.
void test_concurrent_source()
{
    std::atomic<bool> is_failing{false};
    std::vector<std::uint8_t> bytes(1 << 20, 7);
    const auto read = [&](void *buffer, std::size_t size, std::uint64_t offset) {
        if (is_failing)
            throw std::runtime_error("gone");
        const std::size_t start = std::min(static_cast<std::size_t>(offset), bytes.size());
        const std::size_t count = std::min(size, bytes.size() - start);
        std::copy_n(bytes.data() + start, count, static_cast<std::uint8_t *>(buffer));
        return count;
    };
    const Proxy proxy = arrayproxy::open(
        arrayproxy::Source::callbacks(read, bytes.size(), AP_SOURCE_CONCURRENT),
        arrayproxy::Layout{AP_UINT8, {1 << 20}}, arrayproxy::Options("threads=2,codec=none"));
    CHECK_EQUAL(in_threads(4, [&](int) { return proxy.read<float>().at(99) > 6; }), 0);
    is_failing = true;
    CHECK_EQUAL(in_threads(4, [&](int) {
                    try {
                        proxy.read<float>();
                    } catch (const std::runtime_error &) { // an arrayproxy::error is one, too
                        return true;
                    }
                    return false;
                }),
                0);
    is_failing = false;
    CHECK_EQUAL(proxy.read<int>(5)(), 7);
}

void test_cancel()
{
    const Proxy proxy = arrayproxy::open("tests/data/mni152_t1.nii.gz");
    Control control;
    std::atomic<bool> has_begun{false};
    control.on_progress([&](std::uint64_t, std::uint64_t) {
        has_begun = true;
        return true;
    });
    std::thread canceller([&] {
        while (!has_begun)
            std::this_thread::yield();
        control.cancel();
    });
    // Once cancelled it stays so, however fast the reads are.
    CHECK_ERROR(AP_ERR_CANCELLED,
                for (int turn = 0; turn < 10000; turn++) proxy.load<double>(How{0, &control}));
    canceller.join();
}

} // namespace

int main()
{
    return test::run("threads", {test_reads, test_errors, test_exceptions, test_concurrent_source,
                                 test_cancel});
}

// One handle in many threads: reads, a cancel from another thread, exceptions of each.
#include "test.hpp"

#include <algorithm>
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
    const arrayproxy::Plan plan = proxy.plan<float>();
    CHECK_EQUAL(in_threads(8, [&](int thread) {
                    for (int turn = 0; turn < 50; turn++) {
                        Control control;
                        control.on_progress(
                            [&](std::uint64_t, std::uint64_t) -> bool { throw thread; });
                        try {
                            if (turn % 2 == 0)
                                proxy.read<float>(How{0, &control});
                            else
                                plan.read<float>(&control);
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

// What is thrown on one of the library's threads stays there: the library reads that part
// again, or the call throws AP_ERR_CALLBACK. On the caller's thread the call throws it.
void test_concurrent_source()
{
    enum class Who { nobody, others, everybody };
    std::atomic<Who> failing{Who::nobody};
    std::atomic<int> lost{0};
    const std::size_t size = 8 << 20;
    const std::vector<std::uint8_t> bytes(size, 7);
    thread_local bool is_caller = false;
    const auto read = [&](void *buffer, std::size_t room, std::uint64_t offset) {
        if (failing == Who::everybody || (failing == Who::others && !is_caller)) {
            lost += is_caller ? 0 : 1;
            throw std::runtime_error("gone");
        }
        const std::size_t start = std::min(static_cast<std::size_t>(offset), bytes.size());
        const std::size_t count = std::min(room, bytes.size() - start);
        std::copy_n(bytes.data() + start, count, static_cast<std::uint8_t *>(buffer));
        return count;
    };
    const Proxy proxy = arrayproxy::open(
        arrayproxy::Source::callbacks(read, bytes.size(), AP_SOURCE_CONCURRENT),
        arrayproxy::Layout{AP_UINT8, {static_cast<std::int64_t>(size)}},
        arrayproxy::Options("threads=2,codec=none,cache_bytes=0"));
    const auto works = [&](int) {
        is_caller = true;
        const auto values = proxy.read<std::uint8_t>();
        return std::count(values.begin(), values.end(), 7) == static_cast<long>(size);
    };
    CHECK_EQUAL(in_threads(4, works), 0);
    failing = Who::others;
    int troubles = 0; // the library may need no other thread if the machine is busy
    for (int turn = 0; turn < 100 && lost == 0; turn++)
        troubles += in_threads(4, [&](int thread) {
            try {
                return works(thread);
            } catch (const arrayproxy::error &e) {
                return e.code() == AP_ERR_CALLBACK;
            }
        });
    CHECK_EQUAL(troubles, 0);
    CHECK(lost > 0);
    failing = Who::everybody;
    CHECK_EQUAL(in_threads(4, [&](int thread) {
                    try {
                        works(thread);
                    } catch (const arrayproxy::error &e) {
                        return e.code() == AP_ERR_CALLBACK;
                    } catch (const std::runtime_error &e) {
                        return e.what() == std::string("gone");
                    }
                    return false;
                }),
                0);
    failing = Who::nobody;
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

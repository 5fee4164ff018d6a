// Errors, and exceptions in callbacks: they never pass through C.
#include "test.hpp"

#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>

namespace {

using arrayproxy::Control, arrayproxy::How, arrayproxy::Proxy, arrayproxy::rest,
    arrayproxy::Source;

const std::string bold = "tests/data/example4d.nii.gz";
const std::string anatomy = "tests/data/mni152_t1.nii.gz";

struct OutOfPaper : std::exception {
    int sheets = 3;
};

std::string contents(const std::string &path)
{
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Reads `bytes`; throws while *is_failing.
Source source_of(const std::string &bytes, std::shared_ptr<bool> is_failing)
{
    const auto read = [bytes, is_failing](void *buffer, std::size_t size, std::uint64_t offset) {
        if (*is_failing)
            throw OutOfPaper();
        const std::size_t start = std::min(static_cast<std::size_t>(offset), bytes.size());
        const std::size_t count = std::min(size, bytes.size() - start);
        std::memcpy(buffer, bytes.data() + start, count);
        return count;
    };
    return Source::callbacks(read, bytes.size());
}

void test_errors()
{
    CHECK_ERROR(AP_ERR_NOT_FOUND, arrayproxy::open("tests/data/nothing.nii"));
    CHECK_ERROR(AP_ERR_FORMAT, arrayproxy::open("tests/data/README.md"));
    CHECK_ERROR(AP_ERR_ARGUMENT, arrayproxy::open(bold + std::string("\0.nii", 5)));
    CHECK_ERROR(AP_ERR_UNSUPPORTED, arrayproxy::open(bold, arrayproxy::Options("mmap=2")));
    CHECK_ERROR(AP_ERR_TRUNCATED, test::numbers<float>({1, 2}, {3}).read<float>());

    try {
        arrayproxy::open("tests/data/nothing.nii");
    } catch (const std::runtime_error &caught) {
        const auto &e = dynamic_cast<const arrayproxy::error &>(caught);
        CHECK_EQUAL(e.code(), AP_ERR_NOT_FOUND);
        CHECK_EQUAL(std::string(e.name()), "AP_ERR_NOT_FOUND");
        CHECK_EQUAL(e.os_error(), 2);
        CHECK(std::string(e.what()).find("nothing.nii") != std::string::npos);
    }
    try {
        float two[2];
        test::counted<float>({3}).plan<float>().read_packed(two, sizeof two);
    } catch (const arrayproxy::error &e) {
        CHECK_EQUAL(e.code(), AP_ERR_BUFFER);
        CHECK_EQUAL(e.detail(), 12);
    }
    const arrayproxy::error mine(AP_ERR_RANGE, "own text");
    const arrayproxy::error copy = mine;
    CHECK_EQUAL(std::string(copy.what()), "own text");
    CHECK_EQUAL(copy.detail(), 0);
}

void test_sources()
{
    auto is_failing = std::make_shared<bool>(false);
    {
        const Proxy proxy = arrayproxy::open(source_of(contents(bold), is_failing));
        CHECK_EQUAL(proxy.format(), "nifti1");
        CHECK_EQUAL(proxy.read<int>(60, 50, 10, 1)(), 444);
        CHECK(is_failing.use_count() > 1);
        *is_failing = true;
        proxy.trim();
        CHECK_THROWS(OutOfPaper, proxy.read<float>());
        try {
            proxy.read<float>(rest, 1);
            CHECK(!"read");
        } catch (const OutOfPaper &e) {
            CHECK_EQUAL(e.sheets, 3);
        }
        // What was thrown before is forgotten by then.
        CHECK_ERROR(AP_ERR_INDEX, proxy.read<float>(1000));
        *is_failing = false;
        CHECK_EQUAL(proxy.read<int>(60, 50, 10, 1)(), 444);
        *is_failing = true;
        CHECK_THROWS(OutOfPaper, arrayproxy::open(source_of(contents(bold), is_failing)));
    }
    CHECK_EQUAL(is_failing.use_count(), 1); // released

    const auto too_many = [](void *, std::size_t size, std::uint64_t) { return size + 1; };
    CHECK_ERROR(AP_ERR_CALLBACK, arrayproxy::open(Source::callbacks(too_many, 400)));
    const auto not_std = [](void *, std::size_t, std::uint64_t) -> std::size_t { throw 5; };
    CHECK_THROWS(std::bad_function_call, arrayproxy::open(Source::callbacks(nullptr, 400)));
    int thrown = 0;
    try {
        arrayproxy::open(Source::callbacks(not_std, 400));
    } catch (int number) {
        thrown = number;
    }
    CHECK_EQUAL(thrown, 5);
    CHECK_ERROR(AP_ERR_ARGUMENT, Source::callbacks(too_many, 400, 1024));
    try {
        Source::callbacks(too_many, UINT64_MAX);
        CHECK(!"made");
    } catch (const arrayproxy::error &e) {
        CHECK_EQUAL(e.code(), AP_ERR_ARGUMENT);
        CHECK(std::string(e.what()).find("18446744073709551615") != std::string::npos);
    }
}

// A source that reads through another handle, whose own source throws.
void test_nested()
{
    auto is_failing = std::make_shared<bool>(false);
    const arrayproxy::Layout layout{AP_UINT8, {6}};
    const arrayproxy::Options options("codec=none,cache_bytes=0");
    const Proxy inner = arrayproxy::open(source_of("abcdef", is_failing), layout, options);
    int caught = 0;
    const auto read = [&](void *buffer, std::size_t size, std::uint64_t offset) {
        const auto start = static_cast<std::int64_t>(offset);
        const auto stop = start + static_cast<std::int64_t>(size);
        std::vector<std::uint8_t> part;
        try {
            inner.read_into(part, arrayproxy::range(start, stop));
        } catch (const OutOfPaper &) {
            caught++;
            throw std::length_error("no data from inside");
        }
        std::copy(part.begin(), part.end(), static_cast<std::uint8_t *>(buffer));
        return part.size();
    };
    const Proxy outer = arrayproxy::open(Source::callbacks(read, 6), layout, options);
    CHECK_EQUAL(outer.read<int>(5)(), 'f');
    *is_failing = true;
    CHECK_THROWS(std::length_error, outer.read<int>());
    CHECK(caught > 0);
}

void test_progress()
{
    const Proxy proxy = arrayproxy::open(anatomy);
    const std::uint64_t size = 197 * 233 * 189;
    Control control;
    std::uint64_t steps = 0, last = 0, all = 0;
    control.on_progress([&](std::uint64_t done, std::uint64_t total) {
        steps++;
        last = done;
        all = total;
        return true;
    });
    CHECK_EQUAL(proxy.read<std::uint8_t>(How{0, &control}).size(), size);
    CHECK(steps > 2);
    CHECK_EQUAL(all, size);
    CHECK(last > 0 && last <= size);
    CHECK_EQUAL(control.progress().first, size);
    CHECK_EQUAL(control.progress().second, size);
    control.reset();
    CHECK_EQUAL(control.progress().first, 0U);

    // A moved control goes on with its function.
    Control moved = std::move(control);
    const std::uint64_t before = steps;
    proxy.load(How{0, &moved});
    CHECK(steps > before);
    moved.on_progress(nullptr);
    const std::uint64_t then = steps;
    moved.set_threads(2);
    proxy.load(How{0, &moved});
    CHECK_EQUAL(steps, then);
    control = std::move(moved);
    CHECK(control.get() != nullptr);

    // An interval below 0 is 0, not a month.
    steps = 0;
    control.on_progress([&](std::uint64_t, std::uint64_t) { return ++steps > 0; },
                        std::chrono::milliseconds(-1));
    proxy.load(How{0, &control});
    CHECK(steps > 2);
}

// A plan goes on with the control of its How wherever that is, or takes another.
void test_plans()
{
    static_assert(!std::is_constructible_v<arrayproxy::Watch, Control>);
    const Proxy proxy = arrayproxy::open(anatomy);
    Control first, other;
    const arrayproxy::Plan plan = proxy.plan<std::uint8_t>(How{0, &first}, rest, 9);
    Control moved = std::move(first);
    moved.cancel();
    other.cancel();
    std::vector<std::uint8_t> place;
    CHECK_ERROR(AP_ERR_CANCELLED, plan.read<std::uint8_t>());
    CHECK_ERROR(AP_ERR_CANCELLED, plan.read_into(place));
    moved.reset();
    CHECK_EQUAL(plan.read<std::uint8_t>().ndim(), 2U);
    CHECK_ERROR(AP_ERR_CANCELLED, plan.read<std::uint8_t>(&other));
    CHECK_ERROR(AP_ERR_CANCELLED, plan.read<std::uint8_t>(other));
    CHECK_ERROR(AP_ERR_CANCELLED, plan.read_into(place, &other));
    CHECK_ERROR(AP_ERR_CANCELLED, plan.read_packed(place.data(), place.size(), &other));
    arrayproxy::Nd<std::uint8_t> strided(plan.shape(), true);
    CHECK_ERROR(AP_ERR_CANCELLED, plan.read_into(strided, &other));
    moved.cancel();
    other.reset();
    plan.read_into(place, &other);
    CHECK_EQUAL(place.size(), 197U * 233U);
    CHECK_EQUAL(other.progress().first, 197U * 233U);
}

void test_stopping()
{
    const Proxy proxy = arrayproxy::open(anatomy);
    Control control;
    const How how{0, &control};
    int calls = 0;
    control.on_progress([&](std::uint64_t, std::uint64_t) { return ++calls < 2; });
    CHECK_ERROR(AP_ERR_CANCELLED, proxy.read<float>(how));
    CHECK_EQUAL(calls, 2);

    control.on_progress([](std::uint64_t, std::uint64_t) -> bool { throw OutOfPaper(); });
    control.reset();
    CHECK_THROWS(OutOfPaper, proxy.read<float>(how));
    CHECK_THROWS(OutOfPaper, proxy.load<float>(how));
    std::vector<float> values;
    CHECK_THROWS(OutOfPaper, proxy.read_into(values, how));
    CHECK_THROWS(OutOfPaper, arrayproxy::Image(proxy).data<float>(how));
    CHECK_THROWS(OutOfPaper, arrayproxy::open(anatomy).build_index(how));

    control.on_progress({}, std::chrono::milliseconds(5));
    control.reset();
    control.cancel();
    CHECK_ERROR(AP_ERR_CANCELLED, proxy.read<float>(how));
    CHECK_ERROR(AP_ERR_CANCELLED, proxy.volumes<float>(how).at(0));
    CHECK_ERROR(AP_ERR_CANCELLED, proxy.read_batch<float>({{rest}}, how));
    control.reset();
    CHECK_EQUAL(proxy.read<int>(how, 98, 116, 94)(), proxy.read<int>(98, 116, 94)());
}

} // namespace

int main()
{
    return test::run("callbacks",
                     {test_errors, test_sources, test_nested, test_progress, test_plans,
                      test_stopping});
}

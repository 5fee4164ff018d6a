// Indices, results and their places: what reads give and where they put it.
#include "test.hpp"

#include <array>
#include <iterator>
#if __cplusplus >= 202002L
#include <ranges>
#include <span>
#endif

// As the README has it, for a type of the program's own.
struct half {
    std::uint16_t bits;
};
template <> inline constexpr ap_dtype arrayproxy::dtype_of<half> = AP_FLOAT16;

namespace {

using arrayproxy::all, arrayproxy::at, arrayproxy::How, arrayproxy::Index, arrayproxy::Nd,
    arrayproxy::newaxis, arrayproxy::none, arrayproxy::range, arrayproxy::rest, arrayproxy::Shape,
    arrayproxy::View;

// What std::mdspan offers, for standard libraries without it.
template <class T> struct Grid {
    using element_type = T;
    using value_type = T;
    T *start;
    std::array<std::size_t, 2> lengths;
    std::array<std::size_t, 2> steps;

    T *data_handle() const { return start; }
    static constexpr std::size_t rank() { return 2; }
    std::size_t extent(std::size_t axis) const { return lengths[axis]; }
    std::size_t stride(std::size_t axis) const { return steps[axis]; }
};

void test_types()
{
    using arrayproxy::dtype_of;
    CHECK_EQUAL(dtype_of<bool>, AP_BOOL);
    CHECK_EQUAL(dtype_of<std::int8_t>, AP_INT8);
    CHECK_EQUAL(dtype_of<std::int16_t>, AP_INT16);
    CHECK_EQUAL(dtype_of<std::int32_t>, AP_INT32);
    CHECK_EQUAL(dtype_of<std::int64_t>, AP_INT64);
    CHECK_EQUAL(dtype_of<long long>, AP_INT64);
    CHECK_EQUAL(dtype_of<std::uint8_t>, AP_UINT8);
    CHECK_EQUAL(dtype_of<std::uint16_t>, AP_UINT16);
    CHECK_EQUAL(dtype_of<std::uint32_t>, AP_UINT32);
    CHECK_EQUAL(dtype_of<std::uint64_t>, AP_UINT64);
    CHECK_EQUAL(dtype_of<const float>, AP_FLOAT32);
    CHECK_EQUAL(dtype_of<double>, AP_FLOAT64);
    CHECK_EQUAL(dtype_of<std::complex<float>>, AP_COMPLEX64);
    CHECK_EQUAL(dtype_of<std::complex<double>>, AP_COMPLEX128);
    CHECK_EQUAL(dtype_of<arrayproxy::rgb24>, AP_RGB24);
    CHECK_EQUAL(dtype_of<arrayproxy::rgba32>, AP_RGBA32);
    CHECK_EQUAL(dtype_of<void>, AP_AUTO);
    CHECK_EQUAL(dtype_of<arrayproxy::disk>, AP_DISK);
#ifdef __STDCPP_FLOAT16_T__
    CHECK_EQUAL(dtype_of<std::float16_t>, AP_FLOAT16);
#endif
    CHECK_EQUAL(dtype_of<const half>, AP_FLOAT16);
    CHECK_EQUAL(dtype_of<const arrayproxy::rgb24>, AP_RGB24);
}

// 1, 2 and 3 as floats of 16 bits, in all that has the type in its own.
void test_own_type()
{
    const arrayproxy::Proxy proxy = test::numbers<half>({{0x3C00}, {0x4000}, {0x4200}}, {3});
    CHECK_EQUAL(proxy.dtype(), AP_FLOAT16);
    CHECK_EQUAL(proxy.read<float>().values(), test::list({1.0F, 2.0F, 3.0F}));
    const Nd<half> read = test::counted<float>({3}).read<half>();
    CHECK_EQUAL(read(1).bits, 0x3C00);
    CHECK_EQUAL(read.view().at(2).bits, 0x4000);
    const arrayproxy::Array wrapped = arrayproxy::Array::wrap(read.view());
    CHECK_EQUAL(wrapped.dtype(), AP_FLOAT16);
    CHECK_EQUAL(wrapped.view<const half>()(1).bits, 0x3C00);
    half place[3];
    proxy.read_into(place);
    CHECK_EQUAL(place[2].bits, 0x4200);
}

void test_indices()
{
    const arrayproxy::Proxy proxy = test::counted<std::int16_t>({4, 3, 2});
    const auto read = [&](const auto &...entries) {
        return proxy.read<int>(entries...).values();
    };
    CHECK_EQUAL(read(1, 2, 1), test::list({21}));
    CHECK_EQUAL(read(at(1), -1, std::size_t{1}), test::list({21}));
    CHECK_EQUAL(read(all, 0, 0), test::list({0, 1, 2, 3}));
    CHECK_EQUAL(read(range(0, none, 2), 0, 0), test::list({0, 2}));
    CHECK_EQUAL(read(range(none, none, -1), 0, 0), test::list({3, 2, 1, 0}));
    CHECK_EQUAL(read(range(1, 3), 0, 0), test::list({1, 2}));
    CHECK_EQUAL(read(0, rest, 1), test::list({12, 16, 20}));
    CHECK_EQUAL(read(rest, 1).size(), 12U);
    CHECK_EQUAL(read().size(), 24U);
    CHECK_EQUAL(read(Index(1, 2, 1)), test::list({21}));
    CHECK_EQUAL(read(Index::parse("::-1, 0, 0")), test::list({3, 2, 1, 0}));
    CHECK_EQUAL(Index::parse("1,1,1,1,1,1,1,1,1,1").size(), 10);
    CHECK_EQUAL(proxy.read<int>(newaxis, 0, rest).shape(), Shape{1, 3, 2});
    CHECK_EQUAL(proxy.read<int>(range(2, 2)).shape(), Shape{0, 3, 2});
    CHECK_EQUAL(proxy.read<int>(1, 1, 1).shape(), Shape{});
    CHECK_EQUAL(proxy.shape_of({all, 1}), Shape{4, 2});
    CHECK_ERROR(AP_ERR_INDEX, read(4));
    CHECK_ERROR(AP_ERR_INDEX, read(SIZE_MAX)); // not -1
    CHECK_ERROR(AP_ERR_INDEX, read(0, 0, 0, 0));
    CHECK_ERROR(AP_ERR_INDEX, read(rest, rest));
    CHECK_ERROR(AP_ERR_ARGUMENT, read(range(0, 1, 0)));
}

void test_results()
{
    const arrayproxy::Proxy proxy = test::counted<std::int16_t>({4, 3, 2});
    Nd<float> columns = proxy.read<float>();
    CHECK_EQUAL(columns.strides(), Shape{1, 4, 12});
    CHECK_EQUAL(columns(3, 1, 1), 19.0F);
    CHECK_EQUAL(columns.at(3, 1, 1), 19.0F);
    CHECK_EQUAL(columns.ndim(), 3U);
    CHECK(!columns.empty());
    columns(3, 1, 1) = 5;
    CHECK_EQUAL(columns.data()[19], 5.0F);
    CHECK_THROWS(std::out_of_range, columns.at(4, 0, 0));
    CHECK_THROWS(std::out_of_range, columns.at(0, -1, 0));
    CHECK_THROWS(std::out_of_range, columns.at(0, 0));
    CHECK_THROWS(std::out_of_range, columns.at(0, 0, 0, 0));

    const Nd<float> rows = proxy.read<float>(How{AP_READ_C}, rest);
    CHECK_EQUAL(rows.strides(), Shape{6, 2, 1});
    CHECK_EQUAL(rows(3, 1, 1), 19.0F);
    CHECK_EQUAL(rows.at(3, 1, 1), 19.0F);
    CHECK_EQUAL(rows.values()[1], 12.0F);

    const Nd<double> scalar = proxy.read<double>(3, 2, 1);
    CHECK_EQUAL(scalar(), 23.0);
    CHECK_EQUAL(scalar.at(), 23.0);
    CHECK_EQUAL(proxy.read<double>(all, 2, 1).at(3), 23.0);
    CHECK_THROWS(std::out_of_range, proxy.read<double>(all, 2, 1).at(4));
    CHECK(Nd<double>().empty());

    // Shapes in braces, those with a 0 too.
    CHECK_EQUAL(Nd<float>({0, 3}).shape(), Shape{0, 3});
    CHECK_EQUAL(Nd<float>({0, 1}).shape(), Shape{0, 1});
    CHECK_EQUAL(Nd<float>({3, 0}, true).shape(), Shape{3, 0});
    CHECK_EQUAL(Nd<float>({0, 0, 0}).shape(), Shape{0, 0, 0});
    CHECK_EQUAL(Nd<float>({0}).shape(), Shape{0});
    CHECK_EQUAL(Nd<float>({2, 3}, true).strides(), Shape{3, 1});
    const Nd<float> none_of_many({INT64_MAX / 2, 4, 0});
    CHECK_EQUAL(none_of_many.strides(), Shape{0, 0, 0});
    CHECK(none_of_many.empty());
    CHECK_ERROR(AP_ERR_ARGUMENT, Nd<float>({-1}));

    double sum = 0;
    for (const double value : proxy.read<double>(all, 0, 0))
        sum += value;
    CHECK_EQUAL(sum, 6.0);
    const std::vector<int> taken = proxy.read<int>(all, 1, 0).values();
    CHECK_EQUAL(taken, test::list({4, 5, 6, 7}));
}

void test_types_read()
{
    const auto scaled = test::numbers<std::int16_t>({-3, 1, 300, 7}, {4}, 0.5);
    CHECK(scaled.is_scaled());
    CHECK_EQUAL(scaled.read<double>().values(), test::list({-1.5, 0.5, 150.0, 3.5}));
    CHECK_EQUAL(scaled.read<int>().values(), test::list({-1, 0, 150, 3}));
    CHECK_EQUAL(scaled.read<int>(How{AP_READ_ROUND}).values(), test::list({-2, 0, 150, 4}));
    CHECK_EQUAL(scaled.read<int>(How{AP_READ_RAW}).values(), test::list({-3, 1, 300, 7}));
    CHECK_EQUAL(scaled.plan<arrayproxy::disk>().dtype(), AP_INT16);
    CHECK_EQUAL(scaled.plan<void>().dtype(), AP_FLOAT64);
    CHECK_EQUAL(scaled.plan_as(AP_UINT8).nbytes(), 4U);
    CHECK_ERROR(AP_ERR_RANGE, scaled.read<std::int8_t>(How{AP_READ_CHECKED}));

    using complex = std::complex<double>;
    const auto numbers = test::numbers<complex>({{1, -2}, {3, 4}}, {2});
    CHECK_EQUAL(numbers.read<complex>().values(), test::list({complex(1, -2), complex(3, 4)}));
    CHECK_EQUAL(numbers.read<std::complex<float>>()(1), std::complex<float>(3, 4));

    const auto colours = test::numbers<arrayproxy::rgb24>({{1, 2, 3}, {4, 5, 6}}, {2});
    CHECK_EQUAL(static_cast<int>(colours.read<arrayproxy::rgb24>()(1).b), 6);
    CHECK_ERROR(AP_ERR_UNSUPPORTED, colours.read<float>());

    bool flags[4] = {};
    scaled.plan<bool>().read_into(View<bool>(flags, {4}));
    CHECK(flags[0] && flags[3]);
}

void test_places()
{
    const arrayproxy::Proxy proxy = test::counted<std::int16_t>({4, 3, 2});

    std::vector<float> values(1000, 7.0F);
    proxy.read_into(values, all, 1, 1);
    CHECK_EQUAL(values, test::list({16.0F, 17.0F, 18.0F, 19.0F}));

    std::array<std::int32_t, 4> four{};
    proxy.read_into(four, all, 0, 1);
    CHECK_EQUAL(four[3], 15);
    // What does not resize has just as many elements as the result.
    CHECK_ERROR(AP_ERR_BUFFER, proxy.read_into(four, all, all, 1));
    CHECK_ERROR(AP_ERR_ARGUMENT, proxy.read_into(four, range(0, 3), 0, 1));
    try {
        proxy.read_into(four, all, all, 1);
    } catch (const arrayproxy::error &e) {
        CHECK_EQUAL(std::string(e.what()), "the result has 12 elements, its place 4");
        CHECK_EQUAL(e.detail(), 48);
    }
    float plain[4];
    proxy.read_into(plain, all, 2, 1);
    CHECK_EQUAL(plain[3], 23.0F);
    proxy.plan<float>(all, 1, 1).read_into(plain);
    CHECK_EQUAL(plain[3], 19.0F);
    CHECK_ERROR(AP_ERR_BUFFER, proxy.read_into(plain, all, all, 1));
    CHECK_ERROR(AP_ERR_ARGUMENT, proxy.read_into(plain, 0, 0, 0));
    proxy.read_into(std::array<float, 0>(), range(1, 1));

    std::int16_t memory[30];
    std::fill(std::begin(memory), std::end(memory), std::int16_t{-1});
    proxy.read_into(View<std::int16_t>(memory + 1, {3, 2}), 0);
    CHECK_EQUAL(std::vector<std::int16_t>(memory, memory + 8),
                test::list<std::int16_t>({-1, 0, 4, 8, 12, 16, 20, -1}));

    // Backwards along the first axis, with room between the columns.
    std::fill(std::begin(memory), std::end(memory), std::int16_t{-1});
    proxy.read_into(View<std::int16_t>(memory + 3, {4, 2}, {-1, 10}), How{}, all, 0);
    CHECK_EQUAL(std::vector<std::int16_t>(memory, memory + 5),
                test::list<std::int16_t>({3, 2, 1, 0, -1}));
    CHECK_EQUAL(std::vector<std::int16_t>(memory + 10, memory + 15),
                test::list<std::int16_t>({15, 14, 13, 12, -1}));

    Nd<double> kept({4, 3}, true);
    proxy.read_into(kept, rest, 1);
    CHECK_EQUAL(kept(3, 2), 23.0);
    CHECK_EQUAL(kept.values()[1], 16.0);
    CHECK_ERROR(AP_ERR_ARGUMENT, proxy.read_into(kept, rest));
    CHECK_ERROR(AP_ERR_ARGUMENT, View<std::int16_t>(memory, {2, 2}, {1}));
    Nd<float> nothing({0, 3, 2});
    proxy.read_into(nothing, range(4, 4));
    CHECK(nothing.empty());
    std::int16_t *no_memory = nullptr;
    proxy.read_into(View<std::int16_t>(no_memory, {3, 0}, {-5, 1}), 0, all, range(1, 1));

    // Strides that reach farther than memory does, both ways.
    for (const std::int64_t stride : {INT64_MAX, INT64_MAX / 2, INT64_MIN, INT64_MIN / 8})
        CHECK_ERROR(AP_ERR_ARGUMENT,
                    proxy.read_into(View<float>(plain, {2}, {stride}), range(0, 2), 0, 0));
    const std::int64_t eighth = INT64_MAX / 8 / 4;
    CHECK_ERROR(AP_ERR_ARGUMENT, proxy.read_into(View<float>(plain, {4, 3}, {eighth, 3 * eighth}),
                                                 rest, 0));

    Nd<float> written({2, 3});
    const View<const float> seen = written.view();
    CHECK(seen.data() == written.data() && seen.strides() == written.strides());
    CHECK_EQUAL(seen.size(), 6U);
    CHECK(!seen.empty() && View<float>(nullptr, {INT64_MAX / 2, 4, 0}).empty());
    static_assert(!std::is_constructible_v<View<float>, View<const float>>);
    static_assert(!std::is_constructible_v<View<const double>, View<float>>);

    float packed[24];
    const arrayproxy::Plan plan = proxy.plan<float>();
    plan.read_packed(packed, sizeof packed);
    CHECK_EQUAL(packed[23], 23.0F);
    CHECK_EQUAL(plan.cost(), 48);
    CHECK_ERROR(AP_ERR_ARGUMENT, plan.read<double>()); // the plan reads float32
    std::vector<int> others;
    CHECK_ERROR(AP_ERR_ARGUMENT, plan.read_into(others));

    std::vector<float> square(12);
    proxy.read_into(Grid<float>{square.data(), {4, 3}, {3, 1}}, all, all, 1);
    CHECK_EQUAL(square[1], 16.0F);
    CHECK_EQUAL(square[11], 23.0F);
    CHECK_ERROR(AP_ERR_ARGUMENT,
                proxy.read_into(Grid<float>{square.data(), {3, 4}, {4, 1}}, all, all, 1));
}

void test_standard_views()
{
    const arrayproxy::Proxy proxy = test::counted<std::int16_t>({4, 3, 2});
#ifdef __cpp_lib_span
    std::vector<float> values(6, -1.0F);
    proxy.read_into(std::span(values).subspan(1, 4), all, 2, 1);
    CHECK_EQUAL(values, test::list({-1.0F, 20.0F, 21.0F, 22.0F, 23.0F, -1.0F}));
    bool flags[4] = {true, false, false, false};
    proxy.read_into(std::span<bool, 4>(flags), all, 0, 0);
    CHECK(!flags[0] && flags[1] && flags[2] && flags[3]);
    CHECK_ERROR(AP_ERR_BUFFER, proxy.read_into(std::span(values), all));
    CHECK_ERROR(AP_ERR_ARGUMENT, proxy.read_into(std::span(values), all, 2, 1));
    static_assert(!arrayproxy::detail::is_owner<std::span<float>>);
#endif
#ifdef __cpp_lib_ranges
    static_assert(std::ranges::input_range<arrayproxy::Volumes<float>>);
    static_assert(std::ranges::input_range<arrayproxy::Volumes<arrayproxy::Proxy>>);
    double sum = 0;
    const auto volumes = proxy.volumes<double>();
    for (const double first : volumes | std::views::transform([](auto nd) { return nd(0, 0); }))
        sum += first;
    CHECK_EQUAL(sum, 12.0);
#endif
    CHECK_EQUAL(proxy.ndim(), 3);
}

void test_volumes()
{
    const arrayproxy::Proxy proxy = test::counted<std::int16_t>({4, 3, 2});
    std::vector<double> firsts;
    for (const arrayproxy::Proxy &volume : proxy.volumes()) {
        CHECK_EQUAL(volume.shape(), Shape{4, 3});
        firsts.push_back(volume.read<double>(0, 0)());
    }
    for (const Nd<double> &volume : proxy.volumes<double>(How{AP_READ_C})) {
        CHECK_EQUAL(volume.strides(), Shape{3, 1});
        firsts.push_back(volume(3, 2));
    }
    CHECK_EQUAL(firsts, test::list({0.0, 12.0, 11.0, 23.0}));
    // Of a proxy that is gone.
    for (const auto &volume : test::counted<float>({2, 3}).volumes<float>())
        firsts.push_back(static_cast<double>(volume(1)));
    CHECK_EQUAL(firsts.size(), 7U);
    CHECK_EQUAL(firsts.back(), 5.0);

    const auto volumes = proxy.volumes<int>();
    CHECK_EQUAL(volumes.size(), 2);
    auto it = volumes.begin();
    CHECK_EQUAL(it->shape(), Shape{4, 3});
    CHECK_EQUAL(proxy.volumes().begin()->ndim(), 2);
    CHECK_EQUAL((*it++)(0, 0), 0);
    CHECK_EQUAL((*it)(0, 0), 12);
    CHECK(++it == volumes.end());
    CHECK_EQUAL(volumes.at(-1)(0, 0), 12);
    CHECK_ERROR(AP_ERR_INDEX, volumes.at(2));
    CHECK_ERROR(AP_ERR_INDEX, test::counted<float>({}).volumes());
}

void test_batch()
{
    const arrayproxy::Proxy proxy = test::counted<std::int16_t>({4, 3, 2});
    const std::vector<Index> indices{{all, 1, 0}, {range(0, 2), 0, 1}, {range(0, 0), 0, 0}};
    CHECK_EQUAL(proxy.read_batch<int>(indices), test::list({4, 5, 6, 7, 12, 13}));
    CHECK_EQUAL(proxy.read_batch<int>({}).size(), 0U);
    CHECK_EQUAL(proxy.read_batch<int>({{range(0, 0)}, {range(4, 4)}}).size(), 0U);
    CHECK_EQUAL(proxy.read_batch<int>({{range(0, 2), all, 0}}, How{AP_READ_C}),
                test::list({0, 4, 8, 1, 5, 9}));
    CHECK_ERROR(AP_ERR_ARGUMENT, proxy.read_batch<int>({{all, 1}, {0}}));
    CHECK_ERROR(AP_ERR_INDEX, proxy.read_batch<int>({Index(4)}));
}

void test_lists()
{
    const arrayproxy::Proxy proxy = test::counted<std::int16_t>({4, 3, 2});
    const std::vector<std::int64_t> some{3, 0, -1}, none_at_all;
    const auto one = proxy.plan_lists<int>({some, std::nullopt, {{1}}}).read<int>();
    CHECK_EQUAL(one.shape(), Shape{3, 3, 1});
    CHECK_EQUAL(one.values(), test::list({15, 12, 15, 19, 16, 19, 23, 20, 23}));
    const auto rows = proxy.plan_lists<int>({some, {{1}}, {{0}}}, How{AP_READ_C});
    CHECK_EQUAL(rows.read<int>().values(), test::list({7, 4, 7}));
    CHECK_EQUAL(proxy.plan_lists<int>({none_at_all, {{2, 0}}, {{1}}}).shape(), Shape{0, 2, 1});
    CHECK_ERROR(AP_ERR_INDEX, proxy.plan_lists<int>({{{4}}, std::nullopt, std::nullopt}));
    CHECK_ERROR(AP_ERR_INDEX, proxy.plan_lists<int>({some}));
}

} // namespace

int main()
{
    return test::run("reading", {test_types, test_own_type, test_indices, test_results,
                                 test_types_read, test_places, test_standard_views, test_volumes,
                                 test_batch, test_lists});
}

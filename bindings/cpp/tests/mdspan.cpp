// std::mdspan of results and as their place: the standard library's, or what stands in for it.
#include "test.hpp"

#ifndef __cpp_lib_mdspan
#error "there is no <mdspan>"
#endif

namespace {

using arrayproxy::all, arrayproxy::Nd, arrayproxy::range;

template <class T, class = void> constexpr bool has_mdspan = false;
template <class T>
constexpr bool has_mdspan<T, std::void_t<decltype(std::declval<T>().template mdspan<3>())>> = true;
static_assert(has_mdspan<Nd<float> &> && has_mdspan<const Nd<float> &>);
static_assert(!has_mdspan<Nd<float>> && !has_mdspan<const Nd<float>>); // it would dangle

void test_results()
{
    const arrayproxy::Proxy proxy = test::counted<std::int16_t>({4, 3, 2});
    Nd<float> read = proxy.read<float>();
    const Nd<float> &same = read;
    const auto grid = read.mdspan<3>();
    CHECK_EQUAL(grid[std::array{3, 1, 1}], 19.0F);
    grid[std::array{3, 1, 1}] = 5;
    CHECK_EQUAL(read(3, 1, 1), 5.0F);
    const auto constant = same.mdspan<3>();
    CHECK_EQUAL(constant.stride(2), 12);
    CHECK_EQUAL(constant.extent(1), 3);
    static_assert(std::is_same_v<decltype(constant)::element_type, const float>);
    CHECK_ERROR(AP_ERR_ARGUMENT, read.mdspan<2>());

    Nd<float> none = proxy.read<float>(range(2, 2));
    CHECK_EQUAL(none.mdspan<3>().extent(0), 0);
    CHECK_EQUAL(none.mdspan<3>().stride(2), 1);
    Nd<float> one = proxy.read<float>(3, 2, 1);
    CHECK_EQUAL(one.mdspan<0>()[std::array<int, 0>()], 23.0F);
}

void test_places()
{
    const arrayproxy::Proxy proxy = test::counted<std::int16_t>({4, 3, 2});
    std::vector<float> square(12);
    using Extents = std::dextents<std::int64_t, 2>;
    const std::layout_stride::mapping<Extents> rows(Extents(4, 3), std::array{3, 1});
    const std::mdspan<float, Extents, std::layout_stride> place(square.data(), rows);
    proxy.read_into(place, all, all, 1);
    CHECK_EQUAL(square[1], 16.0F);
    CHECK_EQUAL(square[11], 23.0F);
    CHECK_ERROR(AP_ERR_ARGUMENT, proxy.read_into(place, all, all));

    Nd<double> whole({4, 3, 2}, true);
    proxy.read_into(whole.mdspan<3>());
    CHECK_EQUAL(whole(3, 1, 1), 19.0);
}

} // namespace

int main()
{
    return test::run("mdspan", {test_results, test_places});
}

// Each class: making, moving, what it tells. Files are those of tests/data.
#include "test.hpp"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string_view>

namespace {

using arrayproxy::all, arrayproxy::Array, arrayproxy::How, arrayproxy::Image, arrayproxy::Nd,
    arrayproxy::none, arrayproxy::Options, arrayproxy::Proxy, arrayproxy::range, arrayproxy::rest,
    arrayproxy::Shape, arrayproxy::View;

const std::string bold = "tests/data/example4d.nii.gz";
const std::string scaled = "tests/data/functional.nii";
const std::string folder = "target/bindings/cpp/";

template <class T> constexpr bool moves_only()
{
    return std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T> &&
           !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T>;
}
static_assert(moves_only<Proxy>() && moves_only<Array>() && moves_only<arrayproxy::Plan>());
static_assert(moves_only<Options>() && moves_only<arrayproxy::Source>() && moves_only<Image>());
static_assert(moves_only<arrayproxy::Series>() && moves_only<arrayproxy::Control>());

// Nothing points into a temporary.
template <class T, class = void> constexpr bool has_typed_view = false;
template <class T>
constexpr bool has_typed_view<T, std::void_t<decltype(std::declval<T>().template view<float>())>> =
    true;
template <class T, class = void> constexpr bool has_own_view = false;
template <class T>
constexpr bool has_own_view<T, std::void_t<decltype(std::declval<T>().view())>> = true;
static_assert(has_typed_view<Array &> && has_typed_view<const Array &>);
static_assert(!has_typed_view<Array> && !has_typed_view<const Array>);
static_assert(has_own_view<Nd<float> &> && has_own_view<const Nd<float> &>);
static_assert(!has_own_view<Nd<float>> && !has_own_view<const Nd<float>>);
static_assert(std::is_same_v<decltype(std::declval<Nd<float>>()(0)), float>);
static_assert(std::is_same_v<decltype(std::declval<const Nd<float>>().at(0)), float>);
static_assert(std::is_same_v<decltype(std::declval<Nd<float> &>().at(0)), float &>);
static_assert(std::is_same_v<decltype(std::declval<const Nd<float> &>()(0)), const float &>);

// What keeps its memory may be a source's.
static_assert(arrayproxy::detail::is_owner<std::string> &&
              arrayproxy::detail::is_owner<std::vector<float>> &&
              arrayproxy::detail::is_owner<std::array<float, 3>> &&
              arrayproxy::detail::is_owner<Nd<float>>);
static_assert(!arrayproxy::detail::is_owner<std::string_view> &&
              !arrayproxy::detail::is_owner<View<float>>);

// Volumes that are proxies have no How to heed.
template <class T, class = void> constexpr bool takes_how = false;
template <class T>
constexpr bool takes_how<T, std::void_t<decltype(std::declval<T>().volumes(How{}))>> = true;
static_assert(!takes_how<Proxy>);

void test_moves()
{
    Proxy first = arrayproxy::open(bold);
    Proxy second = std::move(first);
    CHECK_EQUAL(second.ndim(), 4);
    CHECK(first.get() == nullptr);
    CHECK_ERROR(AP_ERR_NULL, first.ndim());
    CHECK_ERROR(AP_ERR_NULL, first.shape());
    CHECK_ERROR(AP_ERR_NULL, first.read<float>());
    CHECK_ERROR(AP_ERR_NULL, first.volumes());

    first = second.clone();
    second = std::move(first);
    CHECK_EQUAL(second.read<int>(60, 50, 10, 1)(), 444);
    second = arrayproxy::open(scaled);
    CHECK_EQUAL(second.ndim(), 4);

    arrayproxy::Plan plan = second.plan<float>(rest, 0);
    second = arrayproxy::open(bold); // the plan keeps its file
    arrayproxy::Plan moved = std::move(plan);
    CHECK_EQUAL(moved.read<float>().shape(), Shape{17, 21, 3});

    Nd<float> values = moved.read<float>();
    const float *where = values.data();
    Nd<float> owner = std::move(values);
    CHECK(owner.data() == where);
    const Nd<float> copy = owner;
    CHECK(copy.values() == owner.values() && copy.data() != where);
    Nd<float> &same = owner;
    owner = std::move(same);
    CHECK(owner.data() == where);
    CHECK_EQUAL(owner.shape(), Shape{17, 21, 3});
    CHECK_EQUAL(owner.values(), copy.values());

    std::vector<Proxy> many;
    for (int i = 0; i < 20; i++)
        many.push_back(second.slice(i));
    CHECK_EQUAL(many[19].shape(), Shape{96, 24, 2});
}

// What was moved from has no elements, or is refused by all that is asked of it.
void test_empty()
{
    const Proxy kept = arrayproxy::open(bold);
    Proxy proxy = kept.clone();
    arrayproxy::Plan plan = proxy.plan<int>(60, 50, 10, 1);
    Nd<int> nd = plan.read<int>();
    Array array = nd.array();
    Image image(proxy);
    Options options("threads=2");
    arrayproxy::Source source = arrayproxy::Source::file(bold);
    arrayproxy::Series series({bold});
    arrayproxy::Control control;
    {
        const Proxy p = std::move(proxy);
        const arrayproxy::Plan q = std::move(plan);
        const Nd<int> n = std::move(nd);
        const Array a = std::move(array);
        const Image i = std::move(image);
        const Options o = std::move(options);
        const arrayproxy::Source s = std::move(source);
        const arrayproxy::Series t = std::move(series);
        const arrayproxy::Control c = std::move(control);
        CHECK_EQUAL(arrayproxy::open(s, o).read<int>(How{}, 60, 50, 10, 1)(), n());
    }
    CHECK(nd.empty() && nd.data() == nullptr && nd.get() == nullptr && nd.values().empty());
    CHECK_EQUAL(nd.shape(), Shape{0});
    CHECK_EQUAL(nd.strides(), Shape{0});
    CHECK(nd.view().empty());
    CHECK_THROWS(std::out_of_range, nd.at());
    CHECK_THROWS(std::out_of_range, nd.at(0));
    CHECK_ERROR(AP_ERR_ARGUMENT, kept.read_into(nd, 60, 50, 10, 1));
    CHECK_ERROR(AP_ERR_NULL, nd.array());
    const Nd<int> empty = nd;
    CHECK_EQUAL(empty.shape(), Shape{0});
    nd = kept.read<int>(60, 50, 10);
    CHECK_EQUAL(nd.at(1), 444);

    CHECK(proxy.get() == nullptr && plan.get() == nullptr && series.get() == nullptr);
    CHECK_ERROR(AP_ERR_NULL, proxy.clone());
    CHECK_ERROR(AP_ERR_NULL, proxy.size());
    CHECK_ERROR(AP_ERR_NULL, proxy.dtype());
    CHECK_ERROR(AP_ERR_NULL, proxy.auto_dtype());
    CHECK_ERROR(AP_ERR_NULL, proxy.order());
    CHECK_ERROR(AP_ERR_NULL, proxy.byte_order());
    CHECK_ERROR(AP_ERR_NULL, proxy.format());
    CHECK_ERROR(AP_ERR_NULL, proxy.codec());
    CHECK_ERROR(AP_ERR_NULL, proxy.header());
    CHECK_ERROR(AP_ERR_NULL, proxy.warnings());
    CHECK_ERROR(AP_ERR_NULL, proxy.fields());
    CHECK_ERROR(AP_ERR_NULL, proxy.trim());
    CHECK_ERROR(AP_ERR_NULL, proxy.read_batch<int>({{0}}));
    CHECK_ERROR(AP_ERR_NULL, Image(proxy).shape());

    std::vector<int> values;
    CHECK_ERROR(AP_ERR_NULL, plan.dtype());
    CHECK_ERROR(AP_ERR_NULL, plan.shape());
    CHECK_ERROR(AP_ERR_NULL, plan.nbytes());
    CHECK_ERROR(AP_ERR_NULL, plan.cost());
    CHECK_ERROR(AP_ERR_NULL, plan.read<int>());
    CHECK_ERROR(AP_ERR_NULL, plan.read_into(values));
    CHECK_ERROR(AP_ERR_NULL, plan.read_into(nd));
    CHECK_ERROR(AP_ERR_NULL, plan.read_packed(nd.data(), 4));

    CHECK_ERROR(AP_ERR_NULL, array.data());
    CHECK_ERROR(AP_ERR_NULL, array.dtype());
    CHECK_ERROR(AP_ERR_NULL, array.flags());
    CHECK_ERROR(AP_ERR_NULL, array.view<int>());
    CHECK_ERROR(AP_ERR_NULL, array.clone());
    CHECK_ERROR(AP_ERR_NULL, Image(array).shape());
    CHECK_ERROR(AP_ERR_NULL, image.proxy());
    CHECK_ERROR(AP_ERR_NULL, image.header());
    CHECK_ERROR(AP_ERR_NULL, image.uncache());

    CHECK_ERROR(AP_ERR_NULL, options.set(AP_OPT_THREADS, 1));
    CHECK_ERROR(AP_ERR_NULL, arrayproxy::open(bold, options));
    CHECK_ERROR(AP_ERR_NULL, Image(bold, options).shape());
    CHECK_EQUAL(arrayproxy::open(bold, Options::defaults()).ndim(), 4);
    CHECK_ERROR(AP_ERR_NULL, arrayproxy::open(source));
    CHECK_ERROR(AP_ERR_NULL, arrayproxy::open(arrayproxy::Source::file(bold), source));
    CHECK_ERROR(AP_ERR_NULL, series.add(bold));
    CHECK_ERROR(AP_ERR_NULL, series.open());

    CHECK_ERROR(AP_ERR_NULL, kept.read<int>(How{0, &control}));
    CHECK_ERROR(AP_ERR_NULL, kept.plan<int>().read<int>(&control));
    CHECK_ERROR(AP_ERR_NULL, control.cancel());
    CHECK_ERROR(AP_ERR_NULL, control.reset());
    CHECK_ERROR(AP_ERR_NULL, control.progress());
    CHECK_ERROR(AP_ERR_NULL, control.set_threads(1));
    CHECK_ERROR(AP_ERR_NULL, control.on_progress(nullptr));
}

void test_metadata()
{
    const Proxy proxy = arrayproxy::open(bold);
    CHECK_EQUAL(proxy.shape(), Shape{128, 96, 24, 2});
    CHECK_EQUAL(proxy.size(), 128 * 96 * 24 * 2);
    CHECK_EQUAL(proxy.dtype(), AP_INT16);
    CHECK_EQUAL(proxy.auto_dtype(), AP_INT16);
    CHECK_EQUAL(proxy.order(), AP_ORDER_F);
    CHECK_EQUAL(proxy.byte_order(), AP_LITTLE);
    CHECK_EQUAL(proxy.data_offset(), 416);
    CHECK_EQUAL(proxy.format(), "nifti1");
    CHECK_EQUAL(proxy.codec(), "gzip");
    CHECK(!proxy.is_scaled());
    CHECK_EQUAL(proxy.header().size(), 348U);
    CHECK_EQUAL(static_cast<int>(proxy.header()[0]), 348 % 256);
    CHECK(proxy.warnings().empty());

    const arrayproxy::Affine affine = proxy.affine();
    CHECK_EQUAL(affine[0][0], -2.0);
    CHECK(affine[0][3] > 117.855 && affine[0][3] < 117.856);
    CHECK(affine[1][3] < -35.7 && affine[2][1] > 0.3);
    CHECK_EQUAL(affine[3][3], 1.0);
    CHECK_EQUAL(proxy.xform_code(), 1);
    CHECK(proxy.affine(AP_AFFINE_QFORM)[0][0] < -1.99);
    CHECK_EQUAL(proxy.zooms().size(), 4U);
    CHECK_EQUAL(proxy.zooms()[3], 2000.0);
    CHECK_EQUAL(proxy.zooms(3), test::list({2.0, 2.0, proxy.zooms()[2]}));
    CHECK_EQUAL(proxy.chunk_shape(128 * 96 * 24 * 2), Shape{128, 96, 24, 1});

    const std::vector<std::string> fields = proxy.fields();
    CHECK_EQUAL(fields.front(), "sizeof_hdr");
    CHECK_EQUAL(fields.back(), "orientation");
    CHECK_EQUAL(proxy.field_text("orientation"), "LAS");
    CHECK_EQUAL(proxy.field_text("xyzt_units"), "mm, sec");
    CHECK_EQUAL(proxy.field_ints("dim"), Shape{4, 128, 96, 24, 2, 1, 1, 1});
    CHECK_EQUAL(proxy.field_reals("srow_x").size(), 4U);
    CHECK_ERROR(AP_ERR_ARGUMENT, proxy.field_text("nothing"));
    CHECK_ERROR(AP_ERR_UNSUPPORTED, proxy.field_ints("magic"));

    const std::vector<arrayproxy::Extension> extensions = proxy.extensions();
    CHECK_EQUAL(extensions.size(), 2U);
    CHECK_EQUAL(extensions[0].code, 6);
    CHECK_EQUAL(extensions[1].bytes.size(), 24U);
    CHECK(extensions[0].bytes[0] != std::byte{0});

    const auto [slope, inter] = arrayproxy::open(scaled).scale_factors();
    CHECK_EQUAL(slope.ndim(), 0U);
    CHECK(slope() > 0.0 && slope() != 1.0);
    CHECK_EQUAL(inter.size(), 1U);
    CHECK_ERROR(AP_ERR_UNSUPPORTED, test::counted<float>({3}).zooms());
    CHECK(test::counted<float>({3}).header().empty());

    // More axes than fit at first.
    const Proxy thin = test::counted<float>({2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3});
    CHECK_EQUAL(thin.shape(), Shape{2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3});
    CHECK_EQUAL(thin.read<float>().shape().size(), 12U);
}

void test_parts()
{
    const Proxy proxy = arrayproxy::open(bold);
    const Proxy part = proxy.slice(range(none, none, -2), all, range(4, 8), 1);
    CHECK_EQUAL(part.shape(), Shape{64, 96, 4});
    CHECK_EQUAL(part.zooms()[0], 4.0);
    CHECK_EQUAL(part.affine()[0][0], 4.0);
    CHECK_EQUAL(part.read<int>(63, 10, 0)(), proxy.read<int>(1, 10, 4, 1)());
    CHECK_ERROR(AP_ERR_UNSUPPORTED, proxy.slice(0).affine());

    const Proxy flat = proxy.reshape({-1, 2});
    CHECK_EQUAL(flat.shape(), Shape{128 * 96 * 24, 2});
    CHECK_EQUAL(flat.read<int>(60 + 128 * (50 + 96 * 10), 1)(), 444);
    CHECK_ERROR(AP_ERR_ARGUMENT, proxy.reshape({7, -1}));

    const Proxy &text = proxy.slice(arrayproxy::Index::parse("0, ..., 0"));
    CHECK_EQUAL(text.shape(), Shape{96, 24});
    proxy.trim();
    CHECK_EQUAL(proxy.read<int>(60, 50, 10, 1)(), 444);
}

void test_options()
{
    Options options("threads=2,mmap=0");
    options.set(AP_OPT_THREADS, 1).set(AP_OPT_CODEC, "gzip").parse("strict=1");
    CHECK_EQUAL(arrayproxy::open(bold, options).ndim(), 4);
    CHECK_EQUAL(arrayproxy::open(bold, Options().set(AP_OPT_VERIFY, 0)).ndim(), 4);
    CHECK_ERROR(AP_ERR_OPTION, options.set(AP_OPT_THREADS, -5));
    CHECK_ERROR(AP_ERR_OPTION, Options("colour=red"));
    CHECK_ERROR(AP_ERR_ARGUMENT, options.set(AP_OPT_CODEC, std::string("gzip\0x", 6)));
    CHECK_ERROR(AP_ERR_MEMORY, arrayproxy::open(bold, Options("max_bytes=10")).read<int>());
}

void test_arrays()
{
    const Array zeros = Array::zeros<float>({3, 2}, AP_ORDER_C);
    CHECK_EQUAL(zeros.shape(), Shape{3, 2});
    CHECK_EQUAL(zeros.strides(), Shape{8, 4});
    CHECK_EQUAL(zeros.dtype(), AP_FLOAT32);
    CHECK_EQUAL(zeros.view<float>().strides(), Shape{2, 1});
    zeros.view<float>()(2, 1) = 5;
    const Array same = zeros.clone();
    CHECK_EQUAL(same.view<float>().at(2, 1), 5.0F);
    CHECK_ERROR(AP_ERR_ARGUMENT, zeros.view<double>());

    auto memory = std::make_shared<std::vector<std::int16_t>>(std::vector<std::int16_t>{1, 2, 3});
    {
        const View<std::int16_t> backwards(memory->data() + 2, {3}, {-1});
        const Array wrapped = Array::wrap(backwards, memory);
        CHECK_EQUAL(memory.use_count(), 2);
        CHECK_EQUAL(wrapped.strides(), Shape{-2});
        CHECK_EQUAL(wrapped.view<std::int16_t>()(0), 3);
        const Array other = wrapped.clone();
    }
    CHECK_EQUAL(memory.use_count(), 1);

    const std::vector<double> constant{1, 2};
    const Array unwritten = Array::wrap(View<const double>(constant.data(), {2}));
    CHECK_EQUAL(unwritten.flags(), static_cast<unsigned>(AP_ARRAY_READONLY));
    CHECK_ERROR(AP_ERR_ARGUMENT, unwritten.view<double>());
    CHECK_EQUAL(unwritten.view<const double>()(1), 2.0);

    // Strides that no memory has.
    const View<const double> far(constant.data(), {1}, {INT64_MAX / 2});
    CHECK_ERROR(AP_ERR_ARGUMENT, Array::wrap(far));

    const Nd<float> nd({3, 2}, true);
    const Array shared = nd.array();
    CHECK(nd.get() != nullptr && shared.data() == nd.data());
    CHECK_EQUAL(shared.strides(), Shape{8, 4});
    CHECK_EQUAL(Image(nd.array()).shape(), Shape{3, 2});

    DLManagedTensorVersioned *tensor = same.to_dlpack();
    const Array back = Array::from_dlpack(tensor);
    CHECK(back.data() == zeros.data());

    const Proxy proxy = arrayproxy::open(bold);
    const Array loaded = proxy.load<double>(How{AP_READ_C}, rest, 1);
    CHECK_EQUAL(loaded.view<double>()(60, 50, 10), 444.0);
    CHECK_EQUAL(loaded.strides()[2], 8);
    CHECK_ERROR(AP_ERR_ARGUMENT, View<float>(nullptr, {-1}));
    CHECK_ERROR(AP_ERR_ARGUMENT, View<float>(nullptr, {INT64_MAX, INT64_MAX}));
    CHECK_EQUAL(proxy.load(60, 50, 10).dtype(), AP_INT16);
    CHECK_ERROR(AP_ERR_NO_VIEW, proxy.view());

    const Proxy plain = arrayproxy::open(scaled);
    CHECK_ERROR(AP_ERR_NO_VIEW, plain.view());
    const Array mapped = plain.view(How{AP_READ_RAW}, all, all, 1, 2);
    CHECK((mapped.flags() & AP_ARRAY_MAPPED) != 0);
    CHECK_EQUAL(mapped.view<const std::int16_t>()(9, 9),
                plain.read<std::int16_t>(How{AP_READ_RAW}, 9, 9, 1, 2)());
}

void test_images()
{
    const Image image(bold);
    CHECK(image.is_proxy() && !image.in_memory());
    CHECK_EQUAL(image.shape(), Shape{128, 96, 24, 2});
    const Array data = image.data<float>();
    CHECK(image.in_memory());
    CHECK(image.data<float>().data() == data.data());
    CHECK_EQUAL(data.view<float>()(60, 50, 10, 1), 444.0F);
    image.uncache();
    CHECK(!image.in_memory());
    CHECK_EQUAL(image.data().dtype(), AP_INT16);
    CHECK_EQUAL(image.header().size(), 348U);
    CHECK_EQUAL(image.affine()[0][0], -2.0);
    CHECK_EQUAL(image.proxy().value().codec(), "gzip");

    const Image shared(arrayproxy::open(bold));
    CHECK(shared.is_proxy());

    arrayproxy::Affine affine{};
    for (std::size_t i = 0; i < 4; i++)
        affine[i][i] = static_cast<double>(i + 1);
    const Array array = Array::zeros<int>({2, 2});
    const Image made(array, affine, arrayproxy::Bytes(5));
    CHECK(!made.is_proxy() && made.in_memory() && !made.proxy());
    CHECK_EQUAL(made.affine()[2][2], 3.0);
    CHECK_EQUAL(made.header().size(), 5U);
    CHECK(made.data().data() == array.data());
    CHECK_ERROR(AP_ERR_UNSUPPORTED, Image(array).affine());
}

void test_series()
{
    const arrayproxy::Series series({bold, bold});
    const Proxy proxy = series.open();
    CHECK(series.get() != nullptr);
    CHECK_EQUAL(proxy.shape(), Shape{128, 96, 24, 2, 2});
    CHECK_EQUAL(proxy.read<int>(60, 50, 10, 1).values(), test::list({444, 444}));
    CHECK_ERROR(AP_ERR_HEADER, arrayproxy::Series({bold, scaled}).open());
    CHECK_ERROR(AP_ERR_ARGUMENT, arrayproxy::Series().open());
}

void test_sources()
{
    const Proxy proxy = arrayproxy::open(arrayproxy::Source::file(bold));
    CHECK_EQUAL(proxy.read<int>(60, 50, 10, 1)(), 444);
    const Proxy by_path = arrayproxy::open(std::filesystem::path(bold), Options("mmap=0"));
    CHECK_EQUAL(by_path.ndim(), 4);

    static const std::uint8_t letters[] = {'a', 'b', 'c', 'd'};
    arrayproxy::Layout layout{AP_UINT8, {2}};
    layout.offset = 2;
    layout.inter = 1;
    layout.slope = 2;
    const Proxy borrowed =
        arrayproxy::open(arrayproxy::Source::borrowed(letters, sizeof letters), layout);
    CHECK_EQUAL(borrowed.read<int>().values(), test::list({199, 201}));
    CHECK_EQUAL(borrowed.format(), "layout");
    const Proxy text = arrayproxy::open(arrayproxy::Source::memory(std::string("xyz")),
                                        arrayproxy::Layout{AP_UINT8, {3}});
    CHECK_EQUAL(text.read<int>(2)(), 'z');
    const arrayproxy::Layout three{AP_UINT8, {3}};
    const std::array<std::uint8_t, 3> numbers{1, 2, 3};
    CHECK_EQUAL(arrayproxy::open(arrayproxy::Source::memory(numbers), three).read<int>(1)(), 2);
    CHECK_EQUAL(arrayproxy::open(arrayproxy::Source::memory(Nd<std::uint8_t>({3})), three)
                    .read<int>()
                    .values(),
                test::list({0, 0, 0}));

    const std::string pair = "target/bindings/cases/pair";
    const Proxy both = arrayproxy::open(arrayproxy::Source::file(pair + ".hdr.bz2"),
                                        arrayproxy::Source::file(pair + ".img.bz2"));
    CHECK_EQUAL(both.format(), "nifti1-pair");
    CHECK_EQUAL(both.shape(), Shape{5, 4, 3});
}

void test_seek_index()
{
    const std::string file = folder + "handles.gzidx";
    const Proxy proxy = arrayproxy::open(bold, Options().set(AP_OPT_INDEX_SPACING, 65536));
    proxy.build_index();
    const arrayproxy::IndexInfo info = proxy.index_info();
    CHECK(info.points > 10 && info.memory > 0);
    CHECK(info.covered >= 128 * 96 * 24 * 2 * 2);
    proxy.save_index(file);
    const Proxy other = arrayproxy::open(bold);
    other.load_index(file);
    CHECK_EQUAL(other.index_info().points, info.points);
    CHECK_EQUAL(other.read<int>(60, 50, 10, 1)(), 444);
    std::remove(file.c_str());
    CHECK_ERROR(AP_ERR_NOT_FOUND, other.load_index(file));
}

} // namespace

int main()
{
    return test::run("handles", {test_moves, test_empty, test_metadata, test_parts, test_options,
                                 test_arrays, test_images, test_series, test_sources,
                                 test_seek_index});
}

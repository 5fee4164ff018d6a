// base.hpp - errors, element types, indices, controls and views of arrayproxy.hpp, which
// includes it
#ifndef ARRAYPROXY_BASE_HPP
#define ARRAYPROXY_BASE_HPP

#include "arrayproxy.h"

#if defined(__has_include)
#if __has_include(<version>)
#include <version>
#endif
#endif

#include <algorithm>
#include <array>
#include <chrono>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>
#ifdef __STDCPP_FLOAT16_T__
#include <stdfloat>
#endif

// One for all shared objects of a program, though they hide what they can.
#if defined(__GNUC__) && !defined(_WIN32)
#define ARRAYPROXY_SHARED __attribute__((visibility("default")))
#else
#define ARRAYPROXY_SHARED
#endif

namespace arrayproxy {

using Shape = std::vector<std::int64_t>;
using Bytes = std::vector<std::byte>;
/// Row-major: affine[i][3] is the translation along world axis i.
using Affine = std::array<std::array<double, 4>, 4>;

/// A call that failed: the library's text, and what ap_error holds.
class ARRAYPROXY_SHARED error : public std::runtime_error {
public:
    explicit error(const ap_error &err)
        : std::runtime_error(err.message), code_(err.code), os_error_(err.os_error),
          detail_(err.detail)
    {
    }
    error(ap_status code, const std::string &text, std::int64_t detail = 0)
        : std::runtime_error(text), code_(code), detail_(detail)
    {
    }

    ap_status code() const noexcept { return code_; }
    const char *name() const noexcept { return ap_status_name(code_); }
    std::int32_t os_error() const noexcept { return os_error_; }
    std::int64_t detail() const noexcept { return detail_; }

private:
    ap_status code_;
    std::int32_t os_error_ = 0;
    std::int64_t detail_ = 0;
};

/// Elements of AP_RGB24 and AP_RGBA32.
struct rgb24 {
    std::uint8_t r, g, b;
};
struct rgba32 {
    std::uint8_t r, g, b, a;
};
/// In the place of a type: as the file has it, not scaled.
struct disk;

namespace detail {

template <class T> constexpr ap_dtype dtype()
{
    constexpr bool is_complex =
        std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>;
    if constexpr (std::is_void_v<T>)
        return AP_AUTO;
    else if constexpr (std::is_same_v<T, disk>)
        return AP_DISK;
    else if constexpr (std::is_same_v<T, bool>)
        return AP_BOOL;
    else if constexpr (std::is_integral_v<T> && sizeof(T) <= 8)
        return (std::is_signed_v<T> ? AP_INT8 : AP_UINT8) - 1 + static_cast<ap_dtype>(sizeof(T));
    else if constexpr (std::is_same_v<T, float>)
        return AP_FLOAT32;
    else if constexpr (std::is_same_v<T, double>)
        return AP_FLOAT64;
#ifdef __STDCPP_FLOAT16_T__
    else if constexpr (std::is_same_v<T, std::float16_t>)
        return AP_FLOAT16;
#endif
    else if constexpr (is_complex)
        return sizeof(T) == 8 ? AP_COMPLEX64 : AP_COMPLEX128;
    else if constexpr (std::is_same_v<T, rgb24>)
        return AP_RGB24;
    else if constexpr (std::is_same_v<T, rgba32>)
        return AP_RGBA32;
    else
        static_assert(!sizeof(T), "no element type of arrayproxy; specialise dtype_of");
}

} // namespace detail

/// Element type of a C++ type; `void` is AP_AUTO. To be specialised for others, such as
/// a float of 16 bits: template <> inline constexpr ap_dtype arrayproxy::dtype_of<half> = ...
template <class T> inline constexpr ap_dtype dtype_of = detail::dtype<std::remove_cv_t<T>>();
template <class T> inline constexpr ap_dtype dtype_of<const T> = dtype_of<T>;

namespace detail {

/// What a callback threw in the call that runs on this thread.
ARRAYPROXY_SHARED inline std::exception_ptr &thrown() noexcept
{
    static thread_local std::exception_ptr exception;
    return exception;
}

/// Throws if a call returns a negative number.
template <class Call> auto checked(Call call)
{
    ap_error err;
    err.code = 0;
    // A callback may itself be in such a call, on another handle.
    struct Outer {
        std::exception_ptr kept = std::exchange(thrown(), nullptr);
        ~Outer() { thrown() = std::move(kept); }
    } outer;
    const auto result = call(&err);
    std::exception_ptr inner = std::exchange(thrown(), nullptr);
    if (result >= 0)
        return result;
    if (inner && (result == AP_ERR_CALLBACK || result == AP_ERR_CANCELLED))
        std::rethrow_exception(inner);
    if (err.code != 0)
        throw error(err);
    const auto code = static_cast<ap_status>(result);
    throw error(code, ap_status_message(code));
}

template <auto release> struct Freed {
    template <class T> void operator()(T *handle) const noexcept { release(handle); }
};
template <class T, auto release> using Handle = std::unique_ptr<T, Freed<release>>;

/// The handle that a call makes through a pointer to a pointer.
template <class T, class Call> T *made(Call call)
{
    T *handle = nullptr;
    checked([&](ap_error *err) { return call(&handle, err); });
    return handle;
}

/// The handle that an object holds, for a call on it.
template <class Owner> auto *live(const Owner &owner)
{
    auto *handle = owner.get();
    if (!handle)
        throw error(AP_ERR_NULL, "the handle is empty: it was moved from");
    return handle;
}

template <class T> T *not_null(T *handle)
{
    if (!handle)
        throw std::bad_alloc();
    return handle;
}

/// The values of a function that works as ap_shape does; `most` of them.
template <class Value, class Call>
std::vector<Value> listed(Call call, std::int32_t most = INT32_MAX)
{
    std::vector<Value> list(8);
    for (;;) {
        const std::int32_t room = (std::min)(most, static_cast<std::int32_t>(list.size()));
        const std::int32_t count = (std::min)(
            most, checked([&](ap_error *err) { return call(list.data(), room, err); }));
        list.resize(static_cast<std::size_t>(count));
        if (count <= room)
            return list;
    }
}

template <class Get> std::vector<std::string> texts(Get get)
{
    std::vector<std::string> list;
    while (const char *text = get(static_cast<std::int32_t>(list.size())))
        list.emplace_back(text);
    return list;
}

template <class Call> Affine affine(Call call)
{
    double numbers[16];
    checked([&](ap_error *err) { return call(numbers, err); });
    Affine result;
    for (std::size_t i = 0; i < 16; i++)
        result[i / 4][i % 4] = numbers[i];
    return result;
}

inline Bytes bytes(const void *data, std::size_t size)
{
    const auto *begin = static_cast<const std::byte *>(data);
    return size ? Bytes(begin, begin + size) : Bytes();
}

/// C would take a name with a NUL for a shorter one.
inline const char *c_text(const std::string &text)
{
    if (text.find('\0') != std::string::npos)
        throw error(AP_ERR_ARGUMENT, "the text holds a NUL: " + std::string(text.c_str()));
    return text.c_str();
}

/// `release` of whatever was made by new.
template <class T> void deleted(void *user)
{
    delete static_cast<T *>(user);
}

inline std::int32_t count(const std::vector<std::int64_t> &list)
{
    return static_cast<std::int32_t>(std::min<std::size_t>(list.size(), INT32_MAX));
}

inline std::string written(const Shape &shape)
{
    std::string text;
    for (const std::int64_t n : shape)
        text += (text.empty() ? "(" : ", ") + std::to_string(n);
    return text.empty() ? "()" : text + ")";
}

[[noreturn]] inline void too_large()
{
    throw error(AP_ERR_ARGUMENT, "lengths and strides reach farther than memory does");
}

/// The product, of 63 bits and the sign at most.
inline std::int64_t times(std::int64_t a, std::int64_t b)
{
    const auto size = [](std::int64_t n) {
        return n < 0 ? 0 - static_cast<std::uint64_t>(n) : static_cast<std::uint64_t>(n);
    };
    if (b != 0 && size(a) > INT64_MAX / size(b))
        too_large();
    return a * b;
}

inline std::int64_t plus(std::int64_t a, std::int64_t b)
{
    if (b > 0 ? a > INT64_MAX - b : a < -INT64_MAX - b)
        too_large();
    return a + b;
}

inline std::size_t elements(const Shape &shape)
{
    std::int64_t count = 1;
    bool is_empty = false;
    for (const std::int64_t n : shape) {
        if (n < 0)
            throw error(AP_ERR_ARGUMENT, "a negative length in shape " + written(shape));
        is_empty = is_empty || n == 0;
    }
    for (std::size_t axis = 0; !is_empty && axis < shape.size(); axis++)
        count = times(count, shape[axis]);
    return is_empty ? 0 : static_cast<std::size_t>(count);
}

/// In elements. Of no elements they are 0, as the library has it.
inline Shape packed(const Shape &shape, bool row_major)
{
    Shape strides(shape.size());
    std::int64_t stride = elements(shape) == 0 ? 0 : 1;
    for (std::size_t n = 0; n < shape.size(); n++) {
        const std::size_t axis = row_major ? shape.size() - 1 - n : n;
        strides[axis] = stride;
        stride = times(stride, shape[axis]);
    }
    return strides;
}

inline void same_type(ap_dtype found, ap_dtype wanted)
{
    const auto name = [](ap_dtype dtype) {
        const char *known = ap_dtype_name(dtype);
        return known ? std::string(known) : "type " + std::to_string(dtype);
    };
    if (found != wanted)
        throw error(AP_ERR_ARGUMENT,
                    "the elements are " + name(found) + ", not " + name(wanted));
}

/// Of an axis: any integer but bool.
template <class T>
inline constexpr bool is_index = std::is_integral_v<T> && !std::is_same_v<T, bool>;

template <class T, class = void> inline constexpr bool has_view = false;
template <class T>
inline constexpr bool has_view<T, std::void_t<decltype(std::declval<T &>().view())>> = true;
template <class T, class = void> inline constexpr bool is_mdspan = false;
template <class T>
inline constexpr bool is_mdspan<T, std::void_t<decltype(std::declval<T &>().data_handle())>> =
    true;
template <class T, class = void> inline constexpr bool can_resize = false;
template <class T>
inline constexpr bool can_resize<T, std::void_t<decltype(std::declval<T &>().resize(1))>> =
    true;
template <class T> inline constexpr bool is_bits = false;
template <class A> inline constexpr bool is_bits<std::vector<bool, A>> = true;

/// The type of the elements of a place for results.
template <class Place> struct Element {
    using type = typename Place::value_type;
};
template <class T, std::size_t N> struct Element<T[N]> {
    using type = T;
};

} // namespace detail

inline constexpr std::int64_t none = AP_NONE; ///< A bound that is left out.
inline constexpr ap_slice all{AP_SLICE_RANGE, none, none, 1};
inline constexpr ap_slice rest{AP_SLICE_ELLIPSIS, 0, 0, 1};
inline constexpr ap_slice newaxis{AP_SLICE_NEWAXIS, 0, 0, 1};

/// One index, which drops the axis. Negative counts from the end. So does a plain integer.
template <class Integer> constexpr ap_slice at(Integer i)
{
    static_assert(detail::is_index<Integer>, "an index is an integer");
    // Too large for C's numbers is out of bounds there, too.
    if constexpr (std::is_unsigned_v<Integer> && sizeof i == 8)
        return {AP_SLICE_AT, i > INT64_MAX ? INT64_MAX : static_cast<std::int64_t>(i), 0, 1};
    else
        return {AP_SLICE_AT, static_cast<std::int64_t>(i), 0, 1};
}
constexpr ap_slice at(const ap_slice &entry)
{
    return entry;
}
/// start:stop:step, without `stop`. Either may be `none`.
constexpr ap_slice range(std::int64_t start, std::int64_t stop, std::int64_t step = 1)
{
    return {AP_SLICE_RANGE, start, stop, step};
}

/// An index of any number of entries; axes that none takes are read whole.
class Index {
public:
    template <class... Entry,
              class = std::enable_if_t<((std::is_integral_v<Entry> ||
                                         std::is_same_v<Entry, ap_slice>)&&...)>>
    Index(const Entry &...entry) : entries_{at(entry)...}
    {
    }
    Index(std::vector<ap_slice> entries) : entries_(std::move(entries)) {}

    /// As NumPy has it: "10:20, ..., ::-1, 0".
    static Index parse(const std::string &text)
    {
        return detail::listed<ap_slice>([&](ap_slice *list, std::int32_t room, ap_error *err) {
            return ap_slice_parse(detail::c_text(text), list, room, err);
        });
    }
    const std::vector<ap_slice> &entries() const noexcept { return entries_; }
    const ap_slice *data() const noexcept { return entries_.data(); }
    std::int32_t size() const noexcept
    {
        return static_cast<std::int32_t>(std::min<std::size_t>(entries_.size(), INT32_MAX));
    }

private:
    std::vector<ap_slice> entries_;
};

/// Watches and stops reads. cancel() and progress() may be called from any thread. It must
/// outlive the reads; it may be moved meanwhile.
class Control {
public:
    /// Bytes done and in all; false stops the read with AP_ERR_CANCELLED.
    using Progress = std::function<bool(std::uint64_t done, std::uint64_t total)>;

    void cancel() { ap_control_cancel(detail::live(handle_)); }
    void reset() { ap_control_reset(detail::live(handle_)); }
    void set_threads(std::int32_t threads)
    {
        ap_control_set_threads(detail::live(handle_), threads);
    }
    std::pair<std::uint64_t, std::uint64_t> progress() const
    {
        std::pair<std::uint64_t, std::uint64_t> bytes{0, 0};
        ap_control_progress(detail::live(handle_), &bytes.first, &bytes.second);
        return bytes;
    }
    /// On the thread of the read, about every `interval`, or at every step if that is not
    /// above 0; an empty function for none.
    void on_progress(Progress progress, std::chrono::milliseconds interval = {})
    {
        ap_control *handle = detail::live(handle_);
        const auto wait = std::min<std::int64_t>(
            std::max<std::int64_t>(interval.count(), 0), UINT32_MAX);
        auto kept = progress ? std::make_unique<Progress>(std::move(progress)) : nullptr;
        ap_control_set_callback(handle, kept ? call : nullptr, kept.get(),
                                static_cast<std::uint32_t>(wait));
        progress_ = std::move(kept);
    }
    ap_control *get() const noexcept { return handle_.get(); }

private:
    static std::int32_t call(void *user, std::uint64_t done, std::uint64_t total) noexcept
    {
        try {
            return (*static_cast<Progress *>(user))(done, total) ? 0 : 1;
        } catch (...) {
            detail::thrown() = std::current_exception();
            return 1;
        }
    }

    std::unique_ptr<Progress> progress_; // outlives the handle
    detail::Handle<ap_control, ap_control_free> handle_{detail::not_null(ap_control_new())};
};

/// Who watches: a Control, of which it holds what stays where it is, or nobody.
class Watch {
public:
    Watch() = default;
    Watch(Control *control) : handle_(control ? detail::live(*control) : nullptr) {}
    Watch(Control &control) : Watch(&control) {}
    Watch(Control &&) = delete;

    ap_control *get() const noexcept { return handle_; }

private:
    ap_control *handle_ = nullptr;
};

/// How to read, before the index: AP_READ_ flags, and who watches: How{flags, &control}.
struct How {
    std::uint32_t flags = 0;
    Watch control{};
};

/// A part, and how to read it.
struct Selection {
    How how{};
    Index index{};
};

namespace detail {

template <class... A> Selection select(const How &how, const A &...entries)
{
    return {how, Index(entries...)};
}
template <class... A> Selection select(const A &...entries)
{
    return {How(), Index(entries...)};
}

} // namespace detail

/// Elements of someone else's memory, by strides in elements, which may be negative.
template <class T> class View {
public:
    using value_type = std::remove_cv_t<T>;

    /// Packed, column-major.
    View(T *data, Shape shape) : View(data, std::move(shape), {}, true) {}
    /// `data` is the address of element (0,...,0).
    View(T *data, Shape shape, Shape strides)
        : View(data, std::move(shape), std::move(strides), false)
    {
        if (shape_.size() != strides_.size())
            throw error(AP_ERR_ARGUMENT, "shape " + detail::written(shape_) + " and strides " +
                                             detail::written(strides_));
    }
    /// Of elements that may be written, as const ones.
    template <class U, class = std::enable_if_t<std::is_same_v<const U, T> && !std::is_const_v<U>>>
    View(const View<U> &other) : View(other.data(), other.shape(), other.strides())
    {
    }
    T *data() const noexcept { return data_; }
    const Shape &shape() const noexcept { return shape_; }
    const Shape &strides() const noexcept { return strides_; }
    std::size_t ndim() const noexcept { return shape_.size(); }
    /// Elements, also those that share memory.
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    const View &view() const noexcept { return *this; }

    /// Not checked. As many indices as axes.
    template <class... I> T &operator()(I... i) const noexcept
    {
        static_assert((detail::is_index<I> && ...), "an index is an integer");
        std::int64_t offset = 0;
        std::size_t axis = 0;
        ((offset += strides_[axis++] * static_cast<std::int64_t>(i)), ...);
        return data_[offset];
    }
    /// Checked; std::out_of_range. Negative indices are out of range.
    template <class... I> T &at(I... i) const
    {
        static_assert((detail::is_index<I> && ...), "an index is an integer");
        const Shape index{static_cast<std::int64_t>(i)...};
        bool is_in = index.size() == ndim();
        for (std::size_t axis = 0; is_in && axis < ndim(); axis++)
            is_in = index[axis] >= 0 && index[axis] < shape_[axis];
        if (!is_in)
            throw std::out_of_range(detail::written(index) + " in shape " +
                                    detail::written(shape_));
        return (*this)(i...);
    }

private:
    View(T *data, Shape shape, Shape strides, bool is_packed)
        : data_(data), shape_(std::move(shape)), strides_(std::move(strides)),
          size_(detail::elements(shape_))
    {
        if (is_packed)
            strides_ = detail::packed(shape_, false);
    }

    T *data_;
    Shape shape_, strides_;
    std::size_t size_;
};

} // namespace arrayproxy

#undef ARRAYPROXY_SHARED

#endif

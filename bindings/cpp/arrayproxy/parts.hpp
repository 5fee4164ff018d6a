// parts.hpp - options, sources, arrays, results and plans of arrayproxy.hpp, which includes it
#ifndef ARRAYPROXY_PARTS_HPP
#define ARRAYPROXY_PARTS_HPP

#include "base.hpp"

#include <iterator>
#ifdef __cpp_lib_mdspan
#include <mdspan>
#endif

namespace arrayproxy {

/// Settings for opening, by AP_OPT_ keys or as a text: "threads=2,mmap=0".
class Options {
public:
    Options() : handle_(detail::not_null(ap_options_new())) {}
    explicit Options(const std::string &text) : Options() { parse(text); }

    Options &set(std::int32_t key, std::int64_t value)
    {
        detail::checked(
            [&](ap_error *err) { return ap_options_set_int(live(), key, value, err); });
        return *this;
    }
    Options &set(std::int32_t key, const std::string &value)
    {
        detail::checked([&](ap_error *err) {
            return ap_options_set_text(live(), key, detail::c_text(value), err);
        });
        return *this;
    }
    Options &parse(const std::string &text)
    {
        detail::checked(
            [&](ap_error *err) { return ap_options_parse(live(), detail::c_text(text), err); });
        return *this;
    }
    const ap_options *get() const noexcept { return handle_.get(); }

    /// NULL in C.
    static const Options &defaults()
    {
        static const Options unset(nullptr);
        return unset;
    }
    bool are_defaults() const noexcept { return are_defaults_; }

private:
    explicit Options(std::nullptr_t) : are_defaults_(true) {}
    ap_options *live() const { return detail::live(handle_); }

    detail::Handle<ap_options, ap_options_free> handle_;
    bool are_defaults_ = false;
};

namespace detail {

inline const ap_options *live(const Options &options)
{
    return options.are_defaults() ? nullptr : live<Options>(options);
}

/// What is trivial to copy owns no memory elsewhere.
template <class T> inline constexpr bool is_owner = !std::is_trivially_copyable_v<T>;
template <class T, std::size_t N> inline constexpr bool is_owner<std::array<T, N>> = true;
template <class T> inline constexpr bool is_owner<View<T>> = false;

} // namespace detail

/// Where bytes come from.
class Source {
public:
    /// Reads up to `size` bytes at `offset` and returns how many; 0 means the end.
    using ReadAt = std::function<std::size_t(void *buffer, std::size_t size,
                                             std::uint64_t offset)>;

    static Source file(const std::string &path)
    {
        return Source(detail::made<ap_source>([&](ap_source **out, ap_error *err) {
            return ap_source_file(detail::c_text(path), out, err);
        }));
    }
    /// Keeps the container, a std::vector, std::string or Nd, as long as it is needed. A
    /// view would keep nothing: see borrowed().
    template <class Container> static Source memory(Container container)
    {
        static_assert(detail::is_owner<Container>,
                      "a view does not keep its memory: take Source::borrowed");
        auto kept = std::make_unique<Container>(std::move(container));
        Source source(detail::made<ap_source>([&](ap_source **out, ap_error *err) {
            return ap_source_memory(kept->data(), kept->size() * sizeof(*kept->data()),
                                    detail::deleted<Container>, kept.get(), out, err);
        }));
        kept.release();
        return source;
    }
    /// Memory that outlives every handle.
    static Source borrowed(const void *data, std::size_t size)
    {
        return Source(detail::made<ap_source>([&](ap_source **out, ap_error *err) {
            return ap_source_memory(data, size, nullptr, nullptr, out, err);
        }));
    }
    /// `flags`: 0 or AP_SOURCE_CONCURRENT. `size` is less than 2^63.
    static Source callbacks(ReadAt read_at, std::uint64_t size, std::uint32_t flags = 0)
    {
        if (size > INT64_MAX)
            throw error(AP_ERR_ARGUMENT,
                        "a source of " + std::to_string(size) + " bytes is too large");
        auto kept = std::make_unique<Callbacks>(Callbacks{std::move(read_at), size});
        Source source(detail::made<ap_source>([&](ap_source **out, ap_error *err) {
            return ap_source_callbacks(Callbacks::read, Callbacks::length,
                                       detail::deleted<Callbacks>, kept.get(), flags, out, err);
        }));
        kept.release();
        return source;
    }
    const ap_source *get() const noexcept { return handle_.get(); }

private:
    struct Callbacks {
        ReadAt read_at;
        std::uint64_t size;

        static std::int64_t read(void *user, void *buffer, std::size_t size,
                                 std::uint64_t offset) noexcept
        {
            try {
                return static_cast<std::int64_t>(
                    static_cast<Callbacks *>(user)->read_at(buffer, size, offset));
            } catch (...) {
                detail::thrown() = std::current_exception();
                return -1;
            }
        }
        static std::int64_t length(void *user) noexcept
        {
            return static_cast<std::int64_t>(static_cast<Callbacks *>(user)->size);
        }
    };

    explicit Source(ap_source *handle) : handle_(handle) {}

    detail::Handle<ap_source, ap_source_free> handle_;
};

/// Elements in memory: the library's, a view of a file, or borrowed. Strides in bytes. A
/// const Array is one whose elements may be written, as those of a const pointer may.
class Array {
public:
    explicit Array(ap_array *taken) : handle_(taken) {}

    template <class T> static Array zeros(const Shape &shape, std::int32_t order = AP_ORDER_F)
    {
        return Array(detail::made<ap_array>([&](ap_array **out, ap_error *err) {
            return ap_array_new(dtype_of<T>, detail::count(shape), shape.data(), order, out, err);
        }));
    }
    /// Borrows the memory. `owner`, if given, is kept as long as that is needed: what
    /// keeps the memory alive, such as a std::shared_ptr.
    template <class T, class Owner = std::nullptr_t>
    static Array wrap(const View<T> &view, Owner owner = {})
    {
        using Elements = std::remove_const_t<T>;
        Shape strides = view.strides();
        for (std::int64_t &stride : strides)
            stride = detail::times(stride, static_cast<std::int64_t>(sizeof(T)));
        auto kept = std::make_unique<Owner>(std::move(owner));
        Array array(detail::made<ap_array>([&](ap_array **out, ap_error *err) {
            return ap_array_wrap(const_cast<Elements *>(view.data()), dtype_of<T>,
                                 detail::count(view.shape()), view.shape().data(), strides.data(),
                                 std::is_const_v<T> ? AP_ARRAY_READONLY : 0,
                                 detail::deleted<Owner>, kept.get(), out, err);
        }));
        kept.release();
        return array;
    }
    Array clone() const { return Array(ap_array_clone(live())); }

    void *data() const { return ap_array_data(live()); }
    Shape shape() const
    {
        return detail::listed<std::int64_t>([&](std::int64_t *list, std::int32_t room, ap_error *) {
            return ap_array_shape(live(), list, room);
        });
    }
    Shape strides() const
    {
        return detail::listed<std::int64_t>([&](std::int64_t *list, std::int32_t room, ap_error *) {
            return ap_array_strides(live(), list, room);
        });
    }
    ap_dtype dtype() const { return ap_array_dtype(live()); }
    std::uint32_t flags() const { return ap_array_flags(live()); }

    /// Typed. Throws if T is another type, is not const where the memory must not be
    /// written, or strides are no whole elements.
    template <class T> View<T> view() const &
    {
        Shape steps = strides();
        detail::same_type(dtype(), dtype_of<T>);
        if (!std::is_const_v<T> && (flags() & AP_ARRAY_READONLY) != 0)
            throw error(AP_ERR_ARGUMENT, "the array must not be written: view const elements");
        for (std::int64_t &step : steps) {
            if (step % static_cast<std::int64_t>(sizeof(T)) != 0)
                throw error(AP_ERR_ARGUMENT, "a stride of " + std::to_string(step) + " bytes");
            step /= static_cast<std::int64_t>(sizeof(T));
        }
        return {static_cast<T *>(data()), shape(), std::move(steps)};
    }
    template <class T> View<T> view() const && = delete; // it would outlive its elements
    /// A DLPack tensor, to be ended by its own deleter.
    DLManagedTensorVersioned *to_dlpack() const
    {
        return detail::made<DLManagedTensorVersioned>(
            [&](DLManagedTensorVersioned **out, ap_error *err) {
                return ap_array_to_dlpack(live(), out, err);
            });
    }
    /// The tensor is taken, if nothing is thrown.
    static Array from_dlpack(DLManagedTensorVersioned *tensor)
    {
        return Array(detail::made<ap_array>([&](ap_array **out, ap_error *err) {
            return ap_array_from_dlpack(tensor, out, err);
        }));
    }
    const ap_array *get() const noexcept { return handle_.get(); }

private:
    ap_array *live() const { return detail::live(handle_); }

    detail::Handle<ap_array, ap_array_free> handle_;
};

/// An array of its own, in the library's memory, which is fast to make where it is large.
/// Column-major, or row-major if it was read with AP_READ_C. Of shape {0} after it was moved
/// from.
template <class T> class Nd {
    static_assert(!std::is_void_v<T> && !std::is_same_v<T, disk>,
                  "the type is known at run time only: load<void>() and load<disk>() take it");

public:
    using value_type = T;

    /// Of zeros.
    explicit Nd(const Shape &shape = {0}, bool row_major = false)
        : Nd(Taken(), detail::made<ap_array>([&](ap_array **out, ap_error *err) {
                 return ap_array_new(dtype_of<T>, detail::count(shape), shape.data(),
                                     row_major ? AP_ORDER_C : AP_ORDER_F, out, err);
             }),
             row_major)
    {
    }
    Nd(Nd &&other) noexcept
        : handle_(std::move(other.handle_)), row_major_(other.row_major_),
          shape_(std::move(other.shape_)), strides_(std::move(other.strides_)),
          size_(std::exchange(other.size_, 0)), data_(std::exchange(other.data_, nullptr))
    {
    }
    Nd &operator=(Nd &&other) noexcept
    {
        if (this == &other)
            return *this;
        handle_ = std::move(other.handle_);
        row_major_ = other.row_major_;
        shape_ = std::move(other.shape_);
        strides_ = std::move(other.strides_);
        size_ = std::exchange(other.size_, 0);
        data_ = std::exchange(other.data_, nullptr);
        return *this;
    }
    Nd(const Nd &other) : Nd(other.shape(), other.row_major_)
    {
        std::copy(other.begin(), other.end(), data_);
    }
    Nd &operator=(const Nd &other) { return *this = Nd(other); }
    ~Nd() = default;

    const Shape &shape() const noexcept { return handle_ ? shape_ : nothing(); }
    /// In elements; 0 if there are none.
    const Shape &strides() const noexcept { return handle_ ? strides_ : nothing(); }
    std::size_t ndim() const noexcept { return shape().size(); }
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }

    T *data() noexcept { return data_; }
    const T *data() const noexcept { return data_; }
    /// A copy of all elements as they lie in memory.
    std::vector<T> values() const { return {begin(), end()}; }
    T *begin() noexcept { return data_; }
    T *end() noexcept { return data_ + size_; }
    const T *begin() const noexcept { return data_; }
    const T *end() const noexcept { return data_ + size_; }

    /// Not checked. As many indices as axes. Of a temporary the element itself, no reference.
    template <class... I> T &operator()(I... i) & noexcept { return data_[offset(i...)]; }
    template <class... I> const T &operator()(I... i) const & noexcept
    {
        return data_[offset(i...)];
    }
    template <class... I> T operator()(I... i) const && noexcept { return data_[offset(i...)]; }
    /// Checked; std::out_of_range.
    template <class... I> T &at(I... i) & { return view().at(i...); }
    template <class... I> const T &at(I... i) const & { return view().at(i...); }
    template <class... I> T at(I... i) const && { return at(i...); }

    View<T> view() & { return {data(), shape(), strides()}; }
    View<const T> view() const & { return {data(), shape(), strides()}; }
    View<const T> view() const && = delete; // it would outlive its elements
    /// The same elements as an Array, which Image and DLPack take.
    Array array() const { return Array(ap_array_clone(detail::live(handle_))); }
    const ap_array *get() const noexcept { return handle_.get(); }
#ifdef __cpp_lib_mdspan
    /// Throws if there are not N axes.
    template <std::size_t N> auto mdspan() & { return to_mdspan<T, N>(data()); }
    template <std::size_t N> auto mdspan() const & { return to_mdspan<const T, N>(data()); }
    template <std::size_t N> void mdspan() const && = delete;
#endif

private:
    friend class Proxy;
    friend class Plan;
    struct Taken {};

    /// Around elements that the library packed in such an order; it is taken.
    Nd(Taken, ap_array *taken, bool row_major) : handle_(taken), row_major_(row_major)
    {
        shape_ = detail::listed<std::int64_t>([&](std::int64_t *list, std::int32_t room,
                                                  ap_error *) {
            return ap_array_shape(taken, list, room);
        });
        strides_ = detail::packed(shape_, row_major);
        size_ = detail::elements(shape_);
        data_ = static_cast<T *>(ap_array_data(taken));
    }
    static const Shape &nothing() noexcept
    {
        static const Shape shape{0};
        return shape;
    }
    template <class... I> std::size_t offset(I... i) const noexcept
    {
        static_assert((detail::is_index<I> && ...), "an index is an integer");
        std::int64_t sum = 0;
        std::size_t axis = 0;
        ((sum += strides_[axis++] * static_cast<std::int64_t>(i)), ...);
        return static_cast<std::size_t>(sum);
    }
#ifdef __cpp_lib_mdspan
    template <class E, std::size_t N> auto to_mdspan(E *elements) const
    {
        if (ndim() != N)
            throw error(AP_ERR_ARGUMENT, "shape " + detail::written(shape()) + " has not " +
                                             std::to_string(N) + " axes");
        using Extents = std::dextents<std::int64_t, N>;
        std::array<std::int64_t, N> lengths{}, steps{};
        for (std::size_t axis = 0; axis < N; axis++) {
            lengths[axis] = shape()[axis];
            steps[axis] = empty() ? 1 : strides()[axis]; // mdspan's are above 0
        }
        return std::mdspan<E, Extents, std::layout_stride>(
            elements, std::layout_stride::mapping<Extents>(Extents(lengths), steps));
    }
#endif

    detail::Handle<ap_array, ap_array_free> handle_;
    bool row_major_;
    Shape shape_, strides_;
    std::size_t size_ = 0;
    T *data_ = nullptr;
};

/// A checked selection, to be read as often as wanted, by many threads at once: with a
/// control each, given to the read in the place of the plan's own. That of the plan's How
/// must outlive the plan's reads.
class Plan {
public:
    Shape shape() const
    {
        return detail::listed<std::int64_t>([&](std::int64_t *list, std::int32_t room, ap_error *) {
            return ap_plan_shape(live(), list, room);
        });
    }
    ap_dtype dtype() const { return ap_plan_dtype(live()); }
    std::size_t nbytes() const
    {
        return static_cast<std::size_t>(
            detail::checked([&](ap_error *) { return ap_plan_nbytes(live()); }));
    }
    /// Bytes that a read takes from the file or has to decompress.
    std::int64_t cost() const
    {
        return detail::checked([&](ap_error *) { return ap_plan_cost(live()); });
    }

    template <class T> Nd<T> read(Watch control = {}) const
    {
        detail::same_type(dtype(), dtype_of<T>);
        const bool row_major = (how_.flags & AP_READ_C) != 0;
        Nd<T> result(shape(), row_major);
        read_packed(result.data(), result.size() * sizeof(T), control);
        return result;
    }
    /// Into a std::vector, which is resized; packed into what has data() and size(), such
    /// as a std::span or std::array, or a C array, of just as many elements; or by strides
    /// into a View, an Nd or a std::mdspan of the result's shape. Too small a place gives
    /// AP_ERR_BUFFER, too large a one or another shape AP_ERR_ARGUMENT.
    template <class Place> void read_into(Place &&place, Watch control = {}) const
    {
        using Whole = std::remove_reference_t<Place>;
        static_assert(!detail::is_bits<Whole>,
                      "std::vector<bool> has no elements in memory: read std::uint8_t");
        if constexpr (detail::is_bits<Whole>) {
        } else if constexpr (detail::has_view<Whole>) {
            read_strided(place.view(), control);
        } else if constexpr (detail::is_mdspan<Whole>) {
            Shape shape, strides;
            for (std::size_t axis = 0; axis < place.rank(); axis++) {
                shape.push_back(static_cast<std::int64_t>(place.extent(axis)));
                strides.push_back(static_cast<std::int64_t>(place.stride(axis)));
            }
            read_strided(View<typename Whole::element_type>(place.data_handle(), std::move(shape),
                                                            std::move(strides)),
                         control);
        } else {
            using T = std::remove_reference_t<decltype(*std::data(place))>;
            static_assert(!std::is_const_v<T>, "the memory is const");
            detail::same_type(dtype(), dtype_of<T>);
            const std::size_t size = nbytes() / sizeof(T);
            if constexpr (detail::can_resize<Whole>)
                place.resize(size);
            else
                same_size(std::size(place), size);
            read_packed(std::data(place), std::size(place) * sizeof(T), control);
        }
    }
    /// Any memory of `size` bytes, packed. Too little gives AP_ERR_BUFFER.
    void read_packed(void *memory, std::size_t size, Watch control = {}) const
    {
        detail::checked([&](ap_error *err) {
            return ap_plan_read(live(), memory, size, 0, nullptr, watch(control), err);
        });
    }
    const ap_plan *get() const noexcept { return handle_.get(); }

private:
    friend class Proxy;

    Plan(ap_plan *handle, const How &how) : handle_(handle), how_(how) {}

    ap_plan *live() const { return detail::live(handle_); }
    ap_control *watch(const Watch &control) const noexcept
    {
        return control.get() ? control.get() : how_.control.get();
    }
    void same_size(std::size_t room, std::size_t size) const
    {
        const std::string text = "the result has " + std::to_string(size) +
                                 " elements, its place " + std::to_string(room);
        if (room < size)
            throw error(AP_ERR_BUFFER, text, static_cast<std::int64_t>(nbytes()));
        if (room > size)
            throw error(AP_ERR_ARGUMENT, text);
    }
    template <class T> void read_strided(const View<T> &view, const Watch &control) const
    {
        static_assert(!std::is_const_v<T>, "the memory is const");
        detail::same_type(dtype(), dtype_of<T>);
        const Shape wanted = shape();
        if (view.shape() != wanted)
            throw error(AP_ERR_ARGUMENT, "the result has shape " + detail::written(wanted) +
                                             ", its place " + detail::written(view.shape()));
        // Bytes from element (0,...,0) to the first and behind the last one in memory.
        std::int64_t first = 0, end = view.empty() ? 0 : static_cast<std::int64_t>(sizeof(T));
        Shape strides = view.strides();
        for (std::size_t axis = 0; axis < wanted.size(); axis++) {
            strides[axis] = detail::times(strides[axis], static_cast<std::int64_t>(sizeof(T)));
            const std::int64_t span =
                view.empty() ? 0 : detail::times(wanted[axis] - 1, strides[axis]);
            std::int64_t &bound = span < 0 ? first : end;
            bound = detail::plus(bound, span);
        }
        const auto address = reinterpret_cast<std::uintptr_t>(view.data());
        const auto before = static_cast<std::size_t>(-first);
        const auto size = static_cast<std::size_t>(detail::plus(end, -first));
        if (before > address || size - before > UINTPTR_MAX - address)
            detail::too_large();
        detail::checked([&](ap_error *err) {
            return ap_plan_read(live(), reinterpret_cast<char *>(view.data()) - before, size,
                                before, strides.data(), watch(control), err);
        });
    }

    detail::Handle<ap_plan, ap_plan_free> handle_;
    How how_;
};

} // namespace arrayproxy

#endif

// parts.hpp - options, sources, arrays and plans of arrayproxy.hpp, which includes it
#ifndef ARRAYPROXY_PARTS_HPP
#define ARRAYPROXY_PARTS_HPP

#include "base.hpp"

namespace arrayproxy {

/// Settings for opening, by AP_OPT_ keys or as a text: "threads=2,mmap=0".
class Options {
public:
    Options() : handle_(detail::not_null(ap_options_new())) {}
    explicit Options(const std::string &text) : Options() { parse(text); }

    Options &set(std::int32_t key, std::int64_t value)
    {
        detail::checked(
            [&](ap_error *err) { return ap_options_set_int(handle_.get(), key, value, err); });
        return *this;
    }
    Options &set(std::int32_t key, const std::string &value)
    {
        detail::checked([&](ap_error *err) {
            return ap_options_set_text(handle_.get(), key, detail::c_text(value), err);
        });
        return *this;
    }
    Options &parse(const std::string &text)
    {
        detail::checked([&](ap_error *err) {
            return ap_options_parse(handle_.get(), detail::c_text(text), err);
        });
        return *this;
    }
    const ap_options *get() const noexcept { return handle_.get(); }

    static const Options &defaults()
    {
        static const Options unset(nullptr); // as C takes NULL
        return unset;
    }

private:
    explicit Options(std::nullptr_t) {}

    detail::Handle<ap_options, ap_options_free> handle_;
};

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
    /// Keeps the container, a std::vector or std::string, as long as it is needed.
    template <class Container> static Source memory(Container container)
    {
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
    /// `flags`: 0 or AP_SOURCE_CONCURRENT.
    static Source callbacks(ReadAt read_at, std::uint64_t size, std::uint32_t flags = 0)
    {
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

/// Elements in memory: the library's, a view of a file, or borrowed. Strides in bytes.
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
            stride *= static_cast<std::int64_t>(sizeof(T));
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
    Array clone() const { return Array(ap_array_clone(get())); }

    void *data() const noexcept { return ap_array_data(get()); }
    Shape shape() const
    {
        return detail::listed<std::int64_t>([&](std::int64_t *list, std::int32_t room, ap_error *) {
            return ap_array_shape(get(), list, room);
        });
    }
    Shape strides() const
    {
        return detail::listed<std::int64_t>([&](std::int64_t *list, std::int32_t room, ap_error *) {
            return ap_array_strides(get(), list, room);
        });
    }
    ap_dtype dtype() const noexcept { return ap_array_dtype(get()); }
    std::uint32_t flags() const noexcept { return ap_array_flags(get()); }

    /// Typed. Throws if T is another type, is not const where the memory must not be
    /// written, or strides are no whole elements.
    template <class T> View<T> view() const
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
    /// A DLPack tensor, to be ended by its own deleter.
    DLManagedTensorVersioned *to_dlpack() const
    {
        return detail::made<DLManagedTensorVersioned>(
            [&](DLManagedTensorVersioned **out, ap_error *err) {
                return ap_array_to_dlpack(get(), out, err);
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
    detail::Handle<ap_array, ap_array_free> handle_;
};

/// A checked selection, to be read as often as wanted, by many threads at once.
class Plan {
public:
    Shape shape() const
    {
        return detail::listed<std::int64_t>([&](std::int64_t *list, std::int32_t room, ap_error *) {
            return ap_plan_shape(get(), list, room);
        });
    }
    ap_dtype dtype() const noexcept { return ap_plan_dtype(get()); }
    std::size_t nbytes() const
    {
        return static_cast<std::size_t>(
            detail::checked([&](ap_error *) { return ap_plan_nbytes(get()); }));
    }
    /// Bytes that a read takes from the file or has to decompress.
    std::int64_t cost() const
    {
        return detail::checked([&](ap_error *) { return ap_plan_cost(get()); });
    }

    template <class T> Nd<T> read() const
    {
        detail::same_type(dtype(), dtype_of<T>);
        Nd<T> result(shape(), (how_.flags & AP_READ_C) != 0);
        read_packed(result.data(), result.size() * sizeof(T));
        return result;
    }
    /// Into a std::vector, which is resized; packed into what has data() and size(), such
    /// as a std::span or std::array; or by strides into a View, an Nd or a std::mdspan of
    /// the result's shape.
    template <class Place> void read_into(Place &&place) const
    {
        using Whole = std::remove_reference_t<Place>;
        if constexpr (detail::has_view<Whole>) {
            read_strided(place.view());
        } else if constexpr (detail::is_mdspan<Whole>) {
            Shape shape, strides;
            for (std::size_t axis = 0; axis < place.rank(); axis++) {
                shape.push_back(static_cast<std::int64_t>(place.extent(axis)));
                strides.push_back(static_cast<std::int64_t>(place.stride(axis)));
            }
            read_strided(View<typename Whole::element_type>(place.data_handle(), std::move(shape),
                                                            std::move(strides)));
        } else {
            using T = std::remove_reference_t<decltype(*place.data())>;
            static_assert(!std::is_const_v<T>, "the memory is const");
            detail::same_type(dtype(), dtype_of<T>);
            if constexpr (detail::can_resize<Whole>)
                place.resize(nbytes() / sizeof(T));
            read_packed(place.data(), place.size() * sizeof(T));
        }
    }
    /// Any memory of `size` bytes, packed. Too little gives AP_ERR_BUFFER.
    void read_packed(void *memory, std::size_t size) const
    {
        detail::checked([&](ap_error *err) {
            return ap_plan_read(get(), memory, size, 0, nullptr, how_.watching(), err);
        });
    }
    const ap_plan *get() const noexcept { return handle_.get(); }

private:
    friend class Proxy;

    Plan(ap_plan *handle, const How &how) : handle_(handle), how_(how) {}

    template <class T> void read_strided(const View<T> &view) const
    {
        static_assert(!std::is_const_v<T>, "the memory is const");
        detail::same_type(dtype(), dtype_of<T>);
        const Shape wanted = shape();
        if (view.shape() != wanted)
            throw error(AP_ERR_ARGUMENT, "the result has shape " + detail::written(wanted) +
                                             ", its place " + detail::written(view.shape()));
        std::int64_t first = 0, last = 0;
        Shape strides = view.strides();
        bool is_empty = false;
        for (std::size_t axis = 0; axis < wanted.size(); axis++) {
            const std::int64_t span = (wanted[axis] - 1) * strides[axis];
            is_empty = is_empty || wanted[axis] == 0;
            (span < 0 ? first : last) += span;
            strides[axis] *= static_cast<std::int64_t>(sizeof(T));
        }
        if (is_empty)
            first = 0, last = -1;
        T *begin = is_empty ? view.data() : view.data() + first;
        detail::checked([&](ap_error *err) {
            return ap_plan_read(get(), begin,
                                static_cast<std::size_t>(last - first + 1) * sizeof(T),
                                static_cast<std::size_t>(-first) * sizeof(T), strides.data(),
                                how_.watching(), err);
        });
    }

    detail::Handle<ap_plan, ap_plan_free> handle_;
    How how_;
};

} // namespace arrayproxy

#endif

// arrayproxy.hpp - parts of N-d arrays in neuroimaging files, for C++17 and later
//
// Classes around arrayproxy.h, whose rules hold. Handles are movable, not copyable;
// clone() gives another one where C has it. A handle that was moved from is empty:
// calls on it throw AP_ERR_NULL. Const functions may run on one handle in many
// threads. Failures throw arrayproxy::error. What a callback throws never passes
// through C: the call that ran it throws it again, if on the same thread.
//
//     auto image = arrayproxy::open("bold.nii.gz");
//     auto volume = image.read<float>(arrayproxy::rest, 150);    // image[..., 150]
//     float voxel = volume(10, 20, 30);
//
// Where a function takes `args`, they are the entries of an index, or an Index,
// with a How before them if need be.
#ifndef ARRAYPROXY_HPP
#define ARRAYPROXY_HPP

#include "arrayproxy/parts.hpp"

#include <iterator>
#include <optional>
#include <type_traits>

namespace arrayproxy {

/// Bytes behind the header: NIfTI's extensions.
struct Extension {
    std::int32_t code = 0;
    Bytes bytes;
};

/// How far a seek index reaches.
struct IndexInfo {
    std::int64_t points = 0, covered = 0, memory = 0;
};

template <class T> class Volumes;

/// An array in a file: shape, type, scaling and place of the data, no data.
class Proxy {
public:
    explicit Proxy(ap_proxy *taken) : handle_(taken) {}
    Proxy clone() const { return Proxy(ap_clone(live())); }

    Shape shape() const
    {
        return detail::listed<std::int64_t>([&](std::int64_t *list, std::int32_t room, ap_error *) {
            return ap_shape(live(), list, room);
        });
    }
    std::int32_t ndim() const
    {
        return detail::checked([&](ap_error *) { return ap_ndim(live()); });
    }
    std::int64_t size() const
    {
        return detail::checked([&](ap_error *) { return ap_size(live()); });
    }
    /// As stored; auto_dtype() is what AP_AUTO gives.
    ap_dtype dtype() const { return ap_disk_dtype(live()); }
    ap_dtype auto_dtype() const { return ap_auto_dtype(live()); }
    std::int32_t order() const { return ap_order(live()); }
    std::int32_t byte_order() const { return ap_byte_order(live()); }
    std::int64_t data_offset() const
    {
        return detail::checked([&](ap_error *) { return ap_data_offset(live()); });
    }
    std::string format() const { return named(ap_format(live())); }
    std::string codec() const { return named(ap_codec(live())); }

    bool is_scaled() const
    {
        return detail::checked([&](ap_error *) { return ap_is_scaled(live()); }) != 0;
    }
    /// Slopes and intercepts, of no axes if one holds for all.
    std::pair<Nd<double>, Nd<double>> scale_factors() const
    {
        Nd<double> slope(
            detail::listed<std::int64_t>([&](std::int64_t *list, std::int32_t room, ap_error *) {
                return ap_scale_shape(live(), list, room);
            }));
        Nd<double> inter(slope.shape());
        detail::checked([&](ap_error *err) {
            return ap_scale_factors(live(), slope.data(), inter.data(), slope.size(), err);
        });
        return {std::move(slope), std::move(inter)};
    }
    /// Voxel to world (RAS+, mm).
    Affine affine(std::int32_t which = AP_AFFINE_BEST) const
    {
        return detail::affine(
            [&](double *out, ap_error *err) { return ap_affine(live(), which, out, err); });
    }
    std::int32_t xform_code(std::int32_t which = AP_AFFINE_BEST) const
    {
        return detail::checked(
            [&](ap_error *err) { return ap_affine(live(), which, nullptr, err); });
    }
    /// Voxel sizes, and the time step in the header's unit. The fourth of an MGH file is
    /// behind its data: ask for 3 if that is not wanted.
    std::vector<double> zooms(std::int32_t most = AP_MAX_NDIM) const
    {
        return detail::listed<double>(
            [&](double *list, std::int32_t room, ap_error *err) {
                return ap_zooms(live(), list, room, err);
            },
            most);
    }
    Shape chunk_shape(std::uint64_t nbytes) const
    {
        return detail::listed<std::int64_t>([&](std::int64_t *list, std::int32_t room, ap_error *) {
            return ap_chunk_shape(live(), nbytes, list, room);
        });
    }
    Bytes header() const
    {
        std::size_t size = 0;
        const void *data = ap_header(live(), &size);
        return detail::bytes(data, size);
    }
    std::vector<std::string> warnings() const
    {
        return detail::texts([&](std::int32_t i) { return ap_warning(live(), i); });
    }
    /// Names of the header's fields, as NiBabel has them.
    std::vector<std::string> fields() const
    {
        return detail::texts([&](std::int32_t i) { return ap_field_name(live(), i); });
    }
    std::string field_text(const std::string &name) const
    {
        std::string text;
        std::int64_t size = 1;
        while (static_cast<std::size_t>(size) > text.size()) {
            text.resize(static_cast<std::size_t>(size));
            size = detail::checked([&](ap_error *err) {
                return ap_field_text(live(), detail::c_text(name), text.data(), text.size(), err);
            });
        }
        text.resize(static_cast<std::size_t>(size) - 1);
        return text;
    }
    std::vector<std::int64_t> field_ints(const std::string &name) const
    {
        return detail::listed<std::int64_t>(
            [&](std::int64_t *list, std::int32_t room, ap_error *err) {
                return ap_field_ints(live(), detail::c_text(name), list, room, err);
            });
    }
    std::vector<double> field_reals(const std::string &name) const
    {
        return detail::listed<double>([&](double *list, std::int32_t room, ap_error *err) {
            return ap_field_reals(live(), detail::c_text(name), list, room, err);
        });
    }
    std::vector<Extension> extensions() const
    {
        const std::int32_t count = detail::checked(
            [&](ap_error *err) { return ap_extension_count(live(), err); });
        std::vector<Extension> list(static_cast<std::size_t>(count));
        for (std::int32_t i = 0; i < count; i++) {
            Extension &extension = list[static_cast<std::size_t>(i)];
            const auto read = [&](ap_error *err) {
                return ap_extension(live(), i, &extension.code, extension.bytes.data(),
                                    extension.bytes.size(), err);
            };
            extension.bytes.resize(static_cast<std::size_t>(detail::checked(read)));
            detail::checked(read);
        }
        return list;
    }

    /// Checks a selection that will be read as T; `void`: what the file means, `disk`:
    /// as stored.
    template <class T, class... A> Plan plan(const A &...args) const
    {
        return plan_as(dtype_of<T>, detail::select(args...));
    }
    /// The same where the type is known at run time only.
    Plan plan_as(ap_dtype dtype, const Selection &part = {}) const
    {
        return Plan(detail::made<ap_plan>([&](ap_plan **out, ap_error *err) {
                        return ap_plan_new(live(), part.index.data(), part.index.size(), dtype,
                                           part.how.flags, out, err);
                    }),
                    part.how);
    }
    /// Positions of each axis, in any order: as numpy.ix_, and `nullopt` for a whole axis.
    template <class T>
    Plan plan_lists(const std::vector<std::optional<std::vector<std::int64_t>>> &lists,
                    const How &how = {}) const
    {
        std::vector<const std::int64_t *> positions;
        Shape counts;
        const std::int64_t nothing = 0; // an empty list has an address, too
        for (const auto &list : lists) {
            positions.push_back(!list ? nullptr : list->empty() ? &nothing : list->data());
            counts.push_back(list ? static_cast<std::int64_t>(list->size()) : 0);
        }
        return Plan(detail::made<ap_plan>([&](ap_plan **out, ap_error *err) {
                        return ap_plan_lists(live(), detail::count(counts), positions.data(),
                                             counts.data(), dtype_of<T>, how.flags, out, err);
                    }),
                    how);
    }
    /// proxy.read<float>(all, 3, range(0, 10)), or read<float>(How{AP_READ_C}, ...).
    template <class T, class... A> Nd<T> read(const A &...args) const
    {
        const Selection part = detail::select(args...);
        const bool row_major = (part.how.flags & AP_READ_C) != 0;
        return Nd<T>(typename Nd<T>::Taken(), loaded(dtype_of<T>, part), row_major);
    }
    /// As Plan::read_into, in the type of the place.
    template <class Place, class... A> void read_into(Place &&place, const A &...args) const
    {
        using T = typename detail::Element<std::remove_reference_t<Place>>::type;
        plan<T>(args...).read_into(std::forward<Place>(place));
    }
    /// Indices of as many entries each; the results one after the other.
    template <class T>
    std::vector<T> read_batch(const std::vector<Index> &indices, const How &how = {}) const
    {
        static_assert(!std::is_same_v<T, bool>,
                      "std::vector<bool> has no elements in memory: read std::uint8_t");
        std::vector<ap_slice> entries;
        const std::int32_t each = indices.empty() ? 0 : indices.front().size();
        for (const Index &index : indices) {
            if (index.size() != each)
                throw error(AP_ERR_ARGUMENT, "indices of a batch have as many entries each");
            entries.insert(entries.end(), index.entries().begin(), index.entries().end());
        }
        std::vector<T> values;
        const auto read = [&](ap_error *err) {
            return ap_read_batch(live(), entries.data(), each,
                                 static_cast<std::int64_t>(indices.size()), dtype_of<T>, how.flags,
                                 values.data(), values.size() * sizeof(T), nullptr,
                                 how.control.get(), err);
        };
        // Without memory it tells how much there must be.
        const bool is_empty = detail::checked([&](ap_error *err) {
            const ap_status status = read(err);
            if (status != AP_ERR_BUFFER)
                return status;
            values.resize(static_cast<std::size_t>(err->detail) / sizeof(T));
            return ap_status{1};
        }) == AP_OK;
        if (!is_empty)
            detail::checked(read);
        return values;
    }
    /// As the library's own array, which DLPack can hand on; of any type.
    template <class T = void, class... A> Array load(const A &...args) const
    {
        return load_as(dtype_of<T>, detail::select(args...));
    }
    Array load_as(ap_dtype dtype, const Selection &part = {}) const
    {
        return Array(loaded(dtype, part));
    }
    /// The stored elements without a copy, or AP_ERR_NO_VIEW.
    template <class... A> Array view(const A &...args) const
    {
        const Selection part = detail::select(args...);
        return Array(detail::made<ap_array>([&](ap_array **out, ap_error *err) {
            return ap_view(live(), part.index.data(), part.index.size(), part.how.flags, out, err);
        }));
    }
    /// Shape of a result, without reading.
    Shape shape_of(const Index &index) const
    {
        return detail::listed<std::int64_t>(
            [&](std::int64_t *list, std::int32_t room, ap_error *err) {
                return ap_slice_shape(live(), index.data(), index.size(), list, room, err);
            });
    }
    /// A part as a proxy of its own, unread.
    template <class... Entry> Proxy slice(const Entry &...entries) const
    {
        const Index index(entries...);
        return Proxy(detail::made<ap_proxy>([&](ap_proxy **out, ap_error *err) {
            return ap_slice_proxy(live(), index.data(), index.size(), out, err);
        }));
    }
    Proxy reshape(const Shape &shape) const
    {
        return Proxy(detail::made<ap_proxy>([&](ap_proxy **out, ap_error *err) {
            return ap_reshape(live(), detail::count(shape), shape.data(), out, err);
        }));
    }
    /// For `for`: along the last axis, be that of time or, of a 3-D image, of planes. Each
    /// a proxy, which is read later and has no How here, or its data as `volumes<float>()`.
    template <class T = Proxy> Volumes<T> volumes() const;
    template <class T> Volumes<T> volumes(const How &how) const;

    void trim() const { ap_trim(live()); }

    void build_index(const How &how = {}) const
    {
        detail::checked(
            [&](ap_error *err) { return ap_seekindex_build(live(), how.control.get(), err); });
    }
    void save_index(const std::string &path) const
    {
        detail::checked([&](ap_error *err) {
            return ap_seekindex_save(live(), detail::c_text(path), err);
        });
    }
    void load_index(const std::string &path) const
    {
        detail::checked([&](ap_error *err) {
            return ap_seekindex_load(live(), detail::c_text(path), err);
        });
    }
    IndexInfo index_info() const
    {
        IndexInfo info;
        detail::checked([&](ap_error *err) {
            return ap_seekindex_info(live(), &info.points, &info.covered, &info.memory, err);
        });
        return info;
    }
    const ap_proxy *get() const noexcept { return handle_.get(); }

private:
    ap_proxy *live() const { return detail::live(handle_); }
    ap_array *loaded(ap_dtype dtype, const Selection &part) const
    {
        return detail::made<ap_array>([&](ap_array **out, ap_error *err) {
            return ap_load(live(), part.index.data(), part.index.size(), dtype, part.how.flags,
                           part.how.control.get(), out, err);
        });
    }
    static std::string named(const char *text) { return text ? text : ""; }

    detail::Handle<ap_proxy, ap_free> handle_;
};

/// A list of files that make one array, with one axis more.
class Series {
public:
    Series() : handle_(detail::not_null(ap_series_new())) {}
    explicit Series(const std::vector<std::string> &paths) : Series()
    {
        for (const std::string &path : paths)
            add(path);
    }
    Series &add(const std::string &path)
    {
        detail::checked([&](ap_error *err) {
            return ap_series_add(detail::live(handle_), detail::c_text(path), err);
        });
        return *this;
    }
    Proxy open(const Options &options = Options::defaults()) const
    {
        return Proxy(detail::made<ap_proxy>([&](ap_proxy **out, ap_error *err) {
            return ap_open_series(detail::live(handle_), detail::live(options), out, err);
        }));
    }
    const ap_series *get() const noexcept { return handle_.get(); }

private:
    detail::Handle<ap_series, ap_series_free> handle_;
};

/// An array, in a file or in memory, its affine and its header. As with Array, const does
/// not reach the elements.
class Image {
public:
    explicit Image(const std::string &path, const Options &options = Options::defaults())
        : handle_(detail::made<ap_image>([&](ap_image **out, ap_error *err) {
              return ap_image_open(detail::c_text(path), detail::live(options), out, err);
          }))
    {
    }
    explicit Image(const Proxy &proxy)
        : handle_(detail::made<ap_image>([&](ap_image **out, ap_error *err) {
              return ap_image_from_proxy(detail::live(proxy), out, err);
          }))
    {
    }
    /// Shares the array's elements.
    explicit Image(const Array &array, const std::optional<Affine> &affine = {},
                   const Bytes &header = {})
        : handle_(detail::made<ap_image>([&](ap_image **out, ap_error *err) {
              double numbers[16];
              for (std::size_t i = 0; affine && i < 16; i++)
                  numbers[i] = (*affine)[i / 4][i % 4];
              return ap_image_from_array(detail::live(array), affine ? numbers : nullptr,
                                         header.empty() ? nullptr : header.data(), header.size(),
                                         out, err);
          }))
    {
    }
    bool is_proxy() const
    {
        return detail::checked([&](ap_error *) { return ap_image_is_proxy(live()); }) != 0;
    }
    bool in_memory() const
    {
        return detail::checked([&](ap_error *) { return ap_image_in_memory(live()); }) != 0;
    }
    /// Empty if the image was made from an array.
    std::optional<Proxy> proxy() const
    {
        ap_proxy *shared = ap_image_proxy(live());
        return shared ? std::optional<Proxy>(Proxy(shared)) : std::nullopt;
    }
    Shape shape() const
    {
        return detail::listed<std::int64_t>([&](std::int64_t *list, std::int32_t room, ap_error *) {
            return ap_image_shape(live(), list, room);
        });
    }
    Affine affine(std::int32_t which = AP_AFFINE_BEST) const
    {
        return detail::affine(
            [&](double *out, ap_error *err) { return ap_image_affine(live(), which, out, err); });
    }
    Bytes header() const
    {
        std::size_t size = 0;
        const void *data = ap_image_header(live(), &size);
        return detail::bytes(data, size);
    }
    /// All of it, kept for the next call until uncache().
    template <class T = void> Array data(const How &how = {}) const
    {
        return Array(detail::made<ap_array>([&](ap_array **out, ap_error *err) {
            return ap_image_data(live(), dtype_of<T>, how.flags, how.control.get(), out, err);
        }));
    }
    void uncache() const { ap_image_uncache(live()); }
    const ap_image *get() const noexcept { return handle_.get(); }

private:
    ap_image *live() const { return detail::live(handle_); }

    detail::Handle<ap_image, ap_image_free> handle_;
};

/// What Proxy::volumes gives. Iterators stay valid as long as it.
template <class T> class Volumes {
public:
    using Item = std::conditional_t<std::is_same_v<T, Proxy>, Proxy, Nd<T>>;

    class iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = Item;
        using difference_type = std::ptrdiff_t;
        using reference = Item;
        /// An item for as long as `->` needs it.
        struct pointer {
            Item item;
            const Item *operator->() const noexcept { return &item; }
        };

        iterator() = default;
        Item operator*() const { return volumes_->at(i_); }
        pointer operator->() const { return {**this}; }
        iterator &operator++()
        {
            i_++;
            return *this;
        }
        iterator operator++(int)
        {
            iterator before = *this;
            i_++;
            return before;
        }
        friend bool operator==(const iterator &a, const iterator &b) { return a.i_ == b.i_; }
        friend bool operator!=(const iterator &a, const iterator &b) { return a.i_ != b.i_; }

    private:
        friend class Volumes;
        iterator(const Volumes *volumes, std::int64_t i) : volumes_(volumes), i_(i) {}

        const Volumes *volumes_ = nullptr;
        std::int64_t i_ = 0;
    };

    iterator begin() const { return {this, 0}; }
    iterator end() const { return {this, count_}; }
    std::int64_t size() const noexcept { return count_; }
    Item at(std::int64_t i) const
    {
        if constexpr (std::is_same_v<T, Proxy>)
            return proxy_.slice(rest, i);
        else
            return proxy_.template read<T>(how_, rest, i);
    }

private:
    friend class Proxy;

    Volumes(Proxy proxy, const How &how) : proxy_(std::move(proxy)), how_(how)
    {
        const Shape shape = proxy_.shape();
        if (shape.empty())
            throw error(AP_ERR_INDEX, "an array without axes has no volumes");
        count_ = shape.back();
    }

    Proxy proxy_;
    How how_;
    std::int64_t count_ = 0;
};

template <class T> Volumes<T> Proxy::volumes() const
{
    return Volumes<T>(clone(), How());
}
template <class T> Volumes<T> Proxy::volumes(const How &how) const
{
    static_assert(!std::is_same_v<T, Proxy>, "proxies are unread: give the How to their reads");
    return Volumes<T>(clone(), how);
}

/// Opens a file and finds its format. Only the header is read.
inline Proxy open(const std::string &path, const Options &options = Options::defaults())
{
    return Proxy(detail::made<ap_proxy>([&](ap_proxy **out, ap_error *err) {
        return ap_open(detail::c_text(path), detail::live(options), out, err);
    }));
}
inline Proxy open(const Source &source, const Options &options = Options::defaults())
{
    return Proxy(detail::made<ap_proxy>([&](ap_proxy **out, ap_error *err) {
        return ap_open_source(detail::live(source), nullptr, detail::live(options), out, err);
    }));
}
/// A pair: header and data.
inline Proxy open(const Source &header, const Source &image,
                  const Options &options = Options::defaults())
{
    return Proxy(detail::made<ap_proxy>([&](ap_proxy **out, ap_error *err) {
        return ap_open_source(detail::live(header), detail::live(image), detail::live(options), out,
                              err);
    }));
}

/// An array that the caller can describe; the type on disk is `dtype`.
struct Layout {
    ap_dtype dtype;
    Shape shape;
    std::uint64_t offset = 0;
    std::int32_t byte_order = AP_LITTLE;
    std::int32_t order = AP_ORDER_F;
    double slope = 1;
    double inter = 0;
};
inline Proxy open(const Source &source, const Layout &layout,
                  const Options &options = Options::defaults())
{
    return Proxy(detail::made<ap_proxy>([&](ap_proxy **out, ap_error *err) {
        return ap_open_layout(detail::live(source), layout.dtype, layout.byte_order,
                              detail::count(layout.shape), layout.shape.data(), layout.order,
                              layout.offset, layout.slope, layout.inter, detail::live(options),
                              out, err);
    }));
}

} // namespace arrayproxy

#endif

// The header and the library in a C++ program: handles in classes that free
// them, errors as exceptions, callbacks on an object.
#include "test.h"

#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

class Failure : public std::runtime_error {
public:
    explicit Failure(const ap_error &e) : std::runtime_error(e.message), code(e.code) {}
    ap_status code;
};

template <typename Call> int64_t must(Call call)
{
    ap_error e = ap_error();
    int64_t result = call(&e);
    if (result < 0)
        throw Failure(e);
    return result;
}

// One pointer and the function that frees it.
template <typename T, void (*release)(T *)> class Handle {
public:
    Handle() : p(nullptr) {}
    explicit Handle(T *given) : p(given) {}
    Handle(Handle &&other) noexcept : p(other.p) { other.p = nullptr; }
    Handle &operator=(Handle &&other) noexcept
    {
        std::swap(p, other.p);
        return *this;
    }
    Handle(const Handle &) = delete;
    Handle &operator=(const Handle &) = delete;
    ~Handle() { release(p); }
    T *get() const { return p; }
    T **out() { return &p; }

private:
    T *p;
};

typedef Handle<ap_source, ap_source_free> Source;
typedef Handle<ap_options, ap_options_free> Options;
typedef Handle<ap_plan, ap_plan_free> Plan;

class Proxy : public Handle<ap_proxy, ap_free> {
public:
    Proxy() {}
    explicit Proxy(ap_proxy *given) : Handle(given) {}
    Proxy clone() const { return Proxy(ap_clone(get())); }

    std::vector<int64_t> shape() const
    {
        std::vector<int64_t> s(static_cast<size_t>(ap_ndim(get())));
        ap_shape(get(), s.data(), static_cast<int32_t>(s.size()));
        return s;
    }

    std::vector<double> read(const std::vector<ap_slice> &index) const
    {
        const int32_t n = static_cast<int32_t>(index.size());
        Plan plan;
        must([&](ap_error *e) {
            return ap_plan_new(get(), index.data(), n, AP_FLOAT64, 0, plan.out(), e);
        });
        std::vector<double> data(static_cast<size_t>(ap_plan_nbytes(plan.get())) / 8);
        must([&](ap_error *e) {
            return ap_plan_read(plan.get(), data.data(), data.size() * 8, 0, nullptr, nullptr, e);
        });
        return data;
    }
};

// Bytes behind callbacks. Exceptions must not pass through the library, so
// they become a negative result.
class Text {
public:
    explicit Text(const std::string &t) : text(t), failing(false), released(0) {}

    static int64_t read_at(void *user, void *buf, size_t len, uint64_t offset)
    {
        Text *self = static_cast<Text *>(user);
        try {
            return self->read(buf, len, static_cast<size_t>(offset));
        } catch (const std::exception &) {
            return -42;
        }
    }
    static int64_t size(void *user)
    {
        return static_cast<int64_t>(static_cast<Text *>(user)->text.size());
    }
    static void release(void *user) { static_cast<Text *>(user)->released++; }

    std::string text;
    bool failing;
    int released;

private:
    int64_t read(void *buf, size_t len, size_t offset)
    {
        if (failing)
            throw std::runtime_error("no more");
        std::string part = offset < text.size() ? text.substr(offset, len) : std::string();
        std::memcpy(buf, part.data(), part.size());
        return static_cast<int64_t>(part.size());
    }
};

Proxy open_text(Text &text, const std::vector<int64_t> &shape, double slope)
{
    Source source;
    Proxy proxy;
    Options options(ap_options_new());
    must([&](ap_error *e) { return ap_options_parse(options.get(), "codec=none", e); });
    must([&](ap_error *e) {
        return ap_source_callbacks(Text::read_at, Text::size, Text::release, &text, 0,
                                   source.out(), e);
    });
    must([&](ap_error *e) {
        return ap_open_layout(source.get(), AP_UINT8, AP_LITTLE,
                              static_cast<int32_t>(shape.size()), shape.data(), AP_ORDER_F, 0,
                              slope, 0, options.get(), proxy.out(), e);
    });
    return proxy;
}

void test_reading()
{
    Text text("abcdefghijkl");
    {
        Proxy proxy = open_text(text, {4, 3}, 0.5);
        Proxy clone = proxy.clone();
        proxy = Proxy();
        CHECK(clone.shape() == (std::vector<int64_t>{4, 3}));
        std::vector<double> column = clone.read({ap_range(AP_NONE, AP_NONE, -1), ap_at(1)});
        CHECK(column == (std::vector<double>{52, 51.5, 51, 50.5}));
        CHECK(clone.read({ap_rest()}).size() == 12);
        CHECK(clone.read({}).size() == 12);
        CHECK_INT(text.released, 0);
    }
    CHECK_INT(text.released, 1);
}

void test_exceptions()
{
    Text text("abcdefghijkl");
    Proxy proxy = open_text(text, {4, 3}, 1);
    int caught = 0;
    try {
        proxy.read({ap_at(4)});
    } catch (const Failure &f) {
        caught++;
        CHECK_STATUS(f.code, AP_ERR_INDEX);
        CHECK(std::strlen(f.what()) > 0);
    }
    text.failing = true;
    try {
        proxy.read({ap_at(0)});
    } catch (const Failure &f) {
        caught++;
        CHECK_STATUS(f.code, AP_ERR_CALLBACK);
    }
    text.failing = false;
    CHECK(proxy.read({ap_at(0)}).size() == 3);
    CHECK_INT(caught, 2);
}

}  // namespace

int main()
{
    test_reading();
    test_exceptions();
    CHECK_INT(ap_version(), AP_VERSION_NUMBER);
    return test_end("wrapper");
}

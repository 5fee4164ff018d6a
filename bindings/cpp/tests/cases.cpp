// The cases that all bindings share: target/bindings/cases, made by bindings/cases.py.
#include "test.hpp"

#include <fstream>
#include <map>

namespace {

const std::string folder = "target/bindings/cases/";

struct Case {
    std::map<std::string, std::string> texts;
    std::map<std::string, std::vector<std::int64_t>> lists;
    double sum = 0;
};

// A line of cases.json: {"name": "text" or [integers] or number, ...}
Case parsed(const std::string &line)
{
    Case result;
    std::size_t at = 0;
    const auto up_to = [&](char end) {
        const std::size_t begin = at;
        at = line.find(end, begin) + 1;
        return line.substr(begin, at - 1 - begin);
    };
    while ((at = line.find('"', at)) != std::string::npos) {
        at++;
        const std::string name = up_to('"');
        at += 2;
        if (line[at] == '"') {
            at++;
            result.texts[name] = up_to('"');
        } else if (line[at] == '[') {
            at++;
            std::istringstream numbers(up_to(']'));
            std::vector<std::int64_t> &list = result.lists[name];
            std::string number;
            while (std::getline(numbers, number, ','))
                list.push_back(std::stoll(number));
        } else {
            result.sum = std::stod(line.substr(at));
            at = line.find_first_of(",}", at);
        }
    }
    return result;
}

arrayproxy::Index from_numbers(const Case &one)
{
    std::vector<ap_slice> entries;
    for (std::size_t axis = 0; axis < one.lists.at("start").size(); axis++) {
        const std::int64_t start = one.lists.at("start")[axis];
        const std::int64_t step = one.lists.at("step")[axis];
        const std::int64_t stop = start + one.lists.at("count")[axis] * step;
        if (one.lists.at("drop")[axis] != 0)
            entries.push_back(arrayproxy::at(start));
        else
            entries.push_back(arrayproxy::range(start, stop < 0 ? arrayproxy::none : stop, step));
    }
    return entries;
}

template <class T> double weight(const T &value)
{
    return static_cast<double>(value);
}
template <class T> double weight(const std::complex<T> &value)
{
    return static_cast<double>(value.real()) + 2 * static_cast<double>(value.imag());
}

// Column-major, whatever the strides.
template <class T> double weighed(const arrayproxy::View<T> &view)
{
    double sum = 0;
    std::int64_t i = 0;
    std::vector<std::int64_t> index(view.ndim());
    for (const std::int64_t n : view.shape())
        if (n == 0)
            return 0;
    for (;;) {
        std::int64_t offset = 0;
        for (std::size_t axis = 0; axis < view.ndim(); axis++)
            offset += index[axis] * view.strides()[axis];
        sum += weight(view.data()[offset]) * static_cast<double>(1 + i++ % 97);
        std::size_t axis = 0;
        while (axis < view.ndim() && ++index[axis] == view.shape()[axis])
            index[axis++] = 0;
        if (axis == view.ndim())
            return sum;
    }
}

// All ways to the result, for its type T.
template <class T>
void check_read(const arrayproxy::Proxy &proxy, const Case &one, ap_dtype asked)
{
    const arrayproxy::Index index = from_numbers(one);
    const arrayproxy::Shape shape = one.lists.at("shape");
    const arrayproxy::Plan plan = proxy.plan_as(asked, {{}, index});
    CHECK_EQUAL(plan.dtype(), arrayproxy::dtype_of<T>);
    CHECK_EQUAL(plan.shape(), shape);
    CHECK_EQUAL(proxy.shape_of(index), shape);

    arrayproxy::Nd<T> result = plan.read<T>();
    CHECK_EQUAL(result.shape(), shape);
    CHECK_EQUAL(result.size() * sizeof(T), plan.nbytes());
    CHECK_EQUAL(weighed(result.view()), one.sum);

    const arrayproxy::Nd<T> rows =
        proxy.plan_as(asked, {{AP_READ_C}, index}).template read<T>();
    CHECK_EQUAL(rows.shape(), shape);
    CHECK_EQUAL(weighed(rows.view()), one.sum);

    arrayproxy::Nd<T> strided(shape, true);
    plan.read_into(strided);
    CHECK_EQUAL(weighed(strided.view()), one.sum);

    std::vector<T> values;
    plan.read_into(values);
    CHECK(values == result.values());

    const arrayproxy::Array array = proxy.load_as(asked, {{}, index});
    CHECK_EQUAL(array.dtype(), arrayproxy::dtype_of<T>);
    CHECK_EQUAL(weighed(array.view<T>()), one.sum);

    const arrayproxy::Proxy part = proxy.slice(index);
    CHECK_EQUAL(part.shape(), shape);
    const arrayproxy::Nd<T> of_part = part.plan_as(asked).template read<T>();
    CHECK_EQUAL(weighed(of_part.view()), one.sum);

    if (asked == AP_AUTO) {
        const arrayproxy::Array same = proxy.load(index);
        CHECK_EQUAL(weighed(same.view<T>()), one.sum);
    } else if (asked == AP_DISK) {
        const arrayproxy::Array same = proxy.load<arrayproxy::disk>(index);
        CHECK_EQUAL(weighed(same.view<T>()), one.sum);
    } else {
        const arrayproxy::Nd<T> same = proxy.read<T>(index);
        CHECK_EQUAL(weighed(same.view()), one.sum);
    }
}

void check_case(const Case &one)
{
    const arrayproxy::Proxy proxy = arrayproxy::open(folder + one.texts.at("file"));
    const std::string &name = one.texts.at("dtype"), &type = one.texts.at("type");
    const ap_dtype asked = name == "auto"   ? AP_AUTO
                           : name == "disk" ? AP_DISK
                                            : ap_dtype_parse(name.c_str());
    const arrayproxy::Index index = arrayproxy::Index::parse(one.texts.at("text"));
    CHECK_EQUAL(proxy.shape_of(index), one.lists.at("shape"));
    switch (ap_dtype_parse(type.c_str())) {
    case AP_UINT8: return check_read<std::uint8_t>(proxy, one, asked);
    case AP_UINT16: return check_read<std::uint16_t>(proxy, one, asked);
    case AP_INT16: return check_read<std::int16_t>(proxy, one, asked);
    case AP_INT32: return check_read<std::int32_t>(proxy, one, asked);
    case AP_INT64: return check_read<std::int64_t>(proxy, one, asked);
    case AP_FLOAT32: return check_read<float>(proxy, one, asked);
    case AP_FLOAT64: return check_read<double>(proxy, one, asked);
    case AP_COMPLEX64: return check_read<std::complex<float>>(proxy, one, asked);
    case AP_COMPLEX128: return check_read<std::complex<double>>(proxy, one, asked);
    default: CHECK(type == "a type that is known here");
    }
}

void test_cases()
{
    std::ifstream file(folder + "cases.json");
    std::string line;
    long count = 0;
    while (std::getline(file, line)) {
        if (line.size() < 3) // the brackets around all
            continue;
        const Case one = parsed(line);
        test::note = one.texts.at("file") + " " + one.texts.at("dtype") + " [" +
                     one.texts.at("text") + "]";
        check_case(one);
        count++;
    }
    test::note.clear();
    CHECK(count >= 100);
}

} // namespace

int main()
{
    return test::run("cases", {test_cases});
}

// test.hpp - checks for the C++ tests
//
// A check that fails prints its place, what was found and what was wanted; the program
// goes on. main is `return test::run("name", {parts});`. Checks are for the main thread.
#ifndef TEST_HPP
#define TEST_HPP

#include "arrayproxy.hpp"

#include <iostream>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

namespace test {

inline long passed = 0, failed = 0;
inline std::string note; // what is being tested, for loops

template <class T, class = void> inline constexpr bool is_list = false;
template <class T>
inline constexpr bool is_list<T, std::void_t<decltype(std::declval<const T &>().begin())>> =
    !std::is_same_v<T, std::string>;

template <class T> std::string shown(const T &value)
{
    std::ostringstream text;
    text.precision(17);
    if constexpr (is_list<T>) {
        text << "{";
        for (const auto &item : value)
            text << " " << shown(item);
        text << " }";
    } else if constexpr (std::is_same_v<T, std::byte>) {
        text << static_cast<int>(value);
    } else {
        text << value;
    }
    return text.str();
}

inline bool check(bool holds, const std::string &text, const char *file, int line)
{
    (holds ? passed : failed)++;
    if (!holds && failed <= 40)
        std::cout << file << ":" << line << ": " << text << (note.empty() ? "" : " [" + note + "]")
                  << "\n";
    return holds;
}

template <class Found, class Wanted>
bool equal(const Found &found, const Wanted &wanted, const char *text, const char *file, int line)
{
    const bool holds = found == static_cast<Found>(wanted);
    return check(holds,
                 holds ? "" : std::string(text) + ": found " + shown(found) + ", wanted " +
                                  shown(wanted),
                 file, line);
}

template <class T> std::vector<T> list(std::initializer_list<T> values)
{
    return values;
}

// The call must throw just this code, and say something.
inline bool fails(void (*run)(const void *), const void *call, ap_status code, const char *text,
                  const char *file, int line)
{
    std::string found = "nothing thrown";
    try {
        run(call);
    } catch (const arrayproxy::error &e) {
        if (e.code() == code && e.what()[0] != '\0')
            return check(true, "", file, line);
        found = std::string(e.name()) + ": " + e.what();
    }
    return check(false, std::string(text) + ": " + found + ", wanted " + ap_status_name(code), file,
                 line);
}
template <class Call>
bool fails(const Call &call, ap_status code, const char *text, const char *file, int line)
{
    const auto run = [](const void *one) { (*static_cast<const Call *>(one))(); };
    return fails(run, &call, code, text, file, line);
}

template <class Exception, class Call>
bool throws(Call call, const char *text, const char *file, int line)
{
    try {
        call();
    } catch (const Exception &) {
        return check(true, "", file, line);
    } catch (const std::exception &e) {
        return check(false, std::string(text) + ": threw " + e.what(), file, line);
    }
    return check(false, std::string(text) + ": nothing thrown", file, line);
}

// Bytes of numbers, to be opened as a layout.
template <class T> arrayproxy::Proxy numbers(const std::vector<T> &values,
                                             const arrayproxy::Shape &shape, double slope = 1)
{
    arrayproxy::Layout layout{arrayproxy::dtype_of<T>, shape};
    layout.slope = slope;
    return arrayproxy::open(arrayproxy::Source::memory(values), layout,
                            arrayproxy::Options("codec=none"));
}

// 0, 1, 2, ... as many as the shape has.
template <class T> arrayproxy::Proxy counted(const arrayproxy::Shape &shape)
{
    std::int64_t size = 1;
    for (const std::int64_t n : shape)
        size *= n;
    std::vector<T> values;
    for (std::int64_t i = 0; i < size; i++)
        values.push_back(static_cast<T>(i));
    return numbers(values, shape);
}

// All parts of a program; what they throw is a failure.
inline int run(const char *name, std::initializer_list<void (*)()> parts)
{
    for (const auto part : parts) {
        try {
            part();
        } catch (const std::exception &e) {
            check(false, std::string("threw ") + e.what(), name, 0);
        }
    }
    std::cout << name << ": " << passed << " passed, " << failed << " failed\n";
    return failed == 0 && passed > 0 ? 0 : 1;
}

} // namespace test

#define CHECK(...) test::check(static_cast<bool>(__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)
#define CHECK_EQUAL(found, ...) test::equal(found, __VA_ARGS__, #found, __FILE__, __LINE__)
#define CHECK_ERROR(code, ...) \
    test::fails([&] { __VA_ARGS__; }, code, #__VA_ARGS__, __FILE__, __LINE__)
#define CHECK_THROWS(exception, ...) \
    test::throws<exception>([&] { __VA_ARGS__; }, #__VA_ARGS__, __FILE__, __LINE__)

#endif

"""A header's fields by name and its extensions, as methods of proxies."""

import ctypes as c

from capi import Error, check, lib

# More than any field has.
ROOM = 2000


class Fields:
    @property
    def field_names(self):
        count = check(lib().ap_field_count(self.handle))
        names = [lib().ap_field_name(self.handle, i).decode() for i in range(count)]
        assert lib().ap_field_name(self.handle, count) is None
        return names

    def _numbers(self, function, kind, name):
        numbers, error = (kind * ROOM)(), Error()
        count = check(function(self.handle, name.encode(), numbers, ROOM, c.byref(error)), error)
        return list(numbers[:count])

    def field_ints(self, name):
        return self._numbers(lib().ap_field_ints, c.c_int64, name)

    def field_reals(self, name):
        return self._numbers(lib().ap_field_reals, c.c_double, name)

    def field_text(self, name):
        error = Error()
        arguments = self.handle, name.encode()
        needed = check(lib().ap_field_text(*arguments, None, 0, c.byref(error)), error)
        text = c.create_string_buffer(b"\xee" * needed, needed + 1)
        assert lib().ap_field_text(*arguments, text, needed, None) == needed
        assert len(text.value) == needed - 1 and text.raw[needed - 1 :] == b"\0\0"
        return text.value.decode()

    @property
    def extensions(self):
        """Codes and contents."""
        error, found = Error(), []
        for i in range(check(lib().ap_extension_count(self.handle, c.byref(error)), error)):
            code, end = c.c_int32(-99), (None, 0, c.byref(error))
            size = check(lib().ap_extension(self.handle, i, c.byref(code), *end), error)
            content = c.create_string_buffer(size)
            end = content, size, c.byref(error)
            assert check(lib().ap_extension(self.handle, i, None, *end), error) == size
            found.append((code.value, content.raw))
        return found

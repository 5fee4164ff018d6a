/* Registers what R calls. */
#include "glue.h"

#include <R_ext/Rdynload.h>
#include <R_ext/Visibility.h>

#define ENTRY(name, arguments) {#name, (DL_FUNC)&name, arguments}

static const R_CallMethodDef entries[] = {
    ENTRY(open_file, 1),
    ENTRY(close_handle, 2),
    ENTRY(origin_of, 1),
    ENTRY(slice_handle, 3),
    ENTRY(slice_again, 2),
    ENTRY(reshape_handle, 2),
    ENTRY(shape, 1),
    ENTRY(size, 1),
    ENTRY(info, 1),
    ENTRY(affine_of, 2),
    ENTRY(affine_code_of, 2),
    ENTRY(zooms_of, 1),
    ENTRY(factors_of, 1),
    ENTRY(field_names, 1),
    ENTRY(field_value, 3),
    ENTRY(notes_of, 1),
    ENTRY(header_of, 1),
    ENTRY(extensions_of, 1),
    ENTRY(seekindex_build, 1),
    ENTRY(seekindex_file, 3),
    ENTRY(seekindex_info, 1),
    ENTRY(subset, 4),
    ENTRY(one_element, 2),
    ENTRY(read_lists, 5),
    ENTRY(read_points, 3),
    {NULL, NULL, 0},
};

attribute_visible void R_init_arrayproxy(DllInfo *dll)
{
    R_registerRoutines(dll, NULL, entries, NULL, NULL);
    R_useDynamicSymbols(dll, FALSE);
    R_forceSymbols(dll, TRUE);
}

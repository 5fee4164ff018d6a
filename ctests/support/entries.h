/*
 * entries.h - entries of indices, for lists that are static
 */
#ifndef ENTRIES_H
#define ENTRIES_H

#include "../test.h"

#define RANGE(start, stop, step) {AP_SLICE_RANGE, start, stop, step}
#define ALL RANGE(AP_NONE, AP_NONE, 1)
#define BACK RANGE(AP_NONE, AP_NONE, -1)
#define AT(i) {AP_SLICE_AT, i, 0, 1}
#define NEW {AP_SLICE_NEWAXIS, 0, 0, 1}
#define REST {AP_SLICE_ELLIPSIS, 0, 0, 1}

#endif

/* Slices as proxies, reshaped: as NumPy does it without a copy. */
#include "test.h"
#include "support/access.h"
#include "support/entries.h"
#include "support/numpy.h"
#include "support/parts.h"

#include <stdlib.h>

typedef struct {
    ap_slice index[4];
    int nindex;
    int ndim;
    int64_t sides[5];
    ap_status status;
} reshape_case;

static void check_reshapes(const int64_t *sides, int ndim, int order, const reshape_case *cases,
                           int count)
{
    int64_t full[4];
    /* In row-major order the same, with the axes turned round. */
    for (int k = 0; k < ndim; k++)
        full[k] = sides[order == AP_ORDER_F ? k : ndim - 1 - k];
    ap_proxy *file = open_counted(ndim, full, order);
    for (int i = 0; i < count; i++) {
        selection whole = whole_of(ndim, full, order), part;
        const reshape_case *one = cases + i;
        ap_slice index[4];
        int64_t asked[5];
        char text[200];
        for (int k = 0; k < one->nindex; k++)
            index[k] = one->index[order == AP_ORDER_F ? k : one->nindex - 1 - k];
        for (int k = 0; k < one->ndim; k++)
            asked[k] = one->sides[order == AP_ORDER_F ? k : one->ndim - 1 - k];
        show_index(text, sizeof text, index, one->nindex);
        test_note("order %c, case %d, %s", order, i, text);
        CHECK_OK(part_of(&whole, index, one->nindex, AP_ORDER_F, &part));
        ap_proxy *proxy = slice_of(file, index, one->nindex), *out = MARKED(ap_proxy);
        CHECK_STATUS(ap_reshape(proxy, one->ndim, asked, &out, &err), one->status);
        ap_free(proxy);
        if (one->status == AP_OK && out) {
            selection wanted = reshaped_part(&part, order, one->ndim, asked);
            check_slice_proxy(out, &wanted, 0);
            /* And a slice of that. */
            ap_slice turned = ap_range(AP_NONE, AP_NONE, -2);
            ap_proxy *again = slice_of(out, &turned, 1);
            selection last;
            CHECK_OK(part_of(&wanted, &turned, 1, AP_ORDER_F, &last));
            check_slice_proxy(again, &last, 0);
            ap_free(again);
            free(last.element);
            free(wanted.element);
            ap_free(out);
        } else {
            CHECK(out == NULL);
        }
        free(whole.element);
        free(part.element);
    }
    test_note("");
    ap_free(file);
}

/* As NumPy does it without a copy. */
static void test_reshape(void)
{
    static const reshape_case cases[] = {
        /* Whole volumes are one block. */
        {{ALL, ALL, ALL, RANGE(1, 2, 1)}, 4, 1, {60}, AP_OK},
        {{ALL, ALL, ALL, AT(1)}, 4, 2, {5, 12}, AP_OK},
        {{ALL, ALL, ALL, RANGE(1, 2, 1)}, 4, 5, {1, 10, 1, 2, 3}, AP_OK},
        {{ALL, ALL, ALL, RANGE(AP_NONE, AP_NONE, -1)}, 4, 3, {4, 15, 2}, AP_OK},
        {{ALL, ALL, ALL, RANGE(AP_NONE, AP_NONE, -1)}, 4, 1, {120}, AP_ERR_UNSUPPORTED},
        /* Half of the rows of each plane. */
        {{ALL, RANGE(1, 3, 1), ALL, ALL}, 4, 3, {10, 3, 2}, AP_OK},
        {{ALL, RANGE(1, 3, 1), ALL, ALL}, 4, 3, {5, 2, 6}, AP_OK},
        {{ALL, RANGE(1, 3, 1), ALL, ALL}, 4, 5, {2, 5, 1, 2, 3}, AP_OK},
        {{ALL, RANGE(1, 3, 1), ALL, ALL}, 4, 3, {5, 6, 2}, AP_ERR_UNSUPPORTED},
        {{ALL, RANGE(1, 3, 1), ALL, ALL}, 4, 1, {60}, AP_ERR_UNSUPPORTED},
        {{ALL, RANGE(1, 3, 1), ALL, ALL}, 4, 3, {4, 5, 3}, AP_ERR_UNSUPPORTED},
        /* Every other element of the fastest axis. */
        {{RANGE(AP_NONE, AP_NONE, 2), ALL, ALL, ALL}, 4, 2, {3, 24}, AP_OK},
        {{RANGE(AP_NONE, AP_NONE, 2), ALL, ALL, ALL}, 4, 2, {12, 6}, AP_ERR_UNSUPPORTED},
        /* One index of the fastest axis: what is left is evenly spaced. */
        {{AT(2), ALL, ALL, ALL}, 4, 1, {24}, AP_OK},
        {{RANGE(2, 3, 1), ALL, ALL, ALL}, 4, 4, {3, 2, 2, 2}, AP_OK},
        {{AT(2), RANGE(AP_NONE, AP_NONE, 2), ALL, ALL}, 4, 2, {12, 1}, AP_OK},
        {{AT(2), RANGE(AP_NONE, 2, 1), ALL, ALL}, 4, 2, {12, 1}, AP_ERR_UNSUPPORTED},
        {{AT(2), AT(1), AT(2), AT(0)}, 4, 3, {1, 1, 1}, AP_OK},
        /* No elements, no bounds; but as many of them. */
        {{ALL, RANGE(2, 2, 1), ALL, ALL}, 4, 3, {7, 0, 2}, AP_OK},
        {{ALL, RANGE(1, 3, 1), ALL, ALL}, 4, 1, {59}, AP_ERR_ARGUMENT},
        {{ALL, RANGE(1, 3, 1), ALL, ALL}, 4, 2, {7, -1}, AP_ERR_ARGUMENT},
        {{ALL, RANGE(1, 3, 1), ALL, ALL}, 4, 2, {-1, -1}, AP_ERR_ARGUMENT},
    };
    static const int64_t plane[2] = {8, 3};
    static const reshape_case planes[] = {
        {{RANGE(AP_NONE, AP_NONE, 2), ALL}, 2, 3, {2, 2, 3}, AP_OK},
        {{RANGE(1, AP_NONE, 2), ALL}, 2, 1, {12}, AP_OK},
        {{RANGE(1, AP_NONE, 2), ALL}, 2, 2, {3, 4}, AP_OK},
        {{RANGE(1, AP_NONE, 3), ALL}, 2, 1, {9}, AP_ERR_UNSUPPORTED},
        {{RANGE(AP_NONE, AP_NONE, -1), RANGE(AP_NONE, AP_NONE, -1)}, 2, 1, {24}, AP_OK},
        {{RANGE(AP_NONE, AP_NONE, -2), RANGE(AP_NONE, AP_NONE, -1)}, 2, 2, {6, 2}, AP_OK},
        {{RANGE(AP_NONE, AP_NONE, -1), ALL}, 2, 1, {24}, AP_ERR_UNSUPPORTED},
        {{RANGE(AP_NONE, AP_NONE, -1), ALL}, 2, 3, {2, 4, 3}, AP_OK},
        {{RANGE(AP_NONE, AP_NONE, -1), NEW, ALL}, 3, 3, {4, 2, 3}, AP_OK},
    };
    for (int c = 0; c < 2; c++) {
        int order = c ? AP_ORDER_C : AP_ORDER_F;
        check_reshapes(parted_shape, 4, order, cases, COUNT(cases));
        check_reshapes(plane, 2, order, planes, COUNT(planes));
    }
    /* A length that is left out. */
    static const ap_slice last[] = {REST, AT(1)};
    static const int64_t left[2] = {-1, 6};
    ap_proxy *file = open_counted(4, parted_shape, AP_ORDER_F), *out;
    ap_proxy *proxy = slice_of(file, last, 2);
    int64_t found[2];
    CHECK_OK(ap_reshape(proxy, 2, left, &out, &err));
    CHECK_INTS(found, ap_shape(out, found, 2), INTS(10, 6));
    ap_free(out);
    ap_free(proxy);
    ap_free(file);
}

int main(void)
{
    test_reshape();
    return test_end("partshape");
}

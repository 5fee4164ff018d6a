/*
 * arrayproxy.h - read parts of N-d arrays in neuroimaging files
 *
 * Made by cbindgen from src/ffi. Do not edit.
 *
 * Rules that hold for every function here:
 *
 *  Errors    Functions that can fail return AP_OK or a count, or a negative
 *            AP_ERR_ code. Their last argument may point to an ap_error to
 *            be filled in; NULL is fine. There is no hidden error state.
 *  Owning    What a function makes through a pointer to a pointer is the
 *            caller's and has a function ending in _free. It is NULL after a
 *            failure. Pointers that functions return belong to the handle
 *            they came from and stay valid and unchanged as long as it does.
 *            Handles may be freed in any order. A function that takes a
 *            `release` callback and fails does not call it.
 *  Threads   Functions that take a const handle may run on that handle in
 *            many threads at once. Others need the handle to themselves.
 *            Nothing is bound to the thread that made it. fork() is safe
 *            while no call is running.
 *  Callbacks Run on the thread that called the library, unless
 *            AP_SOURCE_CONCURRENT allows others; `release` runs on whichever
 *            thread drops the last reference. They must return (no longjmp,
 *            no unwinding) and must not use or free the handle in use.
 *  NULL      Never crashes: a handle or result that must be there gives
 *            AP_ERR_NULL; where the result has no negative values, 0 or NULL.
 *  Flags     A flag that the function does not know or cannot use gives
 *            AP_ERR_ARGUMENT.
 *  Memory    AP_ERR_MEMORY covers results, caches, tables and every buffer
 *            whose size comes from the file or the caller, and results beyond
 *            PTRDIFF_MAX bytes. If a few hundred bytes cannot be had, the
 *            process ends, as in all of Rust.
 *  Text      UTF-8, ended by NUL. Paths: see ap_source_file.
 *  Numbers   Shapes and steps are int64_t, sizes in memory size_t. Strides
 *            are in bytes. Axes and indices count from 0, axis 0 being the
 *            first in the file's own order (x in NIfTI).
 */


#ifndef ARRAYPROXY_H
#define ARRAYPROXY_H

#include <stddef.h>
#include <stdint.h>

/* Version of this header; ap_version() tells that of the library. */
#define AP_VERSION_MAJOR 0
#define AP_VERSION_MINOR 1
#define AP_VERSION_PATCH 0
#define AP_VERSION_NUMBER (AP_VERSION_MAJOR * 10000 + AP_VERSION_MINOR * 100 + AP_VERSION_PATCH)

/* DLPack's tensor, declared in dlpack.h 1.0 or newer. Not needed here. */
struct DLManagedTensorVersioned;

/* Define AP_DLL when linking to the DLL on Windows. */
#ifndef AP_API
#  if defined(_WIN32) && defined(AP_DLL)
#    define AP_API __declspec(dllimport)
#  else
#    define AP_API
#  endif
#endif


/// ABI generation. It changes only when an existing program would break;
/// the shared library's soname changes with it.
#define AP_ABI_VERSION 0

/// Text: the format, as `ap_format` names it. Default: detect. Content never
/// tells "analyze" and "spm99" from "spm2".
#define AP_OPT_FORMAT 1

/// Text: "auto", "none", "gzip", "bzip2", "zstd". Default: detect by content.
/// Of a pair it means the data.
#define AP_OPT_CODEC 2

/// 0 never map the file, 1 map it if possible, 2 fail opening with
/// `AP_ERR_UNSUPPORTED` if it can't be mapped. Default 1. Compressed data and
/// callback sources are never mapped. With 1 the library's own reads may use
/// the map; the file's size is checked before each, but a file that is cut
/// during a read can end the process (SIGBUS). 0 rules that out.
#define AP_OPT_MMAP 3

/// 1 keep the file open between reads, 0 open it for each read. Default 1.
/// 0 serves programs that hold thousands of proxies: no decoder of more than
/// 1 MiB is kept either, which bzip2's are and most of zstd's, no decoded data
/// unless `AP_OPT_CACHE_BYTES` is set, and of a seek index that grows 256 KiB.
/// An index file is opened for each window then, too.
#define AP_OPT_KEEP_OPEN 4

/// Most threads that one call may use; 0 one per core, 1 only the caller's.
/// Default 1. Threads start and end within the call: fork() stays safe.
#define AP_OPT_THREADS 5

/// Bytes of decoded data kept between reads of compressed files. Default
/// 32 MiB.
#define AP_OPT_CACHE_BYTES 6

/// Largest result in bytes that a read may make. Default: no limit.
#define AP_OPT_MAX_BYTES 7

/// Seek index of compressed data: 0 none, 1 grow it as reads go, 2 build it
/// when opening, which cannot be cancelled. Default 1. An index that grows
/// takes 1 MiB and a fourth of the file's size at most (twice that size if the
/// spacing is set): of data that are packed more densely than others, its
/// points stand farther apart.
#define AP_OPT_INDEX_MODE 8

/// Uncompressed bytes between seek points, 64 KiB or more; 0 by the size of
/// the data, from 256 KiB to 4 MiB. Default 0.
#define AP_OPT_INDEX_SPACING 9

/// Text: file to load the seek index from when opening, if it is there. One
/// that does not fit is not used, with a warning (`AP_ERR_SEEKINDEX` if
/// strict). "auto": a file in the user's cache folder, found by the data's
/// path, size and time, loaded if there and kept up to date when the last
/// handle is freed. For gzip.
#define AP_OPT_INDEX_PATH 10

/// 1 check the checksums of compressed data when whole members are read.
/// Default 1. bzip2 and zstd check each block or frame that a read gets to the
/// end of, in any case.
#define AP_OPT_VERIFY 11

/// 1 fail on headers that break the format's rules; 0 read them as NiBabel
/// does and note it, see `ap_warning`. Default 0.
#define AP_OPT_STRICT 12

/// Text: "dv" (displayed values) or "fp" (floating point), for PAR/REC.
/// Default "dv".
#define AP_OPT_SCALING 13

/// 1 open recordings that are not complete, for PAR/REC. Default 0.
#define AP_OPT_TRUNCATED 14

/// Text: "plain" or "strict" order of slices, for PAR/REC. Default "plain".
#define AP_OPT_SORT 15

/// `AP_FLOAT64` or `AP_FLOAT32`: type of slope and intercept as given to
/// `ap_open_layout`, which decides the type of scaled results. Default
/// `AP_FLOAT64`.
#define AP_OPT_FACTOR_TYPE 16

/// Most files of a series that are open at once, 1 or more. Default 64.
#define AP_OPT_OPEN_FILES 17

/// `read_at` may be called from several threads at once. Without it, it is
/// called from one thread at a time, always the one that called the library.
#define AP_SOURCE_CONCURRENT 1

/// Column-major ("Fortran"): the first axis moves fastest.
#define AP_ORDER_F 70

/// Row-major ("C"): the last axis moves fastest.
#define AP_ORDER_C 67

/// Least significant byte first.
#define AP_LITTLE 1

/// Most significant byte first.
#define AP_BIG 2

/// Entry `start:stop:step`.
#define AP_SLICE_RANGE 0

/// Entry `start`: takes one index and drops the axis.
#define AP_SLICE_AT 1

/// Entry `...`: all axes that no other entry takes. At most one.
#define AP_SLICE_ELLIPSIS 2

/// Entry `newaxis`: adds an axis of length 1.
#define AP_SLICE_NEWAXIS 3

/// In `start` and `stop`: left out, as in `a[::2]`. -2^63, which can
/// therefore not be given as a bound; -2^63 + 1 means the same. For a full
/// walk backwards `stop` is AP_NONE, never -1, which means the last index.
#define AP_NONE INT64_MIN

/// Most axes of an array and most entries of an index.
#define AP_MAX_NDIM 64

/// The affine that NiBabel would choose.
#define AP_AFFINE_BEST 0

/// NIfTI's sform.
#define AP_AFFINE_SFORM 1

/// NIfTI's qform.
#define AP_AFFINE_QFORM 2

/// From shape and zooms alone.
#define AP_AFFINE_BASE 3

/// Results in row-major order. Without it they are column-major, which is the
/// order of nearly all these files and the faster one.
#define AP_READ_C 1

/// Do not scale, whatever the type asked for.
#define AP_READ_RAW 2

/// Casts to integers round to the nearest, ties to even. Without it they cut
/// towards zero, as C and NumPy do. In both cases values out of range become
/// the nearest limit, from integers too (NumPy wraps those), and NaN becomes
/// 0. Complex to real keeps the real part. Casts to or from RGB, and to
/// `AP_FLOAT128` or `AP_COMPLEX256` from another type, give
/// `AP_ERR_UNSUPPORTED`.
#define AP_READ_ROUND 4

/// Casts fail with `AP_ERR_RANGE` if, after rounding or cutting, an integer
/// does not fit, NaN becomes an integer, a finite value becomes infinite, or
/// an imaginary part that is not zero is dropped. Lost fractions are no
/// failure.
#define AP_READ_CHECKED 8

/// Keep the array of an image out of its cache: a cached array is used if
/// there is one, but a fresh one is not kept. For `ap_image_data`.
#define AP_READ_UNCACHED 16

/// For `ap_view` of a mapped file: the result may be written; what is written
/// stays in this array (a copy-on-write map of its own). Without it views
/// have `AP_ARRAY_READONLY`. `AP_ERR_NO_VIEW` for sources in memory.
#define AP_READ_PRIVATE 32

/// The memory must not be written.
#define AP_ARRAY_READONLY 1

/// The elements are in the mapped file itself: if another program shortens
/// the file, touching them ends the process (SIGBUS).
#define AP_ARRAY_MAPPED 2

/// Elements in memory: an allocation of the library's (64-byte aligned), a
/// view of the mapped file or memory source, or memory that was borrowed.
typedef struct ap_array ap_array;

/// Watches and stops reads. Cancelling and asking for progress may be done
/// from any thread at any time; resetting and setting only while no read uses
/// it.
typedef struct ap_control ap_control;

/// An image: an array, the affine that places it in the world, and the header
/// it came with. The array is in a file, behind a proxy, or in memory. Data
/// loaded through the image are kept until `ap_image_uncache`. Safe to use
/// from many threads at once.
typedef struct ap_image ap_image;

/// Settings for the open functions. Make one, set what differs from the
/// defaults, pass it to any number of calls, free it: opening copies it.
/// Setting needs it alone; passing it does not.
typedef struct ap_options ap_options;

/// A checked selection, ready to read as often as wanted, by many threads at
/// once. It says how large the result is before any reading.
typedef struct ap_plan ap_plan;

/// An array in a file: shape, type, scaling and place of the data, no data.
/// It never changes after opening, so every function that takes a
/// `const ap_proxy *` may be called from many threads at once on one handle.
typedef struct ap_proxy ap_proxy;

/// A list of files that make one array. Needs itself alone.
typedef struct ap_series ap_series;

/// Where bytes come from: a file, memory, or the caller's own functions.
/// Opening takes its own reference, so free the source right after.
typedef struct ap_source ap_source;

/// Result of a call: `AP_OK`, a count (where a function says so), or one of
/// the negative `AP_ERR_` codes. Codes keep their value for ever; new ones may
/// be added, so treat an unknown negative value as a failure.
typedef int32_t ap_status;

/// What went wrong. The caller owns it: put one on the stack and pass its
/// address, or pass NULL. Only failing calls write to it. It holds no
/// pointers, so nothing needs freeing, copying it is safe, and it belongs to
/// no thread. Its size and layout (512 bytes) never change.
typedef struct {
    /// The same value as the call returned.
    ap_status code;
    /// errno or GetLastError() when the operating system failed, else 0.
    int32_t os_error;
    /// A number that belongs to the code, else 0. See the codes.
    int64_t detail;
    /// UTF-8 text for people, always ended by NUL, cut if too long. It names
    /// the file and the values involved. Its wording is not part of the API.
    char message[496];
} ap_error;

/// The library is done with `user`. Called once, from any thread that frees
/// the last handle.
typedef void (*ap_release_fn)(void *user);

/// Read up to `len` bytes at `offset` into `buf`. Return how many were read,
/// or a negative number to fail. After fewer than `len` the rest is asked for;
/// 0 means the end. More than `len` gives `AP_ERR_CALLBACK`.
typedef int64_t (*ap_read_at_fn)(void *user,
                                 void *buf,
                                 size_t len,
                                 uint64_t offset);

/// Return the size in bytes, or a negative number to fail.
typedef int64_t (*ap_size_fn)(void *user);

/// Element type: `kind * 256 + bytes per element`, so
/// `dtype & 255` is the element size. Values keep their meaning for ever.
typedef int32_t ap_dtype;

/// One entry of an index, as in NumPy's `a[...]`: four 64-bit numbers and no
/// pointers, so an index is also a 4 x n matrix of int64. Axes that no entry
/// takes are read whole; an index of no entries (NULL, 0) reads everything.
/// A second ellipsis, too many entries, or a result of more than
/// `AP_MAX_NDIM` axes gives `AP_ERR_INDEX`; an unknown kind or a step of 0
/// gives `AP_ERR_ARGUMENT`.
typedef struct {
    /// `AP_SLICE_RANGE`, `AP_SLICE_AT`, `AP_SLICE_ELLIPSIS` or `AP_SLICE_NEWAXIS`.
    int64_t kind;
    /// First index, or the index of `AP_SLICE_AT`. Negative counts from the
    /// end. Not used by the ellipsis and newaxis.
    int64_t start;
    /// One past the last index. Used by `AP_SLICE_RANGE` alone, as is `step`.
    int64_t stop;
    /// Step, not 0. Negative walks backwards.
    int64_t step;
} ap_slice;

/// Progress of a read, in bytes of the result. Return 0 to go on, anything
/// else to stop it with `AP_ERR_CANCELLED`. Always called on the thread that
/// called the library, so it may raise errors there afterwards, check for
/// the user's interrupt, and so on. It must return (no longjmp, no unwinding).
typedef int32_t (*ap_progress_fn)(void *user, uint64_t done, uint64_t total);

/// For reads: what the file means. Data that are not scaled give the type on
/// disk (float64 for float128, complex128 for complex256); scaled data the
/// type of `ap_auto_dtype`: mostly float64, complex128 for complex data,
/// float32 for small integers whose factors are float32.
#define AP_AUTO 0

/// For reads: the type on disk, not scaled, in native byte order.
#define AP_DISK 1

/// One byte, 0 or 1. Casts to it give 1 for all values but 0, as NumPy's do.
#define AP_BOOL 1537

/// Signed integer of 8 bits.
#define AP_INT8 257

/// Signed integer of 16 bits.
#define AP_INT16 258

/// Signed integer of 32 bits.
#define AP_INT32 260

/// Signed integer of 64 bits.
#define AP_INT64 264

/// Unsigned integer of 8 bits.
#define AP_UINT8 513

/// Unsigned integer of 16 bits.
#define AP_UINT16 514

/// Unsigned integer of 32 bits.
#define AP_UINT32 516

/// Unsigned integer of 64 bits.
#define AP_UINT64 520

/// IEEE 754 binary16.
#define AP_FLOAT16 770

/// IEEE 754 binary32.
#define AP_FLOAT32 772

/// IEEE 754 binary64.
#define AP_FLOAT64 776

/// 16 bytes as stored; other types can be asked for, this one only as is.
#define AP_FLOAT128 784

/// Two `AP_FLOAT32`: real and imaginary part.
#define AP_COMPLEX64 1032

/// Two `AP_FLOAT64`.
#define AP_COMPLEX128 1040

/// Two `AP_FLOAT128`.
#define AP_COMPLEX256 1056

/// Three bytes: red, green, blue.
#define AP_RGB24 1283

/// Four bytes: red, green, blue, alpha.
#define AP_RGBA32 1284

/// Success.
#define AP_OK 0

/// A pointer that must not be NULL was NULL.
#define AP_ERR_NULL -1

/// An argument is out of its documented range.
#define AP_ERR_ARGUMENT -2

/// An index is out of bounds, or there are too many of them (IndexError).
#define AP_ERR_INDEX -3

/// The caller's buffer is too small; `detail` holds the bytes needed.
#define AP_ERR_BUFFER -4

/// Unknown option key, or a value that the option does not take.
#define AP_ERR_OPTION -5

/// The file does not exist.
#define AP_ERR_NOT_FOUND -6

/// The operating system failed a read, seek, map or open; see `os_error`.
#define AP_ERR_IO -7

/// The data end before the array does.
#define AP_ERR_TRUNCATED -8

/// No known format matches.
#define AP_ERR_FORMAT -9

/// The header is of a known format but cannot be right.
#define AP_ERR_HEADER -10

/// The compressed stream is damaged, or its checksum does not match.
#define AP_ERR_CODEC -11

/// The seek index is damaged or belongs to another file.
#define AP_ERR_SEEKINDEX -12

/// Valid, but this build cannot do it.
#define AP_ERR_UNSUPPORTED -13

/// No view without a copy exists for this selection; read it instead.
#define AP_ERR_NO_VIEW -14

/// A value does not fit the element type asked for (`AP_READ_CHECKED` only).
#define AP_ERR_RANGE -15

/// Memory ran out, or the result passes `AP_OPT_MAX_BYTES`.
#define AP_ERR_MEMORY -16

/// The read was told to stop.
#define AP_ERR_CANCELLED -17

/// A caller's callback failed; `detail` holds the value it returned.
#define AP_ERR_CALLBACK -18

/// The file changed since it was opened.
#define AP_ERR_CHANGED -19

/// A bug in this library. The handle stays usable; please report it.
#define AP_ERR_INTERNAL -20

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/// Version of the library that is running, as `AP_VERSION_NUMBER` encodes it.
/// Compare with `AP_VERSION_NUMBER` to find a header and library that differ.
AP_API int32_t ap_version(void);

/// Version as text, such as "0.1.0". Static; never free it.
AP_API const char *ap_version_string(void);

/// `AP_ABI_VERSION` of the library that is running.
AP_API int32_t ap_abi_version(void);

/// 1 if this build has the named feature (a format as `ap_format` names it, a
/// codec as `ap_codec` does, "mmap", "threads", ...), else 0. Unknown names
/// give 0.
AP_API int32_t ap_has(const char *feature);

/// New options with the default values. NULL only if memory ran out.
AP_API ap_options *ap_options_new(void);

/// Free options. NULL is fine.
AP_API void ap_options_free(ap_options *options);

/// Set a number. A key that this library does not know, or a value out of
/// range, gives `AP_ERR_OPTION`: a program built for a newer library can go on.
AP_API
ap_status ap_options_set_int(ap_options *options,
                             int32_t key,
                             int64_t value,
                             ap_error *err);

/// Set a text. It is copied. Otherwise as `ap_options_set_int`.
AP_API
ap_status ap_options_set_text(ap_options *options,
                              int32_t key,
                              const char *value,
                              ap_error *err);

/// Set several at once: "mmap=0,codec=gzip". Names are those of the keys in
/// lower case, without AP_OPT_. All or nothing. A text that holds a comma
/// needs `ap_options_set_text`; at most 64 KiB are read.
AP_API
ap_status ap_options_parse(ap_options *options,
                           const char *text,
                           ap_error *err);

/// Read a file. `path` is UTF-8 on Windows and bytes for the system elsewhere.
/// The file is opened at once, so a missing one fails here. A relative path
/// is made absolute at once.
AP_API
ap_status ap_source_file(const char *path,
                         ap_source **source,
                         ap_error *err);

/// Read memory. It is borrowed: keep it unchanged until `release(user)` is
/// called. `release` may be NULL for memory that outlives every handle.
AP_API
ap_status ap_source_memory(const void *data,
                           size_t size,
                           ap_release_fn release,
                           void *user,
                           ap_source **source,
                           ap_error *err);

/// Read through functions of the caller, such as a Python file object or an
/// object store. `size` is called once, now. `release` may be NULL. On
/// failure `release` is not called.
AP_API
ap_status ap_source_callbacks(ap_read_at_fn read_at,
                              ap_size_fn size,
                              ap_release_fn release,
                              void *user,
                              uint32_t flags,
                              ap_source **source,
                              ap_error *err);

/// Let go of a source. NULL is fine.
AP_API void ap_source_free(ap_source *source);

/// Name of a type, such as "float32" (NumPy's names), or NULL if unknown.
AP_API const char *ap_dtype_name(ap_dtype dtype);

/// Type of a name, such as "float32" or "<i2" (in native order), or
/// `AP_ERR_ARGUMENT`.
AP_API ap_dtype ap_dtype_parse(const char *name);

/// Name of a code, such as "AP_ERR_IO". Static; never NULL.
AP_API const char *ap_status_name(ap_status status);

/// One sentence about a code. Static; never NULL.
AP_API const char *ap_status_message(ap_status status);

/// Read an index from text such as "10:20, ..., ::-1, 0", of 16 KiB at most.
/// Returns the number of entries or a negative status; writes at most
/// `capacity` of them.
AP_API
int32_t ap_slice_parse(const char *text,
                       ap_slice *index,
                       int32_t capacity,
                       ap_error *err);

/// Shape that an index gives, without reading. As `ap_shape`.
AP_API
int32_t ap_slice_shape(const ap_proxy *proxy,
                       const ap_slice *index,
                       int32_t nindex,
                       int64_t *shape,
                       int32_t capacity,
                       ap_error *err);

/// Bytes that `ap_read_slice` with these arguments writes, or a negative
/// status.
AP_API
int64_t ap_slice_nbytes(const ap_proxy *proxy,
                        const ap_slice *index,
                        int32_t nindex,
                        ap_dtype dtype,
                        uint32_t flags,
                        ap_error *err);

/// Open a file and find its format. A pair (.hdr/.img) opens by either name.
/// Only the header is read. `options` may be NULL.
/// On success `*proxy` is the caller's, to be freed with `ap_free`; on
/// failure it is NULL.
AP_API
ap_status ap_open(const char *path,
                  const ap_options *options,
                  ap_proxy **proxy,
                  ap_error *err);

/// As `ap_open`, from sources. `image` holds the data of a pair, else NULL.
AP_API
ap_status ap_open_source(const ap_source *header,
                         const ap_source *image,
                         const ap_options *options,
                         ap_proxy **proxy,
                         ap_error *err);

/// Open an array whose layout the caller knows. `shape` has `ndim` entries;
/// element (0,...,0) lies at `offset` of the uncompressed data. Values mean
/// `stored * slope + inter`; slope 1 and inter 0 mean unscaled; slope 0 is
/// taken as it is; both must be finite. Data count as compressed only if they
/// begin with a valid header of a compressed stream and its first block
/// decodes; `AP_OPT_CODEC` settles it.
AP_API
ap_status ap_open_layout(const ap_source *source,
                         ap_dtype dtype,
                         int32_t byte_order,
                         int32_t ndim,
                         const int64_t *shape,
                         int32_t order,
                         uint64_t offset,
                         double slope,
                         double inter,
                         const ap_options *options,
                         ap_proxy **proxy,
                         ap_error *err);

/// The same file seen with another shape of as many elements; one entry may
/// be -1 (not beside a 0). Elements keep the order in which they are stored.
/// Shares file, cache and seek index with `proxy`, and outlives it. Affine and
/// zooms stay those of `proxy`. Elements that lie apart and that the shape would
/// divide in another way, of a part (`ap_slice_proxy`) or of a series, give
/// `AP_ERR_UNSUPPORTED`.
AP_API
ap_status ap_reshape(const ap_proxy *proxy,
                     int32_t ndim,
                     const int64_t *shape,
                     ap_proxy **out,
                     ap_error *err);

/// The array that an index selects, as a proxy that reads nothing until it is
/// asked to. Shares everything with `proxy` and outlives it. Affine and zooms
/// are those of the voxels left: start and signed step are applied, and
/// `ap_affine` gives `AP_ERR_UNSUPPORTED` if a spatial axis was dropped or an
/// axis was added before the third. Header, format and warnings stay the
/// file's, and so does the type of `ap_auto_dtype`.
AP_API
ap_status ap_slice_proxy(const ap_proxy *proxy,
                         const ap_slice *index,
                         int32_t nindex,
                         ap_proxy **out,
                         ap_error *err);

/// Another handle to the same array, to be freed on its own. Cheap. NULL if
/// `proxy` is NULL.
AP_API ap_proxy *ap_clone(const ap_proxy *proxy);

/// Free a handle. NULL is fine. No call on this handle may be running.
/// Arrays, plans, views, images and proxies made from it stay valid.
AP_API void ap_free(ap_proxy *proxy);

/// Give back what can be made again: cached data and the open file, not the
/// seek index. The next read opens the file anew, and fails with
/// `AP_ERR_CHANGED` if it differs.
AP_API void ap_trim(const ap_proxy *proxy);

/// Number of axes (0 or more), or `AP_ERR_NULL`.
AP_API int32_t ap_ndim(const ap_proxy *proxy);

/// Write the first `capacity` entries of the shape, return the number of axes
/// or a negative status. `shape` may be NULL if `capacity` is 0.
AP_API
int32_t ap_shape(const ap_proxy *proxy,
                 int64_t *shape,
                 int32_t capacity);

/// Number of elements, or `AP_ERR_NULL`.
AP_API int64_t ap_size(const ap_proxy *proxy);

/// Type of the stored elements. 0 if `proxy` is NULL.
AP_API ap_dtype ap_disk_dtype(const ap_proxy *proxy);

/// Type that reading with `AP_AUTO` gives. 0 if `proxy` is NULL.
AP_API ap_dtype ap_auto_dtype(const ap_proxy *proxy);

/// `AP_ORDER_F` or `AP_ORDER_C`: order of the stored elements. 0 if `proxy`
/// is NULL.
AP_API int32_t ap_order(const ap_proxy *proxy);

/// `AP_LITTLE` or `AP_BIG`: byte order of the stored elements. 0 if `proxy`
/// is NULL.
AP_API int32_t ap_byte_order(const ap_proxy *proxy);

/// Offset of the first element in the uncompressed data, or a negative
/// status: `AP_ERR_UNSUPPORTED` where blocks lie apart.
AP_API int64_t ap_data_offset(const ap_proxy *proxy);

/// Format: "nifti1", "nifti1-pair", "nifti2", "nifti2-pair", "analyze",
/// "spm99", "spm2", "mgh", "afni", "ecat", "parrec", "minc1", "minc2" or "layout".
/// Owned by the proxy. NULL if `proxy` is NULL.
AP_API
const char *ap_format(const ap_proxy *proxy);

/// Compression: "none", "gzip", "bzip2" or "zstd", or "deflate" of an array whose
/// chunks are compressed by themselves (MINC 2). As `ap_format`.
AP_API
const char *ap_codec(const ap_proxy *proxy);

/// 1 if reading with `AP_AUTO` scales, 0 if not, or a negative status.
AP_API int32_t ap_is_scaled(const ap_proxy *proxy);

/// Shape of the scale factors: no axes if one slope and intercept hold for
/// all (also if the data are not scaled), else as many axes as the array,
/// with length 1 where factors do not vary. Otherwise as `ap_shape`.
AP_API
int32_t ap_scale_shape(const ap_proxy *proxy,
                       int64_t *shape,
                       int32_t capacity);

/// Copy the `count` slopes and intercepts, in column-major order; too small a
/// `count` gives `AP_ERR_BUFFER`. Data that are not scaled have one slope of 1
/// and one intercept of 0. Either pointer may be NULL.
///
/// Slopes of ECAT are products: values are rounded after each of the two
/// factors, in float32 if that is stored. MINC clips what is stored to its valid
/// range first.
AP_API
ap_status ap_scale_factors(const ap_proxy *proxy,
                           double *slope,
                           double *inter,
                           size_t count,
                           ap_error *err);

/// Voxel to world (RAS+, mm), 16 numbers in row-major order, for indices that
/// count from 0. Returns the xform code (0 if the format has none), or a
/// negative status: `AP_ERR_UNSUPPORTED` for sform or qform in a format
/// without them and for `ap_open_layout`, `AP_ERR_HEADER` for a quaternion
/// that cannot be right, or the error of SPM's .mat file if it could not be
/// read (both are told here, not at opening). The sform is given whatever its
/// code. `affine` may be NULL to ask for the code.
AP_API
int32_t ap_affine(const ap_proxy *proxy,
                  int32_t which,
                  double *affine,
                  ap_error *err);

/// Voxel sizes; the fourth is the time step in the header's unit. As
/// `ap_shape`. The time step of an MGH file stands behind the data: the first
/// call with room for it decodes a compressed file to the end.
/// `AP_ERR_UNSUPPORTED` for `ap_open_layout`.
AP_API
int32_t ap_zooms(const ap_proxy *proxy,
                 double *zooms,
                 int32_t capacity,
                 ap_error *err);

/// Shape of a block of at most `nbytes` bytes, as stored, that is cheap to
/// read and divides the array sensibly: whole volumes or planes, along the
/// slowest axes first. Each entry is at least 1. As `ap_shape`.
AP_API
int32_t ap_chunk_shape(const ap_proxy *proxy,
                       uint64_t nbytes,
                       int64_t *shape,
                       int32_t capacity);

/// The header as stored, without extensions, and its size. Owned by the
/// proxy. NULL and 0 for `ap_open_layout`. `size` may be NULL.
AP_API const void *ap_header(const ap_proxy *proxy, size_t *size);

/// Note number `i` on what was odd in the header but read all the same, or
/// NULL past the last. UTF-8, owned by the proxy. The library never prints.
AP_API const char *ap_warning(const ap_proxy *proxy, int32_t i);

/// Number of fields of the header's struct and of those derived from it, or a
/// negative status. 0 for `ap_open_layout`.
///
/// The fields are those of NiBabel's header, by its names and in its order,
/// with their values as `ap_header` has them. The fields of an MGH file's
/// footer (tr, flip_angle, te, ti, fov) are among them; asking for the value of
/// one reads the footer, which decodes a compressed file to the end.
///
/// Those of an AFNI header, which is a text, are its attributes, by its own
/// names: integers, numbers, or texts without the ' and ~ around them. Those of
/// MINC files are the attributes of all variables, "variable:attribute" as
/// mincinfo has them, ":attribute" of the file's. Behind those of an ECAT file's
/// main header come those of the frames' subheaders, of each the values of all
/// frames in the order of the array.
///
/// Those of a PAR/REC header, a text too, are the keys of its general
/// information and the columns of its images by NiBabel's names; a column has
/// the values of all images, in the order of the header. NiBabel has
/// "diffusion" twice: here the column is "image diffusion".
///
/// Derived, behind them, and texts: `space_unit` and `time_unit` ("mm", "sec",
/// "unknown"), and `orientation`, the directions in which the indices of the
/// first three axes grow by the best affine ("RAS", "LPS"; "?" for an axis
/// without one; where two directions are as near, the first), or that affine's
/// error.
AP_API
int32_t ap_field_count(const ap_proxy *proxy);

/// Name of field `i`, as NiBabel names it, or NULL past the last. Owned by the
/// proxy.
AP_API const char *ap_field_name(const ap_proxy *proxy, int32_t i);

/// Integers of a field. As `ap_shape`; `AP_ERR_ARGUMENT` for an unknown name,
/// `AP_ERR_UNSUPPORTED` for a field of another kind.
AP_API
int32_t ap_field_ints(const ap_proxy *proxy,
                      const char *name,
                      int64_t *values,
                      int32_t capacity,
                      ap_error *err);

/// Numbers of a field, integers included. As `ap_field_ints`.
AP_API
int32_t ap_field_reals(const ap_proxy *proxy,
                       const char *name,
                       double *values,
                       int32_t capacity,
                       ap_error *err);

/// Text of a field; any field has one, codes in words ("mm", "scanner"), or as
/// numbers where NiBabel has no word: xyzt_units as "mm, sec", dim_info as
/// "freq 0, phase 1, slice 2" without what is not set. Other numbers have the
/// fewest decimal digits that tell them from others of their precision ("NaN",
/// "inf"); ", " stands between several. Texts end at the first NUL; those that
/// are not UTF-8 are taken as Latin-1.
/// Returns the bytes needed with the NUL, or a negative status; writes at most
/// `nbytes`, always ended by a NUL, and never a part of a character. `text` may
/// be NULL if `nbytes` is 0.
AP_API
int64_t ap_field_text(const ap_proxy *proxy,
                      const char *name,
                      char *text,
                      size_t nbytes,
                      ap_error *err);

/// Number of header extensions (NIfTI's; other formats have none), read when
/// asked for, or a negative status. `AP_ERR_HEADER` if the list cannot be
/// right, or is longer than 10,000.
AP_API int32_t ap_extension_count(const ap_proxy *proxy, ap_error *err);

/// Extension `i`: its code and bytes, zeros at their end included. Returns its
/// size, or a negative status: `AP_ERR_INDEX` past the last. Writes at most
/// `nbytes`; with 0 it reads none, and `out` may be NULL. `code` may be NULL.
AP_API
int64_t ap_extension(const ap_proxy *proxy,
                     int32_t i,
                     int32_t *code,
                     void *out,
                     size_t nbytes,
                     ap_error *err);

/// Read a selection into `out`, packed, in native byte order. `nbytes` is the
/// size of `out`; if it is too small nothing is read, the result is
/// `AP_ERR_BUFFER`, and `err->detail` holds the bytes needed (see
/// `ap_slice_nbytes`). An empty result needs no buffer. After other failures
/// `out` holds anything.
AP_API
ap_status ap_read_slice(const ap_proxy *proxy,
                        const ap_slice *index,
                        int32_t nindex,
                        ap_dtype dtype,
                        uint32_t flags,
                        void *out,
                        size_t nbytes,
                        ap_error *err);

/// Read the whole array. Otherwise as `ap_read_slice`.
AP_API
ap_status ap_read_all(const ap_proxy *proxy,
                      ap_dtype dtype,
                      uint32_t flags,
                      void *out,
                      size_t nbytes,
                      ap_error *err);

/// Read a box, as netCDF and HDF5 name it: for each of the `ndim` axes (all of
/// the array's) `count` elements from `start` on, `step` apart. `step` may be
/// NULL for 1; negative steps walk back. `start` does not count from the end.
/// An element outside the array gives `AP_ERR_INDEX`.
AP_API
ap_status ap_read_box(const ap_proxy *proxy,
                      int32_t ndim,
                      const int64_t *start,
                      const int64_t *count,
                      const int64_t *step,
                      ap_dtype dtype,
                      uint32_t flags,
                      void *out,
                      size_t nbytes,
                      ap_error *err);

/// New, empty list of files for `ap_open_series`. NULL only if memory ran out.
AP_API ap_series *ap_series_new(void);

/// Add a file at the end.
AP_API
ap_status ap_series_add(ap_series *series,
                        const char *path,
                        ap_error *err);

/// Open the files as one array with one more axis, the slowest. Shape, type
/// and affine of all must agree (`AP_ERR_HEADER` names the first that does
/// not); scaling, byte order and compression stay each file's own, and
/// `AP_AUTO` gives the widest of the types that the files would give. Headers
/// are read now, data when needed; at most `AP_OPT_OPEN_FILES` are open at a
/// time, and one `AP_OPT_CACHE_BYTES` serves all. Format, header, fields and
/// the affine are the first file's, warnings name theirs. Opening cannot be
/// cancelled. An empty list gives `AP_ERR_ARGUMENT`, and an index file for all
/// (`AP_OPT_INDEX_PATH`, other than "auto") `AP_ERR_OPTION`.
AP_API
ap_status ap_open_series(const ap_series *series,
                         const ap_options *options,
                         ap_proxy **proxy,
                         ap_error *err);

/// Free a list. NULL is fine.
AP_API void ap_series_free(ap_series *series);

/// Check a selection. Arguments as in `ap_read_slice`.
AP_API
ap_status ap_plan_new(const ap_proxy *proxy,
                      const ap_slice *index,
                      int32_t nindex,
                      ap_dtype dtype,
                      uint32_t flags,
                      ap_plan **plan,
                      ap_error *err);

/// Check positions that need not be evenly spaced: of each of the `ndim` axes
/// (all of the array's) the `counts[axis]` ones that `lists[axis]` holds, in
/// its order, or the whole axis where it is NULL, whatever the count: an empty
/// list needs a pointer, too. A position may be there twice. Negative ones
/// count from the end; one outside the array gives `AP_ERR_INDEX`. As NumPy's
/// `a[np.ix_(...)]`: no axis is dropped. Where positions lie dense what is
/// between them is read along, 16 MiB at a time, and counts as progress. Other
/// arguments as in `ap_read_slice`.
AP_API
ap_status ap_plan_lists(const ap_proxy *proxy,
                        int32_t ndim,
                        const int64_t *const *lists,
                        const int64_t *counts,
                        ap_dtype dtype,
                        uint32_t flags,
                        ap_plan **plan,
                        ap_error *err);

/// Shape of the result. As `ap_shape`.
AP_API
int32_t ap_plan_shape(const ap_plan *plan,
                      int64_t *shape,
                      int32_t capacity);

/// Type of the result; never `AP_AUTO` or `AP_DISK`.
AP_API ap_dtype ap_plan_dtype(const ap_plan *plan);

/// Size of the packed result in bytes, or a negative status.
AP_API int64_t ap_plan_nbytes(const ap_plan *plan);

/// Bytes that a read would take from the file, or would have to decompress
/// with the seek index as it is now, or a negative status. For choosing an
/// order or a chunk size.
AP_API int64_t ap_plan_cost(const ap_plan *plan);

/// Read. `buffer` is an allocation of `nbytes`. With `strides` NULL the
/// result is packed from `offset` on. Otherwise element (0,...,0) goes to
/// byte `offset` and `strides` holds bytes per axis, negative ones included.
/// Every element must lie inside the buffer: one beyond its end gives
/// `AP_ERR_BUFFER`, one before it `AP_ERR_ARGUMENT`. No two may overlap: of
/// the axes longer than 1, sorted by the size of their strides, each stride
/// must be at least the bytes that those before it span (`AP_ERR_ARGUMENT`).
/// No alignment is needed; bytes between elements are not touched. `control`
/// may be NULL.
AP_API
ap_status ap_plan_read(const ap_plan *plan,
                       void *buffer,
                       size_t nbytes,
                       size_t offset,
                       const int64_t *strides,
                       ap_control *control,
                       ap_error *err);

/// Read `nreads` selections in one call, in the order that suits the file,
/// on as many threads as allowed. `index` holds `nreads` times `nindex`
/// entries. Result i goes to byte `offsets[i]` of `buffer`, packed; `offsets`
/// may be NULL for one after the other. Results that would overlap give
/// `AP_ERR_ARGUMENT`. With NULL and 0 it fails with the bytes needed in
/// `err->detail`, as with any buffer that is too small (`AP_ERR_BUFFER`).
/// `control` may be NULL.
AP_API
ap_status ap_read_batch(const ap_proxy *proxy,
                        const ap_slice *index,
                        int32_t nindex,
                        int64_t nreads,
                        ap_dtype dtype,
                        uint32_t flags,
                        void *buffer,
                        size_t nbytes,
                        const size_t *offsets,
                        ap_control *control,
                        ap_error *err);

/// Free a plan. NULL is fine.
AP_API void ap_plan_free(ap_plan *plan);

/// New control. NULL only if memory ran out.
AP_API ap_control *ap_control_new(void);

/// Free a control. NULL is fine. No read may be using it.
AP_API void ap_control_free(ap_control *control);

/// Ask the reads that use it to stop. Returns at once; safe in a signal
/// handler. Stays in force until `ap_control_reset`.
AP_API void ap_control_cancel(ap_control *control);

/// Forget a cancel and the progress so far.
AP_API void ap_control_reset(ap_control *control);

/// Progress of all reads since the last reset, in bytes of their results; of
/// index building, in compressed bytes. Either pointer may be NULL.
AP_API
void ap_control_progress(const ap_control *control,
                         uint64_t *done,
                         uint64_t *total);

/// Most threads for reads that use it, in the place of `AP_OPT_THREADS`: 0 one
/// per core, 1 only the caller's, 1024 at most; less than 0 to leave it, as at
/// first.
AP_API void ap_control_set_threads(ap_control *control, int32_t threads);

/// Call `callback` about every `interval_ms` milliseconds while a call that
/// uses the control goes on; with 0 at every step. NULL for none.
AP_API
void ap_control_set_callback(ap_control *control,
                             ap_progress_fn callback,
                             void *user,
                             uint32_t interval_ms);

/// Read a selection into new memory, always. Arguments as in
/// `ap_read_slice`; `control` may be NULL.
AP_API
ap_status ap_load(const ap_proxy *proxy,
                  const ap_slice *index,
                  int32_t nindex,
                  ap_dtype dtype,
                  uint32_t flags,
                  ap_control *control,
                  ap_array **array,
                  ap_error *err);

/// The stored elements of a selection without a copy, in their own strides.
/// `AP_ERR_NO_VIEW` if they are compressed, byte-swapped, unaligned, scaled
/// (unless `flags` has `AP_READ_RAW`), in several files or blocks, or neither
/// mapped nor in memory. Views of one file share a map, which stays until the
/// last of them is freed.
AP_API
ap_status ap_view(const ap_proxy *proxy,
                  const ap_slice *index,
                  int32_t nindex,
                  uint32_t flags,
                  ap_array **array,
                  ap_error *err);

/// Address of element (0,...,0). NULL if there are no elements.
AP_API void *ap_array_data(const ap_array *array);

/// Shape. As `ap_shape`.
AP_API
int32_t ap_array_shape(const ap_array *array,
                       int64_t *shape,
                       int32_t capacity);

/// Bytes from one element to the next along each axis; 0 if there are no
/// elements. As `ap_shape`.
AP_API
int32_t ap_array_strides(const ap_array *array,
                         int64_t *strides,
                         int32_t capacity);

/// Type of the elements.
AP_API ap_dtype ap_array_dtype(const ap_array *array);

/// `AP_ARRAY_` flags.
AP_API uint32_t ap_array_flags(const ap_array *array);

/// Free an array. NULL is fine.
AP_API void ap_array_free(ap_array *array);

/// New array in memory of the library's, set to zero. `order` is
/// `AP_ORDER_F` or `AP_ORDER_C`.
AP_API
ap_status ap_array_new(ap_dtype dtype,
                       int32_t ndim,
                       const int64_t *shape,
                       int32_t order,
                       ap_array **array,
                       ap_error *err);

/// Array over the caller's memory, which is borrowed until `release(user)` is
/// called. `strides` in bytes, which may be 0, negative or odd; NULL for
/// packed column-major. `data` is the address of element (0,...,0), NULL only
/// if there are no elements. Only the elements are touched, not the bytes
/// between them. `flags` is 0 or `AP_ARRAY_READONLY`. `release` may
/// be NULL for memory that outlives every handle.
AP_API
ap_status ap_array_wrap(void *data,
                        ap_dtype dtype,
                        int32_t ndim,
                        const int64_t *shape,
                        const int64_t *strides,
                        uint32_t flags,
                        ap_release_fn release,
                        void *user,
                        ap_array **array,
                        ap_error *err);

/// Another handle to the same elements, to be freed on its own. NULL if
/// `array` is NULL.
AP_API ap_array *ap_array_clone(const ap_array *array);

/// Hand the memory to another library, by DLPack 1.0. The tensor keeps it
/// alive by itself; its consumer calls the tensor's deleter. `array` still has
/// to be freed. Strides are in elements, the data pointer is NULL if there
/// are none, and the read-only flag follows `AP_ARRAY_READONLY`. RGB, floats
/// of 128 bits, elements that are not aligned and strides that are no multiple
/// of the element size give `AP_ERR_UNSUPPORTED`.
AP_API
ap_status ap_array_to_dlpack(const ap_array *array,
                             struct DLManagedTensorVersioned **tensor,
                             ap_error *err);

/// Take over another library's tensor: the array's on success, still the
/// caller's on failure. Major versions other than 1, memory that the CPU
/// cannot read, and types that the library does not have give
/// `AP_ERR_UNSUPPORTED`.
AP_API
ap_status ap_array_from_dlpack(struct DLManagedTensorVersioned *tensor,
                               ap_array **array,
                               ap_error *err);

/// Open an image file; its array stays in the file until asked for.
AP_API
ap_status ap_image_open(const char *path,
                        const ap_options *options,
                        ap_image **image,
                        ap_error *err);

/// Image around an open proxy. The proxy is shared, not taken.
AP_API
ap_status ap_image_from_proxy(const ap_proxy *proxy,
                              ap_image **image,
                              ap_error *err);

/// Image around an array in memory. The array is shared, not copied: its
/// elements and the image's are the same memory. `affine` is 16 numbers in
/// row-major order, or NULL for none; `header` is any bytes, copied, or NULL.
AP_API
ap_status ap_image_from_array(const ap_array *array,
                              const double *affine,
                              const void *header,
                              size_t header_size,
                              ap_image **image,
                              ap_error *err);

/// 1 if the array is behind a proxy, 0 if the image was made from an array in
/// memory, or a negative status.
AP_API int32_t ap_image_is_proxy(const ap_image *image);

/// 1 if the array is in memory now: given so, or in the cache. Otherwise 0,
/// or a negative status.
AP_API int32_t ap_image_in_memory(const ap_image *image);

/// The proxy, as a new handle for the caller to free. NULL if there is none.
AP_API ap_proxy *ap_image_proxy(const ap_image *image);

/// Shape. As `ap_shape`.
AP_API
int32_t ap_image_shape(const ap_image *image,
                       int64_t *shape,
                       int32_t capacity);

/// The header. As `ap_header`; an image in memory has the one that it was
/// given.
AP_API const void *ap_image_header(const ap_image *image, size_t *size);

/// Voxel to world. As `ap_affine`; an image in memory has the one that it was
/// given as `AP_AFFINE_BEST`, with code 0, else `AP_ERR_UNSUPPORTED`.
AP_API
int32_t ap_image_affine(const ap_image *image,
                        int32_t which,
                        double *affine,
                        ap_error *err);

/// The whole array in memory. The first call reads it and keeps it, writable
/// and never mapped; later calls return the same elements at the same
/// address. One array is kept for each resolved type and flags
/// (`AP_READ_UNCACHED` aside) until `ap_image_uncache`; the same type scaled
/// and not scaled are two. An image in memory returns its own array if `dtype`
/// is `AP_AUTO`, `AP_DISK` or its own type and `flags` is 0; converted copies
/// are kept like any other. A thread that comes while another reads waits,
/// heeding its own control, and reads itself if the first fails. A control that
/// was cancelled gives `AP_ERR_CANCELLED`, even if the array is there. `*array` is
/// the caller's to free, whatever the cache does.
AP_API
ap_status ap_image_data(const ap_image *image,
                        ap_dtype dtype,
                        uint32_t flags,
                        ap_control *control,
                        ap_array **array,
                        ap_error *err);

/// Forget the cached arrays. Arrays handed out stay valid, and an image in
/// memory keeps its own. One that a thread is just reading is kept when it is
/// there.
AP_API void ap_image_uncache(const ap_image *image);

/// Free an image. NULL is fine. Arrays and proxies from it stay valid.
AP_API void ap_image_free(ap_image *image);

/// Build the seek index of compressed data to the end, on `AP_OPT_THREADS`
/// threads where the data allow it. No effect on data that are not compressed;
/// with `AP_OPT_INDEX_MODE` 0 this, saving and loading give `AP_ERR_ARGUMENT`.
/// `control` may be NULL.
AP_API
ap_status ap_seekindex_build(const ap_proxy *proxy,
                             ap_control *control,
                             ap_error *err);

/// Save what there is of it as a GZIDX file, which indexed_gzip reads too.
/// Written to a new file and renamed, so readers never see half of it.
/// `AP_ERR_UNSUPPORTED` for data that are not gzip.
AP_API
ap_status ap_seekindex_save(const ap_proxy *proxy,
                            const char *path,
                            ap_error *err);

/// Load a GZIDX file. What its structure, its order, the sizes or our own
/// checksums show to be wrong gives `AP_ERR_SEEKINDEX` and changes nothing. A
/// wrong window in a file by another program, which has no checksums, never
/// harms; it gives wrong values until a read comes by from before it, and is
/// found when whole members are verified. Windows are read when they are
/// needed: the file stays open, or, with `AP_OPT_KEEP_OPEN` 0, has to stay as
/// it is.
AP_API
ap_status ap_seekindex_load(const ap_proxy *proxy,
                            const char *path,
                            ap_error *err);

/// Number of seek points, uncompressed bytes that they cover, and bytes of
/// memory that they take. Any pointer may be NULL.
AP_API
ap_status ap_seekindex_info(const ap_proxy *proxy,
                            int64_t *points,
                            int64_t *covered,
                            int64_t *memory,
                            ap_error *err);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* ARRAYPROXY_H */

/* Short ways to write index entries. */
#if !defined(AP_NO_INLINE) && !defined(ARRAYPROXY_H_INLINE)
#define ARRAYPROXY_H_INLINE
static inline ap_slice ap_range(int64_t start, int64_t stop, int64_t step)
{
    ap_slice s;
    s.kind = AP_SLICE_RANGE; s.start = start; s.stop = stop; s.step = step;
    return s;
}
static inline ap_slice ap_at(int64_t i)
{
    ap_slice s;
    s.kind = AP_SLICE_AT; s.start = i; s.stop = 0; s.step = 1;
    return s;
}
static inline ap_slice ap_all(void) { return ap_range(AP_NONE, AP_NONE, 1); }
static inline ap_slice ap_rest(void)
{
    ap_slice s;
    s.kind = AP_SLICE_ELLIPSIS; s.start = 0; s.stop = 0; s.step = 1;
    return s;
}
static inline ap_slice ap_newaxis(void)
{
    ap_slice s;
    s.kind = AP_SLICE_NEWAXIS; s.start = 0; s.stop = 0; s.step = 1;
    return s;
}
#endif /* ARRAYPROXY_H_INLINE */

//! Settings for the open functions.

use std::ffi::c_char;

use super::dtype::{AP_FLOAT32, AP_FLOAT64};
use super::guard::{call, free, handle_mut, quiet, text};
use super::status::{AP_OK, ap_error, ap_status};
use crate::error::{Error, ErrorKind, Result};
use crate::{
    Codec, DType, FactorType, Format, IndexFile, IndexMode, Mapping, Options, Scaling, SliceOrder,
};

/// Settings for the open functions. Make one, set what differs from the
/// defaults, pass it to any number of calls, free it: opening copies it.
/// Setting needs it alone; passing it does not.
pub struct ap_options {
    pub(super) options: Options,
}

/// Text: the format, as `ap_format` names it. Default: detect. Content never
/// tells "analyze" and "spm99" from "spm2".
pub const AP_OPT_FORMAT: i32 = 1;

/// Text: "auto", "none", "gzip", "bzip2", "zstd". Default: detect by content.
/// Of a pair it means the data.
pub const AP_OPT_CODEC: i32 = 2;

/// 0 never map the file, 1 map it if possible, 2 fail opening with
/// `AP_ERR_UNSUPPORTED` if it can't be mapped. Default 1. Compressed data and
/// callback sources are never mapped. With 1 the library's own reads may use
/// the map; the file's size is checked before each, but a file that is cut
/// during a read can end the process (SIGBUS). 0 rules that out.
pub const AP_OPT_MMAP: i32 = 3;

/// 1 keep the file open between reads, 0 open it for each read. Default 1.
/// 0 serves programs that hold thousands of proxies: no decoder of more than
/// 1 MiB is kept either, which bzip2's are and most of zstd's, no decoded data
/// unless `AP_OPT_CACHE_BYTES` is set, and of a seek index that grows 256 KiB.
/// An index file is opened for each window then, too.
pub const AP_OPT_KEEP_OPEN: i32 = 4;

/// Most threads that one call may use; 0 one per core, 1 only the caller's.
/// Default 1. Threads start and end within the call: fork() stays safe.
pub const AP_OPT_THREADS: i32 = 5;

/// Bytes of decoded data kept between reads of compressed files. Default
/// 32 MiB.
pub const AP_OPT_CACHE_BYTES: i32 = 6;

/// Largest result in bytes that a read may make. Default: no limit.
pub const AP_OPT_MAX_BYTES: i32 = 7;

/// Seek index of compressed data: 0 none, 1 grow it as reads go, 2 build it
/// when opening, which cannot be cancelled. Default 1. An index that grows
/// takes 1 MiB and a fourth of the file's size at most (twice that size if the
/// spacing is set): of data that are packed more densely than others, its
/// points stand farther apart.
pub const AP_OPT_INDEX_MODE: i32 = 8;

/// Uncompressed bytes between seek points, 64 KiB or more; 0 by the size of
/// the data, from 256 KiB to 4 MiB. Default 0.
pub const AP_OPT_INDEX_SPACING: i32 = 9;

/// Text: file to load the seek index from when opening, if it is there. One
/// that does not fit is not used, with a warning (`AP_ERR_SEEKINDEX` if
/// strict). "auto": a file in the user's cache folder, found by the data's
/// path, size and time, loaded if there and kept up to date when the last
/// handle is freed. For gzip.
pub const AP_OPT_INDEX_PATH: i32 = 10;

/// 1 check the checksums of compressed data when whole members are read.
/// Default 1. bzip2 and zstd check each block or frame that a read gets to the
/// end of, in any case.
pub const AP_OPT_VERIFY: i32 = 11;

/// 1 fail on headers that break the format's rules; 0 read them as NiBabel
/// does and note it, see `ap_warning`. Default 0.
pub const AP_OPT_STRICT: i32 = 12;

/// Text: "dv" (displayed values) or "fp" (floating point), for PAR/REC.
/// Default "dv".
pub const AP_OPT_SCALING: i32 = 13;

/// 1 open recordings that are not complete, for PAR/REC. Default 0.
pub const AP_OPT_TRUNCATED: i32 = 14;

/// Text: "plain" or "strict" order of slices, for PAR/REC. Default "plain".
pub const AP_OPT_SORT: i32 = 15;

/// `AP_FLOAT64` or `AP_FLOAT32`: type of slope and intercept as given to
/// `ap_open_layout`, which decides the type of scaled results. Default
/// `AP_FLOAT64`.
pub const AP_OPT_FACTOR_TYPE: i32 = 16;

/// Most files of a series that are open at once, 1 or more. Default 64.
pub const AP_OPT_OPEN_FILES: i32 = 17;

/// Keys and their names in `ap_options_parse`.
const NAMES: [(i32, &str); 17] = [
    (AP_OPT_FORMAT, "format"),
    (AP_OPT_CODEC, "codec"),
    (AP_OPT_MMAP, "mmap"),
    (AP_OPT_KEEP_OPEN, "keep_open"),
    (AP_OPT_THREADS, "threads"),
    (AP_OPT_CACHE_BYTES, "cache_bytes"),
    (AP_OPT_MAX_BYTES, "max_bytes"),
    (AP_OPT_INDEX_MODE, "index_mode"),
    (AP_OPT_INDEX_SPACING, "index_spacing"),
    (AP_OPT_INDEX_PATH, "index_path"),
    (AP_OPT_VERIFY, "verify"),
    (AP_OPT_STRICT, "strict"),
    (AP_OPT_SCALING, "scaling"),
    (AP_OPT_TRUNCATED, "truncated"),
    (AP_OPT_SORT, "sort"),
    (AP_OPT_FACTOR_TYPE, "factor_type"),
    (AP_OPT_OPEN_FILES, "open_files"),
];

/// Threads beyond this are a mistake.
pub(super) const MOST_THREADS: i64 = 1024;

/// Least bytes between seek points: each has a window of half as many.
const NEAREST: i64 = 64 << 10;

/// Longest text of options that is read, in bytes.
const LONGEST: usize = 64 << 10;

/// New options with the default values. NULL only if memory ran out.
#[unsafe(no_mangle)]
pub extern "C" fn ap_options_new() -> *mut ap_options {
    quiet(std::ptr::null_mut(), || {
        Box::into_raw(Box::new(ap_options {
            options: Options::default(),
        }))
    })
}

/// Free options. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_options_free(options: *mut ap_options) {
    // SAFETY: NULL or from `ap_options_new`, as the header asks.
    unsafe { free(options) }
}

/// Set a number. A key that this library does not know, or a value out of
/// range, gives `AP_ERR_OPTION`: a program built for a newer library can go on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_options_set_int(
    options: *mut ap_options,
    key: i32,
    value: i64,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let handle = handle_mut(options, "options")?;
            handle.options = with_int(handle.options.clone(), key, value)?;
            Ok(AP_OK)
        })
    }
}

/// Set a text. It is copied. Otherwise as `ap_options_set_int`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_options_set_text(
    options: *mut ap_options,
    key: i32,
    value: *const c_char,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let handle = handle_mut(options, "options")?;
            handle.options = with_text(handle.options.clone(), key, text(value, "value")?)?;
            Ok(AP_OK)
        })
    }
}

/// Set several at once: "mmap=0,codec=gzip". Names are those of the keys in
/// lower case, without AP_OPT_. All or nothing. A text that holds a comma
/// needs `ap_options_set_text`; at most 64 KiB are read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_options_parse(
    options: *mut ap_options,
    text: *const c_char,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let handle = handle_mut(options, "options")?;
            let text = super::guard::text(text, "text")?;
            if text.len() > LONGEST {
                return Err(wrong(format!(
                    "the text of options has {} bytes",
                    text.len()
                )));
            }
            let mut changed = handle.options.clone();
            for entry in text
                .split(',')
                .map(str::trim)
                .filter(|_| !text.trim().is_empty())
            {
                changed = with_entry(changed, entry)?;
            }
            handle.options = changed;
            Ok(AP_OK)
        })
    }
}

fn wrong(text: String) -> Error {
    Error::new(ErrorKind::Option, text)
}

fn name(key: i32) -> Result<&'static str> {
    let found = NAMES.iter().find(|entry| entry.0 == key);
    found
        .map(|entry| entry.1)
        .ok_or_else(|| wrong(format!("{key} is no option of this library")))
}

fn with_int(options: Options, key: i32, value: i64) -> Result<Options> {
    let out_of_range = |wanted: &str| {
        let name = name(key).unwrap_or_default();
        wrong(format!("option '{name}' is {value}, wanted {wanted}"))
    };
    let switch = || match value {
        0 | 1 => Ok(value == 1),
        _ => Err(out_of_range("0 or 1")),
    };
    match key {
        AP_OPT_MMAP => Ok(options.mapping(match value {
            0 => Mapping::Never,
            1 => Mapping::Possible,
            2 => Mapping::Required,
            _ => return Err(out_of_range("0, 1 or 2")),
        })),
        AP_OPT_KEEP_OPEN => Ok(options.keep_open(switch()?)),
        AP_OPT_VERIFY => Ok(options.verify(switch()?)),
        AP_OPT_STRICT => Ok(options.strict(switch()?)),
        AP_OPT_TRUNCATED => Ok(options.truncated(switch()?)),
        AP_OPT_MAX_BYTES => match u64::try_from(value) {
            Ok(most) => Ok(options.max_bytes(Some(most))),
            Err(_) => Err(out_of_range("0 or more")),
        },
        AP_OPT_THREADS => match value {
            0..=MOST_THREADS => Ok(options.threads(value as usize)),
            _ => Err(out_of_range("0 to 1024")),
        },
        AP_OPT_CACHE_BYTES => match u64::try_from(value) {
            Ok(bytes) => Ok(options.cache_bytes(Some(bytes))),
            Err(_) => Err(out_of_range("0 or more")),
        },
        AP_OPT_INDEX_MODE => Ok(options.index_mode(match value {
            0 => IndexMode::None,
            1 => IndexMode::Grow,
            2 => IndexMode::Build,
            _ => return Err(out_of_range("0, 1 or 2")),
        })),
        AP_OPT_INDEX_SPACING => match value {
            0 => Ok(options.index_spacing(None)),
            NEAREST.. => Ok(options.index_spacing(Some(value as u64))),
            _ => Err(out_of_range("0, or 65536 or more")),
        },
        AP_OPT_FACTOR_TYPE => Ok(options.factor_type(match i32::try_from(value) {
            Ok(AP_FLOAT32) => FactorType::Float32,
            Ok(AP_FLOAT64) => FactorType::Float64,
            _ => return Err(out_of_range("AP_FLOAT32 or AP_FLOAT64")),
        })),
        AP_OPT_OPEN_FILES => match usize::try_from(value) {
            Ok(most @ 1..) => Ok(options.open_files(most)),
            _ => Err(out_of_range("1 or more")),
        },
        _ => Err(wrong(format!("option '{}' takes a text", name(key)?))),
    }
}

fn with_text(options: Options, key: i32, value: &str) -> Result<Options> {
    let other = |wanted: &str| {
        let name = name(key).unwrap_or_default();
        wrong(format!("option '{name}' is '{value}', wanted {wanted}"))
    };
    match key {
        AP_OPT_FORMAT => match Format::parse(value) {
            Some(format) => Ok(options.format(Some(format))),
            None => Err(wrong(format!(
                "'{value}' is no format that this build can read"
            ))),
        },
        AP_OPT_CODEC => match Codec::parse(value) {
            Some(codec) => Ok(options.codec(Some(codec))),
            None if value == "auto" => Ok(options.codec(None)),
            None => Err(wrong(format!(
                "'{value}' is no compression that this build can read"
            ))),
        },
        AP_OPT_SCALING => Ok(options.scaling(match value {
            "dv" => Scaling::Displayed,
            "fp" => Scaling::FloatingPoint,
            _ => return Err(other("dv or fp")),
        })),
        AP_OPT_SORT => Ok(options.sort(match value {
            "plain" => SliceOrder::Plain,
            "strict" => SliceOrder::Strict,
            _ => return Err(other("plain or strict")),
        })),
        AP_OPT_INDEX_PATH => Ok(options.index_file(match value {
            "" => None,
            "auto" => Some(IndexFile::Auto),
            path => Some(IndexFile::Path(path.into())),
        })),
        _ => Err(wrong(format!("option '{}' takes a number", name(key)?))),
    }
}

fn with_entry(options: Options, entry: &str) -> Result<Options> {
    let (name, value) = entry
        .split_once('=')
        .ok_or_else(|| wrong(format!("'{entry}' is not of the form name=value")))?;
    let (name, value) = (name.trim(), value.trim());
    let key = NAMES
        .iter()
        .find(|entry| entry.1 == name)
        .map(|entry| entry.0);
    let key = key.ok_or_else(|| wrong(format!("'{name}' is no option of this library")))?;
    match (key, value.parse(), DType::parse(value)) {
        (AP_OPT_FORMAT | AP_OPT_CODEC | AP_OPT_INDEX_PATH, ..)
        | (AP_OPT_SCALING | AP_OPT_SORT, ..) => with_text(options, key, value),
        (_, Ok(number), _) => with_int(options, key, number),
        (AP_OPT_FACTOR_TYPE, _, Some(dtype)) => with_int(options, key, dtype.code().into()),
        _ => Err(wrong(format!(
            "option '{name}' is '{value}', wanted a number"
        ))),
    }
}

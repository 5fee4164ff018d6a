//! The tables of PAR/REC: keys of the general information, and the lines of
//! images, one for each, in columns. Names are those of `nibabel.parrec`.

use super::wrong;
use std::ops::Range;

use super::Notes;
use super::entries::{self, Content, Entry, Kind, is_of, parsed, short, words};
use super::record::text_of;
use crate::error::Result;

/// Lines of general information that a header has at most; those that are
/// known are some forty.
const MOST_KEYS: usize = 1000;

/// Images that a header has at most; each takes some 300 bytes, and far less of a
/// header that is compressed.
const MOST_IMAGES: usize = 1 << 17;

/// Bytes of the longest key that is read.
const LONGEST_KEY: usize = 200;

/// Keys in lower case, with one space for any white space; their names, what
/// they hold, and how many of it; 0 for any number.
const KEYS: [(&str, &str, Kind, usize); 38] = [
    ("patient name", "patient_name", Kind::Text, 0),
    ("examination name", "exam_name", Kind::Text, 0),
    ("protocol name", "protocol_name", Kind::Text, 0),
    ("examination date/time", "exam_date", Kind::Text, 0),
    ("series type", "series_type", Kind::Text, 0),
    ("acquisition nr", "acq_nr", Kind::Ints, 1),
    ("reconstruction nr", "recon_nr", Kind::Ints, 1),
    ("scan duration [sec]", "scan_duration", Kind::Reals, 1),
    (
        "max. number of cardiac phases",
        "max_cardiac_phases",
        Kind::Ints,
        1,
    ),
    ("max. number of echoes", "max_echoes", Kind::Ints, 1),
    (
        "max. number of slices/locations",
        "max_slices",
        Kind::Ints,
        1,
    ),
    ("max. number of dynamics", "max_dynamics", Kind::Ints, 1),
    ("max. number of mixes", "max_mixes", Kind::Ints, 1),
    ("patient position", "patient_position", Kind::Text, 0),
    ("preparation direction", "prep_direction", Kind::Text, 0),
    ("technique", "tech", Kind::Text, 0),
    ("scan resolution (x, y)", "scan_resolution", Kind::Ints, 2),
    ("scan mode", "scan_mode", Kind::Text, 0),
    ("repetition time [ms]", "repetition_time", Kind::Reals, 0),
    ("fov (ap,fh,rl) [mm]", "fov", Kind::Reals, 3),
    (
        "water fat shift [pixels]",
        "water_fat_shift",
        Kind::Reals,
        1,
    ),
    (
        "angulation midslice(ap,fh,rl)[degr]",
        "angulation",
        Kind::Reals,
        3,
    ),
    (
        "off centre midslice(ap,fh,rl) [mm]",
        "off_center",
        Kind::Reals,
        3,
    ),
    (
        "flow compensation <0=no 1=yes> ?",
        "flow_compensation",
        Kind::Ints,
        1,
    ),
    (
        "presaturation <0=no 1=yes> ?",
        "presaturation",
        Kind::Ints,
        1,
    ),
    (
        "phase encoding velocity [cm/sec]",
        "phase_enc_velocity",
        Kind::Reals,
        3,
    ),
    ("mtc <0=no 1=yes> ?", "mtc", Kind::Ints, 1),
    ("spir <0=no 1=yes> ?", "spir", Kind::Ints, 1),
    ("epi factor <0,1=no epi>", "epi_factor", Kind::Ints, 1),
    ("dynamic scan <0=no 1=yes> ?", "dyn_scan", Kind::Ints, 1),
    ("diffusion <0=no 1=yes> ?", "diffusion", Kind::Ints, 1),
    (
        "diffusion echo time [ms]",
        "diffusion_echo_time",
        Kind::Reals,
        1,
    ),
    // From V4.1 on.
    (
        "max. number of diffusion values",
        "max_diffusion_values",
        Kind::Ints,
        1,
    ),
    (
        "max. number of gradient orients",
        "max_gradient_orient",
        Kind::Ints,
        1,
    ),
    // From V4.2 on.
    (
        "number of label types <0=no asl>",
        "nr_label_types",
        Kind::Ints,
        1,
    ),
    // Other words for some of the above, as some files of V4.2 have them.
    ("series_data_type", "series_type", Kind::Text, 0),
    ("repetition time [msec]", "repetition_time", Kind::Reals, 0),
    (
        "diffusion echo time [msec]",
        "diffusion_echo_time",
        Kind::Reals,
        1,
    ),
];

/// A column: its name, what it holds, and how many words of a line. NiBabel
/// calls the one of diffusion as it calls a key; here it has a name of its own.
pub(super) type Column = (&'static str, Kind, usize);

const COLUMNS: [Column; 41] = [
    ("slice number", Kind::Ints, 1),
    ("echo number", Kind::Ints, 1),
    ("dynamic scan number", Kind::Ints, 1),
    ("cardiac phase number", Kind::Ints, 1),
    ("image_type_mr", Kind::Ints, 1),
    ("scanning sequence", Kind::Ints, 1),
    ("index in REC file", Kind::Ints, 1),
    ("image pixel size", Kind::Ints, 1),
    ("scan percentage", Kind::Ints, 1),
    ("recon resolution", Kind::Ints, 2),
    ("rescale intercept", Kind::Reals, 1),
    ("rescale slope", Kind::Reals, 1),
    ("scale slope", Kind::Reals, 1),
    ("window center", Kind::Reals, 1),
    ("window width", Kind::Reals, 1),
    ("image angulation", Kind::Reals, 3),
    ("image offcentre", Kind::Reals, 3),
    ("slice thickness", Kind::Reals, 1),
    ("slice gap", Kind::Reals, 1),
    ("image_display_orientation", Kind::Ints, 1),
    ("slice orientation", Kind::Ints, 1),
    ("fmri_status_indication", Kind::Ints, 1),
    ("image_type_ed_es", Kind::Ints, 1),
    ("pixel spacing", Kind::Reals, 2),
    ("echo_time", Kind::Reals, 1),
    ("dyn_scan_begin_time", Kind::Reals, 1),
    ("trigger_time", Kind::Reals, 1),
    ("diffusion_b_factor", Kind::Reals, 1),
    ("number of averages", Kind::Ints, 1),
    ("image_flip_angle", Kind::Reals, 1),
    ("cardiac frequency", Kind::Ints, 1),
    ("minimum RR-interval", Kind::Ints, 1),
    ("maximum RR-interval", Kind::Ints, 1),
    ("TURBO factor", Kind::Ints, 1),
    ("Inversion delay", Kind::Reals, 1),
    // From V4.1 on.
    ("diffusion b value number", Kind::Ints, 1),
    ("gradient orientation number", Kind::Ints, 1),
    ("contrast type", Kind::Text, 1),
    ("diffusion anisotropy type", Kind::Text, 1),
    ("image diffusion", Kind::Reals, 3),
    // From V4.2 on.
    ("label type", Kind::Ints, 1),
];

/// The columns of a version; `None` for versions that are not known.
pub(super) fn columns(version: &[u8]) -> Option<&'static [Column]> {
    match version {
        b"V4" => Some(&COLUMNS[..35]),
        b"V4.1" => Some(&COLUMNS[..40]),
        b"V4.2" => Some(&COLUMNS),
        _ => None,
    }
}

/// A line, without white space around it, behind its byte.
pub(super) type Line<'a> = (usize, &'a [u8]);

/// The fields of the general information, each name once.
pub(super) fn general(lines: &[Line<'_>], notes: &mut Notes) -> Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    for (number, &line) in lines.iter().enumerate() {
        if number == MOST_KEYS {
            let text = format!("there are more than {MOST_KEYS} lines of general information");
            return Err(wrong(line.0, text));
        }
        let entry = key(line, notes)?;
        match entries.iter_mut().find(|other| other.name == entry.name) {
            Some(other) => {
                let text = format!("there is a second {}, which counts", short_name(&entry));
                notes.add(20, entry.at as u64, text)?;
                *other = entry;
            }
            None => entries.push(entry),
        }
    }
    Ok(entries)
}

fn short_name(entry: &Entry) -> String {
    short(entry.name.as_bytes())
}

/// The field of a line `. key : value`. What is not known, or does not hold
/// what it should, is a text.
fn key((at, line): Line<'_>, notes: &mut Notes) -> Result<Entry> {
    let body = line.strip_prefix(b".").unwrap_or(line);
    let colon = body.iter().position(|&byte| byte == b':');
    let Some((key, value)) = colon.map(|colon| (&body[..colon], &body[colon + 1..])) else {
        let text = format!("'{}' is no line of a key, a colon and a value", short(line));
        return Err(wrong(at, text));
    };
    if key.len() > LONGEST_KEY {
        let text = format!(
            "a key has {} bytes, at most {LONGEST_KEY} are read",
            key.len()
        );
        return Err(wrong(at, text));
    }
    let key: Vec<String> = words(key).map(text_of).collect();
    let key = key.join(" ");
    if key.is_empty() {
        return Err(wrong(at, "a value has no key"));
    }
    let value = value.trim_ascii_start();
    let end = at + line.len();
    let known = KEYS.iter().find(|entry| entry.0 == key.to_lowercase());
    let (name, kind) = match known {
        None => {
            let text = format!("the key '{}' is not known", short(key.as_bytes()));
            notes.add(20, at as u64, text)?;
            (key, Kind::Text)
        }
        Some(&(_, name, kind, count)) if kind == Kind::Text || holds(value, kind, count) => {
            (name.into(), kind)
        }
        Some(&(_, name, kind, count)) => {
            let what = match kind {
                Kind::Ints => "integers",
                _ => "numbers",
            };
            let wanted = match count {
                0 => what.into(),
                n => format!("{n} {what}"),
            };
            let text = format!("{name} is '{}', wanted {wanted}", short(value));
            notes.add(20, at as u64, text)?;
            (name.into(), Kind::Text)
        }
    };
    Ok(Entry {
        name,
        at: at as u64,
        content: Content::Written(kind, end - value.len()..end),
    })
}

/// Whether all words of a value are of a kind, and so many.
fn holds(value: &[u8], kind: Kind, count: usize) -> bool {
    let found = words(value).take(count + 1).count();
    (count == 0 || found == count) && words(value).all(|word| is_of(kind, word))
}

/// The columns of the images' lines, as fields.
pub(super) fn column_entries(images: &Range<usize>, columns: &[Column]) -> Vec<Entry> {
    let mut next = 0;
    let entries = columns.iter().map(|&(name, kind, count)| {
        let column = next..next + count;
        next = column.end;
        Entry {
            name: name.into(),
            at: images.start as u64,
            content: Content::Column(kind, images.clone(), column),
        }
    });
    entries.collect()
}

/// What the line of an image says, as far as it matters here.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// Byte of the header.
    pub(super) at: usize,
    pub(super) slice: i64,
    pub(super) echo: i64,
    pub(super) dynamic: i64,
    pub(super) phase: i64,
    pub(super) image_type: i64,
    /// Number of the image in the REC file.
    pub(super) index: i64,
    pub(super) bits: i64,
    pub(super) resolution: [i64; 2],
    pub(super) rescale_intercept: f64,
    pub(super) rescale_slope: f64,
    pub(super) scale_slope: f64,
    pub(super) thickness: f64,
    pub(super) gap: f64,
    pub(super) orientation: i64,
    /// Millimetres.
    pub(super) spacing: [f64; 2],
    pub(super) b_factor: f64,
    /// From V4.1 on, as the next.
    pub(super) b_value: Option<i64>,
    pub(super) gradient: Option<i64>,
    /// From V4.2 on.
    pub(super) label: Option<i64>,
}

/// The rows of the images' lines.
pub(super) fn rows(text: &[u8], images: &Range<usize>, columns: &[Column]) -> Result<Vec<Row>> {
    let lines = entries::lines(&text[images.clone()]);
    let lines = lines.map(|(at, line)| (images.start + at, line));
    let mut rows = Vec::new();
    for line in lines {
        if rows.len() == MOST_IMAGES {
            let text = format!("there are more than {MOST_IMAGES} images");
            return Err(wrong(line.0, text));
        }
        rows.push(row(line, columns)?);
    }
    Ok(rows)
}

fn row((at, line): Line<'_>, columns: &[Column]) -> Result<Row> {
    let wanted = columns.iter().map(|column| column.2).sum();
    let found: Vec<&[u8]> = words(line).take(wanted).collect();
    if found.len() < wanted {
        let text = format!(
            "the line of an image has {} values, wanted {wanted}",
            found.len()
        );
        return Err(wrong(at, text));
    }
    let mut rest = found.iter();
    for &(name, kind, count) in columns {
        if let Some(word) = rest.by_ref().take(count).find(|word| !is_of(kind, word)) {
            let what = match kind {
                Kind::Ints => "integer",
                _ => "number",
            };
            let text = format!("{name} is '{}', which is no {what}", short(word));
            return Err(wrong(at, text));
        }
    }
    // All are there and can be read.
    let int_at = |i: usize| found.get(i).and_then(|word| parsed(word));
    let int = |i: usize| int_at(i).unwrap_or(0);
    let real = |i: usize| parsed(found[i]).unwrap_or(f64::NAN);
    Ok(Row {
        at,
        slice: int(0),
        echo: int(1),
        dynamic: int(2),
        phase: int(3),
        image_type: int(4),
        index: int(6),
        bits: int(7),
        resolution: [int(9), int(10)],
        rescale_intercept: real(11),
        rescale_slope: real(12),
        scale_slope: real(13),
        thickness: real(22),
        gap: real(23),
        orientation: int(25),
        spacing: [real(28), real(29)],
        b_factor: real(33),
        b_value: int_at(41),
        gradient: int_at(42),
        label: int_at(48),
    })
}

/// The parts of a header that count.
#[derive(Debug, Default)]
pub(super) struct Parts<'a> {
    pub(super) version: Option<Line<'a>>,
    /// No more than are too many.
    pub(super) general: Vec<Line<'a>>,
    /// Bytes of the images' lines.
    pub(super) images: Range<usize>,
}

/// What the line with the version has.
const TOOL: &[u8] = b"image export tool";

/// Take a header apart: lines with a #, of which one names the version; lines
/// with a point, the general information; lines with a #; lines of images up to
/// the next #.
pub(super) fn parts(text: &[u8]) -> Parts<'_> {
    #[derive(PartialEq, Eq)]
    enum At {
        Top,
        General,
        Comment,
        Images,
    }
    let (mut parts, mut at) = (Parts::default(), At::Top);
    for line in entries::lines(text) {
        let starts_with = |byte: u8| line.1.first() == Some(&byte);
        if at == At::Top && !starts_with(b'#') {
            at = At::General;
        }
        if at == At::General && !starts_with(b'.') {
            at = At::Comment;
        }
        if at == At::Comment && !starts_with(b'#') {
            (at, parts.images.start) = (At::Images, line.0);
        }
        match at {
            At::Top if line.1.windows(TOOL.len()).any(|part| part == TOOL) => {
                parts.version = words(line.1).last().map(|word| (line.0, word));
            }
            At::Top | At::Comment => {}
            At::General if parts.general.len() <= MOST_KEYS => parts.general.push(line),
            At::General => {}
            At::Images if starts_with(b'#') => break,
            At::Images => parts.images.end = line.0 + line.1.len(),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_many_as_the_versions_have() {
        let count = |version| {
            let columns = columns(version).unwrap();
            columns.iter().map(|column| column.2).sum::<usize>()
        };
        assert_eq!([count(b"V4"), count(b"V4.1"), count(b"V4.2")], [41, 48, 49]);
        assert!(columns(b"V3").is_none() && columns(b"V4.20").is_none());
    }

    #[test]
    fn names_of_columns_are_none_of_keys() {
        for column in COLUMNS {
            assert!(KEYS.iter().all(|key| key.1 != column.0), "{}", column.0);
        }
    }
}

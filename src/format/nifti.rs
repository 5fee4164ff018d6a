//! NIfTI-1 and NIfTI-2, in one file or as a pair. Field names are those of
//! nifti1.h and nifti2.h; CIFTI-2 files are NIfTI-2 with their stored shape.

use super::affine::{self, Affine, Nifti, Qform};
use super::family::{self, ANALYZE, Head, NIFTI2, Places};
use super::{Bytes, Format, Header, Notes, Parts, Wish, wrong};
use crate::core::dtype::{ByteOrder, DType, Kind};
use crate::core::scale::{FactorType, Factors};
use crate::error::Result;

/// What differs between the two versions.
struct Version {
    places: &'static Places,
    /// Where the data of a single file may begin: behind the header and the
    /// four bytes that tell of extensions.
    data: u64,
    single: Format,
    pair: Format,
    single_magic: [u8; 4],
    pair_magic: [u8; 4],
    magic_at: usize,
    slope_at: usize,
    inter_at: usize,
    qform_code_at: usize,
    sform_code_at: usize,
    /// quatern_b; c, d, the offsets and the sform's rows stand behind it.
    quatern_at: usize,
}

const V1: Version = Version {
    places: &ANALYZE,
    data: 352,
    single: Format::Nifti1,
    pair: Format::Nifti1Pair,
    single_magic: *b"n+1\0",
    pair_magic: *b"ni1\0",
    magic_at: 344,
    slope_at: 112,
    inter_at: 116,
    qform_code_at: 252,
    sform_code_at: 254,
    quatern_at: 256,
};

const V2: Version = Version {
    places: &NIFTI2,
    data: 544,
    single: Format::Nifti2,
    pair: Format::Nifti2Pair,
    single_magic: *b"n+2\0",
    pair_magic: *b"ni2\0",
    magic_at: 4,
    slope_at: 176,
    inter_at: 184,
    qform_code_at: 344,
    sform_code_at: 348,
    quatern_at: 352,
};

/// The bytes after NIfTI-2's magic; they show what a text transfer does.
const EOL_CHECK_AT: usize = 8;
const EOL_CHECK: [u8; 4] = [0x0D, 0x0A, 0x1A, 0x0A];

/// glmin, which FreeSurfer uses for a first dimension beyond 32767.
const GLMIN_AT: usize = 144;

const CODES: [(i16, DType); 16] = [
    (2, DType::UInt8),
    (4, DType::Int16),
    (8, DType::Int32),
    (16, DType::Float32),
    (32, DType::Complex64),
    (64, DType::Float64),
    (128, DType::Rgb24),
    (256, DType::Int8),
    (512, DType::UInt16),
    (768, DType::UInt32),
    (1024, DType::Int64),
    (1280, DType::UInt64),
    (1536, DType::Float128),
    (1792, DType::Complex128),
    (2048, DType::Complex256),
    (2304, DType::Rgba32),
];

/// Whether bytes begin as a NIfTI header does, as a file of its own.
pub(super) fn detect(head: &[u8]) -> Option<Format> {
    let magic = head.get(V1.magic_at..V1.magic_at + 4)?;
    if magic == V1.single_magic || magic == V1.pair_magic {
        return Some(Format::Nifti1);
    }
    let size = [head[0], head[1], head[2], head[3]];
    let is_v2 = [i32::from_le_bytes(size), i32::from_be_bytes(size)].contains(&NIFTI2.size);
    is_v2.then_some(Format::Nifti2)
}

/// Where a header's extensions stand.
#[derive(Debug)]
pub(super) struct ExtensionPlace {
    /// Byte of the first one, behind four bytes that tell whether there is one.
    pub(super) start: u64,
    /// The data's first byte; `None` in a header of its own, whose end is theirs.
    pub(super) end: Option<u64>,
    pub(super) order: ByteOrder,
}

/// `None` for formats without extensions.
pub(super) fn extension_place(format: Format, header: &[u8]) -> Result<Option<ExtensionPlace>> {
    let version = match format {
        Format::Nifti1 | Format::Nifti1Pair => &V1,
        Format::Nifti2 | Format::Nifti2Pair => &V2,
        _ => return Ok(None),
    };
    let head = Head::new(version.places, header, format)?;
    let end = if format.is_single() {
        // Data do not begin inside the header, see `read_offset`.
        Some(head.vox_offset()?.max(version.data))
    } else {
        None
    };
    Ok(Some(ExtensionPlace {
        start: version.data,
        end,
        order: head.fields.order,
    }))
}

/// Read a header of the format; of one that was found by content, `wish` says
/// what is known of its parts.
pub(super) fn read(bytes: &dyn Bytes, format: Format, wish: Wish) -> Result<Header> {
    let version = match format {
        Format::Nifti2 | Format::Nifti2Pair => &V2,
        _ => &V1,
    };
    let parts = match wish.format {
        Some(Format::Nifti1Pair | Format::Nifti2Pair) => Parts::Pair,
        Some(_) => Parts::Single,
        None => wish.parts,
    };
    let raw = bytes.bytes_at(0, version.places.size as usize)?;
    let head = Head::new(version.places, &raw, version.single)?;
    let mut notes = Notes::new(wish.strict);
    head.check_size(&mut notes)?;
    let single_magic = check_magic(version, &head)?;
    check_end_of_line(&head, &mut notes)?;
    let shape = read_shape(&head)?;
    let dtype = head.dtype(&CODES, &mut notes)?;
    let pair = match parts {
        Parts::Single => false,
        Parts::Pair => true,
        Parts::Unknown => !single_magic,
    };
    let offset = read_offset(version, &head, pair, single_magic, &mut notes)?;
    let layout = head.layout(dtype, &shape, offset)?;
    let factors = read_factors(version, &head, dtype, &mut notes)?;
    let space = read_space(version, &head, head.in_space(&shape), &mut notes)?;
    let format = if pair { version.pair } else { version.single };
    let order = head.fields.order;
    let header = Header {
        zooms: space.zooms,
        next_zoom: space.next_zoom,
        affine: space.affine,
        notes,
        image: pair.then_some("img"),
        ..Header::new(format, raw, (layout, order))
    };
    Ok(header.scaled(factors))
}

/// Whether the magic is a single file's, and not a pair's.
fn check_magic(version: &Version, head: &Head<'_>) -> Result<bool> {
    let magic = &head.fields.bytes[version.magic_at..version.magic_at + 4];
    let single = magic == version.single_magic;
    if !single && magic != version.pair_magic {
        let name = |bytes: &[u8]| bytes.escape_ascii().to_string();
        let text = format!(
            "the magic is '{}', wanted '{}' or '{}'",
            name(magic),
            name(&version.single_magic),
            name(&version.pair_magic)
        );
        return Err(wrong(version.magic_at, text));
    }
    Ok(single)
}

fn check_end_of_line(head: &Head<'_>, notes: &mut Notes) -> Result<()> {
    if head.places.precision == FactorType::Float32 {
        return Ok(());
    }
    let at = EOL_CHECK_AT;
    let found = &head.fields.bytes[at..at + 4];
    if found == [0; 4] {
        return notes.add(20, at as u64, "eol_check is all 0".into());
    }
    if found != EOL_CHECK {
        let text = format!(
            "eol_check is {found:02x?}, wanted {EOL_CHECK:02x?}: the file went through a text transfer"
        );
        return Err(wrong(at, text));
    }
    Ok(())
}

fn read_shape(head: &Head<'_>) -> Result<Vec<i64>> {
    let mut shape = head.stored_shape()?;
    if head.places.precision == FactorType::Float32 {
        // FreeSurfer's surfaces have more vertices than 16 bits can count. The
        // base affine goes by this shape, too; NiBabel's goes by the raw -1.
        if shape.starts_with(&[-1, 1, 1]) {
            shape[0] = head.fields.i32(GLMIN_AT).into();
            if shape[0] == 0 {
                let text = "dim[1] is -1, for which glmin stands, but glmin is 0";
                return Err(wrong(GLMIN_AT, text));
            }
        } else if shape.starts_with(&[27307, 1, 6]) {
            shape[..3].copy_from_slice(&[163_842, 1, 1]);
        }
    }
    head.checked(shape)
}

fn read_offset(
    version: &Version,
    head: &Head<'_>,
    pair: bool,
    single_magic: bool,
    notes: &mut Notes,
) -> Result<u64> {
    let offset = head.vox_offset()?;
    if offset % 16 != 0 {
        let text = format!("vox_offset is {offset}, which is no multiple of 16");
        head.odd_offset(notes, text)?;
    }
    let data = version.data;
    // NiBabel refuses it in pairs, too, whose data could begin there.
    if offset > 0 && offset < data && single_magic {
        let text = format!("vox_offset is {offset}, wanted {data} or more for a single file");
        return Err(head.wrong_offset(text));
    }
    if pair || offset >= data {
        return Ok(offset);
    }
    let text =
        format!("vox_offset is {offset}, inside the header: data are taken to begin at {data}");
    head.odd_offset(notes, text)?;
    Ok(data)
}

/// scl_slope and scl_inter. A slope that is 0 or not finite means none.
fn read_factors(
    version: &Version,
    head: &Head<'_>,
    dtype: DType,
    notes: &mut Notes,
) -> Result<Factors> {
    let slope = head.real(version.slope_at, 0);
    let inter = head.real(version.inter_at, 0);
    let nothing_set = (slope == 0.0 || slope.is_nan()) && (inter == 0.0 || inter.is_nan());
    if slope == 0.0 || !slope.is_finite() {
        if !nothing_set {
            let text =
                format!("scl_slope is {slope}: scl_inter {inter} is ignored, data are not scaled");
            notes.add(10, version.slope_at as u64, text)?;
        }
        return Ok(Factors::NONE);
    }
    let factors = Factors::new(slope, inter, FactorType::Float64);
    if !inter.is_finite() && dtype.kind() != Kind::Rgb {
        let text = format!("scl_inter is {inter} beside scl_slope {slope}, wanted a finite number");
        return Err(wrong(version.inter_at, text));
    }
    family::usable_factors(dtype, factors, version.slope_at, notes)
}

/// Zooms and affines.
struct Space {
    zooms: Vec<f64>,
    next_zoom: f64,
    affine: Affine,
}

fn read_space(
    version: &Version,
    head: &Head<'_>,
    shape: &[i64],
    notes: &mut Notes,
) -> Result<Space> {
    let mut pixdim = head.pixdim(notes)?;
    if pixdim[0] != 1.0 && pixdim[0] != -1.0 {
        let text = format!("pixdim[0] is {}, wanted 1 or -1, taken as 1", pixdim[0]);
        notes.add(20, head.places.pixdim_at as u64, text)?;
        pixdim[0] = 1.0;
    }
    let mut code = |at: usize, name: &str| {
        let code = xform_code(head, at);
        if !(0..=5).contains(&code) {
            let text = format!("{name} is {code}, wanted 0 to 5, taken as 0");
            notes.add(30, at as u64, text)?;
            return Ok(0);
        }
        Ok(code)
    };
    let (qform_code, sform_code) = (
        code(version.qform_code_at, "qform_code")?,
        code(version.sform_code_at, "sform_code")?,
    );
    let real = |i: usize| head.real(version.quatern_at, i);
    let zooms = family::zooms(&pixdim, shape);
    let epsilon = match head.places.precision {
        FactorType::Float32 => f32::EPSILON.into(),
        FactorType::Float64 => f64::EPSILON,
    };
    let affine = Affine::Nifti(Box::new(Nifti {
        sform_code,
        sform: [6, 10, 14].map(|row| [0, 1, 2, 3].map(|column| real(row + column))),
        qform: Qform {
            code: qform_code,
            quaternion: [real(0), real(1), real(2)],
            offset: [real(3), real(4), real(5)],
            zooms: [pixdim[1], pixdim[2], pixdim[3]],
            handedness: pixdim[0],
            tolerance: 3.0 * epsilon,
            at: version.quatern_at as u64,
        },
        base: affine::base(shape, &zooms),
    }));
    Ok(Space {
        next_zoom: family::next_zoom(&pixdim, shape),
        zooms,
        affine,
    })
}

fn xform_code(head: &Head<'_>, at: usize) -> i32 {
    match head.places.precision {
        FactorType::Float32 => head.fields.i16(at).into(),
        FactorType::Float64 => head.fields.i32(at),
    }
}

#[cfg(test)]
#[path = "nifti_tests.rs"]
mod tests;

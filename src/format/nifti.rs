//! NIfTI-1 and NIfTI-2, in one file or as a pair. Field names are those of
//! nifti1.h and nifti2.h; CIFTI-2 files are NIfTI-2 with their stored shape.

use super::affine::{self, Affine, Nifti, Qform};
use super::fields::Fields;
use super::{Bytes, Format, Header, Notes, Parts, Wish};
use crate::core::dtype::{ByteOrder, DType, Kind, Order};
use crate::core::layout::Layout;
use crate::core::scale::{FactorType, Factors};
use crate::core::shape;
use crate::error::{Error, ErrorKind, Result};

/// What differs between the two versions.
struct Version {
    /// Value of sizeof_hdr and size of the header.
    size: i32,
    /// Where the data of a single file may begin: behind the header and the
    /// four bytes that tell of extensions.
    data: i64,
    single: Format,
    pair: Format,
    single_magic: [u8; 4],
    pair_magic: [u8; 4],
    magic_at: usize,
    dim_at: usize,
    datatype_at: usize,
    bitpix_at: usize,
    pixdim_at: usize,
    vox_offset_at: usize,
    slope_at: usize,
    inter_at: usize,
    qform_code_at: usize,
    sform_code_at: usize,
    /// quatern_b; c, d, the offsets and the sform's rows stand behind it.
    quatern_at: usize,
    /// Float32, or float64, which is also the size of each of these fields.
    precision: FactorType,
}

const V1: Version = Version {
    size: 348,
    data: 352,
    single: Format::Nifti1,
    pair: Format::Nifti1Pair,
    single_magic: *b"n+1\0",
    pair_magic: *b"ni1\0",
    magic_at: 344,
    dim_at: 40,
    datatype_at: 70,
    bitpix_at: 72,
    pixdim_at: 76,
    vox_offset_at: 108,
    slope_at: 112,
    inter_at: 116,
    qform_code_at: 252,
    sform_code_at: 254,
    quatern_at: 256,
    precision: FactorType::Float32,
};

const V2: Version = Version {
    size: 540,
    data: 544,
    single: Format::Nifti2,
    pair: Format::Nifti2Pair,
    single_magic: *b"n+2\0",
    pair_magic: *b"ni2\0",
    magic_at: 4,
    dim_at: 16,
    datatype_at: 12,
    bitpix_at: 14,
    pixdim_at: 104,
    vox_offset_at: 168,
    slope_at: 176,
    inter_at: 184,
    qform_code_at: 344,
    sform_code_at: 348,
    quatern_at: 352,
    precision: FactorType::Float64,
};

/// The bytes after NIfTI-2's magic; they show what a text transfer does.
const EOL_CHECK: [u8; 4] = [0x0D, 0x0A, 0x1A, 0x0A];

/// glmin, which FreeSurfer uses for a first dimension beyond 32767.
const GLMIN_AT: usize = 144;

/// Read a NIfTI header. `None` if it is none, unless one is wished for.
pub(super) fn read(bytes: &dyn Bytes, wish: Wish) -> Result<Option<Header>> {
    let mut head = bytes.bytes_at(0, V1.size as usize)?;
    let version = match wish.format {
        Some(Format::Nifti1 | Format::Nifti1Pair) => &V1,
        Some(Format::Nifti2 | Format::Nifti2Pair) => &V2,
        Some(Format::Layout) => return Ok(None),
        None => match detect(&head) {
            Some(version) => version,
            None => return Ok(None),
        },
    };
    let size = version.size as usize;
    if head.len() == V1.size as usize && size > head.len() {
        head.extend(bytes.bytes_at(head.len() as u64, size - head.len())?);
    }
    if head.len() < size {
        let text = format!(
            "a {} header has {size} bytes, the file has {}",
            version.single.name(),
            head.len()
        );
        return Err(wrong(head.len(), text));
    }
    let parts = match wish.format {
        Some(Format::Nifti1Pair | Format::Nifti2Pair) => Parts::Pair,
        Some(_) => Parts::Single,
        None => wish.parts,
    };
    parse(version, head, parts, wish.strict).map(Some)
}

fn detect(head: &[u8]) -> Option<&'static Version> {
    let magic = head.get(V1.magic_at..V1.magic_at + 4)?;
    if magic == V1.single_magic || magic == V1.pair_magic {
        return Some(&V1);
    }
    let size = [head[0], head[1], head[2], head[3]];
    let is_v2 = i32::from_le_bytes(size) == V2.size || i32::from_be_bytes(size) == V2.size;
    is_v2.then_some(&V2)
}

fn parse(version: &Version, head: Vec<u8>, parts: Parts, strict: bool) -> Result<Header> {
    let fields = Fields {
        bytes: &head,
        order: byte_order(version, &head),
    };
    let mut notes = Notes::new(strict);
    let single_magic = check_identity(version, &fields, &mut notes)?;
    let shape = read_shape(version, &fields)?;
    let dtype = read_dtype(version, &fields, &mut notes)?;
    let pair = match parts {
        Parts::Single => false,
        Parts::Pair => true,
        Parts::Unknown => !single_magic,
    };
    let offset = read_offset(version, &fields, pair, single_magic, &mut notes)?;
    let order = fields.order;
    let layout = Layout::packed(dtype, order, Order::F, &shape, offset).ok_or_else(|| {
        let text = format!(
            "an array of shape {} and type {dtype} at byte {offset} passes 2^63 bytes",
            shape::text(&shape)
        );
        wrong(version.dim_at, text)
    })?;
    let factors = read_factors(version, &fields, dtype, &mut notes)?;
    // The axis that an array of no dimensions is given has no place in space.
    let in_space = if version.dim(&fields, 0) == 0 {
        &[][..]
    } else {
        &shape
    };
    let (zooms, affine) = read_space(version, &fields, in_space, &mut notes)?;
    Ok(Header {
        format: if pair { version.pair } else { version.single },
        layout,
        factors,
        zooms,
        affine,
        raw: head,
        notes,
        wants_image: pair,
    })
}

/// By dim[0], which is 1 to 7 in one order only; sizeof_hdr settles 0.
fn byte_order(version: &Version, head: &[u8]) -> ByteOrder {
    let (native, swapped) = match ByteOrder::NATIVE {
        ByteOrder::Little => (ByteOrder::Little, ByteOrder::Big),
        ByteOrder::Big => (ByteOrder::Big, ByteOrder::Little),
    };
    let as_native = Fields {
        bytes: head,
        order: native,
    };
    let as_swapped = Fields {
        bytes: head,
        order: swapped,
    };
    let is_native = match version.dim(&as_native, 0) {
        1..=7 => true,
        0 => as_swapped.i32(0) != version.size,
        _ => false,
    };
    if is_native { native } else { swapped }
}

impl Version {
    /// dim[i].
    fn dim(&self, fields: &Fields<'_>, i: usize) -> i64 {
        match self.precision {
            FactorType::Float32 => fields.i16(self.dim_at + 2 * i).into(),
            FactorType::Float64 => fields.i64(self.dim_at + 8 * i),
        }
    }

    /// Number `i` of the floating-point numbers that begin at `at`.
    fn real(&self, fields: &Fields<'_>, at: usize, i: usize) -> f64 {
        match self.precision {
            FactorType::Float32 => fields.f32(at + 4 * i).into(),
            FactorType::Float64 => fields.f64(at + 8 * i),
        }
    }

    /// Bytes of a floating-point number.
    fn real_size(&self) -> usize {
        match self.precision {
            FactorType::Float32 => 4,
            FactorType::Float64 => 8,
        }
    }

    fn xform_code(&self, fields: &Fields<'_>, at: usize) -> i32 {
        match self.precision {
            FactorType::Float32 => fields.i16(at).into(),
            FactorType::Float64 => fields.i32(at),
        }
    }
}

/// Size, magic and end-of-line bytes. Whether the magic is a single file's.
fn check_identity(version: &Version, fields: &Fields<'_>, notes: &mut Notes) -> Result<bool> {
    let size = fields.i32(0);
    if size != version.size {
        let text = format!("sizeof_hdr is {size}, wanted {}", version.size);
        notes.add(30, 0, text)?;
    }
    let magic = &fields.bytes[version.magic_at..version.magic_at + 4];
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
    if version.size == V2.size {
        let found = &fields.bytes[8..12];
        if found == [0; 4] {
            notes.add(20, 8, "eol_check is all 0".into())?;
        } else if found != EOL_CHECK {
            let text = format!(
                "eol_check is {found:02x?}, wanted {EOL_CHECK:02x?}: the file went through a text transfer"
            );
            return Err(wrong(8, text));
        }
    }
    Ok(single)
}

fn read_shape(version: &Version, fields: &Fields<'_>) -> Result<Vec<i64>> {
    let ndim = version.dim(fields, 0);
    let ndim = match ndim {
        // An array of one axis without elements, as NiBabel has it.
        0 => return Ok(vec![0]),
        1..=7 => ndim as usize,
        _ => {
            return Err(wrong(
                version.dim_at,
                format!("dim[0] is {ndim}, wanted 0 to 7"),
            ));
        }
    };
    let mut shape: Vec<i64> = (1..=ndim).map(|i| version.dim(fields, i)).collect();
    if version.size == V1.size {
        // FreeSurfer's surfaces have more vertices than 16 bits can count. The
        // base affine goes by this shape, too; NiBabel's goes by the raw -1.
        if shape.starts_with(&[-1, 1, 1]) {
            shape[0] = fields.i32(GLMIN_AT).into();
            if shape[0] == 0 {
                let text = "dim[1] is -1, for which glmin stands, but glmin is 0";
                return Err(wrong(GLMIN_AT, text.into()));
            }
        } else if shape.starts_with(&[27307, 1, 6]) {
            shape[..3].copy_from_slice(&[163_842, 1, 1]);
        }
    }
    let width = if version.size == V1.size { 2 } else { 8 };
    match shape.iter().position(|&n| n < 0) {
        Some(axis) => Err(wrong(
            version.dim_at + width * (axis + 1),
            format!("dim[{}] is {}, wanted 0 or more", axis + 1, shape[axis]),
        )),
        None => Ok(shape),
    }
}

fn read_dtype(version: &Version, fields: &Fields<'_>, notes: &mut Notes) -> Result<DType> {
    let code = fields.i16(version.datatype_at);
    let dtype = match code {
        2 => DType::UInt8,
        4 => DType::Int16,
        8 => DType::Int32,
        16 => DType::Float32,
        32 => DType::Complex64,
        64 => DType::Float64,
        128 => DType::Rgb24,
        256 => DType::Int8,
        512 => DType::UInt16,
        768 => DType::UInt32,
        1024 => DType::Int64,
        1280 => DType::UInt64,
        1536 => DType::Float128,
        1792 => DType::Complex128,
        2048 => DType::Complex256,
        2304 => DType::Rgba32,
        _ => {
            let text = format!("datatype is {code}, which names no type that can be read");
            return Err(wrong(version.datatype_at, text));
        }
    };
    let (bitpix, bits) = (fields.i16(version.bitpix_at), 8 * dtype.size());
    if i64::from(bitpix) != bits as i64 {
        let text = format!("bitpix is {bitpix}, elements of type {dtype} have {bits} bits");
        notes.add(10, version.bitpix_at as u64, text)?;
    }
    Ok(dtype)
}

fn read_offset(
    version: &Version,
    fields: &Fields<'_>,
    pair: bool,
    single_magic: bool,
    notes: &mut Notes,
) -> Result<u64> {
    let at = version.vox_offset_at;
    let offset = match version.precision {
        FactorType::Float64 => fields.i64(at),
        FactorType::Float32 => {
            let offset = fields.f32(at);
            if !offset.is_finite() {
                return Err(wrong(
                    at,
                    format!("vox_offset is {offset}, wanted a number of bytes"),
                ));
            }
            // Towards zero; what passes 64 bits is refused with the layout.
            offset as i64
        }
    };
    if offset < 0 {
        return Err(wrong(
            at,
            format!("vox_offset is {offset}, wanted 0 or more"),
        ));
    }
    if offset % 16 != 0 {
        let text = format!("vox_offset is {offset}, which is no multiple of 16");
        notes.add(30, at as u64, text)?;
    }
    let data = version.data;
    // NiBabel refuses it in pairs, too, whose data could begin there.
    if offset > 0 && offset < data && single_magic {
        let text = format!("vox_offset is {offset}, wanted {data} or more for a single file");
        return Err(wrong(at, text));
    }
    if pair || offset >= data {
        return Ok(offset as u64);
    }
    let text =
        format!("vox_offset is {offset}, inside the header: data are taken to begin at {data}");
    notes.add(30, at as u64, text)?;
    Ok(data as u64)
}

/// scl_slope and scl_inter. A slope that is 0 or not finite means none.
fn read_factors(
    version: &Version,
    fields: &Fields<'_>,
    dtype: DType,
    notes: &mut Notes,
) -> Result<Factors> {
    let slope = version.real(fields, version.slope_at, 0);
    let inter = version.real(fields, version.inter_at, 0);
    let (slope_at, inter_at) = (version.slope_at as u64, version.inter_at);
    let nothing_set = (slope == 0.0 || slope.is_nan()) && (inter == 0.0 || inter.is_nan());
    if slope == 0.0 || !slope.is_finite() {
        if !nothing_set {
            let text =
                format!("scl_slope is {slope}: scl_inter {inter} is ignored, data are not scaled");
            notes.add(10, slope_at, text)?;
        }
        return Ok(Factors::NONE);
    }
    let factors = Factors::new(slope, inter, FactorType::Float64);
    if dtype.kind() == Kind::Rgb {
        if factors.is_scaling() {
            let text = format!(
                "scl_slope {slope} and scl_inter {inter} are ignored: colours are not scaled"
            );
            notes.add(10, slope_at, text)?;
        }
        return Ok(Factors::NONE);
    }
    if !inter.is_finite() {
        let text = format!("scl_inter is {inter} beside scl_slope {slope}, wanted a finite number");
        return Err(wrong(inter_at, text));
    }
    if factors.overflows(dtype) {
        let text = format!(
            "scl_slope {slope} and scl_inter {inter} lead beyond float64: some values of type {dtype} become infinite"
        );
        notes.add(10, slope_at, text)?;
    }
    Ok(factors)
}

/// Zooms and affines.
fn read_space(
    version: &Version,
    fields: &Fields<'_>,
    shape: &[i64],
    notes: &mut Notes,
) -> Result<(Vec<f64>, Affine)> {
    let width = version.real_size();
    let mut pixdim = [0.0; 8];
    for (i, size) in pixdim.iter_mut().enumerate() {
        *size = version.real(fields, version.pixdim_at, i);
    }
    for (i, size) in pixdim.iter_mut().enumerate().skip(1).take(3) {
        let at = (version.pixdim_at + width * i) as u64;
        if *size == 0.0 {
            notes.add(30, at, format!("pixdim[{i}] is 0, taken as 1"))?;
            *size = 1.0;
        } else if *size < 0.0 {
            notes.add(
                35,
                at,
                format!("pixdim[{i}] is {size}, taken without its sign"),
            )?;
            *size = -*size;
        }
    }
    if pixdim[0] != 1.0 && pixdim[0] != -1.0 {
        let text = format!("pixdim[0] is {}, wanted 1 or -1, taken as 1", pixdim[0]);
        notes.add(20, version.pixdim_at as u64, text)?;
        pixdim[0] = 1.0;
    }
    let mut code = |at: usize, name: &str| {
        let code = version.xform_code(fields, at);
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
    let real = |i: usize| version.real(fields, version.quatern_at, i);
    let zooms: Vec<f64> = match shape.len() {
        0 => vec![1.0],
        ndim => pixdim[1..=ndim].to_vec(),
    };
    let epsilon = match version.precision {
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
    Ok((zooms, affine))
}

fn wrong(at: usize, text: String) -> Error {
    Error::new(ErrorKind::Header, text).at(at as u64)
}

#[cfg(test)]
#[path = "nifti_tests.rs"]
mod tests;

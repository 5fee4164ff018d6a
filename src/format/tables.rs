//! The fields of each format's header, in its order, by NiBabel's names.

use super::Format;
use super::labels::{self, Words};
use super::record::Field;
use super::record::Kind::{self, F32, F64, I8, I16, I32, I64, Text, U8};

/// The fields of a format's header.
pub(super) fn of(format: Format) -> &'static [Field] {
    match format {
        Format::Nifti1 | Format::Nifti1Pair => &NIFTI1,
        Format::Nifti2 | Format::Nifti2Pair => &NIFTI2,
        Format::Analyze => &ANALYZE,
        Format::Spm99 => &SPM99,
        Format::Spm2 => &SPM2,
        Format::Mgh => &MGH,
        // What fields it has, the header itself says.
        Format::Afni => &[],
        Format::Layout => &[],
    }
}

const fn field(name: &'static str, kind: Kind, at: usize, count: usize) -> Field {
    Field {
        name,
        kind,
        at,
        count,
        words: Words::None,
    }
}

/// A number that stands for something.
const fn coded(name: &'static str, kind: Kind, at: usize, words: Words) -> Field {
    Field {
        name,
        kind,
        at,
        count: 1,
        words,
    }
}

static NIFTI1: [Field; 43] = [
    field("sizeof_hdr", I32, 0, 1),
    field("data_type", Text, 4, 10),
    field("db_name", Text, 14, 18),
    field("extents", I32, 32, 1),
    field("session_error", I16, 36, 1),
    field("regular", Text, 38, 1),
    coded("dim_info", U8, 39, Words::Axes),
    field("dim", I16, 40, 8),
    field("intent_p1", F32, 56, 1),
    field("intent_p2", F32, 60, 1),
    field("intent_p3", F32, 64, 1),
    coded("intent_code", I16, 68, Words::Codes(&labels::INTENTS)),
    coded("datatype", I16, 70, Words::Codes(&labels::TYPES)),
    field("bitpix", I16, 72, 1),
    field("slice_start", I16, 74, 1),
    field("pixdim", F32, 76, 8),
    field("vox_offset", F32, 108, 1),
    field("scl_slope", F32, 112, 1),
    field("scl_inter", F32, 116, 1),
    field("slice_end", I16, 120, 1),
    coded("slice_code", U8, 122, Words::Codes(&labels::SLICE_ORDERS)),
    coded("xyzt_units", U8, 123, Words::Units),
    field("cal_max", F32, 124, 1),
    field("cal_min", F32, 128, 1),
    field("slice_duration", F32, 132, 1),
    field("toffset", F32, 136, 1),
    field("glmax", I32, 140, 1),
    field("glmin", I32, 144, 1),
    field("descrip", Text, 148, 80),
    field("aux_file", Text, 228, 24),
    coded("qform_code", I16, 252, Words::Codes(&labels::XFORMS)),
    coded("sform_code", I16, 254, Words::Codes(&labels::XFORMS)),
    field("quatern_b", F32, 256, 1),
    field("quatern_c", F32, 260, 1),
    field("quatern_d", F32, 264, 1),
    field("qoffset_x", F32, 268, 1),
    field("qoffset_y", F32, 272, 1),
    field("qoffset_z", F32, 276, 1),
    field("srow_x", F32, 280, 4),
    field("srow_y", F32, 296, 4),
    field("srow_z", F32, 312, 4),
    field("intent_name", Text, 328, 16),
    field("magic", Text, 344, 4),
];

static NIFTI2: [Field; 38] = [
    field("sizeof_hdr", I32, 0, 1),
    field("magic", Text, 4, 4),
    field("eol_check", I8, 8, 4),
    coded("datatype", I16, 12, Words::Codes(&labels::TYPES)),
    field("bitpix", I16, 14, 1),
    field("dim", I64, 16, 8),
    field("intent_p1", F64, 80, 1),
    field("intent_p2", F64, 88, 1),
    field("intent_p3", F64, 96, 1),
    field("pixdim", F64, 104, 8),
    field("vox_offset", I64, 168, 1),
    field("scl_slope", F64, 176, 1),
    field("scl_inter", F64, 184, 1),
    field("cal_max", F64, 192, 1),
    field("cal_min", F64, 200, 1),
    field("slice_duration", F64, 208, 1),
    field("toffset", F64, 216, 1),
    field("slice_start", I64, 224, 1),
    field("slice_end", I64, 232, 1),
    field("descrip", Text, 240, 80),
    field("aux_file", Text, 320, 24),
    coded("qform_code", I32, 344, Words::Codes(&labels::XFORMS)),
    coded("sform_code", I32, 348, Words::Codes(&labels::XFORMS)),
    field("quatern_b", F64, 352, 1),
    field("quatern_c", F64, 360, 1),
    field("quatern_d", F64, 368, 1),
    field("qoffset_x", F64, 376, 1),
    field("qoffset_y", F64, 384, 1),
    field("qoffset_z", F64, 392, 1),
    field("srow_x", F64, 400, 4),
    field("srow_y", F64, 432, 4),
    field("srow_z", F64, 464, 4),
    coded("slice_code", I32, 496, Words::Codes(&labels::SLICE_ORDERS)),
    coded("xyzt_units", I32, 500, Words::Units),
    coded("intent_code", I32, 504, Words::Codes(&labels::INTENTS)),
    field("intent_name", Text, 508, 16),
    coded("dim_info", U8, 524, Words::Axes),
    field("unused_str", Text, 525, 15),
];

static ANALYZE: [Field; 43] = analyze("funused1", "funused2", field("originator", Text, 253, 10));
static SPM99: [Field; 43] = analyze("scl_slope", "funused2", field("origin", I16, 253, 5));
static SPM2: [Field; 43] = analyze("scl_slope", "scl_inter", field("origin", I16, 253, 5));

/// Analyze's fields, of which SPM gave three a meaning of its own.
const fn analyze(slope: &'static str, inter: &'static str, origin: Field) -> [Field; 43] {
    [
        field("sizeof_hdr", I32, 0, 1),
        field("data_type", Text, 4, 10),
        field("db_name", Text, 14, 18),
        field("extents", I32, 32, 1),
        field("session_error", I16, 36, 1),
        field("regular", Text, 38, 1),
        field("hkey_un0", Text, 39, 1),
        field("dim", I16, 40, 8),
        field("vox_units", Text, 56, 4),
        field("cal_units", Text, 60, 8),
        field("unused1", I16, 68, 1),
        coded("datatype", I16, 70, Words::Codes(&labels::TYPES)),
        field("bitpix", I16, 72, 1),
        field("dim_un0", I16, 74, 1),
        field("pixdim", F32, 76, 8),
        field("vox_offset", F32, 108, 1),
        field(slope, F32, 112, 1),
        field(inter, F32, 116, 1),
        field("funused3", F32, 120, 1),
        field("cal_max", F32, 124, 1),
        field("cal_min", F32, 128, 1),
        field("compressed", I32, 132, 1),
        field("verified", I32, 136, 1),
        field("glmax", I32, 140, 1),
        field("glmin", I32, 144, 1),
        field("descrip", Text, 148, 80),
        field("aux_file", Text, 228, 24),
        field("orient", Text, 252, 1),
        origin,
        field("generated", Text, 263, 10),
        field("scannum", Text, 273, 10),
        field("patient_id", Text, 283, 10),
        field("exp_date", Text, 293, 10),
        field("exp_time", Text, 303, 10),
        field("hist_un0", Text, 313, 3),
        field("views", I32, 316, 1),
        field("vols_added", I32, 320, 1),
        field("start_field", I32, 324, 1),
        field("field_skip", I32, 328, 1),
        field("omax", I32, 332, 1),
        field("omin", I32, 336, 1),
        field("smax", I32, 340, 1),
        field("smin", I32, 344, 1),
    ]
}

static MGH: [Field; 8] = [
    field("version", I32, 0, 1),
    field("dims", I32, 4, 4),
    coded("type", I32, 20, Words::Codes(&labels::MGH_TYPES)),
    field("dof", I32, 24, 1),
    field("goodRASFlag", I16, 28, 1),
    field("delta", F32, 30, 3),
    field("Mdc", F32, 42, 9),
    field("Pxyz_c", F32, 78, 3),
];

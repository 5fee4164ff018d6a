//! Codes of headers in NiBabel's words.

/// What the numbers of a field mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Words {
    /// Themselves.
    None,
    /// Names of a list; codes that it does not have are numbers.
    Codes(&'static [(i64, &'static str)]),
    /// Units of space and time in one number, as xyzt_units has them.
    Units,
    /// Axes in one number, as dim_info has them.
    Axes,
}

impl Words {
    /// A number in words.
    pub(super) fn of(self, number: i64) -> String {
        match self {
            Words::None => number.to_string(),
            Words::Codes(codes) => label(codes, number),
            Words::Units => units(number).join(", "),
            Words::Axes => axes(number),
        }
    }
}

fn label(codes: &[(i64, &str)], code: i64) -> String {
    let found = codes.iter().find(|entry| entry.0 == code);
    found.map_or_else(|| code.to_string(), |entry| entry.1.into())
}

/// The units of lengths and times in xyzt_units.
pub(super) fn units(code: i64) -> [String; 2] {
    // The lowest three bits, whatever the sign, as NiBabel takes them.
    let space = code.rem_euclid(8);
    [space, code - space].map(|code| label(&UNITS, code))
}

/// The unit of times of AFNI's TAXIS_NUMS.
pub(super) fn afni_time(code: i64) -> &'static str {
    match code {
        77001 => "msec",
        77002 => "sec",
        77003 => "hz",
        _ => "unknown",
    }
}

/// The axes in dim_info: from 1, two bits for each, 0 if it is not told.
fn axes(code: i64) -> String {
    let names = ["freq", "phase", "slice"].into_iter().enumerate();
    let told = names.filter_map(|(i, name)| {
        let axis = code >> (2 * i) & 3;
        (axis > 0).then(|| format!("{name} {}", axis - 1))
    });
    told.collect::<Vec<_>>().join(", ")
}

/// Types of elements, of NIfTI and, as far as it has them, Analyze.
pub(super) const TYPES: [(i64, &str); 16] = [
    (2, "uint8"),
    (4, "int16"),
    (8, "int32"),
    (16, "float32"),
    (32, "complex64"),
    (64, "float64"),
    (128, "RGB"),
    (256, "int8"),
    (512, "uint16"),
    (768, "uint32"),
    (1024, "int64"),
    (1280, "uint64"),
    (1536, "float128"),
    (1792, "complex128"),
    (2048, "complex256"),
    (2304, "RGBA"),
];

pub(super) const MGH_TYPES: [(i64, &str); 5] = [
    (0, "uint8"),
    (1, "int32"),
    (3, "float"),
    (4, "int16"),
    (10, "uint16"),
];

pub(super) const ECAT_FILES: [(i64, &str); 15] = [
    (0, "ECAT7_UNKNOWN"),
    (1, "ECAT7_2DSCAN"),
    (2, "ECAT7_IMAGE16"),
    (3, "ECAT7_ATTEN"),
    (4, "ECAT7_2DNORM"),
    (5, "ECAT7_POLARMAP"),
    (6, "ECAT7_VOLUME8"),
    (7, "ECAT7_VOLUME16"),
    (8, "ECAT7_PROJ"),
    (9, "ECAT7_PROJ16"),
    (10, "ECAT7_IMAGE8"),
    (11, "ECAT7_3DSCAN"),
    (12, "ECAT7_3DSCAN8"),
    (13, "ECAT7_3DNORM"),
    (14, "ECAT7_3DSCANFIT"),
];

pub(super) const ECAT_ORIENTATIONS: [(i64, &str); 9] = [
    (0, "ECAT7_Feet_First_Prone"),
    (1, "ECAT7_Head_First_Prone"),
    (2, "ECAT7_Feet_First_Supine"),
    (3, "ECAT7_Head_First_Supine"),
    (4, "ECAT7_Feet_First_Decubitus_Right"),
    (5, "ECAT7_Head_First_Decubitus_Right"),
    (6, "ECAT7_Feet_First_Decubitus_Left"),
    (7, "ECAT7_Head_First_Decubitus_Left"),
    (8, "ECAT7_Unknown_Orientation"),
];

pub(super) const XFORMS: [(i64, &str); 6] = [
    (0, "unknown"),
    (1, "scanner"),
    (2, "aligned"),
    (3, "talairach"),
    (4, "mni"),
    (5, "template"),
];

pub(super) const SLICE_ORDERS: [(i64, &str); 7] = [
    (0, "unknown"),
    (1, "sequential increasing"),
    (2, "sequential decreasing"),
    (3, "alternating increasing"),
    (4, "alternating decreasing"),
    (5, "alternating increasing 2"),
    (6, "alternating decreasing 2"),
];

const UNITS: [(i64, &str); 10] = [
    (0, "unknown"),
    (1, "meter"),
    (2, "mm"),
    (3, "micron"),
    (8, "sec"),
    (16, "msec"),
    (24, "usec"),
    (32, "hz"),
    (40, "ppm"),
    (48, "rads"),
];

/// Those of nifti1.h, FSL's from 2006 on, CIFTI's from 3000 on. Two of these
/// names are odd in NiBabel, too: 2016 and 3004.
pub(super) const INTENTS: [(i64, &str); 59] = [
    (0, "none"),
    (2, "correlation"),
    (3, "t test"),
    (4, "f test"),
    (5, "z score"),
    (6, "chi2"),
    (7, "beta"),
    (8, "binomial"),
    (9, "gamma"),
    (10, "poisson"),
    (11, "normal"),
    (12, "non central f test"),
    (13, "non central chi2"),
    (14, "logistic"),
    (15, "laplace"),
    (16, "uniform"),
    (17, "non central t test"),
    (18, "weibull"),
    (19, "chi"),
    (20, "inverse gaussian"),
    (21, "extreme value 1"),
    (22, "p value"),
    (23, "log p value"),
    (24, "log10 p value"),
    (1001, "estimate"),
    (1002, "label"),
    (1003, "neuroname"),
    (1004, "general matrix"),
    (1005, "symmetric matrix"),
    (1006, "displacement vector"),
    (1007, "vector"),
    (1008, "pointset"),
    (1009, "triangle"),
    (1010, "quaternion"),
    (1011, "dimensionless"),
    (2001, "time series"),
    (2002, "node index"),
    (2003, "rgb vector"),
    (2004, "rgba vector"),
    (2005, "shape"),
    (2006, "fnirt disp field"),
    (2007, "fnirt cubic spline coef"),
    (2008, "fnirt dct coef"),
    (2009, "fnirt quad spline coef"),
    (2016, "topup cubic spline coef "),
    (2017, "topup quad spline coef"),
    (2018, "topup field"),
    (3000, "ConnUnknown"),
    (3001, "ConnDense"),
    (3002, "ConnDenseSeries"),
    (3003, "ConnParcels"),
    (3004, "ConnParcelSries"),
    (3006, "ConnDenseScalar"),
    (3007, "ConnDenseLabel"),
    (3008, "ConnParcelScalr"),
    (3009, "ConnParcelDense"),
    (3010, "ConnDenseParcel"),
    (3011, "ConnPPSr"),
    (3012, "ConnPPSc"),
];

//! Values: element types, shapes, selections, layouts, plans. No files, no
//! threads, no unsafe code.

pub(crate) mod dtype;
pub(crate) mod layout;
pub(crate) mod lists;
pub(crate) mod plan;
pub(crate) mod reshape;
pub(crate) mod scale;
pub(crate) mod shape;
pub(crate) mod slice;
pub(crate) mod slice_text;

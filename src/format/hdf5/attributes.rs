//! Attributes, in messages or in a heap (IV.A.2.m, IV.A.2.v).

use super::btree;
use super::datatype::{Datatype, Space};
use super::fractal::Heap;
use super::links;
use super::object::{
    ATTRIBUTE, ATTRIBUTE_INFO, DATASPACE, DATATYPE, IS_SHARED, Object, message_at,
};
use super::source::{Cursor, Source, unsupported};
use super::values;
use crate::error::Result;
use crate::format::record::{Value, text_of};

/// An attribute of an object.
#[derive(Debug)]
pub(crate) struct Attribute {
    pub(crate) name: String,
    /// What it holds, or why that cannot be told. Several texts are one, with
    /// commas between them.
    pub(crate) value: Result<Value>,
}

/// B-tree of attributes by their names.
const NAMES: u8 = 8;

/// All attributes of an object.
pub(super) fn of(source: &Source<'_>, object: &Object) -> Result<Vec<Attribute>> {
    let mut attributes = Vec::new();
    for message in object.all(ATTRIBUTE) {
        let body = (message.body.cursor(), message.is_shared());
        attributes.push(message_at(source, body, ATTRIBUTE, |body| {
            attribute(source, body)
        })?);
    }
    let dense = object.find(source, ATTRIBUTE_INFO, |body| links::dense(body, 2))?;
    if let Some(Some((heap, tree))) = dense {
        let heap = Heap::read(source, heap)?;
        btree::version2(source, tree, &[NAMES], |_, mut record| {
            let id = record.part(8)?;
            let flags = record.u8()?;
            if flags & IS_SHARED != 0 {
                let text = "attributes that objects share cannot be read";
                return Err(unsupported(id.at, text.into()));
            }
            attributes.push(attribute(source, heap.object(id)?.cursor())?);
            Ok(())
        })?;
    }
    Ok(attributes)
}

fn attribute(source: &Source<'_>, mut body: Cursor<'_>) -> Result<Attribute> {
    let version = body.version("an attribute", 1..=3)?;
    // In the first version this byte means nothing.
    let flags = body.u8()? & if version == 1 { 0 } else { 3 };
    let sizes = [body.u16()?, body.u16()?, body.u16()?].map(usize::from);
    if version == 3 {
        // The character set: UTF-8 or a part of it.
        body.u8()?;
    }
    let mut part = |size: usize| -> Result<Cursor<'_>> {
        let part = body.part(size)?;
        if version == 1 {
            body.take(size.next_multiple_of(8) - size)?;
        }
        Ok(part)
    };
    let name = text_of(part(sizes[0])?.rest);
    let (datatype, space) = (part(sizes[1])?, part(sizes[2])?);
    let value = || -> Result<Value> {
        let datatype = (datatype, flags & 1 != 0);
        let datatype = message_at(source, datatype, DATATYPE, Datatype::read)?;
        let space = message_at(source, (space, flags & 2 != 0), DATASPACE, Space::read)?;
        values::value(source, body, (datatype, space.count()))
    };
    Ok(Attribute {
        name,
        value: value(),
    })
}

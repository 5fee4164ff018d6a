//! Groups: names of objects, in symbol tables, in messages, or in a heap with
//! a B-tree.

use super::btree;
use super::fractal::Heap;
use super::heaps;
use super::object::{LINK, LINK_INFO, Object, SYMBOL_TABLE};
use super::source::{Cursor, Part, Source, unsupported, wrong};
use crate::error::Result;
use crate::format::record::text_of;

/// Most bytes of a name in a symbol table that are looked at.
const LONGEST: usize = 1 << 10;

/// A name in a group.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) name: String,
    /// Byte of the object's header; `None` for a link by a path.
    pub(super) to: Option<u64>,
}

/// The links of a group; none for a dataset.
pub(super) fn of(source: &Source<'_>, object: &Object) -> Result<Vec<Link>> {
    let mut links = Vec::new();
    let table = object.find(source, SYMBOL_TABLE, |mut body| {
        let tree = body.some_address("a group's B-tree")?;
        Ok((tree, body.some_address("a group's heap")?))
    })?;
    if let Some((tree, heap)) = table {
        symbols(source, (tree, heap), &mut links)?;
    }
    for message in object.all(LINK) {
        links.push(link(message.body.cursor())?);
    }
    if let Some(Some(dense)) = object.find(source, LINK_INFO, |body| dense(body, 8))? {
        let heap = Heap::read(source, dense.0)?;
        btree::version2(source, dense.1, &[NAMES], |_, mut record| {
            // A hash of the name.
            record.take(4)?;
            links.push(link(heap.object(record)?.cursor())?);
            Ok(())
        })?;
    }
    Ok(links)
}

/// The objects of a symbol table: a B-tree whose leaves list them, and a heap
/// with their names.
fn symbols(source: &Source<'_>, (tree, heap): (u64, u64), links: &mut Vec<Link>) -> Result<()> {
    let names = heaps::local(source, heap)?;
    let key = source.sizes.length;
    btree::version1(source, tree, (0, key), |_, child| {
        // III.B.
        let head = source.read(child, 8)?;
        let mut head = head.cursor();
        head.signature(b"SNOD")?;
        head.version("a symbol table", 1..=1)?;
        head.u8()?;
        let count = u64::from(head.u16()?);
        let entry = 2 * source.sizes.address as u64 + 24;
        let table = source.read(child.saturating_add(8), count * entry)?;
        let mut table = table.cursor();
        for _ in 0..count {
            links.push(symbol(&mut table, &names)?);
        }
        Ok(())
    })
}

/// III.C.
fn symbol(entry: &mut Cursor<'_>, names: &Part) -> Result<Link> {
    let at = entry.at;
    let name = entry.number(entry.sizes.address)? as usize;
    let to = entry.address()?;
    let is_path = entry.u32()? == 2;
    entry.take(20)?;
    let name = names.bytes.get(name..);
    let name = name.ok_or_else(|| wrong(at, "the name of an object is behind its heap".into()))?;
    let name = &name[..name.len().min(LONGEST)];
    Ok(Link {
        name: name_of(name),
        to: to.filter(|_| !is_path),
    })
}

/// The text before the first NUL.
fn name_of(bytes: &[u8]) -> String {
    text_of(bytes.split(|&byte| byte == 0).next().unwrap_or_default())
}

/// IV.A.2.g.
fn link(mut body: Cursor<'_>) -> Result<Link> {
    body.version("a link", 1..=1)?;
    let flags = body.u8()?;
    let kind = if flags & 8 != 0 { body.u8()? } else { 0 };
    let order = if flags & 4 != 0 { 8 } else { 0 };
    let characters = if flags & 16 != 0 { 1 } else { 0 };
    body.take(order + characters)?;
    let len = body.number(1 << (flags & 3))?;
    let name = text_of(body.take(usize::try_from(len).unwrap_or(usize::MAX))?);
    let to = match kind {
        0 => body.address()?,
        _ => None,
    };
    Ok(Link { name, to })
}

/// Where a heap and the B-tree of its names are.
pub(super) type Dense = (u64, u64);

/// B-tree of links by their names.
const NAMES: u8 = 5;

/// IV.A.2.c and IV.A.2.v: the heap, if there is one. `order` is the bytes of
/// the largest number by which entries are counted.
pub(super) fn dense(mut body: Cursor<'_>, order: usize) -> Result<Option<Dense>> {
    body.version("what tells of a heap", 0..=0)?;
    let flags = body.u8()?;
    body.take(if flags & 1 != 0 { order } else { 0 })?;
    let Some(heap) = body.address()? else {
        return Ok(None);
    };
    Ok(Some((heap, body.some_address("a B-tree of names")?)))
}

/// An object by the names on its way; `None` if there is none of a name.
pub(super) fn find(source: &Source<'_>, root: u64, path: &[&str]) -> Result<Option<Object>> {
    let mut object = Object::read(source, root)?;
    for &name in path {
        let links = of(source, &object)?;
        let Some(link) = links.into_iter().find(|link| link.name == name) else {
            return Ok(None);
        };
        let to = link.to.ok_or_else(|| {
            let text = format!("\"{name}\" is a link to a path, which is not followed");
            unsupported(object.at, text)
        })?;
        object = Object::read(source, to)?;
    }
    Ok(Some(object))
}

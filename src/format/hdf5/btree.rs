//! B-trees (III.A), gone through level by level, from the first entry of each to
//! the last.

use super::source::{Cursor, Part, Source, wrong};
use crate::error::Result;

/// Most levels above the leaves: nodes hold two records at least.
const DEEPEST: u16 = 32;

/// Go through the children of all leaves of a version 1 B-tree (III.A.1): what
/// `visit` gets is the key before a child, and its address. `kind` and the
/// bytes of a key are those of the tree.
pub(super) fn version1(
    source: &Source<'_>,
    root: u64,
    (kind, key): (u8, usize),
    mut visit: impl FnMut(Cursor<'_>, u64) -> Result<()>,
) -> Result<()> {
    let address = source.sizes.address;
    let mut nodes = vec![root];
    let mut wanted = None;
    while !nodes.is_empty() {
        let node = |&at: &u64| node1(source, at, (kind, wanted), key);
        let found = in_order_of_places(&nodes, |&at| at, node)?;
        nodes.clear();
        wanted = None;
        for (level, part) in found {
            let mut body = part.cursor();
            let used = body.rest.len() / (key + address);
            for _ in 0..used {
                let key = body.part(key)?;
                let child = body.some_address("a B-tree's child")?;
                match level {
                    0 => visit(key, child)?,
                    _ => nodes.push(child),
                }
            }
            wanted = level.checked_sub(1);
        }
    }
    Ok(())
}

/// What nodes hold, read in the order in which they stand in the file, of which
/// compressed ones are decoded forward.
fn in_order_of_places<T, N>(
    nodes: &[N],
    place: impl Fn(&N) -> u64,
    read: impl Fn(&N) -> Result<T>,
) -> Result<Vec<T>> {
    let mut order: Vec<usize> = (0..nodes.len()).collect();
    order.sort_by_key(|&number| place(&nodes[number]));
    let mut found: Vec<Option<T>> = nodes.iter().map(|_| None).collect();
    for number in order {
        found[number] = Some(read(&nodes[number])?);
    }
    Ok(found.into_iter().flatten().collect())
}

/// The level of a version 1 node, and its keys and children.
fn node1(
    source: &Source<'_>,
    at: u64,
    (kind, wanted): (u8, Option<u8>),
    key: usize,
) -> Result<(u8, Part)> {
    let address = source.sizes.address;
    let prefix = 8 + 2 * address as u64;
    let head = source.read(at, prefix)?;
    let mut head = head.cursor();
    head.signature(b"TREE")?;
    let (found, level, used) = (head.u8()?, head.u8()?, head.u16()?);
    if found != kind || wanted.is_some_and(|wanted| wanted != level) {
        let text = format!("a B-tree's node of type {found} and level {level} is out of place");
        return Err(wrong(at, text));
    }
    let size = u64::from(used) * (key + address) as u64;
    Ok((level, source.read(at.saturating_add(prefix), size)?))
}

/// A version 2 B-tree's header (III.A.2).
struct Tree {
    node_size: usize,
    record: usize,
}

impl Tree {
    /// Records that fit a node in which one takes `pointer` bytes more.
    fn most(&self, pointer: usize) -> u64 {
        let room = self.node_size.saturating_sub(10 + pointer);
        (room / (self.record + pointer)) as u64
    }

    /// Bytes of the numbers that say how many records a child has, and how many
    /// all below it, for children at a depth above the leaves.
    fn widths(&self, depth: u16, address: usize) -> (usize, usize) {
        let width = |number: u64| number.checked_ilog2().unwrap_or(0) as usize / 8 + 1;
        let leaf = self.most(0);
        let few = width(leaf);
        // Of a leaf there is no second number.
        let (mut all, mut total) = (0, leaf);
        for _ in 0..depth {
            let most = self.most(address + few + all);
            let below = most.saturating_add(1).saturating_mul(total);
            total = below.saturating_add(most);
            all = width(total);
        }
        (few, all)
    }
}

/// Go through the records of a version 2 B-tree of a type.
pub(super) fn version2(
    source: &Source<'_>,
    at: u64,
    kinds: &[u8],
    mut visit: impl FnMut(u8, Cursor<'_>) -> Result<()>,
) -> Result<()> {
    let address = source.sizes.address;
    let size = 22 + address + source.sizes.length;
    let head = source.read(at, size as u64)?;
    let mut head = head.cursor();
    head.signature(b"BTHD")?;
    head.version("a B-tree", 0..=0)?;
    let kind = head.u8()?;
    if !kinds.contains(&kind) {
        return Err(wrong(
            at,
            format!("a B-tree of type {kind} is out of place"),
        ));
    }
    let node_size = head.u32()? as usize;
    let record = usize::from(head.u16()?);
    if record == 0 {
        return Err(wrong(at, "a B-tree's records have no bytes".into()));
    }
    let tree = Tree { node_size, record };
    let depth = head.u16()?;
    if depth > DEEPEST {
        return Err(wrong(
            at,
            format!("a B-tree has {depth} levels, which none needs"),
        ));
    }
    // Percentages at which nodes are split and merged.
    head.take(2)?;
    let Some(root) = head.address()? else {
        return Ok(());
    };
    // Nodes of a level, each with how many records it has.
    let mut nodes = vec![(root, u64::from(head.u16()?))];
    for depth in (0..=depth).rev() {
        let (few, all) = match depth {
            0 => (0, 0),
            _ => tree.widths(depth - 1, address),
        };
        let pointer = if depth == 0 { 0 } else { address + few + all };
        let children = |records: u64| if depth == 0 { 0 } else { records + 1 };
        let node = |&(at, records): &(u64, u64)| {
            source.read(
                at,
                6 + records * record as u64 + children(records) * pointer as u64,
            )
        };
        let found = in_order_of_places(&nodes, |node| node.0, node)?;
        let level = std::mem::take(&mut nodes);
        for (node, (at, records)) in found.iter().zip(level) {
            let mut node = node.cursor();
            node.signature(if depth == 0 { b"BTLF" } else { b"BTIN" })?;
            node.version("a B-tree's node", 0..=0)?;
            if node.u8()? != kind {
                return Err(wrong(at, "a B-tree's node is of another type".into()));
            }
            for _ in 0..records {
                visit(kind, node.part(record)?)?;
            }
            for _ in 0..children(records) {
                let child = node.some_address("a B-tree's child")?;
                let records = node.number(few)?;
                node.take(all)?;
                nodes.push((child, records));
            }
        }
    }
    Ok(())
}

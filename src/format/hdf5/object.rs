//! Object headers (IV.A): lists of messages, in one block or several.

use std::collections::VecDeque;

use super::source::{Cursor, Part, Source, unsupported, wrong};
use crate::error::Result;

pub(super) const DATASPACE: u16 = 0x01;
pub(super) const LINK_INFO: u16 = 0x02;
pub(super) const DATATYPE: u16 = 0x03;
pub(super) const OLD_FILL: u16 = 0x04;
pub(super) const FILL: u16 = 0x05;
pub(super) const LINK: u16 = 0x06;
pub(super) const EXTERNAL: u16 = 0x07;
pub(super) const LAYOUT: u16 = 0x08;
pub(super) const FILTERS: u16 = 0x0B;
pub(super) const ATTRIBUTE: u16 = 0x0C;
const CONTINUATION: u16 = 0x10;
pub(super) const SYMBOL_TABLE: u16 = 0x11;
pub(super) const ATTRIBUTE_INFO: u16 = 0x15;

/// Flag of messages that say where another one is.
pub(super) const IS_SHARED: u8 = 2;

/// Most messages of an object: as many as older headers can count.
const MOST: usize = 1 << 16;

/// A group or a dataset.
#[derive(Debug)]
pub(crate) struct Object {
    /// Byte of the file at which its header begins.
    pub(crate) at: u64,
    messages: Vec<Message>,
}

#[derive(Debug)]
pub(super) struct Message {
    kind: u16,
    flags: u8,
    pub(super) body: Part,
}

impl Object {
    /// The object whose header begins at a byte of the file.
    pub(super) fn read(source: &Source<'_>, at: u64) -> Result<Object> {
        let head = source.some(at, 64)?;
        let messages = match head.bytes.first() {
            Some(b'O') => version2(source, head.cursor())?,
            _ => version1(source, head.cursor())?,
        };
        Ok(Object { at, messages })
    }

    /// The messages of a kind that stand here, in their order.
    pub(super) fn all(&self, kind: u16) -> impl Iterator<Item = &Message> {
        self.messages
            .iter()
            .filter(move |message| message.kind == kind)
    }

    /// The first message of a kind, read where it stands.
    pub(super) fn find<T>(
        &self,
        source: &Source<'_>,
        kind: u16,
        read: impl Fn(Cursor<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let Some(message) = self.all(kind).next() else {
            return Ok(None);
        };
        let is_shared = message.flags & IS_SHARED != 0;
        message_at(source, (message.body.cursor(), is_shared), kind, read).map(Some)
    }

    /// The first message of a kind that has to be there.
    pub(super) fn get<T>(
        &self,
        source: &Source<'_>,
        (kind, name): (u16, &str),
        read: impl Fn(Cursor<'_>) -> Result<T>,
    ) -> Result<T> {
        let found = self.find(source, kind, read)?;
        found.ok_or_else(|| wrong(self.at, format!("the object has no {name} message")))
    }
}

impl Message {
    /// Whether it only says where the message is.
    pub(super) fn is_shared(&self) -> bool {
        self.flags & IS_SHARED != 0
    }
}

/// Read a message, or the one of another object that it refers to: a datatype
/// with a name of its own (IV.A.2, "shared message").
pub(super) fn message_at<T>(
    source: &Source<'_>,
    (mut cursor, is_shared): (Cursor<'_>, bool),
    kind: u16,
    read: impl Fn(Cursor<'_>) -> Result<T>,
) -> Result<T> {
    if !is_shared {
        return read(cursor);
    }
    let at = cursor.at;
    let version = cursor.version("a shared message", 1..=3)?;
    let is_in_heap = cursor.u8()? == 1 && version == 3;
    if is_in_heap {
        let text = "messages that objects share in a heap cannot be read";
        return Err(unsupported(at, text.into()));
    }
    if version == 1 {
        cursor.take(6 + cursor.sizes.length)?;
    }
    let other = Object::read(source, cursor.some_address("a shared message")?)?;
    let message = other.all(kind).find(|message| !message.is_shared());
    let message =
        message.ok_or_else(|| wrong(at, "a shared message is not where it should be".into()))?;
    read(message.body.cursor())
}

/// A block of messages: where it begins, and its bytes.
type Block = (u64, u64);

/// IV.A.1.a.
fn version1(source: &Source<'_>, mut head: Cursor<'_>) -> Result<Vec<Message>> {
    let at = head.at;
    head.version("an object header", 1..=1)?;
    // Numbers of messages and of references.
    head.take(7)?;
    let size = head.u32()?;
    // The messages are aligned.
    let first = (at.saturating_add(16), size.into());
    collect(source, first, |mut block, messages, blocks| {
        while block.rest.len() >= 8 {
            let (kind, size) = (block.u16()?, block.u16()?);
            let flags = block.u8()?;
            block.take(3)?;
            keep(&mut block, (kind, size, flags), messages, blocks)?;
        }
        Ok(())
    })
}

/// IV.A.1.b.
fn version2(source: &Source<'_>, mut head: Cursor<'_>) -> Result<Vec<Message>> {
    head.signature(b"OHDR")?;
    head.version("an object header", 2..=2)?;
    let flags = head.u8()?;
    let times = if flags & 32 != 0 { 16 } else { 0 };
    let limits = if flags & 16 != 0 { 4 } else { 0 };
    head.take(times + limits)?;
    let size = head.number(1 << (flags & 3))?;
    let orders = if flags & 4 != 0 { 2 } else { 0 };
    let start = head.at;
    collect(source, (start, size), |mut block, messages, blocks| {
        if block.at != start {
            block.signature(b"OCHK")?;
            // A checksum is the last.
            block.rest = &block.rest[..block.rest.len().saturating_sub(4)];
        }
        while block.rest.len() >= 4 + orders {
            let kind = block.u8()?.into();
            let (size, flags) = (block.u16()?, block.u8()?);
            block.take(orders)?;
            keep(&mut block, (kind, size, flags), messages, blocks)?;
        }
        Ok(())
    })
}

/// The messages of all blocks.
fn collect(
    source: &Source<'_>,
    first: Block,
    read: impl Fn(Cursor<'_>, &mut Vec<Message>, &mut VecDeque<Block>) -> Result<()>,
) -> Result<Vec<Message>> {
    let mut messages = Vec::new();
    let mut blocks = VecDeque::from([first]);
    while let Some((at, size)) = blocks.pop_front() {
        let block = source.read(at, size)?;
        read(block.cursor(), &mut messages, &mut blocks)?;
    }
    Ok(messages)
}

/// Keep the message that comes next, or the block that it refers to.
fn keep(
    block: &mut Cursor<'_>,
    (kind, size, flags): (u16, u16, u8),
    messages: &mut Vec<Message>,
    blocks: &mut VecDeque<Block>,
) -> Result<()> {
    let mut body = block.part(size.into())?;
    match kind {
        // Room that is free.
        0 => {}
        _ if messages.len() == MOST => {
            let text = format!("an object has more than {MOST} messages");
            return Err(unsupported(body.at, text));
        }
        CONTINUATION => {
            let at = body.some_address("a block of messages")?;
            blocks.push_back((at, body.length()?));
        }
        _ => messages.push(Message {
            kind,
            flags,
            body: Part {
                bytes: body.rest.to_vec(),
                start: body.at,
                sizes: body.sizes,
            },
        }),
    }
    Ok(())
}

//! Fields that are a header's own, not the format's: those of texts, and the
//! attributes of files that hold many variables.

use super::wrong;
use std::ops::Range;

use super::Bytes;
use super::record::{Value, text_of};
use crate::error::{Error, Result};

/// Bytes that a header has at most.
pub(super) const MOST: usize = 64 << 20;

/// Numbers of a field that say what a file holds; a compressed text has room for
/// far more than its size tells. One more is read, so that it can be refused.
pub(super) const NUMBERS: usize = 1 << 16;

/// Bytes that are read first; later parts double what there is.
const FIRST: usize = 16 << 10;

/// What the text of a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Integers, with white space between them.
    Ints,
    /// Numbers, with white space between them.
    Reals,
    /// Itself; a space stands for the end of a line.
    Text,
}

impl Kind {
    /// What words say.
    fn of<'a>(self, words: impl Iterator<Item = &'a [u8]>) -> Value {
        match self {
            Kind::Ints => Value::integers(words.filter_map(parsed).collect()),
            Kind::Reals => Value::Doubles(words.filter_map(parsed).collect()),
            Kind::Text => Value::Text(words.map(text_of).collect::<Vec<_>>().join(" ")),
        }
    }
}

/// A field.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) name: String,
    /// Byte of the file at which it begins.
    pub(super) at: u64,
    pub(super) content: Content,
}

/// What a field holds.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// A text at these bytes of the header, of which all numbers can be read.
    Written(Kind, Range<usize>),
    /// Of a table at these bytes such words of each line.
    Column(Kind, Range<usize>, Range<usize>),
    Value(Value),
}

impl Entry {
    pub(super) fn of(name: String, at: u64, value: Value) -> Entry {
        let content = Content::Value(value);
        Entry { name, at, content }
    }

    /// What a header has there.
    pub(crate) fn read(&self, header: &[u8]) -> Value {
        self.first(header, usize::MAX)
    }

    /// The same, but for numbers behind the first `most`.
    fn first(&self, header: &[u8], most: usize) -> Value {
        let of = |bytes: &Range<usize>| header.get(bytes.clone()).unwrap_or_default();
        match &self.content {
            Content::Value(value) => value.clone(),
            Content::Written(Kind::Text, bytes) => Value::Text(one_line(&text_of(of(bytes)))),
            Content::Written(kind, bytes) => kind.of(words(of(bytes)).take(most)),
            Content::Column(kind, bytes, column) => {
                let cells = |line| words(line).take(column.end).skip(column.start);
                kind.of(lines(of(bytes))
                    .flat_map(|(_, line)| cells(line))
                    .take(most))
            }
        }
    }
}

/// A header and its fields.
pub(super) struct Head<'a> {
    pub(super) text: &'a [u8],
    pub(super) entries: &'a [Entry],
}

impl Head<'_> {
    pub(super) fn find(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// Byte of a field, or where it should have been.
    pub(super) fn at(&self, name: &str) -> usize {
        self.find(name)
            .map_or(self.text.len(), |entry| entry.at as usize)
    }

    /// An error about a field.
    pub(super) fn wrong(&self, name: &str, text: String) -> Error {
        wrong(self.at(name), text)
    }

    /// The value of a field, as `get` takes it: of numbers the first `NUMBERS + 1`.
    pub(super) fn value<T>(
        &self,
        name: &str,
        wanted: &str,
        get: fn(Value) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(entry) = self.find(name) else {
            return Ok(None);
        };
        let found = get(entry.first(self.text, NUMBERS + 1));
        let error = || self.wrong(name, format!("{name} does not hold {wanted}"));
        found.map(Some).ok_or_else(error)
    }
}

/// The text of a header, which is read no further than it may be long.
pub(super) fn whole(bytes: &dyn Bytes) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    loop {
        let wanted = FIRST.max(text.len());
        let more = bytes.bytes_at(text.len() as u64, wanted)?;
        let is_last = more.len() < wanted;
        if let Some(at) = more.iter().position(|&byte| byte == 0) {
            let reason = "a zero byte: this is no text";
            return Err(wrong(text.len() + at, reason));
        }
        text.extend(more);
        if text.len() > MOST {
            let reason = format!("the header has more than {MOST} bytes");
            return Err(wrong(MOST, reason));
        }
        if is_last {
            return Ok(text);
        }
    }
}

/// The lines of a text that are not empty, without white space around them,
/// each behind its byte.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut next = 0;
    let lines = text.split(|byte| matches!(byte, b'\n' | b'\r'));
    lines.filter_map(move |line| {
        let rest = line.trim_ascii_start();
        let at = next + line.len() - rest.len();
        next += line.len() + 1;
        (!rest.is_empty()).then(|| (at, rest.trim_ascii_end()))
    })
}

/// What white space stands between.
pub(super) fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let words = text.split(u8::is_ascii_whitespace);
    words.filter(|word| !word.is_empty())
}

pub(super) fn parsed<T: std::str::FromStr>(word: &[u8]) -> Option<T> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// Whether a word can be read as what a field of this kind holds.
pub(super) fn is_of(kind: Kind, word: &[u8]) -> bool {
    match kind {
        Kind::Ints => parsed::<i64>(word).is_some(),
        Kind::Reals => parsed::<f64>(word).is_some(),
        Kind::Text => true,
    }
}

/// The beginning of a text, for an error's.
pub(super) fn short(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text.trim_ascii());
    text.chars().take(40).flat_map(char::escape_debug).collect()
}

fn one_line(text: &str) -> String {
    text.lines().collect::<Vec<_>>().join(" ")
}

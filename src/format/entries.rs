//! Fields that are a header's own, not the format's: those of texts, and the
//! attributes of files that hold many variables.

use std::ops::Range;

use super::record::{Value, text_of};

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
    Value(Value),
}

impl Entry {
    pub(super) fn of(name: String, at: u64, value: Value) -> Entry {
        let content = Content::Value(value);
        Entry { name, at, content }
    }

    /// What a header has there.
    pub(crate) fn read(&self, header: &[u8]) -> Value {
        let (kind, bytes) = match &self.content {
            Content::Written(kind, bytes) => (kind, bytes.clone()),
            Content::Value(value) => return value.clone(),
        };
        let value = header.get(bytes).unwrap_or_default();
        match kind {
            Kind::Ints => Value::integers(words(value).filter_map(parsed).collect()),
            Kind::Reals => Value::Doubles(words(value).filter_map(parsed).collect()),
            Kind::Text => Value::Text(one_line(&text_of(value))),
        }
    }
}

/// What white space stands between.
pub(super) fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let words = text.split(u8::is_ascii_whitespace);
    words.filter(|word| !word.is_empty())
}

pub(super) fn parsed<T: std::str::FromStr>(word: &[u8]) -> Option<T> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

fn one_line(text: &str) -> String {
    text.lines().collect::<Vec<_>>().join(" ")
}

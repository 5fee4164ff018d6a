//! Fields of text headers: each a name of the header's own, and where the text
//! of its value stands.

use std::ops::Range;

use super::labels::Words;
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

/// A field of a text header, of which all numbers can be read.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(super) kind: Kind,
    /// Byte of the header at which it begins.
    pub(super) at: usize,
    /// Bytes of its value.
    pub(super) value: Range<usize>,
}

impl Entry {
    /// What a header has there.
    pub(crate) fn read(&self, header: &[u8]) -> Value {
        let value = header.get(self.value.clone()).unwrap_or_default();
        match self.kind {
            Kind::Ints => Value::Ints {
                numbers: words(value).filter_map(parsed).collect(),
                words: Words::None,
            },
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

//! Index entries from text, for command lines and scripting languages.

use super::slice::Slice;
use crate::error::{Error, ErrorKind, Result};

/// Longest text that is read, in bytes: far more than an index needs.
const LONGEST: usize = 16 << 10;

/// Read an index from text such as "10:20, ..., ::-1, 0, newaxis". "None" is
/// another word for "newaxis", brackets around the whole are allowed, and an
/// empty text is the empty index, which selects everything.
pub fn parse_index(text: &str) -> Result<Vec<Slice>> {
    if text.len() > LONGEST {
        let text = format!(
            "the text of an index has {} bytes, at most {LONGEST} are read",
            text.len()
        );
        return Err(Error::new(ErrorKind::Argument, text));
    }
    let whole = text.trim();
    let inner = match whole.strip_prefix('[') {
        Some(rest) => rest
            .strip_suffix(']')
            .ok_or_else(|| wrong(text, "the bracket is not closed"))?,
        None => whole,
    };
    let inner = inner.trim();
    // As in Python, one comma may stand at the end.
    let inner = inner.strip_suffix(',').unwrap_or(inner);
    if inner.is_empty() {
        return if whole.contains(',') {
            Err(wrong(text, "there is nothing before the comma"))
        } else {
            Ok(Vec::new())
        };
    }
    inner
        .split(',')
        .map(|entry| parse_entry(text, entry.trim()))
        .collect()
}

fn parse_entry(text: &str, entry: &str) -> Result<Slice> {
    match entry {
        "..." => return Ok(Slice::Ellipsis),
        "newaxis" | "None" => return Ok(Slice::NewAxis),
        "" => return Err(wrong(text, "an entry is empty")),
        _ => {}
    }
    let number = |part: &str| -> Result<Option<i64>> {
        match part.trim() {
            "" => Ok(None),
            part => part
                .parse()
                .map(Some)
                .map_err(|_| wrong(text, &format!("'{part}' is not a whole number of 64 bits"))),
        }
    };
    let parts = entry.split(':').map(number).collect::<Result<Vec<_>>>()?;
    let range = |start, stop, step: Option<i64>| match step.unwrap_or(1) {
        0 => Err(wrong(text, &format!("'{entry}' has step 0"))),
        step => Ok(Slice::Range { start, stop, step }),
    };
    match *parts.as_slice() {
        [Some(at)] => Ok(Slice::At(at)),
        [start, stop] => range(start, stop, None),
        [start, stop, step] => range(start, stop, step),
        _ => Err(wrong(text, &format!("'{entry}' has too many colons"))),
    }
}

fn wrong(text: &str, reason: &str) -> Error {
    Error::new(
        ErrorKind::Argument,
        format!("cannot read the index '{text}': {reason}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_numpy_writes() {
        let got = parse_index(" [10:20, ..., ::-1, 0, newaxis,:, -3: , None] ").unwrap();
        let want = [
            Slice::range(10, 20, 1),
            Slice::Ellipsis,
            Slice::range(None, None, -1),
            Slice::At(0),
            Slice::NewAxis,
            Slice::ALL,
            Slice::range(-3, None, 1),
            Slice::NewAxis,
        ];
        assert_eq!(got, want);
        assert_eq!(parse_index("").unwrap(), []);
        assert_eq!(parse_index("[]").unwrap(), []);
        assert_eq!(parse_index("7,").unwrap(), [Slice::At(7)]);
        assert_eq!(
            parse_index("-9223372036854775808").unwrap(),
            [Slice::At(i64::MIN)]
        );
    }

    #[test]
    fn refuses_endless_texts() {
        let text = "0,".repeat(LONGEST);
        assert!(parse_index(&text[..LONGEST]).is_ok());
        let error = parse_index(&text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument);
        assert!(error.to_string().len() < 200);
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            ",",
            "[1",
            "1]",
            "1,,2",
            "a",
            "1.5",
            "1:2:3:4",
            "::0",
            "9223372036854775808",
            ". . .",
            "1 2",
            "[[1]]",
            "....",
        ] {
            let error = parse_index(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Argument, "{text}");
            assert!(error.to_string().contains(text), "{error}");
        }
    }
}

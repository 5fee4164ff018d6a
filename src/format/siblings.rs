//! Names of the files that belong together, as text.

use super::Parts;

/// Endings of compressed files, which stand behind a format's own.
const CODECS: [&str; 3] = ["gz", "bz2", "zst"];

/// What a file's name says about it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Name<'a> {
    /// Up to and with the last point before the extension.
    stem: &'a str,
    extension: &'a str,
    /// The compression's ending, with its point.
    suffix: &'a str,
}

impl<'a> Name<'a> {
    /// Take a file name apart. Without an extension all of it is the stem.
    pub(crate) fn new(name: &'a str) -> Name<'a> {
        let is_codec = |end: &str| CODECS.iter().any(|codec| end.eq_ignore_ascii_case(codec));
        let (whole, suffix) = match name.rsplit_once('.') {
            Some((front, end)) if is_codec(end) => name.split_at(front.len()),
            _ => (name, ""),
        };
        let point = whole.rfind('.').map_or(whole.len(), |at| at + 1);
        let (stem, extension) = whole.split_at(point);
        Name {
            stem,
            extension,
            suffix,
        }
    }

    fn is(&self, extension: &str) -> bool {
        self.extension.eq_ignore_ascii_case(extension)
    }

    /// Whether it is the image of a pair.
    pub(crate) fn is_image(&self) -> bool {
        self.is("img")
    }

    /// What the name says about the file's parts.
    pub(crate) fn parts(&self) -> Parts {
        match () {
            () if self.is("hdr") || self.is_image() => Parts::Pair,
            () if self.is("nii") => Parts::Single,
            () => Parts::Unknown,
        }
    }

    /// Names that the sibling with another extension may have, the likeliest
    /// first. The extension is in upper case if this one's is; compression is
    /// that of this file, or none, or gzip's.
    pub(crate) fn siblings(&self, extension: &str) -> Vec<String> {
        let upper =
            !self.extension.is_empty() && !self.extension.contains(|c: char| c.is_lowercase());
        let extension = if upper {
            extension.to_uppercase()
        } else {
            extension.to_lowercase()
        };
        let point = if self.stem.ends_with('.') { "" } else { "." };
        let name = |suffix| format!("{}{point}{extension}{suffix}", self.stem);
        let mut names = vec![name(self.suffix)];
        for suffix in ["", ".gz"] {
            let name = name(suffix);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_apart_and_together() {
        let siblings = |name, extension| Name::new(name).siblings(extension);
        assert_eq!(siblings("a.b.hdr", "img"), ["a.b.img", "a.b.img.gz"]);
        assert_eq!(siblings("A.HDR", "img"), ["A.IMG", "A.IMG.gz"]);
        assert_eq!(siblings("a.Hdr", "img"), ["a.img", "a.img.gz"]);
        assert_eq!(
            siblings("a.img.GZ", "hdr"),
            ["a.hdr.GZ", "a.hdr", "a.hdr.gz"]
        );
        assert_eq!(siblings("a", "img"), ["a.img", "a.img.gz"]);
        assert_eq!(
            siblings("a.img.bz2", "hdr"),
            ["a.hdr.bz2", "a.hdr", "a.hdr.gz"]
        );
    }

    #[test]
    fn names_say_what_is_in_one_file() {
        for (name, parts) in [
            ("a.hdr", Parts::Pair),
            ("a.IMG.gz", Parts::Pair),
            ("a.nii", Parts::Single),
            ("a.nii.zst", Parts::Single),
            ("hdr", Parts::Unknown),
            ("a.gz", Parts::Unknown),
            ("", Parts::Unknown),
            (".", Parts::Unknown),
        ] {
            assert_eq!(Name::new(name).parts(), parts, "{name}");
        }
    }
}

//! Names of the files that belong together, as text.

use super::{Format, Parts};

/// Endings of compressed files, which stand behind a format's own.
const CODECS: [&str; 4] = ["gz", "bz2", "zst", "Z"];

/// Extensions of headers and of their images.
const PAIRS: [(&str, &str); 3] = [("hdr", "img"), ("head", "brik"), ("par", "rec")];

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

    /// The extension of the header, if this is the image of a pair.
    pub(crate) fn header(&self) -> Option<&'static str> {
        let pair = PAIRS.iter().find(|pair| self.is(pair.1));
        pair.map(|pair| pair.0)
    }

    /// What the name says about the file's parts.
    pub(crate) fn parts(&self) -> Parts {
        let is_one = |pair: &(&str, &str)| self.is(pair.0) || self.is(pair.1);
        match () {
            () if PAIRS.iter().any(is_one) => Parts::Pair,
            () if self.is("nii") => Parts::Single,
            () => Parts::Unknown,
        }
    }

    /// The format that the name tells where content does not.
    pub(crate) fn format(&self) -> Option<Format> {
        match () {
            () if self.is("mgh") || self.is("mgz") => Some(Format::Mgh),
            () if self.is("v") => Some(Format::Ecat),
            () => None,
        }
    }

    /// Names that the sibling with another extension may have, the likeliest
    /// first: compressed as this file is, not at all, or in another way.
    pub(crate) fn siblings(&self, extension: &str) -> Vec<String> {
        let compressed = CODECS.map(|codec| format!(".{codec}"));
        let others = compressed.iter().map(String::as_str);
        let suffixes = [self.suffix, ""].into_iter().chain(others);
        self.with_extension(extension, suffixes)
    }

    /// Names that a sibling may have which most files do not have, so that few
    /// places are looked at.
    pub(crate) fn rare_siblings(&self, extension: &str) -> Vec<String> {
        self.with_extension(extension, [self.suffix, ""].into_iter())
    }

    /// The names with an extension, in upper case if this one's is, and each
    /// of the suffixes.
    fn with_extension<'s>(
        &self,
        extension: &str,
        suffixes: impl Iterator<Item = &'s str>,
    ) -> Vec<String> {
        let upper =
            !self.extension.is_empty() && !self.extension.contains(|c: char| c.is_lowercase());
        let extension = if upper {
            extension.to_uppercase()
        } else {
            extension.to_lowercase()
        };
        let point = if self.stem.ends_with('.') { "" } else { "." };
        let mut names = Vec::new();
        for suffix in suffixes {
            let name = format!("{}{point}{extension}{suffix}", self.stem);
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
        let siblings = |name, extension| {
            let names = Name::new(name).siblings(extension);
            assert_eq!(names.len(), if name.ends_with("GZ") { 6 } else { 5 });
            names[..3].to_vec()
        };
        assert_eq!(
            siblings("a.b.hdr", "img"),
            ["a.b.img", "a.b.img.gz", "a.b.img.bz2"]
        );
        assert_eq!(siblings("A.HDR", "img"), ["A.IMG", "A.IMG.gz", "A.IMG.bz2"]);
        assert_eq!(siblings("a.Hdr", "img"), ["a.img", "a.img.gz", "a.img.bz2"]);
        assert_eq!(
            siblings("a.img.GZ", "hdr"),
            ["a.hdr.GZ", "a.hdr", "a.hdr.gz"]
        );
        assert_eq!(siblings("a", "img"), ["a.img", "a.img.gz", "a.img.bz2"]);
        assert_eq!(
            siblings("a.img.bz2", "hdr"),
            ["a.hdr.bz2", "a.hdr", "a.hdr.gz"]
        );
        assert_eq!(
            siblings("a+orig.HEAD", "brik"),
            ["a+orig.BRIK", "a+orig.BRIK.gz", "a+orig.BRIK.bz2"]
        );
        assert_eq!(
            siblings("a+orig.BRIK.gz", "head"),
            ["a+orig.HEAD.gz", "a+orig.HEAD", "a+orig.HEAD.bz2"]
        );
        for name in ["a+tlrc.Brik.zst", "a+tlrc.BRIK.Z"] {
            assert_eq!(Name::new(name).header(), Some("head"));
        }
        let rare = |name| Name::new(name).rare_siblings("mat");
        assert_eq!(rare("a.img"), ["a.mat"]);
        assert_eq!(rare("A.HDR.zst"), ["A.MAT.zst", "A.MAT"]);
    }

    #[test]
    fn names_tell_a_format() {
        for name in ["a.mgh", "a.MGZ", "a.mgh.gz", "a.b.mgz"] {
            assert_eq!(Name::new(name).format(), Some(Format::Mgh), "{name}");
        }
        for name in ["a.v", "A.V", "a.v.gz"] {
            assert_eq!(Name::new(name).format(), Some(Format::Ecat), "{name}");
        }
        for name in ["v", "mgz", "a.mgz.nii", "a.img", "a.mg"] {
            assert_eq!(Name::new(name).format(), None, "{name}");
        }
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

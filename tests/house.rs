//! Rooms keep to their arrows, and unsafe code to its rooms.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What each room may use of the crate, besides itself, `error` and `control`.
/// `ffi` sees the public API alone.
const ARROWS: [(&str, &[&str]); 11] = [
    ("error", &[]),
    ("threads", &[]),
    ("control", &["threads"]),
    ("core", &[]),
    ("kernel", &["core"]),
    ("mem", &["kernel", "core"]),
    ("io", &[]),
    ("codec", &["io", "threads"]),
    ("format", &["core"]),
    (
        "proxy",
        &["format", "codec", "io", "mem", "kernel", "core", "threads"],
    ),
    ("ffi", &["threads"]),
];

/// Files that may hold unsafe code, or folders of such files.
const UNSAFE: [&str; 5] = ["ffi/", "io/", "mem/", "kernel/", "codec/inflate/"];

/// What touches files or starts threads, and the rooms that may.
const WORLD: [(&str, &[&str]); 5] = [
    ("std::fs", &["io"]),
    ("thread::spawn", &[]),
    ("thread::scope", &["threads"]),
    ("thread::Builder", &["threads"]),
    ("memmap2", &["io"]),
];

fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    let text = |path: &PathBuf| {
        let name = path.strip_prefix(&root).unwrap();
        let name = name.to_str().unwrap().replace('\\', "/");
        // Tests may reach further than what they test.
        let text = std::fs::read_to_string(path).unwrap();
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
        let code = code.split("#[cfg(test)]\n#[path").next().unwrap();
        let lines = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        (name, lines.collect::<Vec<_>>().join("\n"))
    };
    let is_test = |path: &&PathBuf| !path.to_str().unwrap().ends_with("_tests.rs");
    paths.iter().filter(is_test).map(text).collect()
}

fn room(name: &str) -> &str {
    name.split(['/', '.']).next().unwrap()
}

/// Modules of the crate that a file names after `crate::`, in groups too.
fn uses(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if !rest.starts_with('{') {
            found.insert(word(rest));
            continue;
        }
        // The first word of each entry of the group, whatever is in it.
        let mut depth = 0;
        for (i, c) in rest.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
            if depth == 1 && matches!(c, '{' | ',') {
                found.insert(word(rest[i + 1..].trim_start()));
            }
        }
    }
    found.remove("");
    found
}

fn word(text: &str) -> String {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    text[..end.unwrap_or(text.len())].to_string()
}

#[test]
fn groups_are_taken_apart() {
    let code = "use crate::{core::{A, b::C}, io::X, self as y}; crate::mem::f(crate::Foo)";
    let found: Vec<String> = uses(code).into_iter().collect();
    assert_eq!(found, ["Foo", "core", "io", "mem", "self"]);
}

#[test]
fn rooms_use_only_what_their_arrows_reach() {
    let mut looked_at = 0;
    for (name, code) in sources() {
        if name == "lib.rs" {
            continue;
        }
        let here = room(&name);
        assert!(
            !code.contains("super::super"),
            "{name} leaves its room by super::super"
        );
        let arrows = ARROWS.iter().find(|entry| entry.0 == here);
        let (_, allowed) = arrows.unwrap_or_else(|| panic!("{name}: no such room in the plan"));
        for used in uses(&code) {
            let is_room = ARROWS.iter().any(|entry| entry.0 == used);
            let shared = ["error", "control"].contains(&used.as_str());
            if is_room {
                let fine = used == here || shared || allowed.contains(&used.as_str());
                assert!(fine, "{name} uses crate::{used}");
            } else if used != "random" {
                // That one is for unit tests. Any other name at the root is the
                // public API, which is for `ffi`.
                assert_eq!(here, "ffi", "{name} uses crate::{used}");
            }
            looked_at += 1;
        }
    }
    assert!(looked_at > 50, "{looked_at} uses were looked at");
}

#[test]
fn unsafe_code_stays_in_its_rooms() {
    let mut found = BTreeSet::new();
    for (name, code) in sources() {
        let has = code.contains("unsafe {")
            || code.contains("unsafe fn")
            || code.contains("allow(unsafe_code)");
        if has {
            let room = UNSAFE.iter().find(|room| name.starts_with(**room));
            found.insert(*room.unwrap_or_else(|| panic!("{name} holds unsafe code")));
        }
    }
    assert_eq!(
        found.len(),
        UNSAFE.len(),
        "a room that needs none: {found:?}"
    );
}

#[test]
fn only_some_rooms_touch_the_world() {
    for (name, code) in sources() {
        for (word, rooms) in WORLD {
            let fine = !code.contains(word) || rooms.contains(&room(&name));
            assert!(fine, "{name} uses {word}");
        }
        for word in [
            "println!",
            "eprintln!",
            "print!",
            "dbg!",
            "todo!",
            "unimplemented!",
        ] {
            assert!(!code.contains(word), "{name} holds {word}");
        }
    }
}

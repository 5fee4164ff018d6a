//! The committed header is what cbindgen makes of `src/ffi`, and its versions
//! are Cargo's. `UPDATE_HEADER=1` writes it anew.

use std::path::PathBuf;

/// Modules in the order in which the header has their items.
const MODULES: [&str; 17] = [
    "version",
    "options",
    "source",
    "dtype",
    "status",
    "slice",
    "open",
    "meta",
    "fields",
    "read",
    "series",
    "plan",
    "control",
    "array",
    "dlpack",
    "image",
    "seekindex",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Version macros, and what the includer may set. Built from Cargo's version,
/// so that there is one place to change.
fn after_includes() -> String {
    format!(
        r"
/* Version of this header; ap_version() tells that of the library. */
#define AP_VERSION_MAJOR {}
#define AP_VERSION_MINOR {}
#define AP_VERSION_PATCH {}
#define AP_VERSION_NUMBER (AP_VERSION_MAJOR * 10000 + AP_VERSION_MINOR * 100 + AP_VERSION_PATCH)

/* DLPack's tensor, declared in dlpack.h 1.0 or newer. Not needed here. */
struct DLManagedTensorVersioned;

/* Define AP_DLL when linking to the DLL on Windows. */
#ifndef AP_API
#  if defined(_WIN32) && defined(AP_DLL)
#    define AP_API __declspec(dllimport)
#  else
#    define AP_API
#  endif
#endif
",
        env!("CARGO_PKG_VERSION_MAJOR"),
        env!("CARGO_PKG_VERSION_MINOR"),
        env!("CARGO_PKG_VERSION_PATCH"),
    )
}

fn generate() -> String {
    let config = cbindgen::Config::from_file(root().join("include/cbindgen.toml")).unwrap();
    let config = cbindgen::Config {
        after_includes: Some(after_includes()),
        ..config
    };
    let mut builder = cbindgen::Builder::new().with_config(config);
    for module in MODULES {
        builder = builder.with_src(root().join(format!("src/ffi/{module}.rs")));
    }
    let mut text = Vec::new();
    builder.generate().unwrap().write(&mut text);
    String::from_utf8(text).unwrap()
}

#[test]
fn header_is_current() {
    let path = root().join("include/arrayproxy.h");
    let made = generate();
    if std::env::var_os("UPDATE_HEADER").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert!(
        made == committed,
        "include/arrayproxy.h is stale: run `make header`"
    );
}

#[test]
fn all_modules_are_in_the_header() {
    for entry in std::fs::read_dir(root().join("src/ffi")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let inner = ["mod", "guard"].contains(&name);
        assert!(MODULES.contains(&name) || inner, "{name} is not in MODULES");
    }
}

/// Each function in the header says what it does.
#[test]
fn every_item_has_its_comment() {
    let header = generate();
    let lines: Vec<&str> = header.lines().collect();
    let mut functions = std::collections::BTreeSet::new();
    for (i, line) in lines.iter().enumerate() {
        if line.starts_with("AP_API") {
            let declaration = lines[i..]
                .iter()
                .find_map(|line| line.split_once('('))
                .unwrap()
                .0;
            let name = declaration.split_whitespace().last().unwrap();
            assert!(
                functions.insert(name.trim_start_matches('*')),
                "{name} is declared twice"
            );
            assert!(lines[i - 1].starts_with("///"), "no comment before: {line}");
        }
    }
    assert!(functions.len() > 50, "{functions:?}");
}

#!/bin/sh
# Makes the package's source as CRAN wants it: the library's crate is in it, with
# all crates that it needs, so that it builds offline where no library is
# installed. Usage: sh bindings/R/package.sh FOLDER, which gets
# arrayproxy_VERSION.tar.gz. Needs cargo, R, xz, GNU tar (TAR=gtar where tar is
# another) and, for crates that were never fetched, a network.
set -eu
tar=${TAR:-tar}
"$tar" --version 2>/dev/null | grep -q GNU || { echo "package.sh needs GNU tar" >&2; exit 1; }
root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
work=$out/package
rust=$work/src/rust

change() { # file, script of sed...: not every sed changes files in place
    file=$1
    shift
    sed "$@" "$file" >"$file.new"
    mv "$file.new" "$file"
}

rm -rf "$work"
cp -R "$root/bindings/R" "$work"
(
    cd "$work"
    rm -rf README.md gallery.* overhead.* package.sh test.sh
    sh cleanup
)
version=$(sed -n 's/^Version: //p' "$work/DESCRIPTION")

# The crate as it is published, without what it makes for others.
cargo package --quiet --locked --no-verify --allow-dirty --manifest-path "$root/Cargo.toml" \
    --target-dir "$out/crate" >"$out/package.log" 2>&1 || { cat "$out/package.log" >&2; exit 1; }
mkdir -p "$rust"
"$tar" xzf "$out/crate/package/arrayproxy-$version.crate" -C "$rust"
mv "$rust/arrayproxy-$version" "$rust/arrayproxy"
cd "$rust"
rm -rf arrayproxy/.cargo* arrayproxy/Cargo.toml.orig arrayproxy/build.rs arrayproxy/bindings
mv arrayproxy/Cargo.lock .
change arrayproxy/Cargo.toml -e '/"cdylib",/d' -e '/"staticlib",/d' \
    -e 's/^build = .*/build = false/'

# A crate around it, so that nothing is asked for that only tests and Rust's
# own callers need.
cat >Cargo.toml <<TEXT
[package]
name = "arrayproxy-r"
version = "$version"
edition = "2024"
publish = false

[lib]
path = "lib.rs"
crate-type = ["staticlib"]

[dependencies.arrayproxy]
path = "arrayproxy"
default-features = false
features = ["bzip2", "minc2", "zstd"]

[profile.release]
lto = "thin"
codegen-units = 4
TEXT
echo 'pub use arrayproxy;' >lib.rs
# First the lock file loses what only tests need; no version in it changes.
cargo metadata --quiet --format-version 1 >/dev/null
cargo vendor --quiet --locked vendor >/dev/null

# The names of those who wrote all this belong into the package.
{
    echo "The library arrayproxy, in src/rust/arrayproxy, is by the authors of this package."
    echo "src/rust/vendor.tar.xz holds crates by others, each with the text of its licence:"
    for manifest in vendor/*/Cargo.toml; do
        awk '
            function text(line) { sub(/^[^"]*"/, "", line); sub(/".*$/, "", line); return line }
            /^\[/ && !/^\[package\]/ { exit }
            /^name = / { name = text($0) }
            /^version = / { version = text($0) }
            /^license = / { license = text($0) }
            /^repository = / { repository = text($0) }
            /^authors = / { listed = 1 }
            listed && /"/ { authors = authors (authors ? ", " : "") text($0) }
            listed && /\]/ { listed = 0 }
            END {
                if (authors == "") authors = "the authors named in " repository
                printf "\n%s %s\n    by %s\n    %s\n", name, version, authors, license
            }' "$manifest"
    done
    printf '\nzstd-sys holds the C library zstd,\n'
    printf '    Copyright (c) Meta Platforms, Inc. and affiliates\n    BSD-3-Clause\n'
} >"$work/inst/AUTHORS"
minimum=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' arrayproxy/Cargo.toml)
change "$work/DESCRIPTION" \
    -e "s/^SystemRequirements: .*/SystemRequirements: Cargo (Rust's package manager), rustc (>= $minimum)/" \
    -e 's/^Authors@R: \(.*\),$/Authors@R: c(\1,/' \
    -e 's/^    email = \(.*\)))$/    email = \1)), person("Authors of the crates in src\/rust", role = c("ctb", "cph"), comment = "see inst\/AUTHORS"))/'
echo "Copyright: of what is in src/rust, see inst/AUTHORS" >>"$work/DESCRIPTION"

# The same sources give the same bytes.
"$tar" --sort=name --mtime=@0 --mode=u=rwX,go=rX --owner=0 --group=0 --numeric-owner -cJf vendor.tar.xz vendor
rm -rf vendor

cd "$out"
R CMD build "$work"

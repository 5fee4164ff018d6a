#!/bin/sh
# `install.sh install` puts the built library in place, `install.sh uninstall`
# takes it away. The Makefile says where, by PREFIX, LIBDIR, INCLUDEDIR and
# DATADIR, all absolute, with DESTDIR before them; and VERSION and SONAME.
set -eu
umask 022
cd "$(dirname "$0")/.."

if [ "$(uname -s)" != Linux ]; then
    echo "make install knows only Linux's names; cargo cinstall knows others too" >&2
    exit 1
fi
for folder in "$PREFIX" "$LIBDIR" "$INCLUDEDIR" "$DATADIR"; do
    case $folder in
    *[[:space:]\"\'\#\$\&\;\\\|]*)
        echo "$folder: such a name does not fit into pkg-config's or CMake's files" >&2
        exit 1
        ;;
    /*) ;;
    *)
        echo "\"$folder\" is not an absolute path" >&2
        exit 1
        ;;
    esac
done

case $1 in
install)
    put() { # mode, file, place
        mkdir -p "$DESTDIR${3%/*}"
        install -m "$1" "$2" "$DESTDIR$3"
    }
    put_text() { # place
        mkdir -p "$DESTDIR${1%/*}"
        rm -f "$DESTDIR$1"
        cat >"$DESTDIR$1"
    }
    put_link() { # what it points to, place
        ln -sfn "$1" "$DESTDIR$2"
    }
    ;;
uninstall)
    put() {
        rm -f "$DESTDIR$3"
    }
    put_text() {
        rm -f "$DESTDIR$1"
    }
    put_link() {
        rm -f "$DESTDIR$2"
    }
    ;;
*)
    echo "usage: install.sh install|uninstall" >&2
    exit 2
    ;;
esac

# A folder below PREFIX as BASE/..., so that it can move along; another as it is.
below() { # base, folder
    case $2 in
    "$PREFIX"/*) echo "$1/${2#"$PREFIX"/}" ;;
    *) echo "$2" ;;
    esac
}

# A template with the folders written in, the base of those below PREFIX given.
filled() { # base, template
    sed -e "s|@PREFIX@|$PREFIX|" -e "s|@VERSION@|$VERSION|" \
        -e "s|@LIBDIR@|$(below "$1" "$LIBDIR")|" \
        -e "s|@INCLUDEDIR@|$(below "$1" "$INCLUDEDIR")|" "$2"
}

shared=libarrayproxy.so.$VERSION
put 755 target/release/libarrayproxy.so "$LIBDIR/$shared"
put_link "$shared" "$LIBDIR/$SONAME"
put_link "$shared" "$LIBDIR/libarrayproxy.so"
put 644 target/release/libarrayproxy.a "$LIBDIR/libarrayproxy.a"
put 644 include/arrayproxy.h "$INCLUDEDIR/arrayproxy.h"
put 644 bindings/cpp/arrayproxy.hpp "$INCLUDEDIR/arrayproxy.hpp"
for file in base parts; do
    put 644 bindings/cpp/arrayproxy/$file.hpp "$INCLUDEDIR/arrayproxy/$file.hpp"
done

# shellcheck disable=SC2016 # pkg-config's own variable
filled '${prefix}' packaging/arrayproxy.pc.in |
    put_text "$LIBDIR/pkgconfig/arrayproxy.pc"

cmake=$DATADIR/cmake/arrayproxy
case $cmake in
"$PREFIX"/*) up=$(echo "${cmake#"$PREFIX"/}" | sed 's|[^/][^/]*|..|g') ;;
*) up=$PREFIX ;;
esac
for file in arrayproxy-config.cmake arrayproxy-config-version.cmake; do
    filled "$up" packaging/$file | put_text "$cmake/$file"
done

doc=$DATADIR/doc/arrayproxy
for file in README.md LICENSE-MIT LICENSE-APACHE; do
    put 644 $file "$doc/$file"
done

if [ "$1" = uninstall ]; then # what is left of our own folders, if empty
    rmdir "$DESTDIR$cmake" "$DESTDIR$doc" "$DESTDIR$INCLUDEDIR/arrayproxy" 2>/dev/null || :
fi

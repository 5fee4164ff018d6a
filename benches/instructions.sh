#!/bin/sh
# Instructions for each decoded byte, of decoders and ours: figures that do not
# depend on what else a machine does. Each has those of the checksum that the
# readers take of their results, about 0.6. Needs valgrind, and what `make bench`
# has made; takes some minutes.
set -eu
cd "$(dirname "$0")/.."
bin=target/bench/bin
files=target/bench/data/full

collected() { # jobs for the reader, reader...
    jobs=$1
    shift
    printf '%b' "$jobs" |
        valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>&1 >/dev/null |
        awk '/Collected/ { print $4 }'
}

echo "data ours libdeflate ISA-L zlib-rs"
for name in cut t1 f32 text; do
    job="whole\t$files/packed/$name.nii.gz\tthreads=1\n"
    size=$(wc -c <"$files/plain/$name.nii")
    printf '%s' "$name"
    for reader in ours "arrayproxy-peers libdeflate" isal "arrayproxy-peers zlib-rs"; do
        # shellcheck disable=SC2086 # a program and its argument
        set -- $bin/$reader
        idle=$(collected '' "$@")
        busy=$(collected "$job" "$@")
        awk "BEGIN { printf \" %.2f\", ($busy - $idle) / $size }"
    done
    echo
done

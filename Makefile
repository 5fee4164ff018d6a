# The verbs a C user expects. All the work is cargo's and that of the scripts
# in tests/; what is made goes to target/.

CC ?= cc
CFLAGS ?= -O2
# The library, the example and the tests find each other here.
export CARGO_TARGET_DIR = $(CURDIR)/target
LIB = target/release
VERSION := $(shell sed -nE '/^version = /{s/^version = "(.+)"/\1/p;q;}' Cargo.toml)
# As build.rs names it: 0.MINOR before 1.0, then MAJOR.
SONAME := libarrayproxy.so.$(shell echo $(VERSION) | sed -E 's/^(0\.[0-9]+|[1-9][0-9]*)\..*/\1/')
IMAGES = example4d mni152_t1

# Where `make install` puts things: absolute paths, all with DESTDIR before them.
PREFIX = /usr/local
LIBDIR = $(PREFIX)/lib
INCLUDEDIR = $(PREFIX)/include
DATADIR = $(PREFIX)/share
INSTALL_SH = DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' LIBDIR='$(LIBDIR)' INCLUDEDIR='$(INCLUDEDIR)' \
	DATADIR='$(DATADIR)' VERSION='$(VERSION)' SONAME='$(SONAME)' sh packaging/install.sh

build: ## the library: libarrayproxy.so and .a in target/release
	cargo build --release --locked
	ln -sf libarrayproxy.so $(LIB)/$(SONAME)
	@touch -c $(LIB)/libarrayproxy.so

# Only if a source is newer: root, who installs, often has no cargo.
$(LIB)/libarrayproxy.so: Cargo.toml Cargo.lock build.rs $(shell find src -name '*.rs')
	@$(MAKE) --no-print-directory build

install: $(LIB)/libarrayproxy.so ## put library, header and their helpers below PREFIX (/usr/local)
	@$(INSTALL_SH) install

uninstall: ## take away what install put below the same PREFIX
	@$(INSTALL_SH) uninstall

demo: ## a C program that reads parts of two images and draws them
	@sh tests/setup.sh build
	@$(MAKE) --no-print-directory build
	@mkdir -p target/demo
	$(CC) -std=c99 -Wall -Wextra -pedantic -Werror $(CFLAGS) -Iinclude ctests/example.c \
		-o target/demo/example -L$(LIB) -larrayproxy -Wl,-rpath,'$$ORIGIN/../release' -lm
	@for image in $(IMAGES); do \
		printf '\n$$ target/demo/example tests/data/%s.nii.gz target/demo/%s.png\n' $$image $$image; \
		target/demo/example tests/data/$$image.nii.gz target/demo/$$image.png || exit 1; \
	done
	@printf '\nThe program is ctests/example.c. Its pictures:\n'
	@printf '    target/demo/%s.png\n' $(IMAGES)

test: ## every test, after installing what they need (tests/setup.sh)
	@bash tests/run.sh

bench: ## time our reads and those of others; SMALL=1 takes a tenth of the data
	@sh tests/setup.sh build
	@$(MAKE) --no-print-directory build
	@sh benches/setup.sh
	@case "$${FILES:-bindings}" in bindings) sh benches/bindings.sh ;; esac
	@PYTHONDONTWRITEBYTECODE=1 target/bench/venv/bin/python benches/driver/run.py

msrv: ## check the library with the oldest rustc it promises, Debian 13's
	@bash tests/msrv.sh

header: ## write include/arrayproxy.h anew from src/ffi
	UPDATE_HEADER=1 cargo test --locked --test header

abi: ## describe the ABI anew, in abi/: at a release, or when it may change
	@bash tests/abi.sh write

clean: ## remove everything that was made
	cargo clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.* ## /make \1	/p' Makefile | expand -t 16

.PHONY: build install uninstall demo test bench msrv header abi clean help

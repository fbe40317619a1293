# nutlet: upsmon for routers and NAS boards.  `make help` lists the targets.
#
# Everything that is built stands below build/.  `make run` and `make test` go
# from a bare Debian machine to the end by themselves.

BUILD := build
BOARD ?= qemu-malta
HOST_ARCH := $(shell uname -m)

CC ?= gcc
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
# What a board runs is small first: the linker drops what is not called, and nothing here
# unwinds a stack (12 kB on x86_64) or needs its code on pages of its own (4 kB); nor has a
# static program anything to relocate (1 kB). LTO: 8 to 12 kB; in one piece, and with small
# functions called rather than copied: 1 kB. Data begins where the text ends, not on the next
# page (up to 4 kB); nobody looks for the id of the build. Sections by name: for MOSTLY_UNUSED
# (options.h).
SMALL := -Os -flto=auto -flto-partition=one -fno-inline-small-functions -ffunction-sections -fdata-sections \
	-fno-asynchronous-unwind-tables -fno-unwind-tables -Wl,--gc-sections -Wl,-z,noseparate-code \
	-Wl,-z,norelro -Wl,-z,common-page-size=64 -Wl,--build-id=none -Wl,--sort-section=name
# Code of 16-bit words, which most MIPS routers can run; a few (BCM47xx, MIPS R6) cannot.
MIPS16 ?= no
yes_or_no = $(if $(filter-out yes no,$($(1))),$(error $(1) is "$($(1))"; it is yes or no))
$(call yes_or_no,MIPS16)
# 64-bit offsets: without them F_GETLK on 32-bit mips names nobody (see lock.c); 64-bit times: a
# file of 2039 can be looked at.
STANDARD = $(LEFT_OUT:%=-DWITH_%=0) -Isrc -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64
PLACES = -DCONF_DIR='"$(SYSCONFDIR)/nut"'

DESTDIR ?=
PREFIX ?= /usr
# What is installed; build/host-uclibc/upsmon is the static one.  Not from the environment, where a
# variable of this name is somebody else's.
PROGRAM = $(BUILD)/host/upsmon
SYSCONFDIR ?= /etc
MANDIR ?= $(PREFIX)/share/man

# What can be left out to save bytes (options.h has the figures), each with its files.
FEATURES := UPGRADE CHECK JSON UPSSCHED IPV6 SECCOMP SUPERVISOR
FILES_UPGRADE := src/upgrade/%.c
FILES_CHECK := src/command/check%.c
FILES_JSON := src/command/state_json.c
FILES_SUPERVISOR := src/base/sd_notify.c src/base/ready_fd.c
FILES_UPSSCHED := src/core/sched.c src/core/conf_sched.c
# For little flash: SMALLEST=1 leaves out at once what a board can do without.
IN_SMALLEST := UPGRADE CHECK JSON SUPERVISOR
$(if $(filter 1 yes,$(SMALLEST)),$(foreach f,$(IN_SMALLEST),$(eval $(f) := no)))
LEFT_OUT := $(foreach f,$(FEATURES),$(if $(filter no,$($(f))),$(f)))
# of a build system around us, the environment may have such a name with another meaning
$(foreach f,$(FEATURES),$(if $(filter command%,$(origin $(f))),$(call yes_or_no,$(f))))

# What is left out unless it is asked for: TLS=mbedtls, with the library of the distribution
# for the host, and with one of our own (board/common/mbedtls.sh) for static images.
TLS ?= no
FILES_TLS := src/tls/%.c src/core/conf_tls.c src/core/session_tls.c src/guard/cert_files.c
$(if $(filter-out no mbedtls,$(TLS)),$(error TLS is "$(TLS)"; it is mbedtls or no))
TLS13 ?= yes
$(if $(filter-out yes no,$(TLS13)),$(error TLS13 is "$(TLS13)"; it is yes, or no for TLS 1.2 only))
ifeq ($(TLS),mbedtls)
STANDARD += -DWITH_TLS=1
TLS_LIBS := -lmbedtls -lmbedx509 -lmbedcrypto
endif

# Our small C library, which our static builds put before uClibc-ng's (src/libc/libc.h);
# SMALL_LIBC=yes: so does a build system with a static uClibc-ng of its own.
LIBC := $(sort $(wildcard src/libc/*.c))
SMALL_LIBC ?= no
$(call yes_or_no,SMALL_LIBC)

SRC_TLS := $(filter-out $(LIBC) $(foreach f,$(LEFT_OUT),$(FILES_$(f))),$(sort $(wildcard src/*/*.c)))
SRC := $(if $(filter mbedtls,$(TLS)),$(SRC_TLS),$(filter-out $(FILES_TLS),$(SRC_TLS)))
HDR := $(sort $(wildcard src/*.h src/*/*.h))
MAN := src/upsmon.8 src/upsmon.conf.5
# The pure core: what the unit tests link, and nothing of the shell.
CORE := $(filter-out $(FILES_TLS),$(sort $(wildcard src/core/*.c)))
CORE_TLS := src/core/conf_tls.c src/core/session_tls.c

SETUP := board/common/setup.sh
HOST_PACKAGES := gcc libc6-dev make
UCLIBC_PACKAGES := gcc libc6-dev linux-libc-dev make xz-utils dpkg-dev
# run and console need the server too
BOARD_PACKAGES := $(UCLIBC_PACKAGES) cpio netcat-traditional python3 python3-pexpect nut-server nut-client
TEST_PACKAGES := $(HOST_PACKAGES) clang clang-tidy shellcheck mandoc libcmocka-dev libmbedtls-dev openssl libnss3-tools python3 python3-pytest \
	python3-pytest-xdist python3-pexpect nut-client nut-server dnsmasq-base iproute2 mount util-linux spin strace gdb valgrind

# What the folders of board/ need for the tests of their packages, they add themselves.
PACKAGE_TEST_PACKAGES := busybox

# Our TLS without a daemon around it: what its pool holds, and what ASan says.
TLS_CLIENTS := $(BUILD)/tests/tls/client-pool $(BUILD)/tests/tls/client-asan

# Most of a system test is waiting for an upsd: sixteen of them wait at once.  Proofs work.
PYTEST_JOBS ?= 16
PROOF_JOBS ?= 8
PACKAGE_JOBS ?= 4
PYTEST := /usr/bin/python3 -m pytest -p no:cacheprovider --color=auto

.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

## what can be made -----------------------------------------------------------

.PHONY: all
all: $(BUILD)/host/upsmon ## build upsmon for this machine: build/host/upsmon
	@echo "$<: $$(stat -c %s $<) bytes.  Try: $< -h"
	@echo "more: make run (a board in QEMU), make static, make test, make help"

.PHONY: static
static: setup-uclibc $(BUILD)/host-uclibc/upsmon ## the same, static on uClibc-ng: build/host-uclibc/upsmon

.PHONY: run
run: setup-board image ## a board loses its mains, and shuts itself down: the whole story, about 20 s
	@/usr/bin/python3 board/common/story.py $(BOARD)

.PHONY: console
console: setup-board image ## the same board with its console on your terminal
	@/usr/bin/python3 board/common/console.py $(BOARD)

.PHONY: image
# image: (rules in board.mk) ## the board's image: build/$(BOARD)/; BOARD=qemu-malta
# images: (rules in board.mk) ## those of all boards

.PHONY: test
test: setup-boards setup-package-test ## all tests; sets itself up
	@$(MAKE) --no-print-directory check core-test
	@$(MAKE) --no-print-directory -j2 static images
	@tests/lint/size.sh $(BUILD)
	@$(MAKE) --no-print-directory system-test tls-test proof-test package-test board-test

.PHONY: check
check: setup-test ## shellcheck, gcc, clang and clang-tidy without warnings, unit tests under ASan and UBSan
	@$(MAKE) --no-print-directory lint sanitize fuzz-replay
	@tests/lint/size.sh $(BUILD)

.PHONY: core-test
core-test: setup-test $(BUILD)/tests/core/plain ## unit tests of the pure core (cmocka)
	@for t in $(CORE_TESTS); do $(BUILD)/tests/core/plain/$$t || exit 1; done

.PHONY: tls
tls: setup-uclibc setup-test $(BUILD)/tls/host/upsmon $(BUILD)/tls/host-uclibc/upsmon ## both with TLS, for their tests: build/tls/; in general: make TLS=mbedtls

.PHONY: tls-test
tls-test: tls $(BUILD)/tls/default/host/upsmon $(TLS_CLIENTS) ## TLS: NUT's own servers, a man in the middle, beside NUT's upsmon (pytest)
	@$(PYTEST) tests/tls -q -n $(PYTEST_JOBS) $(PYTEST_ARGS)

.PHONY: system-test
system-test: setup-test $(BUILD)/host/upsmon $(BUILD)/host-uclibc/upsmon $(BUILD)/minimal/host/upsmon $(BUILD)/smallest/host-uclibc/upsmon \
	$(BUILD)/many/host-uclibc/upsmon ## the daemon against a real upsd, and beside NUT's upsmon (pytest)
	@$(PYTEST) tests/system tests/compare -q -n $(PYTEST_JOBS) $(PYTEST_ARGS)

.PHONY: bench
bench: setup-test $(BUILD)/host-uclibc/upsmon $(BUILD)/many/host-uclibc/upsmon ## what the watch costs beside NUT's upsmon, and UPSMON_PEER; about 20 minutes
	@python3 tests/bench/bench.py ours=$(BUILD)/host-uclibc/upsmon "NUT=/lib/nut/upsmon" \
		$(if $(UPSMON_PEER),peer=$(UPSMON_PEER))
	@python3 tests/bench/bench.py --upses 100,1000 --runs 1 ours=$(BUILD)/many/host-uclibc/upsmon "NUT=/lib/nut/upsmon" \
		$(if $(UPSMON_PEER),peer=$(UPSMON_PEER))

.PHONY: load
load: setup-test $(BUILD)/many/host-uclibc/upsmon ## how late a poll is, with up to 1,000 UPSes and half of the hosts dead; about 20 minutes
	@python3 tests/bench/load.py $(BUILD)/many/host-uclibc/upsmon

.PHONY: size
size: setup-uclibc $(BUILD)/toolchain/$(HOST_ARCH)/cc ## what a static upsmon is made of, by file and by member of the C library
	@python3 tests/bench/size.py $(BUILD)/size $(SRC) $(LIBC) -- $(BUILD)/toolchain/$(HOST_ARCH)/cc $(SMALL_CC)
	@tests/lint/size.sh $(BUILD) table

# Where two builds of this machine are compared, /proc names qemu, or qemu connects otherwise.
NOT_FOREIGN := not (test_minimal or two_builds or link_that_leads or found_by_path or wrapper_must_exec \
	or do_not_answer_are_named or outlive_a_dead_monitor)
.PHONY: mips-test
mips-test: setup-uclibc setup-test $(BUILD)/mips-uclibc/upsmon ## big-endian MIPS under qemu-user through the daemon's tests; about 15 minutes
	@$(SETUP) qemu-user-static
	@NUTLET_BINARY=$(BUILD)/mips-uclibc/upsmon tests/system/foreign.sh $(PYTEST) tests/system -q -n $(PYTEST_JOBS) \
		-k "$(NOT_FOREIGN)" $(PYTEST_ARGS)

# LeakSanitizer traces the process that ends, and so can nobody else, nor where there is a filter.
NOT_ASAN := $(NOT_FOREIGN) and not (older_kernels or closes_its_channel or no_wall_clock or test_privileges \
	or test_cost or test_load or test_faults)
.PHONY: asan-test
asan-test: setup-test ## the daemon's tests with ASan, UBSan and LeakSanitizer; about 4 minutes
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/asan SECCOMP=no $(BUILD)/asan/host/upsmon \
		CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all"
	@NUTLET_BINARY=$(BUILD)/asan/host/upsmon $(PYTEST) tests/system -q -n $(PYTEST_JOBS) -k "$(NOT_ASAN)" $(PYTEST_ARGS)

.PHONY: proof-test
proof-test: setup-test $(BUILD)/host/upsmon $(BUILD)/host-uclibc/upsmon ## which process is upsmon: a model of every interleaving, races, crash points, pid reuse
	@$(PYTEST) tests/model tests/proof -q -n $(PROOF_JOBS) $(PYTEST_ARGS)

.PHONY: soak
soak: setup-board setup-test static image ## the proofs with their full counts, and the board's: build/soak/report.md; BOARD=x, N=100 power cuts
	@mkdir -p $(BUILD)/soak && rm -f $(BUILD)/soak/report.jsonl
	@$(MAKE) --no-print-directory soak-proof soak-faults soak-tls soak-board; code=$$?; \
		/usr/bin/python3 tests/proof/report.py $(BUILD)/soak/report.jsonl $(BUILD)/soak/report.md; \
		cat $(BUILD)/soak/report.md; exit $$code

.PHONY: soak-proof soak-faults soak-tls soak-board
SOAK := NUTLET_SOAK=1 NUTLET_REPORT=$(CURDIR)/$(BUILD)/soak/report.jsonl
soak-proof: $(BUILD)/host/upsmon $(BUILD)/host-uclibc/upsmon
	@echo "[soak] the proofs; about 25 minutes"
	@$(SOAK) $(PYTEST) tests/proof -q -n $(PROOF_JOBS)
	@$(SOAK) $(PYTEST) tests/model -q -n 2
soak-faults: $(BUILD)/host/upsmon $(BUILD)/host-uclibc/upsmon
	@echo "[soak] every system call fails with every error, and chaos; about 20 minutes"
	@$(SOAK) $(PYTEST) tests/system/test_faults.py tests/system/test_chaos.py -q -n $(PYTEST_JOBS)
soak-tls: $(TLS_CLIENTS)
	@echo "[soak] 10,000 connections of TLS; about 10 minutes"
	@$(SOAK) $(PYTEST) tests/tls/test_client.py -q -k many_connections
soak-board: image
	@echo "[soak] the board in QEMU; about 12 minutes"
	@$(SOAK) SOAK_CUTS=$(N) $(PYTEST) tests/board/soak tests/board/test_flash.py -q -n 2 \
		-k "soak or power_cuts" --board $(BOARD)

.PHONY: compare
compare: setup-test $(BUILD)/host/upsmon ## beside NUT's own upsmon, scenario by scenario; UPSMON_PEER=path
	@/usr/bin/python3 tests/compare/compare.py

.PHONY: board-test
board-test: setup-test setup-boards ## the images on their boards in QEMU (pytest); BOARDS="qemu-malta ..."
	@for board in $(BOARDS); do echo "[board-test] $$board"; \
		$(PYTEST) tests/board -q -n 2 --board $$board $(PYTEST_ARGS) || exit 1; done

.PHONY: package-test
package-test: setup-package-test $(BUILD)/host/upsmon $(BUILD)/host-uclibc/upsmon ## packages and init systems: OpenWrt, Buildroot, Debian, systemd, s6, ... (pytest)
	@$(PYTEST) tests/packages -q -n $(PACKAGE_JOBS) $(PYTEST_ARGS)

.PHONY: install
install: $(PROGRAM) $(if $(INIT),install-init) ## install upsmon and its manual pages: DESTDIR, PREFIX, SYSCONFDIR; INIT=; PROGRAM=file
	install -D -m 755 $< $(DESTDIR)$(PREFIX)/sbin/upsmon
	install -D -m 644 src/upsmon.8 $(DESTDIR)$(MANDIR)/man8/upsmon.8
	install -D -m 644 src/upsmon.conf.5 $(DESTDIR)$(MANDIR)/man5/upsmon.conf.5
	@# an example beside it: the configuration itself is the machine's own
	install -D -m 640 rootfs-overlay/etc/nut/upsmon.conf \
		$(DESTDIR)$(SYSCONFDIR)/nut/upsmon.conf.example

.PHONY: setup
setup: setup-boards setup-test ## install the Debian packages that are missing, and nothing else

.PHONY: clean
clean: ## remove what was built; downloads and toolchains stay
	rm -rf $(BUILD)/host $(BUILD)/tls $(BUILD)/minimal $(BUILD)/smallest $(BUILD)/many $(BUILD)/asan $(BUILD)/*-uclibc $(BUILD)/tests $(BUILD)/fuzz $(BUILD)/size \
		$(foreach board,$(ALL_BOARDS),$(addprefix $(BUILD)/$(board)/,rootfs rootfs.cpio.gz disk.img \
		nutlet-$(board).img sbom.cdx.json uImage-* uInitrd))

.PHONY: distclean
distclean: ## remove build/ with everything in it
	rm -rf $(BUILD)

.PHONY: help
help: ## this list
	@echo "nutlet: upsmon for routers and NAS boards"
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1|\2/p; s/^# \([a-z]*\): ([^#]*## \(.*\)/\1|\2/p' \
		Makefile $(wildcard board/*/targets.mk) | while IFS='|' read -r name text; do \
		printf '  make %-12s %s\n' "$$name" "$$text"; done
	@echo "boards: $(ALL_BOARDS) (BOARD=$(BOARD))"

.PHONY: setup-uclibc setup-board setup-boards setup-test setup-package-test
setup-uclibc:
	@$(SETUP) $(UCLIBC_PACKAGES)
setup-board:
	@$(SETUP) $(BOARD_PACKAGES) $(call board_packages,$(BOARD))
# at once what board/common would install one by one
setup-boards:
	@$(SETUP) $(BOARD_PACKAGES) $(DISK_PACKAGES) $(foreach board,$(BOARDS),$(call board_packages,$(board)))
setup-test:
	@$(SETUP) $(TEST_PACKAGES)
setup-package-test: setup-test
	@$(SETUP) $(PACKAGE_TEST_PACKAGES)

## upsmon ---------------------------------------------------------------------

quoted = '$(subst ','\'',$(1))'
# Changed flags rebuild: the stamp's content is the command line, with all its commas.
define stamp_rule
$(1): FORCE
	@mkdir -p $$(dir $$@); echo $(call quoted,$(2)) | cmp -s - $$@ || echo $(call quoted,$(2)) >$$@
endef
FORCE:

HOST_CC := $(CC) $(STANDARD) $(PLACES) $(WARNINGS) $(CPPFLAGS) $(CFLAGS)
SMALL_CC := $(STANDARD) $(PLACES) $(WARNINGS) $(CPPFLAGS) $(SMALL)
MIPS16_CC = $(if $(filter mips%,$(1)),$(if $(filter yes,$(MIPS16)),-mips16))
$(eval $(call stamp_rule,$(BUILD)/host/.command,$(HOST_CC) $(LDFLAGS)))
$(eval $(call stamp_rule,$(BUILD)/.small-command,$(SMALL_CC) $(call MIPS16_CC,mips)))

HOST_OBJ := $(patsubst src/%.c,$(BUILD)/host/obj/%.o,$(SRC) $(if $(filter yes,$(SMALL_LIBC)),$(LIBC)))
$(BUILD)/host/obj/%.o: src/%.c $(BUILD)/host/.command
	@mkdir -p $(@D)
	@$(HOST_CC) -MMD -MP -c -o $@ $<
-include $(HOST_OBJ:.o=.d)

$(BUILD)/host/upsmon: $(HOST_OBJ)
	@command -v $(firstword $(CC)) >/dev/null || { echo "no compiler; try: make setup"; exit 1; }
	@$(HOST_CC) $(LDFLAGS) -o $@ $^ $(TLS_LIBS)

# Everything that can be left out is: its tests show that it still protects.
$(BUILD)/minimal/host/upsmon: $(SRC) $(HDR) Makefile
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/minimal $(FEATURES:%=%=no) $@

# With TLS, for its tests; beside that without.
$(BUILD)/tls/host/upsmon: $(SRC_TLS) $(HDR) Makefile
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/tls TLS=mbedtls $@

# And with mbedTLS 3.6 in its own configuration, as OpenWrt and Buildroot share it.
$(BUILD)/tls/default/host/upsmon: $(SRC_TLS) $(HDR) Makefile $(BUILD)/mbedtls/test-default/libmbedtls.a
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/tls/default TLS=mbedtls \
		CPPFLAGS="$(CPPFLAGS) -I$(CURDIR)/$(BUILD)/mbedtls/test-default/include" \
		TLS_LIBS=$(CURDIR)/$(BUILD)/mbedtls/test-default/libmbedtls.a $@

$(BUILD)/tests/tls/client-asan: TLS_CLIENT_FLAGS := -DNUTLET_TLS_POOL=0 -fsanitize=address,undefined \
	-fno-sanitize-recover=all
$(BUILD)/tests/tls/client-pool: TLS_CLIENT_FLAGS := -DMBEDTLS_MEMORY_DEBUG
$(TLS_CLIENTS): $(BUILD)/tests/tls/client-%: tests/tls/client.c $(wildcard src/tls/*.c) $(HDR) \
		$(BUILD)/mbedtls/test-%/libmbedtls.a
	@mkdir -p $(@D)
	@gcc $(filter-out -DWITH_TLS=1,$(STANDARD)) -DWITH_TLS=1 $(WARNINGS) -Werror -O1 -g \
		'-DMBEDTLS_CONFIG_FILE="tls/mbedtls_config.h"' $(TLS_CLIENT_FLAGS) \
		-I$(BUILD)/mbedtls/test-$*/include -o $@ $(filter %.c %.a,$^)

# Of a static image with TLS: the library of one architecture.
MBEDTLS = $(BUILD)/mbedtls/$(1)$(if $(filter no,$(TLS13)),-tls12)
$(BUILD)/mbedtls/%/libmbedtls.a: src/tls/mbedtls_config.h board/common/mbedtls.sh
	@$(if $(filter test-%,$*),,$(MAKE) --no-print-directory $(BUILD)/toolchain/$(*:-tls12=)/cc)
	@$(STEP) mbedtls-$* "building mbedTLS, about 10 s" board/common/mbedtls.sh $*

# Small enough to be compiled at once; the compiler wrapper links statically.
# (1) folder of the result, (2) architecture, (3) source, (4) flags and (5) libraries of TLS
define uclibc_rule
$(BUILD)/$(1)-uclibc/upsmon: $(3) $(LIBC) $(HDR) $(BUILD)/toolchain/$(2)/cc $(BUILD)/.small-command $(5)
	@mkdir -p $$(@D)
	@$(BUILD)/toolchain/$(2)/cc $(SMALL_CC) $(call MIPS16_CC,$(2)) $(4) -o $$@.new $(3) $(LIBC) $(5)
	@$(BUILD)/toolchain/$(2)/strip $$@.new
	@mv $$@.new $$@
	@echo "$$@: $$$$(stat -c %s $$@) bytes, static"
endef
uclibc_plain = $(call uclibc_rule,$(1),$(2),$(SRC))
uclibc_tls = $(call uclibc_rule,$(1),$(2),$(SRC_TLS),$\
	$(if $(filter mbedtls,$(TLS)),,-DWITH_TLS=1) $\
	'-DMBEDTLS_CONFIG_FILE="tls/mbedtls_config.h"' -I$(call MBEDTLS,$(2))/include $\
	$(if $(filter no,$(TLS13)),-DNUTLET_TLS13=0),$(call MBEDTLS,$(2))/libmbedtls.a)
uclibc_asked = $(call uclibc_$(if $(filter mbedtls,$(TLS)),tls,plain),$(1),$(2))
$(eval $(call uclibc_asked,host,$(HOST_ARCH)))
UCLIBC_ARCHS := $(filter-out $(HOST_ARCH),$(patsubst board/common/arch/%.conf,%,\
	$(wildcard board/common/arch/*.conf)))
$(foreach arch,$(UCLIBC_ARCHS),$(eval $(call uclibc_asked,$(arch),$(arch))))
# for their tests
$(eval $(call uclibc_rule,smallest/host,$(HOST_ARCH),$\
	$(filter-out $(foreach f,$(IN_SMALLEST),$(FILES_$(f))),$(SRC)),$(IN_SMALLEST:%=-DWITH_%=0)))
# for a thousand UPSes; the addresses of their servers are text of the configuration
$(eval $(call uclibc_rule,many/host,$(HOST_ARCH),$(SRC),-DUPS_MAX=1024 -DCONF_TEXT_MAX=65000))
$(eval $(call uclibc_tls,tls/host,$(HOST_ARCH)))
$(foreach arch,$(UCLIBC_ARCHS),$(eval $(call uclibc_tls,tls/$(arch),$(arch))))

## tests ----------------------------------------------------------------------

CORE_TESTS := $(patsubst tests/core/%.c,%,$(sort $(wildcard tests/core/test_*.c)))
# Of the shell, what can be tested without a daemon around it.
TESTED_SHELL := $(addprefix src/,base/channel.c base/child.c base/environment.c base/log.c base/loop.c base/signals.c \
	guard/powerdown.c guard/shutdown.c identity/procname.c identity/proc_bsd.c \
	identity/proc_psinfo.c identity/proc_stat.c identity/proc_status.c identity/rundir.c \
	upgrade/handover.c)
# With every reader of procname.c: those of other kernels, which the daemon leaves out, too.
TEST_CC = -DSCENARIOS='"$(CURDIR)/tests/core/scenarios"' \
	-DPROC_TREES='"$(CURDIR)/tests/core/proc"' -DPROC_BSD=1 -DPROC_PSINFO=1 \
	$(filter-out -DWITH_TLS=1,$(STANDARD)) $(WARNINGS) -Werror -Itests/core -g

# The core with TLS is another core: one test of it, the others are of that without.
TLS_TESTS := $(BUILD)/tests/core/plain/test_tls $(BUILD)/tests/core/sanitized/test_tls
$(TLS_TESTS): TEST_CC += -DWITH_TLS=1
$(TLS_TESTS): $(CORE_TLS)

# Ours beside that of this machine.
LIBC_TESTS := $(BUILD)/tests/core/plain/test_libc $(BUILD)/tests/core/sanitized/test_libc
$(LIBC_TESTS): TEST_CC += -DLIBC_BESIDE_ANOTHER
$(LIBC_TESTS): $(LIBC)

.PHONY: $(BUILD)/tests/core/plain $(BUILD)/tests/core/sanitized
$(BUILD)/tests/core/plain: $(CORE_TESTS:%=$(BUILD)/tests/core/plain/%)
$(BUILD)/tests/core/sanitized: $(CORE_TESTS:%=$(BUILD)/tests/core/sanitized/%)

$(BUILD)/tests/core/plain/%: tests/core/%.c tests/core/lab.h tests/core/lab.c $(CORE) \
		 $(TESTED_SHELL) $(HDR) | setup-test
	@mkdir -p $(@D)
	@gcc $(TEST_CC) -O1 -o $@ $(filter %.c,$^) -lcmocka
$(BUILD)/tests/core/sanitized/%: tests/core/%.c tests/core/lab.h tests/core/lab.c $(CORE) \
		 $(TESTED_SHELL) $(HDR) | setup-test
	@mkdir -p $(@D)
	@gcc $(TEST_CC) -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -o $@ \
		$(filter %.c,$^) -lcmocka

FUZZ_CC = clang $(filter-out -DWITH_TLS=1,$(STANDARD)) $(WARNINGS) -Werror -g -O1 \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
FUZZ := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
$(BUILD)/fuzz/%: tests/fuzz/%.c tests/fuzz/fuzz.c tests/fuzz/fuzz.h $(CORE) $(TESTED_SHELL) $(HDR) | setup-test
	@mkdir -p $(@D)
	@$(FUZZ_CC) -DPROC_BSD=1 -DPROC_PSINFO=1 -o $@ $(filter %.c,$^)

$(BUILD)/fuzz/fuzz_libc: FUZZ_CC += -DLIBC_BESIDE_ANOTHER
$(BUILD)/fuzz/fuzz_libc: $(LIBC)

$(BUILD)/fuzz/fuzz_tls: tests/fuzz/fuzz_tls.c $(wildcard src/tls/*.c) $(HDR) $(BUILD)/mbedtls/test-asan/libmbedtls.a
	@mkdir -p $(@D)
	@$(FUZZ_CC) -DWITH_TLS=1 -DNUTLET_TLS_POOL=0 '-DMBEDTLS_CONFIG_FILE="tls/mbedtls_config.h"' \
		-I$(BUILD)/mbedtls/test-asan/include -o $@ $(filter %.c %.a,$^)

.PHONY: fuzz fuzz-replay
MINUTES ?= 5
fuzz: $(FUZZ) ## fuzzers with libFuzzer, ASan and UBSan, MINUTES=5 each, two at a time; TARGETS="conf policy": these
	@tests/fuzz/run.sh $(BUILD)/fuzz $(MINUTES) $(TARGETS)
fuzz-replay: $(FUZZ)
	@echo "[check] what the fuzzers have found so far"
	@tests/fuzz/run.sh $(BUILD)/fuzz 0

.PHONY: lint sanitize
# Not: Annex K's functions, which no libc here has; matters of taste; and va_start, which the
# analyzer of clang 14 does not see when it is given several files.
TIDY := --warnings-as-errors='*' --checks='-*,bugprone-*,cert-*,clang-analyzer-*,misc-*,$\
	-bugprone-easily-swappable-parameters,-bugprone-reserved-identifier,-cert-err33-c,$\
	-clang-analyzer-security.insecureAPI.*,-clang-analyzer-valist.*'
sanitize: $(BUILD)/tests/core/sanitized
	@echo "[check] unit tests under ASan and UBSan"
	@for t in $(CORE_TESTS); do WALK_STEPS=1000000 $(BUILD)/tests/core/sanitized/$$t || exit 1; done

# What TLS adds, and what differs with it.
TLS_SRC = $(sort $(filter $(FILES_TLS),$(wildcard src/*/*.c)) $(shell grep -l WITH_TLS src/*/*.c))
SCRIPTS = $(shell git ls-files -co --exclude-standard | xargs -r awk \
	'FNR == 1 && /^\#!\/bin\/(ba)?sh/ { print FILENAME }' 2>/dev/null)
lint: $(SRC) $(LIBC) $(HDR)
	@echo "[check] shellcheck: $(words $(SCRIPTS)) scripts"
	@shellcheck $(SCRIPTS)
	@for cc in gcc clang; do \
		echo "[check] $$cc $(WARNINGS) -Werror: $(words $(SRC) $(LIBC)) files"; \
		for f in $(SRC) $(LIBC); do $$cc $(STANDARD) $(WARNINGS) -Werror -O2 -fsyntax-only $$f \
			|| exit 1; done; done
	@echo "[check] the same and clang-tidy with TLS: $(words $(TLS_SRC)) files"
	@for cc in gcc clang; do for f in $(TLS_SRC); do \
		$$cc $(STANDARD) -DWITH_TLS=1 $(WARNINGS) -Werror -O2 -fsyntax-only $$f || exit 1; \
		done; done
	@clang-tidy --quiet $(TIDY) $(TLS_SRC) -- $(STANDARD) -DWITH_TLS=1 2>/dev/null
	@echo "[check] procname.c with every set of its readers"
	@tests/core/proc/combinations.sh gcc $(STANDARD) $(WARNINGS) -Werror
	@# each flag, also behind a comma, is in the stamp that makes a changed one build anew
	@$(MAKE) --no-print-directory -n MIPS16=yes $(BUILD)/.small-command | grep -qe "-Wl,.* -mips16" \
		|| { echo "[check] $(BUILD)/.small-command does not hold all flags"; exit 1; }
	@echo "[check] every feature left out: $(FEATURES)"
	@tests/lint/features.sh gcc $(STANDARD) $(WARNINGS) -Werror
	@echo "[check] the architecture: which folder includes which, what the core calls, and what is formatted"
	@tests/lint/architecture.sh gcc $(filter-out -DWITH_TLS=1,$(STANDARD)) -DWITH_TLS=1
	@echo "[check] clang-tidy"
	@clang-tidy --quiet $(TIDY) $(SRC) $(LIBC) -- $(STANDARD) 2>/dev/null
	@echo "[check] mandoc: $(words $(MAN)) manual pages"
	@mandoc -T lint -W warning $(MAN)

include board/common/board.mk
# the same images with TLS in them, where QEMU can start them
board_tls = $(patsubst $(BUILD)/%,$(BUILD)/tls/%,$(call board_upsmon,$(1)))
board-test: images $(sort $(foreach board,$(BOARDS),$(if $(call board_conf,$(board),QEMU),$\
	$(call board_tls,$(call board_conf,$(board),ARCH)))))
# what a folder of board/ adds of its own: packages, init systems
include $(wildcard board/*/targets.mk)

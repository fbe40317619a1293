# board.mk - from sources and packages to an image that boots, for every folder of board/
# that has a board.conf. Included by the top Makefile.
#
# It wants a rule for $(BUILD)/<arch>-uclibc/upsmon (host-uclibc for this machine's own
# architecture). It gives the target image and the files named below; BOARD picks the board.
# Each script installs the packages that it misses, and says so.

BUILD ?= build
BOARD ?= qemu-malta
HOST_ARCH ?= $(shell uname -m)

STEP := board/common/step.sh
BOARDS := $(patsubst board/%/board.conf,%,$(wildcard board/*/board.conf))
ifeq ($(filter $(BOARD),$(BOARDS)),)
$(error no board "$(BOARD)"; there are: $(BOARDS))
endif
# $(call board_conf,board,KEY): a value of a board.conf
board_conf = $(shell sed -n 's/^$(2)="\(.*\)"$$/\1/p' board/$(1)/board.conf)
BOARD_ARCH := $(call board_conf,$(BOARD),ARCH)
BOARD_IMAGE := $(BUILD)/$(BOARD)/rootfs.cpio.gz

# make takes these for intermediate files of a chain of patterns, and would delete them.
.PRECIOUS: $(BUILD)/toolchain/%/cc $(BUILD)/busybox/%/busybox $(BUILD)/mbedtls/%/libmbedtls.a

$(BUILD)/toolchain/%/cc: board/common/uclibc.sh board/common/uclibc.config \
		board/common/config-check.sh board/common/arch/%.conf | setup-uclibc
	@$(STEP) uclibc-$* "building the uClibc-ng toolchain, about a minute" \
		board/common/uclibc.sh $*

$(BUILD)/busybox/%/busybox: $(BUILD)/toolchain/%/cc board/common/busybox.sh \
		board/common/busybox.config board/common/config-check.sh
	@$(STEP) busybox-$* "building busybox, about half a minute" board/common/busybox.sh $*

board_upsmon = $(BUILD)/$(if $(filter $(1),$(HOST_ARCH)),host,$(1))-uclibc/upsmon

define board_rules
$(BUILD)/$(1)/vmlinux $(BUILD)/$(1)/modules/list &: board/common/kernel.sh board/$(1)/board.conf \
		| setup-board
	@$(STEP) kernel-$(1) "fetching the kernel" board/common/kernel.sh $(1)

# The folders count too: a file that was removed shows in its folder's time.
$(BUILD)/$(1)/rootfs.cpio.gz: board/common/image.sh board/$(1)/board.conf \
		$(call board_upsmon,$(2)) $(BUILD)/busybox/$(2)/busybox \
		$(BUILD)/$(1)/vmlinux $(BUILD)/$(1)/modules/list \
		$(shell find rootfs-overlay board/$(1)/rootfs-overlay ! -type l 2>/dev/null)
	@board/common/image.sh $(1) $(call board_upsmon,$(2))
endef
$(foreach board,$(BOARDS),$(eval $(call board_rules,$(board),$(call board_conf,$(board),ARCH))))

.PHONY: image
image: $(BOARD_IMAGE)

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
ALL_BOARDS := $(patsubst board/%/board.conf,%,$(wildcard board/*/board.conf))
# those that are tested
BOARDS ?= $(ALL_BOARDS)
ifneq ($(filter-out $(ALL_BOARDS),$(BOARD) $(BOARDS)),)
$(error no board "$(filter-out $(ALL_BOARDS),$(BOARD) $(BOARDS))"; there are: $(ALL_BOARDS))
endif
# $(call board_conf,board,KEY): a value of a board.conf
board_conf = $(shell sed -n 's/^$(2)="\(.*\)"$$/\1/p' board/$(1)/board.conf)
# $(call board_packages,board): what is to be installed for it
board_packages = $(foreach key,QEMU_PACKAGE BOOT_PACKAGES,$(call board_conf,$(1),$(key))) \
	$(shell sed -n 's/^PACKAGES="\(.*\)"$$/\1/p' board/common/arch/$(call board_conf,$(1),ARCH).conf)
DISK_PACKAGES := squashfs-tools genimage dosfstools mtools e2fsprogs u-boot-tools device-tree-compiler \
	grub-pc-bin grub-common
# $(call board_image,board): what is flashed, or where there is no disk, loaded into memory
IMAGE_OF_u-boot := disk.img
IMAGE_OF_grub := disk.img
IMAGE_OF_uimage := uInitrd
IMAGE_OF_ := rootfs.cpio.gz
board_image = $(BUILD)/$(1)/$(IMAGE_OF_$(call board_conf,$(1),BOOT))

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
		$(shell find rootfs-overlay board/common/*-overlay board/$(1)/rootfs-overlay ! -type l 2>/dev/null) \
		board/common/pack.sh
	@board/common/image.sh $(1) $(call board_upsmon,$(2))

$(BUILD)/$(1)/disk.img: $(BUILD)/$(1)/rootfs.cpio.gz board/common/disk-image.sh board/common/initrd/init \
		$(wildcard board/$(1)/boot.* board/$(1)/grub.cfg)
	@$(STEP) disk-$(1) "making the disk of $(1)" board/common/disk-image.sh $(1)

$(BUILD)/$(1)/uInitrd: $(BUILD)/$(1)/rootfs.cpio.gz board/common/uimage.sh
	@board/common/uimage.sh $(1)
endef
$(foreach board,$(ALL_BOARDS),$(eval $(call board_rules,$(board),$(call board_conf,$(board),ARCH))))

.PHONY: image
image: $(call board_image,$(BOARD))
.PHONY: images
images: $(foreach board,$(BOARDS),$(call board_image,$(board)))

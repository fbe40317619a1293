# OpenWrt: a package that opkg installs, made without OpenWrt's build system; see README.md here.
# For x86_64 alone: OpenWrt's MIPS and ARM kernels and routers want other compilers than Debian's.

IPK_DIR := $(BUILD)/openwrt/x86_64
IPK_CC := $(BUILD)/toolchain/x86_64
IPK := $(IPK_DIR)/nutlet-upsmon.ipk
IPK_FILES := $(wildcard board/openwrt/* board/openwrt/files/* board/openwrt/standalone/*.mk \
	board/openwrt/standalone/include/*)

# the tests make the package
PACKAGE_TEST_PACKAGES += $(UCLIBC_PACKAGES)

.PHONY: ipk
ipk: setup-uclibc $(IPK) ## OpenWrt: a static nutlet-upsmon for opkg, x86_64

$(IPK): $(SRC) $(HDR) Makefile $(IPK_FILES) $(IPK_CC)/cc
	@mkdir -p $(IPK_DIR)
	@$(MAKE) -s -C board/openwrt package TOPDIR=$(CURDIR)/board/openwrt/standalone \
		BUILD_DIR=$(CURDIR)/$(IPK_DIR) PACKAGE=nutlet-upsmon BUILD_VARIANT=plain \
		PKGARCH=x86_64 TARGET_CC=$(CURDIR)/$(IPK_CC)/cc \
		TARGET_CFLAGS="-Os -fno-asynchronous-unwind-tables -fno-unwind-tables"
	@$(IPK_CC)/strip $(IPK_DIR)/root/usr/sbin/upsmon
	@board/openwrt/ipk.sh $(IPK_DIR)/root $(IPK_DIR)/control $@
	@echo "$@: $$(stat -c %s $@) bytes; upsmon $$(stat -c %s $(IPK_DIR)/root/usr/sbin/upsmon)"

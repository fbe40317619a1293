# OpenWrt: a package that opkg installs, made without OpenWrt's build system; see README.md here.

# the package's architecture, and the toolchain here that builds for it
IPK_ARCH ?= x86_64
IPK_TOOLCHAIN := $(or $(filter x86_64,$(IPK_ARCH)),$(firstword $(subst _, ,$(IPK_ARCH))))
IPK_PACKAGE ?= nutlet-upsmon
IPK_DIR := $(BUILD)/openwrt/$(IPK_ARCH)
IPK := $(IPK_DIR)/$(IPK_PACKAGE).ipk
IPK_FILES := $(wildcard board/openwrt/* board/openwrt/files/* board/openwrt/standalone/*.mk \
	board/openwrt/standalone/include/*)

# the tests make the package
PACKAGE_TEST_PACKAGES += $(UCLIBC_PACKAGES)

.PHONY: ipk
ipk: setup-ipk $(IPK) ## OpenWrt: a static nutlet-upsmon for opkg; IPK_ARCH=x86_64, mipsel_24kc

.PHONY: setup-ipk
setup-ipk:
	@$(SETUP) $(UCLIBC_PACKAGES) $(if $(filter x86_64,$(IPK_TOOLCHAIN)),,$(BOARD_PACKAGES))

$(IPK): $(SRC) $(HDR) Makefile $(IPK_FILES) $(BUILD)/toolchain/$(IPK_TOOLCHAIN)/cc
	@mkdir -p $(IPK_DIR)
	@$(MAKE) -s -C board/openwrt package TOPDIR=$(CURDIR)/board/openwrt/standalone \
		BUILD_DIR=$(CURDIR)/$(IPK_DIR) PACKAGE=$(IPK_PACKAGE) BUILD_VARIANT=plain \
		PKGARCH=$(IPK_ARCH) TARGET_CC=$(CURDIR)/$(BUILD)/toolchain/$(IPK_TOOLCHAIN)/cc \
		TARGET_CFLAGS="-Os -fno-asynchronous-unwind-tables -fno-unwind-tables"
	@$(BUILD)/toolchain/$(IPK_TOOLCHAIN)/strip $(IPK_DIR)/root/usr/sbin/upsmon
	@board/openwrt/ipk.sh $(IPK_DIR)/root $(IPK_DIR)/control $@
	@echo "$@: $$(stat -c %s $@) bytes; upsmon $$(stat -c %s $(IPK_DIR)/root/usr/sbin/upsmon)"

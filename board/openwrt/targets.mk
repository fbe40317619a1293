# OpenWrt: a package that opkg installs, made without OpenWrt's build system; see README.md here.
# For x86_64 alone: OpenWrt's MIPS and ARM kernels and routers want other compilers than Debian's.

IPK_DIR := $(BUILD)/openwrt/x86_64
IPK_TLS := $(BUILD)/mbedtls/x86_64
IPK_CC := $(BUILD)/toolchain/x86_64
IPK_FILES := $(wildcard board/openwrt/* board/openwrt/files/* board/openwrt/standalone/*.mk \
	board/openwrt/standalone/include/*)

# the tests make the package
PACKAGE_TEST_PACKAGES += $(UCLIBC_PACKAGES)

.PHONY: ipk
ipk: setup-uclibc $(IPK_DIR)/nutlet-upsmon.ipk $(IPK_DIR)/nutlet-upsmon-mbedtls.ipk ## OpenWrt: static packages for opkg, without and with TLS, x86_64

# (1) variant, (2) package, (3) what else it is made of, (4) more for the package's Makefile
define ipk_rule
$(IPK_DIR)/$(2).ipk: $(SRC_TLS) $(HDR) Makefile $(IPK_FILES) $(IPK_CC)/cc $(3)
	@mkdir -p $(IPK_DIR)/$(1)
	@$(MAKE) -s -C board/openwrt package TOPDIR=$(CURDIR)/board/openwrt/standalone \
		BUILD_DIR=$(CURDIR)/$(IPK_DIR)/$(1) PACKAGE=$(2) BUILD_VARIANT=$(1) \
		PKGARCH=x86_64 TARGET_CC=$(CURDIR)/$(IPK_CC)/cc \
		TARGET_CFLAGS="-Os -fno-asynchronous-unwind-tables -fno-unwind-tables" $(4)
	@$(IPK_CC)/strip $(IPK_DIR)/$(1)/root/usr/sbin/upsmon
	@board/openwrt/ipk.sh $(IPK_DIR)/$(1)/root $(IPK_DIR)/$(1)/control $$@
	@echo "$$@: $$$$(stat -c %s $$@) bytes; upsmon $$$$(stat -c %s $(IPK_DIR)/$(1)/root/usr/sbin/upsmon)"
endef
$(eval $(call ipk_rule,plain,nutlet-upsmon))
# Our own library, as in the static images, in place of OpenWrt's shared one.
$(eval $(call ipk_rule,mbedtls,nutlet-upsmon-mbedtls,$(IPK_TLS)/libmbedtls.a,\
	TLS_LIBS=$(CURDIR)/$(IPK_TLS)/libmbedtls.a TARGET_CPPFLAGS="-I$(CURDIR)/$(IPK_TLS)/include \
		-DMBEDTLS_CONFIG_FILE='\\\"tls/mbedtls_config.h\\\"'"))

# A stand-in for Buildroot, and not Buildroot: as much of its generic-package as package/nutlet
# uses, written after the manual, so that CI runs the package's own commands without Buildroot.
#
#	make -f buildroot_standin.mk O=DIR BR2_EXTERNAL_NUTLET_PATH=TREE TARGET_CC=CC TARGET_STRIP=STRIP
#
# DIR/.config is read; DIR/build/<package>-<version>, DIR/target, DIR/users and DIR/permissions
# are made.  `make ... show` prints what the package passes to make.

.DEFAULT_GOAL := all
include $(O)/.config

BUILD_DIR := $(O)/build
TARGET_DIR := $(O)/target
INSTALL := install
TARGET_CPPFLAGS := -D_LARGEFILE_SOURCE -D_LARGEFILE64_SOURCE -D_FILE_OFFSET_BITS=64
TARGET_CFLAGS ?= $(TARGET_CPPFLAGS) -Os -g0
TARGET_LDFLAGS ?=
TARGET_MAKE_ENV := GIT_DIR=. PATH="$(PATH)"

pkgdir = $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
pkgname = $(notdir $(pkgdir))
uppercase = $(shell echo $(1) | tr a-z- A-Z_)
generic-package = $(call inner-generic-package,$(pkgname),$(call uppercase,$(pkgname)),$(pkgdir))

# $(1): name, $(2): NAME, $(3): its folder
define inner-generic-package
ifneq ($$($(2)_SITE_METHOD),local)
$$(error the stand-in knows no other SITE_METHOD than local)
endif
$(2)_PKGDIR := $(3)
$(2)_DIR := $$(BUILD_DIR)/$(1)-$$($(2)_VERSION)

# As Buildroot expands it only when a package is built, so does this.
.PHONY: $(1) $(1)-show
$(1):
	rm -rf $$($(2)_DIR) $$(TARGET_DIR)
	mkdir -p $$($(2)_DIR) $$(TARGET_DIR)
	$$(MAKE) -f $$(firstword $$(MAKEFILE_LIST)) $$($(2)_DIR)/.stamp_installed
$(1)-show:
	@echo '$$(subst ','\'',$$($(2)_MAKE_OPTS))'
	@echo 'DEPENDENCIES=$$($(2)_DEPENDENCIES)'

$$($(2)_DIR)/.stamp_rsynced:
	rsync -au $$($(2)_OVERRIDE_SRCDIR_RSYNC_EXCLUSIONS) --exclude .git $$($(2)_SITE)/ $$(@D)
	touch $$@
$$($(2)_DIR)/.stamp_built: $$($(2)_DIR)/.stamp_rsynced
	+$$($(2)_BUILD_CMDS)
	touch $$@
$$($(2)_DIR)/.stamp_installed: $$($(2)_DIR)/.stamp_built
	+$$($(2)_INSTALL_TARGET_CMDS)
	$$(if $$(BR2_INIT_SYSTEMD),$$($(2)_INSTALL_INIT_SYSTEMD))
	$$(if $$(BR2_INIT_BUSYBOX),$$($(2)_INSTALL_INIT_SYSV))
	$$(file >$$(O)/users,$$($(2)_USERS))
	$$(file >$$(O)/permissions,$$($(2)_PERMISSIONS))
	$$(if $$(TARGET_STRIP),$$(TARGET_STRIP) $$(TARGET_DIR)/usr/sbin/*)
	touch $$@

ifeq ($$(BR2_PACKAGE_$(2)),y)
all: $(1)
show: $(1)-show
endif
endef

.PHONY: all show
all show:

include $(BR2_EXTERNAL_NUTLET_PATH)/external.mk

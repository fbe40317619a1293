# SPDX-License-Identifier: ISC
# What ../Makefile takes from OpenWrt's rules.mk, for `make ipk`. The command line gives BUILD_DIR,
# PACKAGE, BUILD_VARIANT, PKGARCH, TARGET_CC and TARGET_CFLAGS.
INCLUDE_DIR := $(TOPDIR)/include

CP := cp -fpR
LN := ln -sf
INSTALL_DIR := install -d -m 755
INSTALL_BIN := install -m 755
INSTALL_DATA := install -m 644
INSTALL_CONF := install -m 600

# as Config.in has them, unless the command line says otherwise
CONFIG_IPV6 := y
CONFIG_NUTLET_UPGRADE := y
CONFIG_NUTLET_JSON := y
CONFIG_NUTLET_UPSSCHED := y
CONFIG_NUTLET_SECCOMP := y
CONFIG_NUTLET_SUPERVISOR := y

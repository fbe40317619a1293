#!/bin/sh
# SPDX-License-Identifier: ISC
# OpenWrt's CI runs this in the target's root: does the program that is installed say the
# version of the package? PKG_NAME and PKG_VERSION are in its environment.
case $PKG_NAME in
nutlet-upsmon*) upsmon -V | grep -wF "${PKG_VERSION:?}" ;;
esac

# targets.mk - what the tests of this folder need: tests/packages/test_buildroot*.py.

PACKAGE_TEST_PACKAGES += file python3-kconfiglib rsync systemd

# They build with the board's toolchain, and put what they built into its image.
package-test: $(BUILD)/mipsel-uclibc/upsmon $(BUILD)/qemu-malta/rootfs.cpio.gz

# targets.mk - Debian packages. Included by the top Makefile.

DEB_ARCHES := amd64 armhf arm64
DEB_OWN := $(shell dpkg --print-architecture 2>/dev/null)
DEB_ARCH ?= $(DEB_ARCHES)

DEB_GCC_amd64 := gcc-x86-64-linux-gnu
DEB_GCC_armhf := gcc-arm-linux-gnueabihf
DEB_GCC_arm64 := gcc-aarch64-linux-gnu
deb_packages = debhelper dpkg-dev $(foreach arch,$(filter-out $(DEB_OWN),$(1)),\
	$(DEB_GCC_$(arch)) libc6-dev-$(arch)-cross)

PACKAGE_TEST_PACKAGES += $(call deb_packages,$(DEB_ARCHES)) binutils lintian mmdebstrap \
	qemu-user-static

.PHONY: deb
deb: ## Debian packages: build/deb/; DEB_ARCH=armhf for one of amd64, armhf, arm64
	@$(if $(filter-out $(DEB_ARCHES) $(DEB_OWN),$(DEB_ARCH)),\
		echo "DEB_ARCH=$(DEB_ARCH): there are $(DEB_ARCHES)" >&2; exit 1)
	@$(SETUP) $(call deb_packages,$(DEB_ARCH))
	@for arch in $(DEB_ARCH); do \
		$(STEP) deb-$$arch "building the package for $$arch" board/debian/build.sh $$arch || exit 1; \
	done
	@cd $(BUILD)/deb && ls -l nutlet_*.deb

################################################################################
#
# nutlet
#
################################################################################

# This external tree lies in the repository of nutlet, and builds what is there.
# For a release, as in Buildroot's own package/: VERSION is its number, SITE the
# place of its tarball, SITE_METHOD and the exclusion go, and nutlet.hash gets
# the hash of the tarball.
NUTLET_VERSION = 0.1.0
NUTLET_SITE = $(BR2_EXTERNAL_NUTLET_PATH)/../..
NUTLET_SITE_METHOD = local
# toolchains and images of this repository, and nothing of the package
NUTLET_OVERRIDE_SRCDIR_RSYNC_EXCLUSIONS = --exclude /build
NUTLET_LICENSE = ISC
NUTLET_LICENSE_FILES = LICENSE

# The package nut has an upsmon, too, and this one takes its place.
NUTLET_DEPENDENCIES = $(if $(BR2_PACKAGE_NUT),nut)

# The linker drops what is not called and puts what is used together (MOSTLY_UNUSED in
# options.h); nothing here unwinds a stack.
NUTLET_CFLAGS = \
	$(TARGET_CFLAGS) \
	-ffunction-sections \
	-fdata-sections \
	-fno-asynchronous-unwind-tables \
	-fno-unwind-tables

# /run is a tmpfs. The init script and NUT look for upsmon.pid right there.
NUTLET_MAKE_OPTS = \
	CC="$(TARGET_CC)" \
	CFLAGS="$(NUTLET_CFLAGS)" \
	CPPFLAGS="$(TARGET_CPPFLAGS) -DPID_DIR='\"/run\"'" \
	LDFLAGS="$(TARGET_LDFLAGS) -Wl,--gc-sections -Wl,--sort-section=name" \
	PREFIX=/usr \
	SYSCONFDIR=/etc

# A static program would get a quarter of uClibc-ng for a resolver and printf.
ifeq ($(BR2_STATIC_LIBS)$(BR2_TOOLCHAIN_USES_UCLIBC),yy)
NUTLET_MAKE_OPTS += SMALL_LIBC=yes
endif

# What costs bytes is left out by its variable.
ifneq ($(BR2_PACKAGE_NUTLET_CHECK),y)
NUTLET_MAKE_OPTS += CHECK=no
endif

ifneq ($(BR2_PACKAGE_NUTLET_JSON),y)
NUTLET_MAKE_OPTS += JSON=no
endif

ifneq ($(BR2_PACKAGE_NUTLET_UPGRADE),y)
NUTLET_MAKE_OPTS += UPGRADE=no
endif

ifneq ($(BR2_PACKAGE_NUTLET_UPSSCHED),y)
NUTLET_MAKE_OPTS += UPSSCHED=no
endif

ifneq ($(BR2_PACKAGE_NUTLET_IPV6),y)
NUTLET_MAKE_OPTS += IPV6=no
endif

ifneq ($(BR2_PACKAGE_NUTLET_SECCOMP),y)
NUTLET_MAKE_OPTS += SECCOMP=no
endif

ifneq ($(BR2_PACKAGE_NUTLET_SUPERVISOR),y)
NUTLET_MAKE_OPTS += SUPERVISOR=no
endif

ifeq ($(BR2_PACKAGE_NUTLET_TLS),y)
NUTLET_DEPENDENCIES += mbedtls
NUTLET_MAKE_OPTS += TLS=mbedtls
endif

define NUTLET_BUILD_CMDS
	$(TARGET_MAKE_ENV) $(MAKE) -C $(@D) $(NUTLET_MAKE_OPTS) build/host/upsmon
endef

define NUTLET_INSTALL_TARGET_CMDS
	$(INSTALL) -D -m 0755 $(@D)/build/host/upsmon \
		$(TARGET_DIR)/usr/sbin/upsmon
	$(INSTALL) -D -m 0600 $(NUTLET_PKGDIR)/upsmon.conf \
		$(TARGET_DIR)/etc/nut/upsmon.conf
endef

define NUTLET_INSTALL_INIT_SYSV
	$(INSTALL) -D -m 0755 $(NUTLET_PKGDIR)/S60upsmon \
		$(TARGET_DIR)/etc/init.d/S60upsmon
endef

define NUTLET_INSTALL_INIT_SYSTEMD
	$(INSTALL) -D -m 0644 $(NUTLET_PKGDIR)/upsmon.service \
		$(TARGET_DIR)/usr/lib/systemd/system/upsmon.service
endef

# The half that talks to the network. The same line as in the package nut.
define NUTLET_USERS
	nut -1 nut -1 * - - - NUT user
endef

# It holds passwords; root alone reads it. This holds for a file of an overlay,
# too, and F is content if there is none.
define NUTLET_PERMISSIONS
	/etc/nut/upsmon.conf F 0600 0 0 - - - - -
endef

$(eval $(generic-package))

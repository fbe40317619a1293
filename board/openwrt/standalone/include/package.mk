# SPDX-License-Identifier: ISC
# What ../../Makefile takes from OpenWrt's package.mk: the package $(PACKAGE) is built by its
# recipe, and installed into $(BUILD_DIR)/root; what a .ipk holds besides, into
# $(BUILD_DIR)/control.

comma := ,
space := $(subst ,, )
define newline


endef

FIELDS := SECTION DEPENDS PROVIDES CONFLICTS USERID
list = $(subst $(space),$(comma)$(space),$(strip $(1)))
# 1: field, 2: value; without a value the field is left out
field = $(if $(strip $(2)),$(1): $(strip $(2))$(newline))

# + selects in menuconfig, and what that selects is linked into the program here; @ is a condition
# there, and not for the package
control = $(call field,Package,$(PACKAGE))$\
	$(call field,Version,$(PKG_VERSION)-r$(PKG_RELEASE))$\
	$(call field,Depends,$(call list,$(filter-out +% @%,$(MY_DEPENDS))))$\
	$(call field,Conflicts,$(call list,$(MY_CONFLICTS)))$\
	$(call field,Provides,$(call list,$(MY_PROVIDES)))$\
	$(call field,License,$(PKG_LICENSE))$\
	$(call field,Section,$(MY_SECTION))$\
	$(call field,Require-User,$(MY_USERID))$\
	$(call field,Maintainer,$(PKG_MAINTAINER))$\
	$(call field,Architecture,$(PKGARCH))
export CONTROL = $(control)
export DESCRIPTION = $(Package/$(PACKAGE)/description)
export CONFFILES = $(Package/$(PACKAGE)/conffiles)

define take_fields
$(foreach field,$(FIELDS),$(eval $(field) :=))
$(eval $(Package/$(1)))
$(foreach field,$(FIELDS),$(eval MY_$(field) := $($(field))))
endef

BuildPackage = $(if $(filter $(PACKAGE),$(1)),$(strip $(call take_fields,$(1))))

.PHONY: package
package:
	rm -rf $(PKG_BUILD_DIR) $(BUILD_DIR)/root $(BUILD_DIR)/control
	$(Build/Prepare)
	$(Build/Compile)
	$(call Package/$(PACKAGE)/install,$(BUILD_DIR)/root)
	mkdir $(BUILD_DIR)/control
	printf '%s\n' "$$CONTROL" | sed '/^$$/d' >$(BUILD_DIR)/control/control
	printf '%s\n' "$$DESCRIPTION" | sed '1s/^ */Description: /; 2,$$s/^ */ /' \
		>>$(BUILD_DIR)/control/control
	printf '%s\n' $$CONFFILES >$(BUILD_DIR)/control/conffiles
	chmod 644 $(BUILD_DIR)/control/*

# Every way to start upsmon: what `make install INIT=...` adds, and what its tests need.

# namespaces and their mounts
PACKAGE_TEST_PACKAGES += util-linux mount

.PHONY: install-init
install-init: ## what starts upsmon, where it belongs: INIT=systemd, s6, runit, openrc, busybox or sysv
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' SYSCONFDIR='$(SYSCONFDIR)' board/init/install.sh '$(INIT)'

# The real supervisors, from Debian's packages, each suite in a folder of its own. The systemd of
# the first does not know notify-reload, that of the second does.
INIT_TREE_bookworm := systemd
INIT_TREE_trixie := systemd s6 execline runit openrc dpkg
INIT_TREES := $(addprefix $(BUILD)/init/,bookworm trixie)

$(INIT_TREES): $(BUILD)/init/%: tests/packages/init_tree.sh
	@board/common/step.sh init "$*: unpacking $(INIT_TREE_$*)" \
		tests/packages/init_tree.sh $* $@ $(INIT_TREE_$*)
	@touch $@

# to unpack them needs root, and so do the tests, which say so
package-test: $(if $(filter 0,$(shell id -u)),$(INIT_TREES))

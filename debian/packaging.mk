# Packages, units and tests on whole systems.

.PHONY: deb check-system install-systemd

deb:
	$(Q)tools/deps deb
	$(Q)tools/make-deb $(BUILD)/deb

check-system: deps
	$(Q)tests/run-all build deb system

install: install-systemd

install-systemd:
	install -d $(DESTDIR)$(docdir)/examples/cluster $(DESTDIR)$(docdir)/examples/static-pods
	install -m 644 examples/cluster/* $(DESTDIR)$(docdir)/examples/cluster/
	install -m 644 examples/static-pods/* $(DESTDIR)$(docdir)/examples/static-pods/
	install -d $(DESTDIR)$(prefix)/lib/systemd/system $(DESTDIR)$(prefix)/lib/systemd/user \
	    $(DESTDIR)$(prefix)/lib/sysusers.d
	install -m 644 share/systemd/kubesvcd.service $(DESTDIR)$(prefix)/lib/systemd/system/
	install -m 644 share/systemd/user/kubesvcd.service $(DESTDIR)$(prefix)/lib/systemd/user/
	install -m 644 share/systemd/sysusers.conf $(DESTDIR)$(prefix)/lib/sysusers.d/kubesvcd.conf

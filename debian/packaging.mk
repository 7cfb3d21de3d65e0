# Packages and tests on whole systems.

.PHONY: deb check-system

deb:
	$(Q)tools/deps deb
	$(Q)tools/make-deb $(BUILD)/deb

check-system: deps
	$(Q)tests/run-all build deb system

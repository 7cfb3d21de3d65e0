# SPDX-License-Identifier: LGPL-2.1-or-later
# Packages and tests on whole systems.

.PHONY: deb check-system

deb: deps-deb
	$(Q)tools/make-deb $(BUILD)/deb

check-system: deps-check
	$(Q)tests/run-all build deb system

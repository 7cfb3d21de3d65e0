# SPDX-License-Identifier: LGPL-2.1-or-later
# Measurements; tests/bench/bench.py says what is measured, and how.

.PHONY: bench bench-tools

BENCH_SOURCES := $(wildcard tests/bench/*.c)
SOURCES += $(BENCH_SOURCES)
BENCH_MODULES = $(O)/bench/libnss_null.so.2
BENCH_PROGRAMS = $(patsubst %,$(O)/bench/%,lookup change events attack dns_load connect)

$(O)/bench/libnss_null.so.2: $(O)/obj/tests/bench/nss_null.o
$(BENCH_MODULES):
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared $(BASE_LDFLAGS) -Wl,-soname,$(@F) -o $@ $<

$(BENCH_PROGRAMS): $(O)/bench/%: $(O)/obj/tests/bench/%.o
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(PROGRAM_LDFLAGS) -o $@ $< $(shell $(PKG_CONFIG) --libs yaml-0.1) -pthread

bench-tools: $(BENCH_MODULES) $(BENCH_PROGRAMS)

# BENCH: lookup, scale, fairness, cluster, runtimes, dns, proxy (default: all); BENCH_QUICK=1: fewer repetitions.
bench: deps-bench
	$(Q)$(MAKE) --no-print-directory -s all bench-tools
	$(Q)KUBESVC_BUILD=$(abspath $(O)) $(PYTHON) -B tests/bench/bench.py $(BENCH)

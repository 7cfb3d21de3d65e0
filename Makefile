# SPDX-License-Identifier: LGPL-2.1-or-later
# kubesvc: README.md says what it is. `make V=1` shows the commands.
#
# Everything is built below $(BUILD); SAN=1, TSAN=1, DRD=1 and FUZZ=1 build into directories of their
# own there, so that the variants can stand side by side. CC=gcc or clang, WERROR=1 makes warnings errors.

MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := all
.SUFFIXES:
.DELETE_ON_ERROR:

VERSION = 0.2.0

BUILD ?= build
ifeq ($(origin CC),default)
CC = gcc
endif
ifeq ($(origin AR),default)
AR = ar
endif
PKG_CONFIG ?= pkg-config
PYTHON = python3

prefix = /usr
sysconfdir = /etc
bindir = $(prefix)/bin
sbindir = $(prefix)/sbin
mandir = $(prefix)/share/man
docdir = $(prefix)/share/doc/kubesvcd
libdir = $(prefix)/lib/$(shell $(CC) -print-multiarch)

# --- Flags ----------------------------------------------------------------------------------------

CFLAGS ?= -O2 -g
WARN = -Wall -Wextra -Wshadow -Wconversion
ifdef WERROR
WARN += -Werror
endif

PKGS = libsystemd glib-2.0 yaml-0.1 yajl libcares
CLUSTER_PKGS = libcurl # of kubesvc-cluster alone
PROXY_PKGS = libnftables libmnl # of kubesvc-proxy alone
# Asked once, and only when something is compiled: `make deps` must work before they are there.
ALL_PKGS = $(PKGS) $(CLUSTER_PKGS) $(PROXY_PKGS)
PKG_CFLAGS = $(eval PKG_CFLAGS := $$(or $$(shell $(PKG_CONFIG) --cflags $(ALL_PKGS) | sed 's/-I/-isystem /g'),$\
    $$(error $(PKG_CONFIG) does not find $(strip $(ALL_PKGS)); on Debian, 'make deps-build' installs what is missing)))$(PKG_CFLAGS)
CLUSTER_LIBS = $(eval CLUSTER_LIBS := $$(shell $(PKG_CONFIG) --libs $(CLUSTER_PKGS)))$(CLUSTER_LIBS)
PROXY_LIBS = $(eval PROXY_LIBS := $$(shell $(PKG_CONFIG) --libs $(PROXY_PKGS)))$(PROXY_LIBS)
PKG_LIBS = $(eval PKG_LIBS := $$(shell $(PKG_CONFIG) --libs $(PKGS)) -lm -lresolv)$(PKG_LIBS)

BASE_CFLAGS = -std=gnu17 -D_GNU_SOURCE -iquote . -Iinclude $(WARN) -fstack-protector-strong
BASE_LDFLAGS = -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack
ifdef SAN
O = $(BUILD)/san
BASE_CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
BASE_LDFLAGS += -fsanitize=address,undefined
else ifdef TSAN
O = $(BUILD)/tsan
BASE_CFLAGS += -fsanitize=thread -fno-omit-frame-pointer
BASE_LDFLAGS += -fsanitize=thread
else ifdef DRD
O = $(BUILD)/drd
BASE_CFLAGS += -DKUBESVC_DRD -fno-omit-frame-pointer
else ifdef FUZZ
O = $(BUILD)/fuzz
CC = clang
BASE_CFLAGS += -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
BASE_LDFLAGS += -fsanitize=address,undefined
else
O = $(BUILD)
BASE_CFLAGS += -fstack-clash-protection
ifeq ($(filter -D_FORTIFY_SOURCE=%,$(CPPFLAGS) $(CFLAGS)),)
BASE_CFLAGS += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif
endif

# The module is a guest in programs with small stacks. Sanitizers widen every frame.
NSS_CFLAGS = $(BASE_CFLAGS) -fPIC -fvisibility=hidden $(if $(SAN)$(TSAN)$(FUZZ),,-Wframe-larger-than=2048)
# Large files and the time after 2038 on 32-bit systems. Not for the module: its interface has neither.
LARGE_CFLAGS = -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64
# What Debian 12 has: nothing newer is used, and what is deprecated since is no concern yet.
GLIB_CFLAGS = -DGLIB_VERSION_MIN_REQUIRED=GLIB_VERSION_2_74 -DGLIB_VERSION_MAX_ALLOWED=GLIB_VERSION_2_74
DAEMON_CFLAGS = $(BASE_CFLAGS) $(LARGE_CFLAGS) -fPIE $(GLIB_CFLAGS) -DKUBESVC_VERSION='"$(VERSION)"' $(PKG_CFLAGS)
CLIENT_CFLAGS = $(BASE_CFLAGS) -fPIE

MODULE_LDFLAGS = -shared $(BASE_LDFLAGS) -Wl,-soname,libnss_kubesvc.so.2 -Wl,-z,nodelete \
    -Wl,--version-script=nss/kubesvc.map
ifeq ($(SAN)$(TSAN)$(FUZZ),)
MODULE_LDFLAGS += -Wl,-z,defs -Wl,--compress-debug-sections=zlib
endif
PROGRAM_LDFLAGS = -pie $(BASE_LDFLAGS)

# --- What there is --------------------------------------------------------------------------------

MODULE = $(O)/libnss_kubesvc.so.2
DAEMON = $(O)/kubesvcd
CLI = $(patsubst cli/main.c,$(O)/kubesvc,$(wildcard cli/main.c))
CLUSTER = $(O)/kubesvc-cluster
DNS = $(O)/kubesvc-dns
PROXY = $(O)/kubesvc-proxy

# The rooms, each of which links only what stands right of it.
ROOMS = dns proxy cluster cli inspect serve publish state source runtime config manifest model forward yaml util nss resolve
room_dir = $(firstword $(wildcard daemon/$(1) lib/$(1) $(1)))
room_sources = $(filter-out %/main.c,$(wildcard $(call room_dir,$(1))/*.c))

MODULE_SOURCES = $(wildcard nss/*.c lib/resolve/*.c)
PROGRAM_SOURCES := $(wildcard daemon/*.c cli/main.c cluster/main.c dns/main.c proxy/main.c)
ROOM_SOURCES := $(foreach room,$(ROOMS),$(call room_sources,$(room)))
TEST_SOURCES := $(wildcard tests/unit/*.c tests/unit/*/*.c)
E2E_SOURCES := $(wildcard tests/e2e/*.c)
FUZZ_SOURCES := $(wildcard tests/fuzz/fuzz_*.c)
SOURCES := $(ROOM_SOURCES) $(PROGRAM_SOURCES) $(TEST_SOURCES) $(E2E_SOURCES) $(FUZZ_SOURCES)
HEADERS := $(wildcard include/kubesvc/*.h nss/*.h daemon/*.h daemon/*/*.h lib/*/*.h cli/*.h cluster/*.h proxy/*.h dns/*.h tests/*/*.h)

# Sorted: the order of $(wildcard) depends on the locale, and that of objects decides what a linker makes of them.
objects = $(patsubst %.c,$(O)/obj/%.o,$(sort $(1)))

# In the order of the rooms, so that the linker finds nothing for a call that goes upwards.
ARCHIVES = $(ROOMS:%=$(O)/lib%.a)
$(foreach room,$(ROOMS),$(eval $(O)/lib$(room).a: $(call objects,$(call room_sources,$(room)))))

UNIT_TESTS = $(patsubst tests/unit/%.c,$(O)/tests/%,$(wildcard tests/unit/*/test_*.c))
UNIT_SUPPORT = $(call objects,$(wildcard tests/unit/*.c))
E2E_MODULES = $(patsubst tests/e2e/nss_%.c,$(O)/e2e/libnss_%.so.2,$(filter tests/e2e/nss_%,$(E2E_SOURCES)))
E2E_PRELOADS = $(patsubst tests/e2e/%.c,$(O)/e2e/%.so,$(filter tests/e2e/preload_%,$(E2E_SOURCES)))
E2E_CLIENTS = $(patsubst tests/e2e/%.c,$(O)/e2e/%,\
    $(filter-out tests/e2e/nss_% tests/e2e/preload_%,$(E2E_SOURCES)))
FUZZERS = $(patsubst tests/fuzz/%.c,$(O)/fuzzers/%,$(FUZZ_SOURCES))

# A 32-bit module (and client to test it with) where the compiler can make one.
ifeq ($(SAN)$(TSAN)$(FUZZ),)
ifneq ($(shell echo 'int main(void){return 0;}' | $(CC) -m32 -xc - -o /dev/null 2>&1 || echo no),)
M32 =
else
M32 = $(O)/m32/libnss_kubesvc.so.2
M32_CLIENT = $(patsubst tests/e2e/%.c,$(O)/m32/e2e/%,$(filter tests/e2e/client.c,$(E2E_SOURCES)))
endif
endif

.PHONY: all tests check check-unit demo install uninstall fuzz run-fuzz lint check-format format \
    deps deps-build deps-demo deps-deb deps-bench deps-check clean FORCE

all: $(MODULE) $(DAEMON) $(CLI) $(CLUSTER) $(DNS) $(PROXY) $(M32)
ifeq ($(SAN)$(TSAN)$(FUZZ)$(filter-out build,$(BUILD)),)
all: compile_commands.json
endif

tests: all $(UNIT_TESTS) $(E2E_MODULES) $(E2E_PRELOADS) $(E2E_CLIENTS) $(M32_CLIENT)

# --- Rules ----------------------------------------------------------------------------------------

ifdef V
Q =
say = @:
else
Q = @
say = $(if $(findstring s,$(firstword -$(filter-out --%,$(MAKEFLAGS)))),@:,@printf '  %-7s %s\n')
endif

# Objects are rebuilt when the flags they were built with change, but not by `make install`: root's
# environment differs from that of the user who ran `make`, and what was built is what is installed.
made_with = $(CC) $(CPPFLAGS) $(CFLAGS) $(NSS_CFLAGS) $(DAEMON_CFLAGS) $(LDFLAGS) \
    $(MODULE_LDFLAGS) $(PROGRAM_LDFLAGS)
$(O)/flags: $(if $(MAKECMDGOALS),$(if $(filter-out install uninstall,$(MAKECMDGOALS)),FORCE),FORCE)
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(made_with))' >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

compile = @mkdir -p $(@D)$(newline)$(Q)$(CC) $(CPPFLAGS) $(1) $(CFLAGS) -MMD -MP -c -o $@ $<
define newline


endef

# What is in the module, or may be mapped into one, is compiled like the module.
flags_of = $(if $(filter nss/% lib/resolve/%,$(1)),$(NSS_CFLAGS),$\
    $(if $(filter tests/e2e/nss_% tests/e2e/preload_%,$(1)),$(BASE_CFLAGS) -fPIC,$\
    $(if $(filter tests/e2e/%,$(1)),$(CLIENT_CFLAGS),$\
    $(if $(filter tests/bench/%,$(1)),$(DAEMON_CFLAGS) -fPIC,$\
    $(if $(filter $(ARES_SOURCES),$(1)),$(filter-out -D_TIME_BITS=%,$(DAEMON_CFLAGS)),$\
    $(DAEMON_CFLAGS))))))
# c-ares takes a struct timeval there, as the system's libraries are built with it.
ARES_SOURCES := $(shell grep -ls ares_timeout $(ROOM_SOURCES))

$(O)/obj/%.o: %.c $(O)/flags
	$(say) CC $<
	$(call compile,$(call flags_of,$<))

$(O)/obj32/%.o: %.c $(O)/flags
	$(say) CC32 $<
	$(call compile,-m32 $(call flags_of,$<))

$(ARCHIVES):
	$(say) AR $@
	@mkdir -p $(@D) && rm -f $@
	$(Q)$(AR) rcs $@ $^

$(MODULE): $(call objects,$(MODULE_SOURCES)) nss/kubesvc.map
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(MODULE_LDFLAGS) -o $@ $(filter %.o,$^)

$(O)/m32/libnss_kubesvc.so.2: $(patsubst %.c,$(O)/obj32/%.o,$(sort $(MODULE_SOURCES))) nss/kubesvc.map
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) -m32 $(CFLAGS) $(LDFLAGS) $(MODULE_LDFLAGS) -o $@ $(filter %.o,$^)

$(O)/m32/e2e/%: $(O)/obj32/tests/e2e/%.o
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) -m32 $(CFLAGS) $(LDFLAGS) $(PROGRAM_LDFLAGS) -o $@ $< -pthread

$(DAEMON): $(call objects,$(wildcard daemon/*.c)) $(ARCHIVES)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(PROGRAM_LDFLAGS) -o $@ $(filter %.o,$^) $(ARCHIVES) $(PKG_LIBS) -pthread

$(call objects,cli/completion.c): $(wildcard share/completions/*) # bound in

$(O)/kubesvc: $(call objects,cli/main.c) $(ARCHIVES)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(PROGRAM_LDFLAGS) -o $@ $< $(ARCHIVES) $(PKG_LIBS)

$(CLUSTER): $(call objects,cluster/main.c) $(ARCHIVES)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(PROGRAM_LDFLAGS) -Wl,--as-needed -o $@ $< $(ARCHIVES) \
	    $(CLUSTER_LIBS) $(PKG_LIBS)

$(O)/kubesvc-dns: $(call objects,dns/main.c) $(ARCHIVES)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(PROGRAM_LDFLAGS) -Wl,--as-needed -o $@ $< $(ARCHIVES) $(PKG_LIBS)

$(PROXY): $(call objects,proxy/main.c) $(ARCHIVES)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(PROGRAM_LDFLAGS) -Wl,--as-needed -o $@ $< $(ARCHIVES) \
	    $(PROXY_LIBS) $(PKG_LIBS)

# A test names what it needs from the linker (such as --wrap) in its first three lines, "/* LDFLAGS: ... */".
own_ldflags = $$(sed -n '1,3s|^/\* LDFLAGS: \(.*\) \*/.*|\1|p' $(1))

$(O)/tests/%: $(O)/obj/tests/unit/%.o $(UNIT_SUPPORT) $(ARCHIVES)
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(PROGRAM_LDFLAGS) -o $@ $< $(UNIT_SUPPORT) $(ARCHIVES) \
	    $(call own_ldflags,tests/unit/$*.c) \
	    -Wl,--as-needed $(CLUSTER_LIBS) $(PROXY_LIBS) $(PKG_LIBS) -lcmocka -pthread

$(O)/e2e/libnss_%.so.2: $(O)/obj/tests/e2e/nss_%.o
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared $(BASE_LDFLAGS) -Wl,-soname,$(@F) -o $@ $<

$(O)/e2e/preload_%.so: $(O)/obj/tests/e2e/preload_%.o
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared $(BASE_LDFLAGS) -o $@ $<

$(O)/e2e/%: $(O)/obj/tests/e2e/%.o
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(PROGRAM_LDFLAGS) -o $@ $< -pthread

$(O)/fuzzers/%: $(O)/obj/tests/fuzz/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(PROGRAM_LDFLAGS) -fsanitize=fuzzer -o $@ $< $(ARCHIVES) \
	    $(call own_ldflags,tests/fuzz/$*.c) $(PKG_LIBS)

.SECONDARY: # objects are kept, also those that only a chain of pattern rules mentions

cdb_entry = {"directory": "$(CURDIR)", "file": "$(1)", "command": \
    "$(CC) $(subst ",\",$(call flags_of,$(1)) $(CFLAGS)) -c $(1)"}
comma = ,
# Written by make itself: it would be too long for one argument of a command.
compile_commands.json: $(O)/flags $(SOURCES)
	$(file >$@.new,[)
	$(foreach s,$(filter-out $(lastword $(SOURCES)),$(SOURCES)),\
	    $(file >>$@.new,$(call cdb_entry,$(s))$(comma)))
	$(file >>$@.new,$(call cdb_entry,$(lastword $(SOURCES))))
	$(file >>$@.new,])
	@mv $@.new $@

# --- Tests ----------------------------------------------------------------------------------------

check: deps-check
	$(Q)tests/run-all

check-unit: $(UNIT_TESTS)
	$(Q)$(PYTHON) tests/unit/run.py $(O)

demo: deps-demo
	@echo "Building (takes a minute the first time)"
	$(Q)$(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc)) all
	$(Q)tools/demo $(O)

# FUZZ_SECONDS for each target.
FUZZ_SECONDS ?= 60
fuzz:
	$(Q)$(MAKE) --no-print-directory FUZZ=1 run-fuzz

run-fuzz: $(FUZZERS)
	$(Q)for f in $(FUZZERS); do n=$${f##*/}; mkdir -p $(O)/corpus/$$n; \
	    echo "$$n: $(FUZZ_SECONDS) s"; \
	    $$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -verbosity=0 \
	        -print_final_stats=1 $(O)/corpus/$$n $$(ls -d tests/fuzz/corpus/$$n 2>/dev/null) \
	        || exit 1; done

lint: compile_commands.json
	$(Q)mkdir -p $(O)
	$(Q)printf '%s\n' $(SOURCES) | xargs -P2 -n2 clang-tidy --quiet -p . >$(O)/lint.log 2>&1 || \
	    { grep -vE 'warnings* generated|Processing file' $(O)/lint.log; exit 1; }
	$(Q)mandoc -T lint -W warning $(filter-out share/man/lib%,$(wildcard share/man/*.[158]))

check-format:
	$(Q)clang-format --dry-run -Werror $(SOURCES) $(HEADERS)

format:
	$(Q)clang-format -i $(SOURCES) $(HEADERS)

# What one purpose needs, through apt-get; tools/deps says which purposes there are.
deps: deps-check
deps-build deps-demo deps-deb deps-bench deps-check: deps-%:
	$(Q)tools/deps $*

# --- Installing -----------------------------------------------------------------------------------

# MODE:FILE:DESTINATION of everything that is installed, and so of everything `uninstall` removes.
INSTALLED = 644:$(MODULE):$(libdir)/$(notdir $(MODULE)) 755:$(DAEMON):$(sbindir)/kubesvcd \
    $(CLI:%=755:%:$(bindir)/kubesvc) 755:$(CLUSTER):$(sbindir)/kubesvc-cluster \
    755:$(DNS):$(sbindir)/kubesvc-dns \
    755:$(PROXY):$(sbindir)/kubesvc-proxy \
    644:share/completions/kubesvc.bash:$(prefix)/share/bash-completion/completions/kubesvc \
    644:share/completions/_kubesvc:$(prefix)/share/zsh/vendor-completions/_kubesvc \
    644:share/completions/kubesvc.fish:$(prefix)/share/fish/vendor_completions.d/kubesvc.fish \
    644:share/completions/_kubesvcd:$(prefix)/share/zsh/vendor-completions/_kubesvcd \
    $(foreach daemon,kubesvcd kubesvc-cluster kubesvc-dns kubesvc-proxy,$\
        644:share/completions/daemons.bash:$(prefix)/share/bash-completion/completions/$(daemon) $\
        644:share/completions/daemons.fish:$(prefix)/share/fish/vendor_completions.d/$(daemon).fish) \
    644:share/systemd/kubesvcd.service:$(prefix)/lib/systemd/system/kubesvcd.service \
    644:share/systemd/kubesvcd-runtime.service:$(prefix)/lib/systemd/system/kubesvcd-runtime.service \
    644:share/systemd/kubesvc-cluster@.service:$(prefix)/lib/systemd/system/kubesvc-cluster@.service \
    644:share/systemd/kubesvc-proxy.service:$(prefix)/lib/systemd/system/kubesvc-proxy.service \
    644:share/systemd/kubesvc-dns.service:$(prefix)/lib/systemd/system/kubesvc-dns.service \
    644:share/systemd/kubesvc-dns.socket:$(prefix)/lib/systemd/system/kubesvc-dns.socket \
    644:share/systemd/cluster.sysusers.conf:$(prefix)/lib/sysusers.d/kubesvc-cluster.conf \
    644:share/systemd/user/kubesvcd.service:$(prefix)/lib/systemd/user/kubesvcd.service \
    644:share/systemd/kubesvcd-runtime.service:$(prefix)/lib/systemd/user/kubesvcd-runtime.service \
    644:share/systemd/sysusers.conf:$(prefix)/lib/sysusers.d/kubesvcd.conf \
    644:share/systemd/tmpfiles.conf:$(prefix)/lib/tmpfiles.d/kubesvcd.conf \
    644:share/conf/kubesvcd.yaml:$(docdir)/kubesvcd.yaml \
    $(foreach page,$(wildcard share/man/*.[158]),$\
        644:$(page):$(mandir)/man$(subst .,,$(suffix $(page)))/$(notdir $(page))) \
    $(foreach file,$(wildcard README.md NEWS.md SECURITY.md docs/*.md examples/*.* examples/*/*.*),$\
        644:$(file):$(docdir)/$(file))
part = $(word $(1),$(subst :, ,$(2)))

install: all
	$(foreach one,$(INSTALLED),$(newline)	install -D -m $(call part,1,$(one)) $\
	    $(call part,2,$(one)) "$(DESTDIR)$(call part,3,$(one))")
	sed -i 's|/usr/sbin/kubesvc|$(sbindir)/kubesvc|; s|/usr/bin/kubesvc|$(bindir)/kubesvc|' \
	    "$(DESTDIR)$(prefix)/lib/systemd/"*/kubesvc*.service
	install -d $(foreach directory,manifests kubesvcd.yaml.d clusters,$\
	    "$(DESTDIR)$(sysconfdir)/kubesvc/$(directory)")

# Directories only where they are empty: the configuration, manifests and whatever else was written
# into them by others stays.
uninstall:
	rm -f $(foreach one,$(INSTALLED),"$(DESTDIR)$(call part,3,$(one))")
	find "$(DESTDIR)$(docdir)" "$(DESTDIR)$(sysconfdir)/kubesvc" -depth -type d -empty -delete \
	    2>/dev/null || :

include debian/packaging.mk
include tests/bench/bench.mk

clean:
	rm -rf $(BUILD) compile_commands.json

FORCE:
-include $(patsubst %.c,$(O)/obj/%.d,$(SOURCES)) $(wildcard $(O)/obj32/*/*.d $(O)/obj32/*/*/*.d)

# mptcp-run: userspace Multipath TCP.  `make help` lists the targets.

B        ?= build
CC       ?= gcc
OPT      ?= -O2 -g
SAN      ?=
WERROR   ?=
prefix   ?= /usr/local
bindir   ?= $(prefix)/bin
libexecdir ?= $(prefix)/libexec/mptcp-run
datadir  ?= $(prefix)/share/mptcp-run
libdir   ?= $(prefix)/lib/mptcp-run
mandir   ?= $(prefix)/share/man
DESTDIR  ?=
VERSION  := 0.1.0

ifeq ($(origin CC),default)
CC := gcc
endif

WARN_ALL := -Wall -Wextra -Wpedantic -Wshadow -Wconversion \
	-Wsign-conversion -Wcast-qual -Wpointer-arith -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wwrite-strings \
	-Wformat=2 -Wundef -Wvla -Walloca -Wnull-dereference \
	-Wswitch-enum -Wunused-macros -Wredundant-decls \
	$(if $(SAN),,-Wframe-larger-than=8192)
WARN_gcc := -Wlogical-op -Wduplicated-cond -Wduplicated-branches \
	-Wimplicit-fallthrough=5 -Wcast-align=strict
WARN_clang := -Wcomma -Wconditional-uninitialized -Wloop-analysis
IS_CLANG := $(findstring clang,$(shell $(CC) --version 2>/dev/null | head -1))
WARN     := $(WARN_ALL) $(if $(IS_CLANG),$(WARN_clang),$(WARN_gcc)) $(WERROR)
HARDEN   := -fno-strict-aliasing -fno-omit-frame-pointer -fstack-protector-strong
CPPFLAGS := -I. -D_GNU_SOURCE -DMPTCP_RUN_VERSION='"$(VERSION)"'
CFLAGS   := -std=gnu11 $(OPT) $(WARN) $(HARDEN) -fPIC $(SAN) $(EXTRA)
LDFLAGS  := -Wl,-z,relro,-z,now,-z,noexecstack $(SAN)

obj = $(patsubst %.c,$(B)/%.o,$(1))

core_dirs := base wire prim ip crypt tcp tcp/cc mptcp mptcp/pm mptcp/sched sock
core_src  := $(foreach d,$(core_dirs),$(wildcard stack/$(d)/*.c))
chan_src  := $(wildcard stack/chan/*.c)
shim_src  := $(wildcard shim/*.c)
tool_src  := $(filter-out tools/mptcp-run.c,$(wildcard tools/*.c))
CORE      := $(B)/libcore.a
CHAN      := $(B)/libchan.a
SHIM      := $(B)/libmptcp-shim.so
STACKD    := $(B)/mptcp-stackd
RUN       := $(B)/mptcp-run

all: $(RUN) $(STACKD) $(SHIM)

$(CORE): $(call obj,$(core_src))
	@rm -f $@
	@$(AR) rcs $@ $^

# what the shim and the tools share with the stack process: no protocol in it
$(CHAN): $(call obj,$(chan_src) $(wildcard stack/base/*.c))
	@rm -f $@
	@$(AR) rcs $@ $^

$(B)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(SHIM): $(call obj,$(shim_src)) $(CHAN) shim/shim.map
	@echo "  SHIM    $@"
	@$(CC) $(LDFLAGS) -shared -Wl,--version-script=shim/shim.map \
		-Wl,-z,nodelete -Wl,-z,defs -Wl,-Bsymbolic-functions -o $@ $(filter %.o,$^) $(CHAN) -ldl

$(RUN): $(call obj,tools/mptcp-run.c $(tool_src)) $(CHAN)
	@echo "  LINK    $@"
	@$(CC) $(LDFLAGS) -pie -o $@ $^

unit_lib := $(call obj,$(wildcard tests/lib/*.c))
unit_src := $(wildcard tests/unit/*/test_*.c)
unit_bin := $(patsubst tests/unit/%.c,$(B)/unit/%,$(unit_src))

$(B)/unit/%: $(B)/tests/unit/%.o $(unit_lib) $(CORE) $(CHAN)
	@mkdir -p $(@D)
	@echo "  LINK    $@"
	@$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(CHAN) $(CORE) -lcmocka -lcrypto

include $(wildcard stack/*/*.mk tests/*/*.mk)

# make unit U=base/test_wheel runs one
unit: $(if $(U),$(B)/unit/$(U),$(unit_bin))
	@B=$(B) tests/unit.sh $^

unit-build: $(unit_bin)

test-build: unit-build $(SIM) $(FLOWS) $(pkt_run) $(replay_bin) $(bench_core)

small: $(replay_bin) $(bench_core)
	@B=$(B) tests/small.sh

lint: $(CORE) $(RUN)
	@B=$(B) CC="$(CC)" tests/lint/run.sh

check:
	@+tests/check.sh

demo:
	@+tests/demo.sh

bench:
	@+tests/bench/run.sh

asan:
	@+$(MAKE) --no-print-directory B=build/asan OPT='-O1 -g' \
		SAN='-fsanitize=address -fno-sanitize-recover=all' unit pkt sim N=$(or $(N),300)

ubsan:
	@+$(MAKE) --no-print-directory B=build/ubsan OPT='-O1 -g' \
		SAN='-fsanitize=undefined -fno-sanitize-recover=all' unit pkt sim N=$(or $(N),300)

install: all
	install -d $(DESTDIR)$(bindir) $(DESTDIR)$(libexecdir) $(DESTDIR)$(libdir) \
		$(DESTDIR)$(mandir)/man1 $(DESTDIR)$(mandir)/man7 $(DESTDIR)$(mandir)/man8
	install -m 755 $(RUN) $(DESTDIR)$(bindir)/
	install -m 755 $(STACKD) $(DESTDIR)$(libexecdir)/
	install -m 755 $(SHIM) $(DESTDIR)$(libdir)/
	install -d $(DESTDIR)$(datadir)/tcpcrypt
	install -m 644 tools/tcpcrypt.lua $(DESTDIR)$(datadir)/
	install -m 644 tools/tcpcrypt/*.lua $(DESTDIR)$(datadir)/tcpcrypt/
	for n in 1 7 8; do install -m 644 man/*.$$n $(DESTDIR)$(mandir)/man$$n/ || exit 1; done

uninstall:
	rm -f $(DESTDIR)$(bindir)/mptcp-run
	rm -rf $(DESTDIR)$(libexecdir) $(DESTDIR)$(libdir) $(DESTDIR)$(datadir)
	for f in man/*.[178]; do rm -f $(DESTDIR)$(mandir)/man$${f##*.}/$${f##*/}; done

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

clean:
	rm -rf build

help:
	@echo 'make            build/mptcp-run, build/mptcp-stackd, build/libmptcp-shim.so'
	@echo 'make demo       the main job between two network namespaces, measured'
	@echo 'make check      lint, unit, packet, simulation and end-to-end tests'
	@echo '                STRICT=1: a test that cannot run is a failure'
	@echo 'make unit       unit tests; U=base/test_wheel: one of them'
	@echo 'make pkt        packet scripts; T=mptcp/s041: those that begin so'
	@echo 'make pkt-kernel the same scripts against this kernel (root); SLOW=1: the long ones, too'
	@echo 'make table-kernel the tables against this kernel (root)'
	@echo 'make table      every TCP state against every kind of segment, orders, overlaps'
	@echo 'make sim        simulation; N=1000 seeds from SEED=1, and those that once failed'
	@echo 'make sim-fresh  ... of N=2000 seeds that nobody has seen yet'
	@echo 'make flows      competing flows in the simulator; T=cubic-bbr: one of the scenes'
	@echo 'make plots      ... as pictures over time, in build/plots'
	@echo 'make shim-test  programs under the shim against kernel sockets; T=NAME'
	@echo 'make e2e        end-to-end tests; T=NAME: one of them'
	@echo 'make small      fuzz corpus, figures of the core, planted bugs: each in small'
	@echo 'make fuzz       libFuzzer targets of tests/fuzz with clang; T=eno SECS=600'
	@echo 'make dissector  the Wireshark dissector in tools/ against captures'
	@echo 'make threats    attacks on live connections, controls first; T=07: one'
	@echo 'make mutants    planted bugs, each of which the tests must catch'
	@echo 'make asan ubsan unit, packet and simulation tests under the sanitizers'
	@echo 'make bench      figures, as a table and in build/bench.json'
	@echo 'make lint       include layers, sans-I/O, manual pages, scripts'
	@echo 'make install    prefix=/usr/local DESTDIR=; make uninstall: the reverse'
	@echo 'make clean      removes build/, where everything is that was built'

.PHONY: all unit unit-build test-build small lint check demo bench asan ubsan install uninstall format clean help
.SECONDARY:
-include $(shell test -d $(B) && find $(B) -name '*.d' 2>/dev/null)

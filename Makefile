# mptcp-run: userspace Multipath TCP.  `make help` lists the targets.

B        ?= build
CC       ?= gcc
OPT      ?= -O2 -g
SAN      ?=
WERROR   ?=
WARN_ALL := -std=gnu11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion \
	-Wsign-conversion -Wcast-qual -Wpointer-arith -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wwrite-strings \
	-Wformat=2 -Wundef -Wvla -Walloca -Wnull-dereference \
	-Wswitch-enum -Wunused-macros -Wredundant-decls -Wframe-larger-than=8192
WARN_gcc := -Wlogical-op -Wduplicated-cond -Wduplicated-branches \
	-Wimplicit-fallthrough=5 -Wcast-align=strict
WARN_clang := -Wcomma -Wconditional-uninitialized -Wloop-analysis
IS_CLANG := $(findstring clang,$(shell $(CC) --version 2>/dev/null | head -1))
WARN     := $(WARN_ALL) $(if $(IS_CLANG),$(WARN_clang),$(WARN_gcc)) $(WERROR)
HARDEN   := -fno-strict-aliasing -fno-omit-frame-pointer \
	-fstack-protector-strong
CFLAGS   := $(OPT) $(WARN) $(HARDEN) -fPIC -I. -D_GNU_SOURCE -MMD -MP $(SAN) $(EXTRA)
LDFLAGS  := -Wl,-z,relro,-z,now,-z,noexecstack $(SAN)

core_dirs := base wire prim ip crypt tcp tcp/cc mptcp mptcp/pm mptcp/sched sock
core_src  := $(foreach d,$(core_dirs),$(wildcard stack/$(d)/*.c))
chan_src  := $(wildcard stack/chan/*.c)
engine_src := $(wildcard stack/engine/*.c)
shim_src  := $(wildcard shim/*.c)
obj = $(patsubst %.c,$(B)/%.o,$(1))

CORE := $(B)/libcore.a
all: $(CORE)

$(CORE): $(call obj,$(core_src))
	@rm -f $@
	$(AR) rcs $@ $^

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c -o $@ $<

unit_src := $(wildcard tests/unit/*/test_*.c)
unit_bin := $(patsubst tests/unit/%.c,$(B)/unit/%,$(unit_src))
$(B)/unit/%: $(B)/tests/unit/%.o $(CORE) $(call obj,$(chan_src)) $(call obj,$(wildcard tests/lib/*.c))
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $< $(call obj,$(wildcard tests/lib/*.c)) $(call obj,$(chan_src)) $(CORE) -lcmocka -lcrypto

# make unit U=base/test_wheel runs one
unit: $(if $(U),$(B)/unit/$(U),$(unit_bin))
	@set -e; for t in $^; do echo "== $$t"; $$t; done

clean:
	rm -rf build

.PHONY: all unit clean
.SECONDARY:
-include $(shell test -d $(B) && find $(B) -name '*.d')

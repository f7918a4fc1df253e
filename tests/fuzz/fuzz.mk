# make fuzz T=eno SECS=600: one libFuzzer target of tests/fuzz, or all
#
# SECS counts processor time of each, so that it means the same on a busy
# machine.  Needs clang and libclang-rt-14-dev; nothing else here does.  What it finds is
# written to $(B)/fuzz/found/<target>/; the corpus grows in $(B)/fuzz/corpus/.

fuzz_targets := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

$(B)/fuzz-%: $(B)/tests/fuzz/fuzz_%.o $(unit_lib) $(B)/libengine.a $(CHAN) $(CORE)
	@echo "  LINK    $@"
	@$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(B)/libengine.a \
		$(CHAN) $(CORE) -luring -lcmocka -lcrypto

# without libFuzzer: make small replays the corpus in the tree
replay_bin := $(fuzz_targets:%=$(B)/replay/%)

$(replay_bin): $(B)/replay/%: $(B)/tests/fuzz/fuzz_%.o $(B)/tests/fuzz/replay.o \
		$(unit_lib) $(B)/libengine.a $(CHAN) $(CORE)
	@mkdir -p $(@D)
	@echo "  LINK    $@"
	@$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(B)/libengine.a \
		$(CHAN) $(CORE) -luring -lcmocka -lcrypto

# What is compared is of no use where inputs are choices and no formats, and
# took half of the time.
ifdef FUZZ
no_cmp := -fno-sanitize-coverage=trace-cmp
$(foreach d,tcp mptcp sock base prim,$(B)/stack/$(d)/%.o): CFLAGS += $(no_cmp)
$(B)/tests/lib/%.o: CFLAGS += $(no_cmp)
$(B)/tests/fuzz/fuzz_core.o: CFLAGS += $(no_cmp)
endif

# instrumented objects have a folder of their own
fuzz-build:
	@+$(MAKE) --no-print-directory B=$(B)/fuzz FUZZ=1 CC=clang OPT='-O1 -g' \
		SAN='-fsanitize=address,undefined -fno-sanitize-recover=all' \
		EXTRA=-fsanitize=fuzzer-no-link \
		$(foreach t,$(or $(T),$(fuzz_targets)),$(B)/fuzz/fuzz-$(t))

# SECS=0: only what the corpus in the tree holds, a second or two for each
fuzz: fuzz-build
	@B=$(B)/fuzz SECS=$(or $(SECS),60) tests/fuzz/run.sh $(or $(T),$(fuzz_targets))
.PHONY: fuzz fuzz-build

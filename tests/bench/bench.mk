bench_bin := $(addprefix $(B)/bench/,xfer pipe churn lossy hold relay lwip)
bench_core := $(addprefix $(B)/bench/,idle turnover scale)
# Debian's headers of lwIP are not clean under our warnings
$(B)/bench/lwip: bench_flags := -isystem /usr/include/lwip -llwip

$(bench_bin): $(B)/bench/%: tests/bench/%.c tests/bench/load.h
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(CPPFLAGS) -std=gnu11 -O2 -g -Wall -Wextra $(WERROR) -o $@ $< $(bench_flags)

# what measures the core alone
$(bench_core): $(B)/bench/%: $(B)/tests/bench/%.o \
		$(call obj,tests/bench/hosts.c tests/lib/wirepkt.c) $(CORE)
	@mkdir -p $(@D)
	@echo "  LINK    $@"
	@$(CC) $(LDFLAGS) -o $@ $^ -lcrypto

bench-tools: $(bench_bin) $(bench_core)
.PHONY: bench-tools

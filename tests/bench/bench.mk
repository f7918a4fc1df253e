bench_bin := $(addprefix $(B)/bench/,xfer pipe churn lossy hold)
bench_core := $(addprefix $(B)/bench/,idle turnover scale)

$(bench_bin): $(B)/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(CPPFLAGS) -std=gnu11 -O2 -g -Wall -Wextra -o $@ $<

# what measures the core alone
$(bench_core): $(B)/bench/%: $(B)/tests/bench/%.o \
		$(call obj,tests/bench/hosts.c tests/lib/wirepkt.c) $(CORE)
	@mkdir -p $(@D)
	@echo "  LINK    $@"
	@$(CC) $(LDFLAGS) -o $@ $^ -lcrypto

bench-tools: $(bench_bin) $(bench_core)
.PHONY: bench-tools

bench_bin := $(B)/bench/xfer $(B)/bench/pipe $(B)/bench/churn $(B)/bench/idle
# what measures the core alone
$(B)/bench/idle: $(call obj,tests/bench/idle.c tests/lib/wirepkt.c) $(CORE)
	@mkdir -p $(@D)
	@echo "  LINK    $@"
	@$(CC) $(LDFLAGS) -o $@ $^ -lcrypto
$(B)/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(CPPFLAGS) -std=gnu11 -O2 -g -Wall -Wextra -o $@ $<
bench-tools: $(bench_bin)
.PHONY: bench-tools

# make sim N=1000 SEED=1

sim_src := $(wildcard tests/sim/*.c)
SIM     := $(B)/sim

$(SIM): $(call obj,$(sim_src) tests/lib/wirepkt.c) $(CORE)
	@echo "  LINK    $@"
	@$(CC) $(LDFLAGS) -o $@ $^ -lcrypto -lm

sim: $(SIM)
	@$(SIM) -n $(or $(N),1000) -s $(or $(SEED),1)

.PHONY: sim

# make flows N=2 T=cubic-bbr: flows that share a bottleneck, and what must come of
# them in each of so many runs
# make plots: their windows, round trips, goodput and the queue over time, as
# $(B)/plots/*.png

flows_src := $(wildcard tests/plots/*.c)
FLOWS     := $(B)/flows

$(FLOWS): $(call obj,$(flows_src) $(filter-out tests/sim/main.c,$(wildcard tests/sim/*.c)) \
		tests/lib/wirepkt.c) $(CORE)
	@echo "  LINK    $@"
	@$(CC) $(LDFLAGS) $(addprefix -Wl$(comma)--wrap=,$(sim_wrap)) -o $@ $^ \
		-lcrypto -lm

flows: $(FLOWS)
	@$(FLOWS) -n $(or $(N),2) $(T)

plots: $(FLOWS)
	@B=$(B) tests/plots/plot.sh $(T)

.PHONY: flows plots

# make sim N=1000 SEED=1 CRYPT=plain|sealed|both: the seeds that once failed, and
# then these.  From 1,000 on nothing that the simulator can do, and no reason of
# the stack's, may be missing.
# make sim-fresh N=2000: seeds that nobody has seen yet, another range each time

sim_src := $(wildcard tests/sim/*.c)
SIM     := $(B)/sim
# tests/sim/seal.c sees every frame that is sealed or opened
sim_wrap := aead_key_new aead_key_set aead_key_free aead_seal crypt_seal \
	crypt_open
comma   := ,

$(SIM): $(call obj,$(sim_src) tests/lib/wirepkt.c) $(CORE)
	@echo "  LINK    $@"
	@$(CC) $(LDFLAGS) $(addprefix -Wl$(comma)--wrap=,$(sim_wrap)) -o $@ $^ \
		-lcrypto -lm

sim: $(SIM)
	@$(SIM) -l tests/sim/seeds -n $(or $(N),1000) -s $(or $(SEED),1) \
		-c $(or $(CRYPT),both)

sim-fresh: SEED := $(or $(SEED),$(shell date +%s)0000)
sim-fresh: $(SIM)
	@echo "make sim N=$(or $(N),2000) SEED=$(SEED) replays this"
	@$(SIM) -f -n $(or $(N),2000) -s $(SEED) -c $(or $(CRYPT),both)

.PHONY: sim sim-fresh

# make sim N=1000 SEED=1 CRYPT=plain|sealed|both

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
	@$(SIM) -n $(or $(N),1000) -s $(or $(SEED),1) \
		-c $(or $(CRYPT),both)

.PHONY: sim

pkt_run := $(B)/pkt-run

$(pkt_run): $(call obj,$(wildcard tests/pkt/*.c) tests/lib/fake.c tests/lib/wirepkt.c) $(CORE)
	@echo "  LINK    $@"
	@$(CC) $(LDFLAGS) -o $@ $^ -lcrypto

# make pkt T=mptcp/s041 runs the scripts whose names begin so
pkt: $(pkt_run)
	@B=$(B) tests/pkt/run.sh $(T)
.PHONY: pkt

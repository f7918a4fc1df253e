pkt_run := $(B)/pkt-run

pkt_all := $(wildcard tests/pkt/*.c) tests/lib/fake.c tests/lib/wirepkt.c

$(pkt_run): $(call obj,$(filter-out tests/pkt/kernel%,$(pkt_all))) $(CORE)
	@echo "  LINK    $@"
	@$(CC) $(LDFLAGS) -o $@ $^ -lcrypto

# make pkt T=mptcp/s041 runs the scripts whose names begin so
pkt: $(pkt_run)
	@B=$(B) tests/pkt/run.sh $(T)
.PHONY: pkt

# make pkt-kernel T=tcp/rto: the scripts of plain TCP against this machine's
# kernel; SLOW=1: also those that wait for more than 20 s
pkt_kernel := $(B)/pkt-kernel
pkt_ours   := $(addprefix tests/pkt/,virtual.c call.c state.c)

$(pkt_kernel): $(call obj,$(filter-out $(pkt_ours),$(pkt_all))) $(CORE)
	@echo "  LINK    $@"
	@$(CC) $(LDFLAGS) -o $@ $^ -lcrypto

pkt-kernel: $(pkt_kernel)
	@B=$(B) tests/pkt/kernel.sh $(T)
.PHONY: pkt-kernel

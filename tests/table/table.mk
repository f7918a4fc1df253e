# make table T=tcp_LAST-ACK runs the cases whose names begin so
table: $(pkt_run)
	@B=$(B) tests/table/run.sh $(T)
.PHONY: table

# the cases of plain TCP against this machine's kernel
table-kernel: $(pkt_run) $(pkt_kernel)
	@tests/table/gen.py $(B)/table
	@B=$(B) tests/pkt/kernel.sh table/$(T)
.PHONY: table-kernel

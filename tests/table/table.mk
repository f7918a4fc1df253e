# make table T=tcp_LAST-ACK runs the cases whose names begin so
table: $(pkt_run)
	@B=$(B) tests/table/run.sh $(T)
.PHONY: table

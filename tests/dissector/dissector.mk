# make dissector T='options keys' runs some
dissector:
	@B=$(B) tests/dissector/run.sh $(T)
.PHONY: dissector

# make threats T=07 runs one; J=1: one after the other
threats: all
	@B=$(B) J=$(J) tests/threats/run.sh $(T)
.PHONY: threats

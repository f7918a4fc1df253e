# make e2e T=cut runs one; J=1: one after the other
e2e: all
	@B=$(B) J=$(J) tests/e2e/run.sh $(T)
.PHONY: e2e

# T=NAME: one behaviour
shim-test: all
	@B=$(B) tests/shim/run.sh $(T)
	@B=$(B) tests/shim/cpython.sh
.PHONY: shim-test

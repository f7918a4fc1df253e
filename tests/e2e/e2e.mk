e2e: all
	@tests/e2e/run.sh $(T)
.PHONY: e2e

# make mutants; M='name name' for some of them

mutants:
	@B=$(B) tests/mutants/run.sh $(M)

.PHONY: mutants

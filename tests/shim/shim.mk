# T=NAME: one behaviour
shim-test: all
	@B=$(B) tests/shim/run.sh $(T)
	@B=$(B) tests/shim/table/table.sh
	@B=$(B) tests/shim/cpython.sh
.PHONY: shim-test

# the parts of the library that stand before nothing
$(B)/unit/shim/%: $(B)/tests/unit/shim/%.o $(B)/shim/env.o
	@mkdir -p $(@D)
	@echo "  LINK    $@"
	@$(CC) $(LDFLAGS) -o $@ $^ -lcmocka
$(B)/unit/shim/test_quick: $(call obj,$(addprefix shim/,call_connect.c \
	call_name.c call_opt.c ask.c early.c fresh.c quick.c wait.c watch.c))

# mptcp-run's parts, for the unit tests of them
$(filter $(B)/unit/tools/%,$(unit_bin)): $(call obj,$(tool_src))
$(B)/unit/chan/test_elf: $(call obj,tools/file.c)

# the shim's parts, beside the env.o that all of its tests have
shim_parts := $(call obj,shim/copy.c shim/whose.c shim/reach.c shim/init.c shim/libc.c shim/say.c)
$(filter-out %/test_env,$(filter $(B)/unit/shim/%,$(unit_bin))): $(shim_parts) $(CHAN)

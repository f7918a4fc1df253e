# mptcp-run's parts, for the unit tests of them
$(filter $(B)/unit/tools/%,$(unit_bin)): $(call obj,$(tool_src))

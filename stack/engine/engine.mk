# mptcp-stackd: keeper and engine process

engine_lib := $(B)/libengine.a
engine_src := $(filter-out stack/engine/main.c,$(wildcard stack/engine/*.c))

$(engine_lib): $(call obj,$(engine_src))
	@rm -f $@
	@$(AR) rcs $@ $^

$(STACKD): $(call obj,stack/engine/main.c) $(engine_lib) $(CHAN) $(CORE)
	@echo "  LINK    $@"
	@$(CC) $(LDFLAGS) -pie -o $@ $^ -luring -lcrypto

$(B)/unit/engine/%: $(B)/tests/unit/engine/%.o $(unit_lib) $(engine_lib) $(CHAN) $(CORE)
	@mkdir -p $(@D)
	@echo "  LINK    $@"
	@$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(engine_lib) $(CHAN) $(CORE) -luring -lcmocka -lcrypto

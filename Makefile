# SPDX-License-Identifier: MIT
# make            the program and the libraries          make test    all tests
# make check      what a reviewer would ask for          make asan    the tests under ASan and UBSan
# make install    DESTDIR and PREFIX are obeyed          make bench   kernels and networks, timed
# make deps       installs what Debian lacks (root or sudo)

VERSION := 0.1.0
PREFIX ?= /usr/local
BUILD ?= build
CC ?= gcc
CFLAGS ?= -O2 -g

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
        -Wcast-qual -Wwrite-strings -Wvla -Wundef -Wformat=2 -Wconversion -Wno-sign-conversion
BASE := -std=c11 -D_GNU_SOURCE -I. -DATROUS_VERSION='"$(VERSION)"' -fPIC -pthread -MMD -MP $(WARN) $(CFLAGS) $(SAN)
# Kernels: -O3, contraction to FMA, and no traps or errno to respect; never -ffast-math.
KFLAGS := -O3 -ffp-contract=fast -fno-math-errno -fno-trapping-math
LIBS := -ljansson -lz -lm -lpthread

ARCH := $(shell $(CC) -dumpmachine)
ifneq (,$(findstring x86_64,$(ARCH)))
LEVELS := generic avx2 avx512
else
LEVELS := generic
endif
FLAGS_generic :=
FLAGS_avx2 := -mavx2 -mfma -mf16c
FLAGS_avx512 := -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512cd -mfma -mf16c -mprefer-vector-width=512

ROOMS := nn layers models data train
SRC := $(foreach r,$(ROOMS),$(wildcard $(r)/*.c)) $(wildcard nn/kernels/*.c nn/kernels/ref/*.c)
SIMD := $(wildcard nn/kernels/simd/*.c)
OBJ := $(SRC:%.c=$(BUILD)/%.o) $(foreach l,$(LEVELS),$(SIMD:nn/kernels/simd/%.c=$(BUILD)/nn/kernels/$(l)/%.o))
CLI := $(patsubst %.c,$(BUILD)/%.o,$(wildcard cli/*.c))
LIB := $(BUILD)/libatrous.a
SO := $(BUILD)/libatrous.so.$(VERSION)
TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/test_*.c))
TEST_HELP := $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(wildcard tests/test_*.c),$(wildcard tests/*.c)))

.PHONY: all lib test check asan bench bench-peers install deps clean fuzz
.SECONDARY:
all: $(BUILD)/atrous $(SO)
lib: $(LIB)

$(BUILD)/atrous: $(CLI) $(LIB)
	$(CC) $(CFLAGS) $(SAN) -o $@ $(CLI) $(LIB) $(LIBS) $(LDFLAGS)
$(LIB): $(OBJ)
	@rm -f $@
	$(AR) rcs $@ $(OBJ)
$(SO): $(OBJ)
	$(CC) -shared $(SAN) -Wl,-soname,libatrous.so.0 -o $@ $(OBJ) $(LIBS) $(LDFLAGS)

$(BUILD)/nn/kernels/ref/%.o: nn/kernels/ref/%.c
	@mkdir -p $(@D)
	$(CC) $(BASE) -c -o $@ $<
$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(BASE) -c -o $@ $<
define LEVEL_RULE
$(BUILD)/nn/kernels/$(1)/%.o: nn/kernels/simd/%.c
	@mkdir -p $$(@D)
	$$(CC) $$(BASE) $$(KFLAGS) $$(FLAGS_$(1)) -c -o $$@ $$<
endef
$(foreach l,$(LEVELS),$(eval $(call LEVEL_RULE,$(l))))

$(BUILD)/tests/test_%: $(BUILD)/tests/test_%.o $(TEST_HELP) $(LIB)
	$(CC) $(CFLAGS) $(SAN) -o $@ $< $(TEST_HELP) $(LIB) -lcmocka -lpng $(LIBS) $(LDFLAGS)

test: all $(TESTS)
	tools/run-tests $(BUILD) $(TESTS)

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

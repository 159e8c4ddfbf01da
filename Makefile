# SPDX-License-Identifier: MIT
# make            the program and the libraries          make test    all tests
# make check      what a reviewer would ask for          make asan    the tests under ASan and UBSan
# make install    DESTDIR and PREFIX are obeyed          make bench   kernels and networks, timed
# make demo       trains and predicts on synthetic pictures: the first thing to type
# make deps       installs what Debian lacks (root or sudo)  make fuzz    libFuzzer programs (clang)

VERSION := 0.1.0
# All processors, unless -j says otherwise.
ifeq (,$(filter -j%,$(MAKEFLAGS)))
MAKEFLAGS += -j$(shell nproc)
endif
PREFIX ?= /usr/local
BUILD ?= build
CC ?= gcc
CFLAGS ?= -O2 -g

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
        -Wcast-qual -Wwrite-strings -Wvla -Wundef -Wformat=2 -Wconversion -Wno-sign-conversion
BASE := -std=c11 -D_GNU_SOURCE -I. -DATROUS_VERSION='"$(VERSION)"' -fPIC -pthread -MMD -MP $(WARN) $(CFLAGS) $(SAN)
# Kernels: -O3, contraction to FMA, and no traps or errno to respect; never -ffast-math.
KFLAGS := -ffp-contract=fast -fno-math-errno -fno-trapping-math
ifneq (,$(findstring address,$(SAN)))
# Checks as calls: inlined into the unrolled kernels they take the compiler minutes.
KFLAGS += --param asan-instrumentation-with-call-threshold=0
endif
LIBS := -ljansson -lz -lm -lpthread

ARCH := $(shell $(CC) -dumpmachine)
ifneq (,$(findstring x86_64,$(ARCH)))
LEVELS := generic avx2 avx512
DOT_LEVELS := avx512_bf16
AMX := nn/kernels/amx/dot.c
else
LEVELS := generic
DOT_LEVELS :=
AMX :=
endif
FLAGS_generic :=
FLAGS_avx2 := -mavx2 -mfma -mf16c
FLAGS_avx512 := -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512cd -mfma -mf16c -mprefer-vector-width=512
FLAGS_avx512_bf16 := $(FLAGS_avx512) -mavx512bf16

ROOMS := nn layers models data train
SRC := $(foreach r,$(ROOMS),$(wildcard $(r)/*.c)) $(wildcard nn/kernels/*.c nn/kernels/ref/*.c)
SIMD := $(wildcard nn/kernels/simd/*.c)
OBJ := $(SRC:%.c=$(BUILD)/%.o) $(foreach l,$(LEVELS),$(SIMD:nn/kernels/simd/%.c=$(BUILD)/nn/kernels/$(l)/%.o)) \
       $(DOT_LEVELS:%=$(BUILD)/nn/kernels/%/dot.o) $(AMX:%.c=$(BUILD)/%.o)
CLI := $(patsubst %.c,$(BUILD)/%.o,$(wildcard cli/*.c))
LIB := $(BUILD)/libatrous.a
SO := $(BUILD)/libatrous.so.$(VERSION)
TEST_HELP := $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(wildcard tests/test_*.c),$(wildcard tests/*.c)))
TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/test_*.c)) \
         $(patsubst fuzz/%.c,$(BUILD)/tests/test_%,$(wildcard fuzz/fuzz_*.c)) $(wildcard tests/test_*.sh)
# So that tests can make any allocation fail (tests/alloc_fail.h).
COMMA := ,
WRAP := $(foreach f,malloc calloc realloc aligned_alloc posix_memalign strdup pthread_create,-Wl$(COMMA)--wrap=$(f))
# What atrous.h leads to is public and gets installed.
HEADERS = $(filter %.h,$(shell $(CC) -I. -MM atrous.h))
# `make -j deps test` must install before it compiles.
FIRST := $(filter deps,$(MAKECMDGOALS))

.PHONY: all lib tests test check asan bench bench-peers install deps docs clean fuzz fuzz-binaries demo
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

$(BUILD)/nn/kernels/ref/%.o: nn/kernels/ref/%.c | $(FIRST)
	@mkdir -p $(@D)
	$(CC) $(BASE) -c -o $@ $<
$(BUILD)/nn/kernels/amx/%.o: nn/kernels/amx/%.c | $(FIRST)
	@mkdir -p $(@D)
	$(CC) $(BASE) $(KFLAGS) $(KOPT) $(FLAGS_avx512) -mamx-tile -mamx-bf16 -c -o $@ $<
$(BUILD)/%.o: %.c | $(FIRST)
	@mkdir -p $(@D)
	$(CC) $(BASE) -c -o $@ $<
define LEVEL_RULE
$(BUILD)/nn/kernels/$(1)/%.o: nn/kernels/simd/%.c | $(FIRST)
	@mkdir -p $$(@D)
	$$(CC) $$(BASE) $$(KFLAGS) $$(KOPT) $$(FLAGS_$(1)) -c -o $$@ $$<
endef
$(foreach l,$(LEVELS) $(DOT_LEVELS),$(eval $(call LEVEL_RULE,$(l))))
# Vectorised at -O3; those unrolled by hand gain nothing by it but a minute of compiling.
KOPT = $(if $(SAN),-O1,$(if $(filter conv dot winograd,$(basename $(@F))),-O2,-O3))

# Filters of rows, on their way to every mask.
$(BUILD)/data/png_write.o: BASE += $(if $(SAN),,-O3)

LINK_TEST = $(CC) $(CFLAGS) $(SAN) $(WRAP) -o $@ $(filter %.o %.a,$^) -lcmocka -lpng $(LIBS) $(LDFLAGS)
$(BUILD)/tests/test_%: $(BUILD)/tests/test_%.o $(TEST_HELP) $(LIB)
	$(LINK_TEST)
$(BUILD)/tests/test_fuzz_%: $(BUILD)/fuzz/fuzz_%.o $(BUILD)/fuzz/driver.o $(BUILD)/fuzz/file.o $(TEST_HELP) $(LIB)
	$(LINK_TEST)

EXAMPLES := $(patsubst %.c,$(BUILD)/%,$(wildcard examples/*.c))
$(EXAMPLES): %: %.o $(LIB)
	$(CC) $(CFLAGS) $(SAN) -o $@ $^ $(LIBS) $(LDFLAGS)

tests: $(TESTS) $(EXAMPLES)
test: all $(TESTS) $(EXAMPLES)
	tools/run-tests $(BUILD) $(TESTS)

asan:
	+$(MAKE) BUILD=build-asan CFLAGS="-O1 -g -fno-omit-frame-pointer" \
	    SAN="-fsanitize=address,undefined -fno-sanitize-recover=all" test

check:
	+$(MAKE) BUILD=build-check CFLAGS="-O2 -Werror" all tests
	tools/check-headers $(CC) $(filter-out -MMD -MP,$(BASE)) -- $(filter-out nn/kernels/simd/%,$(wildcard \
	    *.h */*.h nn/kernels/*.h nn/kernels/*/*.h))
	tools/check-includes
	tools/check-style

# Needs clang. One program a harness: build-fuzz/fuzz_NAME [-max_total_time=60] CORPUS_COPY
fuzz:
	+$(MAKE) BUILD=build-fuzz CC=clang SAN="-fsanitize=address,undefined,fuzzer-no-link" fuzz-binaries
fuzz-binaries: $(patsubst fuzz/%.c,$(BUILD)/%,$(wildcard fuzz/fuzz_*.c))
$(BUILD)/fuzz_%: $(BUILD)/fuzz/fuzz_%.o $(BUILD)/fuzz/file.o $(LIB)
	$(CC) $(CFLAGS) $(SAN) -fsanitize=fuzzer -o $@ $^ $(LIBS) $(LDFLAGS)

deps:
	tools/install-deps

DEST = $(DESTDIR)$(PREFIX)
SHARE = $(DEST)/share
install: all
	tools/install-headers "$(DEST)/include/atrous" $(HEADERS)
	install -d "$(DEST)/bin" "$(DEST)/lib/pkgconfig" "$(SHARE)/man/man1" "$(SHARE)/zsh/site-functions" \
	    "$(SHARE)/bash-completion/completions" "$(SHARE)/fish/vendor_completions.d"
	install -m 755 $(BUILD)/atrous "$(DEST)/bin/"
	install -m 644 $(LIB) $(SO) "$(DEST)/lib/"
	ln -sf $(notdir $(SO)) "$(DEST)/lib/libatrous.so.0"
	ln -sf libatrous.so.0 "$(DEST)/lib/libatrous.so"
	sed 's,@PREFIX@,$(PREFIX),; s,@VERSION@,$(VERSION),' tools/atrous.pc.in >"$(DEST)/lib/pkgconfig/atrous.pc"
	$(BUILD)/atrous man >"$(SHARE)/man/man1/atrous.1"
	$(BUILD)/atrous completion bash >"$(SHARE)/bash-completion/completions/atrous"
	$(BUILD)/atrous completion zsh >"$(SHARE)/zsh/site-functions/_atrous"
	$(BUILD)/atrous completion fish >"$(SHARE)/fish/vendor_completions.d/atrous.fish"

# A newcomer's first command: trains on the synthetic set, predicts, says where the pictures are.
demo:
	tools/install-deps
	+$(MAKE) all
	tools/demo $(BUILD)/atrous

# Speed, written into docs/benchmarks.md. The first takes a few minutes; the second, half an hour and
# a Python ($(PYTHON)) with torch 2.13, safetensors, onnxruntime, onnx, onnxscript and openvino.
PYTHON ?= python3
bench: $(BUILD)/atrous
	$(BUILD)/atrous bench kernels | tee $(BUILD)/bench-kernels.txt
	bench/put-section docs/benchmarks.md kernels '$(MAKE) bench' <$(BUILD)/bench-kernels.txt
	bench/latency $(BUILD)/atrous | tee $(BUILD)/bench-latency.txt
	bench/put-section docs/benchmarks.md latency '$(MAKE) bench' <$(BUILD)/bench-latency.txt
	bench/scaling $(BUILD)/atrous | tee $(BUILD)/bench-scaling.md
	bench/put-section docs/benchmarks.md scaling '$(MAKE) bench' <$(BUILD)/bench-scaling.md
bench-peers: $(BUILD)/atrous
	$(PYTHON) bench/peers.py --atrous $(BUILD)/atrous | tee $(BUILD)/bench-peers.md
	bench/put-section docs/benchmarks.md peers '$(MAKE) bench-peers' <$(BUILD)/bench-peers.md

# docs/cli.md is the manual once more, for reading on the web.
docs: $(BUILD)/atrous
	$(BUILD)/atrous man --format markdown >$(BUILD)/cli.md && mv $(BUILD)/cli.md docs/cli.md

clean:
	rm -rf $(BUILD) build-asan build-check build-fuzz

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

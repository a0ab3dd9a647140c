# Invoker. `make help` lists what there is. Everything is built under build/, one tree per variant.
.DEFAULT_GOAL := all
SHELL := /bin/bash
.DELETE_ON_ERROR:

ifeq ($(origin CC),default)
CC := gcc
endif
VARIANT ?= release
B := $(if $(filter release,$(VARIANT)),build,build/$(VARIANT))
PREFIX ?= /usr/local
PYTHON ?= python3

# ---- flags -----------------------------------------------------------------------------------
PKG := pkg-config
PKG_NAMES := libmicrohttpd libnghttp2 libssl libcrypto jansson yaml-0.1
PKG_CFLAGS := $(shell $(PKG) --cflags $(PKG_NAMES) 2>/dev/null)
PKG_LIBS := $(shell $(PKG) --libs $(PKG_NAMES) 2>/dev/null)
SAMPLE_LIBS := $(shell $(PKG) --libs libmicrohttpd libcrypto jansson libcurl sqlite3 2>/dev/null)
CHECK_LIBS := $(shell $(PKG) --libs check 2>/dev/null)
BENCH_LIBS := $(shell $(PKG) --libs libnghttp2 2>/dev/null)

WARN := -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wformat=2 -Wundef -Wvla \
        -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wcast-qual \
        -Wcast-align -Wwrite-strings -Wswitch-enum -Wimplicit-fallthrough -Wnull-dereference \
        -Wdouble-promotion -Werror
ifeq ($(findstring clang,$(CC)),)
WARN += -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init
else
WARN += -Wno-gnu-zero-variadic-macro-arguments -Wno-gnu-statement-expression -Wno-gnu-auto-type
endif
ifeq ($(VARIANT),asan)
OPT := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
LINK := -fsanitize=address,undefined
else ifeq ($(VARIANT),tsan)
OPT := -O1 -g -fno-omit-frame-pointer -fsanitize=thread -fPIE
LINK := -fsanitize=thread -pie
else
OPT := -O2 -g -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong \
       -fstack-clash-protection -fPIE
LINK := -pie -Wl,-z,relro,-z,now
endif
CFLAGS_ALL := -std=gnu17 -D_GNU_SOURCE $(WARN) $(OPT) $(PKG_CFLAGS) -MMD -MP $(CFLAGS)

# ---- what is built ---------------------------------------------------------------------------
obj = $(patsubst %.c,$(B)/obj/%.o,$(1))
MAIN_SRC := $(wildcard emulator/main.c)
LIB := $(B)/libinvoker.a
BIN := $(if $(MAIN_SRC),$(B)/invoker)
SAMPLES := $(filter-out common,$(sort $(patsubst samples/%/,%,$(dir $(wildcard samples/*/*.c)))))
SAMPLE_BIN := $(SAMPLES:%=$(B)/samples/%)
UNIT_BIN := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*.c))
BENCH_BIN := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/*.c))

.PHONY: all
all: $(LIB) $(BIN) $(SAMPLE_BIN)

$(B)/obj/emulator/%.o $(B)/obj/tests/%.o: CFLAGS_ALL += -Iemulator
$(B)/obj/samples/%.o: CFLAGS_ALL += -Isamples
$(B)/obj/tests/bench/%.o: CFLAGS_ALL += -Itests/bench
$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -c $< -o $@

# Groups of files that are part of the program (base/embedded.h). A folder is a prerequisite, too: it
# changes when a file is taken away.
EMBEDDED := page lessons
EMBEDDED_page := $(wildcard emulator/control/page/*)
EMBEDDED_lessons := $(wildcard policies/lessons/*.yaml)
define embed_rule
$(B)/embedded/$(1).c: emulator/embed.sh $(EMBEDDED_$(1)) $(sort $(dir $(EMBEDDED_$(1))))
	@mkdir -p $$(@D)
	emulator/embed.sh $(1) $(EMBEDDED_$(1)) > $$@
endef
$(foreach g,$(EMBEDDED),$(eval $(call embed_rule,$(g))))
$(B)/obj/embedded/%.o: CFLAGS_ALL += -Iemulator
$(B)/obj/embedded/%.o: $(B)/embedded/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -c $< -o $@

$(LIB): $(call obj,$(wildcard emulator/*/*.c)) $(EMBEDDED:%=$(B)/obj/embedded/%.o)
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcs $@ $^

$(B)/invoker: $(call obj,$(MAIN_SRC)) $(LIB)
	$(CC) $(LINK) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) -lpthread

define sample_rule
$(B)/samples/$(1): $(call obj,$(wildcard samples/$(1)/*.c samples/common/*.c))
	@mkdir -p $$(@D)
	$(CC) $(LINK) $(LDFLAGS) -o $$@ $$^ $(SAMPLE_LIBS) -lpthread
endef
$(foreach s,$(SAMPLES),$(eval $(call sample_rule,$(s))))

$(B)/tests/%: $(B)/obj/tests/unit/%.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(LINK) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) $(CHECK_LIBS) -lpthread

$(B)/bench/%: $(B)/obj/tests/bench/%.o $(call obj,$(wildcard tests/bench/common/*.c)) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(LINK) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) $(BENCH_LIBS) -lpthread

# ---- what people run -------------------------------------------------------------------------
# The packages may only just have been installed when `deps` ends, so whatever needs them runs in a
# make of its own.
.PHONY: deps deps-demo deps-bench
deps:
	@tests/lib/deps.sh build test clients
deps-demo:
	@tests/lib/deps.sh build
deps-bench:
	@tests/lib/deps.sh build bench

.PHONY: demo
demo: deps-demo
	@$(MAKE) --no-print-directory -s -j2 all
	@$(PYTHON) samples/demo/demo.py

.PHONY: lessons
lessons: all
	@$(B)/invoker lesson --auto all

.PHONY: test
test: deps
	@rm -rf build/results
	@$(MAKE) --no-print-directory -s -j2 unit integration clients
	@$(MAKE) --no-print-directory -s -j2 asan
	@$(PYTHON) tests/run.py --total

RUN = INVOKER=$(abspath $(B)/invoker) $(PYTHON) tests/run.py --variant $(VARIANT)

.PHONY: test-programs
test-programs: all $(UNIT_BIN)

# The three stages share the machine: one after the other, each parallel in itself.
.PHONY: unit integration clients asan tsan
unit: test-programs
	@$(RUN) unit $(UNIT_BIN)
integration: all $(if $(filter unit,$(MAKECMDGOALS)),unit)
	@$(RUN) integration
clients: all $(if $(filter integration,$(MAKECMDGOALS)),integration)
	@$(RUN) clients
asan:
	@$(MAKE) --no-print-directory VARIANT=asan unit integration clients
# The workers are the only threads: the gateway's tests are what can race.
tsan:
	@$(MAKE) --no-print-directory -s -j2 VARIANT=tsan all
	@TSAN_OPTIONS=halt_on_error=1 INVOKER=$(abspath build/tsan/invoker) \
	  $(PYTHON) tests/run.py --variant tsan --match test_gateway integration

.PHONY: bench
bench: deps-bench
	@$(MAKE) --no-print-directory -s -j2 all bench-programs
	@$(PYTHON) tests/bench/bench.py $(ONLY:%=--only %)
.PHONY: bench-programs
bench-programs: $(BENCH_BIN)

.PHONY: lint format
lint:
	@tests/lib/deps.sh build test lint
	@$(PYTHON) tests/lint/lint.py
format:
	clang-format -i $$(git ls-files '*.c' '*.h')

# The pictures of the README, made anew.
.PHONY: screenshots
screenshots: all
	@INVOKER=$(abspath $(B)/invoker) $(PYTHON) -m tests.clients.screenshots

.PHONY: install
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/invoker/policies
	install -m 755 $(B)/invoker $(DESTDIR)$(PREFIX)/bin/invoker
	install -m 644 policies/*.yaml $(DESTDIR)$(PREFIX)/share/invoker/policies

.PHONY: clean
clean:
	rm -rf build

.PHONY: help
help:
	@echo 'make demo         install what is missing, build, walk through the tutorial'
	@echo 'make lessons      play the course of `invoker lesson` by itself'
	@echo 'make test         install what is missing, build, run every test, twice: plain and under'
	@echo '                  ASan+UBSan'
	@echo 'make              build/invoker and the samples'
	@echo 'make unit         the Check programs of tests/unit'
	@echo 'make integration  real processes on real sockets: tests/integration'
	@echo 'make clients      Google libraries, gRPC, WebSockets, curl, Chromium: tests/clients'
	@echo 'make asan         the three above with ASan+UBSan'
	@echo 'make tsan         the gateway under the thread sanitizer: tests/integration/test_gateway_*'
	@echo 'make bench        figures, as ratios against HAProxy and nginx in the same run; ONLY=h1,ws'
	@echo '                  picks parts; text, JSON and a plot in build/bench/bench.*'
	@echo 'make lint         format, layers, sizes, banned calls, cppcheck, clang-tidy, clang build'
	@echo 'make screenshots  the pictures of the dashboard in docs/images'
	@echo 'make format       clang-format over all sources'
	@echo 'make deps         install what is missing (Debian packages, npm packages of the tests)'
	@echo 'make install      PREFIX=/usr/local DESTDIR='
	@echo 'make clean        remove build/'

.SECONDARY:
-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

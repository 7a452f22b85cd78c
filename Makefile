# minivm. GNU make; `make help` lists the targets.
#
#   CC=       compiler; default: the fastest interpreter that a compiler found here can build (tail calls with pinned registers)
#   CFLAGS=   default -O2; CPPFLAGS= and LDFLAGS= are obeyed too
#   V=1       shows the commands in full
#   DISPATCH= tail, goto or switch; default: what the compiler does best (vm/exec/dispatch.h), with a sanitizer the switch
#   MINIVM_SUITE= folders of the official test suite; default: what `make suite` fetched
#   PREFIX=   where `make install` puts things, default /usr/local; DESTDIR= goes before it
#
# Everything made is in build/. Each compiler and set of flags has a folder of its own there (B), so that builds do not disturb each
# other; build/minivm and the libraries beside it are links to those of the last plain `make`. VARIANT= names a folder that is not linked.

VERSION := $(shell sed -n 's/^\#define MINIVM_VERSION "\(.*\)"/\1/p' include/minivm.h)
PREFIX  ?= /usr/local

# ---- compiler ------------------------------------------------------------------------------------------

# Can this compiler build the fastest dispatch? One that merely ignores the attributes warns, hence -Werror.
PROBE := __attribute__((preserve_none)) int g(int); __attribute__((preserve_none)) int f(int a) { __attribute__((musttail)) return g(a + 1); }
has_tail = $(shell printf '%s\n' '$(PROBE)' | $(1) -O2 -Werror -x c -S -o /dev/null - 2>/dev/null && echo yes)
compilers := clang clang-22 clang-21 clang-20 clang-19 gcc gcc-16 gcc-15 cc
ifeq ($(origin CC),default)
CC := $(or $(firstword $(foreach c,$(compilers),$(if $(filter yes,$(call has_tail,$c)),$c))),$(firstword $(foreach c,gcc clang cc,$(shell command -v $c >/dev/null && echo $c))),cc)
endif
machine := $(shell $(CC) -dumpmachine 2>/dev/null)
gcc := $(shell printf '__clang__' | $(CC) -E -P -x c - 2>/dev/null | grep -c __clang__)# 1 for gcc

CFLAGS ?= -O2
DISPATCH ?= $(if $(findstring sanitize,$(CFLAGS)),switch)# with the checks in it a handler cannot be a tail call
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion
OWN_CFLAGS := -std=c11 $(WARN) -fPIC -ffunction-sections -fdata-sections -fno-semantic-interposition -ffp-contract=off -fno-math-errno
OWN_CPPFLAGS := -MMD -MP $(if $(DISPATCH),-DMV_DISPATCH=MV_DISPATCH_$(shell printf %s '$(DISPATCH)' | tr a-z A-Z))
ifeq ($(shell $(CC) -fexcess-precision=fast -E -x c /dev/null >/dev/null 2>&1 && $(CC) --version 2>/dev/null | grep -qi 'free software' && echo gcc),gcc)
OWN_CFLAGS += -fexcess-precision=fast# gcc for s390 would compute floats as doubles
endif
ifneq ($(filter i386% i486% i586% i686%,$(machine)),)
OWN_CFLAGS += -msse2 -mfpmath=sse# the x87 rounds twice
endif

# What each folder sees, and what it needs beyond the rest.
INCLUDE_vm    := -Iinclude -Ivm
INCLUDE_wasi  := -Iinclude
INCLUDE_cli   := -Iinclude -D_DEFAULT_SOURCE -DMINIVM_PREFIX='"$(PREFIX)"'
INCLUDE_tests := -Iinclude -Ivm -I. -D_DEFAULT_SOURCE
INCLUDE_examples := -Iinclude
CFLAGS_vm/exec/ := -fno-stack-protector -falign-functions=64 $(if $(filter 1,$(gcc)),-fno-gcse -fno-crossjumping -foptimize-sibling-calls)
# One function of thousands of labels, the goto and the switch: gcc takes many minutes to optimise it, clang to look for uninitialised variables.
one_function := $(if $(filter goto switch,$(DISPATCH))$(if $(filter x86_64% aarch64%,$(machine)),,other)$(if $(filter 1,$(gcc)),$(findstring sanitize,$(CFLAGS))),yes)
LAST_CFLAGS_vm/exec/ := $(if $(one_function),$(if $(filter 1,$(gcc)),-O1,-Wno-uninitialized))
# There AddressSanitizer's checks are calls, for the same reason, and short-lived variables have none.
ifneq ($(findstring sanitize=address,$(CFLAGS)),)
CFLAGS_vm/exec/ += $(if $(filter 1,$(gcc)),--param asan-instrumentation-with-call-threshold=0 --param asan-stack=0,-mllvm -asan-instrumentation-with-call-threshold=0 -mllvm -asan-stack=0)
endif

flags := $(CFLAGS)|$(CPPFLAGS)|$(LDFLAGS)
publish := $(if $(filter-out undefined,$(origin VARIANT) $(origin B)),,yes)
VARIANT ?= $(notdir $(subst $() ,_,$(CC)))$(DISPATCH:%=-%)$(if $(filter-out -O2||,$(flags)),-$(shell printf %s '$(flags)' | cksum | cut -d' ' -f1))
B := build/$(VARIANT)

# Guests may race in their shared memory: ThreadSanitizer looks at the engine alone.
ifneq ($(findstring sanitize=thread,$(CFLAGS)),)
$(B)/vm/exec/interp.o: LAST_CFLAGS_vm/exec/ += -fno-sanitize=thread
endif

# ---- linking -------------------------------------------------------------------------------------------

# The program is position-independent with compact relocations and read-only tables, and needs libc alone: 25 microseconds over an empty
# program, where libm would cost 90 and ordinary relocations 40 (docs/RATIONALE.md).
comma := ,
try_link = $(shell echo 'int main(void){return 0;}' | $(CC) -x c - -o /dev/null -Wl,--fatal-warnings $(1) 2>/dev/null && echo $(1))
OWN_LDFLAGS := -Wl,--gc-sections -Wl,-z,relro -Wl,-z,now $(call try_link,-Wl$(comma)-z$(comma)pack-relative-relocs) -pthread
LIBS := -Wl,--as-needed -lm

vm_src   := $(wildcard vm/*/*.c)
wasi_src := $(wildcard wasi/*.c)
cli_src  := $(wildcard cli/*.c)
lib_obj  := $(patsubst %.c,$(B)/%.o,$(vm_src) $(wasi_src))
cli_obj  := $(patsubst %.c,$(B)/%.o,$(cli_src))
unit     := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/test_*.c))
examples := $(patsubst %.c,$(B)/%,$(wildcard examples/embed/*.c))

# Parts that need a library are shared objects, loaded at their first use from beside the program or from PREFIX/lib/minivm:
# name, sources, libraries by pkg-config. One whose libraries are not here is left out, and said so.
parts :=
.DEFAULT_GOAL := all
define part # name, sources, pkg-config names
ifneq ($(strip $(2)),)
ifeq ($$(shell pkg-config --exists $(3) && echo yes),yes)
parts += $$(B)/minivm-$(1).so
$$(B)/minivm-$(1).so: $$(patsubst %.c,$$(B)/%.o,$(2))
	$$(call say,LD $$@)$$(CC) $$(CFLAGS) $$(LDFLAGS) -shared -Wl,-z,relro -o $$@ $$^ $$(shell pkg-config --libs $(3))
else
missing_parts += minivm-$(1).so($(3))
endif
endif
endef
ifneq ($(PARTS),no)
$(eval $(call part,dwarf,$(wildcard cli/dwarf/*.c),libdw))
endif

include http/http.mk
-include $(wildcard dapr/sidecar/dapr.mk)

products := minivm libminivm.a libminivm.so $(notdir $(parts)) minivm.pc

# ---- targets -------------------------------------------------------------------------------------------

# Commands are shown in short; V=1 shows them in full.
say = $(if $(V),,@echo "  $(1)"; )

.PHONY: all FORCE help test unit examples bench bench-dispatch bench-peers pairs install uninstall asan asan-test tsan tsan-test clean suite wast lint
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:

all: $(addprefix $(B)/,$(products))
	$(if $(publish),@cd build && for f in $(products); do ln -f $(VARIANT)/$$f $$f 2>/dev/null || cp -fp $(VARIANT)/$$f $$f; done)
	@echo "$(if $(publish),build,$(B))/minivm: $(CC)$(if $(filter yes,$(call has_tail,$(CC))), (has tail calls with pinned registers))$(DISPATCH:%=, dispatch by %)$(if $(missing_parts), without $(missing_parts))"

help:
	@echo "make              the program and the libraries, in build/"
	@echo "make test         every test that this machine has the tools for (tests/run); ONLY=\"unit cli\" for some"
	@echo "make unit         the unit tests alone"
	@echo "make suite        fetch the official WebAssembly test suite"
	@echo "make wast         run it"
	@echo "make bench        measure against every other engine found (bench/README.md); BENCH=\"--full\" for its options"
	@echo "make bench-peers  build the engines that package registries carry, for make bench"
	@echo "make bench-dispatch   compare the three ways of dispatch, built by this compiler"
	@echo "make pairs        which register operations, pairs and triples run most often"
	@echo "make asan         a build with AddressSanitizer and UBSan in build/asan; test it with make asan-test"
	@echo "make tsan         a build with ThreadSanitizer in build/tsan; make tsan-test runs what has threads"
	@echo "make lint         the checks of the source alone (tests/check)"
	@echo "make install      to PREFIX=$(PREFIX); make uninstall takes it away"
	@echo "make clean        removes build/"

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC $<)$(CC) $(OWN_CFLAGS) $(CFLAGS_$(dir $*)) $(INCLUDE_$(firstword $(subst /, ,$*))) $(OWN_CPPFLAGS) $(CPPFLAGS) $(CFLAGS) $(LAST_CFLAGS_$(dir $*)) -c -o $@ $<

# The program shows the public functions to the parts that it loads, the shared library to everybody; in the archive all other
# names are made local, so that an embedder's own cannot clash with them.
$(B)/api.list: Makefile
	@mkdir -p $(@D)
	@echo '{ mv_*; wasm_extern_*; };' >$@
$(B)/api.map: Makefile
	@mkdir -p $(@D)
	@echo '{ global: mv_*; wasm_*; local: *; };' >$@

$(B)/minivm: $(cli_obj) $(lib_obj) $(B)/api.list
	$(call say,LD $@)$(CC) $(CFLAGS) -pie -Wl,--dynamic-list=$(B)/api.list $(OWN_LDFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIBS)

$(B)/libminivm.so: $(lib_obj) $(B)/api.map
	$(call say,LD $@)$(CC) $(CFLAGS) -shared -Wl,-soname,libminivm.so.0 -Wl,--version-script=$(B)/api.map $(OWN_LDFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIBS)
	@ln -sf libminivm.so $(B)/libminivm.so.0

OBJCOPY ?= $(or $(shell $(CC) -print-prog-name=objcopy 2>/dev/null),objcopy)
$(B)/libminivm.a: $(lib_obj)
	$(call say,AR $@)$(CC) -r -nostdlib -o $(B)/libminivm.o $^
	@$(OBJCOPY) --wildcard --keep-global-symbol='mv_*' --keep-global-symbol='wasm_*' --keep-global-symbol='__x86.*' $(B)/libminivm.o
	@rm -f $@
	@$(AR) rcs $@ $(B)/libminivm.o

# PREFIX as it was built for: what contains it is made again when it changes.
$(B)/prefix: FORCE
	@mkdir -p $(@D)
	@printf '%s' '$(PREFIX)' | cmp -s - $@ || printf '%s' '$(PREFIX)' >$@
$(B)/cli/part.o: $(B)/prefix
$(B)/minivm.pc: $(B)/prefix Makefile include/minivm.h
	@printf '%s\n' 'prefix=$(PREFIX)' 'includedir=$${prefix}/include' 'libdir=$${prefix}/lib' '' 'Name: minivm' \
	  'Description: WebAssembly interpreter with the standard C API' 'Version: $(VERSION)' \
	  'Cflags: -I$${includedir}' 'Libs: -L$${libdir} -lminivm' 'Libs.private: -lm -pthread' >$@

# ---- tests ---------------------------------------------------------------------------------------------

# A unit test is a program of its own and sees the engine's inside.
$(B)/tests/unit/%: $(B)/tests/unit/%.o $(lib_obj)
	$(call say,LD $@)$(CC) $(CFLAGS) $(OWN_LDFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

# The examples are built as a stranger would: with the public headers, once against each library.
$(B)/examples/embed/%: examples/embed/%.c $(B)/libminivm.a $(B)/libminivm.so
	@mkdir -p $(@D)
	$(call say,LD $@)$(CC) -std=c11 $(WARN) $(CFLAGS) $(CPPFLAGS) -Iinclude $(LDFLAGS) -o $@ $< $(B)/libminivm.a -lm -pthread
	@$(CC) -std=c11 $(WARN) $(CFLAGS) $(CPPFLAGS) -Iinclude $(LDFLAGS) -o $@-shared $< -L$(B) -lminivm -Wl,-rpath,$(abspath $(B))

has_cmocka := $(shell echo 'int main(void){return 0;}' | $(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -x c - -o /dev/null -lcmocka 2>/dev/null && echo yes)
unit: $(if $(has_cmocka),$(unit))
examples: $(examples)

suites = $(or $(MINIVM_SUITE),$(wildcard build/testsuite),$(wildcard ../shared/testsuite ../shared/testsuite-extra))
test_env = MINIVM_SUITE='$(suites)' MINIVM=$(abspath $(B)/minivm) BUILD=$(abspath $(B)) CC='$(CC)' CPPFLAGS='$(CPPFLAGS)' CFLAGS='$(CFLAGS)' LDFLAGS='$(LDFLAGS)' RUNNER='$(RUNNER)'
test: all unit examples
	@$(test_env) tests/run $(ONLY)

lint:
	@$(test_env) sh tests/check/run

ASAN := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
TSAN := -O1 -g -fsanitize=thread
asan asan-test:
	$(MAKE) VARIANT=asan CFLAGS='$(ASAN)' PROGRAMS=--quick $(if $(call try_link,-fsanitize=address),,CC=gcc) $(if $(filter asan,$@),all,test)

tsan tsan-test:
	$(MAKE) VARIANT=tsan CFLAGS='$(TSAN)' $(if $(call try_link,-fsanitize=thread),,CC=gcc) $(if $(filter tsan,$@),all,test) ONLY='$(or $(ONLY),unit embed spec)' \
	  MINIVM_SUITE='$(wildcard $(addsuffix /proposals/threads,$(suites)) $(addsuffix /threads,$(suites)))'

# The official suite, pinned.
SUITE_COMMIT := 193e551
suite: build/testsuite
build/testsuite:
	@mkdir -p build
	@rm -rf $@.part
	git clone -q https://github.com/WebAssembly/testsuite $@.part
	git -C $@.part checkout -q $(SUITE_COMMIT)
	mv $@.part $@

wast: all
	@$(test_env) tests/run spec

bench: all
	@$(test_env) bench/run $(BENCH)

bench-peers:
	@$(test_env) bench/install-peers

dispatches := tail goto switch
bench-dispatch:
	@$(foreach d,$(dispatches),$(MAKE) -s VARIANT=$(VARIANT)-$d DISPATCH=$d build/$(VARIANT)-$d/minivm &&) \
	  bench/bench.py $(foreach d,$(dispatches),--minivm $d=build/$(VARIANT)-$d/minivm) --base tail --engines tail --no-load --output build/bench/dispatch $(BENCH)

pairs:
	@bench/pairs.py

# ---- installing ----------------------------------------------------------------------------------------

D = $(DESTDIR)$(PREFIX)
install: all
	install -d $(D)/bin $(D)/lib/minivm $(D)/lib/pkgconfig $(D)/include $(D)/share/man/man1 \
	  $(D)/share/bash-completion/completions $(D)/share/zsh/site-functions $(D)/share/fish/vendor_completions.d
	install -m755 $(B)/minivm $(D)/bin/minivm
	install -m644 $(B)/libminivm.a $(D)/lib/libminivm.a
	install -m755 $(B)/libminivm.so $(D)/lib/libminivm.so.$(VERSION)
	ln -sf libminivm.so.$(VERSION) $(D)/lib/libminivm.so.0
	ln -sf libminivm.so.0 $(D)/lib/libminivm.so
	$(if $(parts),install -m755 $(parts) $(D)/lib/minivm/)
	install -m644 $(B)/minivm.pc $(D)/lib/pkgconfig/minivm.pc
	install -m644 include/wasm.h include/minivm.h $(D)/include/
	install -m644 docs/minivm.1 $(D)/share/man/man1/minivm.1
	install -m644 docs/completions/minivm.bash $(D)/share/bash-completion/completions/minivm
	install -m644 docs/completions/minivm.zsh $(D)/share/zsh/site-functions/_minivm
	install -m644 docs/completions/minivm.fish $(D)/share/fish/vendor_completions.d/minivm.fish

uninstall:
	rm -f $(D)/bin/minivm $(D)/lib/libminivm.a $(D)/lib/libminivm.so $(D)/lib/libminivm.so.0 $(D)/lib/libminivm.so.$(VERSION) \
	  $(D)/lib/pkgconfig/minivm.pc $(D)/include/wasm.h $(D)/include/minivm.h $(D)/share/man/man1/minivm.1 \
	  $(D)/share/bash-completion/completions/minivm $(D)/share/zsh/site-functions/_minivm $(D)/share/fish/vendor_completions.d/minivm.fish
	rm -rf $(D)/lib/minivm

clean:
	rm -rf build

-include $(patsubst %.o,%.d,$(lib_obj) $(cli_obj)) $(addsuffix .d,$(unit)) $(wildcard $(B)/cli/*/*.d)

# http.mk: the part minivm-http.so, and what of it the program has itself (the options). Included by the Makefile before `products`. libcurl's headers
# are needed to build it; libcurl itself is opened at the first request that leaves the process, and is not linked.

INCLUDE_http := -Iinclude -D_DEFAULT_SOURCE $(if $(filter no,$(PARTS)),,$(shell pkg-config --cflags libcurl 2>/dev/null))
cli_obj += $(B)/http/options.o $(B)/http/url.o

ifneq ($(PARTS),no)
ifeq ($(shell $(CC) $(INCLUDE_http) $(CPPFLAGS) -include curl/curl.h -fsyntax-only -x c /dev/null 2>/dev/null && echo yes),yes)
parts += $(B)/minivm-http.so
else
missing_parts += minivm-http.so(libcurl)
endif
endif

http_obj := $(patsubst %.c,$(B)/%.o,$(wildcard http/*.c))
$(B)/http.map: http/http.mk
	@mkdir -p $(@D)
	@echo '{ global: http_*; mv_http_part; local: *; };' >$@
# It has a soname because minivm-dapr.so, which uses http.h, names it as needed.
$(B)/minivm-http.so: $(http_obj) $(B)/http.map
	$(call say,LD $@)$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,minivm-http.so -Wl,--version-script=$(B)/http.map -Wl,--gc-sections -Wl,-z,relro -o $@ \
	  $(filter %.o,$^) -pthread -Wl,--as-needed -ldl

-include $(http_obj:.o=.d)

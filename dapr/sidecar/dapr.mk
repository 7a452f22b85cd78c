# dapr.mk: the parts minivm-dapr.so (the sidecar) and minivm-daprd.so (its port, for `minivm dapr`). Included by the Makefile after http/http.mk and
# before `products`. The sidecar uses the client in minivm-http.so, and finds it in its own folder.

INCLUDE_dapr := -Iinclude -D_XOPEN_SOURCE=700 -D_DEFAULT_SOURCE
dapr_libs := sqlite3 hiredis yaml-0.1
daprd_libs := libmicrohttpd

ifneq ($(PARTS),no)
ifeq ($(shell pkg-config --exists $(dapr_libs) $(daprd_libs) 2>/dev/null && echo yes),yes)
parts += $(B)/minivm-dapr.so $(B)/minivm-daprd.so
else
missing_parts += minivm-dapr.so($(dapr_libs) $(daprd_libs))
endif
endif

dapr_obj := $(patsubst %.c,$(B)/%.o,$(wildcard dapr/sidecar/*.c))
daprd_obj := $(patsubst %.c,$(B)/%.o,$(wildcard dapr/sidecar/server/*.c)) $(B)/dapr/sidecar/text.o
dapr_link = $(call say,LD $@)$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,--version-script=$(word 1,$(filter %.map,$^)) -Wl,--gc-sections -Wl,-z,relro \
  -o $@ $(filter %.o %.so,$^) -Wl,--as-needed

$(B)/dapr.map: dapr/sidecar/dapr.mk
	@mkdir -p $(@D)
	@echo '{ global: minivm_dapr; dapr_main; local: *; };' >$@
$(B)/minivm-dapr.so: $(dapr_obj) $(B)/dapr.map $(B)/minivm-http.so
	$(dapr_link) -Wl,-rpath,'$$ORIGIN' $(shell pkg-config --libs $(dapr_libs)) -lm -pthread
$(B)/minivm-daprd.so: $(daprd_obj) $(B)/dapr.map
	$(dapr_link) $(shell pkg-config --libs $(daprd_libs)) -pthread

-include $(dapr_obj:.o=.d) $(daprd_obj:.o=.d)

# Builds the C tests of the sidecar: make -f tests/dapr/build.mk OUT=folder [CC=] [SAN=address,undefined] program...
# SAN is for all of it, the sidecar's files too.
core := $(wildcard dapr/sidecar/*.c) $(filter-out http/guest.c http/options.c,$(wildcard http/*.c))
OPT ?= -O1
flags := -std=c11 -D_XOPEN_SOURCE=700 -D_DEFAULT_SOURCE -g $(OPT) -Iinclude $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
libs := $(shell pkg-config --libs sqlite3 hiredis yaml-0.1) -lm -pthread -ldl
objects := $(patsubst %.c,$(OUT)/%.o,$(core))

$(OUT)/%.o: %.c $(wildcard dapr/*.h dapr/sidecar/*.h dapr/sidecar/server/*.h tests/dapr/*.h) include/minivm.h $(wildcard http/*.h)
	@mkdir -p $(@D)
	@$(CC) $(flags) -c -o $@ $<

$(OUT)/test_%: $(OUT)/tests/dapr/test_%.o $(objects)
	@$(CC) $(flags) $(wrapped) -o $@ $^ -lcmocka $(libs)

$(OUT)/test_memory: wrapped := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc

$(OUT)/fuzz $(OUT)/stress $(OUT)/bench: $(OUT)/%: $(OUT)/tests/dapr/%.o $(objects)
	@$(CC) $(flags) -o $@ $^ $(libs)

# `minivm dapr` without the rest of minivm.
$(OUT)/daprd: $(OUT)/tests/dapr/daprd.o $(OUT)/dapr/sidecar/server/main.o $(OUT)/dapr/sidecar/server/server.o $(objects)
	@$(CC) $(flags) -o $@ $^ $(libs) $(shell pkg-config --libs libmicrohttpd)
.SECONDARY:

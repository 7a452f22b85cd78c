/* world.h: a guest without an engine: drives the host functions of wasi/ from C.
 *
 * world.c plays the few mv_ functions that wasi/ uses: it records the functions that are defined, gives a byte array as memory and
 * keeps what was thrown. Each test gets a folder of its own:
 *   box/      the preopened folder (descriptor 3, "/")
 *   ro/       preopened read-only (descriptor 4, "/ro")
 *   outside/  what no path may reach, with the file `secret`
 */
#ifndef WORLD_H
#define WORLD_H

#include "../../wasi/wasi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum {
  MEMORY_SIZE = 1 << 17, /* what the guest has */
  MEMORY_BEYOND = 1 << 16, /* what lies behind it, full of CANARY */
  CANARY = 0xa5,
  BOX = 3,
  RO = 4,
  /* Addresses. */
  OUT = 0x100,
  OUT2 = 0x110,
  LIST = 0x200,
  BUF = 0x1000,
  TEXT = 0x10000
};

struct mv_caller {
  struct world *world;
};

struct world {
  mv_wasi_t *wasi;
  struct mv_caller caller;
  uint8_t memory[MEMORY_SIZE + MEMORY_BEYOND];
  bool no_memory;
  uint32_t text; /* next free address for strings */
  char root[64]; /* the host folder */
  bool unstable; /* call as wasi_unstable */
  /* What the last call threw. */
  mv_kind_t kind;
  int code;
  char message[256];
  volatile int interrupt_after; /* asked this often, mv_caller_interrupted says yes; 0: never */
  int asked;
};

struct world *world_new(void);
/* What new worlds lack, as bits of enum wasi_defence. */
extern uint32_t world_defences_off;
/* As world_new, with nothing preopened and no folder made. */
struct world *world_new_bare(void);
void world_delete(struct world *);

enum { TRAPPED = -1 };
/* Calls by name. The WASI error number, or TRAPPED. */
int world_call(struct world *, const char *name, const uint64_t *args);
/* Puts a string into memory and returns its address. */
uint32_t world_text(struct world *, const char *);
/* Is the function defined, with this signature? */
bool world_defines(const char *module, const char *name, const char *sig);
unsigned world_count(void);

/* The host's view of the folder. */
const char *world_path(struct world *, const char *relative, char out[512]);
void world_write(struct world *, const char *relative, const char *text);
/* The contents of a file, or "(none)". */
const char *world_read(struct world *, const char *relative, char out[512]);
void world_mkdir(struct world *, const char *relative);
void world_symlink(struct world *, const char *target, const char *relative);
bool world_exists(struct world *, const char *relative);

#define CALL(t, name, ...) world_call((t), #name, (const uint64_t[]){__VA_ARGS__})
#define PATH(t, text) world_text((t), (text)), strlen(text)

static inline uint32_t get32(struct world *t, uint32_t at) {
  const uint8_t *p = t->memory + at;
  return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t get64(struct world *t, uint32_t at) { return get32(t, at) | (uint64_t)get32(t, at + 4) << 32; }
static inline uint16_t get16(struct world *t, uint32_t at) { return (uint16_t)(t->memory[at] | t->memory[at + 1] << 8); }

static inline void set32(struct world *t, uint32_t at, uint32_t v) {
  for (int i = 0; i < 4; i++) t->memory[at + (uint32_t)i] = (uint8_t)(v >> 8 * i);
}

static inline void set64(struct world *t, uint32_t at, uint64_t v) {
  set32(t, at, (uint32_t)v);
  set32(t, at + 4, (uint32_t)(v >> 32));
}

/* A list of one buffer at LIST. */
static inline uint32_t one(struct world *t, uint32_t at, uint32_t len) {
  set32(t, LIST, at);
  set32(t, LIST + 4, len);
  return LIST;
}

/* Opens below a folder with the named rights; the new descriptor, or minus the error number. */
int world_open(struct world *, uint32_t dir, const char *path, uint32_t oflags, uint64_t rights, uint32_t fdflags);
/* Writes a string; the error number. */
int world_fd_write(struct world *, uint32_t fd, const char *text);
/* Reads at most 256 bytes as a string; NULL on failure. */
const char *world_fd_read(struct world *, uint32_t fd);

#define R(name) ((uint64_t)WASI_R_##name)

/* The files of tests; each returns the number of failures. */
int run_fd(void);
int run_io(void);
int run_path(void);
int run_dir(void);
int run_poll(void);
int run_proc(void);
int run_sock(void);
int run_rights(void);
int run_trace(void);
int run_sandbox(void);
int run_escape(void);
int run_memory(void);

#endif

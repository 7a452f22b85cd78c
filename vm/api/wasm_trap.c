/* Traps and frames. A trap holds the report of a failed execution and the frames it passed; one that a callback returned keeps its identity on the way through
 * the guest to whoever called. */
#include <stdlib.h>
#include <string.h>

#include "api/api.h"

void api_trap_release(struct api_trap *t) {
  if (atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) != 1) return;
  host_info_set(&t->info, NULL, NULL);
  free(t->message);
  free(t->frames);
  free(t);
}

/* A trap without references yet, or NULL. */
static struct api_trap *api_trap_new(const mv_error_t *err) {
  struct api_trap *t = calloc(1, sizeof *t);
  if (!t) return NULL;
  atomic_init(&t->refs, 0);
  t->err = *err;
  t->size = strlen(t->err.message);
  return t;
}

/* Wraps a trap without references, or NULL. */
static wasm_trap_t *first_handle(wasm_store_t *store, struct api_trap *t) {
  if (!t) return NULL;
  wasm_trap_t *handle = trap_make(store, t);
  if (!handle) {
    atomic_store(&t->refs, 1);
    api_trap_release(t);
  }
  return handle;
}

wasm_trap_t *wasm_trap_new(wasm_store_t *store, const wasm_message_t *message) {
  mv_error_t err = {.kind = MV_TRAP, .offset = MV_NO_OFFSET};
  size_t n = message->size;
  if (n > 0 && message->data[n - 1] == 0) n--;
  snprintf(err.message, sizeof err.message, "%.*s", (int)(n < sizeof err.message ? n : sizeof err.message - 1), message->data ? message->data : "");
  struct api_trap *t = api_trap_new(&err);
  if (t && n > t->size) {
    t->message = malloc(n + 1);
    if (t->message) {
      memcpy(t->message, message->data, n);
      t->message[n] = 0;
      t->size = n;
    }
  }
  return first_handle(store, t);
}

static void take_frames(wasm_store_t *store, struct api_trap *t) {
  const struct store *s = store->s;
  if (t->frames || s->ntrace == 0) return;
  t->frames = malloc(s->ntrace * sizeof *t->frames);
  if (!t->frames) return; /* a trap without frames is still a trap */
  memcpy(t->frames, s->trace, s->ntrace * sizeof *t->frames);
  t->nframes = s->ntrace;
  t->store = store;
}

wasm_trap_t *trap_of_error(wasm_store_t *store, const mv_error_t *err) {
  struct api_trap *t = store->pending;
  store->pending = NULL;
  if (t) {
    take_frames(store, t);
    wasm_trap_t *handle = trap_make(store, t);
    api_trap_release(t);
    return handle;
  }
  t = api_trap_new(err);
  if (t) take_frames(store, t);
  return first_handle(store, t);
}

void wasm_trap_message(const wasm_trap_t *trap, wasm_message_t *out) {
  const struct api_trap *t = trap->ref.u.trap;
  wasm_byte_vec_new(out, t->size + 1, t->message ? t->message : t->err.message);
}

void mv_trap_error(const wasm_trap_t *trap, mv_error_t *out) { *out = trap->ref.u.trap->err; }

/* ---- frames ---- */

static wasm_frame_t *frame_make(wasm_store_t *store, const struct trace_frame *f) {
  wasm_frame_t *frame = calloc(1, sizeof *frame);
  if (!frame) return NULL;
  const struct module *m = f->instance->module;
  frame->instance.ref.kind = REF_INSTANCE;
  frame->instance.ref.store = store;
  frame->instance.ref.u.instance = f->instance;
  frame->func = f->func;
  if (f->offset == MV_NO_OFFSET) return frame;
  frame->module_offset = (size_t)f->offset;
  if (f->func >= m->nimported_funcs) frame->func_offset = (size_t)(f->offset - m->bodies[f->func - m->nimported_funcs].offset);
  return frame;
}

wasm_frame_t *wasm_frame_copy(const wasm_frame_t *from) {
  wasm_frame_t *f = malloc(sizeof *f);
  if (f) *f = *from;
  return f;
}

void wasm_frame_delete(wasm_frame_t *f) { free(f); }
wasm_instance_t *wasm_frame_instance(const wasm_frame_t *f) { return (wasm_instance_t *)(uintptr_t)&f->instance; }
uint32_t wasm_frame_func_index(const wasm_frame_t *f) { return f->func; }
size_t wasm_frame_func_offset(const wasm_frame_t *f) { return f->func_offset; }
size_t wasm_frame_module_offset(const wasm_frame_t *f) { return f->module_offset; }

wasm_frame_t *wasm_trap_origin(const wasm_trap_t *trap) {
  const struct api_trap *t = trap->ref.u.trap;
  return t->nframes ? frame_make(t->store, &t->frames[0]) : NULL;
}

void wasm_trap_trace(const wasm_trap_t *trap, wasm_frame_vec_t *out) {
  const struct api_trap *t = trap->ref.u.trap;
  wasm_frame_vec_new_uninitialized(out, t->nframes);
  for (size_t i = 0; i < out->size; i++) {
    if ((out->data[i] = frame_make(t->store, &t->frames[i])) != NULL) continue;
    wasm_frame_vec_delete(out);
    return;
  }
}

/* ---- the trace as text ---- */

enum { LINE = 200 }; /* bytes for a frame, its name cut to fit */

/* "  #0 0x1234 name func[7]" */
static int print_frame(char *line, size_t n, const struct trace_frame *f) {
  struct name name = {"", 0};
  char shown[LINE / 2];
  bool named = module_func_name(f->instance->module, f->func, &name);
  unsigned long long offset = f->offset == MV_NO_OFFSET ? 0 : f->offset;
  mv_visible(name.bytes, name.size, shown, sizeof shown);
  return snprintf(line, LINE, "  #%zu 0x%llx %s%sfunc[%u]\n", n, offset, shown, named ? " " : "", f->func);
}

const char *mv_store_backtrace(wasm_store_t *w) {
  struct store *s = w->s;
  if (s->backtrace) return s->backtrace;
  char *text = s->ntrace ? malloc((s->ntrace + 1) * LINE) : NULL;
  if (!text) return "";
  size_t n = 0;
  for (size_t i = 0; i < s->ntrace; i++) n += (size_t)print_frame(text + n, i, &s->trace[i]);
  if (s->trace_lost) snprintf(text + n, LINE, "  ... %llu more frames\n", (unsigned long long)s->trace_lost);
  return s->backtrace = text;
}

/* Test scripts (.wast): the script language of the reference interpreter, with the commands of the threads proposal. Modules in text are parsed from
 * the tokens of the script itself. Knows how commands are written, not what they do. */
#include "text/parse.h"

#include <stdlib.h>

struct script {
  struct parser p; /* cursor and scratch */
  struct source source;
  struct arena arena; /* what the commands point to */
  unsigned flags;
};

enum { THREADS_DEEP = 16 };

static bool parse_commands(struct script *, uint32_t end, unsigned depth, const mv_wast_command_t **out, size_t *n);

/* ---- pieces -------------------------------------------------------------------------------------------- */

static void *keep(struct script *x, const void *bytes, size_t n) {
  char *copy = arena_alloc(&x->arena, n + 1);
  if (!copy) {
    (void)no_memory(&x->p);
    return NULL;
  }
  return n ? memcpy(copy, bytes, n) : copy;
}

/* An optional identifier. */
static void take_id(struct script *x, mv_wast_string_t *out) {
  uint32_t symbol = optional_id(&x->p);
  if (symbol == NO_SYMBOL) return;
  const struct symbol *y = &x->source.symbols[symbol]; /* its bytes live as long as the source */
  *out = (mv_wast_string_t){y->bytes, y->size};
}

/* One string, of any bytes. */
static bool take_text(struct script *x, mv_wast_string_t *out) {
  struct parser *p = &x->p;
  if (!at(p, TOKEN_STRING)) return unexpected(p, "a string");
  buf_clear(&p->strings);
  string_decode(p->s->text + peek(p)->pos, peek(p)->u, &p->strings);
  if (p->strings.failed) return no_memory(p);
  p->t++;
  *out = (mv_wast_string_t){keep(x, p->strings.data, p->strings.size), p->strings.size};
  return out->bytes != NULL;
}

static bool close_form(struct script *x) { return expect(&x->p, TOKEN_RPAR, ")"); }

/* ---- modules ------------------------------------------------------------------------------------------- */

/* The fields of a text module up to token `end`; its failure belongs to the module, not to the script. */
static bool compile(struct script *x, uint32_t end, mv_wast_string_t id, mv_wast_module_t *m) {
  struct parsed_module out;
  mv_error_t err = {.offset = MV_NO_OFFSET};
  m->form = MV_WAST_TEXT;
  bool ok = module_parse(&x->source, x->p.t, end, (struct name){id.bytes, (uint32_t)id.size}, x->flags, false, &out, &err);
  x->p.t = end;
  if (!ok) {
    m->error = keep(x, &err, sizeof err);
    return m->error != NULL;
  }
  m->bytes = keep(x, out.bytes.data, out.bytes.size);
  m->size = out.bytes.size;
  buf_fini(&out.bytes);
  return m->bytes != NULL;
}

/* (module definition? id? (binary|quote string* | field*)) */
static bool parse_module(struct script *x, mv_wast_module_t *m, mv_wast_string_t *id, bool *definition) {
  struct parser *p = &x->p;
  uint32_t end = peek(p)->u;
  p->t += 2;
  *definition = at_word(p, KW_DEFINITION);
  p->t += *definition;
  take_id(x, id);
  if (!at_word(p, KW_BINARY) && !at_word(p, KW_QUOTE)) return compile(x, end, *id, m) && close_form(x);
  m->form = at_word(p, KW_BINARY) ? MV_WAST_BINARY : MV_WAST_QUOTE;
  p->t++;
  parse_strings(p);
  m->bytes = keep(x, p->strings.data, p->strings.size);
  m->size = p->strings.size;
  return m->bytes && close_form(x);
}

/* (module instance id? of?) */
static bool parse_instance(struct script *x, mv_wast_command_t *c) {
  x->p.t += 3;
  take_id(x, &c->id);
  take_id(x, &c->of);
  if (!c->of.bytes) { /* a single identifier is the definition's */
    c->of = c->id;
    c->id = (mv_wast_string_t){0};
  }
  return close_form(x);
}

static bool at_instance(const struct parser *p) {
  return at_form(p, KW_MODULE) && peek(p)[2].kind == TOKEN_KEYWORD && peek(p)[2].word == KW_INSTANCE;
}

/* ---- values -------------------------------------------------------------------------------------------- */

static mv_wast_heap_t heap_of(unsigned word) {
  switch (word) {
  case KW_ANY: case KW_REF_ANY: return MV_WAST_ANY;
  case KW_EQ: case OP_ref_eq: return MV_WAST_EQ;
  case KW_I31: case OP_ref_i31: return MV_WAST_I31;
  case KW_STRUCT: case KW_REF_STRUCT: return MV_WAST_STRUCT;
  case KW_ARRAY: case KW_REF_ARRAY: return MV_WAST_ARRAY;
  case KW_NONE: return MV_WAST_NONE;
  case KW_FUNC: case OP_ref_func: return MV_WAST_FUNC;
  case KW_NOFUNC: return MV_WAST_NOFUNC;
  case KW_EXTERN: case KW_REF_EXTERN: return MV_WAST_EXTERN_HEAP;
  case KW_NOEXTERN: return MV_WAST_NOEXTERN;
  case KW_EXN: case KW_REF_EXN: return MV_WAST_EXN;
  case KW_NOEXN: return MV_WAST_NOEXN;
  default: return MV_WAST_ANY_HEAP;
  }
}

static bool parse_ref(struct script *x, unsigned word, mv_wast_value_t *v) {
  struct parser *p = &x->p;
  if (word == OP_ref_null) {
    v->type = MV_WAST_NULL;
    if (!at(p, TOKEN_KEYWORD)) return true;
    v->heap = heap_of(peek(p)->word);
    if (v->heap == MV_WAST_ANY_HEAP) return unexpected(p, "a heap type");
    p->t++;
    return true;
  }
  v->type = MV_WAST_REF;
  v->heap = heap_of(word);
  if (word == KW_REF_HOST || (word == KW_REF_EXTERN && at(p, TOKEN_NAT))) {
    v->type = word == KW_REF_HOST ? MV_WAST_HOST : MV_WAST_EXTERN;
    return parse_nat(p, 32, &v->bits[0]);
  }
  return v->heap != MV_WAST_ANY_HEAP || unexpected(p, "a value");
}

static bool parse_scalar(struct script *x, mv_wast_type_t type, bool pattern, mv_wast_value_t *v) {
  struct parser *p = &x->p;
  bool is_float = type == MV_WAST_F32 || type == MV_WAST_F64;
  v->type = type;
  if (pattern && is_float && (at_word(p, KW_NAN_CANONICAL) || at_word(p, KW_NAN_ARITHMETIC))) {
    v->nan[0] = at_word(p, KW_NAN_CANONICAL) ? MV_WAST_NAN_CANONICAL : MV_WAST_NAN_ARITHMETIC;
    p->t++;
    return true;
  }
  return parse_number(p, type == MV_WAST_I32 || type == MV_WAST_F32 ? 32 : 64, is_float, &v->bits[0]);
}

static bool parse_vector(struct script *x, bool pattern, mv_wast_value_t *v) {
  uint8_t bytes[16] = {0};
  unsigned bits;
  v->type = MV_WAST_V128;
  if (!parse_v128(&x->p, bytes, &bits, &v->lane_float, pattern ? v->nan : NULL)) return false;
  v->lane_bits = (uint8_t)bits;
  v->bits[0] = load_le64(bytes);
  v->bits[1] = load_le64(bytes + 8);
  return true;
}

static bool parse_values(struct script *, bool pattern, const mv_wast_value_t **out, size_t *n, unsigned depth);

/* One argument, or one expected result when `pattern`. */
static bool parse_value(struct script *x, bool pattern, mv_wast_value_t *v, unsigned depth) {
  struct parser *p = &x->p;
  *v = (mv_wast_value_t){0};
  if (!expect(p, TOKEN_LPAR, "a value") || !at(p, TOKEN_KEYWORD)) return unexpected(p, "a value");
  unsigned word = peek(p)->word;
  p->t++;
  bool ok;
  switch (word) {
  case OP_i32_const: ok = parse_scalar(x, MV_WAST_I32, pattern, v); break;
  case OP_i64_const: ok = parse_scalar(x, MV_WAST_I64, pattern, v); break;
  case OP_f32_const: ok = parse_scalar(x, MV_WAST_F32, pattern, v); break;
  case OP_f64_const: ok = parse_scalar(x, MV_WAST_F64, pattern, v); break;
  case OP_v128_const: ok = parse_vector(x, pattern, v); break;
  case KW_EITHER:
    v->type = MV_WAST_EITHER;
    ok = pattern && depth > 0 ? parse_values(x, true, &v->either, &v->neither, depth - 1) : unexpected(p, "a value");
    break;
  default: ok = parse_ref(x, word, v);
  }
  return ok && close_form(x);
}

static bool parse_values(struct script *x, bool pattern, const mv_wast_value_t **out, size_t *n, unsigned depth) {
  struct parser *p = &x->p;
  size_t count = 0;
  for (uint32_t t = p->t; p->s->tokens[t].kind == TOKEN_LPAR; t = after_form(p, t)) count++;
  mv_wast_value_t *values = arena_array(&x->arena, count, sizeof *values);
  if (!values) return no_memory(p);
  for (size_t i = 0; i < count; i++)
    if (!parse_value(x, pattern, &values[i], depth)) return false;
  *out = values;
  *n = count;
  return true;
}

/* ---- commands ------------------------------------------------------------------------------------------ */

static bool at_action(const struct parser *p) { return at_form(p, KW_INVOKE) || at_form(p, KW_GET); }

static bool parse_action(struct script *x, mv_wast_action_t *a) {
  a->kind = at_form(&x->p, KW_INVOKE) ? MV_WAST_INVOKE : MV_WAST_GET;
  x->p.t += 2;
  take_id(x, &a->instance);
  if (!take_text(x, &a->name)) return false;
  if (a->kind == MV_WAST_INVOKE && !parse_values(x, false, &a->args, &a->nargs, 0)) return false;
  return close_form(x);
}

/* What an assertion is about: an action, an instance, or a module. */
static bool parse_subject(struct script *x, mv_wast_command_t *c) {
  bool definition;
  if (at_action(&x->p)) return parse_action(x, &c->action);
  if (at_instance(&x->p)) return parse_instance(x, c);
  if (!at_form(&x->p, KW_MODULE)) return unexpected(&x->p, "an action or a module");
  return parse_module(x, &c->module, &c->id, &definition);
}

/* (thread id (shared (module id)*)? command*) */
static bool parse_thread(struct script *x, mv_wast_command_t *c, uint32_t end, unsigned depth) {
  struct parser *p = &x->p;
  take_id(x, &c->id);
  if (!c->id.bytes) return unexpected(p, "a thread's identifier");
  if (at_form(p, KW_SHARED)) {
    size_t room = peek(p)->u - p->t;
    mv_wast_string_t *shared = arena_array(&x->arena, room, sizeof *shared);
    if (!shared) return no_memory(p);
    for (p->t += 2; at_form(p, KW_MODULE);) {
      p->t += 2;
      take_id(x, &shared[c->nshared++]);
      if (!close_form(x)) return false;
    }
    c->shared = shared;
    if (!close_form(x)) return false;
  }
  if (depth == 0) return parse_error(p, p->t, "threads are nested too deeply");
  return parse_commands(x, end, depth - 1, &c->commands, &c->ncommands) && close_form(x);
}

static bool parse_simple(struct script *x, mv_wast_command_t *c, mv_wast_kind_t kind) {
  c->kind = kind;
  if (kind == MV_WAST_REGISTER) {
    if (!take_text(x, &c->name)) return false;
    take_id(x, &c->of);
  } else if (kind == MV_WAST_WAIT) {
    take_id(x, &c->id);
    if (!c->id.bytes) return unexpected(&x->p, "a thread's identifier");
  } else {
    if (!parse_subject(x, c)) return false;
    if (kind == MV_WAST_ASSERT_RETURN && !parse_values(x, true, &c->expected, &c->nexpected, 4)) return false;
    if (kind != MV_WAST_ASSERT_RETURN && kind != MV_WAST_ASSERT_EXCEPTION && !take_text(x, &c->message)) return false;
  }
  return close_form(x);
}

static bool parse_command(struct script *x, mv_wast_command_t *c, unsigned depth) {
  struct parser *p = &x->p;
  uint32_t end = peek(p)->u;
  bool definition = false;
  if (at_action(p)) {
    c->kind = MV_WAST_ACTION;
    return parse_action(x, &c->action);
  }
  if (at_instance(p)) {
    c->kind = MV_WAST_INSTANCE;
    return parse_instance(x, c);
  }
  if (at_form(p, KW_MODULE)) {
    bool ok = parse_module(x, &c->module, &c->id, &definition);
    c->kind = definition ? MV_WAST_DEFINITION : MV_WAST_MODULE;
    return ok;
  }
  p->t++;
  unsigned word = at(p, TOKEN_KEYWORD) ? peek(p)->word : 0;
  p->t++;
  switch (word) {
  case KW_REGISTER: return parse_simple(x, c, MV_WAST_REGISTER);
  case KW_WAIT: return parse_simple(x, c, MV_WAST_WAIT);
  case KW_ASSERT_RETURN: return parse_simple(x, c, MV_WAST_ASSERT_RETURN);
  case KW_ASSERT_TRAP: return parse_simple(x, c, MV_WAST_ASSERT_TRAP);
  case KW_ASSERT_EXHAUSTION: return parse_simple(x, c, MV_WAST_ASSERT_EXHAUSTION);
  case KW_ASSERT_EXCEPTION: return parse_simple(x, c, MV_WAST_ASSERT_EXCEPTION);
  case KW_ASSERT_MALFORMED: return parse_simple(x, c, MV_WAST_ASSERT_MALFORMED);
  case KW_ASSERT_INVALID: return parse_simple(x, c, MV_WAST_ASSERT_INVALID);
  case KW_ASSERT_UNLINKABLE: return parse_simple(x, c, MV_WAST_ASSERT_UNLINKABLE);
  case KW_ASSERT_MALFORMED_CUSTOM: return parse_simple(x, c, MV_WAST_ASSERT_MALFORMED_CUSTOM);
  case KW_ASSERT_INVALID_CUSTOM: return parse_simple(x, c, MV_WAST_ASSERT_INVALID_CUSTOM);
  case KW_THREAD: c->kind = MV_WAST_THREAD; return parse_thread(x, c, end, depth);
  default:
    p->t--;
    return unexpected(p, "a command");
  }
}

/* The commands up to token `end`. One that cannot be parsed becomes MV_WAST_UNKNOWN. */
static bool parse_commands(struct script *x, uint32_t end, unsigned depth, const mv_wast_command_t **out, size_t *n) {
  struct parser *p = &x->p;
  size_t count = 0;
  struct position start = {0, 1, 1};
  for (uint32_t t = p->t; t < end && p->s->tokens[t].kind == TOKEN_LPAR; t = after_form(p, t)) count++;
  mv_wast_command_t *commands = arena_array(&x->arena, count, sizeof *commands);
  if (!commands) return no_memory(p);
  for (size_t i = 0; i < count; i++) {
    mv_wast_command_t *c = &commands[i];
    mv_error_t *outer = p->err, err = {.offset = MV_NO_OFFSET};
    uint32_t next = after_form(p, p->t);
    position_advance(&start, p->s->text, peek(p)->pos);
    c->line = start.line;
    c->column = start.column;
    p->err = &err;
    bool ok = parse_command(x, c, depth);
    p->err = outer;
    if (err.kind == MV_NO_MEMORY) return no_memory(p);
    if (!ok) {
      c->kind = MV_WAST_UNKNOWN;
      c->error = keep(x, &err, sizeof err);
      if (!c->error) return false;
    }
    p->t = next;
  }
  *out = commands;
  *n = count;
  return true;
}

/* A text that begins with a module field is one module. */
static bool is_bare_module(const struct parser *p) {
  static const uint16_t fields[] = {KW_TYPE, KW_REC, KW_IMPORT, KW_FUNC, KW_TABLE, KW_MEMORY, KW_GLOBAL, KW_TAG, KW_ELEM, KW_DATA, KW_EXPORT, KW_START};
  for (unsigned i = 0; i < sizeof fields / sizeof *fields; i++)
    if (at_form(p, fields[i])) return true;
  return false;
}

static bool parse_script(struct script *x, mv_wast_t *out) {
  struct parser *p = &x->p;
  uint32_t last = (uint32_t)x->source.ntokens - 1;
  if (!is_bare_module(p)) return parse_commands(x, last, THREADS_DEEP, &out->commands, &out->ncommands) && (at(p, TOKEN_EOF) || unexpected(p, "a command"));
  mv_wast_command_t *c = arena_alloc(&x->arena, sizeof *c);
  if (!c) return no_memory(p);
  *c = (mv_wast_command_t){.kind = MV_WAST_MODULE, .line = 1, .column = 1};
  out->commands = c;
  out->ncommands = 1;
  return compile(x, last, (mv_wast_string_t){0}, &c->module);
}

bool mv_wast_parse(const char *text, size_t size, mv_features_t features, unsigned flags, mv_wast_t *out, mv_error_t *err) {
  mv_error_t unused;
  if (!err) err = &unused;
  *err = (mv_error_t){.offset = MV_NO_OFFSET};
  *out = (mv_wast_t){0};
  struct script *x = calloc(1, sizeof *x);
  if (!x) return error_no_memory(err, sizeof *x);
  out->memory = x;
  x->flags = flags;
  x->p = (struct parser){.s = &x->source, .err = err};
  if (!source_lex(&x->source, text, size, features, err) || !parse_script(x, out)) {
    mv_wast_free(out);
    return false;
  }
  /* identifiers live in the arena of the source; its tables are not needed any more */
  free(x->source.tokens);
  x->source.tokens = NULL;
  return true;
}

void mv_wast_free(mv_wast_t *w) {
  struct script *x = w->memory;
  if (x) {
    source_fini(&x->source);
    arena_fini(&x->arena);
    buf_fini(&x->p.strings);
    free(x);
  }
  *w = (mv_wast_t){0};
}

const char *mv_wast_kind_name(mv_wast_kind_t kind) {
  static const char *const names[] = {
      "module", "module definition", "module instance", "register", "action", "assert_return", "assert_trap", "assert_exhaustion", "assert_exception",
      "assert_malformed", "assert_invalid", "assert_unlinkable", "assert_malformed_custom", "assert_invalid_custom", "thread", "wait", "unknown command"};
  return (unsigned)kind < sizeof names / sizeof *names ? names[kind] : "unknown command";
}

/* Types in text (core/text/types): each is emitted in its shortest binary form as it is read. */
#include "text/parse.h"

/* ---- value types --------------------------------------------------------------------------------------- */

/* The byte of a number, vector or abbreviated reference type; 0: another word. */
static unsigned valtype_byte(unsigned word) {
  switch (word) {
  case KW_I32: return 0x7f;
  case KW_I64: return 0x7e;
  case KW_F32: return 0x7d;
  case KW_F64: return 0x7c;
  case KW_V128: return 0x7b;
  case KW_FUNCREF: return 0x70;
  case KW_EXTERNREF: return 0x6f;
  case KW_ANYREF: return 0x6e;
  case KW_EQREF: return 0x6d;
  case KW_I31REF: return 0x6c;
  case KW_STRUCTREF: return 0x6b;
  case KW_ARRAYREF: return 0x6a;
  case KW_EXNREF: return 0x69;
  case KW_NULLREF: return 0x71;
  case KW_NULLEXTERNREF: return 0x72;
  case KW_NULLFUNCREF: return 0x73;
  case KW_NULLEXNREF: return 0x74;
  default: return 0;
  }
}

/* Abstract heap types have the byte of their nullable abbreviation. */
static unsigned heaptype_byte(unsigned word) {
  switch (word) {
  case KW_FUNC: return 0x70;
  case KW_EXTERN: return 0x6f;
  case KW_ANY: return 0x6e;
  case KW_EQ: return 0x6d;
  case KW_I31: return 0x6c;
  case KW_STRUCT: return 0x6b;
  case KW_ARRAY: return 0x6a;
  case KW_EXN: return 0x69;
  case KW_NONE: return 0x71;
  case KW_NOEXTERN: return 0x72;
  case KW_NOFUNC: return 0x73;
  case KW_NOEXN: return 0x74;
  default: return 0;
  }
}

bool at_valtype(const struct parser *p) {
  return (at(p, TOKEN_KEYWORD) && valtype_byte(peek(p)->word) != 0) || at_form(p, KW_REF);
}

bool parse_heaptype(struct parser *p, struct buf *out) {
  uint32_t type;
  if (at(p, TOKEN_KEYWORD)) {
    unsigned byte = heaptype_byte(peek(p)->word);
    if (byte == 0) return unexpected(p, "a heap type");
    buf_byte(out, byte);
    p->t++;
    return true;
  }
  if (at_form(p, KW_EXACT)) {
    p->t += 2;
    if (!parse_index(p, SPACE_TYPE, &type)) return false;
    buf_byte(out, 0x62);
    buf_u32(out, type);
    return expect(p, TOKEN_RPAR, ")");
  }
  if (!at(p, TOKEN_NAT) && !at(p, TOKEN_ID)) return unexpected(p, "a heap type");
  if (!parse_index(p, SPACE_TYPE, &type)) return false;
  buf_s64(out, type);
  return true;
}

bool parse_reftype_parts(struct parser *p, bool *nullable, struct buf *heap) {
  unsigned byte = at(p, TOKEN_KEYWORD) ? valtype_byte(peek(p)->word) : 0;
  if (byte != 0 && byte < 0x7b) {
    buf_byte(heap, byte);
    *nullable = true;
    p->t++;
    return true;
  }
  if (!at_form(p, KW_REF)) return unexpected(p, "a reference type");
  p->t += 2;
  *nullable = at_word(p, KW_NULL);
  p->t += *nullable;
  return parse_heaptype(p, heap) && expect(p, TOKEN_RPAR, ")");
}

bool parse_reftype(struct parser *p, struct buf *out) {
  uint8_t bytes[12];
  struct buf heap = {.data = bytes, .cap = sizeof bytes}; /* a heap type has at most 6 bytes */
  bool nullable;
  if (!parse_reftype_parts(p, &nullable, &heap)) return false;
  bool abstract = heap.size == 1 && bytes[0] >= 0x69 && bytes[0] <= 0x74;
  if (!nullable || !abstract) buf_byte(out, nullable ? 0x63 : 0x64);
  buf_put(out, bytes, heap.size);
  return true;
}

bool parse_valtype(struct parser *p, struct buf *out) {
  unsigned byte = at(p, TOKEN_KEYWORD) ? valtype_byte(peek(p)->word) : 0;
  if (byte == 0) {
    if (!at_form(p, KW_REF)) return unexpected(p, "a value type");
    return parse_reftype(p, out);
  }
  buf_byte(out, byte);
  p->t++;
  return true;
}

/* ---- external types ------------------------------------------------------------------------------------ */

bool parse_globaltype(struct parser *p, struct buf *out) {
  bool mutable = at_form(p, KW_MUT);
  if (mutable) p->t += 2;
  if (!parse_valtype(p, out) || (mutable && !expect(p, TOKEN_RPAR, ")"))) return false;
  buf_byte(out, mutable);
  return true;
}

bool parse_addrtype(struct parser *p, bool *is64) {
  *is64 = at_word(p, KW_I64);
  if (*is64 || at_word(p, KW_I32)) p->t++;
  return true;
}

void put_limits(struct buf *out, unsigned flags, uint64_t min, uint64_t max, unsigned page_log2) {
  buf_byte(out, flags);
  buf_u64(out, min);
  if (flags & 1) buf_u64(out, max);
  if (flags & 8) buf_u32(out, page_log2);
}

/* Bounds have the address type's range in the binary format only where memory64 widened it for both. */
static bool parse_bounds(struct parser *p, unsigned *flags, uint64_t *min, uint64_t *max) {
  unsigned bits = p->s->features & MV_FEATURE(MEMORY64) ? 64 : 32;
  if (!parse_nat(p, bits, min)) return false;
  if (!at(p, TOKEN_NAT)) return true;
  *flags |= 1;
  return parse_nat(p, bits, max);
}

bool parse_pagesize(struct parser *p, unsigned *log2, bool *given) {
  *given = at_form(p, KW_PAGESIZE);
  *log2 = 16;
  if (!*given) return true;
  uint64_t size;
  uint32_t token = p->t += 2;
  if (!parse_nat(p, 64, &size)) return false;
  if (size == 0 || (size & (size - 1)) != 0) return parse_error(p, token, "invalid custom page size: not a power of two");
  for (*log2 = 0; size >> *log2 != 1;) ++*log2;
  *given = *log2 != 16; /* the default needs no encoding */
  return expect(p, TOKEN_RPAR, ")");
}

bool parse_memtype(struct parser *p, struct buf *out) {
  uint64_t min, max = 0;
  bool is64, custom;
  unsigned flags = 0, log2;
  if (!parse_addrtype(p, &is64) || !parse_bounds(p, &flags, &min, &max)) return false;
  bool shared = at_word(p, KW_SHARED);
  p->t += shared;
  if (!parse_pagesize(p, &log2, &custom)) return false;
  put_limits(out, flags | (shared ? 2u : 0) | (is64 ? 4u : 0) | (custom ? 8u : 0), min, max, log2);
  return true;
}

bool parse_tabletype(struct parser *p, struct buf *out) {
  uint64_t min, max = 0;
  bool is64;
  unsigned flags = 0;
  if (!parse_addrtype(p, &is64) || !parse_bounds(p, &flags, &min, &max)) return false;
  if (!parse_reftype(p, out)) return false;
  put_limits(out, flags | (is64 ? 4u : 0), min, max, 0);
  return true;
}

/* ---- function types and type uses ---------------------------------------------------------------------- */

static bool parse_param(struct parser *p, enum param_names names) {
  p->t += 2;
  if (at(p, TOKEN_ID) && names != PARAMS_UNNAMED) {
    if (names == PARAMS_BOUND) {
      if (!bind_name(p, SPACE_LOCAL)) return false;
    } else {
      p->t++;
    }
    p->nparams++;
    return parse_valtype(p, &p->params) && expect(p, TOKEN_RPAR, ")");
  }
  for (; at_valtype(p); p->nparams++) {
    if (names == PARAMS_BOUND && !bind_name(p, SPACE_LOCAL)) return false;
    if (!parse_valtype(p, &p->params)) return false;
  }
  return expect(p, TOKEN_RPAR, "a value type or )");
}

/* (param ...)* (result ...)*: to p->params, p->results, and encoded in p->sig. */
static bool parse_functype(struct parser *p, enum param_names names) {
  buf_clear(&p->params);
  buf_clear(&p->results);
  p->nparams = p->nresults = 0;
  while (at_form(p, KW_PARAM))
    if (!parse_param(p, names)) return false;
  while (at_form(p, KW_RESULT)) {
    p->t += 2;
    for (; at_valtype(p); p->nresults++)
      if (!parse_valtype(p, &p->results)) return false;
    if (!expect(p, TOKEN_RPAR, "a value type or )")) return false;
  }
  if (at_form(p, KW_PARAM) || at_form(p, KW_TYPE)) return unexpected(p, "another order"); /* (type), (param), (result) */
  buf_clear(&p->sig);
  buf_u32(&p->sig, p->nparams);
  buf_put(&p->sig, p->params.data, p->params.size);
  buf_u32(&p->sig, p->nresults);
  buf_put(&p->sig, p->results.data, p->results.size);
  return !p->sig.failed || no_memory(p);
}

static struct typedef_ *add_type(struct parser *p) {
  if (!array_reserve((void **)&p->types, &p->cap_types, p->ntypes + 1, sizeof *p->types)) return NULL;
  p->types[p->ntypes] = (struct typedef_){0};
  return &p->types[p->ntypes++];
}

/* The symbol that stands for the encoding of a function type, to find the first plain definition of it. */
static struct symbol *sig_key(struct parser *p, const struct buf *sig) {
  buf_clear(&p->strings);
  buf_put(&p->strings, "\xffs", 2);
  buf_put(&p->strings, sig->data, sig->size);
  if (p->strings.failed || p->strings.size > UINT32_MAX) return NULL;
  uint32_t y = symbol_intern(p->s, (char *)p->strings.data, (uint32_t)p->strings.size, true);
  return y == UINT32_MAX ? NULL : &p->s->symbols[y];
}

/* Lets type `index` be found by the signature in p->sig, unless an earlier one is. */
static bool publish_sig(struct parser *p, uint32_t index) {
  struct symbol *key = sig_key(p, &p->sig);
  if (!key) return no_memory(p);
  if (key->in[SPACE_KEY].scope != p->scope) {
    key->in[SPACE_KEY].scope = p->scope;
    key->in[SPACE_KEY].index = index;
  }
  return true;
}

/* The index of the first plain definition of the function type in p->sig, made at the end if there is none; the text has it at `token`. */
static bool implicit_type(struct parser *p, uint32_t token, uint32_t *index) {
  const struct symbol *key = sig_key(p, &p->sig);
  if (!key) return no_memory(p);
  if (key->in[SPACE_KEY].scope == p->scope) {
    *index = key->in[SPACE_KEY].index;
    return true;
  }
  *index = (uint32_t)p->ntypes;
  struct typedef_ *d = add_type(p);
  if (!d) return no_memory(p);
  if (!map_add(p, SEC_TYPE, p->sections[SEC_TYPE].size, token + (p->s->tokens[token].kind == TOKEN_LPAR))) return false;
  *d = (struct typedef_){.is_func = true, .nparams = p->nparams, .sig = p->sigs.size, .sig_size = p->sig.size};
  buf_put(&p->sigs, p->sig.data, p->sig.size);
  buf_byte(&p->sections[SEC_TYPE], 0x60);
  buf_put(&p->sections[SEC_TYPE], p->sig.data, p->sig.size);
  p->entries[SEC_TYPE]++;
  return publish_sig(p, *index);
}

static bool check_inline(struct parser *p, uint32_t token, uint32_t type) {
  if (type >= p->ntypes) return parse_error(p, token, "unknown type %u", type);
  const struct typedef_ *d = &p->types[type];
  if (!d->is_func) return parse_error(p, token, "non-function type %u", type);
  if (d->sig_size != p->sig.size || memcmp(p->sigs.data + d->sig, p->sig.data, d->sig_size) != 0)
    return parse_error(p, token, "inline function type does not match type %u", type);
  return true;
}

bool parse_typeuse(struct parser *p, enum param_names names, struct typeuse *out) {
  uint32_t token = p->t;
  out->is_explicit = at_form(p, KW_TYPE);
  if (out->is_explicit) {
    p->t += 2;
    if (!parse_index(p, SPACE_TYPE, &out->type) || !expect(p, TOKEN_RPAR, ")")) return false;
  }
  if (!parse_functype(p, names)) return false;
  out->nparams = p->nparams;
  if (!out->is_explicit) return implicit_type(p, token, &out->type);
  if (p->nparams + p->nresults > 0) return check_inline(p, token, out->type);
  if (out->type < p->ntypes) out->nparams = p->types[out->type].nparams;
  return true;
}

bool parse_blocktype(struct parser *p, struct buf *out) {
  struct typeuse use;
  uint32_t token = p->t;
  if (at_form(p, KW_TYPE)) {
    if (!parse_typeuse(p, PARAMS_UNNAMED, &use)) return false;
    buf_s64(out, use.type);
    return true;
  }
  if (!parse_functype(p, PARAMS_UNNAMED)) return false;
  if (p->nparams == 0 && p->nresults == 0) {
    buf_byte(out, 0x40);
  } else if (p->nparams == 0 && p->nresults == 1) {
    buf_put(out, p->results.data, p->results.size);
  } else {
    if (!implicit_type(p, token, &use.type)) return false;
    buf_s64(out, use.type);
  }
  return true;
}

/* ---- type definitions ---------------------------------------------------------------------------------- */

static bool parse_storagetype(struct parser *p, struct buf *out) {
  if (!at_word(p, KW_I8) && !at_word(p, KW_I16)) return parse_valtype(p, out);
  buf_byte(out, at_word(p, KW_I8) ? 0x78 : 0x77);
  p->t++;
  return true;
}

static bool parse_fieldtype(struct parser *p, struct buf *out) {
  bool mutable = at_form(p, KW_MUT);
  if (mutable) p->t += 2;
  if (!parse_storagetype(p, out) || (mutable && !expect(p, TOKEN_RPAR, ")"))) return false;
  buf_byte(out, mutable);
  return true;
}

static bool parse_struct(struct parser *p, struct buf *out, uint32_t type) {
  uint32_t n = 0;
  buf_clear(&p->params);
  while (at_form(p, KW_FIELD)) {
    p->t += 2;
    bool named = at(p, TOKEN_ID); /* then there is exactly one */
    for (uint32_t first = n; named ? n == first : !at(p, TOKEN_RPAR) && !at(p, TOKEN_ID); n++)
      if (!bind_field(p, type, n) || !parse_fieldtype(p, &p->params)) return false;
    if (!expect(p, TOKEN_RPAR, "a field type or )")) return false;
  }
  buf_u32(out, n);
  buf_put(out, p->params.data, p->params.size);
  return true;
}

static bool parse_comptype(struct parser *p, struct buf *out, uint32_t type) {
  if (at_form(p, KW_STRUCT)) {
    p->t += 2;
    buf_byte(out, 0x5f);
    if (!parse_struct(p, out, type)) return false;
  } else if (at_form(p, KW_ARRAY)) {
    p->t += 2;
    buf_byte(out, 0x5e);
    if (!parse_fieldtype(p, out)) return false;
  } else {
    if (!at_form(p, KW_FUNC)) return unexpected(p, "(func, (struct or (array");
    p->t += 2;
    if (!parse_functype(p, PARAMS_NAMED)) return false;
    p->types[type].is_func = true;
    p->types[type].nparams = p->nparams;
    p->types[type].sig = p->sigs.size;
    p->types[type].sig_size = p->sig.size;
    buf_put(&p->sigs, p->sig.data, p->sig.size);
    buf_byte(out, 0x60);
    buf_put(out, p->sig.data, p->sig.size);
  }
  return expect(p, TOKEN_RPAR, ")");
}

/* (describes x)? (descriptor y)? comptype */
static bool parse_desctype(struct parser *p, struct buf *out, uint32_t type, bool *plain) {
  static const struct { unsigned word, byte; } clauses[] = {{KW_DESCRIBES, 0x4c}, {KW_DESCRIPTOR, 0x4d}};
  for (unsigned i = 0; i < 2; i++) {
    if (!at_form(p, clauses[i].word)) continue;
    uint32_t other;
    p->t += 2;
    *plain = false;
    if (!parse_index(p, SPACE_TYPE, &other) || !expect(p, TOKEN_RPAR, ")")) return false;
    buf_byte(out, clauses[i].byte);
    buf_u32(out, other);
  }
  return parse_comptype(p, out, type);
}

static bool parse_subtype(struct parser *p, struct buf *out, uint32_t type, bool *plain) {
  if (!at_form(p, KW_SUB)) return parse_desctype(p, out, type, plain);
  p->t += 2;
  bool final = at_word(p, KW_FINAL);
  p->t += final;
  uint32_t n = 0;
  buf_clear(&p->params);
  for (uint32_t super; at(p, TOKEN_ID) || at(p, TOKEN_NAT); n++) {
    if (!parse_index(p, SPACE_TYPE, &super)) return false;
    buf_u32(&p->params, super);
  }
  if (!final || n > 0) { /* else the short form says the same */
    *plain = false;
    buf_byte(out, final ? 0x4f : 0x50);
    buf_u32(out, n);
    buf_put(out, p->params.data, p->params.size);
  }
  return parse_desctype(p, out, type, plain) && expect(p, TOKEN_RPAR, ")");
}

/* (type $id? subtype), already bound */
static bool parse_typedef(struct parser *p, bool *plain) {
  struct buf *out = &p->sections[SEC_TYPE];
  uint32_t type = (uint32_t)p->ntypes;
  if (!map_add(p, SEC_TYPE, out->size, p->t + 1)) return false;
  p->t += 2;
  (void)optional_id(p);
  return (add_type(p) || no_memory(p)) && parse_subtype(p, out, type, plain) && expect(p, TOKEN_RPAR, ")");
}

bool parse_typefield(struct parser *p) {
  struct buf *out = &p->sections[SEC_TYPE];
  p->entries[SEC_TYPE]++;
  if (at_form(p, KW_TYPE)) {
    bool plain = true;
    uint32_t type = (uint32_t)p->ntypes;
    if (!parse_typedef(p, &plain)) return false;
    return !plain || !p->types[type].is_func || publish_sig(p, type);
  }
  p->t += 2; /* (rec */
  uint32_t n = 0, first = p->t, type = (uint32_t)p->ntypes;
  for (uint32_t t = p->t; p->s->tokens[t].kind == TOKEN_LPAR; t = after_form(p, t)) n++;
  if (n != 1) {
    buf_byte(out, 0x4e);
    buf_u32(out, n);
  }
  bool plain = n == 1;
  for (p->t = first; at_form(p, KW_TYPE);)
    if (!parse_typedef(p, &plain)) return false;
  if (!expect(p, TOKEN_RPAR, "(type or )")) return false;
  return !plain || !p->types[type].is_func || publish_sig(p, type);
}

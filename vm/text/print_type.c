/* Printing types, names and literals. */
#include "text/print.h"

#include "base/utf8.h"

/* ---- literals ------------------------------------------------------------------------------------------ */

static void print_escape(struct buf *out, unsigned char c) {
  static const char hex[] = "0123456789abcdef";
  const char escape[3] = {'\\', hex[c >> 4], hex[c & 15]};
  buf_put(out, escape, sizeof escape);
}

/* Of a name what a terminal would obey is escaped, of data all that is not ASCII too. */
void print_string(struct buf *out, const void *bytes, size_t size, bool utf8) {
  const char *s = bytes;
  buf_byte(out, '"');
  for (size_t n; size > 0; s += n, size -= n) {
    n = utf8 || (unsigned char)*s < 0x80 ? utf8_visible(s, size) : 0;
    if (*s == '"' || *s == '\\') buf_byte(out, '\\');
    if (n) buf_put(out, s, n);
    else print_escape(out, (unsigned char)*s), n = 1;
  }
  buf_byte(out, '"');
}

static bool is_plain_id(struct name name) {
  for (uint32_t i = 0; i < name.size; i++) {
    unsigned char c = (unsigned char)name.bytes[i];
    if (c <= ' ' || c >= 0x7f || strchr("\"(),;[]{}", c)) return false;
  }
  return true;
}

void print_id(struct buf *out, struct name name) {
  buf_byte(out, '$');
  if (is_plain_id(name)) buf_put(out, name.bytes, name.size);
  else print_string(out, name.bytes, name.size, true);
}

/* Integers of a moderate size in decimal, everything else in hexadecimal: both are exact. */
void print_float(struct buf *out, unsigned bits, uint64_t x) {
  unsigned mantissa = bits == 32 ? 23 : 52;
  int bias = bits == 32 ? 127 : 1023, exp = (int)(x >> mantissa) & (2 * bias + 1);
  uint64_t fraction = x & ((UINT64_C(1) << mantissa) - 1);
  if (x >> (bits - 1)) buf_byte(out, '-');
  if (exp == 2 * bias + 1) {
    buf_text(out, fraction ? "nan" : "inf");
    if (fraction && fraction != UINT64_C(1) << (mantissa - 1)) buf_printf(out, ":0x%llx", (unsigned long long)fraction);
    return;
  }
  if (exp == 0 && fraction == 0) {
    buf_byte(out, '0');
    return;
  }
  int shift = exp - bias - (int)mantissa; /* the value is an integer times 2^shift */
  uint64_t whole = fraction | UINT64_C(1) << mantissa;
  if (exp != 0 && shift <= 0 && -shift <= (int)mantissa && (whole & ((UINT64_C(1) << -shift) - 1)) == 0) {
    buf_printf(out, "%llu", (unsigned long long)(whole >> -shift));
    return;
  }
  unsigned digits = (mantissa + 3) / 4;
  fraction <<= digits * 4 - mantissa;
  while (digits > 0 && (fraction & 15) == 0) fraction >>= 4, digits--;
  buf_printf(out, "0x%c", exp ? '1' : '0');
  if (digits) buf_printf(out, ".%0*llx", (int)digits, (unsigned long long)fraction);
  buf_printf(out, "p%+d", exp ? exp - bias : 1 - bias);
}

/* ---- indices ------------------------------------------------------------------------------------------- */

void print_index(struct printer *p, enum space space, uint32_t index) {
  struct seen_name n = find_name(p, space, index);
  if (n.is_id) print_id(&p->out, n.name);
  else buf_printf(&p->out, "%u", index);
}

void print_seen(struct printer *p, struct seen_name n) {
  if (!n.name.bytes) return;
  p->names_printed++;
  if (n.is_id) {
    print_id(&p->out, n.name);
  } else {
    buf_text(&p->out, "(@name ");
    print_string(&p->out, n.name.bytes, n.name.size, true);
    buf_byte(&p->out, ')');
  }
  buf_byte(&p->out, ' ');
}

void print_definition(struct printer *p, enum space space, uint32_t index) {
  buf_byte(&p->out, ' ');
  print_seen(p, find_name(p, space, index));
  buf_printf(&p->out, "(;%u;)", index);
}

/* ---- value types --------------------------------------------------------------------------------------- */

/* The abbreviations of nullable references by their byte, from 0x69; the heap type is the same without "ref". */
static const struct { const char *ref, *heap; } abstract[] = {
    {"exnref", "exn"}, {"arrayref", "array"}, {"structref", "struct"}, {"i31ref", "i31"}, {"eqref", "eq"}, {"anyref", "any"}, {"externref", "extern"},
    {"funcref", "func"}, {"nullref", "none"}, {"nullexternref", "noextern"}, {"nullfuncref", "nofunc"}, {"nullexnref", "noexn"}};

bool print_heaptype(struct printer *p, struct reader *r) {
  int64_t x;
  uint32_t type;
  if (reader_left(r) > 0 && *r->pos == 0x62) {
    r->pos++;
    if (!reader_u32(r, &type)) return false;
    buf_text(&p->out, "(exact ");
    print_index(p, SPACE_TYPE, type);
    buf_byte(&p->out, ')');
    return true;
  }
  if (!reader_s33(r, &x)) return false;
  if (x >= 0) {
    print_index(p, SPACE_TYPE, (uint32_t)x);
    return true;
  }
  int64_t byte = x + 0x80;
  if (byte < 0x69 || byte > 0x74) return print_malformed(p, "malformed heap type");
  buf_text(&p->out, abstract[byte - 0x69].heap);
  return true;
}

bool print_valtype(struct printer *p, struct reader *r) {
  uint8_t byte;
  if (!reader_byte(r, &byte)) return false;
  switch (byte) {
  case 0x7f: buf_text(&p->out, "i32"); return true;
  case 0x7e: buf_text(&p->out, "i64"); return true;
  case 0x7d: buf_text(&p->out, "f32"); return true;
  case 0x7c: buf_text(&p->out, "f64"); return true;
  case 0x7b: buf_text(&p->out, "v128"); return true;
  case 0x63: case 0x64:
    /* a nullable abstract type has a shorter spelling, and only that one is read back as its shorter encoding */
    if (byte == 0x63 && reader_left(r) > 0 && *r->pos >= 0x69 && *r->pos <= 0x74) return print_valtype(p, r);
    buf_text(&p->out, byte == 0x63 ? "(ref null " : "(ref ");
    if (!print_heaptype(p, r)) return false;
    buf_byte(&p->out, ')');
    return true;
  default:
    if (byte < 0x69 || byte > 0x74) return print_malformed(p, "malformed value type");
    buf_text(&p->out, abstract[byte - 0x69].ref);
    return true;
  }
}

bool print_reftype(struct printer *p, struct reader *r) {
  if (reader_left(r) > 0 && *r->pos > 0x74) return print_malformed(p, "malformed reference type");
  return print_valtype(p, r);
}

static bool print_storagetype(struct printer *p, struct reader *r) {
  if (reader_left(r) > 0 && (*r->pos == 0x78 || *r->pos == 0x77)) {
    buf_text(&p->out, *r->pos++ == 0x78 ? "i8" : "i16");
    return true;
  }
  return print_valtype(p, r);
}

/* A type between its mutability's brackets; the mutability follows it in the binary. */
static bool print_mutable(struct printer *p, struct reader *r, bool (*print)(struct printer *, struct reader *)) {
  static const char open[] = "(mut ";
  size_t start = p->out.size;
  uint8_t mutable;
  if (!print(p, r) || !reader_byte(r, &mutable)) return false;
  if (mutable > 1) return print_malformed(p, "malformed mutability");
  if (!mutable) return true;
  buf_put(&p->out, open, sizeof open - 1); /* makes room */
  if (p->out.failed) return print_no_memory(p);
  memmove(p->out.data + start + sizeof open - 1, p->out.data + start, p->out.size - start - (sizeof open - 1));
  memcpy(p->out.data + start, open, sizeof open - 1);
  buf_byte(&p->out, ')');
  return true;
}

bool print_globaltype(struct printer *p, struct reader *r) { return print_mutable(p, r, print_valtype); }

bool print_limits(struct printer *p, struct reader *r) {
  uint8_t flags;
  uint64_t min, max = 0;
  uint32_t log2 = 0;
  if (!reader_byte(r, &flags) || !reader_u64(r, &min)) return false;
  if (flags > 15) return print_malformed(p, "malformed limits flags");
  if ((flags & 1) && !reader_u64(r, &max)) return false;
  if ((flags & 8) && !reader_u32(r, &log2)) return false;
  if (log2 > 63) return print_malformed(p, "invalid custom page size");
  if (flags & 4) buf_text(&p->out, "i64 ");
  buf_printf(&p->out, "%llu", (unsigned long long)min);
  if (flags & 1) buf_printf(&p->out, " %llu", (unsigned long long)max);
  if (flags & 2) buf_text(&p->out, " shared");
  if (flags & 8) buf_printf(&p->out, " (pagesize %llu)", 1ull << log2);
  return true;
}

bool print_tabletype(struct printer *p, struct reader *r) {
  struct reader type = *r, skip = *r;
  size_t start = p->out.size;
  if (!print_valtype(p, &skip)) return false; /* stands first in the binary, last in the text */
  p->out.size = start;
  if (!print_limits(p, &skip)) return false;
  buf_byte(&p->out, ' ');
  if (!print_reftype(p, &type)) return false;
  r->pos = skip.pos;
  return true;
}

/* ---- type definitions ---------------------------------------------------------------------------------- */

/* (param ...) and (result ...) of a function type. */
static bool print_list(struct printer *p, const char *word, const uint8_t *types, uint32_t n, bool bound) {
  struct reader r = {.base = p->r.base, .pos = types, .end = p->r.end, .err = p->err};
  bool open = false;
  for (uint32_t i = 0; i < n; i++) {
    struct seen_name name = {0};
    if (bound) name = find_name(p, SPACE_LOCAL, i);
    if (open && name.name.bytes) buf_byte(&p->out, ')'); /* a named one stands alone */
    if (!open || name.name.bytes) buf_printf(&p->out, " (%s", word);
    buf_byte(&p->out, ' ');
    print_seen(p, name);
    if (!print_valtype(p, &r)) return false;
    open = !name.name.bytes;
    if (!open) buf_byte(&p->out, ')');
  }
  if (open) buf_byte(&p->out, ')');
  return true;
}

static bool print_signature(struct printer *p, const struct typeinfo *t, bool bound) {
  return print_list(p, "param", t->params, t->nparams, bound) && print_list(p, "result", t->results, t->nresults, false);
}

bool print_typeuse(struct printer *p, uint32_t type, bool bound) {
  enum { LONG = 32 }; /* a long signature is not repeated wherever it is used, unless its parameters have names there */
  const struct typeinfo *t = type < p->ntypes ? &p->types[type] : NULL;
  buf_text(&p->out, " (type ");
  print_index(p, SPACE_TYPE, type);
  buf_byte(&p->out, ')');
  if (!t || t->form != 0x60) return true;
  if ((uint64_t)t->nparams + t->nresults > LONG && !(bound && has_local_names(p))) return true;
  return print_signature(p, t, bound);
}

static bool print_struct(struct printer *p, struct reader *r, uint32_t type) {
  uint32_t n;
  if (!reader_u32(r, &n)) return false;
  for (uint32_t i = 0; i < n; i++) {
    buf_text(&p->out, " (field ");
    print_seen(p, find_field(p, type, i));
    if (!print_mutable(p, r, print_storagetype)) return false;
    buf_byte(&p->out, ')');
  }
  return true;
}

static bool print_comptype(struct printer *p, struct reader *r, uint8_t form, uint32_t type) {
  if (form == 0x5f) {
    buf_text(&p->out, "(struct");
    if (!print_struct(p, r, type)) return false;
  } else if (form == 0x5e) {
    buf_text(&p->out, "(array ");
    if (!print_mutable(p, r, print_storagetype)) return false;
  } else {
    buf_text(&p->out, "(func");
    if (!print_signature(p, &p->types[type], false)) return false;
  }
  buf_byte(&p->out, ')');
  return true;
}

static bool print_clause(struct printer *p, struct reader *r, const char *word, uint8_t code, uint8_t *form) {
  uint32_t type;
  if (*form != code) return true;
  if (!reader_u32(r, &type)) return false;
  buf_printf(&p->out, "(%s ", word);
  print_index(p, SPACE_TYPE, type);
  buf_text(&p->out, ") ");
  return reader_byte(r, form);
}

/* (type $id subtype); the reader stands behind its type afterwards */
static bool print_typedef(struct printer *p, struct reader *r, const uint8_t *end) {
  uint32_t type = p->count[SPACE_TYPE]++, n = 0, super;
  uint8_t form;
  print_line(p);
  buf_text(&p->out, "(type");
  print_definition(p, SPACE_TYPE, type);
  buf_byte(&p->out, ' ');
  if (!reader_byte(r, &form)) return false;
  bool sub = form == 0x50 || form == 0x4f;
  if (sub) {
    buf_text(&p->out, form == 0x50 ? "(sub " : "(sub final ");
    if (!reader_u32(r, &n)) return false;
    for (; n > 0; n--) {
      if (!reader_u32(r, &super)) return false;
      print_index(p, SPACE_TYPE, super);
      buf_byte(&p->out, ' ');
    }
    if (!reader_byte(r, &form)) return false;
  }
  if (!print_clause(p, r, "describes", 0x4c, &form) || !print_clause(p, r, "descriptor", 0x4d, &form) || !print_comptype(p, r, form, type)) return false;
  if (form == 0x60) r->pos = end; /* printed from what scan_types had found */
  buf_text(&p->out, sub ? "))" : ")");
  return true;
}

static bool scan_list(struct printer *p, struct reader *r, uint32_t *n, const uint8_t **types) {
  size_t start = p->out.size;
  if (!reader_u32(r, n)) return false;
  *types = r->pos;
  for (uint32_t i = 0; i < *n; i++, p->out.size = start)
    if (!print_valtype(p, r)) return false; /* prints nothing that stays: the syntax is checked */
  return true;
}

static bool scan_comptype(struct printer *p, struct reader *r, struct typeinfo *t) {
  size_t start = p->out.size;
  uint8_t mutable;
  switch (t->form) {
  case 0x60: return scan_list(p, r, &t->nparams, &t->params) && scan_list(p, r, &t->nresults, &t->results);
  case 0x5f:
    if (!reader_u32(r, &t->nfields)) return false;
    break;
  case 0x5e: t->nfields = 1; break;
  default: return print_malformed(p, "malformed definition type");
  }
  for (uint32_t i = 0; i < t->nfields; i++, p->out.size = start)
    if (!print_storagetype(p, r) || !reader_byte(r, &mutable)) return false;
  return true;
}

/* Reads one subtype; *t says what it is. */
static bool scan_subtype(struct printer *p, struct reader *r, struct typeinfo *t) {
  uint32_t n, index;
  *t = (struct typeinfo){0};
  if (!reader_byte(r, &t->form)) return false;
  if (t->form == 0x50 || t->form == 0x4f) {
    if (!reader_u32(r, &n)) return false;
    for (; n > 0; n--)
      if (!reader_u32(r, &index)) return false;
    if (!reader_byte(r, &t->form)) return false;
  }
  for (uint8_t clause = 0x4c; clause <= 0x4d; clause++)
    if (t->form == clause && (!reader_u32(r, &index) || !reader_byte(r, &t->form))) return false;
  return scan_comptype(p, r, t);
}

/* Walks the type section. print: NULL for the scan. */
static bool each_type(struct printer *p, bool (*visit)(struct printer *, struct reader *, bool rec, uint32_t n)) {
  struct section *s = &p->sections[SEC_TYPE];
  struct reader r = p->r;
  uint32_t groups, n;
  if (!s->start) return true;
  r.pos = s->start;
  r.end = s->end;
  if (!reader_u32(&r, &groups)) return false;
  for (; groups > 0; groups--) {
    bool rec = reader_left(&r) > 0 && *r.pos == 0x4e;
    n = 1;
    if (rec) r.pos++;
    if ((rec && !reader_u32(&r, &n)) || !visit(p, &r, rec, n)) return false;
  }
  return reader_left(&r) == 0 || print_malformed(p, "section size mismatch");
}

static bool scan_group(struct printer *p, struct reader *r, bool rec, uint32_t n) {
  (void)rec;
  for (; n > 0; n--) {
    if (!array_reserve((void **)&p->types, &p->cap_types, p->ntypes + 1, sizeof *p->types)) return print_no_memory(p);
    if (!scan_subtype(p, r, &p->types[p->ntypes])) return false;
    p->ntypes++;
  }
  return true;
}

static bool print_group(struct printer *p, struct reader *r, bool rec, uint32_t n) {
  if (rec) {
    print_line(p);
    buf_text(&p->out, "(rec");
    p->indent++;
  }
  for (; n > 0; n--) {
    struct reader end = *r;
    struct typeinfo t;
    if (!scan_subtype(p, &end, &t) || !print_typedef(p, r, end.pos)) return false;
  }
  if (rec) {
    p->indent--;
    buf_byte(&p->out, ')');
  }
  return true;
}

bool scan_types(struct printer *p) { return each_type(p, scan_group); }
bool print_types(struct printer *p) { return each_type(p, print_group); }

/* Printing instructions: their words and immediates, driven by ops.def; and the flat form, one a line. */
#include "text/print.h"

/* ---- opcodes and labels -------------------------------------------------------------------------------- */

bool read_op(struct printer *p, struct reader *r, unsigned *op, const struct opinfo **info) {
  uint8_t byte;
  uint32_t code;
  if (!reader_byte(r, &byte)) return false;
  *op = byte;
  if (byte >= 0xfb && byte <= 0xfe) {
    static const unsigned pages[] = {OP_PAGE_FB, OP_PAGE_FC, OP_PAGE_FD, OP_PAGE_FE, OP_LIMIT};
    unsigned page = pages[byte - 0xfb], limit = pages[byte - 0xfa];
    if (!reader_u32(r, &code)) return false;
    *op = code < limit - page ? page + code : 0xff;
  }
  *info = op_info(*op);
  return (*info)->text || print_malformed(p, "illegal opcode");
}

bool opens_block(unsigned op) { return op == OP_block || op == OP_loop || op == OP_if || op == OP_try || op == OP_try_table; }

bool open_label(struct printer *p, unsigned op, struct name name, uint32_t arity) {
  if (!array_reserve((void **)&p->open, &p->cap_open, p->nopen + 1, sizeof *p->open)) return print_no_memory(p);
  p->open[p->nopen++] = (struct open_label){name, arity, op};
  return true;
}

static bool same_name(struct name a, struct name b) { return a.size == b.size && memcmp(a.bytes, b.bytes, a.size) == 0; }

/* A label by its name, unless one further in hides it or it is too far away to look. */
static void print_label(struct printer *p, uint32_t depth) {
  enum { FAR = 64 };
  bool named = depth < p->nopen && depth < FAR && p->open[p->nopen - 1 - depth].name.size > 0;
  struct name name = named ? p->open[p->nopen - 1 - depth].name : (struct name){0};
  for (uint32_t i = 0; named && i < depth; i++) named = !same_name(p->open[p->nopen - 1 - i].name, name);
  if (named) print_id(&p->out, name);
  else buf_printf(&p->out, "%u", depth);
}

void print_hint(struct printer *p, uint64_t offset) {
  size_t lo = 0, hi = p->nhints;
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    const struct hint_at *h = &p->hints[mid];
    if (h->func < p->func || (h->func == p->func && h->offset < offset)) lo = mid + 1;
    else hi = mid;
  }
  if (lo == p->nhints || p->hints[lo].func != p->func || p->hints[lo].offset != offset) return;
  print_line(p);
  buf_printf(&p->out, "(@metadata.code.branch_hint \"\\%02x\")", p->hints[lo].value);
  p->hints_printed++;
}

/* ---- immediates ---------------------------------------------------------------------------------------- */

static bool print_one(struct printer *p, struct reader *r, enum space space) {
  uint32_t x;
  if (!reader_u32(r, &x)) return false;
  buf_byte(&p->out, ' ');
  print_index(p, space, x);
  return true;
}

/* An index that is left out when it is 0. */
static void print_unless_zero(struct printer *p, enum space space, uint32_t x) {
  if (x == 0) return;
  buf_byte(&p->out, ' ');
  print_index(p, space, x);
}

static bool print_optional(struct printer *p, struct reader *r, enum space space) {
  uint32_t x;
  if (!reader_u32(r, &x)) return false;
  print_unless_zero(p, space, x);
  return true;
}

static bool print_two(struct printer *p, struct reader *r, enum space space) {
  uint32_t x, y;
  if (!reader_u32(r, &x) || !reader_u32(r, &y)) return false;
  if (x == 0 && y == 0) return true;
  buf_byte(&p->out, ' ');
  print_index(p, space, x);
  buf_byte(&p->out, ' ');
  print_index(p, space, y);
  return true;
}

/* memory.init, table.init: the segment stands first in the binary, last in the text */
static bool print_segment(struct printer *p, struct reader *r, enum space segment, enum space target) {
  uint32_t x, y;
  if (!reader_u32(r, &x) || !reader_u32(r, &y)) return false;
  print_unless_zero(p, target, y);
  buf_byte(&p->out, ' ');
  print_index(p, segment, x);
  return true;
}

static bool print_memarg(struct printer *p, struct reader *r, const struct opinfo *info, bool lane) {
  uint32_t flags, memory = 0;
  uint64_t offset;
  uint8_t index;
  if (!reader_u32(r, &flags)) return false;
  if (flags >= 0x80) return print_malformed(p, "malformed memop flags");
  if (((flags & 0x40) && !reader_u32(r, &memory)) || !reader_u64(r, &offset)) return false;
  print_unless_zero(p, SPACE_MEMORY, memory);
  if (offset) buf_printf(&p->out, " offset=%llu", (unsigned long long)offset);
  if ((flags & 0x3f) != info->align) buf_printf(&p->out, " align=%llu", 1ull << (flags & 0x3f));
  if (!lane) return true;
  if (!reader_byte(r, &index)) return false;
  buf_printf(&p->out, " %u", index);
  return true;
}

static bool print_labels(struct printer *p, struct reader *r) {
  uint32_t n, label;
  if (!reader_u32(r, &n)) return false;
  for (uint64_t i = 0; i <= n; i++) {
    if (!reader_u32(r, &label)) return false;
    buf_byte(&p->out, ' ');
    print_label(p, label);
  }
  return true;
}

static bool print_heap_of(struct printer *p, struct reader *r, bool nullable) {
  buf_text(&p->out, nullable ? " (ref null " : " (ref ");
  if (!print_heaptype(p, r)) return false;
  buf_byte(&p->out, ')');
  return true;
}

static bool print_br_cast(struct printer *p, struct reader *r) {
  uint8_t flags;
  uint32_t label;
  if (!reader_byte(r, &flags) || !reader_u32(r, &label)) return false;
  if (flags > 3) return print_malformed(p, "malformed br_on_cast flags");
  buf_byte(&p->out, ' ');
  print_label(p, label);
  return print_heap_of(p, r, flags & 1) && print_heap_of(p, r, flags & 2);
}

static bool print_call_indirect(struct printer *p, struct reader *r) {
  uint32_t type, table;
  if (!reader_u32(r, &type) || !reader_u32(r, &table)) return false;
  print_unless_zero(p, SPACE_TABLE, table);
  return print_typeuse(p, type, false);
}

static bool print_select(struct printer *p, struct reader *r) {
  uint32_t n;
  if (!reader_u32(r, &n)) return false;
  buf_text(&p->out, " (result");
  for (; n > 0; n--) {
    buf_byte(&p->out, ' ');
    if (!print_valtype(p, r)) return false;
  }
  buf_byte(&p->out, ')');
  return true;
}

static bool print_type_and(struct printer *p, struct reader *r, enum imm imm) {
  uint32_t type, x;
  if (!reader_u32(r, &type) || !reader_u32(r, &x)) return false;
  buf_byte(&p->out, ' ');
  print_index(p, SPACE_TYPE, type);
  buf_byte(&p->out, ' ');
  struct seen_name field = {0};
  switch (imm) {
  case IMM_TYPE_FIELD:
    field = find_field(p, type, x);
    if (field.is_id) print_id(&p->out, field.name);
    else buf_printf(&p->out, "%u", x);
    break;
  case IMM_TYPE_TYPE: print_index(p, SPACE_TYPE, x); break;
  case IMM_TYPE_DATA: print_index(p, SPACE_DATA, x); break;
  case IMM_TYPE_ELEM: print_index(p, SPACE_ELEM, x); break;
  default: buf_printf(&p->out, "%u", x);
  }
  return true;
}

static bool take_bytes(struct reader *r, size_t n, const uint8_t **bytes) {
  *bytes = r->pos;
  return reader_skip(r, n);
}

static bool print_constant(struct printer *p, struct reader *r, enum imm imm) {
  int32_t i32;
  int64_t i64;
  const uint8_t *b;
  buf_byte(&p->out, ' ');
  switch (imm) {
  case IMM_I32:
    if (!reader_s32(r, &i32)) return false;
    buf_printf(&p->out, "%ld", (long)i32);
    return true;
  case IMM_I64:
    if (!reader_s64(r, &i64)) return false;
    buf_printf(&p->out, "%lld", (long long)i64);
    return true;
  case IMM_F32:
    if (!take_bytes(r, 4, &b)) return false;
    print_float(&p->out, 32, load_le32(b));
    return true;
  case IMM_F64:
    if (!take_bytes(r, 8, &b)) return false;
    print_float(&p->out, 64, load_le64(b));
    return true;
  default:
    if (!take_bytes(r, 16, &b)) return false;
    buf_printf(&p->out, "i32x4 0x%08lx 0x%08lx 0x%08lx 0x%08lx", (unsigned long)load_le32(b), (unsigned long)load_le32(b + 4),
               (unsigned long)load_le32(b + 8), (unsigned long)load_le32(b + 12));
    return true;
  }
}

/* The row behind another of the same text is that for nullable types. */
static bool is_null_row(unsigned op, const struct opinfo *info) {
  const char *before = op_info(op - 1)->text;
  return before && strcmp(before, info->text) == 0;
}

bool print_immediates(struct printer *p, struct reader *r, unsigned op, const struct opinfo *info) {
  uint32_t x;
  uint8_t byte;
  switch ((enum imm)info->imm) {
  case IMM_NONE: return true;
  case IMM_LABEL:
    if (!reader_u32(r, &x)) return false;
    buf_byte(&p->out, ' ');
    print_label(p, x);
    return true;
  case IMM_LABELS: return print_labels(p, r);
  case IMM_FUNC: return print_one(p, r, SPACE_FUNC);
  case IMM_TABLE: return print_optional(p, r, SPACE_TABLE);
  case IMM_MEMORY: return print_optional(p, r, SPACE_MEMORY);
  case IMM_GLOBAL: return print_one(p, r, SPACE_GLOBAL);
  case IMM_LOCAL: return print_one(p, r, SPACE_LOCAL);
  case IMM_TYPE: return print_one(p, r, SPACE_TYPE);
  case IMM_TAG: return print_one(p, r, SPACE_TAG);
  case IMM_DATA: return print_one(p, r, SPACE_DATA);
  case IMM_ELEM: return print_one(p, r, SPACE_ELEM);
  case IMM_CALL_INDIRECT: return print_call_indirect(p, r);
  case IMM_SELECT: return print_select(p, r);
  case IMM_I32: case IMM_I64: case IMM_F32: case IMM_F64: case IMM_V128: return print_constant(p, r, (enum imm)info->imm);
  case IMM_MEMARG: return print_memarg(p, r, info, false);
  case IMM_MEMARG_LANE: return print_memarg(p, r, info, true);
  case IMM_LANE: case IMM_SHUFFLE:
    for (unsigned n = info->imm == IMM_LANE ? 1 : 16; n > 0; n--) {
      if (!reader_byte(r, &byte)) return false;
      buf_printf(&p->out, " %u", byte);
    }
    return true;
  case IMM_HEAP: buf_byte(&p->out, ' '); return print_heaptype(p, r);
  case IMM_REFTYPE: return print_heap_of(p, r, is_null_row(op, info));
  case IMM_BR_CAST: return print_br_cast(p, r);
  case IMM_TYPE_FIELD: case IMM_TYPE_TYPE: case IMM_TYPE_N: case IMM_TYPE_DATA: case IMM_TYPE_ELEM: return print_type_and(p, r, (enum imm)info->imm);
  case IMM_MEMORY2: return print_two(p, r, SPACE_MEMORY);
  case IMM_TABLE2: return print_two(p, r, SPACE_TABLE);
  case IMM_DATA_MEMORY: return print_segment(p, r, SPACE_DATA, SPACE_MEMORY);
  case IMM_ELEM_TABLE: return print_segment(p, r, SPACE_ELEM, SPACE_TABLE);
  case IMM_BYTE: return reader_byte(r, &byte);
  case IMM_BLOCK: case IMM_TRY_TABLE: break; /* print_block_head */
  }
  return print_malformed(p, "illegal opcode");
}

/* ---- blocks -------------------------------------------------------------------------------------------- */

static bool print_catches(struct printer *p, struct reader *r) {
  static const char *const words[] = {"catch", "catch_ref", "catch_all", "catch_all_ref"};
  uint32_t n, label;
  uint8_t kind;
  if (!reader_u32(r, &n)) return false;
  for (; n > 0; n--) {
    if (!reader_byte(r, &kind)) return false;
    if (kind > 3) return print_malformed(p, "malformed catch clause");
    buf_printf(&p->out, " (%s", words[kind]);
    if ((kind < 2 && !print_one(p, r, SPACE_TAG)) || !reader_u32(r, &label)) return false;
    buf_byte(&p->out, ' ');
    print_label(p, label);
    buf_byte(&p->out, ')');
  }
  return true;
}

bool print_block_head(struct printer *p, struct reader *r, unsigned op, struct name label, uint32_t *arity, uint32_t *nresults) {
  int64_t type;
  *arity = *nresults = 0;
  if (label.size) {
    buf_byte(&p->out, ' ');
    print_id(&p->out, label);
  }
  if (reader_left(r) > 0 && *r->pos == 0x40) {
    r->pos++;
  } else if (reader_left(r) > 0 && (*r->pos & 0xc0) == 0x40) {
    buf_text(&p->out, " (result ");
    if (!print_valtype(p, r)) return false;
    buf_byte(&p->out, ')');
    *nresults = 1;
  } else {
    if (!reader_s33(r, &type)) return false;
    if (type < 0) return print_malformed(p, "malformed block type");
    if (!print_typeuse(p, (uint32_t)type, false)) return false;
    if ((uint64_t)type < p->ntypes) *nresults = p->types[type].nresults;
    if ((uint64_t)type < p->ntypes && op == OP_loop) *arity = p->types[type].nparams;
  }
  if (op != OP_loop) *arity = *nresults;
  return op != OP_try_table || print_catches(p, r);
}

/* ---- flat ---------------------------------------------------------------------------------------------- */

static bool is_delimiter(unsigned op) { return op == OP_end || op == OP_else || op == OP_catch || op == OP_catch_all || op == OP_delegate; }

/* A delimiter must belong to the innermost block; end and delegate close it. */
static bool delimit(struct printer *p, unsigned op) {
  struct open_label *top = p->nopen ? &p->open[p->nopen - 1] : NULL;
  unsigned of = top ? top->op : 0;
  bool fits = top && (op == OP_end || (op == OP_else && of == OP_if) || (op == OP_delegate && of == OP_try) ||
                      ((op == OP_catch || op == OP_catch_all) && (of == OP_try || of == OP_catch)));
  if (!fits) return print_malformed(p, "unexpected end of section or function");
  if (op == OP_end || op == OP_delegate) p->nopen--;
  else top->op = op;
  return true;
}

static bool print_flat(struct printer *p, struct reader *r) {
  uint32_t arity, nresults;
  for (p->nopen = 0;;) {
    uint64_t offset = (uint64_t)(r->pos - p->body);
    unsigned op;
    const struct opinfo *info;
    if (!read_op(p, r, &op, &info)) return false;
    if (op == OP_end && p->nopen == 0) return true;
    if (is_delimiter(op) && !delimit(p, op)) return false;
    print_hint(p, offset);
    p->indent -= is_delimiter(op);
    print_line(p);
    buf_text(&p->out, info->text);
    if (opens_block(op)) {
      struct name label = find_label(p, p->label_number++);
      p->names_printed += label.size > 0;
      if (!print_block_head(p, r, op, label, &arity, &nresults) || !open_label(p, op, label, arity)) return false;
    } else if (!print_immediates(p, r, op, info)) {
      return false;
    }
    p->indent += opens_block(op) || op == OP_else || op == OP_catch || op == OP_catch_all;
  }
}

bool print_body(struct printer *p, struct reader *r) { return p->folded ? print_folded(p, r) : print_flat(p, r); }

/* ---- constant expressions ------------------------------------------------------------------------------ */

/* Prints the instructions in a row and counts them. */
static bool print_row(struct printer *p, struct reader *r, uint32_t *n) {
  uint32_t arity, nresults;
  p->nopen = 0;
  for (*n = 0;; ++*n) {
    unsigned op;
    const struct opinfo *info;
    if (!read_op(p, r, &op, &info)) return false;
    if (op == OP_end && p->nopen == 0) return true;
    if (*n > 0) buf_byte(&p->out, ' ');
    buf_text(&p->out, info->text);
    if (is_delimiter(op) && !delimit(p, op)) return false;
    if (opens_block(op)) {
      if (!print_block_head(p, r, op, (struct name){0}, &arity, &nresults) || !open_label(p, op, (struct name){0}, arity)) return false;
    } else if (!print_immediates(p, r, op, info)) {
      return false;
    }
  }
}

bool print_constexpr(struct printer *p, struct reader *r, const char *form) {
  struct reader ahead = *r;
  size_t start = p->out.size;
  uint32_t n;
  if (!print_row(p, &ahead, &n)) return false; /* to know how many there are */
  p->out.size = start;
  if (n == 1) buf_byte(&p->out, '(');
  else if (form) buf_printf(&p->out, n ? "(%s " : "(%s", form);
  if (!print_row(p, r, &n)) return false;
  if (n == 1 || form) buf_byte(&p->out, ')');
  return true;
}

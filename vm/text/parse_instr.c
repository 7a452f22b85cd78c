/* Instructions in text (core/text/instructions), flat and folded, driven by ops.def. Open blocks and folded instructions are kept on a stack of
 * frames, so that nesting is bounded by memory alone; the encoding of a folded instruction waits in `pending` until its operands are out. */
#include "text/parse.h"

/* ---- immediates ---------------------------------------------------------------------------------------- */

bool parse_number(struct parser *p, unsigned bits, bool is_float, uint64_t *out) {
  const struct token *k = peek(p);
  const char *text = p->s->text + k->pos;
  bool ok;
  if (k->kind == TOKEN_NAT || k->kind == TOKEN_INT) {
    ok = is_float ? number_float(text, k->u, bits, out) : number_int(text, k->u, bits, out);
  } else if (k->kind == TOKEN_FLOAT && is_float) {
    ok = number_float(text, k->u, bits, out);
  } else {
    return unexpected(p, is_float ? "a number" : "an integer");
  }
  if (!ok) return parse_error(p, p->t, "constant out of range");
  p->t++;
  return true;
}

/* Numbers, or patterns, that follow. */
static uint32_t count_numbers(const struct parser *p, bool patterns) {
  const struct token *k = peek(p);
  while (k->kind == TOKEN_NAT || k->kind == TOKEN_INT || k->kind == TOKEN_FLOAT || (patterns && k->kind == TOKEN_KEYWORD)) k++;
  return (uint32_t)(k - peek(p));
}

static void store_lane(uint8_t *to, unsigned bits, uint64_t x) {
  for (unsigned i = 0; i < bits / 8; i++) to[i] = (uint8_t)(x >> (8 * i));
}

static const struct shape { uint16_t word; uint8_t bits; bool is_float; } shapes[] = {
    {KW_I8X16, 8, false}, {KW_I16X8, 16, false}, {KW_I32X4, 32, false}, {KW_I64X2, 64, false}, {KW_F32X4, 32, true}, {KW_F64X2, 64, true}};

/* One lane: a number, or a NaN pattern where the script language allows them. */
static bool parse_lane(struct parser *p, const struct shape *h, uint64_t *x, uint8_t *nan) {
  *x = 0;
  if (nan && h->is_float && (at_word(p, KW_NAN_CANONICAL) || at_word(p, KW_NAN_ARITHMETIC))) {
    *nan = at_word(p, KW_NAN_CANONICAL) ? MV_WAST_NAN_CANONICAL : MV_WAST_NAN_ARITHMETIC;
    p->t++;
    return true;
  }
  return parse_number(p, h->bits, h->is_float, x);
}

bool parse_v128(struct parser *p, uint8_t bytes[16], unsigned *lane_bits, bool *lane_float, uint8_t *nans) {
  const struct shape *h = NULL;
  uint32_t token = p->t;
  for (unsigned i = 0; i < sizeof shapes / sizeof *shapes; i++)
    if (at_word(p, shapes[i].word)) h = &shapes[i];
  if (!h) return unexpected(p, "a vector shape");
  p->t++;
  uint32_t n = 128u / h->bits, given = count_numbers(p, nans != NULL);
  const struct token *after = &p->s->tokens[p->t + given];
  if (given != n && after->kind != TOKEN_RESERVED && after->kind != TOKEN_ERROR)
    return parse_error(p, token, "wrong number of lane literals: %u instead of %u", given, n);
  for (uint32_t i = 0; i < n; i++) {
    uint64_t x;
    if (!parse_lane(p, h, &x, nans && h->is_float ? &nans[i] : NULL)) return false;
    store_lane(bytes + i * h->bits / 8, h->bits, x);
  }
  *lane_bits = h->bits;
  *lane_float = h->is_float;
  return true;
}

static bool parse_shuffle(struct parser *p, struct buf *out) {
  uint32_t given = count_numbers(p, false);
  const struct token *after = &p->s->tokens[p->t + given];
  if (given != 16 && after->kind != TOKEN_RESERVED && after->kind != TOKEN_ERROR)
    return parse_error(p, p->t, "invalid lane length: %u instead of 16", given);
  for (unsigned i = 0; i < 16; i++) {
    uint64_t lane;
    if (at(p, TOKEN_INT) || at(p, TOKEN_FLOAT)) return parse_error(p, p->t, "i8 constant out of range");
    if (!parse_nat(p, 8, &lane)) return false;
    buf_byte(out, (unsigned)lane);
  }
  return true;
}

static bool at_index(const struct parser *p) { return at(p, TOKEN_NAT) || at(p, TOKEN_ID); }

static bool put_index(struct parser *p, enum space space, struct buf *out) {
  uint32_t x;
  if (!parse_index(p, space, &x)) return false;
  buf_u32(out, x);
  return true;
}

/* An index that defaults to 0. */
static bool put_optional_index(struct parser *p, enum space space, struct buf *out) {
  if (at_index(p)) return put_index(p, space, out);
  buf_byte(out, 0);
  return true;
}

/* Two indices, both given or both 0: memory.copy, table.copy. */
static bool put_two(struct parser *p, enum space space, struct buf *out) {
  if (at_index(p)) return put_index(p, space, out) && put_index(p, space, out);
  buf_byte(out, 0);
  buf_byte(out, 0);
  return true;
}

/* memory.init, table.init: the segment is written last but encoded first, the memory or table may be omitted. */
static bool put_segment(struct parser *p, enum space segment, enum space target, struct buf *out) {
  uint32_t t = 0;
  const struct token *next = peek(p) + (at(p, TOKEN_EOF) || at(p, TOKEN_ERROR) ? 0 : 1);
  bool two = at_index(p) && (next->kind == TOKEN_NAT || next->kind == TOKEN_ID);
  if (two && !parse_index(p, target, &t)) return false;
  if (!put_index(p, segment, out)) return false;
  buf_u32(out, t);
  return true;
}

static bool put_memarg(struct parser *p, const struct opinfo *info, bool lane, struct buf *out) {
  uint32_t memory = 0;
  uint64_t offset = 0, align = info->align, lane_index = 0;
  /* a lone number is the lane */
  bool has_memory = at(p, TOKEN_ID) || (at(p, TOKEN_NAT) && (!lane || peek(p)[1].kind == TOKEN_NAT || peek(p)[1].kind == TOKEN_OFFSET || peek(p)[1].kind == TOKEN_ALIGN));
  if (has_memory && !parse_index(p, SPACE_MEMORY, &memory)) return false;
  if (at(p, TOKEN_OFFSET) && !parse_nat(p, 64, &offset)) return false;
  if (at(p, TOKEN_ALIGN)) {
    uint64_t bytes;
    uint32_t token = p->t;
    if (!parse_nat(p, 64, &bytes)) return false;
    if (bytes == 0 || (bytes & (bytes - 1)) != 0) return parse_error(p, token, "alignment must be a power of two");
    for (align = 0; bytes >> align != 1;) align++;
  }
  if (lane && !parse_nat(p, 8, &lane_index)) return false;
  buf_u32(out, (uint32_t)align | (memory ? 0x40 : 0));
  if (memory) buf_u32(out, memory);
  buf_u64(out, offset);
  if (lane) buf_byte(out, (unsigned)lane_index);
  return true;
}

static bool put_labels(struct parser *p, struct buf *out) {
  uint32_t n = 0;
  for (const struct token *k = peek(p); k->kind == TOKEN_NAT || k->kind == TOKEN_ID; k++) n++;
  if (n == 0) return unexpected(p, "a label");
  buf_u32(out, n - 1);
  for (; n > 0; n--)
    if (!put_index(p, SPACE_LABEL, out)) return false;
  return true;
}

static bool put_br_cast(struct parser *p, struct buf *out) {
  uint8_t bytes[2][8];
  struct buf heap[2] = {{.data = bytes[0], .cap = sizeof *bytes}, {.data = bytes[1], .cap = sizeof *bytes}};
  uint32_t label;
  bool null[2];
  if (!parse_index(p, SPACE_LABEL, &label) || !parse_reftype_parts(p, &null[0], &heap[0]) || !parse_reftype_parts(p, &null[1], &heap[1])) return false;
  buf_byte(out, (unsigned)null[0] | (unsigned)null[1] << 1);
  buf_u32(out, label);
  buf_put(out, heap[0].data, heap[0].size);
  buf_put(out, heap[1].data, heap[1].size);
  return true;
}

static void put_op(struct buf *out, unsigned op) {
  static const struct { unsigned page, prefix; } pages[] = {{OP_PAGE_FE, 0xfe}, {OP_PAGE_FD, 0xfd}, {OP_PAGE_FC, 0xfc}, {OP_PAGE_FB, 0xfb}};
  for (unsigned i = 0; i < sizeof pages / sizeof *pages; i++) {
    if (op < pages[i].page) continue;
    buf_byte(out, pages[i].prefix);
    buf_u32(out, op - pages[i].page);
    return;
  }
  buf_byte(out, op);
}

/* ref.test, ref.cast ...: the row for a nullable type follows that for the other. */
static bool put_reftype_op(struct parser *p, unsigned op, struct buf *out) {
  uint8_t bytes[8];
  struct buf heap = {.data = bytes, .cap = sizeof bytes};
  bool nullable;
  if (!parse_reftype_parts(p, &nullable, &heap)) return false;
  put_op(out, op + nullable);
  buf_put(out, heap.data, heap.size);
  return true;
}

/* select, with the types of its results or without */
static bool put_select(struct parser *p, struct buf *out) {
  if (!at_form(p, KW_RESULT)) {
    put_op(out, OP_select);
    return true;
  }
  uint32_t n = 0;
  buf_clear(&p->results);
  while (at_form(p, KW_RESULT)) {
    p->t += 2;
    for (; at_valtype(p); n++)
      if (!parse_valtype(p, &p->results)) return false;
    if (!expect(p, TOKEN_RPAR, "a value type or )")) return false;
  }
  put_op(out, OP_select_t);
  buf_u32(out, n);
  buf_put(out, p->results.data, p->results.size);
  return true;
}

static bool put_call_indirect(struct parser *p, struct buf *out) {
  uint32_t table = 0;
  struct typeuse use;
  if (at_index(p) && !parse_index(p, SPACE_TABLE, &table)) return false;
  if (!parse_typeuse(p, PARAMS_UNNAMED, &use)) return false;
  buf_u32(out, use.type);
  buf_u32(out, table);
  return true;
}

static bool put_type_and(struct parser *p, enum imm imm, struct buf *out) {
  uint32_t type, x = 0;
  uint64_t n;
  if (!parse_index(p, SPACE_TYPE, &type)) return false;
  buf_u32(out, type);
  switch (imm) {
  case IMM_TYPE_FIELD:
    if (!parse_field_index(p, type, &x)) return false;
    break;
  case IMM_TYPE_N:
    if (!parse_nat(p, 32, &n)) return false;
    x = (uint32_t)n;
    break;
  case IMM_TYPE_TYPE: return put_index(p, SPACE_TYPE, out);
  case IMM_TYPE_DATA: p->uses_data = true; return put_index(p, SPACE_DATA, out);
  case IMM_TYPE_ELEM: return put_index(p, SPACE_ELEM, out);
  default: return true;
  }
  buf_u32(out, x);
  return true;
}

static bool put_constant(struct parser *p, enum imm imm, struct buf *out) {
  uint64_t x;
  unsigned bits = imm == IMM_I32 || imm == IMM_F32 ? 32 : 64;
  bool is_float = imm == IMM_F32 || imm == IMM_F64;
  if (!parse_number(p, bits, is_float, &x)) return false;
  uint8_t bytes[8];
  store_lane(bytes, 64, x);
  if (is_float) buf_put(out, bytes, bits / 8);
  else if (bits == 32) buf_s64(out, x < 0x80000000u ? (int64_t)x : (int64_t)x - (INT64_C(1) << 32));
  else buf_s64(out, x <= INT64_MAX ? (int64_t)x : -(int64_t)~x - 1);
  return true;
}

static bool put_immediates(struct parser *p, const struct opinfo *info, struct buf *out) {
  uint8_t v128[16];
  unsigned bits;
  bool is_float;
  uint64_t lane;
  switch ((enum imm)info->imm) {
  case IMM_NONE: return true;
  case IMM_LABEL: return put_index(p, SPACE_LABEL, out);
  case IMM_LABELS: return put_labels(p, out);
  case IMM_FUNC: return put_index(p, SPACE_FUNC, out);
  case IMM_TABLE: return put_optional_index(p, SPACE_TABLE, out);
  case IMM_MEMORY: return put_optional_index(p, SPACE_MEMORY, out);
  case IMM_GLOBAL: return put_index(p, SPACE_GLOBAL, out);
  case IMM_LOCAL: return put_index(p, SPACE_LOCAL, out);
  case IMM_TYPE: return put_index(p, SPACE_TYPE, out);
  case IMM_TAG: return put_index(p, SPACE_TAG, out);
  case IMM_DATA: p->uses_data = true; return put_index(p, SPACE_DATA, out);
  case IMM_ELEM: return put_index(p, SPACE_ELEM, out);
  case IMM_CALL_INDIRECT: return put_call_indirect(p, out);
  case IMM_I32: case IMM_I64: case IMM_F32: case IMM_F64: return put_constant(p, (enum imm)info->imm, out);
  case IMM_V128:
    if (!parse_v128(p, v128, &bits, &is_float, NULL)) return false;
    buf_put(out, v128, sizeof v128);
    return true;
  case IMM_MEMARG: return put_memarg(p, info, false, out);
  case IMM_MEMARG_LANE: return put_memarg(p, info, true, out);
  case IMM_LANE:
    if (!parse_nat(p, 8, &lane)) return false;
    buf_byte(out, (unsigned)lane);
    return true;
  case IMM_SHUFFLE: return parse_shuffle(p, out);
  case IMM_HEAP: return parse_heaptype(p, out);
  case IMM_BR_CAST: return put_br_cast(p, out);
  case IMM_TYPE_FIELD: case IMM_TYPE_TYPE: case IMM_TYPE_N: case IMM_TYPE_DATA: case IMM_TYPE_ELEM:
    return put_type_and(p, (enum imm)info->imm, out);
  case IMM_MEMORY2: return put_two(p, SPACE_MEMORY, out);
  case IMM_TABLE2: return put_two(p, SPACE_TABLE, out);
  case IMM_DATA_MEMORY: p->uses_data = true; return put_segment(p, SPACE_DATA, SPACE_MEMORY, out);
  case IMM_ELEM_TABLE: return put_segment(p, SPACE_ELEM, SPACE_TABLE, out);
  case IMM_BYTE: buf_byte(out, 0); return true;
  case IMM_BLOCK: case IMM_TRY_TABLE: case IMM_SELECT: case IMM_REFTYPE: break; /* have their own ways */
  }
  return unexpected(p, "an instruction");
}

/* Takes the instruction's word; refuses those of features that are off. */
static bool take_op(struct parser *p, unsigned *op, const struct opinfo **info) {
  *op = peek(p)->word;
  *info = op_info(*op);
  if ((*info)->feature != 0 && !(p->s->features >> (*info)->feature & 1))
    return parse_error(p, p->t, "unknown operator %s: the feature %s is off", (*info)->text, mv_feature_name((*info)->feature));
  p->t++;
  return true;
}

static bool put_plain(struct parser *p, unsigned op, const struct opinfo *info, struct buf *out) {
  if (info->imm == IMM_REFTYPE) return put_reftype_op(p, op, out);
  if (op == OP_select) return put_select(p, out);
  put_op(out, op);
  return put_immediates(p, info, out);
}

/* ---- labels and frames --------------------------------------------------------------------------------- */

static bool push_label(struct parser *p, uint32_t symbol) {
  if (!array_reserve((void **)&p->label_stack, &p->cap_labels, p->nlabels + 1, sizeof *p->label_stack)) return no_memory(p);
  struct label *l = &p->label_stack[p->nlabels++];
  uint32_t number = p->count[SPACE_LABEL]++;
  *l = (struct label){.symbol = symbol};
  if (symbol == NO_SYMBOL) return true;
  struct symbol *y = &p->s->symbols[symbol];
  l->saved_scope = y->in[SPACE_LABEL].scope;
  l->saved_index = y->in[SPACE_LABEL].index;
  y->in[SPACE_LABEL].scope = p->func_scope;
  y->in[SPACE_LABEL].index = (uint32_t)p->nlabels;
  return inner_add(p, &p->labels, p->count[SPACE_FUNC] - 1, number, (struct name){y->bytes, y->size});
}

static void pop_label(struct parser *p) {
  const struct label *l = &p->label_stack[--p->nlabels];
  if (l->symbol == NO_SYMBOL) return;
  struct symbol *y = &p->s->symbols[l->symbol];
  y->in[SPACE_LABEL].scope = l->saved_scope;
  y->in[SPACE_LABEL].index = l->saved_index;
}

static bool push_frame(struct parser *p, enum frame_kind kind, unsigned op, uint32_t token, uint32_t symbol, uint32_t hint) {
  if (!array_reserve((void **)&p->frames, &p->cap_frames, p->nframes + 1, sizeof *p->frames)) return no_memory(p);
  p->frames[p->nframes++] =
      (struct frame){.kind = (uint8_t)kind, .op = (uint16_t)op, .token = token, .symbol = symbol, .hint = hint, .pending = p->pending.size};
  return true;
}

/* An instruction is about to be emitted: notes its position and its branch hint. */
static bool mark(struct parser *p, uint32_t token, uint32_t hint) {
  if (!map_add(p, p->out_section, p->out->size, token)) return false;
  if (hint == NO_HINT) return true;
  if (!array_reserve((void **)&p->hints, &p->cap_hints, p->nhints + 1, sizeof *p->hints)) return no_memory(p);
  p->hints[p->nhints++] = (struct hint){(uint32_t)p->out->size, (uint8_t)hint};
  return true;
}

/* Emits what waited for the operands of a frame. */
static bool flush_frame(struct parser *p, const struct frame *f) {
  if (!mark(p, f->token, f->hint)) return false;
  if (p->pending.size > f->pending) buf_put(p->out, p->pending.data + f->pending, p->pending.size - f->pending);
  p->pending.size = f->pending;
  return true;
}

static bool check_label(struct parser *p, uint32_t symbol) {
  uint32_t token = p->t, id = optional_id(p);
  return id == NO_SYMBOL || id == symbol || parse_error(p, token, "mismatching label");
}

/* ---- blocks -------------------------------------------------------------------------------------------- */

static bool put_catches(struct parser *p, struct buf *out) {
  static const struct { unsigned word, code; bool tag; } kinds[] = {
      {OP_catch, 0, true}, {KW_CATCH_REF, 1, true}, {OP_catch_all, 2, false}, {KW_CATCH_ALL_REF, 3, false}};
  uint32_t n = 0;
  buf_clear(&p->params);
  for (;; n++) {
    unsigned k = 0;
    while (k < 4 && !at_form(p, kinds[k].word)) k++;
    if (k == 4) break;
    p->t += 2;
    buf_byte(&p->params, kinds[k].code);
    if (kinds[k].tag && !put_index(p, SPACE_TAG, &p->params)) return false;
    if (!put_index(p, SPACE_LABEL, &p->params) || !expect(p, TOKEN_RPAR, ")")) return false;
  }
  buf_u32(out, n);
  buf_put(out, p->params.data, p->params.size);
  return true;
}

/* label? blocktype catch*, behind the opcode */
static bool put_block_head(struct parser *p, unsigned op, uint32_t *symbol, struct buf *out) {
  *symbol = optional_id(p);
  put_op(out, op);
  return parse_blocktype(p, out) && (op != OP_try_table || put_catches(p, out));
}

static bool is_block(unsigned op) { return op == OP_block || op == OP_loop || op == OP_if || op == OP_try || op == OP_try_table; }

static bool flat_block(struct parser *p, unsigned op, uint32_t token, uint32_t hint) {
  uint32_t symbol;
  enum frame_kind kind = op == OP_if ? FRAME_IF : op == OP_try ? FRAME_TRY : FRAME_BLOCK;
  return mark(p, token, hint) && put_block_head(p, op, &symbol, p->out) && push_label(p, symbol) && push_frame(p, kind, op, token, symbol, NO_HINT);
}

/* else, catch, catch_all, delegate, end: they belong to the innermost frame. false without a report: they do not. */
static bool flat_delimiter(struct parser *p, struct frame *f, unsigned op, bool *done) {
  enum frame_kind k = f ? (enum frame_kind)f->kind : FRAME_FOLD;
  bool in_try = k == FRAME_TRY || k == FRAME_CATCH;
  *done = (op == OP_else && k == FRAME_IF) || ((op == OP_catch || op == OP_catch_all) && in_try) || (op == OP_delegate && k == FRAME_TRY) ||
          (op == OP_end && (in_try || k == FRAME_CATCH_ALL || k == FRAME_BLOCK || k == FRAME_IF || k == FRAME_ELSE));
  if (!*done) return true;
  if (!mark(p, p->t++, NO_HINT)) return false;
  put_op(p->out, op);
  if (op == OP_end || op == OP_delegate) {
    uint32_t symbol = f->symbol;
    pop_label(p);
    p->nframes--;
    return op == OP_end ? check_label(p, symbol) : put_index(p, SPACE_LABEL, p->out);
  }
  f->kind = op == OP_else ? FRAME_ELSE : op == OP_catch ? FRAME_CATCH : FRAME_CATCH_ALL;
  return op == OP_catch ? put_index(p, SPACE_TAG, p->out) : check_label(p, f->symbol);
}

static bool takes_flat(const struct frame *f) {
  if (!f) return true;
  switch ((enum frame_kind)f->kind) {
  case FRAME_FOLD: case FRAME_PIF: case FRAME_PIF_THEN: case FRAME_PIF_ELSE: case FRAME_PTRY: case FRAME_PTRY_DO: case FRAME_PTRY_CATCH:
  case FRAME_PTRY_CATCH_ALL: case FRAME_PTRY_DELEGATE: return false;
  default: return true;
  }
}

static bool flat_instr(struct parser *p, struct frame *f) {
  uint32_t token = p->t, hint = NO_HINT;
  unsigned op = peek(p)->word;
  const struct opinfo *info;
  bool done;
  if (op == OP_else || op == OP_catch || op == OP_catch_all || op == OP_delegate || op == OP_end)
    return flat_delimiter(p, f, op, &done) && (done || unexpected(p, "an instruction"));
  if (!take_hint(p, token, &hint) || !take_op(p, &op, &info)) return false;
  if (is_block(op)) return flat_block(p, op, token, hint);
  return mark(p, token, hint) && put_plain(p, op, info, p->out);
}

/* ---- folded instructions ------------------------------------------------------------------------------- */

static bool push_arm(struct parser *p, uint32_t token) { return push_frame(p, FRAME_ARM, 0, token, NO_SYMBOL, NO_HINT); }

/* "(" then/else/do/catch/catch_all/delegate within the folded if or try of frame f. *done: it was one. */
static bool folded_arm(struct parser *p, struct frame *f, bool *done) {
  unsigned word = peek(p)[1].kind == TOKEN_KEYWORD ? peek(p)[1].word : 0;
  uint32_t token = p->t + 1;
  enum frame_kind k = f ? (enum frame_kind)f->kind : FRAME_ARM;
  *done = true;
  if (word == KW_THEN && k == FRAME_PIF) {
    f->kind = FRAME_PIF_THEN;
    p->t += 2;
    return flush_frame(p, f) && push_label(p, f->symbol) && push_arm(p, token);
  }
  if (word == OP_else && k == FRAME_PIF_THEN) {
    f->kind = FRAME_PIF_ELSE;
    p->t += 2;
    put_op(p->out, OP_else);
    return push_arm(p, token);
  }
  if (word == KW_DO && k == FRAME_PTRY) {
    f->kind = FRAME_PTRY_DO;
    p->t += 2;
    return push_arm(p, token);
  }
  if ((word == OP_catch || word == OP_catch_all) && (k == FRAME_PTRY_DO || k == FRAME_PTRY_CATCH)) {
    f->kind = word == OP_catch ? FRAME_PTRY_CATCH : FRAME_PTRY_CATCH_ALL;
    p->t += 2;
    put_op(p->out, word);
    return (word == OP_catch_all || put_index(p, SPACE_TAG, p->out)) && push_arm(p, token);
  }
  if (word == OP_delegate && k == FRAME_PTRY_DO) {
    f->kind = FRAME_PTRY_DELEGATE;
    p->t += 2;
    put_op(p->out, word);
    pop_label(p);
    return put_index(p, SPACE_LABEL, p->out) && expect(p, TOKEN_RPAR, ")");
  }
  *done = false;
  return true;
}

static bool folded_block(struct parser *p, unsigned op, uint32_t token, uint32_t hint) {
  uint32_t symbol;
  if (op == OP_if) { /* the condition comes first */
    size_t pending = p->pending.size;
    if (!put_block_head(p, op, &symbol, &p->pending) || !push_frame(p, FRAME_PIF, op, token, symbol, hint)) return false;
    p->frames[p->nframes - 1].pending = pending;
    return true;
  }
  return mark(p, token, hint) && put_block_head(p, op, &symbol, p->out) && push_label(p, symbol) &&
         push_frame(p, op == OP_try ? FRAME_PTRY : FRAME_PBLOCK, op, token, symbol, NO_HINT);
}

/* "(" instruction ... */
static bool open_folded(struct parser *p, struct frame *f) {
  bool done;
  if (!folded_arm(p, f, &done)) return false;
  if (done) return true;
  enum frame_kind k = f ? (enum frame_kind)f->kind : FRAME_ARM;
  if (!takes_flat(f) && k != FRAME_FOLD && k != FRAME_PIF) return unexpected(p, "the end of the instruction");
  uint32_t token = p->t + 1, hint = NO_HINT;
  unsigned op = peek(p)[1].kind == TOKEN_KEYWORD ? peek(p)[1].word : OP_LIMIT;
  const struct opinfo *info;
  if (op >= OP_LIMIT || op == OP_else || op == OP_end || op == OP_catch || op == OP_catch_all || op == OP_delegate) {
    if (peek(p)[1].kind != TOKEN_KEYWORD) p->t++;
    return unexpected(p, "an instruction");
  }
  if (!take_hint(p, p->t, &hint)) return false;
  p->t++;
  if (!take_op(p, &op, &info)) return false;
  if (is_block(op)) return folded_block(p, op, token, hint);
  if (!push_frame(p, FRAME_FOLD, op, token, NO_SYMBOL, hint)) return false;
  return put_plain(p, op, info, &p->pending);
}

/* ")" of the innermost frame */
static bool close_folded(struct parser *p, struct frame *f) {
  switch ((enum frame_kind)f->kind) {
  case FRAME_FOLD:
    if (!flush_frame(p, f)) return false;
    break;
  case FRAME_ARM: break;
  case FRAME_PBLOCK: case FRAME_PIF_THEN: case FRAME_PIF_ELSE: case FRAME_PTRY_DO: case FRAME_PTRY_CATCH: case FRAME_PTRY_CATCH_ALL:
    if (!map_add(p, p->out_section, p->out->size, p->t)) return false;
    put_op(p->out, OP_end);
    pop_label(p);
    break;
  case FRAME_PTRY_DELEGATE: break;
  default: return unexpected(p, f->kind == FRAME_PIF ? "(then" : f->kind == FRAME_PTRY ? "(do" : "end");
  }
  p->nframes--;
  p->t++;
  return true;
}

/* One step: an instruction, or one end of a nested one. */
static bool step(struct parser *p, struct frame *f) {
  if (at(p, TOKEN_KEYWORD) && peek(p)->word < OP_LIMIT && takes_flat(f)) return flat_instr(p, f);
  if (at(p, TOKEN_LPAR)) return open_folded(p, f);
  if (at(p, TOKEN_RPAR) && f) return close_folded(p, f);
  return unexpected(p, f && f->kind >= FRAME_BLOCK && f->kind <= FRAME_CATCH_ALL ? "an instruction or end" : "an instruction or )");
}

bool parse_expr(struct parser *p) {
  size_t base = p->nframes;
  while (p->nframes > base || !at(p, TOKEN_RPAR))
    if (!step(p, p->nframes > base ? &p->frames[p->nframes - 1] : NULL)) return false;
  put_op(p->out, OP_end);
  return true;
}

bool parse_folded_expr(struct parser *p) {
  size_t base = p->nframes;
  if (!at(p, TOKEN_LPAR)) return unexpected(p, "an expression");
  do {
    if (!step(p, p->nframes > base ? &p->frames[p->nframes - 1] : NULL)) return false;
  } while (p->nframes > base);
  put_op(p->out, OP_end);
  return true;
}

/* From intermediate code to words. A forward walk decides what lives in an accumulator: the result of an operation stays there alone if its only
 * reader finds it there; the decision falls when the reader comes or the accumulator is needed again. Then the forms are known, and the
 * words are written. */
#include <stdlib.h>
#include <string.h>

#include "code/ir.h"

enum { CLASS_INT, CLASS_F32, CLASS_F64, CLASS_V128, CLASSES };

/* What an accumulator holds: the value of `slot`, made by `def`. */
struct acc {
  uint32_t slot, def;
  bool unread; /* a temporary that nobody has read yet: its slot must be written if the accumulator is needed again */
};

struct lower {
  struct ircode *c;
  struct acc acc[CLASSES];
  union word *words;
  size_t n, cap;
  uint32_t *label_at; /* words */
  struct fixup { uint32_t word, start, label; uint8_t half; } *fixups;
  size_t nfixups, fixups_cap;
};

static unsigned class_of(unsigned rt) { return rt == RT_f32 ? CLASS_F32 : rt == RT_f64 ? CLASS_F64 : rt == RT_v128 ? CLASS_V128 : CLASS_INT; }
static unsigned class_cells(unsigned k) { return k == CLASS_V128 ? 2 : 1; }

/* ---- which operands are in an accumulator ---- */

static void forget(struct lower *l, unsigned k) {
  struct acc *a = &l->acc[k];
  if (a->slot != NO_SLOT && a->unread && a->def != NO_SLOT) l->c->ir[a->def].fd = 'S';
  a->slot = NO_SLOT;
}

/* A value must be in its slot from here on, wherever it stays besides. */
static void in_slot(struct lower *l, unsigned k) {
  struct acc *a = &l->acc[k];
  if (a->slot == NO_SLOT || a->def == NO_SLOT) return;
  l->c->ir[a->def].fd = 'S';
  a->unread = false;
}

static bool overlaps(const struct lower *l, unsigned k, uint32_t slot, uint32_t cells) {
  const struct acc *a = &l->acc[k];
  return a->slot != NO_SLOT && a->slot < slot + cells && slot < a->slot + class_cells(k);
}

static void need_slots(struct lower *l, uint32_t slot, uint32_t cells) {
  if (slot == NO_SLOT) return;
  for (unsigned k = 0; k < CLASSES; k++)
    if (overlaps(l, k, slot, cells)) in_slot(l, k);
}

/* Cells are overwritten: what an accumulator holds of them is no longer the slot's value. Of a vector, the other cell may be a lane that is still wanted. */
static void overwrite(struct lower *l, uint32_t slot, uint32_t cells) {
  for (unsigned k = 0; k < CLASSES; k++) {
    if (!overlaps(l, k, slot, cells)) continue;
    if (k == CLASS_V128 && (l->acc[k].slot < slot || l->acc[k].slot + 2 > slot + cells)) in_slot(l, k);
    l->acc[k].slot = NO_SLOT;
  }
}

static void all_in_slots(struct lower *l) {
  for (unsigned k = 0; k < CLASSES; k++)
    if (l->acc[k].unread) in_slot(l, k);
}

static void forget_all(struct lower *l) {
  for (unsigned k = 0; k < CLASSES; k++) forget(l, k);
}

/* May values of the type stay in their accumulator? */
static bool has_acc(const struct lower *l, unsigned rt) { return rt == RT_v128 ? l->c->all_forms : l->c->fusion; }

/* The form of reading a slot as type rt: 'A' if possible and allowed. */
static char reads(struct lower *l, uint32_t slot, unsigned rt, bool allowed, bool keep) {
  const unsigned k = class_of(rt);
  struct acc *a = &l->acc[k];
  if (allowed && has_acc(l, rt) && a->slot == slot) {
    if (keep) in_slot(l, k);
    a->unread = false;
    return 'A';
  }
  need_slots(l, slot, rt == RT_v128 ? 2 : 1);
  return 'S';
}

static void writes(struct lower *l, uint32_t at, unsigned rt) {
  struct ir *i = &l->c->ir[at];
  const unsigned k = class_of(rt);
  forget(l, k);
  overwrite(l, i->d, class_cells(k));
  const bool temp = i->d >= l->c->first_temp && has_acc(l, rt);
  i->fd = temp ? 'A' : 'S';
  l->acc[k] = (struct acc){i->d, at, temp};
}

static void writes_slot(struct lower *l, struct ir *i, unsigned cells) {
  i->fd = 'S';
  overwrite(l, i->d, cells);
}

static bool is_atomic(unsigned op) { return op >= IR_atomic_load8 && op <= IR_atomic_cmpxchg64; }
/* The result goes to the accumulator and to its slot. */
static void writes_both(struct lower *l, uint32_t at, unsigned rt) {
  writes(l, at, rt);
  l->c->ir[at].fd = 'S';
  l->acc[class_of(rt)].unread = false;
}

/* One operation: forms of its operands, then its effect on the accumulators. */
static void choose_misc(struct lower *l, uint32_t at) {
  struct ir *i = &l->c->ir[at];
  if (is_atomic(i->op)) {
    need_slots(l, i->a, 1), need_slots(l, i->b, 1), need_slots(l, i->c, 1);
    if (i->d == NO_SLOT) return;
    writes(l, at, RT_i64);
    i->fd = 'S';
    l->acc[CLASS_INT].unread = false;
    return;
  }
  switch (i->op) {
  case IR_br: case IR_unreachable: case IR_ret:
    all_in_slots(l);
    if (i->op != IR_br) forget_all(l);
    break;
  case IR_br_table_S:
    i->fa = reads(l, i->a, RT_i32, true, false);
    all_in_slots(l);
    break;
  case IR_call: case IR_call_import: case IR_tail_call: case IR_tail_import: case IR_call_indirect: case IR_call_ref: case IR_tail_indirect: case IR_tail_ref:
    need_slots(l, i->a, i->cells);
    if (i->op != IR_call && i->op != IR_call_import && i->op != IR_tail_call && i->op != IR_tail_import) need_slots(l, i->c, 1);
    forget_all(l);
    if (i->rt != RT_NONE && i->rt != RT_v128) l->acc[class_of(i->rt)] = (struct acc){i->d, NO_SLOT, false};
    break;
  case IR_gget_import: case IR_gget_import_v128:
    writes_slot(l, i, i->op == IR_gget_import ? 1 : 2);
    break;
  case IR_gset_import: case IR_gset_import_v128: need_slots(l, i->c, i->op == IR_gset_import ? 1 : 2); break;
  case IR_object_new:
    for (uint32_t k = 0; k < i->c; k++)
      if (!(l->c->tables[i->label + 2 * k + 1] & PLACE_IMM)) need_slots(l, l->c->tables[i->label + 2 * k], 1);
    all_in_slots(l); /* the collector looks at slots alone */
    writes_both(l, at, RT_i64);
    break;
  case IR_ref_test:
    need_slots(l, i->a, 1);
    writes(l, at, RT_i32);
    i->fd = 'S';
    l->acc[CLASS_INT].unread = false;
    break;
  case IR_ref_cast: need_slots(l, i->a, 1); break;
  case IR_memory_copy: case IR_memory_fill: need_slots(l, i->a, 1), need_slots(l, i->b, 1), need_slots(l, i->c, 1); break;
  case IR_ret_many: case IR_copy:
    need_slots(l, i->a, i->cells);
    all_in_slots(l);
    if (i->op == IR_copy) overwrite(l, i->b, i->cells);
    break;
  case IR_mov_add:
    need_slots(l, i->a, 1);
    overwrite(l, i->b, 1);
    writes_both(l, at, RT_i32);
    break;
  case IR_add2:
    need_slots(l, i->a, 1);
    overwrite(l, i->b, 1);
    need_slots(l, i->c, 1);
    writes_both(l, at, RT_i32);
    break;
  case IR_mov3: case IR_mov2:
    need_slots(l, i->a, 1);
    overwrite(l, i->b, 1);
    need_slots(l, i->c, 1);
    overwrite(l, i->d, 1);
    if (i->op == IR_mov2) break;
    need_slots(l, i->e, 1);
    overwrite(l, i->cells, 1);
    break;
  case IR_fuel: case IR_poll: case IR_enter: case IR_enter_depth: case IR_leave_depth: case IR_trace: case IR_profile: break;
  default: /* base operations */
    need_slots(l, i->a, i->cells);
    if (i->op >= IR_br_on_cast && i->op <= IR_br_on_cast_fail) all_in_slots(l);
    else if (i->op == IR_br_on_cast_desc || i->op == IR_br_on_cast_desc_fail) all_in_slots(l);
    else {
      if (i->op >= IR_struct_new_desc && i->op <= IR_array_new_elem) all_in_slots(l);
      for (unsigned k = 0; k < CLASSES; k++) /* results may lie from a on */
        if (l->acc[k].slot != NO_SLOT && l->acc[k].slot + class_cells(k) > i->a && l->acc[k].slot >= l->c->first_temp) {
          if (l->acc[k].slot < i->a) in_slot(l, k); /* a vector's low lane may be wanted */
          l->acc[k].slot = NO_SLOT;
        }
    }
    if (i->op == IR_throw || i->op == IR_throw_ref) all_in_slots(l), forget_all(l);
    break;
  }
}

/* An address whose operands all lie in slots. */
static char slot_address(struct lower *l, const struct ir *i) {
  (void)reads(l, i->a, RT_i32, false, false);
  if (i->am == AM_SUM || i->am == AM_SCALED) (void)reads(l, i->b, RT_i32, false, false);
  return "SPXIBU"[i->am];
}

static bool in_acc(const struct lower *l, uint32_t slot, unsigned rt) { return l->c->fusion && l->acc[class_of(rt)].slot == slot; }

static void choose(struct lower *l, uint32_t at) {
  struct ir *i = &l->c->ir[at];
  const struct ropinfo *info = rop_info(i->op);
  const bool imm = (i->flags & IRF_IMM) != 0, keep = (i->flags & IRF_KEEP) != 0;
  i->fa = i->fb = i->fc = i->fd = 'S';
  switch (info->shape) {
  case SHAPE_MISC: choose_misc(l, at); break;
  case SHAPE_BIN: case SHAPE_V2: case SHAPE_BR: case SHAPE_SHUFFLE:
    i->fa = reads(l, i->a, info->in, true, false);
    i->fb = imm ? 'I' : reads(l, i->b, info->in, i->fa != 'A', false);
    if (info->shape == SHAPE_BR) all_in_slots(l);
    else writes(l, at, info->out);
    break;
  case SHAPE_RBIN: case SHAPE_UN: case SHAPE_EXTRACT: case SHAPE_PERMUTE:
    i->fa = reads(l, i->a, info->in, true, false);
    writes(l, at, info->out);
    break;
  case SHAPE_BRU:
    i->fa = reads(l, i->a, info->in, true, keep);
    all_in_slots(l);
    break;
  case SHAPE_SHIFT:
    i->fa = reads(l, i->a, RT_v128, true, false);
    i->fb = imm ? 'I' : reads(l, i->b, RT_i32, i->fa != 'A', false);
    writes(l, at, RT_v128);
    break;
  case SHAPE_REPLACE: /* a: vector, b: scalar; one of them may be in its accumulator */
    i->fa = reads(l, i->a, RT_v128, true, false);
    i->fb = reads(l, i->b, info->in, i->fa != 'A', false);
    writes(l, at, RT_v128);
    break;
  case SHAPE_V3:
    i->fa = reads(l, i->a, RT_v128, true, false);
    (void)reads(l, i->b, RT_v128, false, false);
    if (reads(l, i->c, RT_v128, i->fa != 'A', false) == 'A') i->fa = 'C';
    writes(l, at, RT_v128);
    break;
  case SHAPE_LOAD:
    switch (i->am) {
    case AM_CONST: i->fa = 'I'; break;
    case AM_SLOT: i->fa = reads(l, i->a, RT_i32, true, false); break;
    case AM_OFFSET: i->fa = reads(l, i->a, RT_i32, true, false) == 'A' ? 'Z' : 'B'; break;
    case AM_SHIFTED: i->fa = reads(l, i->a, RT_i32, true, false) == 'A' ? 'V' : 'U'; break;
    case AM_SUM:
      i->fa = 'P';
      if (l->acc[CLASS_INT].slot == i->a && l->c->fusion) { /* the accumulator is the second term */
        const uint32_t a = i->a;
        i->a = i->b, i->b = a;
      }
      if (reads(l, i->b, RT_i32, i->a != i->b, false) == 'A') i->fa = 'Q';
      (void)reads(l, i->a, RT_i32, false, false);
      break;
    default:
      i->fa = reads(l, i->b, RT_i32, i->a != i->b, false) == 'A' ? 'Y' : 'X';
      (void)reads(l, i->a, RT_i32, false, false);
      break;
    }
    writes(l, at, info->out);
    break;
  case SHAPE_STORE: case SHAPE_VSTORE:
    switch (i->am) {
    case AM_CONST: i->fa = 'I'; break;
    case AM_SLOT: i->fa = reads(l, i->a, RT_i32, true, false); break;
    default: i->fa = slot_address(l, i); break;
    }
    i->fb = imm ? 'I' : reads(l, i->c, info->in, i->fa != 'A' || class_of(info->in) != CLASS_INT, false);
    break;
  case SHAPE_LOADBR:
    if (i->am == AM_SLOT) i->fa = reads(l, i->a, RT_i32, true, false);
    else if (i->am == AM_OFFSET) i->fa = reads(l, i->a, RT_i32, true, false) == 'A' ? 'Z' : 'B';
    else i->fa = slot_address(l, i);
    i->fc = imm ? 'I' : reads(l, i->c, info->in, false, false);
    writes(l, at, info->out);
    l->acc[CLASS_INT].unread = false;
    all_in_slots(l);
    break;
  case SHAPE_FBINBR:
    i->fa = reads(l, i->a, info->in, true, false);
    i->fb = reads(l, i->b, info->in, i->fa != 'A', false);
    i->fc = imm ? 'I' : reads(l, i->c, info->in, false, false);
    all_in_slots(l);
    break;
  case SHAPE_BINBR:
    i->fa = reads(l, i->a, info->in, true, false);
    i->fb = imm ? 'I' : reads(l, i->b, info->in, false, false);
    all_in_slots(l);
    break;
  case SHAPE_ADDLOAD: case SHAPE_INCLOAD:
    (void)reads(l, i->a, RT_i32, false, false);
    if (i->b != NO_SLOT) overwrite(l, i->b, 1);
    overwrite(l, i->c, 1);
    writes(l, at, info->out);
    break;
  case SHAPE_INCSTORE:
    i->fa = imm ? 'I' : reads(l, i->c, info->in, true, false);
    i->fb = i->flags & IRF_IMM2 ? 'I' : reads(l, i->b, RT_i32, false, false);
    need_slots(l, i->a, 1);
    writes_both(l, at, RT_i32);
    break;
  case SHAPE_SELIMM:
    i->fa = reads(l, i->c, RT_i32, (i->c != i->a || (i->flags & IRF_CHOICE1)) && (i->c != i->b || (i->flags & IRF_CHOICE2)), false);
    if (!(i->flags & IRF_CHOICE1)) need_slots(l, i->a, 1);
    if (!(i->flags & IRF_CHOICE2)) need_slots(l, i->b, 1);
    writes(l, at, info->out);
    break;
  case SHAPE_BIN2: case SHAPE_FBIN2: {
    /* one of a, (floats) b and c may be in the accumulator */
    const bool imm2 = (i->flags & IRF_IMM2) != 0, same = i->c == i->a && imm && info->shape == SHAPE_BIN2;
    const bool third = !imm2 && in_acc(l, i->c, info->in) && i->c != i->a && (imm || i->c != i->b);
    i->fa = reads(l, i->a, info->in, !third, false);
    i->fb = imm ? 'I' : reads(l, i->b, info->in, info->shape == SHAPE_FBIN2 && !third && i->fa != 'A', false);
    i->fc = imm2 ? 'I' : reads(l, i->c, info->in, third || (same && i->fa == 'A'), false);
    writes(l, at, info->out);
    break;
  }
  case SHAPE_WIDE:
    i->fa = reads(l, i->a, RT_i64, true, false);
    i->fc = i->flags & IRF_IMM2 ? 'I' : reads(l, i->c, RT_i64, false, false);
    writes(l, at, RT_i64);
    break;
  case SHAPE_ADDBR:
    (void)reads(l, i->a, info->in, false, false);
    if (!imm) (void)reads(l, i->b, info->in, false, false);
    if (!(i->flags & IRF_IMM2)) (void)reads(l, i->c, info->in, false, false);
    i->fb = imm ? 'I' : 'S', i->fc = i->flags & IRF_IMM2 ? 'I' : 'S';
    writes_both(l, at, info->in);
    all_in_slots(l);
    break;
  case SHAPE_PIN:
    i->fa = i->flags & IRF_PIN ? 'R' : reads(l, i->a, info->in, true, false);
    i->fb = i->flags & IRF_PIN ? reads(l, i->b, info->in, true, false) : 'R';
    writes_both(l, at, info->out);
    break;
  case SHAPE_PINBIN2:
    i->fa = reads(l, i->a, info->in, true, false);
    i->fb = reads(l, i->b, info->in, i->fa != 'A', false);
    writes_both(l, at, info->out);
    break;
  case SHAPE_PINLOADOP:
    i->fa = slot_address(l, i);
    writes_both(l, at, info->out);
    break;
  case SHAPE_PINLOADBIN2:
    i->fa = slot_address(l, i);
    i->fc = reads(l, i->c, info->in, true, false);
    writes_both(l, at, info->out);
    break;
  case SHAPE_PINLOAD: need_slots(l, i->a, 1); break;
  case SHAPE_LOADBIN2:
    i->fa = slot_address(l, i);
    (void)reads(l, i->e, info->in, false, false);
    i->fc = reads(l, i->c, info->in, i->c != i->e && i->c != i->a && (i->am == AM_SLOT || i->am == AM_OFFSET || i->c != i->b), false);
    writes(l, at, info->out);
    break;
  case SHAPE_LOADOP:
    i->fa = slot_address(l, i);
    i->fc = reads(l, i->c, info->in, i->c != i->a && (i->am == AM_SLOT || i->am == AM_OFFSET || i->c != i->b), false);
    writes(l, at, info->out);
    break;
  case SHAPE_FSET:
    i->fa = reads(l, i->a, RT_i64, true, false);
    i->fb = imm ? 'I' : reads(l, i->b, info->in, i->fa != 'A' || class_of(info->in) != CLASS_INT, false);
    break;
  case SHAPE_ESET:
    (void)reads(l, i->a, RT_i64, false, false);
    i->fb = imm ? 'I' : reads(l, i->b, RT_i32, false, false);
    i->fc = i->flags & IRF_IMM2 ? 'I' : reads(l, i->c, info->in, true, false);
    break;
  case SHAPE_GGET: writes(l, at, info->out); break;
  case SHAPE_GSET: case SHAPE_RET:
    i->fa = imm ? 'I' : reads(l, i->a, info->in, true, keep);
    if (info->shape == SHAPE_RET) all_in_slots(l), forget_all(l);
    break;
  case SHAPE_MOV:
    i->fa = reads(l, i->a, info->in, true, keep);
    overwrite(l, i->d, info->in == RT_v128 ? 2 : 1);
    if (i->fa == 'A' && l->acc[class_of(info->in)].slot == i->a && !keep) l->acc[class_of(info->in)] = (struct acc){i->d, NO_SLOT, false};
    break;
  case SHAPE_CONST: writes(l, at, info->out); break;
  case SHAPE_SELECT:
    i->fa = reads(l, i->c, RT_i32, i->c != i->a && i->c != i->b, false);
    (void)reads(l, i->a, info->in, false, false);
    (void)reads(l, i->b, info->in, false, false);
    writes(l, at, info->out);
    break;
  }
}

static void choose_forms(struct lower *l) {
  for (unsigned k = 0; k < CLASSES; k++) l->acc[k].slot = NO_SLOT;
  for (uint32_t at = 0; at < l->c->n; at++) {
    if (l->c->ir[at].op == IR_LABEL) {
      all_in_slots(l);
      forget_all(l);
    } else if (l->c->ir[at].op != IR_NOP)
      choose(l, at);
  }
  forget_all(l);
}

/* ---- words ---- */

static union word *more(struct lower *l, size_t n) {
  if (!array_reserve((void **)&l->words, &l->cap, l->n + n, sizeof *l->words)) return NULL;
  union word *w = l->words + l->n;
  memset(w, 0, n * sizeof *w);
  l->n += n;
  return w;
}

static unsigned form_bin(const struct ir *i) {
  const unsigned k = i->fa == 'S' ? (i->fb == 'S' ? 0 : i->fb == 'A' ? 1 : 3) : i->fb == 'S' ? 2 : 4;
  return k;
}

static unsigned index_in(char f, const char *letters) { return (unsigned)(strchr(letters, f) - letters); }

static unsigned is(char form, char letter) { return form == letter; }

static unsigned rop_of(const struct ir *i, const struct ropinfo *info) {
  const unsigned s = i->fd == 'S', base = info->base + (i->flags & IRF_PAYS ? ir_branch_forms(i) : 0);
  switch (info->shape) {
  case SHAPE_BIN: case SHAPE_V2: case SHAPE_SHIFT: return base + form_bin(i) + 5 * s;
  case SHAPE_SHUFFLE: case SHAPE_REPLACE: return base + form_bin(i) + 3 * s;
  case SHAPE_BR: return base + form_bin(i);
  case SHAPE_RBIN: case SHAPE_UN: case SHAPE_EXTRACT: case SHAPE_PERMUTE: case SHAPE_SELECT: return base + index_in(i->fa, "SA") + 2 * s;
  case SHAPE_BRU: case SHAPE_MOV: return base + index_in(i->fa, "SA");
  case SHAPE_LOAD: return base + index_in(i->fa, "SAPQXYIBZUV") + 11 * s;
  case SHAPE_STORE: case SHAPE_VSTORE: return base + index_in(i->fa, "SAPXIBU") + 7 * index_in(i->fb, "SAI");
  case SHAPE_FSET: return base + index_in(i->fa, "SA") + 2 * index_in(i->fb, "SAI");
  case SHAPE_ESET: return base + index_in(i->fb, "SI") + 2 * index_in(i->fc, "SAI");
  case SHAPE_GGET: case SHAPE_CONST: return base + s;
  case SHAPE_GSET: case SHAPE_RET: return base + index_in(i->fa, "SAI");
  case SHAPE_V3: return base + index_in(i->fa, "SAC") + 3 * s;
  case SHAPE_BIN2:
    if (i->fa == 'A' && i->fc == 'A') return base + 10 + 11 * s;
    return base + (i->fc == 'I' ? 6 + 2 * is(i->fa, 'A') : i->fa == 'A' ? 4u : i->fc == 'A' ? 2u : 0u) + is(i->fb, 'I') + 11 * s;
  case SHAPE_FBIN2: return base + (i->fc == 'A' ? 1u : i->fa == 'A' ? 2u : i->fb == 'A' ? 3u : 0u) + 4 * s;
  case SHAPE_WIDE: return base + is(i->fa, 'A') + 2 * is(i->fc, 'I') + 4 * s;
  case SHAPE_ADDBR: return base + 2 * is(i->fb, 'I') + is(i->fc, 'I');
  case SHAPE_SELIMM: return base + is(i->fa, 'A') + ((i->flags & (IRF_CHOICE1 | IRF_CHOICE2)) == IRF_CHOICE2 ? 0u : i->flags & IRF_CHOICE2 ? 4u : 2u) + 6 * s;
  case SHAPE_LOADBR: return base + index_in(i->fa, "SABZP") + 5 * is(i->fc, 'I') + 10 * s;
  case SHAPE_FBINBR: return base + (i->fa == 'A' ? 1u : i->fb == 'A' ? 2u : 0u) + 3 * is(i->fc, 'S');
  case SHAPE_BINBR: return base + is(i->fa, 'A') + 2 * is(i->fb, 'I');
  case SHAPE_ADDLOAD: case SHAPE_INCLOAD: return base + s;
  case SHAPE_PIN: return base + (i->fa == 'R' ? is(i->fb, 'A') : 2 + is(i->fa, 'A'));
  case SHAPE_PINBIN2: return base + (i->fa == 'A' ? 1u : i->fb == 'A' ? 2u : 0u);
  case SHAPE_PINLOADOP: return base + index_in(i->fa, "SBPX");
  case SHAPE_PINLOADBIN2: return base + index_in(i->fa, "SBPX") + 4 * is(i->fc, 'A');
  case SHAPE_INCSTORE: return base + index_in(i->fa, "SAI") + 3 * is(i->fb, 'S');
  case SHAPE_LOADBIN2: case SHAPE_LOADOP: return base + index_in(i->fa, "SBPX") + 4 * is(i->fc, 'A') + 8 * s;
  default: return base + (i->op == IR_br_table_S ? is(i->fa, 'A') : 0);
  }
}

enum { WHOLE = 2 }; /* the word is the target itself, not the distance in one of its halves */

static bool add_fixup(struct lower *l, size_t word, unsigned half, size_t start, uint32_t label) {
  if (!array_reserve((void **)&l->fixups, &l->fixups_cap, l->nfixups + 1, sizeof *l->fixups)) return false;
  l->fixups[l->nfixups++] = (struct fixup){(uint32_t)word, (uint32_t)start, label, (uint8_t)half};
  return true;
}

static bool is_wide(unsigned rt) { return rt == RT_i64 || rt == RT_f64; }

static uint32_t imm_or(const struct ir *i, uint32_t slot) { return i->flags & IRF_IMM ? (uint32_t)i->imm : slot; }

static bool write_misc(struct lower *l, const struct ir *i, size_t start) {
  union word *w;
  const struct code *self = &l->c->module->code[l->c->func - l->c->module->nimported_funcs];
  if (is_atomic(i->op)) {
    if (!(w = more(l, 3))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = i->d, w[2].u64 = i->imm;
    if (i->b != NO_SLOT) w[1].u32[0] = i->b; /* what is not an operand is read all the same */
    if (i->c != NO_SLOT) w[1].u32[1] = i->c;
    return true;
  }
  switch (i->op) {
  case IR_br:
    return more(l, 1) && add_fixup(l, start + 1, WHOLE, start, i->label);
  case IR_unreachable: case IR_poll: case IR_enter_depth: case IR_leave_depth: return true;
  case IR_br_table_S: {
    const size_t n = (size_t)i->c + 1;
    if (!(w = more(l, 1 + (n + 1) / 2))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = i->c;
    for (size_t k = 0; k < n; k++)
      if (!add_fixup(l, start + 2 + k / 2, k & 1, start, l->c->tables[i->label + k])) return false;
    return true;
  }
  case IR_fuel:
    if (!(w = more(l, 1))) return false;
    w->u64 = i->imm;
    return true;
  case IR_profile:
    if (!(w = more(l, 3))) return false;
    w[0].u64 = i->imm, w[1].ptr = self, w[2].u64 = 0;
    return true;
  case IR_enter:
    if (!(w = more(l, 1))) return false;
    w->u32[0] = i->a, w->u32[1] = i->b;
    return true;
  case IR_copy:
    if (!(w = more(l, 2))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = i->b, w[1].u32[0] = i->cells;
    return true;
  case IR_mov_add:
    if (!(w = more(l, 2))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = i->b, w[1].u32[0] = (uint32_t)i->imm, w[1].u32[1] = i->d;
    return true;
  case IR_add2:
    if (!(w = more(l, 3))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = i->b, w[1].u32[0] = i->c, w[1].u32[1] = i->d;
    w[2].u32[0] = (uint32_t)i->imm, w[2].u32[1] = (uint32_t)i->imm2;
    return true;
  case IR_mov2: case IR_mov3:
    if (!(w = more(l, i->op == IR_mov2 ? 2 : 3))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = i->b, w[1].u32[0] = i->c, w[1].u32[1] = i->d;
    if (i->op == IR_mov3) w[2].u32[0] = i->e, w[2].u32[1] = i->cells;
    return true;
  case IR_ret:
    if (!(w = more(l, 1))) return false;
    w->u32[1] = i->b;
    return true;
  case IR_ret_many:
    if (!(w = more(l, 2))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = i->b, w[1].u32[0] = i->cells;
    return true;
  case IR_call: case IR_tail_call:
    if (!(w = more(l, 3))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = i->b;
    w[1].ptr = &l->c->module->code[i->c - l->c->module->nimported_funcs];
    if (i->op == IR_call) w[2].ptr = self;
    else w[2].u32[0] = (uint32_t)i->imm;
    return true;
  case IR_call_import: case IR_tail_import: case IR_call_ref: case IR_tail_ref:
    if (!(w = more(l, 3))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = i->b;
    w[1].u32[0] = i->c, w[1].u32[1] = (uint32_t)i->imm;
    w[2].ptr = self;
    return true;
  case IR_call_indirect: case IR_tail_indirect:
    if (!(w = more(l, 4))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = i->b;
    w[1].u32[0] = (uint32_t)i->imm2, w[1].u32[1] = (uint32_t)(i->imm2 >> 32);
    w[2].u32[0] = i->c, w[2].u32[1] = (uint32_t)i->imm;
    w[3].ptr = self;
    return true;
  case IR_gget_import: case IR_gget_import_v128: case IR_gset_import: case IR_gset_import_v128:
    if (!(w = more(l, 1))) return false;
    w->u32[0] = i->a, w->u32[1] = i->op == IR_gget_import || i->op == IR_gget_import_v128 ? i->d : i->c;
    return true;
  case IR_object_new:
    if (!(w = more(l, 3 + i->c))) return false;
    w[0].u32[0] = i->d, w[0].u32[1] = i->c, w[1].u32[0] = i->a, w[1].u32[1] = i->b, w[2].u64 = i->imm;
    for (size_t k = 0; k < i->c; k++) w[3 + k].u32[0] = l->c->tables[i->label + 2 * k], w[3 + k].u32[1] = l->c->tables[i->label + 2 * k + 1];
    return true;
  case IR_memory_copy: case IR_memory_fill:
    if (!(w = more(l, 3))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = i->b, w[1].u32[0] = i->c, w[2].u32[0] = (uint32_t)i->imm, w[2].u32[1] = (uint32_t)(i->imm >> 32);
    return true;
  case IR_ref_test: case IR_ref_cast: case IR_br_on_cast: case IR_br_on_cast_fail:
    if (!(w = more(l, 2))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = i->d, w[1].u32[0] = i->b, w[1].u32[1] = i->c;
    return i->op == IR_ref_test || i->op == IR_ref_cast || add_fixup(l, start + 1, 1, start, i->label);
  default: /* base operations */
    if (!(w = more(l, 3))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = (uint32_t)i->imm2, w[1].u32[0] = i->b;
    switch (i->op) {
    case IR_br_on_cast_desc: case IR_br_on_cast_desc_fail: return add_fixup(l, start + 2, 1, start, i->label);
    case IR_throw: case IR_throw_ref: w[2].ptr = self; return true;
    default: w[1].u32[1] = i->c, w[2].u64 = i->imm; return true;
    }
  }
}

static bool write_words(struct lower *l, struct ir *i, size_t start) {
  const struct ropinfo *info = rop_info(i->op);
  const bool s = i->fd == 'S', wide = i->fb == 'I' && is_wide(info->in);
  union word *w = more(l, 1);
  if (!w) return false;
  i->at = (uint32_t)start;
  w->u64 = exec_handler(rop_of(i, info));
  switch (info->shape) {
  case SHAPE_MISC: return write_misc(l, i, start);
  case SHAPE_V2: case SHAPE_BIN: case SHAPE_SHIFT: case SHAPE_PIN:
    if (info->shape == SHAPE_V2 && i->fb == 'I') {
      if (!(w = more(l, 3))) return false;
      w[0].u32[0] = i->a, w[0].u32[1] = i->d, w[1].u64 = i->imm, w[2].u64 = i->imm2;
      return true;
    }
    if (!(w = more(l, wide || s ? 2 : 1))) return false;
    w[0].u32[0] = i->a;
    if (wide) w[0].u32[1] = i->d, w[1].u64 = i->imm;
    else {
      w[0].u32[1] = imm_or(i, i->b);
      if (s) w[1].u32[0] = i->d;
    }
    return true;
  case SHAPE_RBIN: {
    const bool w64 = is_wide(info->in);
    if (!(w = more(l, w64 || s ? 2 : 1))) return false;
    w[0].u32[0] = i->a;
    if (w64) w[0].u32[1] = i->d, w[1].u64 = i->imm;
    else {
      w[0].u32[1] = (uint32_t)i->imm;
      if (s) w[1].u32[0] = i->d;
    }
    return true;
  }
  case SHAPE_BR:
    if (!(w = more(l, wide ? 3 : 2))) return false;
    w[0].u32[0] = i->a;
    if (wide) {
      w[1].u64 = i->imm;
      return add_fixup(l, start + 3, WHOLE, start, i->label);
    }
    w[0].u32[1] = imm_or(i, i->b);
    return add_fixup(l, start + 2, WHOLE, start, i->label);
  case SHAPE_PINLOAD:
    if (!(w = more(l, 1))) return false;
    w->u32[0] = i->a;
    return true;
  case SHAPE_BRU:
    if (!(w = more(l, 2))) return false;
    w[0].u32[0] = i->a;
    return add_fixup(l, start + 2, WHOLE, start, i->label);
  case SHAPE_UN: case SHAPE_MOV:
    if (!(w = more(l, 1))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = i->d;
    return true;
  case SHAPE_EXTRACT:
    if (!(w = more(l, 2))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = i->d, w[1].u32[0] = (uint32_t)i->imm2;
    return true;
  case SHAPE_SHUFFLE: case SHAPE_PERMUTE: {
    const unsigned lanes = info->shape == SHAPE_SHUFFLE ? 2 : 1;
    if (!(w = more(l, lanes + 2))) return false;
    w[0].u32[0] = i->a;
    if (lanes == 2) w[0].u32[1] = i->b, w[1].u32[0] = i->d;
    else w[0].u32[1] = i->d;
    w[lanes].u64 = i->imm, w[lanes + 1].u64 = i->imm2;
    return true;
  }
  case SHAPE_REPLACE:
    if (!(w = more(l, 2))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = i->b, w[1].u32[0] = (uint32_t)i->imm2, w[1].u32[1] = i->d;
    return true;
  case SHAPE_V3:
    if (!(w = more(l, 2))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = i->b, w[1].u32[0] = i->c, w[1].u32[1] = i->d;
    return true;
  case SHAPE_LOAD: case SHAPE_STORE: case SHAPE_VSTORE:
    if (!(w = more(l, wide || i->am == AM_SHIFTED ? 3 : 2))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = i->b, w[1].u32[0] = (uint32_t)i->imm2;
    w[1].u32[1] = info->shape == SHAPE_LOAD ? i->d : imm_or(i, i->c);
    if (i->am == AM_SHIFTED) w[2].u32[0] = i->e;
    if (wide) w[2].u64 = i->imm; /* never both */
    return true;
  case SHAPE_BIN2: case SHAPE_FBIN2: case SHAPE_PINBIN2:
    if (!(w = more(l, 2))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = imm_or(i, i->b);
    w[1].u32[0] = i->fc == 'I' ? (uint32_t)i->imm2 : i->c, w[1].u32[1] = i->d;
    return true;
  case SHAPE_WIDE:
    if (!(w = more(l, 3))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = i->fc == 'I' ? (uint32_t)i->imm2 : i->c, w[1].u64 = i->imm, w[2].u32[0] = i->d;
    return true;
  case SHAPE_ADDBR:
    if (!(w = more(l, 3))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = imm_or(i, i->b);
    w[1].u32[0] = i->fc == 'I' ? (uint32_t)i->imm2 : i->c, w[1].u32[1] = i->d;
    return add_fixup(l, start + 3, WHOLE, start, i->label);
  case SHAPE_LOADBIN2: case SHAPE_PINLOADBIN2:
    if (!(w = more(l, 3))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = i->b, w[1].u32[0] = (uint32_t)i->imm2, w[1].u32[1] = i->c, w[2].u32[0] = i->e, w[2].u32[1] = i->d;
    return true;
  case SHAPE_LOADBR:
    if (!(w = more(l, 4))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = i->b, w[1].u32[0] = (uint32_t)i->imm2, w[1].u32[1] = imm_or(i, i->c), w[2].u32[0] = i->d;
    return add_fixup(l, start + 4, WHOLE, start, i->label);
  case SHAPE_FBINBR:
    if (!(w = more(l, 3))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = i->b;
    if (i->fc == 'I') w[1].u64 = i->imm;
    else w[1].u32[0] = i->c;
    return add_fixup(l, start + 3, WHOLE, start, i->label);
  case SHAPE_BINBR:
    if (!(w = more(l, 2))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = imm_or(i, i->b);
    return add_fixup(l, start + 2, WHOLE, start, i->label);
  case SHAPE_ADDLOAD: case SHAPE_INCLOAD:
    if (!(w = more(l, 3))) return false;
    w[0].u32[0] = i->a;
    if (info->shape == SHAPE_ADDLOAD) w[0].u32[1] = (uint32_t)i->imm, w[1].u32[0] = i->c, w[1].u32[1] = (uint32_t)i->imm2, w[2].u32[0] = i->d;
    else w[0].u32[1] = i->b, w[1].u32[0] = (uint32_t)i->imm, w[1].u32[1] = i->c, w[2].u32[0] = (uint32_t)i->imm2, w[2].u32[1] = i->d;
    return true;
  case SHAPE_INCSTORE:
    if (!(w = more(l, 2))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = (uint32_t)i->imm2, w[1].u32[0] = imm_or(i, i->c), w[1].u32[1] = i->b;
    return true;
  case SHAPE_LOADOP: case SHAPE_PINLOADOP:
    if (!(w = more(l, 3))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = i->b, w[1].u32[0] = (uint32_t)i->imm2, w[1].u32[1] = i->c, w[2].u32[0] = i->d;
    return true;
  case SHAPE_FSET: case SHAPE_ESET:
    if (!(w = more(l, 2))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = imm_or(i, i->b);
    w[1].u32[0] = info->shape == SHAPE_FSET || i->fc == 'I' ? (uint32_t)i->imm2 : i->c;
    return true;
  case SHAPE_GGET:
    if (!(w = more(l, 1))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = i->d;
    return true;
  case SHAPE_GSET:
    if (!(w = more(l, i->fa == 'I' ? 2 : 1))) return false;
    w[0].u32[0] = (uint32_t)i->imm2, w[0].u32[1] = i->a;
    if (i->fa == 'I') w[1].u64 = i->imm;
    return true;
  case SHAPE_RET:
    if (!(w = more(l, i->fa == 'I' ? 2 : 1))) return false;
    w[0].u32[0] = i->a, w[0].u32[1] = i->b;
    if (i->fa == 'I') w[1].u64 = i->imm;
    return true;
  case SHAPE_CONST:
    if (!(w = more(l, info->out == RT_v128 ? 3 : 2))) return false;
    w[0].u32[0] = i->d, w[1].u64 = i->imm;
    if (info->out == RT_v128) w[2].u64 = i->imm2;
    return true;
  case SHAPE_SELECT: case SHAPE_SELIMM:
    if (!(w = more(l, 2))) return false;
    w[0].u32[0] = i->c, w[0].u32[1] = i->a, w[1].u32[0] = i->b, w[1].u32[1] = i->d;
    return true;
  }
  return false;
}

static bool write_op(struct lower *l, struct ir *i) {
  if (!write_words(l, i, l->n)) return false;
  if (!(i->flags & IRF_PAYS)) return true;
  union word *w = more(l, 1);
  if (w) w->u32[0] = i->e, w->u32[1] = i->cells;
  return w != NULL;
}

static bool write_all(struct lower *l) {
  struct ircode *c = l->c;
  union word *w = more(l, 1);
  if (!w) return false;
  w->u64 = (uint64_t)(c->frame + FRAME_INFO) * sizeof(cell);
  for (size_t at = 0; at < c->n; at++) {
    struct ir *i = &c->ir[at];
    i->at = (uint32_t)l->n;
    if (i->op == IR_LABEL) l->label_at[i->label] = (uint32_t)l->n;
    else if (i->op != IR_NOP && !write_op(l, i)) return false;
    if (l->n > INT32_MAX) return false;
  }
  for (size_t k = 0; k < c->ncatches; k++) {
    struct catch_range *r = &c->catches[k];
    r->from = r->from < c->n ? c->ir[r->from].at : (uint32_t)l->n;
    r->to = r->to < c->n ? c->ir[r->to].at : (uint32_t)l->n;
    if (r->kind != CATCH_DELEGATE) r->target = l->label_at[r->target];
  }
  return true;
}

bool ir_lower(struct ircode *c, union word **words, uint32_t *nwords, mv_error_t *err) {
  struct lower l = {.c = c};
  l.label_at = arena_array(c->arena, c->nlabels + 1u, sizeof *l.label_at);
  bool ok = l.label_at != NULL;
  if (ok) {
    choose_forms(&l);
    ok = write_all(&l);
  }
  union word *fit = ok ? realloc(l.words, l.n * sizeof *l.words) : NULL;
  if (fit) l.words = fit;
  for (size_t k = 0; ok && k < l.nfixups; k++) {
    const struct fixup *f = &l.fixups[k];
    const uint32_t to = l.label_at[f->label];
    if (f->half == WHOLE) l.words[f->word].ptr = l.words + to;
    else l.words[f->word].u32[f->half] = to - f->start;
  }
  free(l.fixups);
  if (!ok) {
    free(l.words);
    return error_no_memory(err, l.n * sizeof *l.words);
  }
  *words = l.words;
  *nwords = (uint32_t)l.n;
  return true;
}

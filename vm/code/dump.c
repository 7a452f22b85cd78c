/* Wasm and register code side by side, for people: the body is translated anew and printed from the intermediate code. */
#include <inttypes.h>
#include <stdlib.h>

#include "code/code.h"
#include "code/ir.h"
#include "code/module_code.h"

/* Prints one operand in the form that lower.c chose. */
static void operand(FILE *out, const struct ir *i, char form, uint32_t slot) {
  if (form == 'I') fprintf(out, " #%" PRIi64, (int64_t)i->imm);
  else if (form == 'A') fputs(" acc", out);
  else if (slot != NO_SLOT) fprintf(out, " r%" PRIu32, slot);
}

/* What a select takes: a slot or a number */
static void choice(FILE *out, uint32_t x, bool number) { fprintf(out, number ? " #%" PRIi32 : " r%" PRIi32, (int32_t)x); }

static void result(FILE *out, const struct ir *i) {
  if (i->d == NO_SLOT) return;
  if (i->fd == 'A') fputs("acc = ", out);
  else fprintf(out, "r%" PRIu32 " = ", i->d);
}

static void address(FILE *out, const struct ir *i) {
  switch (i->am) {
  case AM_CONST: fprintf(out, " [%" PRIu64 "]", i->imm2); break;
  case AM_SLOT:
    fputs(" [", out);
    operand(out, i, i->fa, i->a);
    fprintf(out, " end %" PRIu64 "]", i->imm2);
    break;
  case AM_OFFSET:
    fputs(" [", out);
    operand(out, i, i->fa == 'Z' ? 'A' : 'S', i->a);
    fprintf(out, " + %" PRIi32 " end %" PRIu64 "]", (int32_t)i->b, i->imm2);
    break;
  case AM_SHIFTED:
    fputs(" [", out);
    operand(out, i, i->fa == 'V' ? 'A' : 'S', i->a);
    fprintf(out, " << %" PRIu32 " + %" PRIi32 " end %" PRIu64 "]", i->e, (int32_t)i->b, i->imm2);
    break;
  default:
    fprintf(out, " [ r%" PRIu32 " +", i->a);
    operand(out, i, i->fa == 'Q' || i->fa == 'Y' ? 'A' : 'S', i->b);
    fprintf(out, "%s end %" PRIu64 "]", i->am == AM_SCALED ? " * size" : "", i->imm2);
    break;
  }
}

static void print_ir(FILE *out, const struct ir *i) {
  const struct ropinfo *info = rop_info(i->op);
  if (i->op == IR_LABEL) {
    fprintf(out, "  L%" PRIu32 ":", i->label);
    return;
  }
  fprintf(out, "    %5" PRIu32 "  ", i->at);
  if (info->shape != SHAPE_MISC || i->op == IR_object_new || i->op == IR_ref_test) result(out, i);
  if (i->flags & IRF_PAYS) fputs("fuel_", out);
  fputs(rop_name(i->op), out);
  switch (info->shape) {
  case SHAPE_LOAD: address(out, i); break;
  case SHAPE_STORE: case SHAPE_VSTORE:
    address(out, i);
    operand(out, i, i->fb, i->c);
    break;
  case SHAPE_CONST: fprintf(out, " #%" PRIi64, (int64_t)i->imm); break;
  case SHAPE_GGET: fprintf(out, " g%" PRIu32, i->a); break;
  case SHAPE_GSET:
    fprintf(out, " g%" PRIu64, i->imm2);
    operand(out, i, i->fa, i->a);
    break;
  case SHAPE_RET: operand(out, i, i->fa, i->a); break;
  case SHAPE_SELECT:
    operand(out, i, i->fa, i->c);
    operand(out, i, 'S', i->a);
    operand(out, i, 'S', i->b);
    break;
  case SHAPE_MISC:
    if (i->a != NO_SLOT) fprintf(out, " %" PRIu32, i->a);
    if (i->op == IR_call || i->op == IR_call_import || i->op == IR_tail_call || i->op == IR_tail_import) fprintf(out, " func[%" PRIu32 "]", i->c);
    break;
  case SHAPE_FBINBR:
    operand(out, i, i->fa, i->a);
    operand(out, i, i->fb, i->b);
    operand(out, i, i->fc, i->c);
    break;
  case SHAPE_LOADOP: case SHAPE_LOADBR: case SHAPE_LOADBIN2: case SHAPE_PINLOADOP: case SHAPE_PINLOADBIN2:
    address(out, i);
    operand(out, i, i->fc, i->c);
    if (info->shape == SHAPE_LOADBIN2 || info->shape == SHAPE_PINLOADBIN2) operand(out, i, 'S', i->e);
    break;
  case SHAPE_ADDLOAD: fprintf(out, " [ r%" PRIu32 " = r%" PRIu32 " + %" PRIi32 " end %" PRIu64 "]", i->c, i->a, (int32_t)i->imm, i->imm2); break;
  case SHAPE_INCLOAD: fprintf(out, " [ r%" PRIu32 ", r%" PRIu32 " = r%" PRIu32 " + %" PRIi32 " end %" PRIu64 "]", i->b, i->c, i->a, (int32_t)i->imm, i->imm2); break;
  case SHAPE_INCSTORE:
    fprintf(out, " [ r%" PRIu32 " end %" PRIu64 "]", i->a, i->imm2);
    operand(out, i, i->fa, i->c);
    fprintf(out, i->fb == 'I' ? ", %" PRIi32 : ", r%" PRIi32, (int32_t)i->b);
    break;
  case SHAPE_SELIMM:
    operand(out, i, i->fa, i->c);
    choice(out, i->a, i->flags & IRF_CHOICE1);
    choice(out, i->b, i->flags & IRF_CHOICE2);
    break;
  case SHAPE_BIN2: case SHAPE_FBIN2: case SHAPE_PINBIN2: case SHAPE_ADDBR:
    operand(out, i, i->fa, i->a);
    operand(out, i, i->fb, i->b);
    if (i->fc == 'I') fprintf(out, " #%" PRIi64, (int64_t)i->imm2);
    else operand(out, i, i->fc, i->c);
    break;
  case SHAPE_WIDE:
    operand(out, i, i->fa, i->a);
    fprintf(out, " #%" PRIi64, (int64_t)i->imm);
    if (i->fc == 'I') fprintf(out, " #%" PRIi64, (int64_t)i->imm2);
    else operand(out, i, i->fc, i->c);
    break;
  case SHAPE_RBIN:
    fprintf(out, " #%" PRIi64, (int64_t)i->imm);
    operand(out, i, i->fa, i->a);
    break;
  default:
    operand(out, i, i->fa, i->a);
    if (i->flags & IRF_IMM || i->b != NO_SLOT) operand(out, i, i->fb, i->b);
    if (i->c != NO_SLOT) operand(out, i, i->fa == 'C' ? 'A' : 'S', i->c);
    break;
  }
  if (ir_branch_forms(i)) fprintf(out, " -> L%" PRIu32, i->label);
}

static void print_wasm(FILE *out, const struct module *m, struct reader *r, uint32_t upto) {
  struct instr in;
  while (r->pos < r->end && reader_offset(r) <= upto && instr_read(r, m, &in)) fprintf(out, "%08" PRIx64 "  %s\n", in.offset, op_info(in.op)->text);
}

static bool skip_local(void *env, uint32_t n, valtype t) {
  (void)env, (void)n, (void)t;
  return true;
}

bool code_dump(struct module *m, uint32_t func, FILE *out, mv_error_t *err) {
  struct arena scratch;
  struct ircode c;
  struct name name;
  union word *words = NULL;
  uint32_t n = 0;
  if (func < m->nimported_funcs || func >= m->nfuncs) return error_set(err, MV_USAGE, MV_NO_OFFSET, "function %" PRIu32 " has no body", func);
  arena_init(&scratch);
  const bool ok = ir_of_function(&c, &scratch, m, func, err) && ir_lower(&c, &words, &n, err);
  if (ok) {
    const struct body *b = &m->bodies[func - m->nimported_funcs];
    struct reader r = {m->bytes, m->bytes + b->offset, m->bytes + b->offset + b->size, err};
    fprintf(out, "func[%" PRIu32 "]", func);
    if (module_func_name(m, func, &name)) fputc(' ', out), mv_print_visible(name.bytes, name.size, out);
    fprintf(out, ": %" PRIu32 " cells, %" PRIu32 " words\n", c.frame, n);
    if (reader_locals(&r, m, skip_local, NULL)) {
      for (size_t k = 0; k < c.n; k++) {
        if (c.ir[k].op == IR_NOP) continue;
        print_wasm(out, m, &r, c.ir[k].pos);
        print_ir(out, &c.ir[k]);
        fputc('\n', out);
      }
      print_wasm(out, m, &r, UINT32_MAX);
    }
  }
  free(words);
  ir_fini(&c);
  arena_fini(&scratch);
  return ok;
}

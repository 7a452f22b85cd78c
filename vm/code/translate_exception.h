/* Exceptions, of either proposal: the ranges that handlers cover, and where they are entered (core/exec/instructions#control-instructions). Part of translate.c. */

static void add_catch(struct tr *t, struct catch_range r) {
  struct ircode *c = t->c;
  if (!array_reserve((void **)&c->catches, &c->catches_cap, c->ncatches + 1, sizeof *c->catches)) {
    t->failed = !error_no_memory(c->err, sizeof *c->catches);
    return;
  }
  c->catches[c->ncatches++] = r;
}

static uint32_t tag_cells(const struct tr *t, uint32_t tag) { return types_get(t->c->module->types, t->c->module->tags[tag])->u.func.param_cells; }

/* The clauses of a try_table become landing pads behind the function; they are noted here. */
static void try_table_clauses(struct tr *t, const struct instr *in) {
  struct reader r = in->u.try_table.items;
  struct ctrl *self = &t->ctrls[t->nctrls - 1];
  self->pads = t->npads;
  for (uint32_t k = 0; k < in->u.try_table.count && !t->failed; k++) {
    struct catch_clause cl;
    if (!reader_catch(&r, &cl)) {
      t->failed = true;
      return;
    }
    if (!array_reserve((void **)&t->pads, &t->pads_cap, t->npads + 1, sizeof *t->pads)) {
      t->failed = !error_no_memory(t->c->err, sizeof *t->pads);
      return;
    }
    struct ctrl *to = &t->ctrls[t->nctrls - 2 - cl.label];
    uint32_t cells = (cl.kind == CATCH || cl.kind == CATCH_REF ? tag_cells(t, cl.tag) : 0) + (cl.kind & 1);
    t->pads[t->npads++] = (struct pad){.clause = cl, .pad = new_label(t), .slot = self->base, .cells = cells, .func = to->kind == CTRL_FUNC, .label = to->label, .base = to->base};
    to->used = true;
    if (self->base + cells > t->c->frame) t->c->frame = self->base + cells;
  }
  self->pads_end = t->npads;
}

/* At a try_table's end its range is known. */
static void end_try_table(struct tr *t, const struct ctrl *c) {
  for (uint32_t k = c->pads; k < c->pads_end; k++) {
    const struct pad *p = &t->pads[k];
    add_catch(t, (struct catch_range){.from = c->try_from, .to = (uint32_t)t->c->n, .target = p->pad, .slot = p->slot, .tag = p->clause.tag, .kind = p->clause.kind, .exn = NO_SLOT, .depth = (uint32_t)(t->nctrls - 1)});
  }
  t->tries--;
  new_block(t);
}

static void emit_pads(struct tr *t) {
  for (uint32_t k = 0; k < t->npads; k++) {
    const struct pad *p = &t->pads[k];
    place_label(t, p->pad);
    if (p->func) {
      const uint32_t n = t->type->u.func.nresults;
      reset_to(t, &t->ctrls[0], NULL, 0);
      t->height = p->slot;
      for (uint32_t j = 0; j < n; j++) push_temp(t, rtype_of(t->type->u.func.results[j]));
      emit_return(t, false);
      continue;
    }
    if (p->slot != p->base && p->cells) {
      struct ir *i = tr_emit(t, IR_copy);
      i->a = p->slot, i->b = p->base, i->cells = p->cells;
      i->flags |= IRF_FIXED;
    }
    emit_br(t, p->label);
  }
}

/* Legacy: ends the body of a try or of the catch before. */
static void legacy_end_part(struct tr *t, struct ctrl *c, uint32_t nr) {
  if (!t->unreachable) {
    move_results(t, c, nr, false);
    c->used = true;
    emit_br(t, c->label);
  }
  unset_to(t, c->set);
  if (c->kind == CTRL_TRY) {
    c->try_to = (uint32_t)t->c->n;
    c->kind = CTRL_CATCH;
    t->tries--;
  }
}

static void legacy_catch(struct tr *t, const struct instr *in) {
  struct ctrl *c = &t->ctrls[t->nctrls - 1];
  const valtype *p, *r;
  uint32_t np, nr;
  blocktype_types(t->c->module, &c->type, &p, &np, &r, &nr);
  legacy_end_part(t, c, nr);
  const bool all = in->op == OP_catch_all;
  const uint32_t pad = new_label(t), tag = all ? 0 : in->u.index.a;
  place_label(t, pad);
  t->unreachable = false;
  const struct deftype *type = all ? NULL : types_get(t->c->module->types, t->c->module->tags[tag]);
  reset_to(t, c, type ? type->u.func.params : NULL, type ? type->u.func.nparams : 0);
  add_catch(t, (struct catch_range){.from = c->try_from, .to = c->try_to, .target = pad, .slot = c->base, .tag = tag, .kind = all ? CATCH_ALL : CATCH, .exn = c->exn, .depth = (uint32_t)(t->nctrls - 1)});
}

static void end(struct tr *t);

static void legacy_delegate(struct tr *t, uint32_t depth) {
  struct ctrl *c = &t->ctrls[t->nctrls - 1];
  add_catch(t, (struct catch_range){.from = c->try_from, .to = (uint32_t)t->c->n, .target = 0, .tag = (uint32_t)(t->nctrls - 2 - depth), .kind = CATCH_DELEGATE, .exn = NO_SLOT, .depth = (uint32_t)(t->nctrls - 1)});
  t->tries--;
  c->kind = CTRL_BLOCK;
  end(t);
}

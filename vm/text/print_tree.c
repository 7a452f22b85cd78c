/* Printing instructions folded (core/text/instructions#folded-instructions): a first walk over the body makes a tree, in which an instruction
 * takes the instructions before it that leave its operands; a second one prints it. Since folded operands are read back in the order in which they stand, a
 * wrong guess about an operand only changes the looks. Both walks keep their own stacks: nesting is bounded by memory alone. */
#include "text/print.h"

#include <stdlib.h>

enum node_kind { NODE_PLAIN, NODE_BLOCK, NODE_IF, NODE_TRY, NODE_THEN, NODE_ELSE, NODE_DO, NODE_CATCH, NODE_DELEGATE };
#define NO_NODE UINT32_MAX

struct node {
  uint32_t offset; /* of the instruction in the body */
  uint32_t first, next; /* first child, next sibling */
  uint32_t results;
  uint32_t label; /* number, of blocks */
  uint8_t kind;
};

/* A block that is not closed: its statements so far are the entries of `list` from `start` on. */
struct open_block {
  uint32_t node;  /* the block's */
  uint32_t arm;   /* the node that the statements belong to: the block, or its current arm */
  uint32_t last;  /* the arm before, or what else is the block's last child */
  size_t start;
};

struct walk {
  uint32_t node, child; /* next child to print */
  bool inline_; /* children on the same line */
};

struct tree {
  struct node *nodes;
  size_t nnodes, cap_nodes;
  uint32_t *list;
  size_t nlist, cap_list;
  struct open_block *blocks;
  size_t nblocks, cap_blocks;
  struct walk *walks;
  size_t nwalks, cap_walks;
};

void tree_delete(struct tree *t) {
  if (!t) return;
  free(t->nodes);
  free(t->list);
  free(t->blocks);
  free(t->walks);
  free(t);
}

/* ---- operands ------------------------------------------------------------------------------------------ */

struct effect {
  uint32_t in, out;
};

static struct effect type_effect(const struct printer *p, uint64_t type, uint32_t more) {
  if (type >= p->ntypes || p->types[type].form != 0x60) return (struct effect){more, 0};
  return (struct effect){p->types[type].nparams + more, p->types[type].nresults};
}

static uint32_t label_arity(const struct printer *p, uint32_t label) {
  if (label < p->nopen) return p->open[p->nopen - 1 - label].arity;
  return label == p->nopen ? type_effect(p, p->func < p->nfuncs ? p->func_types[p->func] : UINT32_MAX, 0).out : 0;
}

static struct effect sig_effect(const char *sig) {
  const char *colon = strchr(sig, ':');
  return (struct effect){(uint32_t)(colon - sig), (uint32_t)strlen(colon + 1)};
}

/* Operands and results of an instruction whose immediates stand at r; of those without a plain signature in ops.def. */
static struct effect special_effect(const struct printer *p, struct reader *r, unsigned op) {
  uint32_t x = 0, n = 0;
  struct effect e;
  if (reader_left(r) > 0 && !reader_u32(r, &x)) return (struct effect){0, 0};
  switch (op) {
  case OP_br: return (struct effect){label_arity(p, x), 0};
  case OP_br_if: return (struct effect){label_arity(p, x) + 1, label_arity(p, x)};
  case OP_br_table:
    for (n = x + 1; n > 0; n--)
      if (!reader_u32(r, &x)) break;
    return (struct effect){label_arity(p, x) + 1, 0};
  case OP_return: return (struct effect){label_arity(p, (uint32_t)p->nopen), 0};
  case OP_call: case OP_return_call: e = type_effect(p, x < p->nfuncs ? p->func_types[x] : UINT32_MAX, 0); break;
  case OP_call_indirect: case OP_return_call_indirect: case OP_call_ref: case OP_return_call_ref: e = type_effect(p, x, 1); break;
  case OP_throw: return (struct effect){type_effect(p, x < p->ntags ? p->tag_types[x] : UINT32_MAX, 0).in, 0};
  case OP_throw_ref: case OP_drop: case OP_local_set: case OP_global_set: case OP_br_on_non_null: return (struct effect){1, 0};
  case OP_select: case OP_select_t: return (struct effect){3, 1};
  case OP_local_get: case OP_global_get: case OP_memory_size: case OP_table_size: case OP_ref_null: case OP_ref_func: case OP_struct_new_default:
    return (struct effect){0, 1};
  case OP_table_set: case OP_struct_set: return (struct effect){2, 0};
  case OP_memory_fill: case OP_memory_copy: case OP_memory_init: case OP_table_fill: case OP_table_copy: case OP_table_init: case OP_array_set:
    return (struct effect){3, 0};
  case OP_table_grow: case OP_ref_eq: case OP_array_new: case OP_array_new_data: case OP_array_new_elem: case OP_array_get: case OP_array_get_s:
  case OP_array_get_u: case OP_ref_cast_desc_eq: case OP_ref_cast_desc_eq_null: case OP_br_on_cast_desc_eq: case OP_br_on_cast_desc_eq_fail:
    return (struct effect){2, 1};
  case OP_struct_new: return (struct effect){x < p->ntypes ? p->types[x].nfields : 0, 1};
  case OP_struct_new_desc: return (struct effect){(x < p->ntypes ? p->types[x].nfields : 0) + 1, 1};
  case OP_array_new_fixed: return reader_u32(r, &n) ? (struct effect){n, 1} : (struct effect){0, 0};
  case OP_array_fill: case OP_array_init_data: case OP_array_init_elem: return (struct effect){4, 0};
  case OP_array_copy: return (struct effect){5, 0};
  case OP_unreachable: case OP_rethrow: case OP_data_drop: case OP_elem_drop: return (struct effect){0, 0};
  default: return (struct effect){1, 1};
  }
  if (op == OP_return_call || op == OP_return_call_indirect || op == OP_return_call_ref) e.out = 0;
  return e;
}

/* ---- making the tree ----------------------------------------------------------------------------------- */

static uint32_t node_new(struct printer *p, enum node_kind kind, uint64_t offset) {
  struct tree *t = p->tree;
  if (t->nnodes >= NO_NODE || !array_reserve((void **)&t->nodes, &t->cap_nodes, t->nnodes + 1, sizeof *t->nodes)) {
    (void)print_no_memory(p);
    return NO_NODE;
  }
  t->nodes[t->nnodes] = (struct node){.offset = (uint32_t)offset, .first = NO_NODE, .next = NO_NODE, .kind = (uint8_t)kind};
  return (uint32_t)t->nnodes++;
}

static bool list_add(struct printer *p, uint32_t node) {
  struct tree *t = p->tree;
  if (node == NO_NODE) return false;
  if (!array_reserve((void **)&t->list, &t->cap_list, t->nlist + 1, sizeof *t->list)) return print_no_memory(p);
  t->list[t->nlist++] = node;
  return true;
}

/* Makes the entries of the list from `start` on the children of a node. */
static void adopt(struct tree *t, uint32_t parent, size_t start) {
  uint32_t *link = &t->nodes[parent].first;
  for (size_t i = start; i < t->nlist; i++) {
    *link = t->list[i];
    link = &t->nodes[t->list[i]].next;
  }
  t->nlist = start;
}

/* How far back the operands go: `need` values from nodes that leave at least one each. */
static size_t operands(const struct tree *t, size_t floor, uint32_t need) {
  size_t i = t->nlist;
  while (i > floor && need > 0) {
    uint32_t n = t->nodes[t->list[i - 1]].results;
    if (n == 0 || n > need) break;
    need -= n;
    i--;
  }
  return i;
}

static size_t list_floor(const struct tree *t) { return t->nblocks ? t->blocks[t->nblocks - 1].start : 0; }

static bool begin_block(struct printer *p, struct reader *r, unsigned op, uint64_t offset) {
  struct tree *t = p->tree;
  enum node_kind kind = op == OP_if ? NODE_IF : op == OP_try ? NODE_TRY : NODE_BLOCK;
  uint32_t arity, nresults, node = node_new(p, kind, offset), arm = node;
  size_t start = p->out.size, from = t->nlist;
  if (node == NO_NODE) return false;
  t->nodes[node].label = p->label_number++;
  if (kind == NODE_IF) { /* takes its condition */
    from = operands(t, list_floor(t), 1);
    adopt(t, node, from);
  }
  if (kind != NODE_BLOCK && (arm = node_new(p, kind == NODE_IF ? NODE_THEN : NODE_DO, offset)) == NO_NODE) return false;
  if (!print_block_head(p, r, op, (struct name){0}, &arity, &nresults)) return false;
  p->out.size = start; /* only read */
  t->nodes[node].results = nresults;
  if (!array_reserve((void **)&t->blocks, &t->cap_blocks, t->nblocks + 1, sizeof *t->blocks)) return print_no_memory(p);
  t->blocks[t->nblocks++] = (struct open_block){node, arm, t->nodes[node].first, t->nlist};
  return open_label(p, op, (struct name){0}, arity);
}

/* Ends the block or its current arm, whose statements are those of the list. */
static void end_arm(struct tree *t, struct open_block *b) {
  adopt(t, b->arm, b->start);
  if (b->arm == b->node) return;
  if (b->last == NO_NODE) t->nodes[b->node].first = b->arm;
  else t->nodes[b->last].next = b->arm;
  b->last = b->arm;
}

static bool next_arm(struct printer *p, struct reader *r, unsigned op, const struct opinfo *info, uint64_t offset) {
  struct tree *t = p->tree;
  struct open_block *b = t->nblocks ? &t->blocks[t->nblocks - 1] : NULL;
  enum node_kind kind = b ? (enum node_kind)t->nodes[b->arm].kind : NODE_PLAIN;
  bool fits = op == OP_else ? kind == NODE_THEN : kind == NODE_DO || (kind == NODE_CATCH && op != OP_delegate);
  size_t start = p->out.size;
  if (!fits) return print_malformed(p, "unexpected end of section or function");
  end_arm(t, b);
  uint32_t arm = node_new(p, op == OP_else ? NODE_ELSE : op == OP_delegate ? NODE_DELEGATE : NODE_CATCH, offset);
  if (arm == NO_NODE || !print_immediates(p, r, op, info)) return false;
  p->out.size = start;
  b->arm = arm;
  return true;
}

static bool end_block(struct printer *p) {
  struct tree *t = p->tree;
  struct open_block *b = &t->blocks[t->nblocks - 1];
  uint32_t node = b->node;
  end_arm(t, b);
  t->nblocks--;
  p->nopen--;
  return list_add(p, node);
}

static bool add_plain(struct printer *p, struct reader *r, unsigned op, const struct opinfo *info, uint64_t offset) {
  struct tree *t = p->tree;
  struct reader ahead = *r;
  mv_error_t ignored = {0}; /* print_immediates reports */
  ahead.err = &ignored;
  struct effect e = info->sig ? sig_effect(info->sig) : special_effect(p, &ahead, op);
  size_t start = p->out.size;
  uint32_t node = node_new(p, NODE_PLAIN, offset);
  if (node == NO_NODE || !print_immediates(p, r, op, info)) return false;
  p->out.size = start;
  t->nodes[node].results = e.out;
  adopt(t, node, operands(t, list_floor(t), e.in));
  return list_add(p, node);
}

static bool make_tree(struct printer *p, struct reader *r) {
  struct tree *t = p->tree;
  t->nnodes = t->nlist = t->nblocks = p->nopen = 0;
  for (;;) {
    uint64_t offset = (uint64_t)(r->pos - p->body);
    unsigned op;
    const struct opinfo *info;
    bool ok;
    if (!read_op(p, r, &op, &info)) return false;
    if (op == OP_end && t->nblocks == 0) return true;
    if (opens_block(op)) ok = begin_block(p, r, op, offset);
    else if (op == OP_end) ok = end_block(p);
    else if (op == OP_else || op == OP_catch || op == OP_catch_all) ok = next_arm(p, r, op, info, offset);
    else if (op == OP_delegate) ok = next_arm(p, r, op, info, offset) && end_block(p);
    else ok = add_plain(p, r, op, info, offset);
    if (!ok) return false;
  }
}

/* ---- printing it --------------------------------------------------------------------------------------- */

static bool push_walk(struct printer *p, uint32_t node, bool inline_) {
  struct tree *t = p->tree;
  if (!array_reserve((void **)&t->walks, &t->cap_walks, t->nwalks + 1, sizeof *t->walks)) return print_no_memory(p);
  t->walks[t->nwalks++] = (struct walk){node, t->nodes[node].first, inline_};
  return true;
}

/* A few operands that have none themselves fit on the line. */
static bool fits_line(const struct tree *t, const struct node *n) {
  enum { FEW = 3 };
  unsigned count = 0;
  for (uint32_t c = n->first; c != NO_NODE; c = t->nodes[c].next)
    if (++count > FEW || t->nodes[c].kind != NODE_PLAIN || t->nodes[c].first != NO_NODE) return false;
  return n->kind == NODE_PLAIN;
}

/* "(" word immediates: everything before the children */
static bool print_node_head(struct printer *p, struct reader r, const struct node *n, const struct node *block) {
  unsigned op;
  const struct opinfo *info;
  uint32_t arity, nresults;
  struct name label = {0};
  r.pos = p->body + n->offset;
  buf_byte(&p->out, '(');
  if (n->kind == NODE_THEN || n->kind == NODE_DO) {
    buf_text(&p->out, n->kind == NODE_THEN ? "then" : "do");
    return open_label(p, OP_block, find_label(p, block->label), 0);
  }
  if (n->kind == NODE_DELEGATE) p->nopen--; /* its label is the try's outside */
  if (!read_op(p, &r, &op, &info)) return false;
  buf_text(&p->out, info->text);
  if (n->kind != NODE_BLOCK && n->kind != NODE_IF && n->kind != NODE_TRY) return print_immediates(p, &r, op, info);
  label = find_label(p, n->label);
  p->names_printed += label.size > 0;
  return print_block_head(p, &r, op, label, &arity, &nresults) && (n->kind != NODE_BLOCK || open_label(p, op, label, arity));
}

static void close_node(struct printer *p, const struct node *n) {
  const struct tree *t = p->tree;
  buf_byte(&p->out, ')');
  if (n->kind == NODE_BLOCK || n->kind == NODE_IF) p->nopen--;
  if (n->kind != NODE_TRY) return;
  uint32_t last = n->first;
  while (t->nodes[last].next != NO_NODE) last = t->nodes[last].next;
  if (t->nodes[last].kind != NODE_DELEGATE) p->nopen--;
}

/* Prints a statement and all below it. */
static bool print_statement(struct printer *p, const struct reader *r, uint32_t root) {
  struct tree *t = p->tree;
  uint32_t node = root;
  t->nwalks = 0;
  for (;;) {
    if (node != NO_NODE) {
      const struct node *n = &t->nodes[node];
      const struct walk *above = t->nwalks ? &t->walks[t->nwalks - 1] : NULL;
      bool arm = n->kind >= NODE_THEN;
      if (above && above->inline_) {
        buf_byte(&p->out, ' ');
      } else {
        if (!arm) print_hint(p, n->offset);
        print_line(p);
      }
      if (!print_node_head(p, *r, n, above ? &t->nodes[above->node] : NULL) || !push_walk(p, node, fits_line(t, n))) return false;
      p->indent++;
    }
    struct walk *top = &t->walks[t->nwalks - 1];
    node = top->child;
    if (node != NO_NODE) {
      top->child = t->nodes[node].next;
      continue;
    }
    close_node(p, &t->nodes[top->node]);
    p->indent--;
    if (--t->nwalks == 0) return true;
  }
}

bool print_folded(struct printer *p, struct reader *r) {
  if (!p->tree && !(p->tree = calloc(1, sizeof *p->tree))) return print_no_memory(p);
  struct reader again = *r;
  if (!make_tree(p, r)) return false;
  p->nopen = 0;
  for (size_t i = 0; i < p->tree->nlist; i++)
    if (!print_statement(p, &again, p->tree->list[i])) return false;
  return true;
}

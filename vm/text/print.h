/* The printer: a binary module as text (core/text). It reads the bytes itself, for the decoded module has forgotten what only the binary knew (module
 * type indices, forms of segments). print.c: sections; print_type.c: types, names and literals; print_instr.c: instructions; print_tree.c: how they
 * fold; print_names.c: the custom sections. The module need not be valid; it must be well-formed. */
#ifndef TEXT_PRINT_H
#define TEXT_PRINT_H

#include "binary/reader.h"
#include "text/parse.h"

/* What the printer must know of a type. */
struct typeinfo {
  uint8_t form; /* 0x60 func, 0x5f struct, 0x5e array */
  uint32_t nparams, nresults, nfields;
  const uint8_t *params, *results; /* encodings, of function types */
};

struct section {
  const uint8_t *start, *end; /* NULL: absent */
};

struct custom_section {
  struct name name;
  const uint8_t *start, *end; /* behind the name */
  uint8_t before;             /* id of the next section that is not custom, 0: none */
  bool done;                  /* identifiers or hints say the same */
};

/* A printed name: by index in its space, or of a local, label or field. */
struct seen_name {
  struct name name; /* NULL bytes: none */
  bool is_id;       /* an identifier; otherwise it is not unique, or empty */
};

struct open_label {
  struct name name;
  uint32_t arity;
  unsigned op; /* of the block, or of its last arm */
};

struct printer {
  struct reader r; /* the whole module */
  mv_error_t *err;
  struct buf out;
  bool folded;
  unsigned indent;

  struct section sections[SEC_COUNT];
  struct custom_section *customs;
  size_t ncustoms, cap_customs;
  struct typeinfo *types;
  size_t ntypes, cap_types;
  uint32_t *func_types, *tag_types; /* by index, imports included */
  size_t nfuncs, cap_funcs, ntags, cap_tags;
  uint32_t count[SPACE_COUNT]; /* next index while printing */

  struct parser names; /* only the lists of its names are used; and what it would make of them */
  struct source symbols; /* only its table of symbols: which names are unique */
  uint8_t *ids[SPACE_COUNT], *local_ids, *field_ids; /* by index, or by place in their list: is the name an identifier? */
  size_t names_total, names_printed;
  struct hint_at { uint32_t func, offset; uint8_t value; } *hints; /* in order */
  size_t nhints, cap_hints, hints_printed;

  uint64_t nlocals; /* printed so far */
  uint32_t func, label_number; /* the function being printed */
  uint32_t func_locals;        /* its parameters and locals, so far as they are printed: names of others are nobody's */
  const uint8_t *body;
  struct open_label *open;
  size_t nopen, cap_open;
  struct tree *tree;
};

bool print_malformed(struct printer *, const char *message);
bool print_no_memory(struct printer *);
void print_line(struct printer *); /* a new line at the current indentation */

/* ---- print_type.c */
void print_string(struct buf *, const void *bytes, size_t n, bool utf8);
void print_id(struct buf *, struct name);
void print_float(struct buf *, unsigned bits, uint64_t value);
/* An index, as an identifier where there is one. */
void print_index(struct printer *, enum space, uint32_t index);
/* "$id " or "(@name "...") ", or nothing. */
void print_seen(struct printer *, struct seen_name);
/* The same for the definition of an index, which follows as a comment. */
void print_definition(struct printer *, enum space, uint32_t index);
MV_MUST_USE bool print_valtype(struct printer *, struct reader *);
MV_MUST_USE bool print_reftype(struct printer *, struct reader *);
MV_MUST_USE bool print_heaptype(struct printer *, struct reader *);
MV_MUST_USE bool print_limits(struct printer *, struct reader *);
MV_MUST_USE bool print_tabletype(struct printer *, struct reader *);
MV_MUST_USE bool print_globaltype(struct printer *, struct reader *);
/* " (type x)", then the parameters and results if it is a function type. `bound`: the parameters with the names of locals. */
MV_MUST_USE bool print_typeuse(struct printer *, uint32_t type, bool bound);
MV_MUST_USE bool print_types(struct printer *);
MV_MUST_USE bool scan_types(struct printer *); /* fills p->types */

/* ---- print_instr.c */
MV_MUST_USE bool read_op(struct printer *, struct reader *, unsigned *op, const struct opinfo **);
/* " immediate ..." */
MV_MUST_USE bool print_immediates(struct printer *, struct reader *, unsigned op, const struct opinfo *);
/* The same for what opens a block: "$label", block type, catch clauses. *arity: of branches to it, *nresults. */
MV_MUST_USE bool print_block_head(struct printer *, struct reader *, unsigned op, struct name label, uint32_t *arity, uint32_t *nresults);
bool opens_block(unsigned op);
MV_MUST_USE bool open_label(struct printer *, unsigned op, struct name, uint32_t arity);
/* The branch hint of the instruction at `offset` in the body, on a line of its own. */
void print_hint(struct printer *, uint64_t offset);
/* A constant expression with its end. `form`: the word that brackets more than one instruction; NULL: nothing does. */
MV_MUST_USE bool print_constexpr(struct printer *, struct reader *, const char *form);
/* The instructions of a body, `r` behind its locals. */
MV_MUST_USE bool print_body(struct printer *, struct reader *);

/* ---- print_tree.c */
MV_MUST_USE bool print_folded(struct printer *, struct reader *);
void tree_delete(struct tree *);

/* ---- print_names.c */
MV_MUST_USE bool read_names(struct printer *);
struct seen_name find_name(const struct printer *, enum space, uint32_t index); /* locals: of p->func */
bool has_local_names(const struct printer *); /* has p->func any? */
struct seen_name find_field(const struct printer *, uint32_t type, uint32_t index);
struct name find_label(const struct printer *, uint32_t number);
MV_MUST_USE bool print_customs(struct printer *);
void names_fini(struct printer *);

#endif

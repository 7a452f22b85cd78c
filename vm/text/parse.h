/* The module parser (core/text): tokens to a binary module, in two passes over the fields. The first binds identifiers to indices and defines the
 * types; the second emits each section's bytes. parse.c: cursor, names and indices; parse_type.c; parse_instr.c; parse_module.c: fields and the
 * final order; annot.c: annotations and custom sections. Nothing here checks validity. */
#ifndef TEXT_PARSE_H
#define TEXT_PARSE_H

#include "text/lex.h"
#include "text/number.h"

/* Section ids (core/binary/modules#sections). */
enum { SEC_CUSTOM, SEC_TYPE, SEC_IMPORT, SEC_FUNC, SEC_TABLE, SEC_MEMORY, SEC_GLOBAL, SEC_EXPORT, SEC_START, SEC_ELEM, SEC_CODE, SEC_DATA,
       SEC_DATACOUNT, SEC_TAG, SEC_COUNT };
#define NO_SYMBOL UINT32_MAX
#define NO_HINT UINT32_MAX

struct name_list {
  struct name *at; /* by index; NULL bytes: none */
  size_t n, cap;
};

/* Names of things within things: locals and labels of functions, fields of types; sorted, for they come in order. */
struct inner_name {
  uint32_t outer, inner;
  struct name name;
};
struct inner_list {
  struct inner_name *at;
  size_t n, cap;
};

/* What the parser must know of a type: the encoding of a function type without its 0x60, in parser.sigs. */
struct typedef_ {
  bool is_func;
  uint32_t nparams;
  size_t sig, sig_size;
};

struct label {
  uint32_t symbol, saved_scope, saved_index; /* the binding that the label hides */
};

enum frame_kind {
  FRAME_FOLD,  /* ( plain instruction, operands ) */
  FRAME_BLOCK, /* block, loop, try_table ... end */
  FRAME_IF, FRAME_ELSE,
  FRAME_TRY, FRAME_CATCH, FRAME_CATCH_ALL,
  FRAME_PBLOCK, /* the same with parentheses */
  FRAME_PIF, FRAME_PIF_THEN, FRAME_PIF_ELSE, /* before, after the first and the second arm */
  FRAME_PTRY, FRAME_PTRY_DO, FRAME_PTRY_CATCH, FRAME_PTRY_CATCH_ALL, FRAME_PTRY_DELEGATE,
  FRAME_ARM /* ( then ... ), ( else ... ), ( do ... ), ( catch ... ) */
};

struct frame {
  uint8_t kind; /* enum frame_kind */
  uint16_t op;
  uint32_t token, symbol, hint;
  size_t pending; /* start of its encoding in parser.pending */
};

/* A branch hint of the function: offset of the instruction in the body. */
struct hint {
  uint32_t offset;
  uint8_t value;
};

struct custom {
  struct name name;
  struct buf bytes;
  int place; /* see annot.c */
};

/* Where bytes come from. */
#define NO_POSITION UINT32_MAX
struct map_entry {
  uint64_t offset; /* first within the section's contents, in the end in the module */
  uint32_t pos;    /* in the text, or NO_POSITION */
  uint32_t section;
};

struct parser {
  struct source *s;
  mv_error_t *err;
  uint32_t t; /* current token */
  uint32_t scope, func_scope;
  bool names; /* emit the name section */

  struct buf sections[SEC_COUNT];
  uint32_t entries[SEC_COUNT];
  uint32_t count[SPACE_COUNT]; /* next index of each space in this pass; labels: of the function */
  struct name_list space_names[SPACE_COUNT];
  struct inner_list locals, labels, fields;
  struct name module_name;
  struct typedef_ *types;
  size_t ntypes, cap_types;
  struct buf sigs;
  const char *defined; /* the first definition of a function, table, memory, global or tag: no import may follow */
  bool uses_data, has_start;
  uint32_t start;

  struct buf params, results, sig; /* of the type use being parsed */
  uint32_t nparams, nresults;

  struct buf *out; /* where instructions go */
  uint32_t out_section;
  struct buf body, pending, strings;
  struct label *label_stack;
  size_t nlabels, cap_labels;
  struct frame *frames;
  size_t nframes, cap_frames;

  struct hint *hints; /* of the current function */
  size_t nhints, cap_hints;
  struct buf hint_section;
  uint32_t hinted_funcs;
  struct custom *customs;
  size_t ncustoms, cap_customs;

  bool want_map;
  struct map_entry *map;
  size_t nmap, cap_map;
  size_t map_body; /* first entry of the current function body */
  uint32_t field;  /* the keyword of the current field */
};

/* What to do with the identifiers of parameters. */
enum param_names { PARAMS_UNNAMED, PARAMS_NAMED, PARAMS_BOUND };

struct typeuse {
  uint32_t type, nparams;
  bool is_explicit;
};

/* ---- parse.c */

static inline const struct token *peek(const struct parser *p) { return &p->s->tokens[p->t]; }
static inline bool at(const struct parser *p, enum token_kind kind) { return peek(p)->kind == kind; }
static inline bool at_word(const struct parser *p, unsigned word) { return at(p, TOKEN_KEYWORD) && peek(p)->word == word; }
static inline bool at_form(const struct parser *p, unsigned word) { /* "(" word; the array ends with another token than "(" */
  return at(p, TOKEN_LPAR) && peek(p)[1].kind == TOKEN_KEYWORD && peek(p)[1].word == word;
}

/* The token behind the form that opens at token `lpar`, or the last token if nothing closes it. */
static inline uint32_t after_form(const struct parser *p, uint32_t lpar) {
  uint32_t close = p->s->tokens[lpar].u;
  return close + (p->s->tokens[close].kind == TOKEN_RPAR);
}

/* Reports at the current token what stands there instead of `expected`. All return false. */
bool unexpected(const struct parser *, const char *expected);
bool parse_error(const struct parser *, uint32_t token, const char *format, ...) MV_PRINTF(3, 4);
bool no_memory(const struct parser *);

MV_MUST_USE bool expect(struct parser *, enum token_kind, const char *what);
MV_MUST_USE bool expect_form(struct parser *, unsigned word); /* "(" word */
MV_MUST_USE bool parse_nat(struct parser *, unsigned bits, uint64_t *out);
MV_MUST_USE bool parse_index(struct parser *, enum space, uint32_t *out);
MV_MUST_USE bool parse_field_index(struct parser *, uint32_t type, uint32_t *out);
/* A string that must be UTF-8, as a u32-counted vector of bytes. */
MV_MUST_USE bool parse_name(struct parser *, struct buf *out);
/* Zero or more strings, concatenated in p->strings. */
void parse_strings(struct parser *);
/* An optional identifier and @name annotation: binds them to the next index of `space`. */
MV_MUST_USE bool bind_name(struct parser *, enum space);
MV_MUST_USE bool bind_field(struct parser *, uint32_t type, uint32_t index);
uint32_t optional_id(struct parser *); /* its symbol, or NO_SYMBOL */
MV_MUST_USE bool inner_add(struct parser *, struct inner_list *, uint32_t outer, uint32_t inner, struct name);
MV_MUST_USE bool map_add(struct parser *, uint32_t section, size_t offset, uint32_t token);

/* ---- parse_type.c */

bool at_valtype(const struct parser *);
MV_MUST_USE bool parse_valtype(struct parser *, struct buf *out);
MV_MUST_USE bool parse_reftype(struct parser *, struct buf *out);
/* A reference type in two: its nullability, and its heap type to `heap`. */
MV_MUST_USE bool parse_reftype_parts(struct parser *, bool *nullable, struct buf *heap);
MV_MUST_USE bool parse_heaptype(struct parser *, struct buf *out);
MV_MUST_USE bool parse_globaltype(struct parser *, struct buf *out);
MV_MUST_USE bool parse_tabletype(struct parser *, struct buf *out);
MV_MUST_USE bool parse_memtype(struct parser *, struct buf *out);
MV_MUST_USE bool parse_addrtype(struct parser *, bool *is64);
MV_MUST_USE bool parse_pagesize(struct parser *, unsigned *log2, bool *given);
void put_limits(struct buf *, unsigned flags, uint64_t min, uint64_t max, unsigned page_log2);
MV_MUST_USE bool parse_typeuse(struct parser *, enum param_names, struct typeuse *out);
/* As for parse_typeuse, for a block: emits the block type. */
MV_MUST_USE bool parse_blocktype(struct parser *, struct buf *out);
/* A type or rec field; emits it. */
MV_MUST_USE bool parse_typefield(struct parser *);

/* ---- parse_instr.c */

/* Instructions up to the closing parenthesis that is not theirs; then `end`. */
MV_MUST_USE bool parse_expr(struct parser *);
/* One folded instruction; then `end`. */
MV_MUST_USE bool parse_folded_expr(struct parser *);
/* The shape and lanes of v128.const. nans: NULL, or room for 4 lanes, whose literals may then be NaN patterns, as in scripts. */
MV_MUST_USE bool parse_v128(struct parser *, uint8_t bytes[16], unsigned *lane_bits, bool *lane_float, uint8_t *nans);
MV_MUST_USE bool parse_number(struct parser *, unsigned bits, bool is_float, uint64_t *out);

/* ---- annot.c */

/* The next unused annotation of this kind just before `token`, marked as used; NULL: none. */
struct annotation *take_annotation(struct parser *, uint32_t token, enum annotation_kind);
/* An optional @name annotation before the current token replaces *name. `what` is named, for an error. */
MV_MUST_USE bool take_name(struct parser *, const char *what, struct name *name);
MV_MUST_USE bool take_customs(struct parser *);
MV_MUST_USE bool take_hint(struct parser *, uint32_t token, uint32_t *value);
/* After a function's last token. */
MV_MUST_USE bool finish_hints(struct parser *, uint32_t func, uint32_t first, uint32_t end);
/* Are all annotations among tokens first..end used? */
MV_MUST_USE bool check_annotations(struct parser *, uint32_t first, uint32_t end);
/* Adds the custom sections that come of hints, identifiers and @name. */
MV_MUST_USE bool make_name_section(struct parser *);
/* Appends all sections, the custom ones in between. bases: where each section's first entry lies. */
void put_sections(struct parser *, struct buf *out, size_t bases[SEC_COUNT]);

/* ---- parse_module.c */

struct parsed_module {
  struct buf bytes;
  struct map_entry *map;
  size_t nmap;
};

/* Parses the fields from token `first` to (not including) `end`. On success the caller owns what is in *out. */
MV_MUST_USE bool module_parse(struct source *, uint32_t first, uint32_t end, struct name name, unsigned flags, bool want_map, struct parsed_module *out,
                              mv_error_t *err);
/* "(" module ... ")" or bare fields, at token `first`, up to the end of the text. */
MV_MUST_USE bool module_parse_file(struct source *, unsigned flags, bool want_map, struct parsed_module *out, mv_error_t *err);

#endif

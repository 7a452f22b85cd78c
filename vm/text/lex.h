/* The lexical format (core/text/lexical, core/text/values): a text as an array of tokens, with parentheses matched, keywords and identifiers
 * looked up, and the annotations that mean something set aside. */
#ifndef TEXT_LEX_H
#define TEXT_LEX_H

#include "text/buf.h"
#include "types/module.h"
#include "types/ops.h"

enum token_kind {
  TOKEN_EOF,
  TOKEN_ERROR, /* lexing ended here: source.lex_message */
  TOKEN_LPAR, TOKEN_RPAR,
  TOKEN_NAT, TOKEN_INT, TOKEN_FLOAT, TOKEN_STRING, TOKEN_ID,
  TOKEN_KEYWORD,
  TOKEN_OFFSET, TOKEN_ALIGN, /* offset=NAT, align=NAT */
  TOKEN_RESERVED /* no token of the language */
};

struct token {
  uint32_t pos;
  uint32_t u; /* LPAR: index of its RPAR (or of the last token); ID: symbol; otherwise the length */
  uint16_t word; /* KEYWORD: enum op or enum keyword */
  uint8_t kind;
};

/* Keywords that are no instructions. */
#define KEYWORDS(X) \
  X(I8, "i8") X(I16, "i16") X(I32, "i32") X(I64, "i64") X(F32, "f32") X(F64, "f64") X(V128, "v128") \
  X(I8X16, "i8x16") X(I16X8, "i16x8") X(I32X4, "i32x4") X(I64X2, "i64x2") X(F32X4, "f32x4") X(F64X2, "f64x2") \
  X(ANY, "any") X(NONE, "none") X(EQ, "eq") X(I31, "i31") X(STRUCT, "struct") X(ARRAY, "array") X(FUNC, "func") X(NOFUNC, "nofunc") \
  X(EXN, "exn") X(NOEXN, "noexn") X(EXTERN, "extern") X(NOEXTERN, "noextern") \
  X(ANYREF, "anyref") X(NULLREF, "nullref") X(EQREF, "eqref") X(I31REF, "i31ref") X(STRUCTREF, "structref") X(ARRAYREF, "arrayref") \
  X(FUNCREF, "funcref") X(NULLFUNCREF, "nullfuncref") X(EXNREF, "exnref") X(NULLEXNREF, "nullexnref") X(EXTERNREF, "externref") \
  X(NULLEXTERNREF, "nullexternref") X(REF, "ref") X(NULL, "null") X(EXACT, "exact") \
  X(MUT, "mut") X(FIELD, "field") X(SUB, "sub") X(FINAL, "final") X(REC, "rec") X(DESCRIBES, "describes") X(DESCRIPTOR, "descriptor") \
  X(THEN, "then") X(DO, "do") X(CATCH_REF, "catch_ref") X(CATCH_ALL_REF, "catch_all_ref") \
  X(TYPE, "type") X(PARAM, "param") X(RESULT, "result") X(START, "start") X(LOCAL, "local") X(GLOBAL, "global") X(TABLE, "table") \
  X(MEMORY, "memory") X(TAG, "tag") X(ELEM, "elem") X(DATA, "data") X(DECLARE, "declare") X(OFFSET, "offset") X(ITEM, "item") \
  X(IMPORT, "import") X(EXPORT, "export") X(SHARED, "shared") X(PAGESIZE, "pagesize") \
  X(MODULE, "module") X(BINARY, "binary") X(QUOTE, "quote") X(DEFINITION, "definition") X(INSTANCE, "instance") \
  X(SCRIPT, "script") X(REGISTER, "register") X(INVOKE, "invoke") X(GET, "get") X(THREAD, "thread") X(WAIT, "wait") \
  X(INPUT, "input") X(OUTPUT, "output") X(EITHER, "either") X(NAN_CANONICAL, "nan:canonical") X(NAN_ARITHMETIC, "nan:arithmetic") \
  X(REF_STRUCT, "ref.struct") X(REF_ARRAY, "ref.array") X(REF_EXN, "ref.exn") X(REF_EXTERN, "ref.extern") X(REF_HOST, "ref.host") \
  X(REF_ANY, "ref.any") \
  X(ASSERT_RETURN, "assert_return") X(ASSERT_TRAP, "assert_trap") X(ASSERT_EXHAUSTION, "assert_exhaustion") \
  X(ASSERT_EXCEPTION, "assert_exception") X(ASSERT_MALFORMED, "assert_malformed") X(ASSERT_INVALID, "assert_invalid") \
  X(ASSERT_UNLINKABLE, "assert_unlinkable") X(ASSERT_MALFORMED_CUSTOM, "assert_malformed_custom") \
  X(ASSERT_INVALID_CUSTOM, "assert_invalid_custom")

enum keyword {
  KW_FIRST = OP_LIMIT - 1,
#define X(id, text) KW_##id,
  KEYWORDS(X)
#undef X
  KW_LIMIT
};

/* Index spaces that identifiers name (core/text/conventions#contexts). */
enum space {
  SPACE_TYPE, SPACE_FUNC, SPACE_TABLE, SPACE_MEMORY, SPACE_GLOBAL, SPACE_TAG, SPACE_ELEM, SPACE_DATA, SPACE_LOCAL, SPACE_LABEL,
  SPACE_COUNT,
  SPACE_KEY = SPACE_LABEL /* of symbols that are no identifiers but keys of the parser */
};

/* An identifier. Each space remembers what it is bound to, valid while the scope is the current one. */
struct symbol {
  const char *bytes;
  uint32_t size, hash;
  struct { uint32_t scope, index; } in[SPACE_COUNT];
};

/* An annotation that means something (appendix/custom): between `pos` and `end` in the text, before token number `token`. */
enum annotation_kind { ANNOTATION_NAME, ANNOTATION_CUSTOM, ANNOTATION_HINT };

struct annotation {
  uint32_t pos, args, end, token; /* args: behind the annotation's identifier */
  uint8_t kind;
  bool used;
};

struct source {
  const char *text;
  size_t size;
  mv_features_t features;
  struct arena arena;
  struct token *tokens;
  size_t ntokens, cap_tokens;
  struct symbol *symbols;
  size_t nsymbols, cap_symbols;
  uint32_t *slots; /* hash table of symbols: number + 1 */
  size_t nslots;
  struct annotation *annotations;
  size_t nannotations, cap_annotations;
  uint16_t *words; /* hash table of keywords: word + 1 */
  const char *lex_message;
  uint32_t scope; /* the newest scope */
  struct position { size_t pos; uint32_t line, column; } seen; /* of the last error, from which the next one counts on */
};

/* Splits a text into tokens, the last one TOKEN_EOF or TOKEN_ERROR. Fails only when memory is short or the text is too long: what is no token is
 * reported by whoever meets it. */
MV_MUST_USE bool source_lex(struct source *, const char *text, size_t size, mv_features_t, mv_error_t *err);
void source_fini(struct source *);

/* The number of the symbol with these bytes, new or known; `copy`: they do not outlive the source. UINT32_MAX: out of memory. */
uint32_t symbol_intern(struct source *, const char *bytes, uint32_t size, bool copy);

/* The text of a keyword or instruction. */
const char *word_text(unsigned word);
/* Appends the bytes that a string literal (with its quotes) denotes. The literal is known to be well-formed. */
void string_decode(const char *literal, size_t size, struct buf *out);
/* Length of the next lexical element within an annotation at text[pos] (parenthesis, string, atom ...); skips white space and comments first by moving
 * *pos. 0 at `end`. */
size_t annotation_next(const struct source *, uint32_t *pos, uint32_t end);

/* Reports MV_MALFORMED with the line and column of text position `pos`. Always returns false. */
bool source_error(struct source *, uint32_t pos, mv_error_t *err, const char *format, ...) MV_PRINTF(4, 5);
/* Moves a position forward to `pos`. */
void position_advance(struct position *, const char *text, size_t pos);

#endif

/* cel.c: see cel.h. The grammar and the rule that `false && error` is false are those of the CEL language definition. */
#include "cel.h"

#include <math.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

enum op {
  OP_LITERAL,
  OP_EVENT,
  OP_LIST,
  OP_MEMBER,
  OP_INDEX,
  OP_NOT,
  OP_NEGATE,
  OP_OR,
  OP_AND,
  OP_EQ,
  OP_NE,
  OP_LT,
  OP_LE,
  OP_GT,
  OP_GE,
  OP_IN,
  OP_ADD,
  OP_SUB,
  OP_MUL,
  OP_DIV,
  OP_MOD,
  OP_CHOOSE,
  OP_HAS,
  OP_SIZE,
  OP_INT,
  OP_DOUBLE,
  OP_STRING,
  OP_STARTS,
  OP_ENDS,
  OP_CONTAINS,
  OP_MATCHES
};

enum value_kind { V_NULL, V_BOOL, V_NUMBER, V_TEXT, V_JSON /* array or object */, V_LIST };

struct value {
  enum value_kind kind;
  bool truth;
  double number;
  struct span text;
  struct json json;
  const struct cel *list; /* of a literal list */
};

struct cel {
  enum op op;
  struct value value;            /* OP_LITERAL; OP_MEMBER: its name in text */
  const struct cel *a, *b, *c;   /* operands; OP_LIST: a = first element */
  const struct cel *next;        /* the next element of a list */
};

/* ---- compiling ---- */

enum { CEL_DEPTH = 64, CEL_NODES = 500 };

struct parser {
  struct pool *pool;
  const char *text, *p;
  const char *const *names;
  struct buf *why;
  int depth, nodes;
  bool failed;
};

static const struct cel *parse_choice(struct parser *);

static const struct cel *bad(struct parser *ps, const char *what) {
  if (!ps->failed) buf_printf(ps->why, "%s at column %zu of \"%s\"", what, (size_t)(ps->p - ps->text) + 1, ps->text);
  ps->failed = true;
  return NULL;
}

/* All nodes are made here. Evaluation goes as deep as a rule is long, so that it must not be too long. */
static const struct cel *make(struct parser *ps, struct cel like) {
  if (ps->failed) return NULL;
  if (++ps->nodes > CEL_NODES) return bad(ps, "the rule is too long");
  struct cel *n = pool_alloc(ps->pool, sizeof *n);
  if (!n) return bad(ps, "out of memory");
  *n = like;
  return n;
}

static const struct cel *node(struct parser *ps, enum op op, const struct cel *a, const struct cel *b, const struct cel *c) {
  return make(ps, (struct cel){.op = op, .a = a, .b = b, .c = c});
}

static const struct cel *member_of(struct parser *ps, const struct cel *of, struct span name) {
  return make(ps, (struct cel){.op = OP_MEMBER, .a = of, .value = {.kind = V_TEXT, .text = name}});
}

static const struct cel *literal(struct parser *ps, struct value v) { return make(ps, (struct cel){.op = OP_LITERAL, .value = v}); }

static void spaces(struct parser *ps) {
  while (*ps->p == ' ' || *ps->p == '\t' || *ps->p == '\n' || *ps->p == '\r') ps->p++;
}

static bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

static bool take(struct parser *ps, const char *token) {
  spaces(ps);
  size_t n = strlen(token);
  if (strncmp(ps->p, token, n) != 0) return false;
  if (is_word(token[0]) && is_word(ps->p[n])) return false;
  ps->p += n;
  return true;
}

static struct span word(struct parser *ps) {
  spaces(ps);
  const char *start = ps->p;
  while (is_word(*ps->p)) ps->p++;
  return (struct span){start, (size_t)(ps->p - start)};
}

static const struct cel *parse_text(struct parser *ps) {
  char quote = *ps->p++;
  const char *start = ps->p;
  size_t n = 0;
  while (*ps->p && *ps->p != quote) ps->p += ps->p[0] == '\\' && ps->p[1] ? 2 : 1;
  if (!*ps->p) return bad(ps, "text without its closing quote");
  char *out = pool_alloc(ps->pool, (size_t)(ps->p - start) + 1);
  if (!out) return bad(ps, "out of memory");
  for (const char *p = start; p < ps->p; p++) {
    if (*p == '\\') {
      p++;
      out[n++] = *p == 'n' ? '\n' : *p == 't' ? '\t' : *p == 'r' ? '\r' : *p;
    } else {
      out[n++] = *p;
    }
  }
  out[n] = 0;
  ps->p++;
  return literal(ps, (struct value){.kind = V_TEXT, .text = {out, n}});
}

static const struct cel *parse_list(struct parser *ps) {
  struct cel *list = pool_zero(ps->pool, 1, sizeof *list);
  if (!list) return bad(ps, "out of memory");
  list->op = OP_LIST;
  const struct cel **tail = &list->a;
  while (!take(ps, "]")) {
    if (list->a && !take(ps, ",")) return bad(ps, "',' or ']' expected");
    const struct cel *item = parse_choice(ps);
    struct cel *link = item ? pool_alloc(ps->pool, sizeof *link) : NULL;
    if (!link) return bad(ps, "list element expected");
    *link = *item;
    link->next = NULL;
    *tail = link;
    tail = &link->next;
  }
  return list;
}

static const struct cel *parse_call(struct parser *ps, struct span name) {
  const struct { const char *name; enum op op; } calls[] = {
      {"has", OP_HAS}, {"size", OP_SIZE}, {"int", OP_INT}, {"uint", OP_INT}, {"double", OP_DOUBLE}, {"string", OP_STRING}};
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    if (!span_is(name, calls[i].name)) continue;
    const struct cel *argument = parse_choice(ps);
    if (!take(ps, ")")) return bad(ps, "')' expected");
    if (argument && calls[i].op == OP_HAS && argument->op != OP_MEMBER && argument->op != OP_INDEX)
      return bad(ps, "has() takes a member such as event.data.x");
    return node(ps, calls[i].op, argument, NULL, NULL);
  }
  return bad(ps, "unknown function");
}

static const struct cel *parse_primary(struct parser *ps) {
  spaces(ps);
  if (take(ps, "(")) {
    const struct cel *inner = parse_choice(ps);
    return take(ps, ")") ? inner : bad(ps, "')' expected");
  }
  if (take(ps, "[")) return parse_list(ps);
  if (*ps->p == '"' || *ps->p == '\'') return parse_text(ps);
  if (*ps->p >= '0' && *ps->p <= '9') {
    char *end;
    double d = strtod(ps->p, &end);
    ps->p = end;
    if (*ps->p == 'u') ps->p++;
    return literal(ps, (struct value){.kind = V_NUMBER, .number = d});
  }
  struct span name = word(ps);
  if (span_is(name, "true") || span_is(name, "false")) return literal(ps, (struct value){.kind = V_BOOL, .truth = name.n == 4});
  if (span_is(name, "null")) return literal(ps, (struct value){.kind = V_NULL});
  if (name.n && take(ps, "(")) return parse_call(ps, name);
  for (const char *const *known = ps->names; known && *known; known++)
    if (span_is(name, *known)) return member_of(ps, node(ps, OP_EVENT, NULL, NULL, NULL), name);
  if (!ps->names && span_is(name, "event")) return node(ps, OP_EVENT, NULL, NULL, NULL);
  return bad(ps, !name.n ? "value expected" : ps->names ? "unknown name" : "unknown name (only `event` is known)");
}

static const struct cel *parse_method(struct parser *ps, const struct cel *target, struct span name) {
  const struct { const char *name; enum op op; } methods[] = {
      {"startsWith", OP_STARTS}, {"endsWith", OP_ENDS}, {"contains", OP_CONTAINS}, {"matches", OP_MATCHES}, {"size", OP_SIZE}};
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
    if (!span_is(name, methods[i].name)) continue;
    const struct cel *argument = methods[i].op == OP_SIZE ? NULL : parse_choice(ps);
    return take(ps, ")") ? node(ps, methods[i].op, target, argument, NULL) : bad(ps, "')' expected");
  }
  return bad(ps, "unknown method");
}

static const struct cel *parse_postfix(struct parser *ps) {
  const struct cel *n = parse_primary(ps);
  while (n) {
    if (take(ps, ".")) {
      struct span name = word(ps);
      if (!name.n) return bad(ps, "member name expected");
      if (take(ps, "(")) {
        n = parse_method(ps, n, name);
        continue;
      }
      n = member_of(ps, n, name);
    } else if (take(ps, "[")) {
      const struct cel *index = parse_choice(ps);
      if (!take(ps, "]")) return bad(ps, "']' expected");
      n = node(ps, OP_INDEX, n, index, NULL);
    } else {
      break;
    }
  }
  return n;
}

static const struct cel *parse_unary(struct parser *ps) {
  if (++ps->depth > CEL_DEPTH) return bad(ps, "nested too deep");
  const struct cel *n;
  spaces(ps);
  if (ps->p[0] == '!' && ps->p[1] != '=' && take(ps, "!")) n = node(ps, OP_NOT, parse_unary(ps), NULL, NULL);
  else if (take(ps, "-")) n = node(ps, OP_NEGATE, parse_unary(ps), NULL, NULL);
  else n = parse_postfix(ps);
  ps->depth--;
  return n;
}

struct binary {
  const char *token;
  enum op op;
  int level;
};

/* Longer tokens first. Level 0 binds loosest. */
static const struct binary binaries[] = {
    {"||", OP_OR, 0}, {"&&", OP_AND, 1}, {"==", OP_EQ, 2}, {"!=", OP_NE, 2}, {"<=", OP_LE, 2}, {">=", OP_GE, 2}, {"<", OP_LT, 2},
    {">", OP_GT, 2},  {"in", OP_IN, 2},  {"+", OP_ADD, 3}, {"-", OP_SUB, 3}, {"*", OP_MUL, 4}, {"/", OP_DIV, 4}, {"%", OP_MOD, 4}};

static const struct cel *parse_binary(struct parser *ps, int level) {
  if (level > 4) return parse_unary(ps);
  const struct cel *left = parse_binary(ps, level + 1);
  while (left) {
    const struct binary *found = NULL;
    for (size_t i = 0; i < sizeof binaries / sizeof *binaries && !found; i++)
      if (binaries[i].level == level && take(ps, binaries[i].token)) found = &binaries[i];
    if (!found) break;
    left = node(ps, found->op, left, parse_binary(ps, level + 1), NULL);
  }
  return left;
}

static const struct cel *parse_choice(struct parser *ps) {
  if (++ps->depth > CEL_DEPTH) return bad(ps, "nested too deep");
  const struct cel *n = parse_binary(ps, 0);
  if (n && take(ps, "?")) {
    const struct cel *yes = parse_choice(ps);
    if (!take(ps, ":")) return bad(ps, "':' expected");
    n = node(ps, OP_CHOOSE, n, yes, parse_choice(ps));
  }
  ps->depth--;
  return ps->failed ? NULL : n;
}

const struct cel *cel_compile(struct pool *pool, const char *text, const char *const *names, struct buf *why) {
  struct parser ps = {.pool = pool, .names = names, .why = why};
  ps.text = ps.p = pool_str(pool, text);
  if (!ps.text) return buf_str(why, "out of memory"), NULL;
  const struct cel *n = parse_choice(&ps);
  spaces(&ps);
  return n && *ps.p ? bad(&ps, "operator expected") : n;
}

/* ---- evaluating ---- */

struct machine {
  struct pool *pool;
  struct json event;
  struct buf *why;
};

static bool eval(struct machine *, const struct cel *, struct value *);

static bool error(struct machine *m, const char *what) {
  buf_clear(m->why);
  buf_str(m->why, what);
  return false;
}

static bool from_json(struct machine *m, struct json j, struct value *v) {
  *v = (struct value){.kind = V_JSON, .json = j};
  switch (json_kind(j)) {
    case JSON_NULL: v->kind = V_NULL; break;
    case JSON_BOOL: v->kind = V_BOOL, v->truth = json_true(j); break;
    case JSON_NUMBER: v->kind = V_NUMBER, v->number = json_number(j); break;
    case JSON_STRING: v->kind = V_TEXT, v->text = json_text(m->pool, j); break;
    default: break;
  }
  return v->kind != V_TEXT || v->text.p || error(m, "out of memory");
}

static bool member(struct machine *m, const struct value *of, struct span name, struct value *out) {
  struct json j;
  if (of->kind != V_JSON || json_kind(of->json) != JSON_OBJECT) return error(m, "no such overload");
  if (json_member_exact(of->json, name, &j)) return from_json(m, j, out);
  buf_clear(m->why);
  buf_printf(m->why, "no such key: %.*s", (int)(name.n < 200 ? name.n : 200), name.p);
  return false;
}

static bool element(struct machine *m, const struct value *of, double at, struct value *out) {
  struct json j;
  double i = 0;
  if (of->kind == V_LIST) {
    for (const struct cel *e = of->list; e; e = e->next, i++)
      if (i == at) return eval(m, e, out);
  } else if (of->kind == V_JSON && json_kind(of->json) == JSON_ARRAY) {
    for (struct json_walk w = {0}; json_next(of->json, &w, NULL, &j); i++)
      if (i == at) return from_json(m, j, out);
  }
  return error(m, "index out of bounds");
}

static bool equal(struct machine *m, const struct value *a, const struct value *b) {
  if (a->kind != b->kind) return false;
  switch (a->kind) {
    case V_BOOL: return a->truth == b->truth;
    case V_NUMBER: return a->number == b->number;
    case V_TEXT: return span_equal(a->text, b->text);
    case V_NULL: return true;
    default: break;
  }
  struct buf x = {0}, y = {0};
  bool same = a->kind == V_JSON && json_normal(&x, a->json, 0) && json_normal(&y, b->json, 0) && span_equal(buf_view(&x), buf_view(&y));
  buf_fini(&x);
  buf_fini(&y);
  (void)m;
  return same;
}

static bool contains_element(struct machine *m, const struct value *list, const struct value *wanted, struct value *out) {
  struct json j, name;
  struct value v;
  *out = (struct value){.kind = V_BOOL};
  if (list->kind == V_LIST) {
    for (const struct cel *e = list->list; e && !out->truth; e = e->next) {
      if (!eval(m, e, &v)) return false;
      out->truth = equal(m, &v, wanted);
    }
    return true;
  }
  if (list->kind != V_JSON) return error(m, "no such overload: in");
  bool map = json_kind(list->json) == JSON_OBJECT;
  for (struct json_walk w = {0}; !out->truth && json_next(list->json, &w, &name, &j);) {
    if (!from_json(m, map ? name : j, &v)) return false;
    out->truth = equal(m, &v, wanted);
  }
  return true;
}

static bool compare(struct machine *m, enum op op, const struct value *a, const struct value *b, struct value *out) {
  double order;
  if (a->kind == V_NUMBER && b->kind == V_NUMBER) {
    order = a->number - b->number;
  } else if (a->kind == V_TEXT && b->kind == V_TEXT) {
    size_t n = a->text.n < b->text.n ? a->text.n : b->text.n;
    int c = n ? memcmp(a->text.p, b->text.p, n) : 0;
    order = c ? c : (double)a->text.n - (double)b->text.n;
  } else {
    return error(m, "no such overload");
  }
  bool truth = op == OP_LT ? order < 0 : op == OP_LE ? order <= 0 : op == OP_GT ? order > 0 : order >= 0;
  *out = (struct value){.kind = V_BOOL, .truth = truth};
  return true;
}

static bool calculate(struct machine *m, enum op op, const struct value *a, const struct value *b, struct value *out) {
  if (op == OP_ADD && a->kind == V_TEXT && b->kind == V_TEXT) {
    char *p = pool_alloc(m->pool, a->text.n + b->text.n + 1);
    if (!p) return error(m, "out of memory");
    memcpy(p, a->text.p, a->text.n);
    memcpy(p + a->text.n, b->text.p, b->text.n);
    *out = (struct value){.kind = V_TEXT, .text = {p, a->text.n + b->text.n}};
    return true;
  }
  if (a->kind != V_NUMBER || b->kind != V_NUMBER) return error(m, "no such overload");
  if ((op == OP_DIV || op == OP_MOD) && b->number == 0) return error(m, "division by zero");
  double x = a->number, y = b->number;
  double r = op == OP_ADD ? x + y : op == OP_SUB ? x - y : op == OP_MUL ? x * y : op == OP_DIV ? x / y : fmod(x, y);
  *out = (struct value){.kind = V_NUMBER, .number = r};
  return true;
}

static bool matches(struct machine *m, struct span text, struct span pattern, bool *truth) {
  char *t = pool_copy(m->pool, text), *p = pool_copy(m->pool, pattern);
  regex_t re;
  if (!t || !p) return error(m, "out of memory");
  if (regcomp(&re, p, REG_EXTENDED | REG_NOSUB) != 0) return error(m, "matches(): not a regular expression");
  *truth = regexec(&re, t, 0, NULL, 0) == 0;
  regfree(&re);
  return true;
}

static bool text_method(struct machine *m, enum op op, const struct value *a, const struct value *b, struct value *out) {
  if (a->kind != V_TEXT || b->kind != V_TEXT) return error(m, "no such overload");
  struct span t = a->text, x = b->text;
  *out = (struct value){.kind = V_BOOL};
  switch (op) {
    case OP_STARTS: out->truth = t.n >= x.n && memcmp(t.p, x.p, x.n) == 0; return true;
    case OP_ENDS: out->truth = t.n >= x.n && memcmp(t.p + t.n - x.n, x.p, x.n) == 0; return true;
    case OP_CONTAINS:
      for (size_t i = 0; i + x.n <= t.n && !out->truth; i++) out->truth = memcmp(t.p + i, x.p, x.n) == 0;
      return true;
    default: return matches(m, t, x, &out->truth);
  }
}

static bool convert(struct machine *m, enum op op, const struct value *a, struct value *out) {
  char digits[64];
  if (op == OP_SIZE) {
    double n = 0;
    struct json j;
    if (a->kind == V_TEXT) {
      for (size_t i = 0; i < a->text.n; i++) n += ((unsigned char)a->text.p[i] & 0xc0) != 0x80;
    } else if (a->kind == V_LIST) {
      for (const struct cel *e = a->list; e; e = e->next) n++;
    } else if (a->kind == V_JSON) {
      for (struct json_walk w = {0}; json_next(a->json, &w, NULL, &j);) n++;
    } else {
      return error(m, "no such overload: size");
    }
    *out = (struct value){.kind = V_NUMBER, .number = n};
    return true;
  }
  if (op == OP_STRING) {
    if (a->kind == V_TEXT) return *out = *a, true;
    if (a->kind == V_NUMBER) snprintf(digits, sizeof digits, "%.17g", a->number);
    else if (a->kind == V_BOOL) snprintf(digits, sizeof digits, "%s", a->truth ? "true" : "false");
    else return error(m, "no such overload: string");
    char *p = pool_str(m->pool, digits);
    *out = (struct value){.kind = V_TEXT, .text = span_of(p)};
    return p || error(m, "out of memory");
  }
  double d = a->number;
  if (a->kind == V_TEXT) {
    char *end, *copy = pool_copy(m->pool, a->text);
    if (!copy) return error(m, "out of memory");
    d = strtod(copy, &end);
    if (end == copy || *end) return error(m, "type conversion error");
  } else if (a->kind != V_NUMBER) {
    return error(m, "no such overload");
  }
  *out = (struct value){.kind = V_NUMBER, .number = op == OP_INT ? trunc(d) : d};
  return true;
}

/* An error on one side does not matter when the other side decides. */
static bool logic(struct machine *m, const struct cel *n, struct value *out) {
  bool decides = n->op == OP_OR;
  struct value a = {0}, b = {0};
  bool a_ok = eval(m, n->a, &a) && (a.kind == V_BOOL || error(m, "no such overload"));
  if (a_ok && a.truth == decides) return *out = a, true;
  bool b_ok = eval(m, n->b, &b) && (b.kind == V_BOOL || error(m, "no such overload"));
  if (b_ok && (b.truth == decides || a_ok)) return *out = b, true;
  return false;
}

static bool eval_index(struct machine *m, const struct cel *n, struct value *out) {
  struct value a, b;
  if (!eval(m, n->a, &a) || !eval(m, n->b, &b)) return false;
  if (b.kind == V_TEXT) return member(m, &a, b.text, out);
  return b.kind == V_NUMBER ? element(m, &a, b.number, out) : error(m, "no such overload");
}

static bool eval_has(struct machine *m, const struct cel *n, struct value *out) {
  struct value of, found;
  if (!eval(m, n->a->a, &of)) return false;
  bool has = n->a->op == OP_MEMBER ? member(m, &of, n->a->value.text, &found) : eval_index(m, n->a, &found);
  buf_clear(m->why);
  *out = (struct value){.kind = V_BOOL, .truth = has};
  return true;
}

static bool eval(struct machine *m, const struct cel *n, struct value *out) {
  struct value a, b;
  switch (n->op) {
    case OP_LITERAL: return *out = n->value, true;
    case OP_EVENT: return from_json(m, m->event, out);
    case OP_LIST: return *out = (struct value){.kind = V_LIST, .list = n->a}, true;
    case OP_OR:
    case OP_AND: return logic(m, n, out);
    case OP_HAS: return eval_has(m, n, out);
    case OP_INDEX: return eval_index(m, n, out);
    default: break;
  }
  if (!eval(m, n->a, &a)) return false;
  switch (n->op) {
    case OP_MEMBER: return member(m, &a, n->value.text, out);
    case OP_NOT: return a.kind == V_BOOL ? *out = (struct value){.kind = V_BOOL, .truth = !a.truth}, true : error(m, "no such overload: !");
    case OP_NEGATE:
      return a.kind == V_NUMBER ? *out = (struct value){.kind = V_NUMBER, .number = -a.number}, true : error(m, "no such overload: -");
    case OP_CHOOSE: return a.kind == V_BOOL ? eval(m, a.truth ? n->b : n->c, out) : error(m, "no such overload: ?:");
    case OP_SIZE:
    case OP_INT:
    case OP_DOUBLE:
    case OP_STRING: return convert(m, n->op, &a, out);
    default: break;
  }
  if (!eval(m, n->b, &b)) return false;
  switch (n->op) {
    case OP_EQ:
    case OP_NE: return *out = (struct value){.kind = V_BOOL, .truth = equal(m, &a, &b) == (n->op == OP_EQ)}, true;
    case OP_LT:
    case OP_LE:
    case OP_GT:
    case OP_GE: return compare(m, n->op, &a, &b, out);
    case OP_IN: return contains_element(m, &b, &a, out);
    case OP_ADD:
    case OP_SUB:
    case OP_MUL:
    case OP_DIV:
    case OP_MOD: return calculate(m, n->op, &a, &b, out);
    default: return text_method(m, n->op, &a, &b, out);
  }
}

bool cel_match(const struct cel *rule, struct json event, bool *result, struct buf *why) {
  char local[2048];
  struct pool pool;
  struct value v;
  pool_init(&pool, local, sizeof local);
  struct machine m = {&pool, event, why};
  bool ok = eval(&m, rule, &v) && (v.kind == V_BOOL || error(&m, "the rule gives no true or false"));
  if (ok) *result = v.truth;
  pool_fini(&pool);
  return ok;
}

/* mv_func_invoke: a call with arguments as words of a command line, typed by the signature, and results as lines, as wasmtime writes them. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"

/* ---- arguments ---- */

/* An integer of up to 128 bits, decimal or 0x hexadecimal, with an optional sign; *neg says that there was a minus. */
static bool parse_number(const char *s, bool *neg, uint64_t out[2]) {
  unsigned base = 10;
  *neg = *s == '-';
  if (*s == '-' || *s == '+') s++;
  if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
    base = 16;
    s += 2;
  }
  out[0] = out[1] = 0;
  if (!*s) return false;
  for (; *s; s++) {
    unsigned d = isdigit((unsigned char)*s) ? (unsigned)(*s - '0') : isxdigit((unsigned char)*s) ? (unsigned)(tolower((unsigned char)*s) - 'a') + 10 : 99;
    if (d >= base) return false;
    uint64_t lo = (out[0] & UINT32_MAX) * base + d, mid = (out[0] >> 32) * base + (lo >> 32);
    uint64_t hi = (out[1] & UINT32_MAX) * base + (mid >> 32), top = (out[1] >> 32) * base + (hi >> 32);
    if (top >> 32) return false;
    out[0] = mid << 32 | (lo & UINT32_MAX);
    out[1] = top << 32 | (hi & UINT32_MAX);
  }
  return true;
}

/* Signed and unsigned values of `bits` bits are both welcome. */
static bool parse_int(const char *s, unsigned bits, cell *out) {
  bool neg;
  uint64_t n[2], most = bits == 32 ? UINT32_MAX : UINT64_MAX;
  if (!parse_number(s, &neg, n) || n[1] != 0) return false;
  if (n[0] > (neg ? (uint64_t)1 << (bits - 1) : most)) return false;
  *out = (neg ? (uint64_t)0 - n[0] : n[0]) & most;
  return true;
}

static bool parse_vector(const char *s, cell *out) {
  bool neg;
  if (!parse_number(s, &neg, out)) return false;
  if (!neg) return true;
  out[0] = ~out[0] + 1;
  out[1] = ~out[1] + (out[0] == 0);
  return true;
}

static bool parse_float(const char *s, bool is64, cell *out) {
  char *end;
  if (!*s || isspace((unsigned char)*s)) return false;
  if (is64) {
    double d = strtod(s, &end);
    memcpy(out, &d, sizeof d);
  } else {
    float f = strtof(s, &end);
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    *out = bits;
  }
  return *end == 0;
}

static bool parse_arg(valtype t, const char *s, cell *out) {
  switch (vt_code(t)) {
  case VT_I32: return parse_int(s, 32, out);
  case VT_I64: return parse_int(s, 64, out);
  case VT_F32: return parse_float(s, false, out);
  case VT_F64: return parse_float(s, true, out);
  case VT_V128: return parse_vector(s, out);
  default:
    *out = REF_NULL;
    return vt_is_nullable(t) && strcmp(s, "null") == 0;
  }
}

static bool parse_args(const struct deftype *t, int argc, char **argv, cell *c, mv_error_t *err) {
  if (argc < 0 || (uint32_t)argc != t->u.func.nparams)
    return error_set(err, MV_USAGE, MV_NO_OFFSET, "%u arguments are wanted, %d given", t->u.func.nparams, argc);
  for (uint32_t i = 0; i < t->u.func.nparams; i++) {
    valtype type = t->u.func.params[i];
    char text[64];
    if (!parse_arg(type, argv[i], c))
      return error_set(err, MV_USAGE, MV_NO_OFFSET, "argument %u, `%s`, is no %s", i + 1, argv[i], valtype_print(type, text, sizeof text));
    c += vt_cells(type);
  }
  return true;
}

/* ---- results ---- */

/* The fewest digits that read back as the same number, written out without exponent. */
static void print_float(double d, bool is64, FILE *out) {
  char text[64], digits[32];
  int n = 0, exponent = 0;
  if (d != d) fputs("NaN", out);
  else if (isinf(d)) fputs(d < 0 ? "-inf" : "inf", out);
  if (!isfinite(d)) return;
  for (int precision = 0; precision < 17; precision++) {
    snprintf(text, sizeof text, "%.*e", precision, d);
    if (is64 ? strtod(text, NULL) == d : strtof(text, NULL) == (float)d) break;
  }
  const char *e = strchr(text, 'e');
  if (e) exponent = atoi(e + 1);
  for (const char *p = text; p != e && *p && n < 31; p++)
    if (isdigit((unsigned char)*p)) digits[n++] = *p;
  while (n > 1 && digits[n - 1] == '0') n--;
  if (signbit(d)) fputc('-', out);
  if (exponent < 0) fputs("0.", out);
  for (int i = -1; i > exponent; i--) fputc('0', out);
  for (int i = 0; i < n; i++) {
    fputc(digits[i], out);
    if (i == exponent && i + 1 < n) fputc('.', out);
  }
  for (int i = n; i <= exponent; i++) fputc('0', out);
}

/* 128 bits in decimal: divided by ten, 32 bits at a time. */
static void print_vector(const cell *c, FILE *out) {
  uint32_t part[4] = {(uint32_t)(c[1] >> 32), (uint32_t)c[1], (uint32_t)(c[0] >> 32), (uint32_t)c[0]};
  char digits[48];
  size_t n = sizeof digits - 1;
  digits[n] = 0;
  do {
    uint64_t rest = 0;
    for (int i = 0; i < 4; i++) {
      rest = rest << 32 | part[i];
      part[i] = (uint32_t)(rest / 10);
      rest %= 10;
    }
    digits[--n] = (char)('0' + rest);
  } while (part[0] | part[1] | part[2] | part[3]);
  fputs(digits + n, out);
}

static void print_ref(const struct types *types, valtype t, cell c, FILE *out) {
  static const char names[][10] = {"externref", "funcref", "anyref", "exnref"};
  unsigned k = (unsigned)valkind_of(types, t) - WASM_EXTERNREF;
  fprintf(out, c == REF_NULL ? "<null %s>" : "<%s>", names[k < 4 ? k : 2]);
}

static void print_result(const struct types *types, valtype t, const cell *c, FILE *out) {
  double d;
  float f;
  uint32_t bits = (uint32_t)*c;
  switch (vt_code(t)) {
  case VT_I32: fprintf(out, "%d", (int)(int32_t)bits); break;
  case VT_I64: fprintf(out, "%lld", (long long)*c); break;
  case VT_F32:
    memcpy(&f, &bits, sizeof f);
    print_float((double)f, false, out);
    break;
  case VT_F64:
    memcpy(&d, c, sizeof d);
    print_float(d, true, out);
    break;
  case VT_V128: print_vector(c, out); break;
  default: print_ref(types, t, *c, out);
  }
  fputc('\n', out);
}

bool mv_func_invoke(const wasm_func_t *f, int argc, char **argv, FILE *out, mv_error_t *err) {
  const struct types *types = f->ref.store->s->types;
  const struct deftype *t = types_get(types, f->ref.u.ext.u.func->type);
  size_t np = t->u.func.param_cells, nr = t->u.func.result_cells;
  mv_error_t own_err;
  if (!err) err = &own_err;
  *err = (mv_error_t){.offset = MV_NO_OFFSET};
  cell *cells = calloc((np > nr ? np : nr) + 1, sizeof *cells);
  if (!cells) return error_no_memory(err, np * sizeof *cells);
  bool ok = parse_args(t, argc, argv, cells, err) && mv_func_call(f, cells, err);
  const cell *c = cells;
  for (uint32_t i = 0; ok && i < t->u.func.nresults; i++) {
    print_result(types, t->u.func.results[i], c, out);
    c += vt_cells(t->u.func.results[i]);
  }
  free(cells);
  return ok;
}

/* json.h: JSON as Go's encoding/json sees it, which is what a Dapr application sees.
 *
 * daprd passes application data through Go: numbers become doubles (or keep their digits, in events), keys are
 * sorted, strings are escaped in Go's way, and a malformed body is refused in Go's words. A document here is its own
 * text: json_check judges it once, afterwards values are pairs of pointers into it and nothing is allocated. A tree
 * (cJSON) would lose what must survive: characters after \u0000, the digits of large numbers, the order of checks. */
#ifndef SIDECAR_JSON_H
#define SIDECAR_JSON_H

#include "text.h"

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* One value within checked text, without white space around it. */
struct json {
  const char *p;
  size_t n;
};

/* Finds the first value of `text`; what follows it is ignored, as Go's decoder does. false: *why has Go's words. */
MV_MUST_USE bool json_check(struct span text, struct json *value, struct buf *why);
/* As above, but only white space may follow. */
MV_MUST_USE bool json_check_all(struct span text, struct json *value, struct buf *why);

enum json_kind json_kind(struct json);
/* Go's name of the kind in its messages: "object", "number" ... */
const char *json_kind_name(struct json);
bool json_true(struct json);
double json_number(struct json);
int64_t json_int(struct json); /* towards 0; 0: no number, or out of range */

/* Walks an array or object (anything else has no elements): start with {0}. `name` is the raw member name with quotes; NULL when it is
 * not wanted. */
struct json_walk {
  const char *at;
};
bool json_next(struct json, struct json_walk *, struct json *name, struct json *value);
/* The last member of this name, as Go binds it to a field: regardless of case. */
bool json_member(struct json object, const char *name, struct json *value);
/* The last member of exactly this name. */
bool json_member_exact(struct json object, struct span name, struct json *value);

/* A string's characters; others give their text. {NULL, 0}: no memory. The result has a terminator. */
struct span json_text(struct pool *, struct json);

enum { JSON_HTML = 1, /* escape < > & and U+2028, U+2029, as json.Marshal does */
       JSON_DIGITS = 2 /* keep numbers as they are written, as json.Number does */ };
/* Appends the value in Go's normal form: no white space, sorted keys. false: a number is out of range, or no memory. */
MV_MUST_USE bool json_normal(struct buf *, struct json, unsigned flags);
/* Appends a quoted string. */
void json_quote(struct buf *, struct span, unsigned flags);
/* Appends a double as Go prints it. */
void json_double(struct buf *, double);

#endif

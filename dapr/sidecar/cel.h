/* cel.h: the Common Expression Language as far as Dapr's routing rules use it.
 *
 * The one variable is `event`, a JSON document. Literals (text, numbers, true, false, null, lists), || && ! == != <
 * <= > >= in + - * / % ?:, members (event.data.color, event["a-b"], event.list[0]), has(), size(), int(), double(), string(), and the
 * text methods startsWith, endsWith, contains, matches. */
#ifndef SIDECAR_CEL_H
#define SIDECAR_CEL_H

#include "json.h"

struct cel;
/* Compiles into the pool, which must outlive the result. NULL: *why says what is wrong and where. names: members of the document that stand for
 * themselves, in place of `event`, NULL at the end; NULL: none. */
const struct cel *cel_compile(struct pool *, const char *text, const char *const *names, struct buf *why);
/* Evaluates to true or false. false is returned for an error (a missing key, operands that do not fit), *why says which. */
MV_MUST_USE bool cel_match(const struct cel *, struct json event, bool *result, struct buf *why);

#endif

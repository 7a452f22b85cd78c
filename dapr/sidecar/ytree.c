/* ytree.c: see ytree.h. YAML 1.1 as libyaml reads it; aliases share their anchor's node, so they cannot grow. */
#include "ytree.h"

#include <string.h>
#include <strings.h>
#include <yaml.h>

enum { YTREE_DEPTH = 100, YTREE_ANCHORS = 64, YTREE_MEMBERS = 10000 };

struct anchor {
  const char *name;
  const struct ytree *node;
};

struct reader {
  yaml_parser_t parser;
  struct pool *pool;
  const char *file;
  mv_error_t *err;
  struct anchor anchors[YTREE_ANCHORS];
  size_t anchor_count;
};

static bool next_event(struct reader *r, yaml_event_t *event) {
  if (yaml_parser_parse(&r->parser, event)) return true;
  const yaml_parser_t *p = &r->parser;
  if (p->error == YAML_MEMORY_ERROR) return report_memory(r->err);
  return report(r->err, MV_USAGE, "%s:%zu:%zu: %s%s%s: mend the YAML there (indent with spaces, quote text that has ':' or '#')", r->file,
              p->problem_mark.line + 1, p->problem_mark.column + 1, p->context ? p->context : "", p->context ? ": " : "",
              p->problem ? p->problem : "unreadable");
}

static bool remember(struct reader *r, const yaml_char_t *name, const struct ytree *node) {
  if (!name) return true;
  if (r->anchor_count == YTREE_ANCHORS)
    return report(r->err, MV_LIMIT, "%s:%d: more than %d anchors in one document", r->file, node->line, YTREE_ANCHORS);
  char *copy = pool_str(r->pool, (const char *)name);
  if (!copy) return report_memory(r->err);
  r->anchors[r->anchor_count++] = (struct anchor){copy, node};
  return true;
}

static bool read_node(struct reader *r, yaml_event_t *event, int depth, struct ytree **out);

static bool read_alias(struct reader *r, const yaml_event_t *event, struct ytree *node) {
  for (size_t i = r->anchor_count; i-- > 0;) {
    const struct ytree *target = r->anchors[i].node;
    if (strcmp(r->anchors[i].name, (const char *)event->data.alias.anchor) != 0) continue;
    node->kind = target->kind;
    node->text = target->text;
    node->quoted = target->quoted;
    node->first = target->first;
    return true;
  }
  return report(r->err, MV_USAGE, "%s:%d: alias *%s has no finished anchor before it", r->file, node->line,
                (const char *)event->data.alias.anchor);
}

static bool add_key(struct reader *r, const struct ytree *map, struct ytree *member, const struct ytree *key, int count) {
  if (key->kind != YTREE_SCALAR) return report(r->err, MV_USAGE, "%s:%d: a key must be plain text", r->file, key->line);
  if (count > YTREE_MEMBERS) /* each is compared with all before it */
    return report(r->err, MV_LIMIT, "%s:%d: more than %d members", r->file, key->line, YTREE_MEMBERS);
  for (const struct ytree *m = map->first; m; m = m->next)
    if (strcmp(m->key, key->text) == 0)
      return report(r->err, MV_USAGE, "%s:%d: key \"%s\" occurs twice (first on line %d): remove one", r->file, key->line, key->text,
                    m->line);
  member->key = key->text;
  return true;
}

static bool read_children(struct reader *r, struct ytree *node, yaml_event_type_t end, int depth) {
  const struct ytree **tail = &node->first;
  for (int count = 1;; count++) {
    yaml_event_t event;
    struct ytree *child, *key = NULL;
    if (!next_event(r, &event)) return false;
    if (event.type == end) return yaml_event_delete(&event), true;
    if (!read_node(r, &event, depth, &child)) return false;
    if (node->kind == YTREE_MAP) {
      key = child;
      if (!next_event(r, &event) || !read_node(r, &event, depth, &child)) return false;
      if (!add_key(r, node, child, key, count)) return false;
    }
    *tail = child;
    tail = &child->next;
  }
}

/* Takes over the event. */
static bool read_node(struct reader *r, yaml_event_t *event, int depth, struct ytree **out) {
  struct ytree *node = pool_zero(r->pool, 1, sizeof *node);
  const yaml_char_t *anchor = NULL;
  yaml_event_type_t end = YAML_NO_EVENT;
  bool ok = node || report_memory(r->err);
  if (ok) node->line = (int)event->start_mark.line + 1;
  if (ok && depth > YTREE_DEPTH) ok = report(r->err, MV_LIMIT, "%s:%d: nested more than %d deep", r->file, node->line, YTREE_DEPTH);
  if (ok) switch (event->type) {
      case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        node->kind = YTREE_SCALAR;
        node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        node->text = pool_copy(r->pool, (struct span){(const char *)event->data.scalar.value, event->data.scalar.length});
        ok = node->text || report_memory(r->err);
        break;
      case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        node->kind = YTREE_LIST;
        end = YAML_SEQUENCE_END_EVENT;
        break;
      case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        node->kind = YTREE_MAP;
        end = YAML_MAPPING_END_EVENT;
        break;
      case YAML_ALIAS_EVENT: ok = read_alias(r, event, node); break;
      default: ok = report(r->err, MV_USAGE, "%s:%d: unexpected end of the YAML document", r->file, node->line); break;
    }
  if (ok && end != YAML_NO_EVENT) ok = read_children(r, node, end, depth + 1);
  if (ok) ok = remember(r, anchor, node);
  yaml_event_delete(event);
  *out = node;
  return ok;
}

bool ytree_parse(struct pool *pool, const char *file, struct span text, const struct ytree **out, mv_error_t *err) {
  struct reader r = {.pool = pool, .file = file, .err = err};
  const struct ytree **tail = out;
  *out = NULL;
  if (!yaml_parser_initialize(&r.parser)) return report_memory(err);
  yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.p, text.n);
  bool ok = true, more = true;
  while (ok && more) {
    yaml_event_t event;
    struct ytree *root;
    if (!(ok = next_event(&r, &event))) break;
    switch (event.type) {
      case YAML_STREAM_END_EVENT: more = false; /* fall through */
      case YAML_STREAM_START_EVENT:
      case YAML_DOCUMENT_END_EVENT: yaml_event_delete(&event); break;
      case YAML_DOCUMENT_START_EVENT:
        yaml_event_delete(&event);
        r.anchor_count = 0;
        if (!(ok = next_event(&r, &event) && read_node(&r, &event, 0, &root))) break;
        if (ytree_is_null(root)) break;
        *tail = root;
        tail = &root->next;
        break;
      default: yaml_event_delete(&event); break;
    }
  }
  yaml_parser_delete(&r.parser);
  return ok;
}

const struct ytree *ytree_get(const struct ytree *map, const char *key) {
  if (!map || map->kind != YTREE_MAP) return NULL;
  for (const struct ytree *m = map->first; m; m = m->next)
    if (strcmp(m->key, key) == 0) return m;
  for (const struct ytree *m = map->first; m; m = m->next) /* as Go reads them */
    if (strcasecmp(m->key, key) == 0) return m;
  return NULL;
}

bool ytree_is_null(const struct ytree *node) {
  if (!node) return true;
  if (node->kind != YTREE_SCALAR || node->quoted) return false;
  return node->text[0] == 0 || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0;
}

const char *ytree_text(const struct ytree *map, const char *key) {
  const struct ytree *node = ytree_get(map, key);
  return !ytree_is_null(node) && node->kind == YTREE_SCALAR ? node->text : NULL;
}

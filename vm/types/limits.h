/* Implementation limits (core/appendix/implementation), all in one place. They are those that engines share through the JS API's
 * list of limits, so that a module that loads here loads there. Passing one is MV_LIMIT, never MV_INVALID. Nothing is allocated
 * for a count before the count has been checked against its limit and against the bytes that are left. */
#ifndef TYPES_LIMITS_H
#define TYPES_LIMITS_H

enum {
  LIMIT_MODULE_SIZE = 1 << 30,   /* bytes */
  LIMIT_TYPES = 1000000,
  LIMIT_REC_GROUP = 1000000,     /* types of one rec group */
  LIMIT_SUBTYPE_DEPTH = 63,      /* proper supertypes of a type */
  LIMIT_PARAMS = 1000,
  LIMIT_RESULTS = 1000,
  LIMIT_STRUCT_FIELDS = 10000,
  LIMIT_FUNCS = 1000000,         /* defined ones; imports count by themselves */
  LIMIT_IMPORTS = 1000000,
  LIMIT_EXPORTS = 1000000,
  LIMIT_GLOBALS = 1000000,
  LIMIT_TAGS = 1000000,
  LIMIT_TABLES = 100000,
  LIMIT_MEMORIES = 100,
  LIMIT_ELEM_SEGMENTS = 10000000,
  LIMIT_ELEM_ITEMS = 10000000,   /* of one segment */
  LIMIT_DATA_SEGMENTS = 100000,
  LIMIT_NAME = 100000,           /* bytes */
  LIMIT_BODY_SIZE = 7654321,     /* bytes, locals included; the only limit on the targets of a br_table */
  LIMIT_OPERANDS = LIMIT_BODY_SIZE, /* values on the operand stack of one function */
  LIMIT_LOCALS = 50000,          /* of one function, parameters included */
  LIMIT_ARRAY_NEW_FIXED = 10000, /* operands */
  LIMIT_CUSTOM_SECTIONS = 100000
};

#endif

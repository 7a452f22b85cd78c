/* A Forth in two pages, driven by a script on standard input: function pointers, recursion, a growing heap of
 * definitions and errors that end one line. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 64, BODY = 128 };

struct word { struct word *next; char name[16]; void (*code)(struct word *); long body[BODY]; int used; };

static long stack[DEPTH];
static int depth, failed;
static struct word *words, *defining;

static void fail(const char *why)
{
    if (!failed)
        printf("? %s\n", why);
    failed = 1;
    depth = 0;
}

static void push(long x) { if (depth < DEPTH) stack[depth++] = x; else fail("stack overflow"); }
static long pop(void) { if (depth) return stack[--depth]; fail("stack underflow"); return 0; }

static void add(struct word *w) { long b = pop(); push(pop() + b); (void)w; }
static void subtract(struct word *w) { long b = pop(); push(pop() - b); (void)w; }
static void multiply(struct word *w) { long b = pop(); push((long)((unsigned long)pop() * (unsigned long)b)); (void)w; }
static void divide(struct word *w) { long b = pop(), a = pop(); if (b) push(a / b); else fail("division by zero"); (void)w; }
static void modulo(struct word *w) { long b = pop(), a = pop(); if (b) push(a % b); else fail("division by zero"); (void)w; }
static void dup(struct word *w) { long a = pop(); push(a); push(a); (void)w; }
static void swap(struct word *w) { long b = pop(), a = pop(); push(b); push(a); (void)w; }
static void over(struct word *w) { long b = pop(), a = pop(); push(a); push(b); push(a); (void)w; }
static void drop(struct word *w) { pop(); (void)w; }
static void less(struct word *w) { long b = pop(); push(pop() < b); (void)w; }
static void dot(struct word *w) { long a = pop(); if (!failed) printf("%ld ", a); (void)w; }
static void cr(struct word *w) { printf("\n"); (void)w; }

/* A body is pairs: 0 n pushes n, 1 word calls it, 2 target jumps if the top is zero, 3 target jumps. */
static void run(struct word *w)
{
    static int level;

    if (++level > 1000)
        fail("too deep");
    for (int i = 0; i < w->used && !failed; i += 2)
        switch (w->body[i]) {
        case 0: push(w->body[i + 1]); break;
        case 1: { struct word *callee = (struct word *)w->body[i + 1]; callee->code(callee); break; }
        case 2: if (pop() == 0) i = (int)w->body[i + 1] - 2; break;
        case 3: i = (int)w->body[i + 1] - 2; break;
        }
    level--;
}

static struct word *define(const char *name, void (*code)(struct word *))
{
    struct word *w = calloc(1, sizeof *w);

    if (!w)
        exit(99);
    snprintf(w->name, sizeof w->name, "%s", name);
    w->code = code;
    w->next = words;
    return words = w;
}

static void emit(long kind, long value)
{
    if (defining->used + 2 > BODY) {
        fail("definition too long");
        return;
    }
    defining->body[defining->used++] = kind;
    defining->body[defining->used++] = value;
}

static void compile_or_run(const char *token)
{
    static int marks[8], mark;
    char *end;
    long number = strtol(token, &end, 10);
    struct word *w = words;

    if (!strcmp(token, ";")) {
        defining = NULL;
    } else if (defining && !strcmp(token, "if")) {
        marks[mark++ & 7] = defining->used;
        emit(2, 0);
    } else if (defining && !strcmp(token, "else")) {
        int from = marks[--mark & 7];
        marks[mark++ & 7] = defining->used;
        emit(3, 0);
        defining->body[from + 1] = defining->used;
    } else if (defining && !strcmp(token, "then")) {
        defining->body[marks[--mark & 7] + 1] = defining->used;
    } else {
        while (w && strcmp(w->name, token))
            w = w->next;
        if (w && defining)
            emit(1, (long)w);
        else if (w)
            w->code(w);
        else if (*end)
            fail(token);
        else if (defining)
            emit(0, number);
        else
            push(number);
    }
}

int main(void)
{
    static const struct { const char *name; void (*code)(struct word *); } primitives[] = {
        { "+", add }, { "-", subtract }, { "*", multiply }, { "/", divide }, { "mod", modulo }, { "dup", dup }, { "swap", swap },
        { "over", over }, { "drop", drop }, { "<", less }, { ".", dot }, { "cr", cr },
    };
    char line[512];

    for (unsigned i = 0; i < sizeof primitives / sizeof *primitives; i++)
        define(primitives[i].name, primitives[i].code);
    while (fgets(line, sizeof line, stdin)) {
        failed = 0;
        for (char *token = strtok(line, " \t\n"); token && !failed; token = strtok(NULL, " \t\n"))
            if (!strcmp(token, ":"))
                defining = (token = strtok(NULL, " \t\n")) ? define(token, run) : NULL;
            else if (!strcmp(token, "\\"))
                break;
            else
                compile_or_run(token);
    }
    return depth;
}

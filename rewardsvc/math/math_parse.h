/* From a mathematical text to its tree. The grammar is in math_equal.h. */
#ifndef REWARDSVC_MATH_MATH_PARSE_H
#define REWARDSVC_MATH_MATH_PARSE_H

#include "rewardsvc/math/math_scan.h"
#include "rewardsvc/math/math_tree.h"

/* The tree of the whole text, or NULL: it is not in the grammar, or the budget is over
 * (tree_over tells). thousands: "1,234" is a number rather than a list of two; *saw_thousands is
 * set where that made a difference. */
Node *math_parse(Tree *t, Span text, bool thousands, bool *saw_thousands);

/* ---- between the parser's own files ---- */

enum { PARSE_MOST_DEPTH = 60 };

typedef struct {
    Tree *t;
    Span s;
    size_t at; /* behind tok */
    Token tok; /* the next one */
    int depth; /* of nested calls */
    int bars;  /* open | signs */
    bool thousands, saw_thousands, failed;
    Span
        digits; /* the latest factor was this integer literal; {NULL, 0} if it was something else */
} Parser;

/* A growing list of nodes in the arena. */
typedef struct {
    Node **kids;
    int n, room;
} Nodes;

void nodes_add(Tree *t, Nodes *list, Node *a);

void parse_next(Parser *p);           /* takes a token */
Node *parse_fail(Parser *p);          /* not in the grammar: nothing more is read; NULL */
bool parse_take(Parser *p, int kind); /* takes it if it is next */
bool parse_enter(Parser *p);          /* one level down; false if too deep */
static inline bool parse_sign(const Parser *p, char c)
{
    return p->tok.kind == TOKEN_SIGN + c;
}

Node *parse_list(Parser *p);                     /* items with separators (math_parse_items.c) */
Node *parse_sum(Parser *p);                      /* (math_parse.c) */
Node *parse_factor(Parser *p);                   /* signs and powers */
Node *parse_argument(Parser *p, bool one_digit); /* of \frac, ^: a group or one token */
bool parse_starts_factor(const Parser *p);       /* may an implied product go on here? */
Node *parse_atom(Parser *p);                     /* (math_parse_atom.c) */
Node *parse_number(Parser *p, bool one_digit);   /* a literal (math_parse_number.c) */
Node *parse_based(Parser *p);                    /* the literal just read has an index: its base */
Node *parse_function(Parser *p);                 /* (math_parse_function.c) */
Node *parse_bracket(Parser *p);                  /* ( [ < \{ and matrices (math_parse_items.c) */
Node *parse_matrix(Parser *p);
bool parse_unit_word(const Parser *p);            /* is the next token a plain unit word, "cm"? */
Node *parse_unit(Parser *p, Node *a);             /* a with the unit that follows */
Node *parse_money(Parser *p, Node *a, Span unit); /* "dollar", ... */
Node *parse_reals(Parser *p);                     /* the real numbers as an interval */
Node *parse_braces(Parser *p);                    /* { }: grouping, or a set in plain text */

#endif

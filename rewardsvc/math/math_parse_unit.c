/* See math_parse.h: the unit behind a value: known ones are told apart and converted, other words
 * are kept as they are. */
#include <string.h>

#include "rewardsvc/math/math_parse.h"
#include "rewardsvc/math/math_units.h"
#include "rewardsvc/math/math_words.h"

bool parse_unit_word(const Parser *p)
{
    Span run = p->tok.run;
    if (run.n < 2 || p->tok.kind == TOKEN_RELATION || unit_find(run) < 0) return false;
    return !(p->at < p->s.n && p->s.p[p->at] == '('); /* min(...) */
}

static Node *unit_node(Parser *p, Node *a, int unit, long power, Span words)
{
    Node *u = node_new(p->t, NODE_UNIT, unit, &a, 1);
    fmpq_set_si(u->value, power, 1); /* small: FLINT allocates nothing */
    u->name = words;
    return u;
}

Node *parse_money(Parser *p, Node *a, Span unit)
{
    return unit_node(p, a, unit_find(unit), 1, unit);
}

/* One of the words of a unit: "square" and "cubic" are powers, one name is the unit. */
static void read_word(Span word, int *unit, long *power, int *n_names)
{
    if (span_is(word, "square") || span_is(word, "sq")) {
        *power = 2;
    } else if (span_is(word, "cubic")) {
        *power = 3;
    } else {
        *unit = unit_find(word);
        ++*n_names;
    }
}

/* The words of one token: \text{square feet}, \text{cm}^2 written inside. */
static void read_words(Span text, int *unit, long *power, int *n_names)
{
    while ((text = span_trim(text)).n) {
        size_t n = 0;
        while (n < text.n && !strchr(" \t\n^.", text.p[n])) n++;
        if (n) read_word((Span){text.p, n}, unit, power, n_names);
        if (n < text.n && text.p[n] == '^' && n + 1 < text.n && text.p[n + 1] >= '2' &&
            text.p[n + 1] <= '9')
            *power = text.p[n + 1] - '0', n++;
        n += n < text.n;
        text = (Span){text.p + n, text.n - n};
    }
}

/* Are there digits in it that are no power? "\\text{ or 6}" is no unit. */
static bool has_digits(Span text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] >= '0' && text.p[i] <= '9' && (i == 0 || text.p[i - 1] != '^')) return true;
    return false;
}

/* Takes one word with its power; false if it is not one. */
static bool take_word(Parser *p, int *unit, long *power, int *n_names)
{
    bool words = p->tok.kind == TOKEN_TEXT;
    if (!words && !parse_unit_word(p)) return false;
    if (words && has_digits(p->tok.text)) return parse_fail(p), false;
    read_words(words ? p->tok.text : p->tok.run, unit, power, n_names);
    if (!words) p->at = p->tok.at + p->tok.run.n;
    parse_next(p);
    if (p->tok.kind == TOKEN_POWER_OF) {
        *power = p->tok.id;
        parse_next(p);
    } else if (parse_sign(p, '^')) {
        parse_next(p);
        Node *e = parse_argument(p, true);
        if (!e || !node_integral(e) || fmpz_cmpabs(fmpq_numref(e->value), (fmpz[]){9}) > 0)
            return parse_fail(p), true;
        *power = (long)fmpz_get_si(fmpq_numref(e->value));
    }
    return true;
}

Node *parse_unit(Parser *p, Node *a)
{
    int unit = -1, n_names = 0;
    long power = 1;
    size_t begin = p->tok.at;
    while (take_word(p, &unit, &power, &n_names))
        if (parse_sign(p, '/')) parse_next(p);
    if (p->failed) return NULL;
    if (a->has & HAS_OTHER) return a; /* (3, 4) cm */
    size_t end = p->tok.kind == TOKEN_END ? p->s.n : p->tok.at;
    Span words = span_trim((Span){p->s.p + begin, end - begin});
    return unit_node(p, a, n_names == 1 ? unit : -1, power, words);
}

/* See expression.h: a recursive descent over sums, products and atoms. */
#include "rewardsvc/expression.h"

#include <string.h>

#include "common/errors.h"

enum { DEPTH_MAX = 64, LONGEST = 4096 };

typedef struct {
    const char *p, *end;
    const Given *given;
    bool used[GIVEN_MAX];
    int depth;
} Parser;

/* ---- the given numbers ---- */

static int given_add(Given *g, Rational r)
{
    if (g->n == GIVEN_MAX) return -1;
    g->numbers[g->n++] = r;
    return 0;
}

static bool separates(char c)
{
    return c == ' ' || c == ',' || c == '\t';
}

static int read_text(const char *p, Given *g)
{
    while (*p) {
        size_t n = strcspn(p, " ,\t");
        Rational r;
        if (n > 0 && (rational_parse(p, n, &r) != 0 || r.den != 1 || given_add(g, r) != 0))
            return -1;
        p += n;
        while (separates(*p)) p++;
    }
    return 0;
}

static int read_list(const json_t *list, Given *g)
{
    const json_t *item;
    size_t i;
    json_array_foreach(list, i, item)
    {
        if (!json_is_integer(item) || given_add(g, rational_of(json_integer_value(item))) != 0)
            return -1;
    }
    return 0;
}

int record_given(const json_t *record, const char *field, Given *out)
{
    const json_t *v = json_object_get(record, field);
    out->n = 0;
    int rc = json_is_array(v)    ? read_list(v, out)
             : json_is_string(v) ? read_text(json_string_value(v), out)
                                 : -1;
    if (rc == 0 && out->n > 0) return 0;
    return fail("the problem's record has no field \"%s\" with 1 to %d whole numbers (a list, or a "
                "text of numbers)",
                field, GIVEN_MAX);
}

/* ---- the expression ---- */

static void skip_space(Parser *s)
{
    Span rest = span_trim((Span){s->p, (size_t)(s->end - s->p)});
    s->p = rest.n ? rest.p : s->end;
}

/* Takes one of the operators of a level; '*' and '/' have other spellings. 0 if none is next. */
static char take_operator(Parser *s, const char *level)
{
    static const struct {
        const char *text;
        char op;
    } spellings[] = {{"+", '+'},        {"-", '-'}, {"\xE2\x88\x92", '-'}, {"*", '*'},
                     {"\xC3\x97", '*'}, {"/", '/'}, {"\xC3\xB7", '/'}};
    skip_space(s);
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        size_t n = strlen(spellings[i].text);
        if ((size_t)(s->end - s->p) < n || memcmp(s->p, spellings[i].text, n) != 0) continue;
        if (!strchr(level, spellings[i].op)) return 0;
        s->p += n;
        return spellings[i].op;
    }
    return 0;
}

static ExpressionVerdict apply(char op, Rational a, Rational b, Rational *out)
{
    if (op == '/' && b.num == 0) return EXPRESSION_WRONG;
    int (*function)(Rational, Rational, Rational *) = op == '+'   ? rational_add
                                                      : op == '-' ? rational_sub
                                                      : op == '*' ? rational_mul
                                                                  : rational_div;
    return function(a, b, out) == 0 ? EXPRESSION_FINE : EXPRESSION_TOO_LARGE;
}

/* A given number that is still free. Digits only: signs and fractions are the operators' business.
 */
static ExpressionVerdict take_number(Parser *s, Rational *out)
{
    size_t n = 0;
    while (s->p + n < s->end && s->p[n] >= '0' && s->p[n] <= '9') n++;
    if (rational_parse(s->p, n, out) != 0) return EXPRESSION_WRONG;
    s->p += n;
    for (int i = 0; i < s->given->n; i++) {
        if (s->used[i] || !rational_equal(s->given->numbers[i], *out)) continue;
        s->used[i] = true;
        return EXPRESSION_FINE;
    }
    return EXPRESSION_WRONG;
}

static ExpressionVerdict parse_sum(Parser *s, Rational *out);

static ExpressionVerdict parse_atom(Parser *s, Rational *out)
{
    skip_space(s);
    if (s->p == s->end) return EXPRESSION_WRONG;
    if (*s->p != '(') return take_number(s, out);
    if (++s->depth > DEPTH_MAX) return EXPRESSION_WRONG;
    s->p++;
    ExpressionVerdict v = parse_sum(s, out);
    s->depth--;
    skip_space(s);
    if (v != EXPRESSION_FINE) return v;
    if (s->p == s->end || *s->p != ')') return EXPRESSION_WRONG;
    s->p++;
    return EXPRESSION_FINE;
}

static ExpressionVerdict parse_chain(Parser *s, const char *level,
                                     ExpressionVerdict (*operand)(Parser *, Rational *),
                                     Rational *out)
{
    ExpressionVerdict v = operand(s, out);
    for (char op; v == EXPRESSION_FINE && (op = take_operator(s, level)) != 0;) {
        Rational right, left = *out;
        v = operand(s, &right);
        if (v == EXPRESSION_FINE) v = apply(op, left, right, out);
    }
    return v;
}

static ExpressionVerdict parse_product(Parser *s, Rational *out)
{
    return parse_chain(s, "*/", parse_atom, out);
}

static ExpressionVerdict parse_sum(Parser *s, Rational *out)
{
    return parse_chain(s, "+-", parse_product, out);
}

/* "= value" after the expression is allowed if it is true. */
static bool tail_holds(Parser *s, Rational value)
{
    Rational said;
    Span rest = span_trim((Span){s->p, (size_t)(s->end - s->p)});
    if (rest.n == 0) return true;
    if (rest.p[0] != '=') return false;
    rest = span_trim((Span){rest.p + 1, rest.n - 1});
    return rational_parse(rest.p, rest.n, &said) == 0 && rational_equal(said, value);
}

static bool all_used(const Parser *s)
{
    for (int i = 0; i < s->given->n; i++)
        if (!s->used[i]) return false;
    return true;
}

ExpressionVerdict expression_value(Span text, const Given *given, Rational *value, bool *all)
{
    if (text.n > LONGEST) return EXPRESSION_WRONG;
    Parser s = {.p = text.p, .end = text.p + text.n, .given = given};
    ExpressionVerdict verdict = parse_sum(&s, value);
    if (verdict == EXPRESSION_FINE && !tail_holds(&s, *value)) return EXPRESSION_WRONG;
    *all = all_used(&s);
    return verdict;
}

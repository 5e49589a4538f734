/* See math_equal.h: from two texts to a verdict. */
#include "rewardsvc/math/math_equal.h"

#include <string.h>

#include "rewardsvc/math/math_compare.h"

/* About nanoseconds for both sides; measured against the clock by
 * tests/rewardsvc/test_math_equal.c. */
static const int64_t budget = 40000000;

/* Without blanks, dollars, emphasis and a full stop around it. */
static Span tidy(Span s)
{
    for (;;) {
        size_t before = s.n;
        s = span_trim(s);
        if (s.n >= 2 && s.p[0] == '$' && s.p[s.n - 1] == '$') s.p++, s.n -= 2;
        if (s.n && s.p[0] == '*') s.p++, s.n--;
        if (s.n && s.p[s.n - 1] == '*') s.n--;
        while (s.n && strchr(".,;:", s.p[s.n - 1]) && s.p[s.n - 1] &&
               !(s.n >= 2 && s.p[s.n - 2] == '\\'))
            s.n--;
        if (s.n == before) return s;
    }
}

/* Byte for byte, but for blanks between them. */
static bool same_bytes(Span a, Span b)
{
    return a.n == b.n && a.n && memcmp(a.p, b.p, a.n) == 0;
}

/* Words where a value would have to be; "area = 5" is none. */
static bool wordy(const Node *a)
{
    if (!(a->has & HAS_TEXT)) return false;
    if (a->kind == NODE_RELATION && a->kids[0]->kind == NODE_TEXT) return wordy(a->kids[1]);
    if (a->kind != NODE_LIST) return true;
    for (int i = 0; i < a->n; i++)
        if (wordy(a->kids[i])) return true;
    return false;
}

/* Both readings of one side: commas as thousands separators, and as a list's. */
typedef struct {
    Node *readings[2];
    int n;
} Side;

static Side read_side(Tree *t, Span s)
{
    Side side = {.n = 0};
    bool saw = false, ignored;
    Node *a = math_parse(t, s, true, &saw), *b = saw ? math_parse(t, s, false, &ignored) : NULL;
    if (a && !wordy(a)) side.readings[side.n++] = a;
    if (b && !wordy(b)) side.readings[side.n++] = b;
    return side;
}

static MathVerdict compare_sides(Tree *t, const MathRules *rules, Side a, Side b)
{
    Compare c = {t, rules};
    MathVerdict best = MATH_DIFFERENT;
    for (int i = 0; i < a.n; i++) {
        for (int k = 0; k < b.n; k++) {
            MathVerdict v = value_compare(&c, a.readings[i], b.readings[k]);
            if (v == MATH_EQUAL) return v;
            if (v == MATH_UNDECIDED) best = v;
        }
    }
    return best;
}

MathVerdict math_equal(Span answer, Span reference, const MathRules *rules)
{
    Tree t;
    if (answer.n > MATH_LONGEST || reference.n > MATH_LONGEST) return MATH_UNDECIDED;
    answer = tidy(answer), reference = tidy(reference);
    if (same_bytes(answer, reference)) return MATH_EQUAL;
    tree_init(&t, budget);
    Side a = read_side(&t, answer), b = read_side(&t, reference);
    MathVerdict verdict;
    if (tree_over(&t))
        verdict = MATH_UNDECIDED;
    else if (a.n && b.n)
        verdict = compare_sides(&t, rules, a, b);
    else if (rules->text)
        verdict = text_same(answer, reference) ? MATH_EQUAL : MATH_DIFFERENT;
    else
        verdict = MATH_UNDECIDED;
    tree_free(&t);
    return verdict;
}

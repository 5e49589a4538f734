/* The right quantity: a number with an optional unit, within an absolute or relative tolerance.
 * "1.5 km", "1500 m" and "1.5e3 \text{ m}" are one quantity; without a tolerance the comparison is
 * exact, as fractions. In a place that is made for an answer (a tag, a box, a ####) a second,
 * different quantity makes it none; in prose the last one counts. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/place.h"
#include "rewardsvc/reward.h"
#include "rewardsvc/units.h"

enum { ABSOLUTE, RELATIVE, UNITS, WHERE, PICK, FIELD, UNIT_FIELD };

static const RewardSetting settings[] = {
    {"absolute", SETTING_NUMBER, .number = 0, .least = 0, .most = 1e300,
     .help = "largest distance, in the reference's unit"},
    {"relative", SETTING_NUMBER, .number = 0, .least = 0, .most = 1,
     .help = "largest distance as a share of the reference"},
    {"units", SETTING_TEXT, .text = "optional",
     .help = "optional: a number without a unit is taken in the reference's; required: it is "
             "wrong; ignore: only numbers are compared"},
    {"where", SETTING_TEXT, .text = "final", .help = PLACE_HELP},
    {"pick", SETTING_TEXT, .text = "auto",
     .help = "only: the place has one quantity, perhaps several times; last: its last one; auto: "
             "only where an answer is marked, last in prose"},
    {"field", SETTING_TEXT, .text = "answer",
     .help = "field of the problem's record with the right quantity, or a list of them"},
    {"unit_field", SETTING_TEXT, .text = "unit", .help = "field with its unit, if it stands alone"},
    {0},
};

enum { NUMBER_MAX = 64, QUANTITIES_MAX = 64 };

typedef struct {
    Amount amount;
    Unit unit;
    bool has_unit;
} Quantity;

typedef enum { UNITS_OPTIONAL, UNITS_REQUIRED, UNITS_IGNORE } UnitRule;

typedef struct {
    const Place *place;
    bool marked_only[2]; /* pick `only` in [0] prose, [1] marked places */
    UnitRule units;
} Number;

/* ---- reading quantities ---- */

static bool take(Span *s, const char *word)
{
    size_t n = strlen(word);
    if (s->n < n || memcmp(s->p, word, n) != 0) return false;
    *s = (Span){s->p + n, s->n - n};
    return true;
}

static void skip_blanks(Span *s)
{
    while (take(s, " ") || take(s, "\\,") || take(s, "~")) continue;
}

/* "x 10^3" in its spellings, at s; the exponent, and *s behind it. */
static bool take_power_of_ten(Span *s, int *exponent)
{
    static const char *const signs[] = {"\xC3\x97", "*", "x", "X", "\\times", "\\cdot", "\xC2\xB7"};
    Span t = *s, before;
    bool any = false;
    skip_blanks(&t);
    for (int i = 0; i < 7 && !any; i++) any = take(&t, signs[i]);
    skip_blanks(&t);
    before = t;
    if (!any || !take(&t, "10^")) {
        if (!any || (t = before, !take(&t, "10**"))) return false;
    }
    bool brace = take(&t, "{"), minus = take(&t, "-") || take(&t, "\xE2\x88\x92");
    int n = 0, digits = 0;
    if (!minus) take(&t, "+");
    for (; t.n && *t.p >= '0' && *t.p <= '9' && digits < 3; digits++, t.p++, t.n--)
        n = 10 * n + (*t.p - '0');
    if (digits == 0 || n > 400 || (brace && !take(&t, "}"))) return false;
    *exponent = minus ? -n : n;
    *s = t;
    return true;
}

/* The currency sign before a number is its unit. */
static bool currency_before(Span text, const char *end, Unit *unit)
{
    static const char *const signs[] = {"$", "\xE2\x82\xAC", "\xC2\xA3"};
    const char *p = end;
    while (p > text.p && end - p < NUMBER_MAX &&
           ((p[-1] >= '0' && p[-1] <= '9') || strchr(",./-+", p[-1])))
        p--;
    for (int i = 0; i < 3; i++) {
        size_t n = strlen(signs[i]);
        if ((size_t)(p - text.p) < n || memcmp(p - n, signs[i], n) != 0) continue;
        return unit_scan((Span){signs[i], n}, unit) > 0;
    }
    return false;
}

/* The first quantity of *s, moved behind it. */
static bool next_quantity(Span *s, Quantity *q)
{
    Rational r;
    Span rest;
    int exponent;
    if (!number_first(*s, &r, &rest)) return false;
    *q = (Quantity){.amount = amount_of(r), .unit = unit_one};
    q->has_unit = currency_before(*s, rest.p, &q->unit);
    *s = rest;
    if (take_power_of_ten(s, &exponent))
        q->amount = amount_times(q->amount, amount_power(amount_of(rational_of(10)), exponent));
    size_t n = q->has_unit ? 0 : unit_scan(*s, &q->unit);
    q->has_unit |= n > 0;
    *s = (Span){s->p + n, s->n - n};
    return true;
}

static bool equal_amounts(Amount a, Amount b)
{
    if (a.exact && b.exact) return rational_equal(a.r, b.r);
    return fabs(a.d - b.d) <= 1e-12 * fabs(b.d);
}

static bool same_quantity(const Quantity *a, const Quantity *b)
{
    if (a->has_unit && b->has_unit)
        return unit_comparable(&a->unit, &b->unit) &&
               equal_amounts(amount_in_base(a->amount, &a->unit),
                             amount_in_base(b->amount, &b->unit));
    return equal_amounts(a->amount, b->amount);
}

/* What stands behind the last "=": the value of what stands before it. */
static Span after_equals(Span s)
{
    Span mark = span_find_last(s, "=");
    return mark.p ? span_after(s, mark) : s;
}

static bool read_quantity(Span s, bool only, Quantity *out)
{
    Quantity q;
    int n = 0;
    if (only) s = after_equals(s);
    for (; next_quantity(&s, &q); n++) {
        if (only && (n == QUANTITIES_MAX || (n > 0 && !same_quantity(&q, out)))) return false;
        *out = q;
    }
    return n > 0;
}

/* ---- the place ---- */

/* *marked: it is one that is made for an answer. */
static Span place_of(const Number *x, Span text, bool *marked)
{
    static const char *const words[] = {"hash", "boxed", "answer"};
    const char *where = x->place->word;
    Span s = x->place->take(text);
    *marked = strcmp(where, "whole") && strcmp(where, "last_line") &&
              strcmp(where, "after_think") && strcmp(where, "thinking");
    if (strcmp(where, "final")) return s;
    *marked = false;
    for (int i = 0; i < 3 && !*marked; i++) *marked = place_find(words[i])->take(text).p != NULL;
    return s;
}

/* ---- comparing ---- */

/* In the reference's unit, or its own number where it has none. */
static bool convert(UnitRule rule, const Quantity *said, const Quantity *right, Amount *out)
{
    *out = said->amount;
    if (rule == UNITS_IGNORE) return true;
    if (!said->has_unit) return rule == UNITS_OPTIONAL || !right->has_unit;
    if (!right->has_unit) {
        if (unit_is_number(&said->unit)) *out = amount_in_base(said->amount, &said->unit);
        return true;
    }
    if (!unit_comparable(&said->unit, &right->unit)) return false;
    Amount zero = right->unit.offset, base = amount_in_base(said->amount, &said->unit);
    zero.r.num = -zero.r.num;
    zero.d = -zero.d;
    *out = amount_times(amount_plus(base, zero), amount_power(right->unit.factor, -1));
    return true;
}

static bool near_enough(const RewardValue *v, Amount said, Amount right)
{
    double absolute = v[ABSOLUTE].number, relative = v[RELATIVE].number;
    if (equal_amounts(said, right)) return true;
    double off = fabs(said.d - right.d), bound = fmax(absolute, relative * fabs(right.d));
    return bound > 0 && off <= bound * (1 + 1e-12);
}

/* ---- the reward ---- */

static int read_right(const RewardValue *v, const json_t *record, Span text, Quantity *out)
{
    if (!read_quantity(span_trim(text), false, out))
        return fail("field \"%s\" of the problem's record has no number: %.*s", v[FIELD].text,
                    text.n > 60 ? 60 : (int)text.n, text.p);
    const char *unit = json_string_value(json_object_get(record, v[UNIT_FIELD].text));
    if (out->has_unit || !unit || !*unit) return 0;
    out->has_unit = unit_scan(span_of(unit), &out->unit) > 0;
    return 0;
}

static Score score(const RewardValue *v, void *state, const Evidence *e)
{
    const Number *x = state;
    References refs;
    Quantity said, right;
    Amount amount;
    bool marked, equal = false;
    if (references_read(e->record, v[FIELD].text, &refs)) return score_failed(SCORE_ERROR);
    Span text = {e->text, e->n_text}, s = place_of(x, text, &marked);
    bool half = !marked && e->finish == FINISH_LENGTH; /* cut off: perhaps half a number */
    bool found = s.p && !half && read_quantity(s, x->marked_only[marked], &said);
    int rc = 0;
    for (int i = 0; i < refs.n && rc == 0; i++) {
        rc = read_right(v, e->record, refs.list[i], &right);
        if (rc == 0 && found && convert(x->units, &said, &right, &amount))
            equal |= near_enough(v, amount, right.amount);
    }
    references_free(&refs);
    return rc ? score_failed(SCORE_ERROR) : score_ok(equal);
}

static int open_number(const RewardValue *v, void **state)
{
    static const char *const rules[] = {"optional", "required", "ignore"};
    const char *pick = v[PICK].text;
    Number x = {.place = place_find(v[WHERE].text)};
    int rule = 0;
    while (rule < 3 && strcmp(rules[rule], v[UNITS].text)) rule++;
    if (!x.place) return -1;
    if (rule == 3) return fail("units: %s is not optional, required or ignore", v[UNITS].text);
    if (strcmp(pick, "auto") && strcmp(pick, "only") && strcmp(pick, "last"))
        return fail("pick: %s is not auto, only or last", pick);
    x.units = (UnitRule)rule;
    x.marked_only[0] = !strcmp(pick, "only");
    x.marked_only[1] = strcmp(pick, "last") != 0;
    *state = NEW(Number, 1);
    memcpy(*state, &x, sizeof x);
    return 0;
}

const Reward reward_number = {
    .name = "number",
    .help = "1 if the answer is the right quantity (number and unit, within a tolerance), 0 "
            "otherwise",
    .settings = settings,
    .open = open_number,
    .close = mem_free,
    .score = score,
};

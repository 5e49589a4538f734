/* Keywords of JSON Schema about any value, numbers and strings. */
#include <math.h>

#include "rewardsvc/json_text.h"
#include "rewardsvc/schema_keywords.h"

/* ---- any type ---- */

bool type_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    (void)r, (void)m;
    return (c->types & value_type(v)) ||
           ((c->types & ON_WHOLE) && json_is_number(v) && json_is_whole(v));
}

bool const_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    (void)m;
    return values_same(r, c->value, v);
}

bool enum_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    (void)m;
    for (size_t i = 0; i < json_array_size(c->value); i++)
        if (values_same(r, json_array_get(c->value, i), v)) return true;
    return false;
}

bool ref_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    return node_holds(r, c->nodes[0], v, m);
}

bool all_of_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    for (int i = 0; i < c->n; i++)
        if (!node_holds(r, c->nodes[i], v, m)) return false;
    return true;
}

/* With marks every branch is looked at, since each that holds has looked at something. */
bool any_of_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    bool any = false;
    for (int i = 0; i < c->n && (m || !any); i++) any |= branch_holds(r, c->nodes[i], v, m);
    return any;
}

bool one_of_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    int count = 0;
    for (int i = 0; i < c->n && count < 2; i++) count += branch_holds(r, c->nodes[i], v, m);
    return count == 1;
}

bool not_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    (void)m;
    return !node_holds(r, c->nodes[0], v, NULL);
}

bool if_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    const Clause *next = c->siblings[branch_holds(r, c->nodes[0], v, m) ? 0 : 1];
    return !next || node_holds(r, next->nodes[0], v, m);
}

/* ---- numbers ---- */

bool maximum_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    (void)r, (void)m;
    return json_compare_numbers(v, c->value) <= 0;
}

bool exclusive_maximum_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    (void)r, (void)m;
    return json_compare_numbers(v, c->value) < 0;
}

bool minimum_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    (void)r, (void)m;
    return json_compare_numbers(v, c->value) >= 0;
}

bool exclusive_minimum_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    (void)r, (void)m;
    return json_compare_numbers(v, c->value) > 0;
}

/* As the decimals that were written: 0.0075 is a multiple of 0.0001. Where these do not fit 127
 * bits, the remainder of the doubles, which is exact for them. */
bool multiple_of_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    (void)r, (void)m;
    Rational a, b, quotient;
    if (json_rational(v, &a) == 0 && json_rational(c->value, &b) == 0 &&
        rational_div(a, b, &quotient) == 0)
        return quotient.den == 1;
    return fmod(json_number_value(v), json_number_value(c->value)) == 0;
}

/* ---- strings ---- */

bool max_length_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    (void)r, (void)m;
    return json_text_length(v) <= (size_t)c->count;
}

bool min_length_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    (void)r, (void)m;
    return json_text_length(v) >= (size_t)c->count;
}

bool pattern_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    (void)m;
    return pattern_found(r, c->patterns[0], json_string_value(v), json_string_length(v));
}

bool format_holds(Run *r, const Clause *c, const json_t *v, Marks *m)
{
    (void)m;
    return !c->format ||
           schema_format_holds(r, c->format, json_string_value(v), json_string_length(v));
}

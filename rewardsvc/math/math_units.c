/* See math_units.h. Each unit is an exact rational multiple of the first of its kind. */
#include "rewardsvc/math/math_units.h"

#include <string.h>

typedef struct {
    const char *names; /* separated by spaces */
    int kind;
    long num, den;
} Unit;

enum { LENGTH, TIME, MASS, MONEY, VOLUME, SPEED, EURO, POUND, YEN, ANGLE };

static const Unit units[] = {
    {"m meter meters metre metres", LENGTH, 1, 1},
    {"mm millimeter millimeters millimetre millimetres", LENGTH, 1, 1000},
    {"cm centimeter centimeters centimetre centimetres", LENGTH, 1, 100},
    {"km kilometer kilometers kilometre kilometres", LENGTH, 1000, 1},
    {"in inch inches", LENGTH, 254, 10000},
    {"ft foot feet", LENGTH, 3048, 10000},
    {"yd yard yards", LENGTH, 9144, 10000},
    {"mi mile miles", LENGTH, 1609344, 1000},
    {"s sec secs second seconds", TIME, 1, 1},
    {"ms millisecond milliseconds", TIME, 1, 1000},
    {"min mins minute minutes", TIME, 60, 1},
    {"h hr hrs hour hours", TIME, 3600, 1},
    {"day days", TIME, 86400, 1},
    {"week weeks", TIME, 604800, 1},
    {"g gram grams", MASS, 1, 1},
    {"mg milligram milligrams", MASS, 1, 1000},
    {"kg kilogram kilograms", MASS, 1000, 1},
    {"lb lbs", MASS, 45359237, 100000},
    {"oz ounce ounces", MASS, 45359237, 1600000},
    {"dollar dollars usd", MONEY, 1, 1},
    {"cent cents", MONEY, 1, 100},
    {"l liter liters litre litres", VOLUME, 1, 1},
    {"ml milliliter milliliters millilitre millilitres", VOLUME, 1, 1000},
    {"mph", SPEED, 1609344, 3600000},
    {"km/h kph kmh", SPEED, 1000, 3600},
    {"m/s", SPEED, 1, 1},
    {"euro euros eur", EURO, 1, 1},
    {"pound pounds gbp", POUND, 1, 1},
    {"yen", YEN, 1, 1},
    {"rad radian radians", ANGLE, 1, 1},
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool same_word(const char *word, size_t n, Span name)
{
    if (n != name.n) return false;
    for (size_t i = 0; i < n; i++)
        if (n > 2 ? lower(name.p[i]) != word[i] : name.p[i] != word[i]) return false;
    return true;
}

int unit_find(Span name)
{
    for (int i = 0; i < (int)(sizeof units / sizeof *units); i++) {
        for (const char *w = units[i].names; *w;) {
            size_t n = strcspn(w, " ");
            if (same_word(w, n, name)) return i;
            w += n + (w[n] == ' ');
        }
    }
    return -1;
}

bool unit_convert(int from, int to, fmpq_t factor)
{
    const Unit *a = &units[from], *b = &units[to];
    fmpq_t q;
    fmpq_init(q);
    fmpq_set_si(factor, a->num, (ulong)a->den);
    fmpq_set_si(q, b->num, (ulong)b->den);
    fmpq_div(factor, factor, q);
    fmpq_clear(q);
    return a->kind == b->kind;
}

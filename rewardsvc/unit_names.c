/* See unit_names.h. A name counts as a whole before it counts as prefix and name: "min" is no
 * milli-inch, "ft" no femto-tonne. */
#include "rewardsvc/unit_names.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#include "common/memory.h"
#include "rewardsvc/words.h"

typedef enum { NO_PREFIX, SYMBOL, NAME } Prefixes; /* which prefixes it takes */

typedef struct {
    const char *names; /* separated by blanks; the first of a NAME row also with a plural s */
    const char *factor;
    signed char dimension[UNIT_DIMENSIONS];
    Prefixes prefixes;
    const char *offset;
} UnitRow;

static const UnitRow rows[] = {
    {"m", "1", {1}, SYMBOL, 0},
    {"meter metre", "1", {1}, NAME, 0},
    {"micron", "0.000001", {1}, NAME, 0},
    {"in inch inches \"", "0.0254", {1}, NO_PREFIX, 0},
    {"ft foot feet", "0.3048", {1}, NO_PREFIX, 0},
    {"yd yard yards", "0.9144", {1}, NO_PREFIX, 0},
    {"mi mile miles", "1609.344", {1}, NO_PREFIX, 0},
    {"nmi", "1852", {1}, NO_PREFIX, 0},
    {"au AU", "149597870700", {1}, NO_PREFIX, 0},
    {"ly lightyear lightyears light-year light-years", "9460730472580800", {1}, NO_PREFIX, 0},
    {"\xC3\x85 \xE2\x84\xAB angstrom angstroms", "0.0000000001", {1}, NO_PREFIX, 0},
    {"ha hectare hectares", "10000", {2}, NO_PREFIX, 0},
    {"acre acres", "4046.8564224", {2}, NO_PREFIX, 0},
    {"L l \xE2\x84\x93", "0.001", {3}, SYMBOL, 0},
    {"liter litre", "0.001", {3}, NAME, 0},
    {"gallon gallons gal", "0.003785411784", {3}, NO_PREFIX, 0},
    {"g", "0.001", {0, 1}, SYMBOL, 0},
    {"gram gramme", "0.001", {0, 1}, NAME, 0},
    {"t", "1000", {0, 1}, SYMBOL, 0},
    {"tonne ton", "1000", {0, 1}, NAME, 0},
    {"lb lbs pound pounds", "0.45359237", {0, 1}, NO_PREFIX, 0},
    {"oz ounce ounces", "0.028349523125", {0, 1}, NO_PREFIX, 0},
    {"s", "1", {0, 0, 1}, SYMBOL, 0},
    {"second", "1", {0, 0, 1}, NAME, 0},
    {"sec secs", "1", {0, 0, 1}, NO_PREFIX, 0},
    {"min mins minute minutes", "60", {0, 0, 1}, NO_PREFIX, 0},
    {"h hr hrs hour hours", "3600", {0, 0, 1}, NO_PREFIX, 0},
    {"d day days", "86400", {0, 0, 1}, NO_PREFIX, 0},
    {"wk week weeks", "604800", {0, 0, 1}, NO_PREFIX, 0},
    {"yr year years", "31557600", {0, 0, 1}, NO_PREFIX, 0}, /* Julian, 365.25 days */
    {"mph", "0.44704", {1, 0, -1}, NO_PREFIX, 0},
    {"kph kmh", "5/18", {1, 0, -1}, NO_PREFIX, 0},
    {"knot knots kn", "463/900", {1, 0, -1}, NO_PREFIX, 0},
    {"A", "1", {0, 0, 0, 1}, SYMBOL, 0},
    {"ampere amp", "1", {0, 0, 0, 1}, NAME, 0},
    {"K", "1", {0, 0, 0, 0, 1}, SYMBOL, 0},
    {"kelvin", "1", {0, 0, 0, 0, 1}, NAME, 0},
    {"\xC2\xB0"
     "C degC celsius Celsius \xE2\x84\x83",
     "1",
     {0, 0, 0, 0, 1},
     NO_PREFIX,
     "273.15"},
    {"\xC2\xB0"
     "F degF fahrenheit Fahrenheit \xE2\x84\x89",
     "5/9",
     {0, 0, 0, 0, 1},
     NO_PREFIX,
     "45967/180"},
    {"mol", "1", {0, 0, 0, 0, 0, 1}, SYMBOL, 0},
    {"mole", "1", {0, 0, 0, 0, 0, 1}, NAME, 0},
    {"cd", "1", {0, 0, 0, 0, 0, 0, 1}, SYMBOL, 0},
    {"Hz", "1", {0, 0, -1}, SYMBOL, 0},
    {"hertz", "1", {0, 0, -1}, NAME, 0},
    {"N", "1", {1, 1, -2}, SYMBOL, 0},
    {"newton", "1", {1, 1, -2}, NAME, 0},
    {"Pa", "1", {-1, 1, -2}, SYMBOL, 0},
    {"pascal", "1", {-1, 1, -2}, NAME, 0},
    {"bar", "100000", {-1, 1, -2}, SYMBOL, 0},
    {"atm", "101325", {-1, 1, -2}, NO_PREFIX, 0},
    {"J", "1", {2, 1, -2}, SYMBOL, 0},
    {"joule", "1", {2, 1, -2}, NAME, 0},
    {"eV", "0.0000000000000000001602176634", {2, 1, -2}, SYMBOL, 0},
    {"cal", "4.184", {2, 1, -2}, SYMBOL, 0},
    {"calorie", "4.184", {2, 1, -2}, NAME, 0},
    {"Wh", "3600", {2, 1, -2}, SYMBOL, 0},
    {"W", "1", {2, 1, -3}, SYMBOL, 0},
    {"watt", "1", {2, 1, -3}, NAME, 0},
    {"C", "1", {0, 0, 1, 1}, SYMBOL, 0},
    {"coulomb", "1", {0, 0, 1, 1}, NAME, 0},
    {"V", "1", {2, 1, -3, -1}, SYMBOL, 0},
    {"volt", "1", {2, 1, -3, -1}, NAME, 0},
    {"F", "1", {-2, -1, 4, 2}, SYMBOL, 0},
    {"farad", "1", {-2, -1, 4, 2}, NAME, 0},
    {"\xCE\xA9 \xE2\x84\xA6", "1", {2, 1, -3, -2}, SYMBOL, 0},
    {"ohm", "1", {2, 1, -3, -2}, NAME, 0},
    {"S", "1", {-2, -1, 3, 2}, SYMBOL, 0},
    {"Wb", "1", {2, 1, -2, -1}, SYMBOL, 0},
    {"T", "1", {0, 1, -2, -1}, SYMBOL, 0},
    {"tesla", "1", {0, 1, -2, -1}, NAME, 0},
    {"H", "1", {2, 1, -2, -2}, SYMBOL, 0},
    {"henry", "1", {2, 1, -2, -2}, NAME, 0},
    {"lm", "1", {0, 0, 0, 0, 0, 0, 1}, SYMBOL, 0},
    {"lx", "1", {-2, 0, 0, 0, 0, 0, 1}, SYMBOL, 0},
    {"Bq", "1", {0, 0, -1}, SYMBOL, 0},
    {"Gy Sv", "1", {2, 0, -2}, SYMBOL, 0},
    {"B", "1", {0, 0, 0, 0, 0, 0, 0, 1}, SYMBOL, 0},
    {"byte", "1", {0, 0, 0, 0, 0, 0, 0, 1}, NAME, 0},
    {"bit", "1/8", {0, 0, 0, 0, 0, 0, 0, 1}, NAME, 0},
    {"KiB", "1024", {0, 0, 0, 0, 0, 0, 0, 1}, NO_PREFIX, 0},
    {"MiB", "1048576", {0, 0, 0, 0, 0, 0, 0, 1}, NO_PREFIX, 0},
    {"GiB", "1073741824", {0, 0, 0, 0, 0, 0, 0, 1}, NO_PREFIX, 0},
    {"TiB", "1099511627776", {0, 0, 0, 0, 0, 0, 0, 1}, NO_PREFIX, 0},
    {"$ USD dollar dollars", "1", {0, 0, 0, 0, 0, 0, 0, 0, 1}, NO_PREFIX, 0},
    {"cent cents \xC2\xA2", "0.01", {0, 0, 0, 0, 0, 0, 0, 0, 1}, NO_PREFIX, 0},
    {"\xE2\x82\xAC EUR euro euros", "1", {0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, NO_PREFIX, 0},
    {"\xC2\xA3 GBP", "1", {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, NO_PREFIX, 0},
    {"% percent", "0.01", {0}, NO_PREFIX, 0},
    {"\xE2\x80\xB0", "0.001", {0}, NO_PREFIX, 0},
    {"rad radian radians", "1", {0}, NO_PREFIX, 0},
    {"\xC2\xB0 deg degree degrees", "pi/180", {0}, NO_PREFIX, 0},
};

static const struct {
    const char *symbol, *name;
    int exponent;
} prefixes[] = {
    {"Y", "yotta", 24}, {"Z", "zetta", 21},        {"E", "exa", 18},          {"P", "peta", 15},
    {"T", "tera", 12},  {"G", "giga", 9},          {"M", "mega", 6},          {"k", "kilo", 3},
    {"h", "hecto", 2},  {"da", "deca", 1},         {"d", "deci", -1},         {"c", "centi", -2},
    {"m", "milli", -3}, {"\xC2\xB5", "micro", -6}, {"\xCE\xBC", "micro", -6}, {"u", "micro", -6},
    {"n", "nano", -9},  {"p", "pico", -12},        {"f", "femto", -15},       {"a", "atto", -18}};

static Amount amount_read(const char *text)
{
    Rational r;
    if (!strcmp(text, "pi/180")) return (Amount){.d = acos(-1) / 180};
    return rational_parse(text, strlen(text), &r) == 0 ? amount_of(r) : (Amount){.d = NAN};
}

static void unit_of_row(const UnitRow *row, int exponent, Unit *out)
{
    *out = unit_one;
    out->factor =
        amount_times(amount_read(row->factor), amount_power(amount_of(rational_of(10)), exponent));
    if (row->offset) out->offset = amount_read(row->offset);
    memcpy(out->dimension, row->dimension, sizeof out->dimension);
}

/* Every name there is, with prefixes and plurals: made once, then only read. */
static Vocabulary names;
static Unit *units; /* [names.n] */
static pthread_once_t names_once = PTHREAD_ONCE_INIT;

/* A name that is there already stays what it is. */
static void add_name(const char *prefix, Span name, const char *plural, const UnitRow *row,
                     int exponent)
{
    char *text = mem_printf("%s%.*s%s", prefix, (int)name.n, name.p, plural);
    int before = names.n;
    if (vocabulary_add(&names, span_of(text)) < before) {
        mem_free(text);
        return;
    }
    if ((before & (before - 1)) == 0) /* 0 or a power of two: full */
        units = mem_resize(units, (size_t)before, before ? 2 * (size_t)before : 1, sizeof *units);
    unit_of_row(row, exponent, &units[before]);
}

static void add_row(const char *prefix, const UnitRow *row, int exponent)
{
    for (const char *p = row->names; *p;) {
        size_t n = strcspn(p, " ");
        add_name(prefix, (Span){p, n}, "", row, exponent);
        if (row->prefixes == NAME) add_name(prefix, (Span){p, n}, "s", row, exponent);
        p += n + (p[n] == ' ');
    }
}

static void make_names(void)
{
    const size_t n_rows = sizeof rows / sizeof *rows,
                 n_prefixes = sizeof prefixes / sizeof *prefixes;
    for (size_t i = 0; i < n_rows; i++) add_row("", &rows[i], 0);
    for (size_t k = 0; k < n_prefixes; k++)
        for (size_t i = 0; i < n_rows; i++)
            if (rows[i].prefixes != NO_PREFIX)
                add_row(rows[i].prefixes == NAME ? prefixes[k].name : prefixes[k].symbol, &rows[i],
                        prefixes[k].exponent);
}

bool unit_named(Span word, Unit *out)
{
    pthread_once(&names_once, make_names);
    int32_t k = vocabulary_find(&names, word);
    if (k >= 0) *out = units[k];
    return k >= 0;
}

/* See units.h. The text is first freed of LaTeX (\text{}, ^{2}, \cdot, ^\circ) into a small buffer,
 * each byte of which remembers where it came from; then a grammar of products and powers reads it.
 * A name counts as a whole before it counts as prefix and name: "min" is no milli-inch, "ft" no
 * femto-tonne. */
#include "rewardsvc/units.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#include "common/memory.h"
#include "rewardsvc/words.h"

enum { READ_MAX = 96, NEST_MAX = 4, POWER_MAX = 12, FACTORS_MAX = 16 };

const Unit unit_one = {.factor = {true, {1, 1}, 1}, .offset = {true, {0, 1}, 0}};

/* ---- amounts ---- */

Amount amount_of(Rational r)
{
    return (Amount){true, r, rational_double(r)};
}

Amount amount_times(Amount a, Amount b)
{
    Amount out = {.exact = a.exact && b.exact, .d = a.d * b.d};
    if (out.exact) out.exact = rational_mul(a.r, b.r, &out.r) == 0;
    if (out.exact) out.d = rational_double(out.r);
    return out;
}

Amount amount_plus(Amount a, Amount b)
{
    Amount out = {.exact = a.exact && b.exact, .d = a.d + b.d};
    if (out.exact) out.exact = rational_add(a.r, b.r, &out.r) == 0;
    if (out.exact) out.d = rational_double(out.r);
    return out;
}

Amount amount_power(Amount a, int exponent)
{
    Amount out = amount_of(rational_of(1));
    for (int i = 0, n = exponent < 0 ? -exponent : exponent; i < n; i++) out = amount_times(out, a);
    if (exponent >= 0) return out;
    Amount inverse = {.exact = out.exact, .d = 1 / out.d};
    if (out.exact) inverse.exact = rational_div(rational_of(1), out.r, &inverse.r) == 0;
    return inverse;
}

Amount amount_in_base(Amount a, const Unit *u)
{
    return amount_plus(amount_times(a, u->factor), u->offset);
}

/* ---- the table ---- */

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

static bool unit_named(Span word, Unit *out)
{
    pthread_once(&names_once, make_names);
    int32_t k = vocabulary_find(&names, word);
    if (k >= 0) *out = units[k];
    return k >= 0;
}

/* ---- LaTeX away ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

typedef struct {
    char text[READ_MAX * 3 + 1];
    uint16_t from[READ_MAX * 3 + 1]; /* offset behind the source of each byte */
    size_t n;
} Plain;

static void make_plain(Span s, Plain *out)
{
    static const struct {
        const char *latex, *plain;
    } rules[] = {{"^\\circ", "\xC2\xB0"},
                 {"^{\\circ}", "\xC2\xB0"},
                 {"\\circ", "\xC2\xB0"},
                 {"\\degree", "\xC2\xB0"},
                 {"\\text{", " "},
                 {"\\mathrm{", " "},
                 {"\\textrm{", " "},
                 {"\\mbox{", " "},
                 {"\\operatorname{", " "},
                 {"\\rm", " "},
                 {"\\cdot", "*"},
                 {"\\times", "*"},
                 {"\\Omega", "\xCE\xA9"},
                 {"\\mu", "\xC2\xB5"},
                 {"\\%", "%"},
                 {"\\$", "$"},
                 {"\\,", " "},
                 {"\\;", " "},
                 {"\\:", " "},
                 {"\\!", ""},
                 {"\\ ", " "},
                 {"~", " "},
                 {"\xC2\xB7", "*"},
                 {"\xE2\x8B\x85", "*"},
                 {"\xC2\xA0", " "},
                 {"\xE2\x80\xAF", " "},
                 {"\xC2\xB2", "^2"},
                 {"\xC2\xB3", "^3"},
                 {"\xE2\x81\xBB\xC2\xB9", "^-1"},
                 {"\xE2\x81\xBB\xC2\xB2", "^-2"},
                 {"\xE2\x81\xBB\xC2\xB3", "^-3"},
                 {"\xE2\x88\x92", "-"},
                 {"{", ""},
                 {"}", ""},
                 {"**", "^"}};
    out->n = 0;
    for (size_t i = 0; i < s.n && i < READ_MAX;) {
        const char *plain = NULL;
        size_t taken = 1;
        bool rule = (unsigned char)s.p[i] >= 0x80 || (s.p[i] && strchr("\\~^{}*", s.p[i]));
        for (size_t k = 0; rule && !plain && k < sizeof rules / sizeof *rules; k++) {
            if (rules[k].latex[0] != s.p[i]) continue;
            size_t n = strlen(rules[k].latex);
            if (n > s.n - i || memcmp(s.p + i, rules[k].latex, n) != 0) continue;
            plain = rules[k].plain;
            taken = n;
        }
        size_t n = plain ? strlen(plain) : 1;
        memcpy(out->text + out->n, plain ? plain : s.p + i, n);
        i += taken;
        for (size_t k = 0; k < n; k++) out->from[out->n + k] = (uint16_t)i;
        if (!n && out->n) out->from[out->n - 1] = (uint16_t)i; /* a closing brace goes along */
        out->n += n;
    }
    out->text[out->n] = 0;
}

/* ---- the grammar: product := power { [*] power | (/ | per) power } ---- */

typedef struct {
    const char *text;
    size_t at;
    int depth, factors;
} Reader;

static void skip_blanks(Reader *r)
{
    while (r->text[r->at] == ' ') r->at++;
}

static bool take(Reader *r, const char *word)
{
    size_t n = strlen(word);
    if (strncmp(r->text + r->at, word, n) != 0) return false;
    if (is_letter(word[n - 1]) && is_letter(r->text[r->at + n])) return false;
    r->at += n;
    return true;
}

static bool read_product(Reader *r, Unit *out);

/* Degrees Celsius and Fahrenheit, also with a blank between. */
static bool read_temperature(Reader *r, Unit *out)
{
    size_t before = r->at;
    if (strncmp(r->text + r->at, "\xC2\xB0", 2) != 0) return false;
    r->at += 2;
    skip_blanks(r);
    bool celsius = take(r, "C");
    if (celsius || take(r, "F")) return unit_named(span_of(celsius ? "degC" : "degF"), out);
    r->at = before;
    return false;
}

/* A name: letters, or one sign. */
static bool read_name(Reader *r, Unit *out)
{
    if (read_temperature(r, out)) return true;
    const char *p = r->text + r->at;
    size_t n = 0;
    while (is_letter(p[n]) || (p[n] == '-' && !strncmp(p, "light-year", 10) && n == 5)) n++;
    if (n == 0 && (*p == '%' || *p == '$' || *p == '"')) n = 1;
    if (n == 0 || !unit_named((Span){p, n}, out)) return false;
    r->at += n;
    return true;
}

static int read_exponent(Reader *r)
{
    size_t before = r->at;
    int sign = 1, n = 0;
    bool hat = take(r, "^");
    if (hat && take(r, "-")) sign = -1;
    if (r->text[r->at] < '0' || r->text[r->at] > '9') {
        r->at = before;
        return 1;
    }
    while (r->text[r->at] >= '0' && r->text[r->at] <= '9' && n <= POWER_MAX)
        n = 10 * n + (r->text[r->at++] - '0');
    return sign * n;
}

static void raise(Unit *u, int exponent)
{
    u->factor = amount_power(u->factor, exponent);
    u->offset = unit_one.offset;
    for (int i = 0; i < UNIT_DIMENSIONS; i++)
        u->dimension[i] = (signed char)(u->dimension[i] * exponent);
}

static bool read_power(Reader *r, Unit *out)
{
    size_t before = r->at;
    int named = take(r, "square ") || take(r, "sq ") || take(r, "sq. ") ? 2
                : take(r, "cubic ") || take(r, "cu ")                   ? 3
                                                                        : 1;
    bool ok;
    skip_blanks(r);
    if (named == 1 && r->depth < NEST_MAX && take(r, "(")) {
        r->depth++;
        ok = read_product(r, out);
        skip_blanks(r);
        ok = ok && take(r, ")");
        r->depth--;
    } else {
        ok = ++r->factors <= FACTORS_MAX && read_name(r, out);
    }
    int exponent = ok ? read_exponent(r) * named : 1;
    ok = ok && exponent >= -POWER_MAX && exponent <= POWER_MAX;
    if (ok && exponent != 1) raise(out, exponent);
    if (!ok) r->at = before;
    return ok;
}

static void multiply(Unit *a, const Unit *b)
{
    a->factor = amount_times(a->factor, b->factor);
    a->offset = unit_one.offset;
    for (int i = 0; i < UNIT_DIMENSIONS; i++)
        a->dimension[i] = (signed char)(a->dimension[i] + b->dimension[i]);
}

static bool read_product(Reader *r, Unit *out)
{
    Unit next;
    skip_blanks(r);
    if (!read_power(r, out)) return false;
    for (;;) {
        size_t before = r->at;
        skip_blanks(r);
        bool per = take(r, "/") || take(r, "per"), times = !per && take(r, "*");
        skip_blanks(r);
        if ((!per && !times && r->at == before) || !read_power(r, &next)) {
            r->at = before;
            return true;
        }
        if (per) raise(&next, -1);
        multiply(out, &next);
    }
}

size_t unit_scan(Span s, Unit *out)
{
    Plain plain;
    size_t blanks = 0;
    while (blanks < s.n && s.p[blanks] == ' ') blanks++;
    *out = unit_one;
    if (blanks == s.n || blanks > READ_MAX / 2) return 0;
    if (!is_letter(s.p[blanks]) && !strchr("\\%$\"(^~{", s.p[blanks])) return 0;
    make_plain(s, &plain);
    Reader r = {.text = plain.text};
    if (!read_product(&r, out)) {
        *out = unit_one;
        return 0;
    }
    return plain.from[r.at - 1];
}

bool unit_comparable(const Unit *a, const Unit *b)
{
    return memcmp(a->dimension, b->dimension, sizeof a->dimension) == 0;
}

bool unit_is_number(const Unit *a)
{
    return unit_comparable(a, &unit_one);
}

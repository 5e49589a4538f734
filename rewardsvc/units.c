/* See units.h. The text is first freed of LaTeX (\text{}, ^{2}, \cdot, ^\circ) into a small buffer,
 * each byte of which remembers where it came from; then a grammar of products and powers reads it.
 */
#include "rewardsvc/units.h"

#include <string.h>

#include "rewardsvc/unit_names.h"

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

/* Checks the calculations an answer shows: the share of its equations between numbers that are
 * true ("12 + 30 = 42", "3 * (4 - 1) = 9 = 10 - 1"). It is what the calculator of a reward model
 * with tools does (Themis; specification 2, section 14), without the model. A text without an
 * equation has none to check: not applicable.
 *
 * Values are exact fractions. A right side that is a decimal may be rounded to the digits it shows
 * ("10 / 3 = 3.33"). Sides next to letters or powers ("2x + 3 = 7", "= 3^2") are no calculations.
 * The grammar is bounded, and a side is at most 200 bytes. */
#include <string.h>

#include "common/errors.h"
#include "rewardsvc/place.h"
#include "rewardsvc/reward.h"

enum { EXACT, LEAST, WHERE };
enum { SIDE_MAX = 200, DEPTH_MAX = 16 };

static const RewardSetting settings[] = {
    {"exact", SETTING_BOOL, .number = 0, .help = "no rounding on the right side"},
    {"least", SETTING_NUMBER, .number = 1, .least = 1, .most = 1000,
     .help = "fewer equations than this are not judged"},
    {"where", SETTING_TEXT, .text = "whole", .help = PLACE_HELP},
    {0},
};

static int check(const RewardValue *v, void **state)
{
    *state = (void *)(uintptr_t)place_find(v[WHERE].text);
    return *state ? 0 : -1;
}

/* ---- one side ---- */

typedef struct {
    const char *p, *end;
    int depth, operators;
    int digits; /* after the point of the latest number */
} Side;

static void skip(Side *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '$')) s->p++;
}

/* One of the level's operators; 0, and nothing taken, if none is next. */
static char operator_at(Side *s, const char *level)
{
    static const struct {
        const char *text;
        char op;
    } spellings[] = {{"+", '+'},      {"-", '-'},        {"\xE2\x88\x92", '-'},
                     {"*", '*'},      {"\xC3\x97", '*'}, {"\\times", '*'},
                     {"\\cdot", '*'}, {"x", '*'},        {"\xE2\x80\x93", '-'},
                     {"/", '/'},      {"\xC3\xB7", '/'}, {"\\div", '/'}};
    const char *before = s->p;
    skip(s);
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        size_t n = strlen(spellings[i].text);
        if ((size_t)(s->end - s->p) < n || memcmp(s->p, spellings[i].text, n) != 0) continue;
        if (!strchr(level, spellings[i].op)) break;
        s->p += n;
        s->operators++;
        return spellings[i].op;
    }
    s->p = before;
    return 0;
}

static bool read_sum(Side *s, Rational *out);

/* A number without a sign or a fraction bar: those are operators here. */
static bool read_number(Side *s, Rational *out)
{
    size_t n = 0, room = (size_t)(s->end - s->p);
    const char *point;
    while (n < room &&
           ((s->p[n] >= '0' && s->p[n] <= '9') ||
            (strchr(".,", s->p[n]) && n + 1 < room && s->p[n + 1] >= '0' && s->p[n + 1] <= '9')))
        n++;
    if (n == 0 || rational_parse(s->p, n, out) != 0) return false;
    point = memchr(s->p, '.', n);
    s->digits = point ? (int)(s->p + n - point - 1) : 0;
    s->p += n;
    return true;
}

static bool read_atom(Side *s, Rational *out)
{
    skip(s);
    if (s->p == s->end) return false;
    if (*s->p == '-') {
        s->p++;
        skip(s);
        if (!read_number(s, out)) return false;
        out->num = -out->num;
        return true;
    }
    if (*s->p != '(') return read_number(s, out);
    if (++s->depth > DEPTH_MAX) return false;
    s->p++;
    bool ok = read_sum(s, out);
    s->depth--;
    skip(s);
    if (!ok || s->p == s->end || *s->p != ')') return false;
    s->p++;
    return true;
}

static bool apply(char op, Rational a, Rational b, Rational *out)
{
    return (op == '+'   ? rational_add(a, b, out)
            : op == '-' ? rational_sub(a, b, out)
            : op == '*' ? rational_mul(a, b, out)
                        : rational_div(a, b, out)) == 0;
}

static bool read_chain(Side *s, const char *level, bool (*operand)(Side *, Rational *),
                       Rational *out)
{
    if (!operand(s, out)) return false;
    for (char op; (op = operator_at(s, level)) != 0;) {
        Rational right, left = *out;
        if (!operand(s, &right) || !apply(op, left, right, out)) return false;
    }
    return true;
}

static bool read_product(Side *s, Rational *out)
{
    return read_chain(s, "*/", read_atom, out);
}

static bool read_sum(Side *s, Rational *out)
{
    return read_chain(s, "+-", read_product, out);
}

/* ---- the sides of an "=" ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The bytes of a piece of a calculation that ends at i: a digit or mark, a sign's two or three
 * bytes, \\times, or an x that stands between numbers. 0: what ends there is none. */
static size_t piece_before(Span text, size_t from, size_t i)
{
    static const char *const signs[] = {"\xC3\x97", "\xC3\xB7", "\xE2\x88\x92", "\xE2\x80\x93",
                                        "\\times",  "\\cdot",   "\\div"};
    char c = text.p[i - 1];
    if ((c >= '0' && c <= '9') || (c && strchr(" .,+-*/()$", c))) return 1;
    for (size_t k = 0; k < sizeof signs / sizeof *signs; k++) {
        size_t n = strlen(signs[k]);
        if (i - from >= n && memcmp(text.p + i - n, signs[k], n) == 0) return n;
    }
    bool between = c == 'x' && i - from >= 2 && strchr(" 0123456789)", text.p[i - 2]) &&
                   strchr(" 0123456789($", text.p[i]);
    return between;
}

/* What stands before the "=" at `at`, from `from` on at the earliest. */
static Span left_of(Span text, size_t from, size_t at)
{
    size_t i = at, n;
    while (i > from && at - i < SIDE_MAX && (n = piece_before(text, from, i)) > 0) i -= n;
    if (i > from && at - i >= SIDE_MAX) return (Span){NULL, 0};
    char before = i > from ? text.p[i - 1] : '\n';
    bool word = is_letter(before) && text.p[i] == ' ',          /* "so 3 + 4 = 7" */
        note = before == '<' && i >= 2 && text.p[i - 2] == '<'; /* GSM8K's <<3+4=7>> */
    if (!word && !note &&
        (is_letter(before) || strchr("\\^_{}[]|<%", before) || (unsigned char)before >= 0x80))
        return (Span){NULL, 0};
    for (size_t k = at; k-- > i + 1;) /* "= 2, 1 + 2 =": a clause ends there */
        if (text.p[k] == ' ' && (text.p[k - 1] == ',' || text.p[k - 1] == '.')) {
            i = k;
            break;
        }
    return span_trim((Span){text.p + i, at - i});
}

/* May a right side end here? Not before a letter that is stuck to it, a power or a percent, nor
 * before more of a calculation ("3 1/2", "(3/4) * their number"). */
static bool ends_well(const Side *s)
{
    const char *p = s->p;
    if (p < s->end && (is_letter(*p) || strchr("^_%\\{(", *p))) return false;
    while (p < s->end && *p == ' ') p++;
    return p == s->end || !((*p >= '0' && *p <= '9') || strchr("+*/(", *p));
}

static bool rounds_to(Rational value, Rational said, int digits)
{
    Rational off, half = {1, 2};
    for (int i = 0; i < digits; i++)
        if (rational_div(half, rational_of(10), &half) != 0) return false;
    if (rational_sub(value, said, &off) != 0) return false;
    if (off.num < 0) off.num = -off.num;
    if (rational_sub(off, half, &off) != 0) return false;
    return off.num <= 0;
}

typedef struct {
    int all, right;
} Count;

/* The equation whose "=" is at `at`: a left side with an operator, or a right side with one. */
static void judge(Span text, size_t from, size_t at, bool exact, Count *count)
{
    Span left = left_of(text, from, at);
    Rational a, b;
    if (!left.n || strchr("+*/)", left.p[0])) return;
    size_t rest = text.n - at - 1;
    Side l = {.p = left.p, .end = left.p + left.n},
         r = {.p = text.p + at + 1, .end = text.p + at + 1 + (rest < SIDE_MAX ? rest : SIDE_MAX)};
    if (!read_sum(&l, &a)) return;
    skip(&l);
    if (l.p != l.end) return;
    Side before = r;
    if (!read_sum(&r, &b)) { /* "= 7 x": perhaps only its first number */
        r = before;
        if (!read_atom(&r, &b)) return;
    }
    if (!ends_well(&r) || (l.operators == 0 && r.operators == 0)) return;
    count->all++;
    bool decimal = !exact && r.operators == 0 && r.digits > 0;
    count->right += rational_equal(a, b) || (decimal && rounds_to(a, b, r.digits));
}

static Score score(const RewardValue *v, void *state, const Evidence *e)
{
    const Place *place = state;
    Span s = place->take((Span){e->text, e->n_text});
    Count count = {0, 0};
    if (!s.p) return score_failed(SCORE_NOT_APPLICABLE);
    for (size_t i = 0, from = 0; i < s.n; i++) {
        if (s.p[i] != '=') continue;
        judge(s, from, i, v[EXACT].flag, &count);
        from = i + 1;
    }
    if (count.all < v[LEAST].number) return score_failed(SCORE_NOT_APPLICABLE);
    return score_ok((double)count.right / count.all);
}

const Reward reward_equations = {
    .name = "equations",
    .help = "the share of the calculations shown (12 + 30 = 42) that are true; not applicable "
            "without any",
    .settings = settings,
    .open = check,
    .score = score,
};

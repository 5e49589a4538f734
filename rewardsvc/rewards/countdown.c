/* Countdown: an expression over given numbers that reaches a target. Only + - * / and brackets over
 * whole numbers, each given number at most once (or exactly once); every value is an exact
 * fraction. The grammar is ours and bounded: the text of a model never reaches anything that
 * evaluates. */
#include <string.h>

#include "common/errors.h"
#include "rewardsvc/answer.h"
#include "rewardsvc/reward.h"

enum { STRICT, ALL, VALID };
enum { NUMBERS_MAX = 64, DEPTH_MAX = 64, EXPRESSION_MAX = 4096 };

static const RewardSetting settings[] = {
    {"strict", SETTING_BOOL, .number = 1,
     .help = "the whole text must be <think>...</think><answer>expression</answer>; false: the "
             "last <answer></answer> is read"},
    {"all", SETTING_BOOL, .number = 0,
     .help = "every given number must be used; false: each at most once"},
    {"valid", SETTING_NUMBER, .number = 0, .least = -1, .most = 1,
     .help = "score of an expression that follows the rules and misses the target"},
    {0},
};

typedef enum {
    FINE,
    WRONG,
    TOO_LARGE
} Verdict; /* WRONG: not an expression by the rules; TOO_LARGE: does not fit in 127 bits */

typedef struct {
    Rational target;
    int n;
    Rational numbers[NUMBERS_MAX];
} Puzzle;

typedef struct {
    const char *p, *end;
    const Puzzle *puzzle;
    bool used[NUMBERS_MAX];
    int depth;
} Parser;

static int read_puzzle(const json_t *record, Puzzle *z)
{
    const json_t *list = json_object_get(record, "numbers"), *item;
    size_t i;
    if (record_number(record, "target", &z->target) != 0) return -1;
    if (!json_is_array(list) || json_array_size(list) == 0 || json_array_size(list) > NUMBERS_MAX)
        return fail("the problem's record has no list \"numbers\" of 1 to %d numbers", NUMBERS_MAX);
    z->n = (int)json_array_size(list);
    json_array_foreach(list, i, item)
    {
        if (!json_is_integer(item))
            return fail(
                "\"numbers\" of the problem's record has something that is no whole number");
        z->numbers[i] = rational_of(json_integer_value(item));
    }
    return 0;
}

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

static Verdict apply(char op, Rational a, Rational b, Rational *out)
{
    if (op == '/' && b.num == 0) return WRONG;
    int (*function)(Rational, Rational, Rational *) = op == '+'   ? rational_add
                                                      : op == '-' ? rational_sub
                                                      : op == '*' ? rational_mul
                                                                  : rational_div;
    return function(a, b, out) == 0 ? FINE : TOO_LARGE;
}

/* A given number that is still free. Digits only: signs and fractions are the operators' business.
 */
static Verdict take_number(Parser *s, Rational *out)
{
    size_t n = 0;
    while (s->p + n < s->end && s->p[n] >= '0' && s->p[n] <= '9') n++;
    if (rational_parse(s->p, n, out) != 0) return WRONG;
    s->p += n;
    for (int i = 0; i < s->puzzle->n; i++) {
        if (s->used[i] || !rational_equal(s->puzzle->numbers[i], *out)) continue;
        s->used[i] = true;
        return FINE;
    }
    return WRONG;
}

static Verdict parse_sum(Parser *s, Rational *out);

static Verdict parse_atom(Parser *s, Rational *out)
{
    skip_space(s);
    if (s->p == s->end) return WRONG;
    if (*s->p != '(') return take_number(s, out);
    if (++s->depth > DEPTH_MAX) return WRONG;
    s->p++;
    Verdict v = parse_sum(s, out);
    s->depth--;
    skip_space(s);
    if (v != FINE) return v;
    if (s->p == s->end || *s->p != ')') return WRONG;
    s->p++;
    return FINE;
}

static Verdict parse_chain(Parser *s, const char *level, Verdict (*operand)(Parser *, Rational *),
                           Rational *out)
{
    Verdict v = operand(s, out);
    for (char op; v == FINE && (op = take_operator(s, level)) != 0;) {
        Rational right, left = *out;
        v = operand(s, &right);
        if (v == FINE) v = apply(op, left, right, out);
    }
    return v;
}

static Verdict parse_product(Parser *s, Rational *out)
{
    return parse_chain(s, "*/", parse_atom, out);
}

static Verdict parse_sum(Parser *s, Rational *out)
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
    for (int i = 0; i < s->puzzle->n; i++)
        if (!s->used[i]) return false;
    return true;
}

static Score score(const RewardValue *v, void *state, const Evidence *e)
{
    (void)state;
    Puzzle z;
    Span text = {e->text, e->n_text}, answer = {NULL, 0};
    if (read_puzzle(e->record, &z) != 0) return score_failed(SCORE_ERROR);
    if (!v[STRICT].flag)
        answer = answer_tag(text, "answer");
    else if (!answer_strict(text, NULL, &answer))
        return score_ok(0);
    if (!answer.p || answer.n > EXPRESSION_MAX) return score_ok(0);
    Parser s = {.p = answer.p, .end = answer.p + answer.n, .puzzle = &z};
    Rational value;
    Verdict verdict = parse_sum(&s, &value);
    if (verdict == TOO_LARGE) {
        fail("the expression's value does not fit in 127 bits");
        return score_failed(SCORE_ERROR);
    }
    if (verdict == WRONG || !tail_holds(&s, value) || (v[ALL].flag && !all_used(&s)))
        return score_ok(0);
    return score_ok(rational_equal(value, z.target) ? 1 : v[VALID].number);
}

const Reward reward_countdown = {
    .name = "countdown",
    .help = "1 if the expression in <answer></answer> reaches the target with the given numbers, "
            "each used at most once",
    .settings = settings,
    .score = score,
};

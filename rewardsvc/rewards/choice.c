/* Multiple choice: the letters chosen against the letters that are right. What is chosen is read
 * from the judged place by a small grammar: letters, alone or in brackets, with "," "and" "&" ";"
 * or "/" between them ("(A)", "A and C", "AC", "**B.** Paris"). What follows the last "answer"
 * comes first, else the whole place is read. Anything else has chosen nothing, and hedging ("A or
 * B") has chosen both.
 *
 * Several right answers: with `partial: subset` a right but incomplete choice is worth |chosen| /
 * |right|, a wrong letter is worth 0 (TW-GRPO's soft multi-choice reward; specification 1, section
 * 9). */
#include <string.h>

#include "common/errors.h"
#include "rewardsvc/place.h"
#include "rewardsvc/reward.h"

enum { PARTIAL, OPTIONS, FIRST, WHERE, FIELD };

static const RewardSetting settings[] = {
    {"partial", SETTING_TEXT, .text = "none",
     .help = "none: all of the right letters and no other, 1 or 0; subset: |chosen| / |right| for "
             "right letters only, 0 with a wrong one; jaccard: |both| / |either|"},
    {"options", SETTING_NUMBER, .number = 0, .least = 0, .most = 26,
     .help = "how many options there are; 0: as many as the record's \"options\" or \"choices\", "
             "else 26"},
    {"first", SETTING_NUMBER, .number = 0, .least = 0, .most = 1,
     .help = "what a right answer given as a number counts from"},
    {"where", SETTING_TEXT, .text = "final", .help = PLACE_HELP},
    {"field", SETTING_TEXT, .text = "answer",
     .help = "field of the problem's record: \"C\", \"A, C\", [\"A\", \"C\"], or an option's "
             "number"},
    {0},
};

typedef uint32_t Letters; /* bit k: letter A + k */

typedef struct {
    const Place *place;
    double (*value)(Letters said, Letters right);
} Choice;

/* ---- the value of a choice ---- */

static double value_none(Letters said, Letters right)
{
    return said == right;
}

static double value_subset(Letters said, Letters right)
{
    if (!said || said & ~right) return 0;
    return (double)__builtin_popcount(said) / __builtin_popcount(right);
}

static double value_jaccard(Letters said, Letters right)
{
    return (double)__builtin_popcount(said & right) / __builtin_popcount(said | right);
}

static const struct {
    const char *word;
    double (*value)(Letters, Letters);
} partials[] = {{"none", value_none}, {"subset", value_subset}, {"jaccard", value_jaccard}};

/* ---- reading letters ---- */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (unsigned char)c >= 0x80;
}

static bool take(Span *s, const char *word)
{
    size_t n = strlen(word);
    if (s->n < n || memcmp(s->p, word, n) != 0) return false;
    *s = (Span){s->p + n, s->n - n};
    return true;
}

static bool take_any(Span *s, const char *const *words, int n)
{
    for (int i = 0; i < n; i++)
        if (take(s, words[i])) return true;
    return false;
}

static void skip_blanks(Span *s)
{
    while (s->n && (*s->p == ' ' || *s->p == '\t')) s->p++, s->n--;
}

static void skip_opening(Span *s)
{
    static const char *const marks[] = {
        "(", "[",       "{",         "*",         "_",         "`",   "\"",  "'",
        "$", "\\text{", "\\textbf{", "\\mathrm{", "\\mathbf{", "\\(", "\\[", " "};
    while (take_any(s, marks, sizeof marks / sizeof *marks)) continue;
}

/* true: a mark after which a description may follow. */
static bool skip_closing(Span *s)
{
    static const char *const marks[] = {"*", "_", "`", "\"", "'", "$", "}", "\\)", "\\]"},
                             *const ends[] = {")", "]", ".", ":"};
    bool end = false;
    for (;;) {
        if (take_any(s, ends, sizeof ends / sizeof *ends))
            end = true;
        else if (!take_any(s, marks, sizeof marks / sizeof *marks))
            return end;
    }
}

/* One letter, or a run of ascending ones ("ACD"): words are not choices, and "BAD" is none. */
static Letters take_letters(Span *s, int n_options)
{
    size_t n = 0;
    Letters set = 0;
    while (n < s->n && is_word(s->p[n])) {
        int k = s->p[n] - 'A';
        if (n == 0 && (s->n == 1 || !is_word(s->p[1])) && s->p[0] >= 'a') k = s->p[0] - 'a';
        if (k < 0 || k >= n_options || set >> k) return 0;
        set |= (Letters)1 << k;
        n++;
    }
    *s = (Span){s->p + n, s->n - n};
    return set;
}

typedef enum { NO_SEPARATOR, WORD, COMMA } Separator;

/* The strongest of those that follow. */
static Separator take_separator(Span *s)
{
    static const char *const commas[] = {",", ";", "\xE3\x80\x81", "\xEF\xBC\x8C"},
                             *const words[] = {"&", "/", "+", "and ", "or ", "und "};
    Separator any = NO_SEPARATOR;
    for (;;) {
        skip_blanks(s);
        if (take_any(s, words, sizeof words / sizeof *words))
            any = WORD;
        else if (!take_any(s, commas, sizeof commas / sizeof *commas))
            return any;
        else if (any == NO_SEPARATOR)
            any = COMMA;
    }
}

/* Letters at the start of a text. 0: it does not begin with a choice. A description may follow a
 * letter that is marked as one ("A. Paris"), and in prose, where a choice is announced, a comma. */
static Letters letters_at(Span s, int n_options, bool prose)
{
    Letters set = 0;
    for (bool done = false;;) {
        skip_opening(&s);
        Letters more = take_letters(&s, n_options);
        if (!more) return done ? set : 0;
        set |= more;
        bool marked = skip_closing(&s);
        Separator next = take_separator(&s);
        done = next == COMMA && (prose || marked); /* "B, since" */
        if (next != NO_SEPARATOR) continue;
        if (s.n == 0 || *s.p == '\n') return set;
        return marked ? set : 0;
    }
}

/* Choices on lines of their own: "A. Paris\nC. Rome". */
static Letters letters_by_line(Span s, int n_options)
{
    Letters set = letters_at(s, n_options, false);
    while (set && s.n) {
        Span line = span_line(s);
        s = line.n < s.n ? (Span){s.p + line.n + 1, s.n - line.n - 1} : (Span){s.p + s.n, 0};
        if (s.n) set |= letters_at(s, n_options, false);
    }
    return set;
}

static bool answer_at(const char *p)
{
    static const char word[] = "answer";
    for (int i = 0; i < 6; i++)
        if ((p[i] | 32) != word[i]) return false;
    return true;
}

/* What follows the last "answer" of a text, words that lead to the letters left out. */
static Span after_answer(Span s)
{
    static const char *const words[] = {
        "is",     "are",     "would",   "must",    "be",     "should",  "s",           ":",
        "=",      "the",     "option",  "options", "Option", "Options", "choice",      "choices",
        "letter", "letters", "correct", "**",      "*",      " ",       "\xEF\xBC\x9A"};
    size_t i = s.n;
    if (s.n < 6) return (Span){NULL, 0};
    for (i = s.n - 5; i-- > 0;)
        if (answer_at(s.p + i)) break;
    if (i == SIZE_MAX) return (Span){NULL, 0};
    s = (Span){s.p + i + 6, s.n - i - 6};
    for (bool more = true; more && s.n;) {
        Span before = s;
        more = take_any(&s, words, sizeof words / sizeof *words);
        if (more && before.p[0] >= 'A' && s.n && is_word(s.p[0])) {
            s = before; /* only the beginning of a word */
            break;
        }
    }
    return s;
}

/* ---- the reward ---- */

static int options_of(const RewardValue *v, const json_t *record)
{
    const json_t *list = json_object_get(record, "options");
    if (!list) list = json_object_get(record, "choices");
    size_t n = json_is_object(list) ? json_object_size(list) : json_array_size(list);
    if (v[OPTIONS].number > 0) return (int)v[OPTIONS].number;
    return n >= 1 && n <= 26 ? (int)n : 26;
}

static int right_of(const RewardValue *v, const json_t *record, int n_options, Letters *out)
{
    const char *field = v[FIELD].text;
    const json_t *a = json_object_get(record, field);
    References r;
    *out = 0;
    if (json_is_integer(a)) {
        json_int_t k = json_integer_value(a) - (json_int_t)v[FIRST].number;
        if (k < 0 || k >= n_options)
            return fail("field \"%s\": %lld is no option of %d", field,
                        (long long)json_integer_value(a), n_options);
        *out = (Letters)1 << k;
        return 0;
    }
    if (references_read(record, field, &r)) return -1;
    int rc = 0;
    for (int i = 0; i < r.n && rc == 0; i++) {
        Letters more = letters_at(span_trim(r.list[i]), n_options, false);
        if (!more)
            rc = fail("field \"%s\" of the problem's record is not a letter of %d options: %.*s",
                      field, n_options, r.list[i].n > 60 ? 60 : (int)r.list[i].n, r.list[i].p);
        *out |= more;
    }
    references_free(&r);
    return rc;
}

/* A choice that ends where a text was cut off may be half of one. */
static bool cut_off(const Evidence *e, Span s)
{
    return e->finish == FINISH_LENGTH && s.p + s.n == e->text + e->n_text;
}

static Score score(const RewardValue *v, void *state, const Evidence *e)
{
    const Choice *c = state;
    int n_options = options_of(v, e->record);
    Letters right, said;
    if (right_of(v, e->record, n_options, &right)) return score_failed(SCORE_ERROR);
    Span s = c->place->take((Span){e->text, e->n_text});
    if (!s.p || cut_off(e, s)) return score_ok(0);
    Span named = after_answer(s);
    said = named.p ? letters_at(named, n_options, true) : 0;
    if (!said) said = letters_by_line(s, n_options);
    return score_ok(said ? c->value(said, right) : 0);
}

static int open_choice(const RewardValue *v, void **state)
{
    Choice c = {.place = place_find(v[WHERE].text)};
    for (int i = 0; i < 3; i++)
        if (!strcmp(partials[i].word, v[PARTIAL].text)) c.value = partials[i].value;
    if (!c.place) return -1;
    if (!c.value) return fail("partial: %s is not none, subset or jaccard", v[PARTIAL].text);
    if (v[OPTIONS].number != (int)v[OPTIONS].number || v[FIRST].number != (int)v[FIRST].number)
        return fail("options and first are whole numbers");
    *state = NEW(Choice, 1);
    memcpy(*state, &c, sizeof c);
    return 0;
}

const Reward reward_choice = {
    .name = "choice",
    .help = "multiple choice: 1 if the right letters are chosen, with partial credit for some of "
            "several if so set",
    .settings = settings,
    .open = open_choice,
    .close = mem_free,
    .score = score,
};

/* A pattern of the experiment file against the text a model wrote. PCRE2 backtracks, so a text may
 * make an innocent pattern work for hours; its own limits count backtracking but not how far one
 * item scans, and [^b]* at every place of a long text is quadratic without a single step back. So
 * every item of the pattern reports its position first (automatic callouts), and the sum of the
 * moves between reports is the work that is limited: a number of the text and the pattern, not of
 * the clock, so the same text always gets the same status. Too much work is a timeout, never a 0.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/place.h"
#include "rewardsvc/reward.h"
#include "rewardsvc/words.h"

enum { PATTERN, MODE, WHERE, IGNORE_CASE, DOT_ALL, BACK_REFERENCES, COUNT, WORK, LENGTH };
enum { PATTERN_MAX = 4096, NEST_MAX = 100, DEPTH_MAX = 10000, HEAP_KIB = 8192 };

static const RewardSetting settings[] = {
    {"pattern", SETTING_TEXT, .text = "", .help = "the pattern, as in Perl (PCRE2), in UTF-8"},
    {"mode", SETTING_TEXT, .text = "search",
     .help = "search: somewhere in the place; full: all of it; absent: nowhere in it; count: "
             "matches that do not overlap / count, at most 1"},
    {"where", SETTING_TEXT, .text = "whole", .help = PLACE_HELP},
    {"ignore_case", SETTING_BOOL, .number = 0, .help = "capitals do not count"},
    {"dot_all", SETTING_BOOL, .number = 0, .help = ". matches a new line too"},
    {"back_references", SETTING_BOOL, .number = 0,
     .help = "allow \\1 and the like: they can make any text slow, and then it is a timeout"},
    {"count", SETTING_NUMBER, .number = 1, .least = 1, .most = 1e6,
     .help = "with mode count: matches that make a 1"},
    {"work", SETTING_NUMBER, .number = 1e6, .least = 1000, .most = 1e9,
     .help = "most steps of matching a text (some 20 ns each); beyond: timeout"},
    {"length", SETTING_NUMBER, .number = 1 << 20, .least = 1, .most = 1 << 28,
     .help = "longest place in bytes; beyond: refused"},
    {0},
};

enum { BYTES_A_STEP = 32 }; /* scanning is so much faster than stepping */

typedef struct {
    const Place *place;
    bool full, absent, count;
    pcre2_code *code;
    pcre2_match_context *limits;
} Regex;

/* What one scoring has used up. */
typedef struct {
    double left;
    size_t at;
} Work;

static int report(pcre2_callout_block *b, void *data)
{
    Work *w = data;
    size_t moved =
        b->current_position > w->at ? b->current_position - w->at : w->at - b->current_position;
    w->at = b->current_position;
    w->left -= 1 + (double)moved / BYTES_A_STEP;
    return w->left < 0 ? PCRE2_ERROR_CALLOUT : 0;
}

/* ---- opening ---- */

static int open_mode(Regex *r, const char *mode)
{
    r->full = !strcmp(mode, "full");
    r->absent = !strcmp(mode, "absent");
    r->count = !strcmp(mode, "count");
    if (r->full || r->absent || r->count || !strcmp(mode, "search")) return 0;
    return fail("mode: %s is not search, full, absent or count", mode);
}

static int fail_pattern(int error, size_t at)
{
    char text[256];
    pcre2_get_error_message(error, (PCRE2_UCHAR *)text, sizeof text);
    return fail("pattern: %s (at byte %zu)", text, at);
}

static int compile(Regex *r, const RewardValue *v)
{
    uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT,
             references = 0;
    const char *pattern = v[PATTERN].text;
    int error;
    size_t at;
    if (!*pattern) return fail("pattern: there is none");
    if (strlen(pattern) > PATTERN_MAX)
        return fail("pattern: %zu bytes are more than %d", strlen(pattern), PATTERN_MAX);
    if (v[IGNORE_CASE].flag) options |= PCRE2_CASELESS;
    if (v[DOT_ALL].flag) options |= PCRE2_DOTALL;
    if (r->full) options |= PCRE2_ANCHORED | PCRE2_ENDANCHORED;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    REQUIRE(context, "no memory for a pattern");
    pcre2_set_parens_nest_limit(context, NEST_MAX);
    r->code =
        pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, options, &error, &at, context);
    pcre2_compile_context_free(context);
    if (!r->code) return fail_pattern(error, at);
    pcre2_pattern_info(r->code, PCRE2_INFO_BACKREFMAX, &references);
    if (references && !v[BACK_REFERENCES].flag)
        return fail("pattern: it has back references; set back_references: true to allow them");
    return 0;
}

static void close_regex(void *state)
{
    Regex *r = state;
    if (!r) return;
    pcre2_code_free(r->code);
    pcre2_match_context_free(r->limits);
    mem_free(r);
}

static int open_regex(const RewardValue *v, void **state)
{
    Regex *r = NEW(Regex, 1);
    r->place = place_find(v[WHERE].text);
    r->limits = pcre2_match_context_create(NULL);
    REQUIRE(r->limits, "no memory for a pattern");
    pcre2_set_match_limit(r->limits, (uint32_t)v[WORK].number);
    pcre2_set_depth_limit(r->limits, DEPTH_MAX);
    pcre2_set_heap_limit(r->limits, HEAP_KIB);
    if (!r->place || open_mode(r, v[MODE].text) || compile(r, v)) {
        close_regex(r);
        return -1;
    }
    *state = r;
    return 0;
}

/* ---- matching ---- */

/* PCRE2 takes valid UTF-8 only, and would check it again at every call: bytes that are none become
 * U+FFFD in a copy, made only if there are any. */
static Span valid_text(Span s, Buffer *copy)
{
    size_t begin = 0, taken;
    for (size_t i = 0; i < s.n; i += taken) {
        if (character_at(s.p + i, s.n - i, &taken) >= 0) continue;
        buffer_add(copy, s.p + begin, i - begin);
        buffer_text(copy, "\xEF\xBF\xBD");
        begin = i + 1;
    }
    if (!begin) return s;
    buffer_add(copy, s.p + begin, s.n - begin);
    return (Span){copy->data, copy->size};
}

/* From *from on: 1 and *from behind it, 0 none, -1 beyond a limit, -2 another error (logged). */
static int match_next(const Regex *r, Span s, size_t *from, pcre2_match_data *found,
                      pcre2_match_context *context)
{
    int rc = pcre2_match(r->code, (PCRE2_SPTR)s.p, s.n, *from, PCRE2_NO_UTF_CHECK, found, context);
    if (rc == PCRE2_ERROR_NOMATCH) return 0;
    if (rc == PCRE2_ERROR_MATCHLIMIT || rc == PCRE2_ERROR_DEPTHLIMIT ||
        rc == PCRE2_ERROR_HEAPLIMIT || rc == PCRE2_ERROR_CALLOUT)
        return -1;
    if (rc < 0) {
        char text[256];
        pcre2_get_error_message(rc, (PCRE2_UCHAR *)text, sizeof text);
        fail("matching: %s", text);
        return -2;
    }
    size_t begin = pcre2_get_ovector_pointer(found)[0], end = pcre2_get_ovector_pointer(found)[1];
    if (end == begin || end <= *from) { /* nothing was taken: on by a character */
        size_t taken = 1;
        if (end < *from) end = *from;
        if (end < s.n) character_at(s.p + end, s.n - end, &taken);
        end += taken;
    }
    *from = end;
    return 1;
}

/* The number of matches up to `most`, or match_next's error. */
static int count_matches(const Regex *r, Span s, double work, int most)
{
    pcre2_match_data *found = pcre2_match_data_create(1, NULL);
    pcre2_match_context *context = pcre2_match_context_copy(r->limits);
    REQUIRE(found && context, "no memory for a match");
    Work w = {work, 0};
    pcre2_set_callout(context, report, &w);
    int n = 0, one = 1;
    for (size_t from = 0; n < most && from <= s.n && one > 0;) {
        one = match_next(r, s, &from, found, context);
        n += one > 0;
    }
    pcre2_match_data_free(found);
    pcre2_match_context_free(context);
    return one < 0 ? one : n;
}

static Score score(const RewardValue *v, void *state, const Evidence *e)
{
    const Regex *r = state;
    Span s = r->place->take((Span){e->text, e->n_text});
    if (!s.p) return score_ok(0);
    if ((double)s.n > v[LENGTH].number) return score_failed(SCORE_REFUSED);
    Buffer copy = {0};
    s = valid_text(s, &copy);
    int most = r->count ? (int)v[COUNT].number : 1, n = count_matches(r, s, v[WORK].number, most);
    buffer_free(&copy);
    if (n == -1) return score_failed(SCORE_TIMEOUT);
    if (n < 0) return score_failed(SCORE_ERROR);
    if (r->count) return score_ok((double)n / (int)v[COUNT].number);
    return score_ok(r->absent ? n == 0 : n > 0);
}

const Reward reward_regex = {
    .name = "regex",
    .help = "1 if the pattern matches (or does not, or so many times), 0 otherwise",
    .settings = settings,
    .open = open_regex,
    .close = close_regex,
    .score = score,
};

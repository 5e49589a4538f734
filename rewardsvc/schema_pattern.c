/* Patterns of a schema: PCRE2 under limits, since what they are matched with was written by a
 * model.
 */
#include <string.h>

#include "common/errors.h"
#include "rewardsvc/schema_internal.h"

enum { PATTERN_BYTES = 4096 };

/* ECMA 262 with the u flag, as far as PCRE2 has it: \u{1F600} and \uHHHH, $ only at the very end,
 * a group that took no part matches as empty. */
pcre2_code *schema_pattern(const char *text, size_t n)
{
    int error;
    PCRE2_SIZE at;
    char why[160] = "";
    if (n > PATTERN_BYTES) {
        fail("the pattern is longer than %d bytes", PATTERN_BYTES);
        return NULL;
    }
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (!context) die(EXIT_UNABLE, "out of memory");
    pcre2_set_compile_extra_options(context, PCRE2_EXTRA_ALT_BSUX);
    pcre2_set_parens_nest_limit(context, 100);
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)text, n,
                                     PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF |
                                         PCRE2_ALLOW_EMPTY_CLASS | PCRE2_NEVER_BACKSLASH_C,
                                     &error, &at, context);
    pcre2_compile_context_free(context);
    if (code) return code;
    pcre2_get_error_message(error, (PCRE2_UCHAR *)why, sizeof why);
    fail("the pattern does not compile: %s at byte %zu", why, (size_t)at);
    return NULL;
}

/* PCRE2 counts the points it backtracks to, not the characters that it runs over between them: the
 * limit falls with the text's length, so that their product stays small. A match that needs more
 * than the first, low limit is tried again under the second and pays for it. */
bool pattern_found(Run *r, const pcre2_code *code, const char *text, size_t n)
{
    enum { WORK = 4000000, FIRST = 200, LAST = 20000, RETRY_STEPS = 100000 };
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    if (!data || !context) die(EXIT_UNABLE, "out of memory");
    uint32_t most = n > WORK / LAST ? (uint32_t)(WORK / n) : LAST;
    pcre2_set_heap_limit(context, 4096); /* KiB */
    int rc = PCRE2_ERROR_MATCHLIMIT;
    run_charge(r, 20 + (long)n / 4);
    for (int k = 0; k < 2 && !r->gave_up && rc == PCRE2_ERROR_MATCHLIMIT; k++) {
        if (k == 1) run_charge(r, RETRY_STEPS);
        pcre2_set_match_limit(context, k == 0 && most > FIRST ? FIRST : most);
        rc = pcre2_match(code, (PCRE2_SPTR)text, n, 0, PCRE2_NO_UTF_CHECK, data, context);
    }
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    if (rc < 0 && rc != PCRE2_ERROR_NOMATCH) r->gave_up = true;
    return rc >= 0;
}

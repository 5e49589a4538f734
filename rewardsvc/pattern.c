/* See pattern.h. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "rewardsvc/pattern.h"

#include <pcre2.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"

enum { MOST_BYTES = 4096, NEST = 50, MATCH_LIMIT = 2000000, DEPTH_LIMIT = 20000, HEAP_KIB = 8192 };

struct Pattern {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *limits;
};

Pattern *pattern_open(const char *text)
{
    size_t n = strlen(text), at;
    int error;
    uint32_t backrefs = 0;
    char why[128];
    if (n > MOST_BYTES) {
        fail("a pattern of %zu bytes; at most %d", n, MOST_BYTES);
        return NULL;
    }
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    pcre2_set_parens_nest_limit(context, NEST);
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)text, n, PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C,
                                     &error, &at, context);
    pcre2_compile_context_free(context);
    if (!code) {
        pcre2_get_error_message(error, (PCRE2_UCHAR *)why, sizeof why);
        fail("pattern \"%.200s\", at byte %zu: %s", text, at, why);
        return NULL;
    }
    pcre2_pattern_info(code, PCRE2_INFO_BACKREFMAX, &backrefs);
    if (backrefs) {
        pcre2_code_free(code);
        fail("pattern \"%.200s\" has a back reference: with one a match may take for ever", text);
        return NULL;
    }
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    Pattern *p = NEW(Pattern, 1);
    p->code = code;
    p->match = pcre2_match_data_create_from_pattern(code, NULL);
    p->limits = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(p->limits, MATCH_LIMIT);
    pcre2_set_depth_limit(p->limits, DEPTH_LIMIT);
    pcre2_set_heap_limit(p->limits, HEAP_KIB);
    return p;
}

void pattern_close(Pattern *p)
{
    if (!p) return;
    pcre2_match_context_free(p->limits);
    pcre2_match_data_free(p->match);
    pcre2_code_free(p->code);
    mem_free(p);
}

int pattern_groups(const Pattern *p)
{
    uint32_t n;
    pcre2_pattern_info(p->code, PCRE2_INFO_CAPTURECOUNT, &n);
    return (int)n;
}

static void take_groups(const Pattern *p, Span text, int found, Span *groups, int n)
{
    const size_t *ends = pcre2_get_ovector_pointer(p->match);
    for (int i = 0; i < n; i++) {
        bool took = i < found && ends[2 * i] != PCRE2_UNSET && ends[2 * i] <= ends[2 * i + 1];
        groups[i] = took ? (Span){text.p + ends[2 * i], ends[2 * i + 1] - ends[2 * i]} : (Span){0};
    }
}

int pattern_find(const Pattern *p, Span text, bool last, Span *groups, int n)
{
    int any = 0;
    for (size_t from = 0; from <= text.n;) {
        int rc = pcre2_match(p->code, (PCRE2_SPTR)text.p, text.n, from, PCRE2_NO_UTF_CHECK,
                             p->match, p->limits);
        if (rc == PCRE2_ERROR_NOMATCH) break;
        if (rc < 0) return fail("the pattern reached its limit on this text (PCRE2 error %d)", rc);
        const size_t *ends = pcre2_get_ovector_pointer(p->match);
        take_groups(p, text, rc, groups, n);
        any = 1;
        if (!last) break;
        from = ends[1] > from ? ends[1] : from + 1;
        while (from < text.n && ((unsigned char)text.p[from] & 0xc0) == 0x80) from++;
    }
    return any;
}

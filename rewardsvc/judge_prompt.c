/* See judge_prompt.h. */
#include "rewardsvc/judge_prompt.h"

#include <string.h>

#include "common/errors.h"
#include "common/rng.h"
#include "rewardsvc/answer.h"

/* What a place between braces gives; its name in name [n_name]. Without evidence only whether there
 * is such a place. */
typedef struct {
    const Evidence *e;
    const char *reference;
    const PromptPlace *more;
    int n_more;
} Places;

static bool is(const char *name, size_t n, const char *word)
{
    return strlen(word) == n && !memcmp(name, word, n);
}

static int add_field(const Places *p, const char *field, Buffer *out)
{
    const json_t *v = json_object_get(p->e->record, field);
    if (!v) return fail("the problem's record has no field %s, which the template names", field);
    if (json_is_string(v)) {
        buffer_add(out, json_string_value(v), json_string_length(v));
        return 0;
    }
    char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
    buffer_text(out, text ? text : "");
    free(text);
    return 0;
}

static void add_question(const Evidence *e, Buffer *out)
{
    const json_t *v = json_object_get(e->record, "question");
    if (json_is_string(v))
        buffer_add(out, json_string_value(v), json_string_length(v));
    else
        buffer_add(out, e->prompt, e->n_prompt);
}

static void add_span(Span s, Buffer *out)
{
    if (s.p) buffer_add(out, s.p, s.n);
}

static Span after_thinking(Span answer)
{
    Span end = span_find_last(answer, "</think>");
    return end.p ? span_trim(span_after(answer, end)) : answer;
}

static void add_mark(const Evidence *e, Buffer *out)
{
    uint32_t bits[4];
    const uint32_t what = 0x4d41524b; /* "MARK": no place in an order */
    rng_bits(e->seed, STREAM_ORDER, (uint64_t)e->group, what, 0, bits);
    buffer_printf(out, "%08x", bits[0]);
}

/* 1: there is no such place. */
static int add_place(const Places *p, const char *name, size_t n, Buffer *out)
{
    for (int i = 0; i < p->n_more; i++)
        if (is(name, n, p->more[i].name)) {
            if (p->e) buffer_add(out, p->more[i].text, p->more[i].n);
            return 0;
        }
    static const char *const names[] = {"prompt", "question", "answer", "think", "final", "mark"};
    bool known = is(name, n, "reference") || (n > 7 && n < 72 && !memcmp(name, "record.", 7));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) known |= is(name, n, names[i]);
    if (!p->e || !known) return !known;
    Span answer = {p->e->text, p->e->n_text};
    if (is(name, n, "mark")) return add_mark(p->e, out), 0;
    if (is(name, n, "prompt"))
        buffer_add(out, p->e->prompt, p->e->n_prompt);
    else if (is(name, n, "question"))
        add_question(p->e, out);
    else if (is(name, n, "answer"))
        add_span(answer, out);
    else if (is(name, n, "think"))
        add_span(answer_tag(answer, "think"), out);
    else if (is(name, n, "final"))
        add_span(after_thinking(answer), out);
    else if (is(name, n, "reference"))
        return add_field(p, p->reference, out);
    else {
        char field[72];
        snprintf(field, sizeof field, "%.*s", (int)(n - 7), name + 7);
        return add_field(p, field, out);
    }
    return 0;
}

static int fill(const char *t, const Places *p, Buffer *out)
{
    while (*t) {
        size_t plain = strcspn(t, "{}");
        buffer_add(out, t, plain);
        t += plain;
        if (!*t) break;
        if (t[1] == t[0]) {
            buffer_add(out, t, 1);
            t += 2;
            continue;
        }
        const char *end = *t == '{' ? strchr(t, '}') : NULL;
        if (!end) return fail("the template has a %c by itself; write %c%c for one", *t, *t, *t);
        size_t n = (size_t)(end - t - 1);
        int rc = add_place(p, t + 1, n, out);
        if (rc > 0)
            return fail(
                "the template has no place {%.*s}; it may name prompt, question, answer, think, "
                "final, mark, reference, record.FIELD%s%s",
                (int)(n < 60 ? n : 60), t + 1, p->n_more ? ", " : "",
                p->n_more ? p->more[0].name : "");
        if (rc) return -1;
        t = end + 1;
    }
    return 0;
}

int judge_prompt_check(const char *template, const PromptPlace *more, int n)
{
    Buffer out = {0};
    int rc = fill(template, &(Places){.more = more, .n_more = n}, &out);
    buffer_free(&out);
    return rc;
}

int judge_prompt_fill(const char *template, const Evidence *e, const char *reference_field,
                      const PromptPlace *more, int n, Buffer *out)
{
    return fill(template, &(Places){e, reference_field, more, n}, out);
}

/* See place.h. */
#define _GNU_SOURCE /* memrchr */
#include "rewardsvc/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/number_text.h"

static const Span nowhere = {NULL, 0};

static Span take_strict(Span text)
{
    Span answer;
    return answer_strict(text, NULL, &answer) ? span_trim(answer) : nowhere;
}

static Span take_answer(Span text)
{
    Span answer = answer_tag(text, "answer");
    return answer.p ? span_trim(answer) : nowhere;
}

/* Braces are counted, so that \boxed{\frac{1}{2}} is whole; an escaped brace is none. */
static Span take_boxed(Span text)
{
    Span at = span_find_last(text, "\\boxed{");
    if (!at.p) return nowhere;
    Span inside = span_after(text, at);
    int depth = 1;
    for (size_t i = 0; i < inside.n; i++) {
        if (inside.p[i] == '\\')
            i++;
        else if (inside.p[i] == '{')
            depth++;
        else if (inside.p[i] == '}' && --depth == 0)
            return span_trim((Span){inside.p, i});
    }
    return nowhere;
}

static Span take_hash(Span text)
{
    Span mark = span_find_last(text, "####");
    return mark.p ? span_trim(span_line(span_after(text, mark))) : nowhere;
}

static Span take_whole(Span text)
{
    return span_trim(text);
}

static Span take_last_line(Span text)
{
    text = span_trim(text);
    const char *line = text.n ? memrchr(text.p, '\n', text.n) : NULL;
    return line ? span_trim((Span){line + 1, (size_t)(text.p + text.n - line - 1)}) : text;
}

static Span take_after_think(Span text)
{
    Span mark = span_find_last(text, "</think>");
    return span_trim(mark.p ? span_after(text, mark) : text);
}

/* Up to the last </think>; a prompt may have opened it. Without one there is no thinking to be told
 * from the answer. */
static Span take_thinking(Span text)
{
    Span end = span_find_last(text, "</think>"), begin = span_find(text, "<think>");
    if (!end.p) return nowhere;
    const char *from = begin.p && begin.p < end.p ? begin.p + begin.n : text.p;
    return span_trim((Span){from, (size_t)(end.p - from)});
}

static Span take_final(Span text)
{
    Span s = take_hash(text);
    if (!s.p) s = take_boxed(text);
    if (!s.p) s = take_answer(text);
    return s.p ? s : take_after_think(text);
}

static const Place places[] = {
    {"answer", "inside the last <answer></answer>", take_answer},
    {"strict", "inside <answer></answer> of a text in the strict format", take_strict},
    {"boxed", "inside the last \\boxed{}", take_boxed},
    {"hash", "after the last ####, to the end of the line", take_hash},
    {"last_line", "the last line", take_last_line},
    {"after_think", "after the last </think>", take_after_think},
    {"thinking", "before the last </think>", take_thinking},
    {"whole", "the whole text", take_whole},
    {"final", "the first there is of hash, boxed, answer, after_think", take_final},
};

const Place *place_find(const char *word)
{
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (!strcmp(places[i].word, word)) return &places[i];
    fail("where: %s is not answer, strict, boxed, hash, last_line, after_think, thinking, whole or "
         "final",
         word);
    return NULL;
}

/* ---- references ---- */

static int add_reference(const json_t *v, const char *field, References *r)
{
    char *own = NULL;
    if (r->n == REFERENCES_MAX)
        return fail("field \"%s\" of the problem's record has more than %d texts", field,
                    REFERENCES_MAX);
    if (json_is_integer(v))
        own = mem_printf("%" JSON_INTEGER_FORMAT, json_integer_value(v));
    else if (json_is_real(v)) {
        char text[64];
        number_text(json_real_value(v), text);
        own = mem_text(text);
    } else if (!json_is_string(v))
        return fail("field \"%s\" of the problem's record is neither text nor number, nor a list "
                    "of such",
                    field);
    r->owned[r->n] = own;
    r->list[r->n++] = own ? span_of(own) : (Span){json_string_value(v), json_string_length(v)};
    return 0;
}

int references_read(const json_t *record, const char *field, References *out)
{
    const json_t *v = json_object_get(record, field), *item;
    size_t i;
    int rc = 0;
    out->n = 0;
    if (!v) return fail("the problem's record has no field \"%s\"", field);
    if (!json_is_array(v)) return add_reference(v, field, out);
    if (json_array_size(v) == 0)
        return fail("field \"%s\" of the problem's record is an empty list", field);
    json_array_foreach(v, i, item) if (rc == 0) rc = add_reference(item, field, out);
    if (rc) references_free(out);
    return rc;
}

void references_free(References *r)
{
    for (int i = 0; i < r->n; i++) mem_free(r->owned[i]);
    r->n = 0;
}

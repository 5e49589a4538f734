/* See program_tests.h. */
#include "rewardsvc/program_tests.h"

#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/answer.h"

/* ---- reading --------------------------------------------------------------------------------- */

static void make_room(ProgramTests *t, size_t n, int most)
{
    t->items = NEW(ProgramTest, n < (size_t)most ? n : (size_t)most);
}

static int add_pair(ProgramTests *t, const json_t *input, const json_t *want)
{
    if (!json_is_string(input) || !json_is_string(want))
        return fail("test %d has no texts \"stdin\" and \"stdout\" (or \"input\" and \"output\")",
                    t->n + 1);
    t->items[t->n++] = (ProgramTest){.input = json_string_value(input),
                                     .n_input = json_string_length(input),
                                     .want = json_string_value(want),
                                     .n_want = json_string_length(want)};
    return 0;
}

static void add_code(ProgramTests *t, const json_t *code)
{
    t->items[t->n++] = (ProgramTest){
        .asserts = true, .want = json_string_value(code), .n_want = json_string_length(code)};
}

static const json_t *either(const json_t *o, const char *a, const char *b)
{
    const json_t *x = json_object_get(o, a);
    return x ? x : json_object_get(o, b);
}

static int add_list(ProgramTests *t, const json_t *list, int most)
{
    make_room(t, json_array_size(list), most);
    for (size_t i = 0; i < json_array_size(list) && t->n < most; i++) {
        const json_t *item = json_array_get(list, i);
        if (json_is_string(item))
            add_code(t, item);
        else if (add_pair(t, either(item, "stdin", "input"), either(item, "stdout", "output")))
            return -1;
    }
    return 0;
}

static int add_columns(ProgramTests *t, const json_t *o, int most)
{
    const json_t *inputs = json_object_get(o, "inputs"), *wants = json_object_get(o, "outputs");
    size_t n = json_array_size(inputs);
    if (!json_is_array(inputs) || !json_is_array(wants) || n != json_array_size(wants))
        return fail("the tests have no lists \"inputs\" and \"outputs\" of one length");
    make_room(t, n, most);
    for (size_t i = 0; i < n && t->n < most; i++)
        if (add_pair(t, json_array_get(inputs, i), json_array_get(wants, i))) return -1;
    return 0;
}

/* A list or object that lies in the record as text; NULL if the text is code. */
static json_t *parse_text(const json_t *field)
{
    Span text = span_trim((Span){json_string_value(field), json_string_length(field)});
    if (!text.n || (*text.p != '[' && *text.p != '{')) return NULL;
    return json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
}

int program_tests_read(ProgramTests *t, const json_t *record, const char *field, int most)
{
    const json_t *at = json_object_get(record, field);
    int rc = 0;
    *t = (ProgramTests){0};
    if (!at) return fail("the problem's record has no field \"%s\" with tests", field);
    if (json_is_string(at)) t->parsed = parse_text(at);
    const json_t *tests = t->parsed ? t->parsed : at;
    if (json_is_array(tests))
        rc = add_list(t, tests, most);
    else if (json_is_object(tests))
        rc = add_columns(t, tests, most);
    else if (json_is_string(tests) && json_string_length(tests)) {
        make_room(t, 1, most);
        add_code(t, tests);
    }
    if (!rc && !t->n) rc = fail("field \"%s\" of the problem's record has no tests", field);
    if (rc) program_tests_free(t);
    return rc;
}

void program_tests_free(ProgramTests *t)
{
    mem_free(t->items);
    json_decref(t->parsed);
    *t = (ProgramTests){0};
}

/* ---- comparing ------------------------------------------------------------------------------- */

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static Span without_end(Span s)
{
    while (s.n && is_space(s.p[s.n - 1])) s.n--;
    return s;
}

static Span take_line(Span *s)
{
    const char *end = s->n ? memchr(s->p, '\n', s->n) : NULL;
    Span line = {s->p, end ? (size_t)(end - s->p) : s->n};
    size_t n = end ? line.n + 1 : line.n;
    *s = (Span){s->p + n, s->n - n};
    return line;
}

static Span take_word(Span *s)
{
    while (s->n && is_space(*s->p)) s->p++, s->n--;
    Span word = {s->p, 0};
    while (word.n < s->n && !is_space(word.p[word.n])) word.n++;
    *s = (Span){s->p + word.n, s->n - word.n};
    return word;
}

static bool same(Span a, Span b)
{
    return a.n == b.n && !memcmp(a.p, b.p, a.n);
}

bool program_output_equals(Comparison how, const char *a, size_t n_a, const char *b, size_t n_b)
{
    Span x = {a, n_a}, y = {b, n_b};
    if (how == COMPARE_EXACT) return same(x, y);
    x = without_end(x);
    y = without_end(y);
    while (x.n && y.n) {
        if (how == COMPARE_TOKENS && !same(take_word(&x), take_word(&y))) return false;
        if (how == COMPARE_LINES && !same(without_end(take_line(&x)), without_end(take_line(&y))))
            return false;
    }
    return !x.n && !y.n;
}

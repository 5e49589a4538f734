/* See mpo_history.h. */
#include "rewardsvc/mpo_history.h"

#include <string.h>

#include "common/errors.h"
#include "common/memory.h"

int mpo_rubric_find(Span text, Span *rubric)
{
    Rubric r;
    Span inside = answer_tag(text, "rubric");
    if (!inside.p && span_find(text, "<rubric>").p)
        return fail("rubric: <rubric> without its </rubric>: it was cut off");
    *rubric = span_trim(inside.p ? inside : text);
    if (rubric->n > MPO_RUBRIC_MOST)
        return fail("rubric: %zu bytes, at most %d", rubric->n, MPO_RUBRIC_MOST);
    if (rubric->n && memchr(rubric->p, 0, rubric->n)) return fail("rubric: it has NUL bytes");
    return rubric_read(*rubric, &r);
}

const MpoVersion *mpo_history_last(const MpoHistory *h)
{
    REQUIRE(h->n, "a history without a version");
    return &h->list[h->n - 1];
}

static void append(MpoHistory *h, Span text, int64_t version, int64_t step)
{
    if (h->n == MPO_VERSIONS_MOST) {
        mem_free(h->list[0].text);
        memmove(h->list, h->list + 1, --h->n * sizeof *h->list);
    }
    MpoVersion *v = &h->list[h->n++];
    *v = (MpoVersion){version, step, mem_text_n(text.p, text.n), text.n};
}

void mpo_history_add(MpoHistory *h, Span text, int64_t step)
{
    append(h, text, h->n ? mpo_history_last(h)->version + 1 : 0, step);
    const MpoVersion *last = mpo_history_last(h);
    REQUIRE(!rubric_read((Span){last->text, last->n_text}, &h->rubric), "a rubric without items");
}

void mpo_history_free(MpoHistory *h)
{
    for (int i = 0; i < h->n; i++) mem_free(h->list[i].text);
    *h = (MpoHistory){0};
}

json_t *mpo_history_save(const MpoHistory *h)
{
    json_t *list = json_array();
    for (int i = 0; i < h->n; i++) {
        const MpoVersion *v = &h->list[i];
        json_t *one = json_pack("{s:I, s:I, s:s}", "version", (json_int_t)v->version, "step",
                                (json_int_t)v->step, "rubric", v->text);
        REQUIRE(one, "a rubric that is no JSON");
        json_array_append_new(list, one);
    }
    return list;
}

static int take_version(MpoHistory *h, const json_t *saved)
{
    json_int_t version, step;
    const char *text;
    json_error_t why;
    if (json_unpack_ex((json_t *)saved, &why, 0, "{s:I, s:I, s:s}", "version", &version, "step",
                       &step, "rubric", &text))
        return fail("versions: %s", why.text);
    if (h->n && version != mpo_history_last(h)->version + 1)
        return fail("versions: %lld after %lld", (long long)version,
                    (long long)mpo_history_last(h)->version);
    append(h, span_of(text), version, step);
    return 0;
}

int mpo_history_load(MpoHistory *h, const json_t *saved)
{
    mpo_history_free(h);
    size_t n = json_array_size(saved); /* 0 for what is no array */
    int rc = n && n <= MPO_VERSIONS_MOST ? 0 : fail("versions: %zu of them", n);
    for (size_t i = 0; i < n && !rc; i++) rc = take_version(h, json_array_get(saved, i));
    const MpoVersion *last = rc ? NULL : mpo_history_last(h);
    if (last) rc = rubric_read((Span){last->text, last->n_text}, &h->rubric);
    if (rc) mpo_history_free(h);
    return rc;
}

/* See mpo_buffer.h. */
#include "rewardsvc/mpo_buffer.h"

#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/rng.h"
#include "common/utf8.h"

static const size_t record_most = 4000; /* bytes of JSON */

void mpo_buffer_init(MpoBuffer *b, int most)
{
    *b = (MpoBuffer){.most = most, .list = NEW(MpoSample, most)};
}

static void sample_free(MpoSample *s)
{
    mem_free(s->prompt);
    mem_free(s->answer);
    mem_free(s->note);
    json_decref(s->record);
    *s = (MpoSample){0};
}

void mpo_buffer_clear(MpoBuffer *b)
{
    for (int i = 0; i < b->n; i++) sample_free(&b->list[i]);
    b->n = 0;
}

void mpo_buffer_free(MpoBuffer *b)
{
    mpo_buffer_clear(b);
    mem_free(b->list);
    *b = (MpoBuffer){0};
}

/* ---- adding ---------------------------------------------------------------------------------- */

static int64_t key_of(const Evidence *e)
{
    uint32_t bits[4];
    const uint32_t what = 0x4d504f; /* "MPO": no draw of rubric.h, whose numbers are small */
    rng_bits(e->seed, STREAM_PICK, (uint64_t)e->group, (uint32_t)e->sample, what, bits);
    return (int64_t)((uint64_t)bits[0] << 31 ^ bits[1]);
}

static char *text_kept(const char *text, size_t n, size_t most)
{
    Buffer b = {0};
    bool cut = n > most;
    buffer_text(&b, "");
    utf8_clean(text, cut ? most : n, true, &b);
    if (cut) buffer_text(&b, " [...]");
    char *out = mem_text_n(b.data, b.size);
    buffer_free(&b);
    return out;
}

static json_t *record_kept(const json_t *record)
{
    char *text = json_is_object(record) ? json_dumps(record, JSON_COMPACT) : NULL;
    bool small = text && strlen(text) <= record_most;
    free(text);
    return small ? json_deep_copy(record) : json_object();
}

/* Makes room at `at`; the last one goes if there is none. */
static void shift(MpoBuffer *b, int at)
{
    if (b->n == b->most) sample_free(&b->list[--b->n]);
    memmove(&b->list[at + 1], &b->list[at], (size_t)(b->n - at) * sizeof *b->list);
    b->n++;
}

void mpo_buffer_add(MpoBuffer *b, const Evidence *e, double score, const char *note)
{
    int64_t key = key_of(e);
    int at = b->n;
    while (at > 0 && b->list[at - 1].key > key) at--;
    if (at == b->most) return;
    shift(b, at);
    note = note ? note : "";
    b->list[at] = (MpoSample){.key = key,
                              .group = e->group,
                              .sample = e->sample,
                              .score = score,
                              .prompt = text_kept(e->prompt, e->n_prompt, MPO_PROMPT_MOST),
                              .answer = text_kept(e->text, e->n_text, MPO_ANSWER_MOST),
                              .note = text_kept(note, strlen(note), MPO_NOTE_MOST),
                              .record = record_kept(e->record)};
}

Evidence mpo_sample_evidence(const MpoSample *s, uint64_t seed)
{
    return (Evidence){.prompt = s->prompt,
                      .n_prompt = strlen(s->prompt),
                      .text = s->answer,
                      .n_text = strlen(s->answer),
                      .record = s->record,
                      .seed = seed,
                      .group = s->group,
                      .sample = s->sample};
}

/* ---- kept and taken back --------------------------------------------------------------------- */

json_t *mpo_buffer_save(const MpoBuffer *b)
{
    json_t *list = json_array();
    for (int i = 0; i < b->n; i++) {
        const MpoSample *s = &b->list[i];
        json_t *one = json_pack("{s:I, s:I, s:i, s:f, s:s, s:s, s:s, s:O}", "key",
                                (json_int_t)s->key, "group", (json_int_t)s->group, "sample",
                                s->sample, "score", s->score, "prompt", s->prompt, "answer",
                                s->answer, "note", s->note, "record", s->record);
        REQUIRE(one, "a sample that is no JSON");
        json_array_append_new(list, one);
    }
    return list;
}

static int take_sample(MpoBuffer *b, const json_t *saved)
{
    json_int_t key, group;
    const char *prompt, *answer, *note;
    json_t *record;
    json_error_t why;
    MpoSample s = {0};
    if (json_unpack_ex((json_t *)saved, &why, 0, "{s:I, s:I, s:i, s:F, s:s, s:s, s:s, s:o}", "key",
                       &key, "group", &group, "sample", &s.sample, "score", &s.score, "prompt",
                       &prompt, "answer", &answer, "note", &note, "record", &record))
        return fail("buffer: %s", why.text);
    if (b->n && b->list[b->n - 1].key > key) return fail("buffer: keys out of order");
    s.key = key, s.group = group;
    s.prompt = mem_text(prompt), s.answer = mem_text(answer), s.note = mem_text(note);
    s.record = json_incref(record);
    b->list[b->n++] = s;
    return 0;
}

int mpo_buffer_load(MpoBuffer *b, const json_t *saved)
{
    mpo_buffer_clear(b);
    if (!json_is_array(saved)) return fail("there is no buffer");
    if (json_array_size(saved) > (size_t)b->most)
        return fail("the buffer holds %zu samples, `buffer` says %d", json_array_size(saved),
                    b->most);
    for (size_t i = 0; i < json_array_size(saved); i++)
        if (take_sample(b, json_array_get(saved, i))) {
            mpo_buffer_clear(b);
            return -1;
        }
    return 0;
}

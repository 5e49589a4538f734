/* See sample.h. The blob: a fixed header, the group's texts, then each sample; every count is
 * checked against the bytes left before anything is allocated, so a hostile blob cannot make the
 * reader ask for more than a few times its size. The last four bytes are the CRC32C of all before
 * them: what passes it was written by group_pack, so a refusal after the CRC means another version
 * of Troupe (or a forged blob), and says so.
 */
#include "common/sample.h"

#include <limits.h>
#include <string.h>

#include <isa-l/crc.h>

#include "common/errors.h"

enum {
    HAS_TOKENS = 1,
    HAS_LOGPROBS = 2,
    HAS_UNTEMPERED = 4,
    HAS_SAMPLED = 8,
    HAS_VERSIONS = 16,
    HAS_MASK = 32,
    HAS_TEXT_ENDS = 64
};
static const uint32_t group_magic = 0x31707254u; /* "Trp1" */
static const uint32_t no_text = UINT32_MAX;      /* the length that stands for NULL */

const char *score_status_name(ScoreStatus s)
{
    static const char *const names[] = {"ok", "timeout", "error", "refused", "not_applicable"};
    REQUIRE((unsigned)s < sizeof names / sizeof *names, "score status %d", (int)s);
    return names[s];
}

/* isa-l's crc32_iscsi leaves out the inversions at both ends and counts in int; it picks SSE4.2 +
 * PCLMUL at run time. */
uint32_t crc32c(uint32_t crc, const void *data, size_t n)
{
    const unsigned char *p = data;
    uint32_t state = ~crc;
    while (n) {
        int part = n > (1u << 30) ? 1 << 30 : (int)n;
        state = crc32_iscsi((unsigned char *)p, part, state);
        p += part;
        n -= (size_t)part;
    }
    return ~state;
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void sample_free(Sample *s, int n_components)
{
    for (int i = 0; s->notes && i < n_components; i++) mem_free(s->notes[i]);
    mem_free(s->notes);
    mem_free(s->tokens);
    mem_free(s->logprobs);
    mem_free(s->logprobs_untempered);
    mem_free(s->logprobs_sampled);
    mem_free(s->versions);
    mem_free(s->mask);
    mem_free(s->text_ends);
    mem_free(s->text);
    mem_free(s->components);
    mem_free(s->latencies_s);
    mem_free(s->steps);
}

void group_free(Group *g)
{
    for (int i = 0; i < g->n_samples; i++) sample_free(&g->samples[i], g->n_components);
    mem_free(g->samples);
    mem_free(g->prompt);
    mem_free(g->prompt_text);
    mem_free(g->record);
    *g = (Group){0};
}

void sample_reserve(Sample *s, int n_max)
{
    REQUIRE(n_max >= s->n_tokens, "room for %d tokens in a sample of %d", n_max, s->n_tokens);
    size_t old = (size_t)s->n_tokens, n = (size_t)n_max;
    s->tokens = mem_resize(s->tokens, old, n, sizeof *s->tokens);
    s->logprobs = mem_resize(s->logprobs, old, n, sizeof *s->logprobs);
    s->logprobs_untempered = mem_resize(s->logprobs_untempered, old, n, sizeof(float));
    s->logprobs_sampled = mem_resize(s->logprobs_sampled, old, n, sizeof(float));
    s->versions = mem_resize(s->versions, old, n, sizeof *s->versions);
    if (s->text_ends) s->text_ends = mem_resize(s->text_ends, old, n, sizeof *s->text_ends);
    if (s->mask) s->mask = mem_resize(s->mask, old, n, sizeof *s->mask);
}

void group_reserve_scores(Group *g, int n_components)
{
    REQUIRE(n_components >= 0, "%d components", n_components);
    for (int i = 0; i < g->n_samples; i++) {
        Sample *s = &g->samples[i];
        for (int k = 0; s->notes && k < g->n_components; k++) mem_free(s->notes[k]);
        mem_free(s->notes);
        mem_free(s->components);
        mem_free(s->latencies_s);
        mem_free(s->steps);
        s->steps = NULL, s->n_steps = 0;
        s->components = n_components ? NEW(Score, n_components) : NULL;
        s->latencies_s = n_components ? NEW(float, n_components) : NULL;
        s->notes = n_components ? NEW(char *, n_components) : NULL;
    }
    g->n_components = n_components;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void put(Buffer *b, const void *p, size_t n)
{
    buffer_add(b, p, n);
}
static void put_u32(Buffer *b, uint32_t v)
{
    put(b, &v, sizeof v);
}
static void put_i64(Buffer *b, int64_t v)
{
    put(b, &v, sizeof v);
}

static void put_count(Buffer *b, int n)
{
    REQUIRE(n >= 0, "a count of %d", n);
    put_u32(b, (uint32_t)n);
}

static void put_text(Buffer *b, const char *s)
{
    size_t n = s ? strlen(s) : 0;
    REQUIRE(n < no_text, "a text of %zu bytes", n);
    put_u32(b, s ? (uint32_t)n : no_text);
    put(b, s, n);
}

static void put_score(Buffer *b, const Score *s)
{
    uint32_t status = (uint32_t)s->status;
    put(b, &s->value, sizeof s->value);
    put_u32(b, status);
}

static uint32_t sample_parts(const Sample *s)
{
    return (s->tokens ? HAS_TOKENS : 0u) | (s->logprobs ? HAS_LOGPROBS : 0u) |
           (s->logprobs_untempered ? HAS_UNTEMPERED : 0u) |
           (s->logprobs_sampled ? HAS_SAMPLED : 0u) | (s->versions ? HAS_VERSIONS : 0u) |
           (s->mask ? HAS_MASK : 0u) | (s->text_ends ? HAS_TEXT_ENDS : 0u);
}

static void put_sample(Buffer *b, const Sample *s, int n_components)
{
    size_t T = (size_t)s->n_tokens;
    put_count(b, s->n_tokens);
    put_u32(b, sample_parts(s));
    if (s->tokens) put(b, s->tokens, T * sizeof *s->tokens);
    if (s->logprobs) put(b, s->logprobs, T * sizeof(float));
    if (s->logprobs_untempered) put(b, s->logprobs_untempered, T * sizeof(float));
    if (s->logprobs_sampled) put(b, s->logprobs_sampled, T * sizeof(float));
    if (s->versions) put(b, s->versions, T * sizeof *s->versions);
    if (s->mask) put(b, s->mask, T);
    if (s->text_ends) put(b, s->text_ends, T * sizeof *s->text_ends);
    put_u32(b, (uint32_t)s->finish);
    put_text(b, s->text);
    for (int i = 0; i < n_components; i++) {
        put_score(b, &s->components[i]);
        put(b, &s->latencies_s[i], sizeof(float));
        put_text(b, s->notes ? s->notes[i] : NULL);
    }
    put_score(b, &s->reward);
    put(b, &s->advantage, sizeof s->advantage);
    put_count(b, s->n_steps);
    put(b, s->steps, (size_t)s->n_steps * sizeof *s->steps);
}

void group_pack(const Group *g, Buffer *out)
{
    size_t start = out->size;
    put_u32(out, group_magic);
    put_u32(out, (uint32_t)g->kind);
    put_i64(out, g->id);
    put_i64(out, g->problem);
    put_u32(out, (uint32_t)g->version);
    put_count(out, g->n_prompt);
    put_count(out, g->n_components);
    put_count(out, g->n_samples);
    put(out, g->prompt, (size_t)g->n_prompt * sizeof *g->prompt);
    put_text(out, g->prompt_text);
    put_text(out, g->record);
    for (int i = 0; i < g->n_samples; i++) put_sample(out, &g->samples[i], g->n_components);
    put_u32(out, crc32c(0, out->data + start, out->size - start));
}

/* ---- reading --------------------------------------------------------------------------------- */

/* What is left of a blob. The first thing wrong is kept in `wrong`; after that every take gives
 * zeros. */
typedef struct {
    const char *p;
    size_t left;
    const char *wrong;
} Reader;

static void take(Reader *r, void *to, size_t n)
{
    if (!r->wrong && n > r->left) r->wrong = "ends early";
    if (r->wrong) {
        memset(to, 0, n);
        return;
    }
    if (n) memcpy(to, r->p, n);
    r->p += n;
    r->left -= n;
}
static uint32_t take_u32(Reader *r)
{
    uint32_t v;
    take(r, &v, sizeof v);
    return v;
}
static int64_t take_i64(Reader *r)
{
    int64_t v;
    take(r, &v, sizeof v);
    return v;
}

/* A count of things of at least `size` bytes each: what is left must hold them. */
static int take_count(Reader *r, size_t size, const char *wrong)
{
    uint32_t n = take_u32(r);
    if (!r->wrong && (n > INT_MAX || n > r->left / size)) r->wrong = wrong;
    return r->wrong ? 0 : (int)n;
}

static uint32_t take_enum(Reader *r, uint32_t last, const char *wrong)
{
    uint32_t v = take_u32(r);
    if (!r->wrong && v > last) r->wrong = wrong;
    return r->wrong ? 0 : v;
}

static void *take_array(Reader *r, bool there, size_t n, size_t size)
{
    if (!there || r->wrong) return NULL;
    if (n > r->left / size) {
        r->wrong = "has an array that is longer than the blob";
        return NULL;
    }
    void *a = mem_zeroed(n, size);
    take(r, a, n * size);
    return a;
}

static char *take_text(Reader *r)
{
    uint32_t n = take_u32(r);
    if (r->wrong || n == no_text) return NULL;
    if (n > r->left)
        r->wrong = "has a text that is longer than the blob";
    else if (memchr(r->p, 0, n))
        r->wrong = "has a zero byte in a text";
    if (r->wrong) return NULL;
    char *s = mem_text_n(r->p, n);
    r->p += n;
    r->left -= n;
    return s;
}

static Score take_score(Reader *r)
{
    Score s = {0};
    take(r, &s.value, sizeof s.value);
    s.status = (ScoreStatus)take_enum(r, SCORE_NOT_APPLICABLE, "has an unknown score status");
    return s;
}

/* Steps whose ends rise within the answer. */
static void take_steps(Reader *r, Sample *s)
{
    s->n_steps = take_count(r, sizeof *s->steps, "has more steps than bytes");
    s->steps = take_array(r, s->n_steps > 0, (size_t)s->n_steps, sizeof *s->steps);
    for (int k = 0; k < s->n_steps && !r->wrong; k++)
        if (s->steps[k].end <= (k ? s->steps[k - 1].end : 0) || s->steps[k].end > s->n_tokens)
            r->wrong = "has steps that are none of its answer";
    if (r->wrong) s->n_steps = 0;
}

static void take_sample(Reader *r, Sample *s, int n_components)
{
    s->n_tokens = take_count(r, 1, "has more tokens than bytes");
    uint32_t parts = take_u32(r);
    size_t T = (size_t)s->n_tokens;
    if (parts >= 2 * HAS_TEXT_ENDS && !r->wrong) r->wrong = "has arrays of an unknown kind";
    if (T && !(parts & HAS_TOKENS) && !r->wrong) r->wrong = "has a sample without its tokens";
    s->tokens = take_array(r, parts & HAS_TOKENS, T, sizeof *s->tokens);
    s->logprobs = take_array(r, parts & HAS_LOGPROBS, T, sizeof(float));
    s->logprobs_untempered = take_array(r, parts & HAS_UNTEMPERED, T, sizeof(float));
    s->logprobs_sampled = take_array(r, parts & HAS_SAMPLED, T, sizeof(float));
    s->versions = take_array(r, parts & HAS_VERSIONS, T, sizeof *s->versions);
    s->mask = take_array(r, parts & HAS_MASK, T, 1);
    s->text_ends = take_array(r, parts & HAS_TEXT_ENDS, T, sizeof *s->text_ends);
    s->finish = (FinishReason)take_enum(r, FINISH_LENGTH, "has an unknown finish reason");
    s->text = take_text(r);
    for (int i = 0; i < n_components; i++) {
        s->components[i] = take_score(r);
        take(r, &s->latencies_s[i], sizeof(float));
        s->notes[i] = take_text(r);
    }
    s->reward = take_score(r);
    take(r, &s->advantage, sizeof s->advantage);
    take_steps(r, s);
}

static void take_group(Reader *r, Group *g)
{
    if (take_u32(r) != group_magic && !r->wrong) r->wrong = "does not start as a group";
    g->kind = (GroupKind)take_enum(r, GROUP_DEMO, "is of an unknown kind");
    g->id = take_i64(r);
    g->problem = take_i64(r);
    g->version = (int32_t)take_u32(r);
    g->n_prompt = take_count(r, sizeof *g->prompt, "has a prompt that is longer than the blob");
    int n_components = take_count(r, 1, "has more components than bytes");
    const size_t least_sample = 36,
                 least_component = 20; /* bytes that put_sample writes at least */
    int n_samples = take_count(r, least_sample, "has more samples than bytes");
    if (!r->wrong && (uint64_t)n_samples * (uint64_t)n_components > r->left / least_component)
        r->wrong = "has more scores than bytes";
    g->prompt = take_array(r, true, (size_t)g->n_prompt, sizeof *g->prompt);
    g->prompt_text = take_text(r);
    g->record = take_text(r);
    if (r->wrong) return;
    g->samples = NEW(Sample, n_samples);
    g->n_samples = n_samples;
    group_reserve_scores(g, n_components);
    for (int i = 0; i < n_samples && !r->wrong; i++) take_sample(r, &g->samples[i], n_components);
    if (!r->wrong && r->left) r->wrong = "has bytes after its end";
}

int group_unpack(Group *g, const void *data, size_t size)
{
    *g = (Group){0};
    uint32_t crc;
    if (size < sizeof crc) return fail("a group of %zu bytes: ends early", size);
    memcpy(&crc, (const char *)data + size - sizeof crc, sizeof crc);
    Reader r = {data, size - sizeof crc, NULL};
    if (crc32c(0, data, r.left) != crc)
        return fail("a group of %zu bytes: its CRC32C does not fit: damaged on the way", size);
    take_group(&r, g);
    if (!r.wrong) return 0;
    group_free(g);
    return fail("a group of %zu bytes %s: written by another version of Troupe?", size, r.wrong);
}

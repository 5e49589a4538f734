/* See engine.h: between a group's prompt (common/prompts) and the reward service.
 *
 * Samples start in order (group after group, sample after sample) as soon as a row is free and the
 * pages they may need at worst are unreserved. A group is prefilled when its first sample starts,
 * so at most max_rows + 1 prompts are in flight; and because the worst case is reserved at the
 * start, no row ever waits for memory in the middle. Who joins when has no influence on what is
 * written.
 */
#include "actors/engine.h"

#include "actors/batch.h"
#include "common/errors.h"

struct Engine {
    Batch b;
    size_t kv_tokens;
    Flight **fresh; /* [max_rows] to be prefilled in this turn */
    bool abandoned;
};

Engine *engine_new(const Model *m, const Tokenizer *tok, int max_rows, size_t kv_tokens)
{
    REQUIRE(max_rows >= 1, "%d rows", max_rows);
    Engine *e = NEW(Engine, 1);
    batch_init(&e->b, m, tok, max_rows);
    e->kv_tokens = kv_tokens;
    e->fresh = NEW(Flight *, max_rows);
    return e;
}

void engine_free(Engine *e)
{
    if (!e) return;
    batch_free(&e->b);
    mem_free(e->fresh);
    mem_free(e);
}

EngineStats engine_stats(const Engine *e)
{
    return e->b.stats;
}

size_t engine_kv_tokens(int max_rows, int n_samples, int longest_prompt, int max_tokens)
{
    size_t rows = (size_t)max_rows, G = (size_t)n_samples;
    size_t groups = (rows + G - 1) / G + 1;
    return KV_PAGE * (groups * (size_t)batch_pages(longest_prompt) +
                      rows * (size_t)batch_answer_pages(max_tokens));
}

size_t engine_bytes(const ModelDesc *d, const KernelSet *k, int max_rows, size_t kv_tokens)
{
    size_t rows = (size_t)max_rows, C = (size_t)d->C, V = (size_t)d->V;
    size_t pass = rows > BATCH_PASS_ROWS ? rows : BATCH_PASS_ROWS;
    size_t logit_rows = rows < BATCH_LOGIT_ROWS ? rows : BATCH_LOGIT_ROWS;
    size_t kv = kv_tokens / KV_PAGE * kv_page_bytes(d, k->precision, d->L);
    return kv + 4 * (logit_rows * V + (pass + rows + 1) * C) +
           pass * (4 * sizeof(int32_t) + sizeof(AttnSegment)) +
           rows * (sizeof(Row) + sizeof(Flight) + sizeof(Drawn));
}

/* ---- one call -------------------------------------------------------------------------------- */

static int answer_limit(const Engine *e, const Group *g, const GenerateParams *p)
{
    int left = model_desc(e->b.m)->max_positions - g->n_prompt;
    return p->max_tokens < left ? p->max_tokens : left;
}

/* Checks the groups and reserves what they need. */
static void engine_prepare(Engine *e, Group **groups, int n, const GenerateParams *p,
                           int32_t version)
{
    int longest_prompt = 0, longest_answer = 1, fewest = groups[0]->n_samples, worst = 0;
    for (int i = 0; i < n; i++) {
        Group *g = groups[i];
        REQUIRE(g->n_prompt >= 1 && g->n_samples >= 1, "group %lld: %d prompt tokens, %d samples",
                (long long)g->id, g->n_prompt, g->n_samples);
        int limit = answer_limit(e, g, p);
        if (limit < 1)
            die(EXIT_CONFIG,
                "group %lld: its prompt of %d tokens leaves no room in the model's %d positions",
                (long long)g->id, g->n_prompt, model_desc(e->b.m)->max_positions);
        g->version = version;
        if (!g->samples) g->samples = NEW(Sample, g->n_samples);
        if (g->n_prompt > longest_prompt) longest_prompt = g->n_prompt;
        if (limit > longest_answer) longest_answer = limit;
        if (g->n_samples < fewest) fewest = g->n_samples;
        int pages = batch_pages(g->n_prompt) + batch_answer_pages(limit);
        if (pages > worst) worst = pages;
    }
    size_t tokens = e->kv_tokens
                        ? e->kv_tokens
                        : engine_kv_tokens(e->b.max_rows, fewest, longest_prompt, longest_answer);
    int n_pages = (int)(tokens / KV_PAGE);
    if (worst > n_pages)
        die(EXIT_UNABLE, "one answer may need %d slots of KV memory, the engine was given %zu",
            worst * KV_PAGE, tokens);
    batch_reserve(&e->b, longest_prompt, longest_answer, n_pages);
}

/* What is left to start: sample after sample of group after group. */
typedef struct {
    Group **groups;
    int n, next;    /* groups[next] is the first not in flight */
    Flight *flight; /* with samples yet to start, or NULL */
} Queue;

/* Starts samples while there is room; the first samples' groups are listed in e->fresh. Returns how
 * many groups are fresh. */
static int engine_admit(Engine *e, Queue *q, const GenerateParams *p)
{
    Batch *b = &e->b;
    int n_fresh = 0;
    while (b->n_rows < b->max_rows) {
        if (!q->flight) {
            if (q->next == q->n) break;
            Group *g = q->groups[q->next];
            int limit = answer_limit(e, g, p);
            if (!batch_has_room(b, batch_pages(g->n_prompt) + batch_answer_pages(limit))) break;
            q->flight = e->fresh[n_fresh++] = batch_add_group(b, g, limit);
            q->next++;
        } else if (!batch_has_room(b, batch_answer_pages(q->flight->limit))) {
            break;
        }
        batch_add_sample(b, q->flight);
        if (q->flight->n_started == q->flight->g->n_samples) q->flight = NULL;
    }
    return n_fresh;
}

void engine_generate(Engine *e, Group **groups, int n, const GenerateParams *p, int32_t version,
                     engine_done_fn *done, engine_tick_fn *tick, void *ctx)
{
    if (!n) return;
    Batch *b = &e->b;
    REQUIRE(p->max_tokens >= 1, "max_tokens %d", p->max_tokens);
    engine_prepare(e, groups, n, p, version);
    b->p = p, b->version = version, b->done = done, b->ctx = ctx;
    e->abandoned = false;
    Queue q = {.groups = groups, .n = n};
    for (;;) {
        int first = b->n_rows, n_fresh = engine_admit(e, &q, p);
        if (n_fresh) batch_prefill(b, e->fresh, n_fresh);
        if (b->n_rows > first)
            batch_join(b, first);
        else if (b->n_rows)
            batch_decode(b);
        else
            break;
        if (tick) tick(ctx);
        if (e->abandoned) {
            batch_drop(b);
            return;
        }
    }
    REQUIRE(q.next == n && !q.flight && !b->n_reserved, "group %d of %d was never started", q.next,
            n);
}

void engine_abandon(Engine *e)
{
    e->abandoned = true;
}

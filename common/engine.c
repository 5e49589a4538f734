/* See engine.h: between a group's prompt (common/prompts) and the reward service.
 *
 * Samples start in order (group after group, sample after sample) as soon as a row is free and the
 * pages they may need at worst are unreserved. A group is prefilled when its first sample starts,
 * so at most max_rows + 1 prompts are in flight; and because the worst case is reserved at the
 * start, no row ever waits for memory in the middle. Who joins when has no influence on what is
 * written.
 */
#include "common/engine.h"

#include "common/engine_batch.h"
#include "common/errors.h"
#include "common/memory.h"

typedef struct {
    Group *g;
    const GenerateParams *p;
} Queued;

struct Engine {
    Batch b;
    size_t kv_tokens;
    int longest_prompt, longest_answer; /* of the groups that may come */
    Queued *queue;                      /* a ring of n_queue places, n_waiting taken from `first` */
    int n_queue, first, n_waiting;
    Flight *starting; /* the group in flight with samples yet to start, or NULL */
    Flight **fresh;   /* [max_rows] to be prefilled in this turn */
    bool stepping, abandoned;
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
    mem_free(e->queue);
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

static size_t kv_memory(const ModelDesc *d, const KernelSet *k, size_t kv_tokens)
{
    return kv_tokens / KV_PAGE * kv_page_bytes(d, k->precision, d->L);
}

size_t engine_lent(const ModelDesc *d, const KernelSet *k, size_t kv_tokens)
{
    size_t bytes = kv_memory(d, k, kv_tokens);
    return bytes < MEM_LEND_LEAST ? 0 : bytes;
}

void engine_lend(Engine *e)
{
    REQUIRE(!engine_pending(e), "%d groups are not done", engine_pending(e));
    if (e->b.kv.n_pages) kv_lend(&e->b.kv);
}

size_t engine_bytes(const ModelDesc *d, const KernelSet *k, int max_rows, size_t kv_tokens)
{
    size_t rows = (size_t)max_rows, C = (size_t)d->C, V = (size_t)d->V;
    size_t pass = rows > BATCH_PASS_ROWS ? rows : BATCH_PASS_ROWS;
    size_t logit_rows = rows < BATCH_LOGIT_ROWS ? rows : BATCH_LOGIT_ROWS;
    return kv_memory(d, k, kv_tokens) + 4 * (logit_rows * V + (pass + rows + 1) * C) +
           pass * (4 * sizeof(int32_t) + sizeof(AttnSegment)) +
           rows * (sizeof(Row) + sizeof(Flight) + sizeof(Drawn));
}

/* ---- groups come ----------------------------------------------------------------------------- */

static int answer_limit(const Engine *e, const Group *g, const GenerateParams *p)
{
    int left = model_desc(e->b.m)->max_positions - g->n_prompt;
    return p->max_tokens < left ? p->max_tokens : left;
}

static void reserve(Engine *e, int longest_prompt, int longest_answer, int n_samples)
{
    Batch *b = &e->b;
    REQUIRE(!e->n_waiting && !e->starting, "%d groups are waiting", e->n_waiting);
    size_t tokens = e->kv_tokens
                        ? e->kv_tokens
                        : engine_kv_tokens(b->max_rows, n_samples, longest_prompt, longest_answer);
    e->longest_prompt = longest_prompt, e->longest_answer = longest_answer;
    batch_reserve(b, longest_prompt, longest_answer, (int)(tokens / KV_PAGE));
}

void engine_begin(Engine *e, int longest_prompt, int longest_answer, int32_t version,
                  engine_done_fn *done, void *ctx)
{
    Batch *b = &e->b;
    reserve(e, longest_prompt, longest_answer, 1);
    b->version = version, b->done = done, b->ctx = ctx;
}

static void enqueue(Engine *e, Queued q)
{
    if (e->n_waiting == e->n_queue) {
        int n = e->n_queue ? 2 * e->n_queue : 16;
        Queued *longer = NEW(Queued, n);
        for (int i = 0; i < e->n_waiting; i++) longer[i] = e->queue[(e->first + i) % e->n_queue];
        mem_free(e->queue);
        e->queue = longer, e->n_queue = n, e->first = 0;
    }
    e->queue[(e->first + e->n_waiting++) % e->n_queue] = q;
}

int engine_add(Engine *e, Group *g, const GenerateParams *p)
{
    REQUIRE(g->n_prompt >= 1 && g->n_samples >= 1 && p->max_tokens >= 1,
            "group %lld: %d prompt tokens, %d samples of at most %d tokens", (long long)g->id,
            g->n_prompt, g->n_samples, p->max_tokens);
    int limit = answer_limit(e, g, p);
    if (limit < 1)
        return fail("group %lld: its prompt of %d tokens leaves no room in the model's %d "
                    "positions",
                    (long long)g->id, g->n_prompt, model_desc(e->b.m)->max_positions);
    REQUIRE(g->n_prompt <= e->longest_prompt && limit <= e->longest_answer,
            "group %lld: %d + %d tokens where %d + %d were announced", (long long)g->id,
            g->n_prompt, limit, e->longest_prompt, e->longest_answer);
    int worst = batch_pages(g->n_prompt) + batch_answer_pages(limit);
    if (worst > e->b.kv.n_pages)
        die(EXIT_UNABLE, "one answer may need %d slots of KV memory, the engine was given %d",
            worst * KV_PAGE, e->b.kv.n_pages * KV_PAGE);
    g->version = e->b.version;
    if (!g->samples) g->samples = NEW(Sample, g->n_samples);
    enqueue(e, (Queued){g, p});
    return 0;
}

int engine_pending(const Engine *e)
{
    int n = e->n_waiting;
    for (int i = 0; i <= e->b.max_rows; i++) n += e->b.flights[i].g != NULL;
    return n;
}

/* ---- and are written ------------------------------------------------------------------------- */

/* Takes the first of the queue into flight, if there is room. */
static bool start_group(Engine *e)
{
    Batch *b = &e->b;
    if (!e->n_waiting) return false;
    Queued q = e->queue[e->first];
    int limit = answer_limit(e, q.g, q.p);
    if (!batch_has_room(b, batch_pages(q.g->n_prompt) + batch_answer_pages(limit))) return false;
    e->starting = batch_add_group(b, q.g, q.p, limit);
    e->first = (e->first + 1) % e->n_queue;
    e->n_waiting--;
    return true;
}

/* Starts samples while there is room; the first samples' groups are listed in e->fresh. Returns how
 * many groups are fresh. */
static int engine_admit(Engine *e)
{
    Batch *b = &e->b;
    int n_fresh = 0;
    while (b->n_rows < b->max_rows) {
        if (!e->starting) {
            if (!start_group(e)) break;
            e->fresh[n_fresh++] = e->starting;
        } else if (!batch_has_room(b, batch_answer_pages(e->starting->limit))) {
            break;
        }
        batch_add_sample(b, e->starting);
        if (e->starting->n_started == e->starting->g->n_samples) e->starting = NULL;
    }
    return n_fresh;
}

static void drop_all(Engine *e)
{
    e->n_waiting = 0;
    e->starting = NULL;
    e->abandoned = false;
    batch_drop(&e->b);
}

bool engine_step(Engine *e)
{
    Batch *b = &e->b;
    e->stepping = true;
    int first = b->n_rows, n_fresh = engine_admit(e);
    if (n_fresh) batch_prefill(b, e->fresh, n_fresh);
    bool any = b->n_rows > 0;
    if (b->n_rows > first)
        batch_join(b, first);
    else if (any)
        batch_decode(b);
    e->stepping = false;
    if (e->abandoned) drop_all(e);
    return any;
}

/* In the middle of a step its rows are being walked through: they are dropped at its end. */
void engine_abandon(Engine *e)
{
    e->abandoned = true;
    if (!e->stepping) drop_all(e);
}

void engine_generate(Engine *e, Group **groups, int n, const GenerateParams *p, int32_t version,
                     engine_done_fn *done, engine_tick_fn *tick, void *ctx)
{
    if (!n) return;
    int longest_prompt = 1, longest_answer = 1, fewest = groups[0]->n_samples;
    for (int i = 0; i < n; i++) {
        int limit = answer_limit(e, groups[i], p);
        if (groups[i]->n_prompt > longest_prompt) longest_prompt = groups[i]->n_prompt;
        if (limit > longest_answer) longest_answer = limit;
        if (groups[i]->n_samples < fewest) fewest = groups[i]->n_samples;
    }
    reserve(e, longest_prompt, longest_answer, fewest);
    e->b.version = version, e->b.done = done, e->b.ctx = ctx;
    for (int i = 0; i < n; i++)
        if (engine_add(e, groups[i], p)) die(EXIT_CONFIG, "this group cannot be asked");
    while (engine_step(e))
        if (tick) tick(ctx);
    REQUIRE(!e->n_waiting && !e->starting && !e->b.n_reserved, "%d groups were never started",
            e->n_waiting);
}

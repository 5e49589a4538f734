/* Promise 1: rollout and training give the same bits. A token's logits do not depend on how it was
 * computed: token by token or in one piece, alone or among 64, prompt shared or not, in the
 * rollout's model or the learner's, on one thread or several, in every kind of product. */
#include <omp.h>

#include "tests/harness.h"
#include "tests/model_fixtures.h"

enum { N_ANSWERS = 64, N_PROMPT = 21, LONGEST = 20, MOST_BLOCKS = 16 };

/* ---- sequences over KV pages ---- */

typedef struct {
    KvBlock blocks[MOST_BLOCKS];
    int n_blocks, n_keys;
    bool closed; /* the last page is shared: the next token takes a new one */
} Seq;

static int32_t seq_slot(Seq *s, KvCache *kv)
{
    if (!s->n_blocks || s->closed || s->blocks[s->n_blocks - 1].n == KV_PAGE) {
        int page = kv_take(kv);
        ck_assert_int_ge(page, 0);
        s->blocks[s->n_blocks++] = (KvBlock){page, 0};
        s->closed = false;
    }
    KvBlock *b = &s->blocks[s->n_blocks - 1];
    s->n_keys++;
    return b->page * KV_PAGE + b->n++;
}

/* The rows of one pass, collected piece by piece. */
typedef struct {
    Rows rows;
    int32_t token[2048], pos[2048], slot[2048];
    AttnSegment segs[N_ANSWERS];
    KvBlock blocks[N_ANSWERS][MOST_BLOCKS];
} Pass;

static void pass_begin(Pass *p)
{
    p->rows = (Rows){0, p->token, p->pos, p->slot, p->segs, 0};
}

static void pass_add(Pass *p, Seq *s, KvCache *kv, const int32_t *tokens, int n)
{
    int row = p->rows.M, seg = p->rows.n_segs++;
    for (int i = 0; i < n; i++) {
        p->token[row + i] = tokens[i];
        p->pos[row + i] = s->n_keys;
        p->slot[row + i] = seq_slot(s, kv);
    }
    memcpy(p->blocks[seg], s->blocks, sizeof s->blocks);
    p->segs[seg] = (AttnSegment){row, n, s->n_keys, s->n_blocks, p->blocks[seg]};
    p->rows.M += n;
}

/* ---- logits of every answer token, by different ways ---- */

typedef struct {
    const Model *m;
    const TestGroup *g;
    float *logits; /* [n_want, V] in the order of g->want */
    KvCache kv;
    Pass pass;
    int at[N_ANSWERS]; /* wanted row of answer i's token 0 */
} Ways;

static void ways_init(Ways *w, const Model *m, const TestGroup *g)
{
    w->m = m;
    w->g = g;
    w->logits = NEW(float, (size_t)g->n_want *(size_t)model_desc(m)->V);
    kv_init(&w->kv, m, model_desc(m)->L, N_ANSWERS * MOST_BLOCKS);
    for (int i = 0, at = 0; i < g->n; at += g->lengths[i++]) w->at[i] = at;
}

static void ways_free(Ways *w)
{
    kv_free(&w->kv);
    mem_free(w->logits);
}

/* Runs the pass; wanted[i] says where row out[i]'s logits belong (-1: nowhere). */
static void ways_run(Ways *w, const int32_t *out, const int *wanted, int n)
{
    int V = model_desc(w->m)->V, C = model_desc(w->m)->C;
    float *h = NEW(float, n *C), *z = NEW(float, n *V);
    model_forward(w->m, &w->kv, &w->pass.rows, out, n, h);
    model_logits(w->m, h, n, z);
    for (int i = 0; i < n; i++)
        if (wanted[i] >= 0)
            memcpy(w->logits + (size_t)wanted[i] * (size_t)V, z + i * V, (size_t)V * sizeof *z);
    mem_free(h);
    mem_free(z);
}

/* The prompt of one sequence in pieces; its last row predicts the first token of answers first ..
 * first + n - 1. */
static void prefill(Ways *w, Seq *s, int piece, int first, int n)
{
    for (int i = 0; i < w->g->n_prompt; i += piece) {
        int k = w->g->n_prompt - i < piece ? w->g->n_prompt - i : piece;
        int32_t out[N_ANSWERS];
        int wanted[N_ANSWERS];
        pass_begin(&w->pass);
        pass_add(&w->pass, s, &w->kv, w->g->prompt + i, k);
        for (int j = 0; j < n; j++) {
            out[j] = k - 1;
            wanted[j] = i + k == w->g->n_prompt ? w->at[first + j] : -1;
        }
        ways_run(w, out, wanted, n);
    }
}

/* Answers first .. first + n - 1, whose prompts are in seqs, one token of each at a time. */
static void decode(Ways *w, Seq *seqs, int first, int n)
{
    for (int t = 0; t < LONGEST; t++) {
        int32_t out[N_ANSWERS];
        int wanted[N_ANSWERS], k = 0;
        pass_begin(&w->pass);
        for (int i = first; i < first + n; i++)
            if (t + 1 < w->g->lengths[i]) {
                pass_add(&w->pass, &seqs[i - first], &w->kv, &w->g->answers[i][t], 1);
                out[k] = k;
                wanted[k++] = w->at[i] + t + 1;
            }
        if (k) ways_run(w, out, wanted, k);
    }
}

/* One after the other, nothing shared, a token a pass. */
static void way_alone(Ways *w, int n)
{
    for (int i = 0; i < n; i++) {
        Seq s = {0};
        prefill(w, &s, 1, i, 1);
        decode(w, &s, i, 1);
    }
}

/* One after the other, prompt and answer in one pass. */
static void way_whole(Ways *w, int n)
{
    for (int i = 0; i < n; i++) {
        const TestGroup *g = w->g;
        int32_t tokens[N_PROMPT + LONGEST], out[LONGEST];
        int wanted[LONGEST], length = g->lengths[i];
        memcpy(tokens, g->prompt, (size_t)g->n_prompt * sizeof *tokens);
        memcpy(tokens + g->n_prompt, g->answers[i], (size_t)length * sizeof *tokens);
        Seq s = {0};
        pass_begin(&w->pass);
        pass_add(&w->pass, &s, &w->kv, tokens, g->n_prompt + length - 1);
        for (int j = 0; j < length; j++) {
            out[j] = g->n_prompt - 1 + j;
            wanted[j] = w->at[i] + j;
        }
        ways_run(w, out, wanted, length);
    }
}

/* All together, each with its own copy of the prompt. */
static void way_batch(Ways *w, int piece)
{
    Seq seqs[N_ANSWERS] = {0};
    for (int i = 0; i < w->g->n; i++) prefill(w, &seqs[i], piece, i, 1);
    decode(w, seqs, 0, w->g->n);
}

/* All together on one prompt, as the engine does. */
static void way_shared(Ways *w, int piece)
{
    Seq prompt = {0}, seqs[N_ANSWERS];
    prefill(w, &prompt, piece, 0, w->g->n);
    prompt.closed = true;
    for (int i = 0; i < w->g->n; i++) seqs[i] = prompt;
    decode(w, seqs, 0, w->g->n);
}

/* ---- comparisons ---- */

static void logprobs_of(const Ways *w, float *lp)
{
    float *lse = NEW(float, w->g->n_want);
    op_logprob(lp, lse, NULL, w->logits, w->g->target, w->g->n_want, model_desc(w->m)->V, 1);
    mem_free(lse);
}

static Model *rollout_copy(const Model *learner)
{
    char *wire = mem_zeroed(model_wire_bytes(learner), 1);
    Model *m = model_new(model_desc(learner), model_kernels(learner), false);
    model_wire_write(learner, wire);
    model_wire_read(m, wire);
    mem_free(wire);
    return m;
}

enum { ALONE, WHOLE, BATCH, BATCH_IN_PIECES, SHARED, SHARED_BY_TOKEN, N_WAYS };

static void run_way(Ways *w, int way)
{
    if (way == ALONE) way_alone(w, w->g->n);
    if (way == WHOLE) way_whole(w, w->g->n);
    if (way == BATCH) way_batch(w, N_PROMPT);
    if (way == BATCH_IN_PIECES) way_batch(w, 5);
    if (way == SHARED) way_shared(w, N_PROMPT);
    if (way == SHARED_BY_TOKEN) way_shared(w, 1);
}

static void check_model(const ModelDesc *d, ProductKind product)
{
    Model *learner = test_model(d, product, 7), *actor = rollout_copy(learner);
    TestGroup g = test_group(d->V, N_PROMPT, N_ANSWERS, LONGEST, 3);
    size_t bytes = (size_t)g.n_want * (size_t)d->V * sizeof(float);
    Ways *first = NEW(Ways, 1);
    for (int threads = 1; threads <= 2; threads++) {
        omp_set_num_threads(threads);
        for (int way = 0; way < N_WAYS; way++)
            for (int who = 0; who < 2; who++) {
                Ways *w = NEW(Ways, 1);
                ways_init(w, who ? learner : actor, &g);
                run_way(w, way);
                ck_assert_msg(!first->logits || same_bits(w->logits, first->logits, bytes),
                              "%s, product %d: way %d by the %s on %d threads differs",
                              d->architecture, product, way, who ? "learner" : "actor", threads);
                if (first->logits)
                    ways_free(w);
                else
                    *first = *w;
                mem_free(w);
            }
    }
    float *lp = NEW(float, g.n_want), *trained = NEW(float, g.n_want),
          *weight = NEW(float, g.n_want);
    logprobs_of(first, lp);
    for (int threads = 1; threads <= 2; threads++) {
        omp_set_num_threads(threads);
        Trainer *t = trainer_new(learner);
        TestLoss loss = {.weight = weight, .lp = trained};
        test_run(t, &g, &loss, 1, NULL);
        ck_assert_msg(same_bits(lp, trained, (size_t)g.n_want * sizeof *lp),
                      "%s, product %d: the trainer on %d threads differs", d->architecture, product,
                      threads);
        trainer_free(t);
    }
    mem_free(lp);
    mem_free(trained);
    mem_free(weight);
    ways_free(first);
    mem_free(first);
    test_group_free(&g);
    model_free(learner);
    model_free(actor);
}

START_TEST(rollout_and_training_agree)
{
    for (int i = 0; i < N_SMALL_MODELS; i++)
        for (int product = PRODUCT_F32; product <= PRODUCT_BF16_AS_F32; product++)
            check_model(&small_models[i], (ProductKind)product);
}
END_TEST

TEST_MAIN("exact", rollout_and_training_agree)

/* See verifier.h. */
#include "rewardsvc/verifier.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "common/checkpoint.h"
#include "common/errors.h"
#include "common/memory.h"
#include "common/optimizer.h"
#include "common/sample.h"
#include "rewardsvc/judge.h"
#include "rewardsvc/judge_prompt.h"
#include "rewardsvc/preference.h"

struct Verifier {
    Policy *model;
    int max_context;
    const VerifierSettings *s;
    int32_t yes, no;
    Trainer *trainer;
    TreeLayout layout;
    Optimizer optimizer; /* with `gradient` from the first pair on: who only scores needs neither */
    float *gradient;     /* [optimizer.n]; NULL */
};

static int verdict_token(const Tokenizer *tok, const char *what, const char *text, int32_t *id)
{
    Ids ids = {0};
    int rc = tokenizer_encode(tok, text, strlen(text), false, false, &ids);
    if (!rc && ids.n != 1)
        rc = fail("%s: \"%s\" is %d tokens of the verifier, a verdict is one", what, text, ids.n);
    if (!rc) *id = ids.data[0];
    ids_free(&ids);
    return rc;
}

Verifier *verifier_new(Policy *model, int max_context, const VerifierSettings *s)
{
    int32_t yes, no;
    if (verdict_token(model->tok, "yes", s->yes, &yes) ||
        verdict_token(model->tok, "no", s->no, &no))
        return NULL;
    if (yes == no) {
        fail("yes and no are the same token");
        return NULL;
    }
    Verifier *v = NEW(Verifier, 1);
    *v = (Verifier){.model = model, .max_context = max_context, .s = s, .yes = yes, .no = no};
    v->trainer = trainer_new(model->model);
    return v;
}

void verifier_free(Verifier *v)
{
    if (!v) return;
    trainer_free(v->trainer);
    tree_layout_free(&v->layout);
    if (v->gradient) optimizer_free(&v->optimizer);
    mem_free(v->gradient);
    mem_free(v);
}

/* ---- texts ----------------------------------------------------------------------------------- */

int verifier_ids(const Verifier *v, const char *question, const char *reference,
                 const char *completion, Ids *ids)
{
    Buffer text = {0};
    json_t *record = json_pack("{s:s}", "answer", reference);
    if (!record) return fail("the reference answer is not UTF-8");
    Evidence e = {.prompt = question,
                  .n_prompt = strlen(question),
                  .text = completion,
                  .n_text = strlen(completion),
                  .record = record};
    buffer_text(&text, "");
    int rc = judge_prompt_fill(v->s->template, &e, "answer", NULL, 0, &text);
    JudgeMessage message = {"user", text.data, text.size};
    if (!rc) rc = judge_render(v->model->tok, &message, 1, ids);
    if (!rc && (ids->n < 1 || ids->n > v->max_context))
        rc = fail("the verifier's question has %d tokens: max_context is %d", ids->n,
                  v->max_context);
    buffer_free(&text);
    json_decref(record);
    return rc;
}

/* ---- scores ---------------------------------------------------------------------------------- */

/* Of each text two wanted rows, both its last: lp of yes, then of no. */
static void run(Verifier *v, const Ids *texts, int n, model_loss_fn *loss, void *ctx, float *grad)
{
    int *lengths = NEW(int, n);
    int32_t **tokens = NEW(int32_t *, n), *want = NEW(int32_t, 2 * n),
            *target = NEW(int32_t, 2 * n);
    for (int i = 0; i < n; i++) lengths[i] = texts[i].n, tokens[i] = texts[i].data;
    tree_layout(&v->layout, NULL, 0, n, lengths, tokens, true);
    for (int i = 0; i < n; i++) {
        want[2 * i] = want[2 * i + 1] = v->layout.first_row[i] + lengths[i] - 1;
        target[2 * i] = v->yes;
        target[2 * i + 1] = v->no;
    }
    trainer_group(v->trainer, &v->layout.rows, v->layout.n_pages, want, target, 2 * n, 1, loss, ctx,
                  grad);
    mem_free(lengths);
    mem_free(tokens);
    mem_free(want);
    mem_free(target);
}

static void record_lp(void *ctx, int i0, int n, const float *lp, const float *entropy, float *dlp)
{
    (void)entropy;
    memcpy((float *)ctx + i0, lp, (size_t)n * sizeof *lp);
    memset(dlp, 0, (size_t)n * sizeof *dlp);
}

static double score_of(const float *lp)
{
    return (double)lp[0] - (double)lp[1];
}

void verifier_scores(Verifier *v, const Ids *texts, int n, double *scores)
{
    float *lp = NEW(float, 2 * n);
    run(v, texts, n, record_lp, lp, NULL);
    for (int i = 0; i < n; i++) scores[i] = score_of(lp + 2 * i);
    mem_free(lp);
}

/* ---- learning -------------------------------------------------------------------------------- */

typedef struct {
    double share, margin;
} PairLoss;

/* L = -share log sigmoid(s+ - s-); dL/ds+ = -dL/ds- = slope, and ds/dlp is 1 for yes, -1 for no. */
static void pair_loss(void *ctx, int i0, int n, const float *lp, const float *entropy, float *dlp)
{
    PairLoss *p = ctx;
    (void)entropy;
    REQUIRE(i0 == 0 && n == 4, "a pair cut into %d rows from %d", n, i0);
    double right = score_of(lp), wrong = score_of(lp + 2), slope;
    preference_loss(right, wrong, 0, &slope);
    p->margin = right - wrong;
    float d = (float)(p->share * slope);
    dlp[0] = d, dlp[1] = -d, dlp[2] = -d, dlp[3] = d;
}

static void begin_learning(Verifier *v)
{
    if (v->gradient) return;
    optimizer_init(&v->optimizer, v->model->model);
    v->gradient = NEW(float, v->optimizer.n);
}

double verifier_learn(Verifier *v, const Ids *right, const Ids *wrong, double share)
{
    Ids both[2] = {*right, *wrong};
    PairLoss p = {.share = share};
    begin_learning(v);
    run(v, both, 2, pair_loss, &p, v->gradient);
    return p.margin;
}

double verifier_step(Verifier *v)
{
    begin_learning(v);
    double norm = optimizer_step(&v->optimizer, v->gradient, 1, v->s->clip, &v->s->adam);
    verifier_drop_gradient(v);
    return norm;
}

void verifier_drop_gradient(Verifier *v)
{
    if (v->gradient) memset(v->gradient, 0, v->optimizer.n * sizeof *v->gradient);
}

uint32_t verifier_crc(const Verifier *v)
{
    size_t n;
    model_param_table(v->model->model, NULL, &n);
    return crc32c(0, model_master(v->model->model), n * sizeof(float));
}

/* ---- keeping --------------------------------------------------------------------------------- */

static CheckpointArray *arrays_of(Verifier *v, int *n)
{
    static const char *const kinds[] = {"weights", "adam_m", "adam_v"};
    int count;
    const Param *table = model_param_table(v->model->model, &count, NULL);
    float *blocks[] = {model_master(v->model->model), v->optimizer.m, v->optimizer.v};
    CheckpointArray *a = NEW(CheckpointArray, 3 * count);
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < count; i++)
            a[k * count + i] =
                (CheckpointArray){.name = mem_printf("%s/%s", kinds[k], table[i].name),
                                  .n_dims = table[i].n_dims,
                                  .dims = {table[i].rows, table[i].cols},
                                  .data = blocks[k] + table[i].offset};
    *n = 3 * count;
    return a;
}

static void arrays_free(CheckpointArray *a, int n)
{
    for (int i = 0; i < n; i++) mem_free((char *)a[i].name);
    mem_free(a);
}

int verifier_save(Verifier *v, const char *dir, int64_t step, int keep, char *config_text)
{
    int n;
    begin_learning(v);
    CheckpointArray *a = arrays_of(v, &n);
    CheckpointState s = {.step = step,
                         .adam_step = v->optimizer.step,
                         .kernels = v->model->kernels,
                         .config_text = config_text};
    int rc = checkpoint_save(dir, &s, a, n, keep);
    arrays_free(a, n);
    return rc;
}

int verifier_load(Verifier *v, const char *dir, int64_t step)
{
    int n;
    begin_learning(v);
    verifier_drop_gradient(v);
    CheckpointState s;
    CheckpointArray *a = arrays_of(v, &n);
    char *path = mem_printf("%s/checkpoints/step-%06" PRId64, dir, step);
    int rc = checkpoint_read_state(path, &s);
    if (!rc) {
        rc = checkpoint_load(path, a, n);
        if (!rc) v->optimizer.step = s.adam_step;
        model_pack(v->model->model);
        mem_free(s.config_text);
        mem_free(s.service_state);
    }
    mem_free(path);
    arrays_free(a, n);
    return rc;
}

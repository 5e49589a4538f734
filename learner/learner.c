/* The learner's steps. On the ring: scored groups in, weights out. What is a mean over the step is
 * divided by counts that all ranks agreed on before the first gradient, so that the parts only need
 * adding (loss.h), in the tree of gradient.h. */
#include "learner/learner.h"

#include <math.h>
#include <string.h>

#include "common/clock.h"
#include "common/errors.h"
#include "common/work.h"
#include "learner/advantage.h"
#include "learner/schedule.h"
#include "learner/whiten.h"

int learner_init(Learner *l, Comm *comm, const Config *cfg, const Prompts *prompts, Policy *policy)
{
    int S = (int)cfg->learner.reduction_slots, n = comm_count(comm, ROLE_LEARNER),
        me = comm_index(comm, ROLE_LEARNER);
    *l = (Learner){.comm = comm,
                   .cfg = cfg,
                   .prompts = prompts,
                   .policy = policy,
                   .n_slots = S / n,
                   .first_slot = me * (S / n)};
    if (cfg->sft.steps && cfg->sft.batch % S)
        return fail("sft.batch: %lld is not a multiple of learner.reduction_slots (%d)",
                    (long long)cfg->sft.batch, S);
    l->trainer = trainer_new(policy->model);
    optimizer_init(&l->optimizer, policy->model);
    gradient_init(&l->gradient, l->optimizer.n, l->n_slots);
    inbox_init(&l->inbox,
               &(InboxShape){(int)cfg->rollout.prompts, S, n, me, (int)cfg->run.max_staleness}, 0);
    if (cfg->learner.kl > 0) {
        l->reference = model_new(model_desc(policy->model), &policy->kernels, true);
        l->reference_weights = model_master(l->reference);
        l->reference_trainer = trainer_new(l->reference);
    }
    return 0;
}

void learner_free(Learner *l)
{
    inbox_free(&l->inbox);
    gradient_free(&l->gradient);
    optimizer_free(&l->optimizer);
    loss_rows_free(&l->rows);
    tree_layout_free(&l->layout);
    mem_free(l->want);
    if (l->trainer) trainer_free(l->trainer);
    if (l->reference_trainer) trainer_free(l->reference_trainer);
    if (l->reference) model_free(l->reference);
    *l = (Learner){0};
}

void learner_lend(Learner *l)
{
    trainer_lend(l->trainer);
    if (l->reference_trainer) trainer_lend(l->reference_trainer);
}

void learner_resume(Learner *l, int64_t sft_step, int64_t step, int64_t adam_step)
{
    l->sft_step = sft_step;
    l->step = step;
    l->inbox.step = step;
    l->optimizer.step = adam_step;
    model_pack(l->policy->model);
    if (l->reference) model_pack(l->reference);
}

void learner_begin_rl(Learner *l)
{
    optimizer_reset(&l->optimizer);
    if (!l->reference) return;
    memcpy(l->reference_weights, model_master(l->policy->model), l->optimizer.n * sizeof(float));
    model_pack(l->reference);
}

/* ---- one group ---- */

/* The group as rows of the model, and which of them predict the trained tokens. */
static void lay_out(Learner *l, const Group *g)
{
    int *lengths = NEW(int, g->n_samples);
    int32_t **answers = NEW(int32_t *, g->n_samples);
    for (int i = 0; i < g->n_samples; i++) {
        lengths[i] = g->samples[i].n_tokens;
        answers[i] = g->samples[i].tokens;
    }
    tree_layout(&l->layout, g->prompt, g->n_prompt, g->n_samples, lengths, answers, false);
    mem_free(lengths);
    mem_free(answers);
    if (l->rows.n > l->want_capacity) {
        l->want = mem_resize(l->want, (size_t)l->want_capacity, (size_t)l->rows.n, sizeof *l->want);
        l->want_capacity = l->rows.n;
    }
    for (int k = 0; k < l->rows.n; k++) {
        int t = l->rows.position[k];
        l->want[k] = t ? l->layout.first_row[l->rows.sample[k]] + t - 1 : g->n_prompt - 1;
    }
}

static void run_trainer(Learner *l, Trainer *trainer, double temperature, model_loss_fn *loss,
                        void *ctx, float *grad)
{
    trainer_group(trainer, &l->layout.rows, l->layout.n_pages, l->want, l->rows.target, l->rows.n,
                  (float)(1 / temperature), loss, ctx, grad);
    comm_worked(l->comm);
    comm_progress(l->comm);
}

typedef struct {
    const Objective *objective;
    LossSettings settings;
    Aggregate aggregate;
    LossCounts counts;
    double temperature;
} Objectives;

/* Adds a group's gradient to grad and its sums to stats [LOSS_STATS_SUMS]. */
static void group_gradient(Learner *l, const Objectives *o, const Group *g, float *grad,
                           double *stats)
{
    loss_rows_fill(&l->rows, g, advantage_leaves_out(l->cfg), o->aggregate, &o->counts);
    if (!l->rows.n) return;
    lay_out(l, g);
    if (o->settings.kl > 0) {
        loss_rows_want_ref(&l->rows);
        run_trainer(l, l->reference_trainer, o->temperature, loss_record, l->rows.ref, NULL);
    }
    Loss loss = {.objective = o->objective, .settings = o->settings, .rows = &l->rows};
    loss_stats_clear(&loss.stats);
    run_trainer(l, l->trainer, o->temperature, loss_tokens, &loss, grad);
    if (g->version != l->step) loss.stats.off_ratio = 0; /* older weights: nobody expects 1 */
    const double *sums = (const double *)&loss.stats;
    for (int i = 0; i < LOSS_STATS_SUMS; i++) stats[i] += sums[i];
}

/* ---- one step ---- */

static void apply(Learner *l, double lr, double *stats)
{
    const Config *c = l->cfg;
    double *sums = (double *)&l->stats.loss;
    for (int i = 0; i < LOSS_STATS_SUMS; i++) sums[i] = stats[i];
    AdamW a = {(float)lr, (float)c->learner.beta1, (float)c->learner.beta2, (float)c->learner.eps,
               (float)c->learner.weight_decay};
    l->stats.lr = lr;
    l->stats.grad_norm =
        optimizer_step(&l->optimizer, l->gradient.level[0], 1, c->learner.clip_grad, &a);
    if (!isfinite(l->stats.grad_norm))
        die(EXIT_UNABLE,
            "step %lld: the gradient is not finite (%g of %g tokens had no finite "
            "log-probability); the weights were not touched: lower the learning rate, or use "
            "model.precision: f32",
            (long long)l->step + 1, l->stats.loss.not_finite, l->stats.counts.n_tokens);
}

typedef struct {
    Learner *l;
    const Objectives *o;
} Work;

static void demo_slot(void *ctx, int slot, float *grad, double *stats)
{
    const Work *w = ctx;
    Learner *l = w->l;
    int S = (int)l->cfg->learner.reduction_slots;
    Group g = {0};
    if (prompts_fill(l->prompts, GROUP_DEMO, l->sft_step * S + slot, (int)l->cfg->sft.batch / S, 0,
                     &g))
        die(EXIT_CONFIG, "a demonstration cannot be told to the model (the reason is above)");
    group_gradient(l, w->o, &g, grad, stats);
    group_free(&g);
}

/* Trained tokens of this learner's demonstrations: they are made twice, which is cheaper than
 * keeping them. */
static int count_demos(Learner *l, LossCounts *counts)
{
    int S = (int)l->cfg->learner.reduction_slots;
    *counts = (LossCounts){0};
    for (int slot = l->first_slot; slot < l->first_slot + l->n_slots; slot++) {
        Group g = {0};
        if (prompts_fill(l->prompts, GROUP_DEMO, l->sft_step * S + slot, (int)l->cfg->sft.batch / S,
                         0, &g))
            die(EXIT_CONFIG, "a demonstration cannot be told to the model (the reason is above)");
        loss_count(&g, false, counts);
        group_free(&g);
    }
    return comm_sum_doubles(l->comm, (double *)counts, 2, "the count of demonstrated tokens");
}

int learner_imitate(Learner *l)
{
    const Config *c = l->cfg;
    double began = clock_seconds(), stats[LOSS_STATS_SUMS];
    l->stats = (StepStats){0};
    if (count_demos(l, &l->stats.counts)) return -1;
    Objectives o = {.objective = objective_find("nll"),
                    .aggregate = AGGREGATE_TOKEN,
                    .counts = l->stats.counts,
                    .temperature = 1};
    Work work = {l, &o};
    if (gradient_sum(&l->gradient, l->comm, l->first_slot, l->n_slots, demo_slot, &work, stats,
                     LOSS_STATS_SUMS))
        return -1;
    apply(l, schedule_lr(c->sft.decay, c->sft.lr, c->sft.warmup, l->sft_step + 1, c->sft.steps),
          stats);
    l->sft_step++;
    l->stats.seconds = clock_seconds() - began;
    return 0;
}

/* Advantages of every group that is here; counts of this learner's groups, then of the step. */
static int judge_step(Learner *l)
{
    const Config *c = l->cfg;
    const Advantage *a = advantage_find(c->learner.advantage);
    StepStats *s = &l->stats;
    unsigned leave_out = advantage_leaves_out(c);
    Group *groups = inbox_groups(&l->inbox, l->inbox.step);
    for (int i = 0; i < l->inbox.P; i++) {
        Group *g = &groups[i];
        if (!g->n_samples) continue;
        AdvantageCounts n = advantage_assign(a, c->learner.advantage_eps, leave_out, g);
        advantage_limit(g, c->learner.advantage_cap);
        if (!inbox_is_mine(&l->inbox, i)) continue;
        loss_count(g, leave_out, &s->counts);
        s->n_samples += g->n_samples;
        s->n_failed += n.n_failed;
        s->n_truncated += n.n_truncated;
        s->n_flat_groups += n.equal;
    }
    double sums[] = {s->counts.n_tokens, s->counts.n_sequences, s->n_samples,
                     s->n_failed,        s->n_truncated,        s->n_flat_groups};
    if (comm_sum_doubles(l->comm, sums, 6, "the count of the step's tokens")) return -1;
    s->counts = (LossCounts){sums[0], sums[1]};
    s->n_samples = sums[2], s->n_failed = sums[3], s->n_truncated = sums[4],
    s->n_flat_groups = sums[5];
    if (c->learner.whiten &&
        whiten_step(l->comm, &l->inbox, leave_out, c->learner.advantage_filter, &s->n_filtered))
        return -1;
    if (s->n_failed > c->learner.max_failed * s->n_samples)
        die(EXIT_UNABLE,
            "step %lld: the scoring of %g of %g answers failed, learner.max_failed allows a share "
            "of %g; `troupe inspect --rewards` shows the statuses",
            (long long)l->step + 1, s->n_failed, s->n_samples, c->learner.max_failed);
    return 0;
}

/* A group whose advantages are all 0 has a gradient of exact zeros unless there is a KL term: it is
 * not computed. */
static bool group_is_flat(const Group *g)
{
    for (int i = 0; i < g->n_samples; i++)
        if (advantage_any(&g->samples[i])) return false;
    return true;
}

static void train_slot(void *ctx, int slot, float *grad, double *stats)
{
    const Work *w = ctx;
    Learner *l = w->l;
    const Group *groups = inbox_groups(&l->inbox, l->inbox.step);
    for (int i = slot; i < l->inbox.P; i += l->inbox.S) {
        const Group *g = &groups[i];
        if (w->o->settings.kl > 0 || !group_is_flat(g)) group_gradient(l, w->o, g, grad, stats);
    }
}

/* Promise 1, on every trained token of every step: the learner's log-probabilities are the
 * rollout's, bit for bit. */
static void check_ratio(const Learner *l, double off)
{
    if (off == 0 || l->cfg->run.allow_ratio_mismatch) return;
    die(EXIT_INTERNAL,
        "step %lld: the log-probabilities of %g of %g tokens are not the rollout's bits, so the "
        "ratio is not 1 on-policy; "
        "run.allow_ratio_mismatch: true goes on all the same (counted in the metrics as off_ratio)",
        (long long)l->step + 1, off, l->stats.loss.n_tokens);
}

int learner_train(Learner *l)
{
    const Config *c = l->cfg;
    double began = clock_seconds(), stats[LOSS_STATS_SUMS];
    l->stats = (StepStats){0};
    if (judge_step(l)) return -1;
    Objectives o = {
        .objective = objective_find("grpo"),
        .settings = {c->learner.clip_low, c->learner.clip_high, c->learner.kl, c->learner.preclip},
        .counts = l->stats.counts,
        .temperature = c->rollout.temperature};
    REQUIRE(!aggregate_find(c->learner.aggregate, &o.aggregate), "learner.aggregate: %s",
            c->learner.aggregate);
    Work work = {l, &o};
    double lr =
        schedule_lr(c->learner.decay, c->learner.lr, c->learner.warmup, l->step + 1, c->run.steps);
    for (int epoch = 0; epoch < c->learner.epochs && o.counts.n_tokens > 0; epoch++) {
        StepStats first = l->stats;
        if (gradient_sum(&l->gradient, l->comm, l->first_slot, l->n_slots, train_slot, &work, stats,
                         LOSS_STATS_SUMS))
            return -1;
        if (epoch == 0)
            l->stats.loss.n_tokens = stats[0],
            check_ratio(l, stats[offsetof(LossStats, off_ratio) / sizeof(double)]);
        apply(l, lr, stats);
        if (epoch > 0) first.lr = lr, first.grad_norm = l->stats.grad_norm, l->stats = first;
    }
    l->step++;
    l->stats.seconds = clock_seconds() - began;
    return 0;
}

void learner_publish(Learner *l)
{
    if (comm_count(l->comm, ROLE_ACTOR) == 0 || comm_hosts(l->comm, ROLE_ACTOR)) return;
    size_t n = model_wire_bytes(l->policy->model);
    void *wire = mem_zeroed(n, 1);
    model_wire_write(l->policy->model, wire);
    comm_send_weights(l->comm, l->step, wire, n);
    mem_free(wire);
}

/* See recorder.h. A metrics line holds what is equal in every repetition of the run; times and
 * rates lie in its "time" object, outside every equality. */
#include "launch/recorder.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/errors.h"
#include "launch/report.h"
#include "launch/state.h"
#include "launch/step_metrics.h"
#include "launch/verb.h"
#include "rewardsvc/reward_files.h"

/* The lines after the step resumed from are cut by now. */
static int restore_watch(Recorder *r)
{
    json_t *metrics = runfile_read_metrics(r->dir);
    if (!metrics) return -1;
    watch_restore(&r->watch, metrics);
    json_decref(metrics);
    return 0;
}

int recorder_open(Recorder *r, const Config *cfg, const RewardBlock *rewards, Learner *learner,
                  const char *dir, const char *layout_text, CheckpointState *state,
                  int64_t resume_step, int64_t resume_sft_step)
{
    *r = (Recorder){.cfg = cfg,
                    .rewards = rewards,
                    .learner = learner,
                    .state = *state,
                    .earlier_s = state->trained_s,
                    .first_step = learner->step,
                    .has_state = reward_block_has_state(rewards),
                    .state_step = learner->step,
                    .shown = {.stage = "grpo",
                              .step = learner->step,
                              .steps = cfg->run.steps,
                              .loss = NAN,
                              .reward = NAN,
                              .accuracy = state->accuracy_before}};
    r->dir = mem_text(dir);
    r->component_names = NEW(const char *, rewards->n);
    for (int i = 0; i < rewards->n; i++) r->component_names[i] = rewards->components[i].name;
    r->state.components = r->component_names, r->state.n_components = rewards->n;
    if (evaluation_init(&r->evaluation, cfg, r->component_names, rewards->n)) return -1;
    if (watch_init(&r->watch, cfg, r->component_names, rewards->n)) return -1;
    json_t *files = reward_files(rewards);
    if (!files) return -1;
    RunInfo info = {.config_text = state->config_text,
                    .version_text = troupe_version,
                    .seed = (uint64_t)cfg->run.seed,
                    .kernels = learner->policy->kernels,
                    .n_components = rewards->n,
                    .components = r->component_names,
                    .layout = layout_text,
                    .reward_files = files,
                    .resume_sft_step = resume_sft_step};
    memcpy(info.run_id, state->run_id, sizeof info.run_id);
    r->file = runfile_open(dir, &info, resume_step);
    json_decref(files);
    if (!r->file) return -1;
    memcpy(r->state.run_id, info.run_id, sizeof r->state.run_id);
    if (watch_on(&r->watch) && resume_step > 0 && restore_watch(r)) return -1;
    busy_init(&r->busy, comm_size(learner->comm));
    live_init(&r->live);
    r->began = r->step_began = clock_seconds();
    return 0;
}

void recorder_close(Recorder *r)
{
    if (r->file) runfile_close(r->file);
    busy_free(&r->busy);
    evaluation_free(&r->evaluation);
    watch_free(&r->watch);
    json_decref(r->line);
    json_decref(r->times);
    mem_free(r->component_names);
    mem_free(r->state.config_text);
    mem_free(r->state.service_state);
    rewards_states_free(&r->coming);
    mem_free(r->dir);
    *r = (Recorder){0};
}

/* ---- the live line ---- */

/* The run's length in units of a reinforcement step; an imitation step counts as a third of one
 * until both have been seen. */
static void show(Recorder *r, bool always)
{
    const Config *c = r->cfg;
    const double sft_unit = 1.0 / 3;
    double done = sft_unit * (double)r->learner->sft_step + (double)r->learner->step;
    live_work(&r->live, done, sft_unit * (double)c->sft.steps + (double)c->run.steps);
    live_show(&r->live, &r->shown, always);
}

void recorder_doing(Recorder *r, const char *what, int done, int all)
{
    snprintf(r->shown.doing, sizeof r->shown.doing, "%s %d/%d", what, done, all);
    show(r, false);
}

/* ---- lines ---- */

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static void begin_line(Recorder *r, const char *stage, int64_t step)
{
    r->unsaved = true;
    json_decref(r->line);
    r->line = json_pack("{s:I, s:s}", "step", (json_int_t)step, "stage", stage);
    json_decref(r->times);
    r->times = json_object();
}

static void add_loss(Recorder *r)
{
    const StepStats *s = &r->learner->stats;
    double n = s->loss.n_tokens > 0 ? s->loss.n_tokens : NAN;
    json_object_set_new(r->line, "loss", number(s->loss.loss));
    json_object_set_new(r->line, "lr", number(s->lr));
    json_object_set_new(r->line, "grad_norm", number(s->grad_norm));
    json_object_set_new(r->line, "entropy", number(s->loss.entropy / n));
    json_object_set_new(r->line, "trained_tokens", json_integer((json_int_t)s->counts.n_tokens));
}

/* Of all ranks together, bytes. */
static double peak_memory(const Comm *c)
{
    double sum = 0;
    for (int r = 0; r < comm_size(c); r++) sum += (double)comm_peak_memory(c, r);
    return sum;
}

static void end_line(Recorder *r, int64_t step, double tokens)
{
    double now = clock_seconds(), s = now - r->step_began;
    json_t *time =
        json_pack("{s:f, s:f, s:f, s:f, s:f}", "seconds", s, "learn_s", r->learner->stats.seconds,
                  "tokens_per_s", s > 0 ? tokens / s : 0, "run_s", r->earlier_s + now - r->began,
                  "memory_gb", peak_memory(r->learner->comm) / 1e9);
    json_object_update(time, r->times);
    busy_update(&r->busy, r->learner->comm);
    busy_text(&r->busy, r->shown.busy, sizeof r->shown.busy);
    json_t *ranks = busy_json(r->busy.share, r->busy.n);
    if (r->busy.n > 1) json_object_update(time, ranks);
    json_decref(ranks);
    json_object_set_new(r->line, "time", time);
    r->step_began = now;
    *r->shown.doing = 0;
    runfile_add_metrics(r->file, step, r->line);
    json_decref(r->line);
    r->line = NULL;
}

void recorder_imitated(Recorder *r)
{
    const Learner *l = r->learner;
    double tokens = l->stats.counts.n_tokens, s = clock_seconds() - r->step_began;
    int64_t step =
        l->sft_step - 1 - r->cfg->sft.steps; /* -n .. -1: reinforcement learning starts at 0 */
    r->shown = (LiveState){.stage = "imitation",
                           .step = l->sft_step,
                           .steps = r->cfg->sft.steps,
                           .loss = l->stats.loss.loss,
                           .reward = NAN,
                           .accuracy = NAN,
                           .tokens_per_s = s > 0 ? tokens / s : 0};
    begin_line(r, "sft", step);
    add_loss(r);
    end_line(r, step, tokens);
    show(r, l->sft_step == r->cfg->sft.steps);
}

static void add_rollouts(Recorder *r)
{
    const Learner *l = r->learner;
    const Group *groups = inbox_groups(&l->inbox, l->inbox.step);
    StepFigures f = step_metrics_add(r->line, groups, l->inbox.P, r->rewards);
    r->shown.reward = f.reward;
    r->tokens += (int64_t)(f.tokens + f.prompt_tokens);
    /* a step's rollouts begin when those before it are learnt: from one such moment to the next is
       a whole step */
    double now = clock_seconds(), began = r->rolled_at > 0 ? r->rolled_at : r->step_began;
    r->shown.tokens_per_s = (f.tokens + f.prompt_tokens) / (now - began);
    r->rolled_at = now;
    step_metrics_judges(r->times, groups, l->inbox.P, r->rewards, now - began);
}

void recorder_trained(Recorder *r)
{
    const Learner *l = r->learner;
    const StepStats *s = &l->stats;
    const Group *groups = inbox_groups(&l->inbox, l->inbox.step);
    if (runfile_add_groups(r->file, l->step, groups, l->inbox.P))
        die(EXIT_INTERNAL,
            "step %lld: the rollouts differ from those that this run made before it was "
            "interrupted: a run is no longer a number here",
            (long long)l->step);
    begin_line(r, "grpo", l->step);
    add_rollouts(r);
    add_loss(r);
    double n = s->loss.n_tokens > 0 ? s->loss.n_tokens : NAN;
    json_object_set_new(r->line, "clipped", number(s->loss.clipped / n));
    json_object_set_new(r->line, "kl", number(s->loss.kl / n));
    json_object_set_new(r->line, "kl_old", number(s->loss.kl_old / n));
    r->shown.behind = l->inbox.step - groups[0].version;
    json_object_set_new(r->line, "staleness", json_integer(r->shown.behind));
    json_object_set_new(r->line, "off_ratio", number(s->loss.off_ratio));
    if (r->cfg->learner.whiten) json_object_set_new(r->line, "filtered", number(s->n_filtered / n));
    json_object_set_new(r->line, "failed", number(s->n_failed / s->n_samples));
    json_object_set_new(r->line, "flat_groups", number(s->n_flat_groups / (double)l->inbox.P));
    r->shown.stage = "grpo";
    r->shown.step = l->step;
    r->shown.steps = r->cfg->run.steps;
    r->shown.loss = NAN;
}

void recorder_take_state(Recorder *r, int64_t step, const Buffer *text)
{
    rewards_states_add(&r->coming, step, text->data, text->size);
}

/* The step's own state becomes the one that is kept: false if it has not come. */
static bool adopt_state(Recorder *r)
{
    int64_t step = r->learner->step;
    if (!r->has_state || r->state_step == step) return true;
    char *text = rewards_states_take(&r->coming, step);
    if (!text) return false;
    json_t *change = rewards_shown_change(r->state.service_state, text);
    if (change) json_object_set_new(r->line, "rewards_state", change);
    mem_free(r->state.service_state);
    r->state.service_state = text;
    r->state_step = step;
    return true;
}

/* ---- evaluation, and the end of a step ---- */

void recorder_evaluate(Recorder *r, int64_t version)
{
    evaluation_begin(&r->evaluation, version);
    watch_begin(&r->watch);
    r->evaluating = true;
    if (!r->line) begin_line(r, "grpo", version);
}

void recorder_take_evaluated(Recorder *r, const Group *g)
{
    evaluation_add(&r->evaluation, g);
    watch_add(&r->watch, g);
}

static void add_evaluation(Recorder *r)
{
    r->evaluating = false;
    r->shown.accuracy = evaluation_accuracy(&r->evaluation);
    if (r->evaluation.version == 0) r->state.accuracy_before = r->shown.accuracy;
    json_object_set_new(r->line, "evaluation", evaluation_json(&r->evaluation));
    watch_report(&r->watch, r->evaluation.version, r->line);
}

bool recorder_settle(Recorder *r)
{
    if (!r->line || (r->evaluating && !evaluation_complete(&r->evaluation))) return false;
    if (!adopt_state(r)) return false;
    if (r->evaluating) add_evaluation(r);
    double s = clock_seconds() - r->step_began;
    end_line(r, r->learner->step, r->shown.tokens_per_s * s);
    show(r, r->learner->step == r->cfg->run.steps);
    return true;
}

int recorder_save(Recorder *r)
{
    r->state.trained_s = r->earlier_s + clock_seconds() - r->began;
    int rc = runfile_cut_segment(r->file, r->learner->step);
    if (!rc) rc = state_save(r->dir, r->learner, &r->state, (int)r->cfg->checkpoint.keep);
    r->unsaved = rc != 0;
    r->n_failed_saves = rc ? r->n_failed_saves + 1 : 0;
    if (r->n_failed_saves > 1)
        die(EXIT_IO, "two checkpoints in a row could not be written: make room, then go on with "
                     "--resume");
    return rc;
}

void recorder_finish(Recorder *r, bool complete, const char *reason)
{
    live_end(&r->live);
    double seconds = clock_seconds() - r->began;
    const Comm *c = r->learner->comm;
    size_t *peak = NEW(size_t, comm_size(c));
    BusyShare *share = NEW(BusyShare, comm_size(c));
    for (int i = 0; i < comm_size(c); i++) {
        peak[i] = comm_peak_memory(c, i);
        share[i] = busy_share((CommTime){0}, comm_time(c, i));
    }
    ReportTotals totals = {.run_id = r->state.run_id,
                           .reason = reason,
                           .steps = r->learner->step,
                           .seconds = r->earlier_s + seconds,
                           .tokens_per_s = seconds > 0 ? (double)r->tokens / seconds : 0,
                           .peak_memory = peak,
                           .share = share,
                           .n_ranks = comm_size(c),
                           .weights_crc = model_crc(r->learner->policy->model)};
    char *model = mem_printf("%s/model", r->dir);
    if (complete && r->cfg->checkpoint.export && state_export(model, r->learner->policy))
        fail("the model was not exported (the reason is above); the checkpoint holds it");
    report_end(r->file, r->dir, &totals, complete);
    mem_free(model);
    mem_free(share);
    mem_free(peak);
}

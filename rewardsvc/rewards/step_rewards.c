/* Rewards of the steps of an answer, from the scores that a judge gives each of them (reward judge
 * with `steps`): every step gets alpha times its own, on its last token, beside the answer's reward
 * on the answer's last. A token is then credited with what comes from it on (learner/advantage).
 * Clip and Delta keep a policy from being paid for saying easy right things again and again
 * (process.h; specification 1, section 13): `clip_delta` is what worked in the paper.
 *
 * The answer's reward stays what it is. An answer of which a step has no score has no rewards of
 * steps, and so has one of a single step (but raw). */
#include "common/memory.h"
#include "rewardsvc/process.h"
#include "rewardsvc/shape.h"

enum { COMPONENT, KIND, ETA, ALPHA };

static const RewardSetting settings[] = {
    [COMPONENT] = {"component", SETTING_COMPONENT, .help = "the judge that scores steps (weight 0)",
                   .required = true},
    [KIND] = {"kind", SETTING_TEXT, .text = "clip_delta",
              .help = "raw: r_k; clip: min(r_k - eta, 0); delta: r_k - r_(k+1); clip_delta: delta "
                      "of clip"},
    [ETA] = {"eta", SETTING_NUMBER, .number = 0.5, .least = -1e6, .most = 1e6,
             .help = "score from which on a step costs nothing; about the mean score of the data"},
    [ALPHA] = {"alpha", SETTING_NUMBER, .number = 0.5, .least = 0, .most = 1e6,
               .help = "weight of a step's reward against the answer's"},
    {0},
};

static int open_process(const RewardValue *v, void **state)
{
    ProcessKind *kind = *state = NEW(ProcessKind, 1);
    if (!process_kind(v[KIND].text, kind)) return 0;
    mem_free(kind);
    *state = NULL;
    return -1;
}

/* The trace: the sum over the answer. */
static void reward_steps(const RewardValue *v, ProcessKind kind, const StepScores *judged,
                         StepScores *rewards, Score *trace)
{
    Score *scores = NEW(Score, judged->n);
    double *r = NEW(double, judged->n), sum = 0;
    StepScores steps = {.n = judged->n, .list = NEW(StepScore, judged->n)};
    for (int k = 0; k < steps.n; k++) scores[k] = judged->list[k].score;
    if (process_rewards(kind, v[ETA].number, scores, steps.n, r)) {
        for (int k = 0; k < steps.n; k++) {
            steps.list[k] = (StepScore){judged->list[k].end, score_ok(r[k])};
            sum += r[k];
        }
        shape_add_steps(rewards, &steps, v[ALPHA].number);
        *trace = score_ok(v[ALPHA].number * sum);
    }
    mem_free(scores);
    mem_free(r);
    mem_free(steps.list);
}

static void shape(const RewardValue *v, void *state, const GroupEvidence *g, Score *reward,
                  Score *trace)
{
    const ProcessKind *kind = state;
    (void)reward;
    for (int i = 0; i < g->n; i++) {
        const StepScores *judged = &g->step_scores[v[COMPONENT].component * g->n + i];
        if (judged->n) reward_steps(v, *kind, judged, &g->step_rewards[i], &trace[i]);
    }
}

static char *formula(const RewardValue *v, const char *const *names, const char *before)
{
    return mem_printf("%s, and on the steps of %s %.15g * %s", before,
                      names[v[COMPONENT].component], v[ALPHA].number, v[KIND].text);
}

const Reward reward_step_rewards = {
    .name = "step_rewards",
    .help = "rewards of an answer's steps, beside its own: Clip and Delta of a judge's scores of "
            "them; the ledger keeps their sum",
    .settings = settings,
    .open = open_process,
    .close = mem_free,
    .shape = shape,
    .formula = formula,
};

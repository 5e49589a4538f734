/* A rubric that stays as it is, item by item (rubric_judge.h; mpo.c rewrites its own). In MPO an
 * item that cannot be read counts as 0; here that is a policy that has to be asked for, since a
 * failure should not look like a bad answer.
 */
#include <string.h>

#include "common/errors.h"
#include "rewardsvc/reward.h"
#include "rewardsvc/rubric_judge.h"

static const RewardSetting settings[] = {
    ASK_ROWS("conversations for each item, of which the mean counts; more than one wants a "
             "temperature",
             300),
    RUBRIC_ROWS,
    {0},
};

typedef struct {
    RubricJudge judge;
    char *text;
    Rubric rubric;
} State;

static void close_rubric(void *state)
{
    State *s = state;
    if (!s) return;
    rubric_judge_free(&s->judge);
    mem_free(s->text);
    mem_free(s);
}

static int open_rubric(const RewardValue *v, void **state)
{
    State *s = NEW(State, 1);
    s->text = rubric_judge_text(v, NULL);
    if (!s->text || rubric_read(span_of(s->text), &s->rubric) || rubric_judge_open(&s->judge, v)) {
        close_rubric(s);
        return -1;
    }
    *state = s;
    return 0;
}

static int bind_rubric(Judges *judges, const char *label, const RewardValue *v, void *state)
{
    return asker_bind(&((State *)state)->judge.asker, judges, label, v);
}

static void *ask(const RewardValue *v, void *state, const GroupEvidence *g, const bool *wanted)
{
    (void)v;
    const State *s = state;
    JudgeParts *q = parts_new(&s->judge.asker, g->n, g->samples);
    for (int i = 0; i < g->n; i++)
        if (wanted[i]) rubric_judge_ask(&s->judge, q, i, span_of(s->text), &s->rubric);
    return q;
}

static bool answered(void *state, void *question, Score *scores, char **notes, StepScores *steps)
{
    (void)steps;
    const State *s = state;
    JudgeParts *q = question;
    if (!parts_done(q)) return false;
    for (int i = 0; i < parts_samples(q); i++) {
        if (!parts_count(q, i)) continue;
        scores[i] = rubric_judge_score(&s->judge, q, i, &s->rubric, NULL);
        notes[i] = parts_note(q, i);
    }
    parts_free(q);
    return true;
}

static bool work(void *state)
{
    return judge_work(((State *)state)->judge.asker.judge);
}

static void withdraw(void *state, void *question)
{
    (void)state;
    parts_free(question);
}

const Reward reward_judge_rubric = {
    .name = "judge_rubric",
    .help = "a rubric item by item (MPO's judge): a rationale, then a whole number on the item's "
            "scale; the sum",
    .settings = settings,
    .open = open_rubric,
    .close = close_rubric,
    .bind = bind_rubric,
    .ask = ask,
    .work = work,
    .answered = answered,
    .withdraw = withdraw,
};

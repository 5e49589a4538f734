/* See group_case.h. */
#include "rewardsvc/group_case.h"

#include <string.h>

#include "common/errors.h"
#include "common/memory.h"

static const char *or_nothing(const char *text)
{
    return text ? text : "";
}

int group_case_open(GroupCase *k, Group *g, const RewardRun *run)
{
    json_error_t why;
    *k = (GroupCase){.g = g};
    k->record =
        json_loads(g->record && *g->record ? g->record : "{}", JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(k->record))
        return fail("group %lld: its record is no JSON object", (long long)g->id);
    k->evidence = NEW(Evidence, g->n_samples);
    for (int i = 0; i < g->n_samples; i++) {
        const Sample *s = &g->samples[i];
        const char *prompt = or_nothing(g->prompt_text), *text = or_nothing(s->text);
        k->evidence[i] = (Evidence){.prompt = prompt,
                                    .n_prompt = strlen(prompt),
                                    .text = text,
                                    .n_text = strlen(text),
                                    .n_tokens = s->n_tokens,
                                    .logprobs = s->logprobs_untempered,
                                    .text_ends = s->text_ends,
                                    .finish = s->finish,
                                    .record = k->record,
                                    .max_tokens = run->max_tokens,
                                    .seed = run->seed,
                                    .group = g->id,
                                    .sample = i,
                                    .training = g->kind == GROUP_TRAIN};
    }
    return 0;
}

void group_case_begin(GroupCase *k, RewardBlock *b, int64_t step, int64_t steps)
{
    k->c = reward_case_open(b, k->evidence, k->g->n_samples, step, steps);
}

/* Tokens until the text has `bytes` bytes. */
static int tokens_until(const Sample *s, size_t bytes)
{
    int t = 0;
    while (t < s->n_tokens - 1 && (size_t)s->text_ends[t] < bytes) t++;
    return t + 1;
}

/* From bytes of the text to tokens; steps that end in one token become one. Where a step's end is
 * not known in tokens there are no rewards of steps. */
static void finish_steps(Sample *s, const StepScores *rewards)
{
    if (!rewards->n || !s->text_ends || !s->n_tokens || s->reward.status != SCORE_OK) return;
    s->steps = NEW(SampleStep, rewards->n);
    for (int k = 0; k < rewards->n; k++) {
        int end = tokens_until(s, rewards->list[k].end);
        if (!s->n_steps || s->steps[s->n_steps - 1].end < end)
            s->steps[s->n_steps++] = (SampleStep){.end = end};
        s->steps[s->n_steps - 1].reward += rewards->list[k].score.value;
    }
}

void group_case_finish(GroupCase *k, const RewardBlock *b)
{
    group_reserve_scores(k->g, b->n);
    for (int i = 0; i < k->g->n_samples; i++) {
        Sample *s = &k->g->samples[i];
        for (int j = 0; j < b->n; j++) {
            s->components[j] = reward_case_score(k->c, j, i);
            s->latencies_s[j] = reward_case_latency(k->c, j, i);
            s->notes[j] = mem_text(reward_case_note(k->c, j, i));
        }
        s->reward = reward_case_reward(k->c, i);
        finish_steps(s, reward_case_steps(k->c, i));
    }
    reward_case_close(k->c);
    k->c = NULL;
}

void group_case_close(GroupCase *k)
{
    reward_case_close(k->c);
    json_decref(k->record);
    mem_free(k->evidence);
    *k = (GroupCase){0};
}

int group_case_score(RewardBlock *b, Group *g, const RewardRun *run, int64_t step)
{
    GroupCase k;
    int rc = group_case_open(&k, g, run);
    if (!rc) {
        group_case_begin(&k, b, step, run->steps);
        while (!reward_case_settled(k.c)) reward_block_wait(b);
        group_case_finish(&k, b);
    }
    group_case_close(&k);
    return rc;
}

JudgedGroup group_case_judged(const GroupCase *k, int64_t step, int64_t steps)
{
    int n = k->g->n_samples, K = k->g->n_components;
    Score *scores = NEW(Score, K * n), *reward = NEW(Score, n);
    const char **notes = NEW(const char *, K *n);
    for (int i = 0; i < n; i++) {
        const Sample *s = &k->g->samples[i];
        reward[i] = s->reward;
        for (int j = 0; j < K; j++) {
            scores[j * n + i] = s->components[j];
            notes[j * n + i] = s->notes[j];
        }
    }
    return (JudgedGroup){.g = {.n = n,
                               .samples = k->evidence,
                               .step = step,
                               .steps = steps,
                               .n_components = K,
                               .scores = scores},
                         .reward = reward,
                         .notes = notes};
}

void judged_group_free(JudgedGroup *j)
{
    mem_free((void *)j->g.scores);
    mem_free((void *)j->reward);
    mem_free((void *)j->notes);
    *j = (JudgedGroup){0};
}

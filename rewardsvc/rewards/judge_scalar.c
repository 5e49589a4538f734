/* A reward model with a scalar head: the number r = w . h + b at the last token of problem and
 * answer as a conversation (specification 3, section 0.2). Nothing is written and nothing is
 * random: one pass a text. What r means is the model's matter (most were trained on differences
 * alone), so it is passed on as it is unless scale, offset or sigmoid are set:
 *
 *   score = scale * r + offset, or its sigmoid
 *
 * A text longer than the judge's max_context is an error: one that is cut would have another end.
 */
#include <math.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/judge.h"
#include "rewardsvc/judge_prompt.h"
#include "rewardsvc/preference.h"
#include "rewardsvc/reward.h"

enum { JUDGE, SYSTEM, TEMPLATE, ANSWER, REFERENCE, SCALE, OFFSET, SIGMOID };

static const RewardSetting settings[] = {
    [JUDGE] = {"judge", SETTING_TEXT,
               .help = "name of a model of the `judges:` block: a Hugging Face folder of a "
                       "*ForSequenceClassification with one label",
               .required = true},
    [SYSTEM] = {"system", SETTING_TEXT, .text = "", .help = "system message; empty: none"},
    [TEMPLATE] = {"template", SETTING_TEXT, .text = "{question}",
                  .help = "the user's turn, with {question} {prompt} {answer} {think} {final} "
                          "{reference} {record.FIELD} in it"},
    [ANSWER] = {"answer", SETTING_TEXT, .text = "{answer}",
                .help = "the assistant's turn, with the same in it; empty: there is none, and the "
                        "user's turn is all"},
    [REFERENCE] = {"reference", SETTING_TEXT, .text = "answer",
                   .help = "field of the record that {reference} stands for"},
    [SCALE] = {"scale", SETTING_NUMBER, .number = 1, .least = -1e6, .most = 1e6,
               .help = "the head's number is multiplied by it"},
    [OFFSET] = {"offset", SETTING_NUMBER, .number = 0, .least = -1e9, .most = 1e9,
                .help = "and this is added"},
    [SIGMOID] = {"sigmoid", SETTING_BOOL, .number = 0,
                 .help = "and the score is 1 / (1 + exp(-that))"},
    {0},
};

typedef struct {
    Judge *judge;
    const RewardValue *values;
} State;

static int open_scalar(const RewardValue *v, void **state)
{
    if (judge_prompt_check(v[TEMPLATE].text, NULL, 0)) return -1;
    if (judge_prompt_check(v[ANSWER].text, NULL, 0)) return -1;
    if (!*v[TEMPLATE].text) return fail("the template is empty: what is the text?");
    *state = NEW(State, 1);
    return 0;
}

static int bind_scalar(Judges *judges, const char *label, const RewardValue *v, void *state)
{
    const char *name = v[JUDGE].text;
    State *s = state;
    (void)label;
    *s = (State){judges_find(judges, name), v};
    if (s->judge) return judge_want_values(s->judge);
    return fail("the `judges:` block has no model called %s; add {name: %s, model: FOLDER}", name,
                name);
}

static void close_scalar(void *state)
{
    mem_free(state);
}

/* ---- asking ---------------------------------------------------------------------------------- */

typedef struct {
    JudgeQuestion *open; /* NULL: could not be asked, or is answered */
    bool wanted;
    Score score;
    char *why; /* NULL: nothing is wrong */
} Part;

typedef struct {
    int n;
    Part *parts; /* [n] */
} Question;

static int begin(const RewardValue *v, Judge *j, const Evidence *e, Part *p)
{
    const char *templates[] = {v[SYSTEM].text, v[TEMPLATE].text, v[ANSWER].text};
    static const char *const roles[] = {"system", "user", "assistant"};
    JudgeMessage messages[3];
    Buffer turns[3] = {0};
    int n = 0, rc = 0;
    for (int i = 0; i < 3 && !rc; i++) {
        if (!*templates[i]) continue;
        buffer_text(&turns[i], i ? "" : templates[i]);
        if (i) rc = judge_prompt_fill(templates[i], e, v[REFERENCE].text, NULL, 0, &turns[i]);
        messages[n++] = (JudgeMessage){roles[i], turns[i].data, turns[i].size};
    }
    if (!rc) p->open = judge_value(j, messages, n);
    for (int i = 0; i < 3; i++) buffer_free(&turns[i]);
    return rc;
}

static void *ask(const RewardValue *v, void *state, const GroupEvidence *g, const bool *wanted)
{
    Question *q = NEW(Question, 1);
    *q = (Question){.n = g->n, .parts = NEW(Part, g->n)};
    for (int i = 0; i < g->n; i++) {
        Part *p = &q->parts[i];
        p->wanted = wanted[i];
        if (!wanted[i] || !begin(v, ((State *)state)->judge, &g->samples[i], p)) continue;
        p->score = score_failed(SCORE_ERROR);
        p->why = mem_text(errors_last());
    }
    return q;
}

static void withdraw(void *state, void *question)
{
    (void)state;
    Question *q = question;
    for (int i = 0; i < q->n; i++) {
        if (q->parts[i].open) judge_withdraw(q->parts[i].open);
        mem_free(q->parts[i].why);
    }
    mem_free(q->parts);
    mem_free(q);
}

/* ---- answers --------------------------------------------------------------------------------- */

static Score scaled(const RewardValue *v, double r)
{
    double x = v[SCALE].number * r + v[OFFSET].number;
    return score_ok(v[SIGMOID].flag ? sigmoid(x) : x);
}

/* False: not yet. */
static bool take(const RewardValue *v, Part *p)
{
    JudgeAnswer a;
    double r;
    if (!p->open) return true;
    if (!judge_valued(p->open, &a, &r)) return false;
    p->open = NULL;
    p->score = a.status == SCORE_OK ? scaled(v, r) : score_failed(a.status);
    if (a.status != SCORE_OK)
        p->why = mem_printf("the reward model gave no number (%s): %s", score_status_name(a.status),
                            a.reason ? a.reason : "");
    judge_answer_free(&a);
    return true;
}

static bool answered(void *state, void *question, Score *scores, char **notes, StepScores *steps)
{
    (void)notes, (void)steps;
    const State *s = state;
    Question *q = question;
    bool all = true;
    for (int i = 0; i < q->n; i++) all &= take(s->values, &q->parts[i]);
    if (!all) return false;
    for (int i = 0; i < q->n; i++) {
        if (!q->parts[i].wanted) continue;
        if (q->parts[i].why) fail("%s", q->parts[i].why);
        scores[i] = q->parts[i].score;
    }
    withdraw(state, q);
    return true;
}

static bool work(void *state)
{
    return judge_work(((State *)state)->judge);
}

const Reward reward_judge_scalar = {
    .name = "judge_scalar",
    .help = "a reward model's number for problem and answer, from its scalar head",
    .settings = settings,
    .open = open_scalar,
    .close = close_scalar,
    .bind = bind_scalar,
    .ask = ask,
    .work = work,
    .answered = answered,
    .withdraw = withdraw,
};

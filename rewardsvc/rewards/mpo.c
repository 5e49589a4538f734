/* A rubric that is rewritten while the policy learns (MPO, Kim et al. 2025; the authors' code): the
 * judge scores by it item by item (rubric_judge.h), and after every `every` updates a meta judge
 * looks at samples of what was scored and writes the next version (mpo_meta.h), so that the policy
 * cannot go on exploiting the one it knows. What the meta judge writes replaces the rubric only if
 * it can be read as one.
 *
 * A step's groups are all judged by the same version: rubric, gathered samples and history are
 * state over steps (reward.h).
 *
 * Of the paper's variants: answers too thin to be asked about (`least_words`, `verdict`), and
 * updates judged by the answer alone (`answer_check`).
 */
#include <string.h>

#include "common/errors.h"
#include "common/rng.h"
#include "common/utf8.h"
#include "rewardsvc/mpo_meta.h"
#include "rewardsvc/reward.h"
#include "rewardsvc/rubric_judge.h"

enum {
    META = N_RUBRIC,
    EVERY,
    SAMPLES,
    STRATA,
    BUFFER,
    PRESCREEN,
    META_SYSTEM,
    META_TEMPERATURE,
    META_MAX_TOKENS,
    META_RETRIES,
    MERGE_WORDS,
    TASK,
    ANALYSE,
    REFINE,
    MERGE,
    SCREEN,
    LEAST_WORDS,
    VERDICT,
    THIN,
    ANSWER_CHECK,
    RIGHT,
};

static const char first_rubric[] =
    "Quality of the answer (0-5)\n"
    "How well the answer does what the problem asks for: 0 not at all, 5 nothing could be better.";

static const RewardSetting settings[] = {
    ASK_ROWS("conversations for each item, of which the mean counts; more than one wants a "
             "temperature",
             300),
    RUBRIC_ROWS,
    [META] = {"meta", SETTING_TEXT, .required = true,
              .help = "name of the model of the `judges:` block that rewrites the rubric; may be "
                      "the judge"},
    [EVERY] = {"every", SETTING_NUMBER, .number = 10, .least = 0, .most = 1e9,
               .help = "updates from one rewriting to the next; 0: never"},
    [SAMPLES] = {"samples", SETTING_NUMBER, .number = 20, .least = 1, .most = 1000,
                 .help = "samples that the meta judge looks at each time"},
    [STRATA] = {"strata", SETTING_NUMBER, .number = 1, .least = 1, .most = 100,
                .help = "1: they are drawn from all; 3: as many from each third, by score (MPO's "
                        "maths setting)"},
    [BUFFER] = {"buffer", SETTING_NUMBER, .number = 128, .least = 1, .most = 10000,
                .help = "samples kept to draw from; of more than that a uniform draw is kept. They "
                        "are in every checkpoint"},
    [PRESCREEN] = {"prescreen", SETTING_BOOL, .number = 0,
                   .help = "first asks about four times as many samples whether the judgement was "
                           "good, ok or bad, and takes the worst"},
    [META_SYSTEM] = {"meta_system", SETTING_TEXT, .text = "",
                     .help = "system message of the meta judge; empty: none"},
    [META_TEMPERATURE] = {"meta_temperature", SETTING_NUMBER, .number = 0.7, .least = 0, .most = 10,
                          .help = "of the meta judge; 0: greedy"},
    [META_MAX_TOKENS] = {"meta_max_tokens", SETTING_NUMBER, .number = 2000, .least = 1, .most = 1e6,
                         .help = "of what the meta judge writes in a turn"},
    [META_RETRIES] = {"meta_retries", SETTING_NUMBER, .number = 3, .least = 0, .most = 20,
                      .help = "how often it is asked again for a rubric that can be read (never at "
                              "temperature 0)"},
    [MERGE_WORDS] = {"merge_words", SETTING_NUMBER, .number = 16666, .least = 1, .most = 1e6,
                     .help = "words of all proposals that are merged; later ones are left out"},
    [TASK] = {"task", SETTING_TEXT, .text = "", .help = "what the task is, for the meta judge"},
    [ANALYSE] = {"analyse", SETTING_TEXT, .text = mpo_analyse_template,
                 .help = "the meta judge's first question about a sample, with " MPO_PLACES_HELP},
    [REFINE] = {"refine", SETTING_TEXT, .text = mpo_refine_template,
                .help = "its second, in the same conversation, with the same places"},
    [MERGE] = {"merge", SETTING_TEXT, .text = mpo_merge_template,
               .help = "the last, with {rubric} {task} {proposals} {mark}"},
    [SCREEN] = {"screen", SETTING_TEXT, .text = mpo_screen_template,
                .help = "of prescreen, with the places of analyse: wants \"Verdict: good\", ok or "
                        "bad"},
    [LEAST_WORDS] = {"least_words", SETTING_NUMBER, .number = 0, .least = 0, .most = 1e6,
                     .help = "an answer with fewer words is not asked about (MPO's ethics setting: "
                             "30)"},
    [VERDICT] = {"verdict", SETTING_TEXT, .text = "",
                 .help = "pattern; an answer in which it is not found is not asked about"},
    [THIN] = {"thin", SETTING_NUMBER, .number = -10, .least = -1e6, .most = 1e6,
              .help = "score of an answer that is not asked about"},
    [ANSWER_CHECK] = {"answer_check", SETTING_NUMBER, .number = 0, .least = 0, .most = 1,
                      .help = "probability that an update is judged by `right` alone: 5 for a "
                              "right answer of at least 30 words, else 0 (MPO's maths setting: "
                              "0.5)"},
    [RIGHT] = {"right", SETTING_COMPONENT,
               .help = "a rule before this one, 1 for a right answer; for answer_check"},
    {0},
};

typedef struct {
    RubricJudge judge;
    MpoWays meta;
    Pattern *verdict; /* NULL: none is asked for */
    char *first;      /* version 0 */
    MpoHistory history;
    MpoBuffer buffer;
    MpoMeta *review; /* NULL: the meta judge has nothing to do */
    int64_t step;    /* updates done */
    char label[72];
} State;

/* ---- settings -------------------------------------------------------------------------------- */

static void read_meta(MpoWays *w, const RewardValue *v)
{
    *w = (MpoWays){.task = v[TASK].text,
                   .analyse = v[ANALYSE].text,
                   .refine = v[REFINE].text,
                   .merge = v[MERGE].text,
                   .screen = v[SCREEN].text,
                   .samples = (int)v[SAMPLES].number,
                   .strata = (int)v[STRATA].number,
                   .prescreen = v[PRESCREEN].flag,
                   .merge_words = (int)v[MERGE_WORDS].number,
                   .values = {[ASK_JUDGE] = v[META],
                              [ASK_SYSTEM] = v[META_SYSTEM],
                              [ASK_EXAMPLES] = {.text = ""},
                              [ASK_REFERENCE] = v[ASK_REFERENCE],
                              [ASK_VOTES] = {.number = 1},
                              [ASK_TEMPERATURE] = v[META_TEMPERATURE],
                              [ASK_TOP_P] = {.number = 1},
                              [ASK_MAX_TOKENS] = v[META_MAX_TOKENS],
                              [ASK_RETRIES] = v[META_RETRIES]}};
}

static int read_settings(State *s, const RewardValue *v)
{
    Span first;
    read_meta(&s->meta, v);
    mpo_buffer_init(&s->buffer, (int)v[BUFFER].number);
    if (v[ANSWER_CHECK].number > 0 && v[RIGHT].component < 0)
        return fail("answer_check needs `right`: the rule that knows");
    if (rubric_judge_open(&s->judge, v) || asker_open(&s->meta.asker, s->meta.values, false) ||
        mpo_ways_check(&s->meta))
        return -1;
    if (*v[VERDICT].text && !(s->verdict = pattern_open(v[VERDICT].text))) return -1;
    s->first = rubric_judge_text(v, first_rubric);
    if (!s->first || mpo_rubric_find(span_of(s->first), &first)) return -1;
    mpo_history_add(&s->history, first, 0);
    return 0;
}

static void close_mpo(void *state)
{
    State *s = state;
    if (!s) return;
    mpo_meta_free(s->review);
    mpo_buffer_free(&s->buffer);
    mpo_history_free(&s->history);
    asker_free(&s->meta.asker);
    rubric_judge_free(&s->judge);
    pattern_close(s->verdict);
    mem_free(s->first);
    mem_free(s);
}

static int open_mpo(const RewardValue *v, void **state)
{
    State *s = NEW(State, 1);
    if (read_settings(s, v)) {
        close_mpo(s);
        return -1;
    }
    *state = s;
    return 0;
}

static int bind_mpo(Judges *judges, const char *label, const RewardValue *v, void *state)
{
    State *s = state;
    char *meta = mem_printf("%s/meta", label);
    int rc = asker_bind(&s->judge.asker, judges, label, v);
    if (!rc) rc = asker_bind(&s->meta.asker, judges, meta, s->meta.values);
    snprintf(s->label, sizeof s->label, "%s", label);
    mem_free(meta);
    return rc;
}

/* ---- a group --------------------------------------------------------------------------------- */

/* Has a copy of the rubric it is asked by: an evaluation may go on while the next one begins. */
typedef struct {
    int n;
    JudgeParts *parts;
    Score *known; /* [n] of samples that are not asked about */
    char *text;
    Rubric rubric;
    int64_t version;
} Question;

/* Of all samples of an update alike. */
static bool by_answer_alone(const RewardValue *v, const GroupEvidence *g)
{
    const uint32_t what = 0x434f494e; /* "COIN" */
    return (double)rng_uniform(g->samples[0].seed, STREAM_PICK, (uint64_t)g->step, what, 0) <
           v[ANSWER_CHECK].number;
}

static Score answer_check(const RewardValue *v, const GroupEvidence *g, int i)
{
    Score right = group_score(g, v[RIGHT].component, i);
    Span text = {g->samples[i].text, g->samples[i].n_text};
    if (right.status != SCORE_OK) return right;
    return score_ok(rubric_answer_check(right.value >= 1, text));
}

/* 1: it has none; -1 with the reason. */
static int lacks_verdict(const State *s, const Evidence *e)
{
    Buffer text = {0};
    if (!s->verdict) return 0;
    buffer_text(&text, "");
    utf8_clean(e->text, e->n_text, false, &text);
    int found = pattern_find(s->verdict, (Span){text.data, text.size}, false, NULL, 0);
    buffer_free(&text);
    return found < 0 ? -1 : !found;
}

/* The score of an answer that is not worth a question; not applicable: it is. */
static Score thin_score(const RewardValue *v, const State *s, const Evidence *e)
{
    int lacks = lacks_verdict(s, e);
    if (lacks < 0) return score_failed(SCORE_ERROR);
    bool short_text = v[LEAST_WORDS].number > 0 &&
                      rubric_words((Span){e->text, e->n_text}) < v[LEAST_WORDS].number;
    return lacks || short_text ? score_ok(v[THIN].number) : score_failed(SCORE_NOT_APPLICABLE);
}

static void *ask(const RewardValue *v, void *state, const GroupEvidence *g, const bool *wanted)
{
    const State *s = state;
    const MpoVersion *now = mpo_history_last(&s->history);
    Question *q = NEW(Question, 1);
    *q = (Question){.n = g->n,
                    .parts = parts_new(&s->judge.asker, g->n, g->samples),
                    .known = NEW(Score, g->n),
                    .text = mem_text_n(now->text, now->n_text),
                    .version = now->version};
    Span text = {q->text, now->n_text};
    REQUIRE(!rubric_read(text, &q->rubric), "the rubric in use has no items");
    bool alone = by_answer_alone(v, g);
    for (int i = 0; i < g->n; i++) {
        if (!wanted[i]) continue;
        q->known[i] = alone ? answer_check(v, g, i) : thin_score(v, s, &g->samples[i]);
        if (q->known[i].status == SCORE_NOT_APPLICABLE && !alone)
            rubric_judge_ask(&s->judge, q->parts, i, text, &q->rubric);
    }
    return q;
}

static void question_free(Question *q)
{
    parts_free(q->parts);
    mem_free(q->known);
    mem_free(q->text);
    mem_free(q);
}

/* What a note of a sample begins with that was judged by a rubric; advance looks for it. */
static const char note_mark[] = "rubric v";

static char *note_of(const State *s, const Question *q, int i, Score *score)
{
    Buffer note = {0};
    char *said = parts_note(q->parts, i);
    buffer_printf(&note, "%s%lld: ", note_mark, (long long)q->version);
    *score = rubric_judge_score(&s->judge, q->parts, i, &q->rubric, &note);
    if (said) note_add(&note, span_of(said));
    mem_free(said);
    return note.data;
}

static bool answered(void *state, void *question, Score *scores, char **notes, StepScores *steps)
{
    (void)steps;
    Question *q = question;
    if (!parts_done(q->parts)) return false;
    for (int i = 0; i < q->n; i++) {
        if (parts_count(q->parts, i)) {
            notes[i] = note_of(state, q, i, &scores[i]);
        } else {
            scores[i] = q->known[i];
            notes[i] = mem_printf("not asked by rubric v%lld", (long long)q->version);
        }
    }
    question_free(q);
    return true;
}

static bool work(void *state)
{
    State *s = state;
    bool moved = judge_work(s->judge.asker.judge);
    if (s->meta.asker.judge != s->judge.asker.judge) moved |= judge_work(s->meta.asker.judge);
    return moved;
}

static void withdraw(void *state, void *question)
{
    (void)state;
    question_free(question);
}

/* ---- state over steps ------------------------------------------------------------------------ */

static void gather(State *s, const JudgedGroup *g)
{
    for (int i = 0; i < g->g.n; i++) {
        const char *note = g->notes ? g->notes[g->self * g->g.n + i] : NULL;
        Score x = group_score(&g->g, g->self, i);
        bool asked = note && !strncmp(note, note_mark, strlen(note_mark));
        if (asked && x.status == SCORE_OK)
            mpo_buffer_add(&s->buffer, &g->g.samples[i], x.value, note);
    }
}

static void advance(const RewardValue *v, void *state, const JudgedGroup *groups, int n,
                    int64_t step)
{
    State *s = state;
    int64_t every = (int64_t)v[EVERY].number;
    s->step = step + 1;
    for (int i = 0; i < n; i++) gather(s, &groups[i]);
    if (every && s->step % every == 0 && s->buffer.n)
        s->review = mpo_meta_begin(&s->meta, mpo_history_last(&s->history), &s->buffer,
                                   groups[0].g.samples[0].seed, s->step);
}

static bool advanced(const RewardValue *v, void *state)
{
    State *s = state;
    (void)v;
    if (!s->review) return true;
    if (!mpo_meta_done(s->review)) return false;
    Span text = mpo_meta_rubric(s->review);
    char *why = text.p ? NULL : mem_text(errors_last());
    if (text.p)
        mpo_history_add(&s->history, text, s->step);
    else
        fail("reward %s: rubric v%lld is kept after %lld updates: %s", s->label,
             (long long)mpo_history_last(&s->history)->version, (long long)s->step, why);
    mem_free(why);
    mpo_meta_free(s->review);
    s->review = NULL;
    mpo_buffer_clear(&s->buffer);
    return true;
}

static json_t *save(const void *state)
{
    const State *s = state;
    return json_pack("{s:o, s:o}", "buffer", mpo_buffer_save(&s->buffer), "shown",
                     mpo_history_save(&s->history));
}

static int load(const RewardValue *v, void *state, const json_t *saved)
{
    State *s = state;
    (void)v;
    mpo_meta_free(s->review);
    s->review = NULL;
    if (saved)
        return mpo_buffer_load(&s->buffer, json_object_get(saved, "buffer")) ||
                       mpo_history_load(&s->history, json_object_get(saved, "shown"))
                   ? -1
                   : 0;
    Span first;
    REQUIRE(!mpo_rubric_find(span_of(s->first), &first), "the first rubric has no items");
    mpo_buffer_clear(&s->buffer);
    mpo_history_free(&s->history);
    mpo_history_add(&s->history, first, 0);
    return 0;
}

const Reward reward_mpo = {
    .name = "mpo",
    .help = "a judge with a rubric, item by item, which a meta judge rewrites on a schedule so "
            "that it cannot be exploited for long (MPO)",
    .settings = settings,
    .open = open_mpo,
    .close = close_mpo,
    .bind = bind_mpo,
    .ask = ask,
    .work = work,
    .answered = answered,
    .withdraw = withdraw,
    .advance = advance,
    .advanced = advanced,
    .save = save,
    .load = load,
};

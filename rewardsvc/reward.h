/* The contract of a reward. A reward is one file in rewardsvc/rewards/ that ends in
 *
 *     const Reward reward_<stem> = { .name = "<stem>", .help = "...", .score = ..., ... };
 *
 * CMake finds it; the stem is its name in experiment files. Nothing else is touched.
 */
#ifndef REWARDSVC_REWARD_H
#define REWARDSVC_REWARD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/kernelset.h"
#include "common/sample.h"

/* What a reward sees of one sample. All borrowed; text may hold any bytes, NUL included. */
typedef struct {
    const char *prompt, *text; /* text [n_text]: the answer */
    size_t n_prompt, n_text;
    int n_tokens;
    /* [n_tokens] as in Sample: log-probabilities at temperature 1, bytes of the text once each
     * token is written; NULL where they are not known (texts from a file) */
    const float *logprobs;
    const int32_t *text_ends;
    FinishReason finish;
    const json_t *record; /* the problem's JSON object: "answer", "target", ... */
    int max_tokens;       /* the generation limit; 0 if unknown (score over JSONL) */
    uint64_t seed;        /* with group and sample: for rewards that draw */
    int64_t group;
    int sample;
    bool training; /* false: an evaluation, or texts from a file; noise is for training only */
} Evidence;

/* Scores, or rewards, of the steps of an answer. */
typedef struct {
    size_t end; /* bytes of the answer's text up to the step's end; rising */
    Score score;
} StepScore;
typedef struct {
    int n; /* 0: none */
    StepScore *list;
} StepScores;

/* A group, as judges and shapes see it. */
typedef struct {
    int n;                   /* samples */
    const Evidence *samples; /* [n] */
    int64_t step,
        steps;        /* optimiser steps done when the group was begun; of the run (0: unknown) */
    int n_components; /* of the block */
    const Score
        *scores; /* [n_components, n]; of components that are not known yet: not applicable */
    const StepScores *step_scores; /* [n_components, n] of components that score steps too */
    StepScores *step_rewards;      /* [n] out, of shapes: rewards beside the answer's (shape.h) */
} GroupEvidence;

static inline Score group_score(const GroupEvidence *g, int component, int sample)
{
    return g->scores[component * g->n + sample];
}

/* Are all scores of a component at least 0.9, or all at most 0.1 (those that are ok)? Nothing is to
 * be learned from the order of such samples by what is right. */
bool group_uniform(const GroupEvidence *g, int component);

/* A group whose scores and rewards are all known, as rewards with state see it. */
typedef struct {
    GroupEvidence g;
    const Score *reward;      /* [n] */
    const char *const *notes; /* [n_components, n] or NULL */
    int self;                 /* in a call of advance: the component that is advanced */
} JudgedGroup;

/* A reward's own settings, declared by it: key in the reward block, default, range, meaning. A
 * component is the label of an item before this one; its index, -1 where the setting is not given.
 * Components are one label or a list of different ones; none where not given. */
typedef enum {
    SETTING_NUMBER,
    SETTING_BOOL,
    SETTING_TEXT,
    SETTING_COMPONENT,
    SETTING_COMPONENTS
} SettingType;
typedef struct {
    const char *key;
    SettingType type;
    double number, least, most; /* default and range (numbers); default 0/1 (bool) */
    const char *text;           /* default (text) */
    const char *help;
    bool required; /* components: must be given */
    bool file;     /* text: path of a file that decides scores: what is in it is part of the run */
} RewardSetting;

typedef union {
    double number;
    bool flag;
    const char *text;
    int component;
    struct {
        int n, *list; /* [n] */
    } components;
} RewardValue;

struct Judges;          /* the models that the `judges:` block names: judge.h */
struct RewardComponent; /* below */

/* A reward is of one of three kinds: it has `score`, or `ask`, or `shape`. */
typedef struct {
    const char *name, *help;
    const RewardSetting *settings; /* ends with a row whose key is NULL; may be NULL */
    /* One-time preparation from the settings' values (same order as `settings`); *state is handed
     * to the other functions. 0 or -1 with the reason. May be NULL. Must be cheap: `check` calls it
     * too. */
    int (*open)(const RewardValue *values, void **state);
    void (*close)(void *state);
    /* For a reward that applies another component's rule to texts of its own: the components of its
     * block, which stay where they are until it is closed. 0, or -1 with the reason. May be NULL.
     */
    int (*know)(const RewardValue *values, void *state, const struct RewardComponent *components);

    /* A rule: the score of one sample. Never blocks past a second, never reads outside `e`; a text
     * it cannot judge is a status, not a 0. With SCORE_ERROR it says why through fail(): the block
     * prints a component's first reason and keeps the others quiet (errors_last). */
    Score (*score)(const RewardValue *values, void *state, const Evidence *e);

    /* A judge: what takes its time. It is asked about a group, and looked at until it has answered.
     * bind: the models of the `judges:` block (NULL: the file has none); the reward finds those it
     *   will ask and says so with judge_want; nothing is loaded yet. label: the component's. 0 or
     * -1 with the reason. ask: begins a question about the samples with wanted[i] and returns it; g
     * stays until the question is gone. NULL with the reason: the group's scores are errors. work:
     * called once a turn of the rank; moves every question of this component on for a moment
     *   (milliseconds, at most a model's forward pass); whether anything moved.
     * answered: true: scores [n], notes [n] (the judge's text, owned by the caller from then on,
     *   or NULL) and steps [n] (empty on entry; lists owned by the caller from then on) are written
     *   where wanted, and the question is gone.
     * withdraw: nobody waits for the question any more; it is gone. */
    int (*prepare)(const RewardValue *values, void *state);
    int (*bind)(struct Judges *judges, const char *label, const RewardValue *values, void *state);
    void *(*ask)(const RewardValue *values, void *state, const GroupEvidence *g,
                 const bool *wanted);
    bool (*work)(void *state);
    bool (*answered)(void *state, void *question, Score *scores, char **notes, StepScores *steps);
    void (*withdraw)(void *state, void *question);

    /* State over steps, of a reward of any kind. advance: once a step, on the first reward rank,
     * when every group of the step is judged: groups [n] in the order of their ids, which stay
     * until advanced says true. Until then nothing of the next step is judged. save: the state as
     * JSON (new reference), for checkpoints and the other reward ranks; an array "shown" in it is
     * for people: `inspect` prints it, and the run keeps its last element whenever that changes.
     * load: takes it; NULL is the beginning. 0, or -1 with the reason. All four or none. */
    void (*advance)(const RewardValue *values, void *state, const JudgedGroup *groups, int n,
                    int64_t step);
    bool (*advanced)(const RewardValue *values, void *state);
    json_t *(*save)(const void *state);
    int (*load)(const RewardValue *values, void *state, const json_t *saved);

    /* A shape: changes the rewards [n] of a group, as the items before it in the list have made
     * them, once all scores are known. Rewards that are not ok it leaves alone; where a component
     * it needs is not ok it gives the reward that status, or does without it, as its help says.
     * trace [n], not applicable on entry: what the ledger keeps under the shape's label (a trust
     * weight, a spread), never a part of the sum. */
    void (*shape)(const RewardValue *values, void *state, const GroupEvidence *g, Score *reward,
                  Score *trace);
    /* The formula of the reward so far, `before`, with the shape applied, for people; names are the
     * components' labels. Caller frees. NULL: "name(before)". */
    char *(*formula)(const RewardValue *values, const char *const *names, const char *before);
} Reward;

const Reward *reward_find(const char *name); /* NULL if there is none */
const Reward *const *reward_list(int *n);

static inline Score score_ok(double value)
{
    return (Score){value, SCORE_OK};
}
static inline Score score_failed(ScoreStatus why)
{
    return (Score){0, why};
}

/* ---- the reward block of an experiment file: named components, in the order of the formula ------
 */

/* A weight over optimiser steps: constant `from`; linear or cosine from `from` to `to` over
 * `steps`, then `to`; exp: to + (from - to) exp(-step / steps). */
typedef enum { WEIGHT_CONSTANT, WEIGHT_LINEAR, WEIGHT_COSINE, WEIGHT_EXP } WeightKind;
typedef struct {
    WeightKind kind;
    double from, to, steps;
} RewardWeight;
double reward_weight_at(const RewardWeight *w, int64_t step);

typedef struct RewardComponent {
    const Reward *reward;
    char *name;          /* label; the reward's name unless `as:` gives another */
    RewardWeight weight; /* of a shape: 1 */
    /* Applies only to samples for which component `gate` is ok and at least `at_least`: for the
     * others it is not applicable, and a judge is not asked. */
    bool gated;
    int gate; /* an index */
    double at_least;
    /* Applies only to groups that component `mixed` does not find uniform, and a judge is not asked
     * about others: group_uniform. */
    bool wants_mixed;
    int mixed;  /* an index */
    bool clips; /* to [least, most], after `normalise` */
    double least, most;
    bool normalise; /* (x - mean) / std within the group, over the samples for which it is ok; std
                       with n - 1, and 0 where all are equal or only one is ok */
    double deadline_s; /* of a judge's answer about one group */
    RewardValue *values;
    void *state;
    bool complained; /* its first error has been printed */
} RewardComponent;

typedef struct {
    int n;
    RewardComponent *components;
    struct Judges *judges; /* owned; NULL: the block was not read from an experiment file */
} RewardBlock;

/* Reads the `reward:` list: each item is a name, or a map with `name`, `weight` (a number, or a map
 * with from, to, steps, kind; default 1), `as`, `only_if` and `at_least`, `only_mixed`,
 * `clip` ([least, most]), `normalise`, `deadline_s`, and the reward's own settings. Every error
 * with its place; -1 then. */
struct YamlNode;
int reward_block_open(RewardBlock *b, const struct YamlNode *list);
/* Those keys of an item, without the reward's own: for help. Ends with a row whose key is NULL. */
typedef struct {
    const char *key, *form, *help;
} RewardItemKey;
const RewardItemKey *reward_item_keys(void);
/* A block of one reward with its default settings (`score --reward NAME`). */
int reward_block_single(RewardBlock *b, const char *name);
/* The `reward:` list of a configuration (which must have one), with the models of its `judges:`
 * block that the rewards ask; none is loaded yet. cfg must stay. 0, or -1 with every error said. */
int reward_block_read(RewardBlock *b, const Config *cfg);
/* Loads those models, opens connections and what else rewards need, on the rank that judges. k: of
 * the run. dir, rank: where answers of remote judges are kept, and read again from what all ranks
 * kept there; dir NULL keeps none. 0, or -1 with the reason. */
int reward_block_prepare(RewardBlock *b, const KernelSet *k, const char *dir, int rank);
void reward_block_close(RewardBlock *b);

/* Lets the judges work for a moment: whether anything moved. */
bool reward_block_work(RewardBlock *b);
/* The same for who has nothing else to do: where nothing moved it sleeps a moment. */
void reward_block_wait(RewardBlock *b);

/* State over steps (Reward). The text is JSON, an object with an entry for each component that has
 * any; "" is the beginning. */
bool reward_block_has_state(const RewardBlock *b);
/* Writes groups' self. */
void reward_block_advance(RewardBlock *b, JudgedGroup *groups, int n, int64_t step);
bool reward_block_advanced(RewardBlock *b);
char *reward_block_save(const RewardBlock *b); /* caller frees */
int reward_block_load(RewardBlock *b, const char *text);

/* Scores one sample by itself: a group of one (reward_case.h), waiting for judges. components,
 * latencies_s: [b->n] out. */
Score reward_block_score(RewardBlock *b, const Evidence *e, Score *components, float *latencies_s);

/* The formula that results, for people: "1 * exact_number + 0.1 * format_tags". Caller frees. */
char *reward_block_formula(const RewardBlock *b);

#endif

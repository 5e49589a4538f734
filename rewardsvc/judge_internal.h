/* Between judge.c (the table, and what both kinds share), judge_local.c and judge_remote.c. */
#ifndef REWARDSVC_JUDGE_INTERNAL_H
#define REWARDSVC_JUDGE_INTERNAL_H

#include "common/engine.h"
#include "common/policy.h"
#include "rewardsvc/chat_remote.h"
#include "rewardsvc/judge.h"

enum {
    JUDGE_NAME,
    JUDGE_MODEL,
    JUDGE_MAX_CONTEXT,
    JUDGE_BATCH,
    JUDGE_PRECISION,
    JUDGE_URL,
    JUDGE_KEY_ENV,
    JUDGE_KEY_FILE,
    JUDGE_CA_FILE,
    JUDGE_CONCURRENCY,
    JUDGE_REQUESTS_PER_MINUTE,
    JUDGE_TOKENS_PER_MINUTE,
    JUDGE_RETRIES,
    JUDGE_ATTEMPT_S,
    JUDGE_DEADLINE_S,
};

typedef struct {
    JudgeQuestion *(*ask)(Judge *j, const JudgeRequest *r);
    bool (*answered)(JudgeQuestion *q, JudgeAnswer *answers);
    void (*withdraw)(JudgeQuestion *q);
    bool (*work)(Judge *j);
    void (*close)(Judge *j);
    JudgeQuestion *(*rate)(Judge *j, const JudgeRating *r);
    bool (*rated)(JudgeQuestion *q, double *logprobs);
} JudgeKind;

struct Judge {
    RewardValue *values; /* by judge_settings */
    const Config *cfg;
    const JudgeKind *kind; /* NULL until it is opened */
    bool wanted, lent;     /* a reward asks it; a reward runs and trains its model */
    bool rates;            /* and asks it how probable texts are */
    bool valued;           /* a reward reads its scalar head */
    JudgeLoan loan;        /* lent */
    JudgeCounters counters;
    /* local */
    Policy policy;
    Engine *engine;        /* NULL: lent */
    struct Raters *raters; /* judge_rate.c */
    struct Valuer *valuer; /* judge_value.c */
    int max_context;
    uint64_t seed;
    /* remote */
    Remote *remote;
};

struct JudgeQuestion {
    Group group; /* local: first, so that the engine's group is the question */
    Judge *judge;
    int n;
    GenerateParams params;
    RemoteTicket ticket;
    ScoreStatus failed; /* not SCORE_OK: there will be no answers */
    char *reason;
    bool done, withdrawn;
    /* of a rating: the options' texts; what they turned out to be worth */
    int n_options;
    char **options;   /* [n_options] */
    double *logprobs; /* [n_options] */
    double value;     /* of a scalar head */
    /* local */
    JudgeQuestion *next; /* that waits for its pass */
    Ids *option_ids;     /* [n_options] */
};

/* The number of a question from its tag: what its random numbers are counted by. */
uint64_t judge_hash(const char *text);

JudgeQuestion *judge_question_new(Judge *j, int n);
void judge_question_free(JudgeQuestion *q);
/* Gives the question a status for all its answers. */
void judge_question_fail(JudgeQuestion *q, ScoreStatus status, const char *reason);

/* Questions that wait for a pass, in the order of asking. Zeroed it is empty. */
typedef struct {
    JudgeQuestion *first, *last;
} JudgeQueue;
void judge_queue_add(JudgeQueue *w, JudgeQuestion *q);
void judge_queue_remove(JudgeQueue *w, JudgeQuestion *q); /* if it is there */

/* ---- ratings (judge_rate.c) ---- */

/* With the options' texts in it. */
JudgeQuestion *judge_rating_new(Judge *j, const JudgeRating *r);
void judge_rating_free(JudgeQuestion *q); /* what of the question belongs to a rating */

/* Local: prompt is the messages' ids and taken over. The question waits for its pass. */
void raters_add(Judge *j, JudgeQuestion *q, Ids *prompt, const char *prefix);
bool raters_work(Judge *j); /* one pass; whether there was one to make */
void raters_withdraw(Judge *j, JudgeQuestion *q);
void raters_free(Judge *j); /* with the questions that wait */

/* ---- scalar heads (judge_value.c) ---- */

int judge_open_value(Judge *j, const KernelSet *run);
/* Its pass's buffers and pages. */
size_t judge_value_bytes(const Judge *j, const ModelDesc *d, const KernelSet *k);

/* What opening it takes: the kernel set, the most tokens of a text, slots of the engine's memory.
 */
KernelSet judge_kernels(const Judge *j, const KernelSet *run);
int judge_longest(const Judge *j, const ModelDesc *d);
size_t judge_kv_tokens(const Judge *j, int max_context);
/* Adds what a local judge takes. 0, or -1 with the reason. */
int judge_memory(const Judge *j, const KernelSet *run, JudgeMemory *sum);

int judge_open_local(Judge *j, const KernelSet *k);
int judge_open_model(Judge *j, const KernelSet *k);
int judge_open_remote(Judge *j, struct RemoteLog *log);

#endif

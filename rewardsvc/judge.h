/* Models that judge, as the `judges:` block of an experiment file names them:
 *
 *   judges:
 *     - {name: critic, model: models/judge-7b, max_context: 4096, batch: 32}      on this rank
 *     - {name: first,  model: policy}                      the policy as it was before training
 *     - {name: far,    model: judge-70b, url: "https://host/v1", key_env: JUDGE_KEY}     asked over
 * HTTP
 *
 * A local judge writes with the engine of the actors (common/engine.h), batched over all questions
 * that are open; a remote one is asked through chat_remote.h. To whoever asks they look the same:
 * a question is begun, looked at, and has its answers. What a local judge answers depends on
 * (weights, run seed, tag) alone, never on what else is asked.
 *
 * Texts of problems and models are hostile: whatever special token of the judge they spell is
 * taken out of them before the judge's template is filled.
 */
#ifndef REWARDSVC_JUDGE_H
#define REWARDSVC_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/kernelset.h"
#include "common/policy.h"
#include "common/sample.h"
#include "rewardsvc/answer.h"
#include "rewardsvc/reward.h"

typedef struct Judges Judges;
typedef struct Judge Judge;
typedef struct JudgeQuestion JudgeQuestion;

/* The rows of an item of `judges:`, for help and `check`; ends with a row whose key is NULL. */
const RewardSetting *judge_settings(void);

/* Reads the block: names, settings, nothing opened (`check`). NULL, with every error in its place,
 * if it is wrong; cfg->judges NULL is a block without judges. cfg is borrowed. */
Judges *judges_read(const Config *cfg);
/* NULL if the block names none such. */
Judge *judges_find(Judges *j, const char *name);
/* Once all rewards have said what they want: 0, or -1 with the reason if a judge is wanted for what
 * does not go together, or has no scalar head where one is wanted and its folder is here. */
int judges_check(const Judges *j);
/* Loads the models and opens the connections of the judges that rewards have asked for
 * (judge_want). k: of the run. What remote judges answer is kept in dir/judges-RANK.jsonl
 * (remote_log.h), and what is in such files of any rank is read again; dir NULL keeps none. 0, or
 * -1 with the reason. */
int judges_prepare(Judges *j, const KernelSet *k, const char *dir, int rank);
/* What the local ones of those judges take on a rank that judges, bytes; nothing is opened. 0, or
 * -1 with the reason (a model that is not there). */
typedef struct {
    size_t weights, engines;
    size_t
        trainers; /* activations of whoever rates or learns; moments and gradient of who learns */
} JudgeMemory;
int judges_memory(const Judges *j, const KernelSet *k, JudgeMemory *out);
void judges_close(Judges *j); /* NULL is fine; questions that are open are gone */

const char *judge_name(const Judge *j);
/* A reward will ask this judge: it is to be opened by judges_prepare. */
void judge_want(Judge *j);

/* The largest pass that a borrower makes: max(rows, texts * the judge's max_context) rows, of which
 * so many are wanted. */
typedef struct {
    int rows, texts, wanted;
} JudgeLoan;

/* Instead of asking it, a reward will run and train this judge's model by itself: judges_prepare
 * opens it so, and it answers no questions. 0, or -1 with the reason: it is remote, or has been
 * asked for by another reward. */
int judge_borrow(Judge *j, const JudgeLoan *loan);
/* Of such a judge that is open: its model, trainable; NULL if it is not open yet. Of any: the most
 * tokens of a text, and the experiment. */
Policy *judge_policy(Judge *j);
int judge_max_context(const Judge *j);
const Config *judge_config(const Judge *j);
/* What a checkpoint of such a model keeps as its config_text, so that a later `model:` can name the
 * checkpoint: the experiment, with this judge's model as the policy. Caller frees. */
char *judge_model_config(const Judge *j);
/* Opens its model anew, with the weights of the beginning: what judge_policy gave is gone. 0, or -1
 * with the reason. */
int judge_reopen(Judge *j);

typedef struct {
    const char *role; /* "system", "user", "assistant" */
    const char *text; /* [n_text] any bytes */
    size_t n_text;
} JudgeMessage;

typedef struct {
    int n_messages;
    const JudgeMessage *messages; /* [n_messages] */
    int n;                        /* answers wanted, >= 1 */
    double temperature, top_p;    /* 0: greedy; top_p 1: off */
    int max_tokens;               /* of an answer */
    int n_stops;
    const char *const *stops; /* [n_stops] stay until the question is gone */
    /* Who asks, "g37/s2/helpful/0": equal questions with different tags are different questions. */
    const char *tag;
} JudgeRequest;

/* status: SCORE_OK, or why there is no text (an answer that the judge refused, no room in its
 * context, an error or timeout of the connection). */
typedef struct {
    ScoreStatus status;
    char *text; /* [n_text], NUL after it; what is not UTF-8 is U+FFFD; NULL unless SCORE_OK */
    size_t n_text;
    bool cut;     /* it ended at max_tokens */
    char *reason; /* why there is no text; NULL if there is nothing to say */
} JudgeAnswer;
void judge_answer_free(JudgeAnswer *a);

/* Messages [n] as ids: texts cleaned, special tokens in them taken out, the model's chat template
 * (or one after the other where it has none). 0, or -1 with the reason. */
int judge_render(const Tokenizer *tok, const JudgeMessage *messages, int n, Ids *ids);
/* The same without the assistant's opening: a conversation that is over. */
int judge_render_said(const Tokenizer *tok, const JudgeMessage *messages, int n, Ids *ids);

/* Begins a question; everything of the request but the stops is copied. Never NULL: what is wrong
 * with it is an answer's status, with its reason. */
JudgeQuestion *judge_ask(Judge *j, const JudgeRequest *r);
/* True: answers [n] are filled (the caller frees them) and the question is gone. */
bool judge_answered(JudgeQuestion *q, JudgeAnswer *answers);
void judge_withdraw(JudgeQuestion *q);

/* ---- how probable a judge finds given texts -------------------------------------------------- */

enum { JUDGE_MOST_OPTIONS = 64 };

/* Nothing is written: how probable is each option as what the judge goes on with, after the
 * messages and after the beginning of its own answer? An option's tokens are those of its text by
 * itself, behind those of the prefix by itself. */
typedef struct {
    int n_messages;
    const JudgeMessage *messages; /* [n_messages] */
    const char *prefix;           /* of its answer, "" for none */
    int n_options;                /* 1 ... JUDGE_MOST_OPTIONS */
    const Span *options;          /* [n_options] any bytes, at least one */
    const char *tag;
} JudgeRating;

/* A reward will ask this judge so. 0, or -1 with the reason why it cannot: one with a url writes
 * its answers from their beginning, so it takes no prefix. Nothing needs to be open. */
int judge_want_ratings(Judge *j, const char *prefix);
/* Begins it; everything of the rating is copied. Never NULL, as judge_ask. */
JudgeQuestion *judge_rate(Judge *j, const JudgeRating *r);
/* True: the question is gone; a has the status and its reason and no text (the caller frees it),
 * and with SCORE_OK logprobs [n_options] the sums over each option's tokens, natural, at
 * temperature 1. A local judge gives the bits of the engine's own pass; of one elsewhere the first
 * token's likeliest 20 have to contain every option, with blanks around it or without. */
bool judge_rated(JudgeQuestion *q, JudgeAnswer *a, double *logprobs);

/* ---- what a reward model with a scalar head makes of given texts --------------------------------
 */

/* A reward will read this judge's head: its model is a reward model (policy_open_scalar), and it
 * answers no other questions. 0, or -1 with the reason: it is remote or the policy, or another
 * reward asks it for something else. */
int judge_want_values(Judge *j);
/* Begins a question about a conversation that is over; copied. Never NULL, as judge_ask. */
JudgeQuestion *judge_value(Judge *j, const JudgeMessage *messages, int n);
/* True: the question is gone; a has the status and its reason and no text (the caller frees it),
 * and with SCORE_OK *value the head's number at the conversation's last token, finite. */
bool judge_valued(JudgeQuestion *q, JudgeAnswer *a, double *value);

/* Moves the judge's questions on for a moment: a forward pass, or what came over the network.
 * Whether anything moved. */
bool judge_work(Judge *j);

/* For the live line. */
typedef struct {
    int open;                                   /* questions begun and not gone */
    int64_t questions, answers, tokens, failed; /* since the start */
} JudgeCounters;
JudgeCounters judge_counters(const Judge *j);

#endif

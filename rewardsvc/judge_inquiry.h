/* What rewards that ask judges share: the settings of how to ask, and one inquiry, which is asked
 * until it can be read. On the ring: between a reward of rewardsvc/rewards/judge*.c and judge.h.
 *
 * An inquiry is a conversation of one or two turns of ours; what the judge wrote in the first turn
 * stands before the second. Answers that cannot be read are asked again with other random numbers,
 * a conversation from its first turn on, at most `retries` times, and never at temperature 0, where
 * the same would come. What is left then is a failure with a status and a reason, never a score.
 */
#ifndef REWARDSVC_JUDGE_INQUIRY_H
#define REWARDSVC_JUDGE_INQUIRY_H

#include "common/memory.h"
#include "rewardsvc/answer.h"
#include "rewardsvc/judge.h"
#include "rewardsvc/pattern.h"

enum { MOST_VOTES = 64, MOST_NOTE = 16384, MOST_TURNS = 2, MOST_EXAMPLES = 64 };

/* The first rows of the settings of such a reward; its own begin at N_ASK. */
enum {
    ASK_JUDGE,
    ASK_SYSTEM,
    ASK_EXAMPLES,
    ASK_REFERENCE,
    ASK_VOTES,
    ASK_TEMPERATURE,
    ASK_TOP_P,
    ASK_MAX_TOKENS,
    ASK_RETRIES,
    N_ASK
};

#define ASK_ROWS(votes_help, tokens)                                                               \
    [ASK_JUDGE] = {"judge", SETTING_TEXT, .help = "name of a model of the `judges:` block",        \
                   .required = true},                                                              \
    [ASK_SYSTEM] = {"system", SETTING_TEXT, .text = "", .help = "system message; empty: none"},    \
    [ASK_EXAMPLES] = {"examples", SETTING_TEXT, .text = "",                                        \
                      .help = "questions and answers shown before the question: in each a line "   \
                              "--- between question and answer, between two of them a line ==="},  \
    [ASK_REFERENCE] = {"reference", SETTING_TEXT, .text = "answer",                                \
                       .help = "field of the record that {reference} stands for"},                 \
    [ASK_VOTES] = {"votes",    SETTING_NUMBER,     .number = 1,                                    \
                   .least = 1, .most = MOST_VOTES, .help = votes_help},                            \
    [ASK_TEMPERATURE] = {"temperature",                                                            \
                         SETTING_NUMBER,                                                           \
                         .number = 0,                                                              \
                         .least = 0,                                                               \
                         .most = 10,                                                               \
                         .help = "0: greedy; what cannot be read is then not asked again"},        \
    [ASK_TOP_P] = {"top_p",       SETTING_NUMBER, .number = 1,                                     \
                   .least = 0.01, .most = 1,      .help = "1: off"},                               \
    [ASK_MAX_TOKENS] =                                                                             \
        {"max_tokens", SETTING_NUMBER, .number = (tokens),                                         \
         .least = 1,   .most = 1e6,    .help = "of what the judge writes in a turn"},              \
    [ASK_RETRIES] = {"retries",                                                                    \
                     SETTING_NUMBER,                                                               \
                     .number = 3,                                                                  \
                     .least = 0,                                                                   \
                     .most = 20,                                                                   \
                     .help = "how often what cannot be read is asked again (never at "             \
                             "temperature 0)"}

/* How a reward asks its judge. */
typedef struct {
    Judge *judge;
    char label[72];
    const RewardValue *values; /* ASK_ROWS first */
    int n_examples;            /* messages: a question and an answer each */
    JudgeMessage *examples;    /* [n_examples], texts are the setting's */
} Asker;

/* Reads the examples. distinct_votes: votes differ at temperature 0 too. 0, or -1 with the reason;
 * asker_free accepts an empty one. */
int asker_open(Asker *a, const RewardValue *v, bool distinct_votes);
/* Finds the judge; for Reward.bind. */
int asker_bind(Asker *a, Judges *judges, const char *label, const RewardValue *v);
void asker_free(Asker *a);
/* A judge that is named by another setting than `judge`. NULL with the reason. */
Judge *asker_find(Judges *judges, const char *name);

/* What an answer says, as `width` numbers; false: it cannot be read. */
typedef bool inquiry_read_fn(const void *ctx, Span text, double *values);

typedef struct Inquiry Inquiry;

/* tag: who asks ("g37/s2/helpful"); the number of the attempt is added to it. a stays. */
Inquiry *inquiry_new(const Asker *a, const char *tag);
/* Ask this judge and no more than max_tokens a turn instead of what the settings say; system
 * message and examples are for the other one. */
void inquiry_redirect(Inquiry *q, Judge *j, int max_tokens);
/* The text of the next turn, to be filled. */
Buffer *inquiry_turn(Inquiry *q);
/* Asks for `wanted` answers (1 where there are two turns), each read into `width` numbers. */
void inquiry_begin(Inquiry *q, int wanted, int width, inquiry_read_fn *read, const void *ctx);
/* Instead of inquiry_begin: it cannot be asked; the reason is errors_last. */
void inquiry_fail(Inquiry *q);
/* Looks at it, asks on: true once it is done. Never waits. */
bool inquiry_done(Inquiry *q);
void inquiry_free(Inquiry *q); /* withdraws what is open; NULL is fine */

/* Of one that is done. n_read: answers that were read, at most wanted; n_unread: those that were
 * not, all attempts. text: all the judge's words of the conversation that ended in this answer. */
int inquiry_n_read(const Inquiry *q);
int inquiry_n_unread(const Inquiry *q);
const double *inquiry_values(const Inquiry *q, int answer); /* [width] */
Span inquiry_text(const Inquiry *q, int answer);
/* Everything it wrote, at most MOST_NOTE bytes. */
Span inquiry_note(const Inquiry *q);
/* Why nothing could be read; never SCORE_OK. */
ScoreStatus inquiry_failure(const Inquiry *q, const char **why);
/* The last failure was that what it wrote could not be read, not that it wrote nothing. */
bool inquiry_unreadable(const Inquiry *q);

/* The number that is the first group of the pattern's last match, and lies in [least, most]. whole:
 * an integer, written as one. */
bool inquiry_number(const Pattern *p, Span text, bool whole, double least, double most,
                    double *value);
/* A pattern that has a first group. NULL with the reason; key: the setting's. */
Pattern *inquiry_pattern(const char *key, const char *text);

/* Appends text to a note, with an empty line between, as far as MOST_NOTE allows. */
void note_add(Buffer *note, Span text);

#endif

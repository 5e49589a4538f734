/* Questions about two answers at a time: which pairs of a group are compared, in which order a
 * judge sees them, and what a sample's score is then. What rewards that judge pairwise share.
 *
 * A comparison is an answer of the judge that could be read; those that could not are left out and
 * counted in the note. A sample without any is an error; one that there was nobody to compare with
 * is not applicable.
 */
#ifndef REWARDSVC_JUDGE_MATCHES_H
#define REWARDSVC_JUDGE_MATCHES_H

#include "rewardsvc/judge_inquiry.h"
#include "rewardsvc/judge_prompt.h"

/* Rows that follow ASK_ROWS; the reward's own begin at N_MATCH. */
enum {
    MATCH_AGAINST = N_ASK,
    MATCH_OPPONENTS,
    MATCH_ANCHOR,
    MATCH_ORDER,
    MATCH_SHOWS,
    MATCH_SCORE,
    MATCH_TIE,
    N_MATCH
};

#define MATCH_ROWS                                                                                 \
    [MATCH_AGAINST] = {"against", SETTING_TEXT, .text = "all",                                     \
                       .help = "all: each pair of the group; random: `opponents` others, drawn "   \
                               "for each (a pair is asked once and counts for both); anchor: the " \
                               "answer in the record's field `anchor`"},                           \
    [MATCH_OPPONENTS] = {"opponents", SETTING_NUMBER, .number = 2,                                 \
                         .least = 1,  .most = 64,     .help = "with against: random"},             \
    [MATCH_ANCHOR] = {"anchor", SETTING_TEXT, .text = "anchor", .help = "with against: anchor"},   \
    [MATCH_ORDER] = {"order", SETTING_TEXT, .text = "both",                                        \
                     .help = "both: each pair is asked in both orders; random: in one that is "    \
                             "drawn"},                                                             \
    [MATCH_SHOWS] = {"shows", SETTING_TEXT, .text = "whole",                                       \
                     .help = "what {first} and {second} are, of an answer: " PLACE_HELP},          \
    [MATCH_SCORE] = {"score", SETTING_TEXT, .text = "share",                                       \
                     .help =                                                                       \
                         "share: of comparisons won; difference: the mean of the strengths by "    \
                         "which it was better; advantage: Think-RM's, for against: all, a "        \
                         "pair that could not be read being 0"},                                   \
    [MATCH_TIE] = {"tie",      SETTING_NUMBER, .number = 0.5,                                      \
                   .least = 0, .most = 1,      .help = "what a tie counts as in a share"}

/* How two answers are asked about: the templates [n_turns] with {first} and {second}, and how an
 * answer is read: by how much the first is better than the second, 0 a tie. All stay. */
typedef struct {
    const Asker *asker;
    int n_turns;
    const char *const *templates;
    inquiry_read_fn *read;
    const void *ctx;
} MatchPlan;

/* The settings and the templates: 0, or -1 with the reason. */
int match_check(const RewardValue *v, const char *const *templates, int n_turns);

typedef struct JudgeMatches JudgeMatches;
/* g stays until it is freed. */
JudgeMatches *matches_ask(const MatchPlan *p, const GroupEvidence *g, const bool *wanted);
bool matches_done(JudgeMatches *m); /* true once all is answered; never waits */
void matches_free(JudgeMatches *m); /* withdraws what is open; NULL is fine */
/* Of one that is done: as Reward.answered. */
void matches_score(const JudgeMatches *m, Score *scores, char **notes);

#endif

/* The pairs of a step that Cooper's verifier learns from: of each group a right answer, by the
 * rule, and a copy of it with a wrong final answer, by the rule as well. The copy is written by a
 * model, or has its final number replaced by a drawn one (cooper.h). A group without a right
 * answer, or whose copies the rule does not call wrong in so many tries, gives no pair. */
#ifndef REWARDSVC_COOPER_PAIRS_H
#define REWARDSVC_COOPER_PAIRS_H

#include <stdbool.h>
#include <stddef.h>

#include "rewardsvc/judge.h"
#include "rewardsvc/place.h"
#include "rewardsvc/reward.h"

typedef struct {
    const RewardComponent *rule; /* has `score`; its row in the groups' scores is `rule_row` */
    int rule_row;
    Judge *rewriter;      /* NULL: numbers are replaced */
    const char *template; /* what the rewriter is asked (judge_prompt.h), and its draws */
    const char *reference;
    double temperature;
    int max_tokens;
    const Place *where; /* where the number is that is replaced; the whole text if there is none */
    int tries;
    const char *label; /* of the component, for the tags of questions */
} CooperPairing;

typedef struct {
    const Evidence *right; /* NULL: the group gives no pair */
    char *wrong;           /* [n_wrong] NULL: neither */
    size_t n_wrong;
    int attempt; /* tries begun */
    JudgeQuestion *open;
    bool done;
} CooperPair;

typedef struct {
    const CooperPairing *s;
    int n;
    CooperPair *list; /* [n] a group each, in their order */
} CooperPairs;

/* Settings and groups [n] stay until cooper_pairs_free. */
void cooper_pairs_init(CooperPairs *p, const CooperPairing *s, const JudgedGroup *groups, int n);
/* Moves on whatever can be moved (the rewriter works elsewhere: judge_work); true once every group
 * has its pair or none. */
bool cooper_pairs_move(CooperPairs *p);
void cooper_pairs_free(CooperPairs *p);

#endif

/* Questions about each sample of a group by itself: the answer as a whole, its steps, the items of
 * a rubric. A sample has parts, a part is asked `votes` times. What rewards that judge pointwise
 * share; how votes and parts become a score is theirs.
 */
#ifndef REWARDSVC_JUDGE_PARTS_H
#define REWARDSVC_JUDGE_PARTS_H

#include "rewardsvc/judge_inquiry.h"
#include "rewardsvc/judge_prompt.h"

typedef struct JudgeParts JudgeParts;

/* Samples [n] stay until it is freed. */
JudgeParts *parts_new(const Asker *a, int n, const Evidence *samples);
void parts_free(JudgeParts *q); /* withdraws what is open; NULL is fine */

/* One part's question: the templates of its turns [n_turns], what stands in their places besides
 * the sample's texts, and how an answer is read (one number). name: part of the tag, "" for an
 * answer as a whole. ctx stays. */
typedef struct {
    const char *name;
    int n_turns;
    const char *const *templates;
    int n_places;
    const PromptPlace *places;
    inquiry_read_fn *read;
    const void *ctx;
} PartQuestion;
void parts_ask(JudgeParts *q, int sample, const PartQuestion *p);

/* True once all is answered. Never waits. */
bool parts_done(JudgeParts *q);

int parts_samples(const JudgeParts *q);
/* Of one that is done. */
int parts_count(const JudgeParts *q, int sample);
const Evidence *parts_evidence(const JudgeParts *q, int sample);
/* The votes of a part, lowest first, into votes [MOST_VOTES]; how many. */
int parts_votes(const JudgeParts *q, int sample, int part, double *votes);
/* Why a part has no votes: a score with that status; the reason goes to fail(). */
Score parts_failure(const JudgeParts *q, int sample, int part);
/* It has none because what the judge wrote, each time, could not be read. */
bool parts_unreadable(const JudgeParts *q, int sample, int part);
/* What the judge wrote about a sample; NULL if nothing. Caller frees. */
char *parts_note(const JudgeParts *q, int sample);

/* mean, median or majority (of equal shares the lower) of votes [n], lowest first. */
typedef double votes_combine_fn(const double *votes, int n);
votes_combine_fn *votes_combine(const char *word); /* NULL with the reason */
#define COMBINE_HELP "of several votes: mean, median or majority (of equal shares the lower)"

#endif

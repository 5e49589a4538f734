/* What MPO's meta judge may look at: samples of the updates since its last review, gathered on the
 * first reward rank. On the ring: filled by Reward.advance, kept in checkpoints.
 *
 * It holds at most `most` samples, and those are a uniform draw without replacement from all that
 * were added: every sample has a random key of its own, and the least keys stay. So it does not
 * depend on the order of adding, and while fewer than `most` were added it holds all. */
#ifndef REWARDSVC_MPO_BUFFER_H
#define REWARDSVC_MPO_BUFFER_H

#include "rewardsvc/reward.h"

enum { MPO_PROMPT_MOST = 4000, MPO_ANSWER_MOST = 8000, MPO_NOTE_MOST = 4000 }; /* bytes kept */

/* One judged sample. Texts are UTF-8, cut to the bounds above. */
typedef struct {
    int64_t key, group;
    int sample;
    double score;
    char *prompt, *answer, *note; /* note: what the judge wrote */
    json_t *record;               /* the problem's; an empty object if it is large */
} MpoSample;

typedef struct {
    int n, most;
    MpoSample *list; /* [n], keys ascending */
} MpoBuffer;

void mpo_buffer_init(MpoBuffer *b, int most);
void mpo_buffer_add(MpoBuffer *b, const Evidence *e, double score, const char *note);
void mpo_buffer_clear(MpoBuffer *b);
void mpo_buffer_free(MpoBuffer *b);

/* New reference. */
json_t *mpo_buffer_save(const MpoBuffer *b);
/* 0, or -1 with the reason; the buffer is empty then. */
int mpo_buffer_load(MpoBuffer *b, const json_t *saved);

/* The sample as a judge's template sees it (judge_prompt.h); borrows from s. */
Evidence mpo_sample_evidence(const MpoSample *s, uint64_t seed);

#endif

/* The versions of a rubric: the one in use and those before it, each with the step at which it
 * began. On the ring: part of MPO's state, in every checkpoint; what `troupe inspect` prints. */
#ifndef REWARDSVC_MPO_HISTORY_H
#define REWARDSVC_MPO_HISTORY_H

#include <jansson.h>
#include <stdint.h>

#include "rewardsvc/rubric.h"

enum { MPO_VERSIONS_MOST = 64, MPO_RUBRIC_MOST = 32768 };

typedef struct {
    int64_t version, step; /* step: the first that is judged by it */
    char *text;
    size_t n_text;
} MpoVersion;

/* The newest MPO_VERSIONS_MOST versions, oldest first; the last is in use. */
typedef struct {
    int n;
    MpoVersion list[MPO_VERSIONS_MOST]; /* [n] */
    Rubric rubric;                      /* of the last; its items are borrowed from the text */
} MpoHistory;

/* The rubric in a text that a (meta) judge wrote: inside the last <rubric></rubric> if it has such
 * tags, else all of it, trimmed. 0, or -1 with the reason: an opening tag without its end, too
 * long, NUL bytes, nothing that rubric_read takes. */
int mpo_rubric_find(Span text, Span *rubric);

/* Adds a version that begins at `step`: the number after the last one's, 0 for the first. The text
 * must be one that mpo_rubric_find gave. */
void mpo_history_add(MpoHistory *h, Span text, int64_t step);
const MpoVersion *mpo_history_last(const MpoHistory *h);
void mpo_history_free(MpoHistory *h);

/* [{"version", "step", "rubric"}, ...], new reference. */
json_t *mpo_history_save(const MpoHistory *h);
/* 0, or -1 with the reason; the history is empty then. */
int mpo_history_load(MpoHistory *h, const json_t *saved);

#endif

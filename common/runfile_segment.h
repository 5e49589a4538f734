/* rollouts/steps-FIRST-LAST.h5: the rollouts of a closed interval. runfile.h lists the datasets. */
#ifndef COMMON_RUNFILE_SEGMENT_H
#define COMMON_RUNFILE_SEGMENT_H

#include "common/sample.h"

typedef struct {
    int64_t *steps; /* [n] */
    Group *groups;  /* [n] */
    int n, capacity;
} Segment;

void segment_add(Segment *s, int64_t step, Group *g); /* takes g over, leaves it empty */
void segment_free(Segment *s);

/* Writes it (path must not exist), synced. 0 or -1. */
int segment_write(const Segment *s, const char *path, const char *run_id,
                  const char *const *components, int n_components);

/* Reads a whole segment: 0 or -1 with the reason. Times are read too. */
int segment_read(Segment *s, const char *path);

/* First and last step of a segment's file name; false: not a segment's. */
int segment_range(const char *name, int64_t *first, int64_t *last);

#endif

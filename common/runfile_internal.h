/* What the files of runfile share: runfile.c (the directory, metrics, summary), runfile_groups.c
 * (live log, comparison, segments), runfile_info.c (run.h5), runfile_lock.c, runfile_read.c. */
#ifndef COMMON_RUNFILE_INTERNAL_H
#define COMMON_RUNFILE_INTERNAL_H

#include "common/runfile.h"
#include "common/runfile_log.h"

struct RunFile {
    char *dir;
    int lock;
    char launch[24]; /* random hex */
    RunInfo info;    /* texts are owned */
    char **components;
    int live, metrics;  /* append only */
    LogReader previous; /* the log of the launch before, to compare with; fd -1: none */
    int64_t n_compared;
};

/* runfile.c */
char *run_path(const char *dir, const char *name);
/* Writes text to a file beside `name`, synced, and renames it. 0 or -1. */
int run_write_text(const char *dir, const char *name, const char *text, size_t n);
/* One write of a line at the end of fd. 0 or -1. */
int run_append(int fd, const char *name, const char *text, size_t n);

/* runfile_lock.c: takes the directory's lock; *died: the owner before did not close it. fd, or -1
 * with the owner named. */
int run_lock(const char *dir, const char *launch, bool *died);
void run_unlock(int fd);

/* runfile_info.c */
int run_info_write(const RunFile *r, int64_t last_step);

/* runfile_groups.c */
int run_groups_open(RunFile *r, int64_t resume_step);

/* runfile_read.c: names of the segments in step order; caller frees each and the array. */
int run_segments(const char *dir, char ***names);

#endif

/* Checkpoints: the whole system's state, either whole or absent (operations.md 3.4: written aside,
 * fsynced, CRCs in a manifest written last, renamed).
 *
 *   runs/<name>/checkpoints/step-000120/
 *     shard-000.h5   weights and the optimiser's moments, contiguous datasets
 *     state.h5       counters and texts
 *     in-flight.h5   judged groups of later steps (runfile.h's segments); where there are any
 *     MANIFEST       what lies where, with CRCs
 *
 * Both files open with h5py and h5dump: arrays are contiguous f32 datasets by their names, state.h5
 * has the texts state (JSON), config and service_state. checkpoint_manifest.h describes MANIFEST.
 */
#ifndef COMMON_CHECKPOINT_H
#define COMMON_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/kernelset.h"
#include "common/memory.h"
#include "common/runfile_segment.h"

/* One array of a checkpoint. */
typedef struct {
    const char *name; /* "weights/model.layers.0.mlp.up_proj.weight", "adam_m/...", ... */
    int n_dims;
    int64_t dims[4];
    float *data; /* save: read; load: written */
} CheckpointArray;

typedef struct {
    char run_id[40];
    int64_t sft_step, step; /* optimiser steps done in each stage */
    int64_t adam_step;      /* AdamW's own count in the present stage */
    KernelSet kernels;
    uint32_t config_hash, model_hash;
    double accuracy_before; /* NaN if not measured yet */
    double trained_s;       /* seconds of work of all launches so far */
    char *config_text;      /* caller frees after load */
    char *service_state;    /* JSON of rewards with state, "" now */
    /* save only, borrowed: groups in flight (NULL: none), and the names of their components */
    const Segment *in_flight;
    const char *const *components;
    int n_components;
} CheckpointState;

/* Writes checkpoints/step-NNNNNN (sft: sft-NNNNNN) under run_dir; keeps the newest `keep`, deletes
 * older ones by renaming first. -1: abandoned with the reason, older ones untouched, nothing left
 * behind. Local (rank 0). */
int checkpoint_save(const char *run_dir, const CheckpointState *s, const CheckpointArray *arrays,
                    int n, int keep);

/* Finds the newest checkpoint that is whole: manifest, file sizes and the CRC of every byte; says
 * of each refused one which file and why. path [at least 4096]. 0, or -1 if there is none (path is
 * then "", and it is not an error unless something was said). Removes leftovers of dead launches.
 */
int checkpoint_find(const char *run_dir, char *path, size_t size);

/* Reads the state only. */
int checkpoint_read_state(const char *path, CheckpointState *s);

/* Reads the groups that were in flight: none is fine. Caller frees. 0 or -1. */
int checkpoint_read_in_flight(const char *path, Segment *groups);

/* Reads the named arrays (others may be there); names, shapes and CRCs are checked before any data
 * is touched: -1 with the reason and data unchanged. The numbers are read at the manifest's
 * offsets, not by HDF5: its links, filters and external storage can do nothing here. */
int checkpoint_load(const char *path, const CheckpointArray *arrays, int n);

/* For `export` and `eval` of a run: names and shapes of what is there. Caller frees. */
int checkpoint_list(const char *path, CheckpointArray **arrays, int *n);

#endif

/* What `troupe doctor` finds: a state, a name and a sentence each. */
#ifndef LAUNCH_DOCTOR_H
#define LAUNCH_DOCTOR_H

/* ABSENT: not there, and training works without. WARNING: there, and something about it should be
 * changed. BROKEN: training cannot work. */
typedef enum { FINDING_OK, FINDING_ABSENT, FINDING_WARNING, FINDING_BROKEN } FindingState;

typedef struct {
    FindingState state;
    char *name, *text;
} Finding;

typedef struct {
    Finding *items; /* [n] */
    int n;
} Findings;

void findings_add(Findings *f, FindingState state, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void findings_free(Findings *f);

/* The machine: cores, memory, temporary folder, CPU and the kernels measured on it. Half a second.
 */
void doctor_machine(Findings *f);
/* The libraries and launchers: MPI, PMIx, Slurm, HDF5, oneDNN, CUDA. Starts nothing: not even MPI.
 */
void doctor_libraries(Findings *f);
/* Whether programs that a model wrote can be run in isolation, and which languages are there. Tries
 * it: 50 ms. */
void doctor_sandbox(Findings *f);
/* What results rest on, tried out: exact products, a decoder's gradient with one and two threads,
 * an HDF5 file in the temporary folder. */
void doctor_self_test(Findings *f);

const char *doctor_temporary(void); /* TMPDIR, or /tmp */

#endif

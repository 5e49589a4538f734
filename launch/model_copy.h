/* What `import` and `export` share: a model from wherever it is, into a Hugging Face folder or one
 * GGUF file, one tensor in memory at a time. */
#ifndef LAUNCH_MODEL_COPY_H
#define LAUNCH_MODEL_COPY_H

#include <stdbool.h>

typedef struct {
    const char *source, *destination;
    /* "f32", "f16", "bf16", "q8_0"; NULL: as the source has it, F32 where that is quantised */
    const char *dtype;
    bool tokenizer; /* false: the numbers alone */
    bool runs;      /* the source may be a run's folder or a checkpoint */
    bool gguf;      /* the destination may be a .gguf file */
    bool json;
} ModelCopy;

/* Parses the arguments of a verb (argp's texts) into c and copies. Returns the exit code. */
int model_copy_run(ModelCopy *c, const char *args_doc, const char *doc, int argc, char **argv);

#endif

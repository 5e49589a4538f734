/* A policy: a decoder and the tokenizer that speaks for it, opened together. */
#ifndef COMMON_POLICY_H
#define COMMON_POLICY_H

#include "common/config.h"
#include "common/model.h"
#include "common/scalar_head.h"
#include "common/tokenizer.h"

typedef struct {
    Model *model;
    Tokenizer *tok;
    KernelSet kernels;
} Policy;

/* path: a Hugging Face folder, a .gguf file, or a run directory (then the weights of its newest
 * whole checkpoint, or of its exported `model` folder). 0, or -1 with the reason. Local.
 * policy_close accepts an empty one. */
int policy_open(Policy *p, const char *path, const KernelSet *k, bool trainable);

/* The policy an experiment file asks for: model.path, or, where that is empty, a new decoder for
 * the task's alphabet with weights drawn from run.seed. 0 or -1. Local: the same bits on every
 * rank. */
int policy_from_config(Policy *p, const Config *c, const KernelSet *k, bool trainable);

/* Only what the above would load: description and tokenizer, no weights (`check`, `plan`). Caller
 * closes *tok if asked for (NULL: not wanted). */
int policy_describe(const Config *c, ModelDesc *d, Tokenizer **tok);

/* The same of what policy_open would load from path. */
int policy_describe_path(const char *path, ModelDesc *d, Tokenizer **tok);

/* A reward model and its head from a Hugging Face folder: not trainable. 0, or -1 with the reason
 * (anything else is at path). */
int policy_open_scalar(Policy *p, ScalarHead *head, const char *path, const KernelSet *k);
int policy_describe_scalar(const char *path, ModelDesc *d);

void policy_close(Policy *p);

/* What a checkpoint keeps as its config_text: the file's text, then each --set argument as a
 * comment line, so that the text alone says what the run was. Caller frees. */
char *policy_config_text(const Config *c);

/* The configuration and kernel set of the run at path (a run's folder with a whole checkpoint, or
 * one checkpoint). 0 and *c, *k filled (caller: config_free); 1 if path is nothing of the kind; -1
 * with the reason. */
int policy_run_config(const char *path, Config *c, KernelSet *k);

#endif

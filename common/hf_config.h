/* config.json of a Hugging Face model folder: to a ModelDesc and back. */
#ifndef COMMON_HF_CONFIG_H
#define COMMON_HF_CONFIG_H

#include "common/memory.h"
#include "common/tensors.h"

/* Reads text [n]; name stands in messages. Whatever would make the model compute otherwise than
 * here is refused by name. 0 or -1. */
int hf_config_parse(const char *name, const char *text, size_t n, ModelDesc *d);

/* The same of a reward model with a scalar head, *ForSequenceClassification with one label, which
 * hf_config_parse refuses, as this refuses all others. */
int hf_config_parse_scalar(const char *name, const char *text, size_t n, ModelDesc *d);

/* Appends the texts of config.json and generation_config.json. */
void hf_config_write(const ModelDesc *d, Dtype dtype, Buffer *config, Buffer *generation);

#endif

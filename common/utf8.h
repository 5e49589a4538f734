/* Text that may hold any bytes, made fit for JSON, terminals and tokenizers. */
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include <stdbool.h>

#include "common/memory.h"

/* Appends text [n] with every byte that is no part of UTF-8, and NUL if `nul`, as U+FFFD. */
void utf8_clean(const char *text, size_t n, bool nul, Buffer *out);

#endif

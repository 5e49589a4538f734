/* A Jinja template as a list of items in one form: see chat_template.c. Nothing is run. */
#ifndef COMMON_CHAT_JINJA_H
#define COMMON_CHAT_JINJA_H

#include <stdbool.h>

#include "common/memory.h"

typedef struct {
    char kind; /* '%' statement, '=' output, '"' literal text */
    bool dropped;
    char *text;
} Item;

typedef struct {
    Item *items;
    int n, capacity;
    bool bad; /* a tag or string that does not end */
} Items;

/* Reads a template with trim_blocks and lstrip_blocks, as transformers does. l must be empty. */
void jinja_read(const char *text, Items *l);
void jinja_free(Items *l);

void jinja_quote(const char *s, size_t n, Buffer *out); /* appends "s" with its escapes */
bool jinja_is_word(int c);                              /* may stand in a name */

#endif

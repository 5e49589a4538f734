/* Rows of JSON, one object a line, from a file or standard input: bounded, strict UTF-8, every
 * error with file:line:column. */
#ifndef COMMON_JSONL_H
#define COMMON_JSONL_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "common/memory.h"

enum { JSONL_LONGEST_LINE = 16 << 20 }; /* bytes; a longer line is refused, not read */

typedef struct {
    FILE *file;
    char *name;  /* for messages */
    Buffer line; /* the latest, without its end */
    long number; /* its number, from 1 */
} Jsonl;

/* "-" is standard input. 0, or -1 with the reason. */
int jsonl_open(Jsonl *j, const char *path);
void jsonl_close(Jsonl *j); /* an empty one is fine */

/* The next object in *row (caller: json_decref), blank lines skipped. 1, 0 at the end, or -1 with
 * "file:line:column: reason": not UTF-8, not JSON, not an object, a key twice, too long. After -1
 * for the content of a line (and not for a failing read) the next call goes on with the line after
 * it. */
int jsonl_next(Jsonl *j, json_t **row);

/* Logs "file:line: message" about the latest row; -1. */
int jsonl_fail(const Jsonl *j, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The text of a field of the row; a number is given as its JSON text. NULL with the error, which
 * names the line and the fields that are there. Caller frees. */
char *jsonl_text(const Jsonl *j, const json_t *row, const char *field);

#endif

/* Text that a model wrote, on a terminal: nothing of it may act there. */
#ifndef LAUNCH_TEXT_SHOW_H
#define LAUNCH_TEXT_SHOW_H

#include <stddef.h>
#include <stdio.h>

/* Writes text with control characters, invalid UTF-8 and characters that change the direction of
 * writing as \xNN or \uNNNN. A line feed begins a new line with `indent`, or is shown as \n if
 * indent is NULL. At most `most` characters, then " ... (N more bytes)". */
void text_show(FILE *out, const char *text, const char *indent, size_t most);

#endif

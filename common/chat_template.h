/* Which of the templates that we know by heart a model's Jinja text is. */
#ifndef COMMON_CHAT_TEMPLATE_H
#define COMMON_CHAT_TEMPLATE_H

#include <stdbool.h>

#include "common/tokenizer.h"

typedef struct {
    /* Qwen3: thoughts of earlier turns are left out, those of the turn in progress stay */
    bool thinking;
    /* what stands before messages that do not begin with a system message; NULL: nothing */
    char *default_system;
} ChatStyle;

/* 0, and *style is the caller's (chat_style_free); -1, silently, if the text is none that we know.
 */
int chat_template_recognise(const char *text, ChatStyle *style);
void chat_style_free(ChatStyle *style);

/* What chat_render does once the template is recognised. 0, or -1 with the reason (no messages, an
 * unknown role). */
int chat_render_style(const ChatStyle *style, const ChatMessage *messages, int n, Buffer *out);

/* The template in the form in which it is compared (see chat_template.c), appended to *out: for
 * tests. */
void chat_template_canonical(const char *text, Buffer *out);

#endif

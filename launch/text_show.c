/* See text_show.h. */
#include "launch/text_show.h"

#include <stdbool.h>
#include <string.h>
#include <utf8proc.h>

/* Controls (C0, C1, DEL), marks of direction, line and paragraph separators, tags, private and
 * unassigned code points. */
static bool harmless(utf8proc_int32_t c)
{
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return false;
    default:
        return true;
    }
}

void text_show(FILE *out, const char *text, const char *indent, size_t most)
{
    size_t n = strlen(text), at = 0;
    for (size_t shown = 0; at < n; shown++) {
        utf8proc_int32_t c;
        utf8proc_ssize_t bytes =
            utf8proc_iterate((const utf8proc_uint8_t *)text + at, (utf8proc_ssize_t)(n - at), &c);
        if (shown == most) {
            fprintf(out, " ... (%zu more bytes)", n - at);
            return;
        }
        if (bytes <= 0)
            bytes = fprintf(out, "\\x%02x", (unsigned char)text[at]) >
                    0; /* one byte that is no UTF-8 */
        else if (c == '\n' && indent)
            fprintf(out, "\n%s", indent);
        else if (c == '\n' || c == '\t')
            fputs(c == '\n' ? "\\n" : "\\t", out);
        else if (harmless(c))
            fwrite(text + at, 1, (size_t)bytes, out);
        else
            fprintf(out, c < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)c);
        at += bytes > 0 ? (size_t)bytes : 1;
    }
}

/* See utf8.h. */
#include "common/utf8.h"

#include <utf8proc.h>

void utf8_clean(const char *text, size_t n, bool nul, Buffer *out)
{
    const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)text, *end = p + n, *good = p;
    while (p < end) {
        utf8proc_int32_t code = -1;
        utf8proc_ssize_t k = *p < 0x80 ? 1 : utf8proc_iterate(p, end - p, &code);
        if (k > 0 && !(nul && !*p)) {
            p += k;
            continue;
        }
        buffer_add(out, good, (size_t)(p - good));
        buffer_text(out, "\xef\xbf\xbd");
        good = ++p;
    }
    buffer_add(out, good, (size_t)(p - good));
}

/* See rewards_state.h. A rubric is text that a model wrote: nothing of it may act. */
#include "launch/rewards_state.h"

#include "launch/text_show.h"

void rewards_shown_print(FILE *out, const char *component, const json_t *element)
{
    const size_t most = 4000;
    const char *key, *between = " ";
    json_t *v;
    text_show(out, component, NULL, 100);
    fputc(':', out);
    json_object_foreach((json_t *)element, key, v)
    {
        if (!json_is_number(v)) continue;
        fputs(between, out);
        text_show(out, key, NULL, 100);
        fprintf(out, " %.15g", json_number_value(v));
        between = ", ";
    }
    fputc('\n', out);
    json_object_foreach((json_t *)element, key, v)
    {
        if (!json_is_string(v)) continue;
        fputs("  ", out);
        text_show(out, key, NULL, 100);
        fputs("\n    ", out);
        text_show(out, json_string_value(v), "    ", most);
        fputc('\n', out);
    }
}

/* Instructions about the language of a text (instruction.h), as CLD2 sees it. The reference code
 * asks langdetect, and takes a text in which that finds nothing for followed; here such a text
 * follows nothing. */
#include <string.h>

#include "rewardsvc/instruction.h"
#include "rewardsvc/languages.h"

enum { READ_MAX = 65536 };

/* "zh-cn" of langdetect is CLD2's "zh", its "zh-tw" CLD2's "zh-Hant". */
static bool same_code(const char *code, Span wanted)
{
    if (span_same(wanted, span_of("zh-tw"))) wanted = span_of("zh-Hant");
    if (span_same(wanted, span_of("zh-cn"))) wanted = span_of("zh");
    return span_same(span_of(code), wanted);
}

static bool language(const Passage *p, const InstructionValue *v)
{
    LanguageShare shares[3];
    bool reliable;
    Buffer prose = {0};
    language_prose(p->text, READ_MAX, &prose);
    bool found =
        language_detect((Span){prose.data ? prose.data : "", prose.size}, shares, &reliable) > 0;
    buffer_free(&prose);
    return found && same_code(shares[0].code, v[0].text);
}

const InstructionKind instructions_language[] = {
    {"language",
     "language:response_language",
     "most of it is in the language (a code: de, hi, zh)",
     {{"language", NULL, PARAM_TEXT, NULL}},
     language},
    {NULL, NULL, NULL, {{0}}, NULL},
};

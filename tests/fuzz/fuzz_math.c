/* Answers from anyone against references from anyone: two texts with a newline between them, judged
 * under the rules that the first byte picks. Judging ends within its time, says the same twice,
 * never calls a text different from itself, and an answer's place lies in its text. */
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/math/math_equal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void check_places(Span text)
{
    for (int where = MATH_AUTO; where <= MATH_WHOLE; where++) {
        for (int strict = 0; strict < 2; strict++) {
            Span s = math_extract(text, (MathWhere)where, strict);
            REQUIRE(!s.p || (s.p >= text.p && s.n <= text.n && s.p + s.n <= text.p + text.n),
                    "a place outside the text");
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    MathRules rules = {data[0] & 1, data[0] & 2 ? 6 : 0, !(data[0] & 4)};
    char *text = mem_text_n((const char *)data + 1, size - 1);
    char *line = memchr(text, '\n', size - 1);
    Span a = {text, line ? (size_t)(line - text) : size - 1};
    Span b = line ? (Span){line + 1, size - 2 - a.n} : a;
    check_places(a);
    double began = now();
    MathVerdict one = math_equal(a, b, &rules);
    REQUIRE(now() - began < 1.5, "%.3f s for one pair", now() - began);
    REQUIRE(math_equal(a, b, &rules) == one, "another verdict the second time");
    /* "~" is a blank to the parser, so that this is decided by values and not by bytes */
    char *same = mem_printf("~%.*s", (int)a.n, text);
    rules.text = false;
    if (!memchr(text, 0, a.n))
        REQUIRE(math_equal(a, (Span){same, a.n + 1}, &rules) != MATH_DIFFERENT,
                "a value is not itself: %s", same);
    mem_free(same);
    mem_free(text);
    return 0;
}

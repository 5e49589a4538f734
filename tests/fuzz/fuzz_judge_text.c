/* What judges write, and answers as listeners hear them: every reading ends, what is read lies in
 * its range, and no part of a text is handed on that is not of it. */
#include <stdint.h>
#include <string.h>

#include "common/errors.h"
#include "common/utf8.h"
#include "rewardsvc/judge_inquiry.h"
#include "rewardsvc/judge_steps.h"
#include "rewardsvc/listening.h"
#include "rewardsvc/verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_steps(Span text, StepKind kind, int most)
{
    Span steps[MOST_STEPS];
    int n = steps_cut(text, kind, most, steps);
    REQUIRE(n >= 1 && n <= most, "%d steps of %d", n, most);
    for (int i = 0; i < n; i++) {
        REQUIRE(!steps[i].n || (steps[i].p >= text.p && steps[i].p + steps[i].n <= text.p + text.n),
                "step %d lies outside", i);
        REQUIRE(!i || steps[i].p >= steps[i - 1].p + steps[i - 1].n, "steps overlap at %d", i);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static Pattern *number, *verdict;
    if (!number) number = pattern_open("(?i)score\\s*:?\\s*\\**\\s*(-?\\d+(?:\\.\\d+)?)");
    if (!verdict) verdict = pattern_open("(?i)\\b(so|thus)\\b.{0,40}\\banswer");
    if (size < 1) return 0;
    errors_quiet(1);
    Buffer clean = {0}, heard = {0}, said = {0};
    double value = 0;
    buffer_text(&clean, "");
    utf8_clean((const char *)data + 1, size - 1, true, &clean);
    Span text = {clean.data, clean.size};
    if (inquiry_number(number, text, data[0] & 1, -3, 10, &value))
        REQUIRE(value >= -3 && value <= 10, "read %g", value);
    REQUIRE(verdict_tail(text, 2, 80) < 2 && verdict_ranking(text, "ranking", 2) < 2, "a verdict");
    check_steps(text, (StepKind)(data[0] % 4), 1 + data[0] % 7);
    if (!listening_text((Span){(const char *)data + 1, size - 1}, verdict, &heard)) {
        utf8_clean(heard.data, heard.size, false, &said);
        REQUIRE(said.size == heard.size, "heard what is not UTF-8");
    }
    errors_quiet(-1);
    buffer_free(&clean);
    buffer_free(&heard);
    buffer_free(&said);
    return 0;
}

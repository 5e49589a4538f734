/* A text from anyone under every kind of instruction. Each check ends; pieces of a text lie in it,
 * in order; its words, sentences and lines do not depend on being asked twice. */
#include <stdint.h>
#include <string.h>

#include "common/errors.h"
#include "rewardsvc/instruction.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Parameters for every kind: what is asked for does not matter. */
static json_t *some_params(const InstructionKind *k, const char *text)
{
    json_t *params = json_object();
    for (int i = 0; i < INSTRUCTION_PARAMS && k->params[i].name; i++) {
        const InstructionParam *p = &k->params[i];
        char letter[2] = {text[0], 0};
        json_t *v = p->kind == PARAM_COUNT      ? json_integer(text[0] & 3)
                    : p->kind == PARAM_RELATION ? json_string("exactly")
                    : p->kind == PARAM_LETTER   ? json_string(letter)
                    : p->kind == PARAM_TEXT     ? json_string(text)
                                                : json_pack("[s]", text);
        json_object_set_new(params, p->name, v);
    }
    return params;
}

static void check_kinds(const Passage *p, const char *text)
{
    const InstructionKind *k;
    for (int i = 0; (k = instruction_at(i)) != NULL; i++) {
        Instruction in;
        json_t *params = some_params(k, text);
        REQUIRE(instruction_read(&in, k, params, false) == 0, "%s: %s", k->name, errors_last());
        bool followed = instruction_followed(&in, p);
        REQUIRE(followed == instruction_followed(&in, p), "%s changes its mind", k->name);
        instruction_free(&in);
        json_decref(params);
    }
}

static void check_pieces(const Passage *p, bool (*next)(Span *rest, Span *piece))
{
    Span rest = p->text;
    const char *reached = p->text.p, *end = reached + p->text.n;
    for (Span piece; next(&rest, &piece); reached = piece.p + piece.n)
        REQUIRE(piece.p >= reached && piece.p + piece.n <= end, "a piece lies outside");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[5] = "a";
    Passage p;
    size_t n = 0;
    while (n < 4 && n < size && data[n] > ' ' && data[n] < 0x7F) text[n] = (char)data[n], n++;
    passage_init(&p, (Span){(const char *)data, size});
    errors_quiet(1);
    check_kinds(&p, text);
    errors_quiet(-1);
    check_pieces(&p, word_next);
    check_pieces(&p, compound_next);
    check_pieces(&p, sentence_next);
    check_pieces(&p, line_next);
    passage_free(&p);
    return 0;
}

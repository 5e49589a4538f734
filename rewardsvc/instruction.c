/* See instruction.h: finding a kind, reading its parameters. */
#include "rewardsvc/instruction.h"

#include <stdlib.h>
#include <string.h>

#include "common/errors.h"

static const InstructionKind *const tables[] = {instructions_words, instructions_sentences,
                                                instructions_layout, instructions_text,
                                                instructions_language};
enum { N_TABLES = sizeof tables / sizeof *tables };

const InstructionKind *instruction_at(int i)
{
    for (int t = 0; t < N_TABLES; t++)
        for (const InstructionKind *k = tables[t]; k->name; k++)
            if (i-- == 0) return k;
    return NULL;
}

const InstructionKind *instruction_find(const char *name)
{
    const InstructionKind *k;
    for (int i = 0; (k = instruction_at(i)) != NULL; i++)
        if (strcmp(k->name, name) == 0 || (k->published && strcmp(k->published, name) == 0))
            return k;
    return NULL;
}

bool relation_holds(long have, Relation r, long wanted)
{
    switch (r) {
    case AT_LEAST:
        return have >= wanted;
    case LESS_THAN:
        return have < wanted;
    case AT_MOST:
        return have <= wanted;
    case MORE_THAN:
        return have > wanted;
    case EXACTLY:
        return have == wanted;
    }
    return false;
}

/* ---- parameters ---- */

static int read_count(const json_t *v, InstructionValue *out)
{
    double x = json_is_number(v) ? json_number_value(v) : -1; /* 3.0 too: tables make floats */
    if (!(x >= 0 && x <= 1e9) || x != (double)(long)x) return fail("must be a whole number from 0");
    out->count = (long)x;
    return 0;
}

static int relation_of(const char *word, Relation *out)
{
    static const char *const words[] = {"at least", "less than", "at most", "more than", "exactly"};
    for (int i = 0; i < 5; i++) {
        if (strcmp(words[i], word) != 0) continue;
        *out = (Relation)i;
        return 0;
    }
    return fail("must be \"at least\", \"less than\", \"at most\", \"more than\" or \"exactly\"");
}

static Span text_of(const json_t *v)
{
    return json_is_string(v) ? text_strip((Span){json_string_value(v), json_string_length(v)})
                             : (Span){NULL, 0};
}

static int read_texts(const json_t *list, InstructionValue *out)
{
    size_t n = json_array_size(list), *ends;
    if (n == 0 || n > INSTRUCTION_TEXTS)
        return fail("must be a list of 1 to %d texts", INSTRUCTION_TEXTS);
    out->texts = NEW(Span, n);
    out->lowers = NEW(Span, n);
    out->n = (int)n;
    ends = NEW(size_t, n);
    int rc = 0;
    for (size_t i = 0; i < n; i++) {
        out->texts[i] = text_of(json_array_get(list, i));
        if (out->texts[i].n == 0) rc = -1;
        lower_add(&out->owned, out->texts[i]);
        ends[i] = out->owned.size;
    }
    for (size_t i = 0; i < n && rc == 0; i++) {
        size_t begin = i ? ends[i - 1] : 0;
        out->lowers[i] = (Span){out->owned.data + begin, ends[i] - begin};
    }
    mem_free(ends);
    return rc == 0 ? 0 : fail("must be a list of texts, none of them empty");
}

static int read_text(const json_t *v, bool letter, InstructionValue *out)
{
    out->text = text_of(v);
    Span rest = out->text;
    if (rest.n == 0) return fail("must be a text, not empty");
    char_take(&rest);
    if (letter && rest.n > 0) return fail("must be one character");
    lower_add(&out->owned, out->text);
    out->lower = (Span){out->owned.data, out->owned.size};
    return 0;
}

static int read_value(const InstructionParam *p, const json_t *v, InstructionValue *out)
{
    switch (p->kind) {
    case PARAM_COUNT:
        return read_count(v, out);
    case PARAM_RELATION:
        return json_is_string(v) ? relation_of(json_string_value(v), &out->relation)
                                 : fail("must be a text");
    case PARAM_TEXT:
    case PARAM_LETTER:
        return read_text(v, p->kind == PARAM_LETTER, out);
    case PARAM_TEXTS:
        return read_texts(v, out);
    }
    return -1;
}

static int fall_back(const InstructionParam *p, InstructionValue *out)
{
    if (!p->fallback) return fail("is missing");
    if (p->kind == PARAM_RELATION) return relation_of(p->fallback, &out->relation);
    out->count = strtol(p->fallback, NULL, 10);
    return 0;
}

static const char *name_of(const InstructionParam *p, bool published)
{
    return published && p->published ? p->published : p->name;
}

static bool is_param(const InstructionKind *k, const char *key, bool published)
{
    for (int i = 0; i < INSTRUCTION_PARAMS && k->params[i].name; i++)
        if (strcmp(name_of(&k->params[i], published), key) == 0) return true;
    return false;
}

static int check_keys(const InstructionKind *k, const json_t *params, bool published)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)params, key, value)
    {
        if (is_param(k, key, published) || (published && json_is_null(value)) ||
            (!published && strcmp(key, "kind") == 0))
            continue;
        return fail("instruction %s has no parameter \"%.60s\"", k->name, key);
    }
    return 0;
}

int instruction_read(Instruction *in, const InstructionKind *kind, const json_t *params,
                     bool published)
{
    *in = (Instruction){.kind = kind};
    if (check_keys(kind, params, published) != 0) return -1;
    for (int i = 0; i < INSTRUCTION_PARAMS && kind->params[i].name; i++) {
        const InstructionParam *p = &kind->params[i];
        const json_t *v = json_object_get(params, name_of(p, published));
        bool given = v && !json_is_null(v);
        if ((given ? read_value(p, v, &in->values[i]) : fall_back(p, &in->values[i])) == 0)
            continue;
        char *why = mem_text(errors_last());
        fail("instruction %s: \"%s\" %s", kind->name, name_of(p, published), why);
        mem_free(why);
        instruction_free(in);
        return -1;
    }
    return 0;
}

void instruction_free(Instruction *in)
{
    for (int i = 0; i < INSTRUCTION_PARAMS; i++) {
        buffer_free(&in->values[i].owned);
        mem_free(in->values[i].texts);
        mem_free(in->values[i].lowers);
    }
    *in = (Instruction){0};
}

bool instruction_followed(const Instruction *in, const Passage *p)
{
    return text_strip(p->text).n > 0 && in->kind->check(p, in->values);
}

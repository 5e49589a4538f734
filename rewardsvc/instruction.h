/* Verifiable instructions: what a prompt may ask that a program can check without understanding
 * the answer. A kind is a row of a table in one of the instruction_*.c files: name, the id it has
 * in published data, parameters, check function. Adding a kind is adding a row.
 *
 * Sources: the kinds with a published id are those of IFEval (Zhou et al. 2023,
 * "Instruction-Following Evaluation for Large Language Models"), to be checked as its reference
 * code does; the comments say where ours differs. The others are in the manner of IFBench (Pyatkin
 * et al. 2025) or ours. */
#ifndef REWARDSVC_INSTRUCTION_H
#define REWARDSVC_INSTRUCTION_H

#include <jansson.h>
#include <stdbool.h>

#include "rewardsvc/passage.h"

typedef enum { AT_LEAST, LESS_THAN, AT_MOST, MORE_THAN, EXACTLY } Relation;
bool relation_holds(long have, Relation r, long wanted);

typedef enum {
    PARAM_COUNT,    /* whole number >= 0 */
    PARAM_RELATION, /* "at least", "less than", "at most", "more than", "exactly" */
    PARAM_TEXT,     /* not empty; white space at the ends is taken away */
    PARAM_LETTER,   /* a text of one character */
    PARAM_TEXTS     /* a list of 1 to INSTRUCTION_TEXTS texts, not empty */
} ParamKind;

enum { INSTRUCTION_PARAMS = 4, INSTRUCTION_TEXTS = 64 };

typedef struct {
    const char *name;      /* NULL ends the list */
    const char *published; /* the parameter's name in published data, NULL: the same */
    ParamKind kind;
    const char *fallback; /* count or relation where it is not given; NULL: it must be */
} InstructionParam;

typedef struct {
    long count;
    Relation relation;
    Span text;            /* as given */
    Span lower;           /* in lower case */
    int n;                /* PARAM_TEXTS */
    Span *texts, *lowers; /* [n] */
    Buffer owned;         /* of lower and lowers */
} InstructionValue;

typedef struct {
    const char *name, *published; /* published: NULL if there is none */
    const char *help;             /* parameters in words, for people */
    InstructionParam params[INSTRUCTION_PARAMS];
    /* Is the instruction followed? v in the order of params. Linear in the passage, but for texts
     * given: times their number. */
    bool (*check)(const Passage *p, const InstructionValue *v);
} InstructionKind;

const InstructionKind *instruction_find(const char *name); /* by either name; NULL: none */
const InstructionKind *instruction_at(int i); /* all of them in turn; NULL at the end */

/* Parameters that many kinds have. */
#define RELATION(published, fallback)                                                              \
    {                                                                                              \
        "relation", published, PARAM_RELATION, fallback                                            \
    }
#define COUNT(published, fallback)                                                                 \
    {                                                                                              \
        "count", published, PARAM_COUNT, fallback                                                  \
    }

/* The tables, each ending with a row whose name is NULL. */
extern const InstructionKind instructions_words[], instructions_sentences[], instructions_layout[],
    instructions_text[], instructions_language[];

/* One instruction with its parameters. Borrows the JSON. */
typedef struct {
    const InstructionKind *kind;
    InstructionValue values[INSTRUCTION_PARAMS];
} Instruction;

/* Reads the parameters from an object; "kind" in it is passed over. published: names are those of
 * published data, and null stands for "not given". 0, or -1 with the reason: one is missing, of the
 * wrong kind, or not known. */
int instruction_read(Instruction *in, const InstructionKind *kind, const json_t *params,
                     bool published);
void instruction_free(Instruction *in);
/* An empty text follows nothing. */
bool instruction_followed(const Instruction *in, const Passage *p);

#endif

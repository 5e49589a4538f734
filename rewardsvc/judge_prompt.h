/* What a judge is asked: a template of the configuration, with the sample's texts in its places.
 *
 *   {prompt} {answer}   the problem as the policy was asked it, chat template and instruction
 *                       included; its whole answer
 *   {question}          the record's field "question", the problem alone; without one {prompt}.
 *                       A small judge does what an instruction says that is meant for the policy
 *   {think} {final}     of the answer: inside <think></think>; what follows </think>, or all
 *   {reference}         the record's field "answer", or the one that the setting `reference` names
 *   {record.NAME}       another field of the record
 *   {mark}              8 hexadecimal digits that nobody who writes answers can know: what stands
 *                       between two marks is text to be judged, whatever it pretends to be. They
 *                       are drawn from (run seed, group)
 *   {{ and }}           braces
 */
#ifndef REWARDSVC_JUDGE_PROMPT_H
#define REWARDSVC_JUDGE_PROMPT_H

#include "common/memory.h"
#include "rewardsvc/reward.h"

/* More places than the above, and their texts. */
typedef struct {
    const char *name;
    const char *text;
    size_t n;
} PromptPlace;

/* 0, or -1 with the reason: a brace that closes nothing, an unknown place. more [n] may have NULL
 * texts here. */
int judge_prompt_check(const char *template, const PromptPlace *more, int n);
/* Appends the filled template. -1 with the reason: the record lacks a field that it names. */
int judge_prompt_fill(const char *template, const Evidence *e, const char *reference_field,
                      const PromptPlace *more, int n, Buffer *out);

#endif

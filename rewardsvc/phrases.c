/* See phrases.h. A phrase is the stretch of text from its first word to its last, so the table of
 * words serves for phrases as well. */
#include "rewardsvc/phrases.h"

#include <math.h>
#include <stdlib.h>

#include "common/memory.h"
#include "rewardsvc/words.h"

PhraseRules phrases_rules(void)
{
    return (PhraseRules){.order = 3, .times = 10, .correlation = 0.5};
}

/* Of each phrase of the new answers, by its number. */
typedef struct {
    int last;        /* the last answer that was seen to have it, + 1 */
    double n, proxy; /* answers that have it; the sum of their rewards */
    double n_old;
} Count;

typedef struct {
    Vocabulary phrases;
    Count *counts;
    int capacity;
} Table;

static Count *count_at(Table *t, int number)
{
    if (number >= t->capacity) {
        int more = t->capacity ? 2 * t->capacity : 1024;
        while (number >= more) more *= 2;
        t->counts = mem_resize(t->counts, (size_t)t->capacity, (size_t)more, sizeof *t->counts);
        for (int i = t->capacity; i < more; i++) t->counts[i] = (Count){0};
        t->capacity = more;
    }
    return &t->counts[number];
}

static Span phrase_at(const Words *w, int i, int order)
{
    const Span *first = &w->list[i], *last = &w->list[i + order - 1];
    return (Span){first->p, (size_t)(last->p + last->n - first->p)};
}

static void count_new(Table *t, Span text, int answer, double proxy, int order)
{
    Words w = {0};
    words_of_letters(text, &w);
    for (int i = 0; i + order <= w.n; i++) {
        Count *c = count_at(t, vocabulary_add(&t->phrases, phrase_at(&w, i, order)));
        if (c->last == answer + 1) continue;
        c->last = answer + 1;
        c->n++;
        c->proxy += proxy;
    }
    words_free(&w);
}

static void count_old(Table *t, Span text, int mark, int order)
{
    Words w = {0};
    words_of_letters(text, &w);
    for (int i = 0; i + order <= w.n; i++) {
        int number = vocabulary_find(&t->phrases, phrase_at(&w, i, order));
        if (number < 0 || t->counts[number].last == mark) continue;
        t->counts[number].last = mark;
        t->counts[number].n_old++;
    }
    words_free(&w);
}

static int by_correlation(const void *a, const void *b)
{
    const Phrase *x = a, *y = b;
    if (x->correlation != y->correlation) return x->correlation < y->correlation ? 1 : -1;
    if (x->after != y->after) return x->after < y->after ? 1 : -1;
    return (x->text.p > y->text.p) - (x->text.p < y->text.p);
}

/* Pearson's, of a 0 or 1 with the reward. */
static double correlation_of(const Count *c, double n, double mean, double std)
{
    double p = c->n / n;
    return p < 1 && std > 0 ? (c->proxy / n - p * mean) / (sqrt(p * (1 - p)) * std) : 0;
}

static int select_rising(const Table *t, int n_old, int n_new, const double *proxy,
                         const PhraseRules *rules, Phrase *list)
{
    double mean = 0, squares = 0;
    int kept = 0;
    for (int i = 0; i < n_new; i++) mean += proxy[i] / n_new;
    for (int i = 0; i < n_new; i++) squares += (proxy[i] - mean) * (proxy[i] - mean);
    for (int k = 0; k < t->phrases.n; k++) {
        const Count *c = &t->counts[k];
        Phrase p = {.text = t->phrases.words[k],
                    .before = c->n_old / n_old,
                    .after = c->n / n_new,
                    .correlation = correlation_of(c, n_new, mean, sqrt(squares / n_new))};
        if (p.after >= rules->times * fmax(p.before, 1.0 / n_old) &&
            p.correlation > rules->correlation)
            list[kept++] = p;
    }
    return kept;
}

int phrases_rising(const Span *old, int n_old, const Span *new_answers, const double *proxy,
                   int n_new, const PhraseRules *rules, Phrase *out, int most)
{
    Table t = {0};
    if (n_old < 1 || n_new < 1) return 0;
    for (int i = 0; i < n_new; i++) count_new(&t, new_answers[i], i, proxy[i], rules->order);
    for (int i = 0; i < n_old; i++) count_old(&t, old[i], n_new + 1 + i, rules->order);
    Phrase *list = NEW(Phrase, t.phrases.n + 1);
    int kept = select_rising(&t, n_old, n_new, proxy, rules, list);
    qsort(list, (size_t)kept, sizeof *list, by_correlation);
    if (kept > most) kept = most;
    for (int i = 0; i < kept; i++) out[i] = list[i];
    mem_free(list);
    mem_free(t.counts);
    vocabulary_free(&t.phrases);
    return kept;
}

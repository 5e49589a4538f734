/* See judge_matches.h. */
#include "rewardsvc/judge_matches.h"

#include <string.h>

#include "common/errors.h"
#include "rewardsvc/pairs.h"
#include "rewardsvc/place.h"
#include "rewardsvc/votes.h"

enum { ANCHOR = -1 };

typedef struct {
    int first, second; /* as shown; ANCHOR: the record's */
    Inquiry *inquiry;
} Match;

struct JudgeMatches {
    MatchPlan plan;
    const Place *place;
    const GroupEvidence *g;
    bool *wanted; /* [g->n] */
    int n, capacity;
    Match *list; /* [n] */
};

static bool is(const JudgeMatches *m, int row, const char *word)
{
    return !strcmp(m->plan.asker->values[row].text, word);
}

static int check_word(const char *key, const char *word, const char *const *words, int n)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(word, words[i])) return 0;
    return fail("%s is %s, %s%s%s, not %s", key, words[0], words[1], n > 2 ? " or " : "",
                n > 2 ? words[2] : "", word);
}

int match_check(const RewardValue *v, const char *const *templates, int n_turns)
{
    static const PromptPlace places[] = {{"first", NULL, 0}, {"second", NULL, 0}};
    if (check_word("against", v[MATCH_AGAINST].text,
                   (const char *const[]){"all", "random", "anchor"}, 3) ||
        check_word("order", v[MATCH_ORDER].text, (const char *const[]){"both", "random"}, 2) ||
        check_word("score", v[MATCH_SCORE].text,
                   (const char *const[]){"share", "difference", "advantage"}, 3) ||
        !place_find(v[MATCH_SHOWS].text))
        return -1;
    if (!strcmp(v[MATCH_SCORE].text, "advantage") && strcmp(v[MATCH_AGAINST].text, "all"))
        return fail("score: advantage is for against: all");
    for (int t = 0; t < n_turns; t++)
        if (judge_prompt_check(templates[t], places, 2)) return -1;
    return 0;
}

/* ---- asking ---------------------------------------------------------------------------------- */

static int sample_of(const JudgeMatches *m, int i)
{
    return i == ANCHOR ? ANCHOR : m->g->samples[i].sample;
}

/* What the judge sees of one. False: the record has no anchor. */
static bool text_of(const JudgeMatches *m, int i, const Evidence *e, Span *out)
{
    if (i != ANCHOR) {
        *out = m->place->take((Span){m->g->samples[i].text, m->g->samples[i].n_text});
        return true;
    }
    const char *field = m->plan.asker->values[MATCH_ANCHOR].text;
    const json_t *anchor = json_object_get(e->record, field);
    if (!json_is_string(anchor)) {
        fail("the problem's record has no text \"%s\" to compare with", field);
        return false;
    }
    *out = (Span){json_string_value(anchor), json_string_length(anchor)};
    return true;
}

static Inquiry *begin(const JudgeMatches *m, int first, int second, int vote, int wanted)
{
    const MatchPlan *p = &m->plan;
    const Evidence *e = &m->g->samples[first == ANCHOR ? second : first];
    Span a = {"", 0}, b = {"", 0};
    char *tag = mem_printf("g%lld/s%d-%d/%s%s%.0d", (long long)e->group, sample_of(m, first),
                           sample_of(m, second), p->asker->label, vote ? "/v" : "", vote);
    Inquiry *q = inquiry_new(p->asker, tag);
    bool can = text_of(m, first, e, &a) && text_of(m, second, e, &b);
    const PromptPlace places[] = {{"first", a.p, a.n}, {"second", b.p, b.n}};
    for (int t = 0; t < p->n_turns && can; t++)
        can = !judge_prompt_fill(p->templates[t], e, p->asker->values[ASK_REFERENCE].text, places,
                                 2, inquiry_turn(q));
    if (can)
        inquiry_begin(q, wanted, 1, p->read, p->ctx);
    else
        inquiry_fail(q);
    mem_free(tag);
    return q;
}

static void add(JudgeMatches *m, int first, int second)
{
    int votes = (int)m->plan.asker->values[ASK_VOTES].number;
    bool one_by_one = m->plan.n_turns > 1;
    for (int k = 0; k < (one_by_one ? votes : 1); k++) {
        if (m->n == m->capacity) {
            int capacity = 2 * m->capacity + 8;
            m->list = mem_resize(m->list, (size_t)m->capacity, (size_t)capacity, sizeof *m->list);
            m->capacity = capacity;
        }
        m->list[m->n++] =
            (Match){first, second, begin(m, first, second, k, one_by_one ? 1 : votes)};
    }
}

/* Which of the two is shown first is drawn for (seed, group, the two samples). */
static void compare(JudgeMatches *m, int i, int j)
{
    const Evidence *e = &m->g->samples[i];
    int order[2];
    const int stride = 1 << 15; /* beyond the numbers of votes, which draw orders too */
    votes_order(e->seed, e->group, (e->sample + 1) * stride + sample_of(m, j) + 1, 2, order);
    bool both = is(m, MATCH_ORDER, "both");
    if (both || !order[0]) add(m, i, j);
    if (both || order[0]) add(m, j, i);
}

/* The others that each has drawn; a pair is drawn if either has drawn the other. */
static void draw(const JudgeMatches *m, const int *who, int n, bool *drawn)
{
    int k = (int)m->plan.asker->values[MATCH_OPPONENTS].number, *order = NEW(int, n);
    for (int a = 0; a < n; a++) {
        const Evidence *e = &m->g->samples[who[a]];
        votes_order(e->seed, e->group, -1 - e->sample, n, order);
        for (int p = 0, left = k; p < n && left; p++) {
            if (order[p] == a) continue;
            drawn[a * n + order[p]] = drawn[order[p] * n + a] = true;
            left--;
        }
    }
    mem_free(order);
}

JudgeMatches *matches_ask(const MatchPlan *p, const GroupEvidence *g, const bool *wanted)
{
    JudgeMatches *m = NEW(JudgeMatches, 1);
    int *who = NEW(int, g->n), n = 0;
    *m = (JudgeMatches){.plan = *p, .g = g, .wanted = NEW(bool, g->n)};
    m->place = place_find(p->asker->values[MATCH_SHOWS].text);
    for (int i = 0; i < g->n; i++)
        if ((m->wanted[i] = wanted[i])) who[n++] = i;
    bool *drawn = NEW(bool, n *n + 1), all = is(m, MATCH_AGAINST, "all");
    if (is(m, MATCH_AGAINST, "random")) draw(m, who, n, drawn);
    for (int a = 0; a < n; a++) {
        if (is(m, MATCH_AGAINST, "anchor")) compare(m, who[a], ANCHOR);
        for (int b = a + 1; b < n; b++)
            if (all || drawn[a * n + b]) compare(m, who[a], who[b]);
    }
    mem_free(drawn);
    mem_free(who);
    return m;
}

bool matches_done(JudgeMatches *m)
{
    bool all = true;
    for (int k = 0; k < m->n; k++) all &= inquiry_done(m->list[k].inquiry);
    return all;
}

void matches_free(JudgeMatches *m)
{
    if (!m) return;
    for (int k = 0; k < m->n; k++) inquiry_free(m->list[k].inquiry);
    mem_free(m->list);
    mem_free(m->wanted);
    mem_free(m);
}

/* ---- scores ---------------------------------------------------------------------------------- */

/* What the comparisons of one sample add up to. */
typedef struct {
    int asked, read, unread;
    double won, better_by; /* sums over those that were read */
    ScoreStatus failed;
    const char *why;
    Buffer note;
} Tally;

static void count(const JudgeMatches *m, const Match *x, int sample, Tally *t)
{
    bool first = x->first == sample;
    int other = first ? x->second : x->first;
    t->asked++;
    t->unread += inquiry_n_unread(x->inquiry);
    for (int k = 0; k < inquiry_n_read(x->inquiry); k++) {
        double d = *inquiry_values(x->inquiry, k) * (first ? 1 : -1);
        t->read++;
        t->better_by += d;
        t->won += d > 0 ? 1 : d < 0 ? 0 : m->plan.asker->values[MATCH_TIE].number;
    }
    if (!inquiry_n_read(x->inquiry)) t->failed = inquiry_failure(x->inquiry, &t->why);
    char *head = other == ANCHOR ? mem_printf("[%s the anchor]", first ? "before" : "after")
                                 : mem_printf("[%s sample %d]", first ? "before" : "after",
                                              m->g->samples[other].sample);
    note_add(&t->note, span_of(head));
    note_add(&t->note, inquiry_note(x->inquiry));
    mem_free(head);
}

static Score score_of(const JudgeMatches *m, const Tally *t, double advantage)
{
    if (!t->asked) return score_failed(SCORE_NOT_APPLICABLE);
    if (!t->read) {
        fail("%s%s", t->unread ? "no comparison could be read; the last: " : "", t->why);
        return score_failed(t->failed);
    }
    if (is(m, MATCH_SCORE, "advantage")) return score_ok(advantage);
    return score_ok((is(m, MATCH_SCORE, "share") ? t->won : t->better_by) / t->read);
}

/* A [g->n] of the samples that are wanted. */
static void advantages(const JudgeMatches *m, double *A)
{
    int *at = NEW(int, m->g->n), n = 0;
    for (int i = 0; i < m->g->n; i++) at[i] = m->wanted[i] ? n++ : -1;
    if (n < 2) {
        mem_free(at);
        return;
    }
    Pairs p;
    double *d = NEW(double, n *n), *found = NEW(double, n);
    pairs_init(&p, n);
    for (int k = 0; k < m->n; k++)
        for (int v = 0; v < inquiry_n_read(m->list[k].inquiry); v++)
            pairs_add(&p, at[m->list[k].first], at[m->list[k].second],
                      *inquiry_values(m->list[k].inquiry, v));
    pairs_differences(&p, d);
    pairs_advantage(d, n, found);
    for (int i = 0; i < m->g->n; i++)
        if (at[i] >= 0) A[i] = found[at[i]];
    pairs_free(&p);
    mem_free(found);
    mem_free(d);
    mem_free(at);
}

void matches_score(const JudgeMatches *m, Score *scores, char **notes)
{
    double *A = NEW(double, m->g->n);
    if (is(m, MATCH_SCORE, "advantage")) advantages(m, A);
    for (int i = 0; i < m->g->n; i++) {
        Tally t = {.failed = SCORE_ERROR, .why = ""};
        if (!m->wanted[i]) continue;
        for (int k = 0; k < m->n; k++)
            if (m->list[k].first == i || m->list[k].second == i) count(m, &m->list[k], i, &t);
        scores[i] = score_of(m, &t, A[i]);
        if (!t.note.size) continue;
        notes[i] = mem_printf("%d of %d comparisons could not be read\n\n%s", t.unread,
                              t.read + t.unread, t.note.data);
        buffer_free(&t.note);
    }
    mem_free(A);
}

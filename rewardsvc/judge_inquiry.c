/* See judge_inquiry.h. */
#include "rewardsvc/judge_inquiry.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"

/* ---- how to ask ------------------------------------------------------------------------------ */

/* What stands in *rest before the next line that is `mark`; *rest is what follows it, {NULL, 0} if
 * there is no such line. */
static Span take_until(Span *rest, const char *mark)
{
    Span all = *rest;
    for (Span left = all; left.n;) {
        Span line = span_line(left);
        size_t taken = line.n < left.n ? line.n + 1 : line.n;
        Span word = span_trim(line);
        Span after = {left.p + taken, left.n - taken};
        if (word.n == strlen(mark) && !memcmp(word.p, mark, word.n)) {
            *rest = after;
            return span_trim((Span){all.p, (size_t)(left.p - all.p)});
        }
        left = after;
    }
    *rest = (Span){NULL, 0};
    return span_trim(all);
}

static int read_examples(Asker *a, const char *text)
{
    Span rest = span_trim(span_of(text));
    a->examples = NEW(JudgeMessage, MOST_EXAMPLES);
    for (int k = 1; rest.n; k++) {
        Span answer = take_until(&rest, "==="), question = take_until(&answer, "---");
        answer = answer.p ? span_trim(answer) : answer;
        if (!question.n || !answer.n)
            return fail("examples: the %d. has no question or no answer; a line --- stands between "
                        "the two, a line === between two examples",
                        k);
        if (a->n_examples + 2 > MOST_EXAMPLES)
            return fail("examples: at most %d", MOST_EXAMPLES / 2);
        a->examples[a->n_examples++] = (JudgeMessage){"user", question.p, question.n};
        a->examples[a->n_examples++] = (JudgeMessage){"assistant", answer.p, answer.n};
    }
    return 0;
}

int asker_open(Asker *a, const RewardValue *v, bool distinct_votes)
{
    if (v[ASK_VOTES].number > 1 && v[ASK_TEMPERATURE].number == 0 && !distinct_votes)
        return fail("%g votes at temperature 0 are the same vote", v[ASK_VOTES].number);
    return read_examples(a, v[ASK_EXAMPLES].text);
}

Judge *asker_find(Judges *judges, const char *name)
{
    Judge *j = judges_find(judges, name);
    if (j)
        judge_want(j);
    else
        fail("the `judges:` block has no model called %s; add {name: %s, model: PATH}", name, name);
    return j;
}

int asker_bind(Asker *a, Judges *judges, const char *label, const RewardValue *v)
{
    a->values = v;
    snprintf(a->label, sizeof a->label, "%s", label);
    a->judge = asker_find(judges, v[ASK_JUDGE].text);
    return a->judge ? 0 : -1;
}

void asker_free(Asker *a)
{
    mem_free(a->examples);
    *a = (Asker){0};
}

/* ---- asking ---------------------------------------------------------------------------------- */

struct Inquiry {
    const Asker *asker;
    Judge *judge;
    bool redirected;
    char *tag;
    int max_tokens;
    int n_turns, turn;               /* turn: the one that is asked */
    Buffer turns[MOST_TURNS], reply; /* reply: to the first of two */
    int wanted, width, n_read, n_unread;
    double *values; /* [wanted, width] */
    Buffer *texts;  /* [wanted] */
    inquiry_read_fn *read;
    const void *ctx;
    JudgeQuestion *open; /* NULL: nothing is asked at the moment */
    int n_asked, attempt;
    ScoreStatus failed; /* of the last answer that could not be read */
    bool unreadable;    /* it was: what the judge wrote */
    char *why;
    Buffer note;
    bool done;
};

Inquiry *inquiry_new(const Asker *a, const char *tag)
{
    Inquiry *q = NEW(Inquiry, 1);
    q->asker = a, q->judge = a->judge, q->tag = mem_text(tag);
    q->max_tokens = (int)a->values[ASK_MAX_TOKENS].number;
    q->failed = SCORE_ERROR;
    return q;
}

void inquiry_redirect(Inquiry *q, Judge *j, int max_tokens)
{
    q->judge = j, q->max_tokens = max_tokens, q->redirected = true;
}

Buffer *inquiry_turn(Inquiry *q)
{
    REQUIRE(q->n_turns < MOST_TURNS && !q->wanted, "a turn too many");
    Buffer *b = &q->turns[q->n_turns++];
    buffer_text(b, "");
    return b;
}

static void add_message(JudgeMessage *list, int *n, const char *role, Span text)
{
    list[(*n)++] = (JudgeMessage){role, text.p, text.n};
}

static void ask(Inquiry *q)
{
    const RewardValue *v = q->asker->values;
    JudgeMessage list[1 + MOST_EXAMPLES + 2 * MOST_TURNS];
    int n = 0;
    bool own = !q->redirected;
    if (own && *v[ASK_SYSTEM].text) add_message(list, &n, "system", span_of(v[ASK_SYSTEM].text));
    for (int i = 0; own && i < q->asker->n_examples; i++) list[n++] = q->asker->examples[i];
    for (int t = 0; t <= q->turn; t++) {
        if (t) add_message(list, &n, "assistant", (Span){q->reply.data, q->reply.size});
        add_message(list, &n, "user", (Span){q->turns[t].data, q->turns[t].size});
    }
    char *tag = q->n_turns > 1 ? mem_printf("%s/%d/turn%d", q->tag, q->attempt, q->turn + 1)
                               : mem_printf("%s/%d", q->tag, q->attempt);
    q->n_asked = q->wanted - q->n_read;
    q->open = judge_ask(q->judge, &(JudgeRequest){.n_messages = n,
                                                  .messages = list,
                                                  .n = q->n_asked,
                                                  .temperature = v[ASK_TEMPERATURE].number,
                                                  .top_p = v[ASK_TOP_P].number,
                                                  .max_tokens = q->max_tokens,
                                                  .tag = tag});
    mem_free(tag);
}

void inquiry_begin(Inquiry *q, int wanted, int width, inquiry_read_fn *read, const void *ctx)
{
    REQUIRE(q->n_turns && wanted >= 1 && (q->n_turns == 1 || wanted == 1), "%d turns, %d answers",
            q->n_turns, wanted);
    q->wanted = wanted, q->width = width, q->read = read, q->ctx = ctx;
    q->values = NEW(double, wanted *width);
    q->texts = NEW(Buffer, wanted);
    ask(q);
}

static void set_failure(Inquiry *q, ScoreStatus status, bool unreadable, char *why)
{
    q->unreadable = unreadable;
    q->failed = status;
    mem_free(q->why);
    q->why = why;
}

void inquiry_fail(Inquiry *q)
{
    set_failure(q, SCORE_ERROR, false, mem_text(errors_last()));
    q->done = true;
}

/* ---- reading --------------------------------------------------------------------------------- */

void note_add(Buffer *note, Span text)
{
    static const char gap[] = "\n\n";
    if (note->size + sizeof gap >= MOST_NOTE) return;
    if (note->size) buffer_text(note, gap);
    size_t room = MOST_NOTE - note->size;
    buffer_add(note, text.p, text.n < room ? text.n : room);
}

static void take_text(Inquiry *q, const JudgeAnswer *a)
{
    Buffer *b = &q->texts[q->n_read];
    b->size = 0;
    if (q->turn) {
        buffer_add(b, q->reply.data, q->reply.size);
        buffer_text(b, "\n\n");
    }
    buffer_add(b, a->text, a->n_text);
}

/* One answer of the last turn. */
static void take_answer(Inquiry *q, const JudgeAnswer *a)
{
    if (q->read(q->ctx, (Span){a->text, a->n_text}, q->values + q->n_read * q->width)) {
        take_text(q, a);
        q->n_read++;
        return;
    }
    q->n_unread++;
    set_failure(q, SCORE_ERROR, true,
                mem_printf("no score could be read from what the judge wrote%s: \"%.80s\"",
                           a->cut ? " (cut at max_tokens)" : "", a->text));
}

static void take_failure(Inquiry *q, const JudgeAnswer *a)
{
    bool said = a->reason && *a->reason;
    q->n_unread++;
    set_failure(q, a->status, false,
                mem_printf("the judge gave no answer (%s)%s%s", score_status_name(a->status),
                           said ? ": " : "", said ? a->reason : ""));
}

/* False: nothing has come yet. */
static bool take(Inquiry *q)
{
    JudgeAnswer answers[MOST_VOTES];
    if (!judge_answered(q->open, answers)) return false;
    bool last = q->turn + 1 == q->n_turns, going = false;
    q->open = NULL;
    for (int k = 0; k < q->n_asked; k++) {
        JudgeAnswer *a = &answers[k];
        if (a->status == SCORE_OK) note_add(&q->note, (Span){a->text, a->n_text});
        if (a->status != SCORE_OK) {
            take_failure(q, a);
        } else if (last) {
            take_answer(q, a);
        } else {
            q->reply.size = 0;
            buffer_add(&q->reply, a->text, a->n_text);
            going = true;
        }
        judge_answer_free(a);
    }
    q->turn = going ? q->turn + 1 : 0;
    q->attempt += !going;
    return true;
}

bool inquiry_done(Inquiry *q)
{
    const RewardValue *v = q->asker->values;
    while (!q->done) {
        if (q->open && !take(q)) return false;
        bool again = v[ASK_TEMPERATURE].number > 0 && q->attempt <= (int)v[ASK_RETRIES].number;
        if (q->n_read < q->wanted && (q->turn || again))
            ask(q);
        else
            q->done = true;
    }
    return true;
}

void inquiry_free(Inquiry *q)
{
    if (!q) return;
    if (q->open) judge_withdraw(q->open);
    for (int t = 0; t < MOST_TURNS; t++) buffer_free(&q->turns[t]);
    for (int k = 0; k < q->wanted; k++) buffer_free(&q->texts[k]);
    buffer_free(&q->reply);
    buffer_free(&q->note);
    void *owned[] = {q->tag, q->values, q->texts, q->why, q};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) mem_free(owned[i]);
}

/* ---- what came of it ------------------------------------------------------------------------- */

int inquiry_n_read(const Inquiry *q)
{
    return q->n_read;
}

int inquiry_n_unread(const Inquiry *q)
{
    return q->n_unread;
}

const double *inquiry_values(const Inquiry *q, int answer)
{
    return q->values + answer * q->width;
}

Span inquiry_text(const Inquiry *q, int answer)
{
    return (Span){q->texts[answer].data, q->texts[answer].size};
}

Span inquiry_note(const Inquiry *q)
{
    return (Span){q->note.data, q->note.size};
}

ScoreStatus inquiry_failure(const Inquiry *q, const char **why)
{
    *why = q->why ? q->why : "the judge gave no score";
    return q->failed;
}

bool inquiry_unreadable(const Inquiry *q)
{
    return q->unreadable;
}

bool inquiry_number(const Pattern *p, Span text, bool whole, double least, double most,
                    double *value)
{
    Span groups[2];
    char number[64], *end;
    if (pattern_find(p, text, true, groups, 2) != 1) return false;
    Span s = groups[1];
    if (!s.p || !s.n || s.n >= sizeof number) return false;
    memcpy(number, s.p, s.n);
    number[s.n] = 0;
    if (strspn(number, whole ? "+-0123456789" : "+-.0123456789eE") != s.n) return false;
    *value = strtod(number, &end);
    return end == number + s.n && *value >= least && *value <= most;
}

Pattern *inquiry_pattern(const char *key, const char *text)
{
    Pattern *p = pattern_open(text);
    if (!p || pattern_groups(p) >= 1) return p;
    pattern_close(p);
    fail("%s: the pattern has no group (...) around the score", key);
    return NULL;
}

/* Rows of a file. Held-out rows are a second file, or every 10th of the first by the hash of its
 * prompt, so that the same question never lies on both sides; with two files, training rows whose
 * prompt is also held out are left out. The same file twice is one that is only evaluated. A row's
 * demonstration is its field task.demo_field, else its reference answer. The record is the row with
 * "answer" holding the reference answer as text. */
#include <stdlib.h>
#include <string.h>

#include "common/errors.h"
#include "common/jsonl.h"
#include "common/sample.h"
#include "common/task.h"

enum { SIDES = 10, MOST_ERRORS = 20 };

typedef struct {
    char *prompt, *record, *demo;
} Row;

typedef struct {
    int64_t n, room;
    Row *rows;
} Rows;

struct TaskState {
    Rows train, heldout;
};

static void row_free(Row *r)
{
    mem_free(r->prompt);
    mem_free(r->record);
    mem_free(r->demo);
    *r = (Row){0};
}

static void rows_free(Rows *r)
{
    for (int64_t i = 0; i < r->n; i++) row_free(&r->rows[i]);
    mem_free(r->rows);
    *r = (Rows){0};
}

static void rows_add(Rows *r, Row row)
{
    if (r->n == r->room) {
        r->room = r->room ? 2 * r->room : 256;
        r->rows = mem_resize(r->rows, (size_t)r->n, (size_t)r->room, sizeof *r->rows);
    }
    r->rows[r->n++] = row;
}

static int read_row(const Jsonl *j, json_t *json, const TaskSettings *s, Row *out)
{
    bool has_demo = s->demo_field && *s->demo_field;
    char *answer = NULL;
    int rc = -1;
    *out = (Row){.prompt = jsonl_text(j, json, s->prompt_field)};
    if (out->prompt) answer = jsonl_text(j, json, s->answer_field);
    if (!answer) goto done;
    if (!*out->prompt) {
        jsonl_fail(j, "field \"%.60s\" is empty", s->prompt_field);
        goto done;
    }
    out->demo = has_demo ? jsonl_text(j, json, s->demo_field) : mem_text(answer);
    if (!out->demo) goto done;
    json_object_set_new(json, "answer", json_string(answer));
    char *dump = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(17));
    if (!dump) die(EXIT_UNABLE, "out of memory");
    out->record = mem_text(dump);
    free(dump);
    rc = 0;
done:
    if (rc) row_free(out);
    mem_free(answer);
    return rc;
}

static int read_rows(const char *path, const TaskSettings *s, Rows *out)
{
    Jsonl j;
    json_t *json;
    int more, errors = 0;
    if (jsonl_open(&j, path)) return -1;
    while ((more = jsonl_next(&j, &json)) && errors < MOST_ERRORS) {
        Row row;
        if (more < 0 || read_row(&j, json, s, &row))
            errors++;
        else
            rows_add(out, row);
        json_decref(json);
        if (ferror(j.file)) break;
    }
    if (errors >= MOST_ERRORS) fail("%s: too many errors, the rest was not read", path);
    if (!errors && !out->n) errors -= fail("%s: no rows", path);
    jsonl_close(&j);
    return errors ? -1 : 0;
}

static uint32_t prompt_hash(const Row *r)
{
    return crc32c(0, r->prompt, strlen(r->prompt));
}

static void split_by_hash(Rows *all, Rows *heldout)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < all->n; i++) {
        if (prompt_hash(&all->rows[i]) % SIDES == 0)
            rows_add(heldout, all->rows[i]);
        else
            all->rows[kept++] = all->rows[i];
    }
    all->n = kept;
}

static int by_prompt(const void *a, const void *b)
{
    const Row *const *x = a, *const *y = b;
    return strcmp((*x)->prompt, (*y)->prompt);
}

static void drop_heldout(Rows *train, const Rows *heldout)
{
    const Row **sorted = NEW(const Row *, heldout->n);
    int64_t kept = 0;
    for (int64_t i = 0; i < heldout->n; i++) sorted[i] = &heldout->rows[i];
    qsort(sorted, (size_t)heldout->n, sizeof *sorted, by_prompt);
    for (int64_t i = 0; i < train->n; i++) {
        const Row *row = &train->rows[i];
        if (bsearch(&row, sorted, (size_t)heldout->n, sizeof *sorted, by_prompt))
            row_free(&train->rows[i]);
        else
            train->rows[kept++] = train->rows[i];
    }
    train->n = kept;
    mem_free(sorted);
}

static void close(TaskState *t)
{
    if (!t) return;
    rows_free(&t->train);
    rows_free(&t->heldout);
    mem_free(t);
}

static TaskState *open(const TaskSettings *s)
{
    TaskState *t = NEW(TaskState, 1);
    bool two_files = s->heldout && *s->heldout;
    int rc = read_rows(s->train, s, &t->train);
    if (two_files && read_rows(s->heldout, s, &t->heldout)) rc = -1;
    if (!rc && two_files) drop_heldout(&t->train, &t->heldout);
    if (!rc && !two_files) split_by_hash(&t->train, &t->heldout);
    bool only_evaluated = two_files && !strcmp(s->train, s->heldout);
    if (!rc && !t->train.n && !only_evaluated)
        rc = fail("%s: every row is held out, none is left to train on", s->train);
    if (!rc) return t;
    close(t);
    return NULL;
}

static const Rows *side(const TaskState *t, Split split)
{
    return split == SPLIT_HELDOUT ? &t->heldout : &t->train;
}

static int64_t count(const TaskState *t, Split split)
{
    return side(t, split)->n;
}

static void problem(const TaskState *t, Split split, int64_t i, Problem *out)
{
    REQUIRE(i >= 0 && i < count(t, split), "row %lld of split %d", (long long)i, split);
    const Row *r = &side(t, split)->rows[i];
    *out = (Problem){.prompt = mem_text(r->prompt), .record = mem_text(r->record)};
    if (split == SPLIT_DEMO) out->demo = mem_text(r->demo);
}

const Task task_jsonl = {
    .name = "jsonl",
    .help = "rows of the file task.train, asked by task.prompt_field, right by task.answer_field",
    .alphabet = NULL,
    .open = open,
    .close = close,
    .count = count,
    .problem = problem,
};

/* See program_run.h. */
#include "rewardsvc/program_run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/errors.h"
#include "common/filemap.h"
#include "common/memory.h"

/* Tests of one program that run at the same time, where all of them are run; the order in which
 * they end decides nothing but a used-up budget. */
enum { WINDOW = 4, COMPILED_KB = 16 << 10 };

static const char judge_source[] = {
#include "program_judge.inc"
    0};

typedef struct {
    int test;
    uint64_t ticket; /* 0: free */
} Running;

struct ProgramRun {
    const ProgramSettings *set;
    const json_t *record;
    Buffer source, binary;
    ProgramTests tests;
    ProgramVerdict *verdicts; /* [tests.n] */
    Running running[WINDOW];
    uint64_t compiling;
    int next; /* test to begin */
    double spent_s;
    bool ready, done;
    ScoreStatus status;
    char why[200], compiler[128];
};

static void end_without_verdict(ProgramRun *p, ScoreStatus status, const char *why)
{
    p->status = status;
    p->done = true;
    snprintf(p->why, sizeof p->why, "%s", why);
}

static const char *record_text(const ProgramRun *p, const char *field)
{
    const char *text = *field ? json_string_value(json_object_get(p->record, field)) : NULL;
    return text ? text : "";
}

/* ---- compiling ------------------------------------------------------------------------------- */

static void begin_compiler(ProgramRun *p)
{
    const ProgramSettings *set = p->set;
    const SandboxFile file = {"program.c", p->source.data, p->source.size, false};
    const char *argv[] = {"sh", "-c",
                          "\"$0\" -std=gnu11 -O1 -w -o program program.c -lm && cat program",
                          set->program, NULL};
    p->compiling = sandbox_begin(
        &(SandboxRun){.argv = argv,
                      .files = &file,
                      .n_files = 1,
                      .limits = {set->compile_s, 2 * set->compile_s + 1, 1024, 64, COMPILED_KB, 32},
                      .allow_unsandboxed = set->allow_unsandboxed});
}

static void take_compiler(ProgramRun *p, SandboxResult *r)
{
    bool good = r->outcome == SANDBOX_EXITED && r->code == 0 && r->n_out > 0;
    p->ready = good;
    p->done = !good; /* every test stays not run: a program that does not compile has failed */
    if (good)
        buffer_add(&p->binary, r->out, r->n_out);
    else {
        char text[64];
        Span line = span_line((Span){r->err, r->n_err});
        snprintf(p->compiler, sizeof p->compiler, "%s",
                 line.n ? printable_text(text, line.p, line.n) : sandbox_outcome_name(r->outcome));
    }
}

/* ---- running --------------------------------------------------------------------------------- */

static uint64_t begin_run(const ProgramRun *p, const char *const *argv, const SandboxFile *file,
                          const char *input, size_t n_input)
{
    return sandbox_begin(&(SandboxRun){.argv = argv,
                                       .files = file,
                                       .n_files = file ? 1 : 0,
                                       .input = input,
                                       .n_input = n_input,
                                       .limits = p->set->limits,
                                       .allow_unsandboxed = p->set->allow_unsandboxed});
}

static uint64_t begin_pair(const ProgramRun *p, const ProgramTest *t)
{
    if (p->set->language == LANGUAGE_C)
        return begin_run(p, (const char *[]){"./program", NULL},
                         &(SandboxFile){"program", p->binary.data, p->binary.size, true}, t->input,
                         t->n_input);
    return begin_run(p, (const char *[]){p->set->program, "-I", "-B", "program.py", NULL},
                     &(SandboxFile){"program.py", p->source.data, p->source.size, false}, t->input,
                     t->n_input);
}

/* The judge gets program and tests on its standard input: they lie in no file. 0: the program is
 * not even text. */
static uint64_t begin_assertions(const ProgramRun *p, const ProgramTest *t)
{
    json_t *program = json_stringn(p->source.data, p->source.size);
    uint64_t ticket = 0;
    if (!program) return 0;
    json_t *job = json_pack("{s:o, s:s, s:s#, s:s}", "program", program, "setup",
                            record_text(p, p->set->setup), "test", t->want, (int)t->n_want, "entry",
                            record_text(p, p->set->entry));
    char *text = job ? json_dumps(job, JSON_COMPACT) : NULL;
    if (text)
        ticket =
            begin_run(p, (const char *[]){p->set->program, "-I", "-B", "-c", judge_source, NULL},
                      NULL, text, strlen(text));
    free(text);
    json_decref(job);
    return ticket;
}

static ProgramVerdict judge_assertions(ProgramRun *p, const SandboxResult *r)
{
    if (r->outcome != SANDBOX_EXITED || r->code != 0) return VERDICT_CRASHED;
    if (!strcmp(r->out, "pass\n")) return VERDICT_PASSED;
    if (!strncmp(r->out, "error ", 6)) end_without_verdict(p, SCORE_ERROR, r->out + 6);
    if (!strncmp(r->out, "fail Late", 9)) return VERDICT_TIMEOUT;
    return strncmp(r->out, "fail AssertionError", 19) ? VERDICT_CRASHED : VERDICT_WRONG;
}

static ProgramVerdict judge_run(ProgramRun *p, const ProgramTest *t, const SandboxResult *r)
{
    if (r->outcome == SANDBOX_TIMEOUT) return VERDICT_TIMEOUT;
    if (r->outcome == SANDBOX_FLOOD) return VERDICT_FLOOD;
    if (t->asserts) return judge_assertions(p, r);
    if (r->outcome != SANDBOX_EXITED || r->code != 0) return VERDICT_CRASHED;
    bool right = program_output_equals(p->set->comparison, r->out, r->n_out, t->want, t->n_want);
    return right ? VERDICT_PASSED : VERDICT_WRONG;
}

/* Our machinery's failures: no word about the program. An executable that we made of the model's
 * text and that cannot be started is the model's. */
static bool is_ours(ProgramRun *p, const SandboxResult *r, bool models_own)
{
    char why[200];
    if (r->outcome == SANDBOX_REFUSED)
        end_without_verdict(p, SCORE_REFUSED, r->why);
    else if (r->outcome == SANDBOX_BROKEN)
        end_without_verdict(p, SCORE_ERROR, r->why);
    else if (r->outcome == SANDBOX_NOT_STARTED && !models_own) {
        snprintf(why, sizeof why, "%s cannot be started: %s", p->set->program, strerror(r->code));
        end_without_verdict(p, SCORE_ERROR, why);
    } else
        return false;
    return true;
}

/* ---- turns ----------------------------------------------------------------------------------- */

static void take_test(ProgramRun *p, Running *r, const SandboxResult *result)
{
    const ProgramTest *t = &p->tests.items[r->test];
    r->ticket = 0;
    p->spent_s += result->wall_s;
    if (is_ours(p, result, p->set->language == LANGUAGE_C)) return;
    p->verdicts[r->test] = judge_run(p, t, result);
    if (p->set->all && p->verdicts[r->test] != VERDICT_PASSED) p->done = true;
}

static void begin_test(ProgramRun *p, Running *r)
{
    const ProgramTest *t = &p->tests.items[p->next];
    r->test = p->next++;
    r->ticket = t->asserts ? begin_assertions(p, t) : begin_pair(p, t);
    if (r->ticket) return;
    p->verdicts[r->test] = VERDICT_CRASHED; /* no program of Python is other than text */
    if (p->set->all) p->done = true;
}

static bool may_begin(const ProgramRun *p)
{
    return !p->done && p->next < p->tests.n && p->spent_s < p->set->budget_s;
}

static void work_on_tests(ProgramRun *p)
{
    int window = p->set->all ? 1 : WINDOW, busy = 0;
    SandboxResult result;
    for (int i = 0; i < window && !p->done; i++) {
        Running *r = &p->running[i];
        if (r->ticket && sandbox_poll(r->ticket, &result)) {
            take_test(p, r, &result);
            sandbox_result_free(&result);
        }
        if (!r->ticket && may_begin(p)) begin_test(p, r);
        busy += r->ticket != 0;
    }
    if (!busy && !may_begin(p)) p->done = true;
}

bool program_work(ProgramRun *p)
{
    SandboxResult result;
    if (!p->done && p->compiling && sandbox_poll(p->compiling, &result)) {
        p->compiling = 0;
        if (!is_ours(p, &result, false)) take_compiler(p, &result);
        sandbox_result_free(&result);
    }
    if (!p->done && p->ready) work_on_tests(p);
    return p->done;
}

/* ---- begin and end --------------------------------------------------------------------------- */

ProgramRun *program_begin(const ProgramSettings *set, Span source, const json_t *record)
{
    ProgramRun *p = NEW(ProgramRun, 1);
    p->set = set;
    p->record = record;
    p->status = SCORE_OK;
    buffer_add(&p->source, source.p, source.n);
    if (program_tests_read(&p->tests, record, set->field, set->most_tests)) {
        end_without_verdict(p, SCORE_ERROR, errors_last());
        return p;
    }
    p->verdicts = NEW(ProgramVerdict, p->tests.n);
    for (int i = 0; i < p->tests.n; i++) {
        p->verdicts[i] = VERDICT_NOT_RUN;
        if (p->tests.items[i].asserts && set->language == LANGUAGE_C)
            end_without_verdict(
                p, SCORE_ERROR,
                "tests that assert are for Python: C is judged by input and output");
    }
    p->ready = set->language == LANGUAGE_PYTHON;
    if (!p->done && !p->ready) begin_compiler(p);
    return p;
}

ScoreStatus program_outcome(const ProgramRun *p, const ProgramVerdict **verdicts, int *n_tests,
                            const char **why)
{
    REQUIRE(p->done, "the tests still run");
    *verdicts = p->verdicts;
    *n_tests = p->tests.n;
    *why = p->why;
    return p->status;
}

char *program_note(const ProgramRun *p)
{
    static const char letters[] = "PWCTF-";
    Buffer text = {0};
    int passed = 0;
    if (p->status != SCORE_OK) return mem_text(p->why);
    for (int i = 0; i < p->tests.n; i++) passed += p->verdicts[i] == VERDICT_PASSED;
    buffer_printf(&text, "%d of %d tests passed: ", passed, p->tests.n);
    for (int i = 0; i < p->tests.n; i++) buffer_add(&text, &letters[p->verdicts[i]], 1);
    if (*p->compiler) buffer_printf(&text, "; it does not compile: %s", p->compiler);
    return text.data;
}

void program_free(ProgramRun *p)
{
    if (!p) return;
    if (p->compiling) sandbox_cancel(p->compiling);
    for (int i = 0; i < WINDOW; i++)
        if (p->running[i].ticket) sandbox_cancel(p->running[i].ticket);
    buffer_free(&p->source);
    buffer_free(&p->binary);
    program_tests_free(&p->tests);
    mem_free(p->verdicts);
    mem_free(p);
}

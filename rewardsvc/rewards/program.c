/* A program that the model wrote, against the problem's tests: the share that passes, or all or
 * nothing. The program is the last fenced block of its language; it runs in the sandbox
 * (common/sandbox.h), once a test (program_run.h; program_tests.h says how tests are written).
 *
 * What a program does is judged: no block, no syntax, a wrong answer, a crash, a loop without end
 * are scores of 0, ok. Only what says nothing about the program has another status: error where our
 * helper failed or the problem has no usable tests, refused where nothing isolates programs here.
 * A judge by its contract, since it takes seconds: set `deadline_s` above budget_s times the
 * group's size over the cores. */
#include <math.h>
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "common/sandbox.h"
#include "rewardsvc/fence.h"
#include "rewardsvc/program_run.h"
#include "rewardsvc/reward.h"

enum {
    LANGUAGE,
    VALUE,
    TESTS,
    MOST,
    COMPARE,
    TIME,
    MEMORY,
    PROCESSES,
    OUTPUT,
    BUDGET,
    COMPILE,
    FENCED,
    BEFORE,
    ENTRY,
    SETUP,
    PROGRAM,
    SHOW,
    PARALLEL,
    UNSANDBOXED,
};

static const RewardSetting settings[] = {
    {"language", SETTING_TEXT, .text = "python", .help = "python or c"},
    {"value", SETTING_TEXT, .text = "share",
     .help = "share: passed tests over all; all: 1 if every test passes, else 0 (stops at the "
             "first that fails)"},
    {"tests", SETTING_TEXT, .text = "tests",
     .help = "field with the tests: [{stdin, stdout}], {inputs, outputs}, a list of assertions "
             "(MBPP), or code with check(candidate) (HumanEval); assertions are Python only"},
    {"most_tests", SETTING_NUMBER, .number = 100, .least = 1, .most = 10000,
     .help = "of a problem: the first ones"},
    {"compare", SETTING_TEXT, .text = "lines",
     .help = "lines: white space at line ends does not count; tokens: only words count; exact"},
    {"time_s", SETTING_NUMBER, .number = 5, .least = 1, .most = 3600,
     .help =
         "CPU seconds of a test, in whole seconds; by the clock it has twice that and one more"},
    {"memory_mb", SETTING_NUMBER, .number = 1024, .least = 16, .most = 1048576,
     .help = "address space of each process of a test"},
    {"processes", SETTING_NUMBER, .number = 32, .least = 1, .most = 1000,
     .help = "and threads, of a test"},
    {"output_kb", SETTING_NUMBER, .number = 1024, .least = 1, .most = 65536,
     .help = "what a test may print"},
    {"budget_s", SETTING_NUMBER, .number = 20, .least = 1, .most = 86400,
     .help = "seconds by the clock for all tests of a sample: those that would begin later fail"},
    {"compile_s", SETTING_NUMBER, .number = 10, .least = 1, .most = 3600,
     .help = "c: CPU seconds for the compiler"},
    {"fenced", SETTING_BOOL, .number = 1, .help = "false: a text without a block is the program"},
    {"before", SETTING_TEXT, .text = "",
     .help = "field whose text is put before the program (HumanEval: prompt); none: nothing"},
    {"entry", SETTING_TEXT, .text = "entry_point",
     .help = "field that names the function for check(candidate), where there is one"},
    {"setup", SETTING_TEXT, .text = "test_setup_code",
     .help = "field with code that is run after the program and before assertions, if it is there"},
    {"program", SETTING_TEXT, .text = "",
     .help = "interpreter or compiler, a name in /usr or an absolute path; empty: python3, cc"},
    {"show", SETTING_TEXT, .text = "",
     .help =
         "absolute paths of more folders that programs may read, between colons (they see /usr, "
         "and the installation of `program`)"},
    {"parallel", SETTING_NUMBER, .number = 0, .least = 0, .most = 64,
     .help = "programs that run at the same time; 0: one a core"},
    {"allow_unsandboxed", SETTING_BOOL, .number = 0,
     .help = "true: where the machine gives no namespaces, run programs with this user's rights"},
    {0},
};

typedef struct Question Question;
typedef struct {
    ProgramSettings set;
    const char *before, *show, *const *tags;
    int parallel;
    bool fenced, opened;
    Question *questions; /* all that are open */
} State;

struct Question {
    Question *next;
    int n;
    ProgramRun **runs; /* [n]; NULL: not wanted, or without a program */
    bool *wanted;      /* [n] */
    char *refused;     /* why nothing is run */
};

/* ---- settings -------------------------------------------------------------------------------- */

static const char *const python_tags[] = {"", "python", "python3", "py", NULL};
static const char *const c_tags[] = {"", "c", "C", NULL};

static int word_of(const char *key, const char *text, const char *const *words, int *index)
{
    for (*index = 0; words[*index]; ++*index)
        if (!strcmp(words[*index], text)) return 0;
    return fail("%s: %s is not %s or %s", key, text, words[0], words[1]);
}

static int open_program(const RewardValue *v, void **state)
{
    static const char *const languages[] = {"python", "c", NULL},
                             *const values[] = {"share", "all", NULL},
                             *const compares[] = {"lines", "tokens", "exact", NULL};
    int language, value, compare;
    if (word_of("language", v[LANGUAGE].text, languages, &language) ||
        word_of("value", v[VALUE].text, values, &value) ||
        word_of("compare", v[COMPARE].text, compares, &compare))
        return -1;
    const char *program = v[PROGRAM].text;
    if (*program && *program != '/' && strchr(program, '/'))
        return fail("program: %s is neither a name nor an absolute path", program);
    State *s = NEW(State, 1);
    double time_s = ceil(v[TIME].number);
    s->set = (ProgramSettings){.language = (ProgramLanguage)language,
                               .program = *program                 ? program
                                          : language == LANGUAGE_C ? "cc"
                                                                   : "python3",
                               .limits = {time_s, 2 * time_s + 1, (int64_t)v[MEMORY].number, 64,
                                          (int64_t)v[OUTPUT].number, (int)v[PROCESSES].number},
                               .compile_s = v[COMPILE].number,
                               .budget_s = v[BUDGET].number,
                               .all = value == 1,
                               .comparison = (Comparison)compare,
                               .field = v[TESTS].text,
                               .entry = v[ENTRY].text,
                               .setup = v[SETUP].text,
                               .most_tests = (int)v[MOST].number,
                               .allow_unsandboxed = v[UNSANDBOXED].flag};
    s->fenced = v[FENCED].flag;
    s->before = v[BEFORE].text;
    s->show = v[SHOW].text;
    s->tags = language == LANGUAGE_C ? c_tags : python_tags;
    s->parallel = (int)v[PARALLEL].number;
    *state = s;
    return 0;
}

static void close_program(void *state)
{
    mem_free(state);
}

/* Does the interpreter or compiler run? Where it does not, every score would be an error. */
static int try_program(const State *s)
{
    SandboxResult r;
    sandbox_run(&(SandboxRun){.argv = (const char *[]){s->set.program, "--version", NULL},
                              .limits = {10, 20, 1024, 64, 1024, 32},
                              .allow_unsandboxed = s->set.allow_unsandboxed},
                &r);
    bool good = r.outcome == SANDBOX_EXITED && r.code == 0;
    SandboxOutcome outcome = r.outcome;
    sandbox_result_free(&r);
    if (good) return 0;
    return fail("%s does not run in the sandbox (%s): install it, or name another one with "
                "`program:`",
                s->set.program, sandbox_outcome_name(outcome));
}

static int open_sandbox(State *s)
{
    if (s->opened) return 0;
    const char *program = *s->set.program == '/' ? s->set.program : NULL;
    SandboxOptions o = {s->set.allow_unsandboxed, s->parallel, program, s->show};
    if (sandbox_open(&o) || try_program(s)) return -1;
    s->opened = true;
    return 0;
}

static int prepare(const RewardValue *v, void *state)
{
    (void)v;
    return open_sandbox(state);
}

/* ---- questions ------------------------------------------------------------------------------- */

static bool has_tag(const State *s, Span info)
{
    Span word = {info.p, 0};
    while (word.n < info.n && !strchr(" \t{,", word.p[word.n])) word.n++;
    for (int i = 0; s->tags[i]; i++)
        if (word.n == strlen(s->tags[i]) && !memcmp(word.p, s->tags[i], word.n)) return true;
    return false;
}

/* The last block of the language, or of none that is named. */
static Span find_program(const State *s, const Evidence *e)
{
    Span rest = {e->text, e->n_text}, last = {NULL, 0}, info;
    for (Span block; (block = fence_next(&rest, &info)).p;)
        if (has_tag(s, info)) last = block;
    return last.p || s->fenced ? last : (Span){e->text, e->n_text};
}

static ProgramRun *begin(const State *s, const Evidence *e, Span program)
{
    const char *before =
        *s->before ? json_string_value(json_object_get(e->record, s->before)) : NULL;
    Buffer source = {0};
    if (before) buffer_printf(&source, "%s\n", before);
    buffer_add(&source, program.p, program.n);
    ProgramRun *run = program_begin(&s->set, (Span){source.data, source.size}, e->record);
    buffer_free(&source);
    return run;
}

static void *ask(const RewardValue *v, void *state, const GroupEvidence *g, const bool *wanted)
{
    State *s = state;
    (void)v;
    bool opened = !open_sandbox(s);
    if (!opened && (sandbox_isolates() || s->set.allow_unsandboxed)) return NULL;
    Question *q = NEW(Question, 1);
    *q = (Question){.next = s->questions,
                    .n = g->n,
                    .runs = NEW(ProgramRun *, g->n),
                    .wanted = NEW(bool, g->n)};
    for (int i = 0; i < g->n; i++) {
        if (!wanted[i]) continue;
        Span program = find_program(s, &g->samples[i]);
        q->wanted[i] = true;
        if (program.p && opened) q->runs[i] = begin(s, &g->samples[i], program);
    }
    if (!opened) q->refused = mem_text(errors_last());
    s->questions = q;
    return q;
}

static bool work_on(Question *q)
{
    bool done = true;
    for (int i = 0; i < q->n; i++)
        if (q->runs[i]) done &= program_work(q->runs[i]);
    return done;
}

static bool work(void *state)
{
    State *s = state;
    bool moved = false;
    for (Question *q = s->questions; q; q = q->next) moved |= work_on(q);
    return moved;
}

static Score score_of(const State *s, const ProgramRun *run)
{
    const ProgramVerdict *verdicts;
    const char *why;
    int n, passed = 0;
    ScoreStatus status = program_outcome(run, &verdicts, &n, &why);
    if (status != SCORE_OK) {
        fail("%s", why);
        return score_failed(status);
    }
    for (int i = 0; i < n; i++) passed += verdicts[i] == VERDICT_PASSED;
    return score_ok(s->set.all ? passed == n : (double)passed / n);
}

static void withdraw(void *state, void *question)
{
    State *s = state;
    Question *q = question, **at = &s->questions;
    while (*at != q) at = &(*at)->next;
    *at = q->next;
    for (int i = 0; i < q->n; i++) program_free(q->runs[i]);
    mem_free(q->runs);
    mem_free(q->wanted);
    mem_free(q->refused);
    mem_free(q);
}

static bool answered(void *state, void *question, Score *scores, char **notes, StepScores *steps)
{
    (void)steps;
    State *s = state;
    Question *q = question;
    if (!work_on(q)) return false;
    for (int i = 0; i < q->n; i++) {
        if (!q->wanted[i]) continue;
        if (q->refused) {
            scores[i] = score_failed(SCORE_REFUSED);
            notes[i] = mem_text(q->refused);
        } else if (!q->runs[i]) {
            scores[i] = score_ok(0);
            notes[i] = mem_text("no block of code");
        } else {
            scores[i] = score_of(s, q->runs[i]);
            notes[i] = program_note(q->runs[i]);
        }
    }
    withdraw(s, q);
    return true;
}

const Reward reward_program = {
    .name = "program",
    .help = "runs the program in the last fenced block against the problem's tests, isolated: the "
            "share that passes",
    .settings = settings,
    .open = open_program,
    .close = close_program,
    .prepare = prepare,
    .ask = ask,
    .work = work,
    .answered = answered,
    .withdraw = withdraw,
};

/* Tasks: worked examples, splits that do not meet, demonstrators that forget exactly as often as
 * they are told. */
#include "tests/harness.h"

#include <jansson.h>
#include <unistd.h>

#include "common/arithmetic.h"
#include "common/errors.h"
#include "common/task.h"

static const TaskSettings usual = {.seed = 1,
                                   .digits = 3,
                                   .terms = 3,
                                   .numbers = 3,
                                   .max_number = 20,
                                   .forget_carry = 0.6,
                                   .train = "",
                                   .heldout = "",
                                   .prompt_field = "question",
                                   .answer_field = "answer",
                                   .instruction = ""};
static const char *const made[] = {"sum", "difference", "chain", "countdown"};
enum { N_MADE = 4 };

static char *columns(int64_t a, int64_t b, char op, double forget, int64_t *result)
{
    Draw d = {.seed = 1, .stream = STREAM_DEMO};
    Buffer out = {0};
    *result = arithmetic_columns(a, b, op, forget, &d, &out);
    return out.data;
}

START_TEST(works_sums_in_columns)
{
    struct {
        int64_t a, b;
        char op;
        double forget;
        const char *text;
        int64_t result;
    } cases[] = {
        {123, 456, '+', 0, "3+6=9;2+5=7;1+4=5", 579},
        {578, 467, '+', 0, "8+7=5c;c7+6=4c;c5+4=10", 1045},
        {578, 467, '+', 1, "8+7=5;7+6=3;5+4=9", 935},
        {999, 1, '+', 0, "9+1=0c;c9+0=0c;c9+0=10", 1000},
        {7, 8, '+', 1, "7+8=15", 15},
        {0, 0, '+', 0, "0+0=0", 0},
        {532, 178, '-', 0, "2-8=4b;b3-7=5b;b5-1=3", 354},
        {532, 178, '-', 1, "2-8=4;3-7=6;5-1=4", 464},
        {100, 1, '-', 0, "0-1=9b;b0-0=9b;b1-0=0", 99},
        {5, 5, '-', 0, "5-5=0", 0},
        {3, 8, '-', 0, "3-8=5",
         5}, /* what a demonstrator does whose earlier mistake made the first number too small */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t result;
        char *text = columns(cases[i].a, cases[i].b, cases[i].op, cases[i].forget, &result);
        ck_assert_str_eq(text, cases[i].text);
        ck_assert_int_eq(result, cases[i].result);
        mem_free(text);
    }
}
END_TEST

START_TEST(finds_tasks_by_name)
{
    int n;
    const Task *const *list = task_list(&n);
    ck_assert_int_eq(n, 6);
    for (int i = 0; i < n; i++) {
        ck_assert_ptr_eq(task_find(list[i]->name), list[i]);
        ck_assert(*list[i]->help != 0);
    }
    ck_assert_ptr_null(task_find("nothing"));
    ck_assert_ptr_null(task_find("jsonl")->alphabet);
}
END_TEST

/* Every character of `text` is covered by tokens of the alphabet, longest first. */
static bool in_alphabet(const char *alphabet, const char *text)
{
    char copy[256], *tokens[64], *rest = copy, *token;
    int n = 0;
    snprintf(copy, sizeof copy, "%s", alphabet);
    while ((token = strsep(&rest, " "))) tokens[n++] = token;
    while (*text) {
        size_t longest = 0;
        for (int i = 0; i < n; i++) {
            size_t k = strlen(tokens[i]);
            if (k > longest && !strncmp(text, tokens[i], k)) longest = k;
        }
        if (!longest) return false;
        text += longest;
    }
    return true;
}

START_TEST(problems_are_pure_and_say_only_the_alphabet)
{
    for (int k = 0; k < N_MADE; k++) {
        const Task *t = task_find(made[k]);
        TaskState *a = t->open(&usual), *b = t->open(&usual);
        for (int split = 0; split < 3; split++)
            for (int64_t i = 299; i >= 0; i--) {
                Problem p, q;
                t->problem(a, (Split)split, i, &p);
                t->problem(b, (Split)split, 299 - i, &q);
                problem_free(&q);
                t->problem(b, (Split)split, i, &q);
                ck_assert_str_eq(p.prompt, q.prompt);
                ck_assert_str_eq(p.record, q.record);
                ck_assert((p.demo != NULL) == (split == SPLIT_DEMO));
                ck_assert(in_alphabet(t->alphabet, p.prompt));
                if (p.demo) ck_assert_str_eq(p.demo, q.demo);
                if (p.demo) ck_assert_msg(in_alphabet(t->alphabet, p.demo), "%s", p.demo);
                json_t *record = json_loads(p.record, 0, NULL);
                ck_assert_msg(json_is_object(record), "%s", p.record);
                json_decref(record);
                problem_free(&p);
                problem_free(&q);
            }
        t->close(a);
        t->close(b);
    }
}
END_TEST

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Prompts of a split, sorted; caller frees each and the array. */
static char **prompts_of(const Task *t, const TaskState *s, Split split, int n)
{
    char **texts = NEW(char *, n);
    for (int i = 0; i < n; i++) {
        Problem p;
        t->problem(s, split, i, &p);
        texts[i] = mem_text(p.prompt);
        problem_free(&p);
    }
    qsort(texts, (size_t)n, sizeof *texts, by_text);
    return texts;
}

static void free_texts(char **texts, int n)
{
    for (int i = 0; i < n; i++) mem_free(texts[i]);
    mem_free(texts);
}

START_TEST(heldout_meets_neither_training_nor_demonstrations_and_repeats_nothing)
{
    enum { N = 3000 };
    for (int k = 0; k < N_MADE; k++) {
        const Task *t = task_find(made[k]);
        TaskSettings other_seed = usual;
        other_seed.seed = 77;
        TaskState *s = t->open(&usual), *other = t->open(&other_seed);
        ck_assert_int_eq(t->count(s, SPLIT_HELDOUT), 4096);
        ck_assert(t->count(s, SPLIT_TRAIN) == INT64_MAX && t->count(s, SPLIT_DEMO) == INT64_MAX);
        char **heldout = prompts_of(t, s, SPLIT_HELDOUT, N);
        for (int i = 1; i < N; i++)
            ck_assert_msg(strcmp(heldout[i - 1], heldout[i]), "%s twice", heldout[i]);
        const TaskState *states[] = {s, s, other};
        Split splits[] = {SPLIT_TRAIN, SPLIT_DEMO, SPLIT_TRAIN};
        for (int v = 0; v < 3; v++) { /* another seed's training problems do not meet them either */
            char **texts = prompts_of(t, states[v], splits[v], N);
            for (int i = 0; i < N; i++)
                ck_assert_msg(!bsearch(&texts[i], heldout, N, sizeof *heldout, by_text),
                              "%s: %s on both sides", made[k], texts[i]);
            free_texts(texts, N);
        }
        free_texts(heldout, N);
        t->close(s);
        t->close(other);
    }
}
END_TEST

/* The wrong option is what is left of the sum, or difference, without its carries. */
START_TEST(options_are_right_and_careless)
{
    static const char *const names[] = {"sum", "difference"};
    for (int k = 0; k < 2; k++) {
        const Task *t = task_find(names[k]);
        TaskState *s = t->open(&usual);
        int first = 0, n = 400, careless = 0;
        for (int i = 0; i < n; i++) {
            Problem p;
            t->problem(s, SPLIT_TRAIN, i, &p);
            json_t *record = json_loads(p.record, 0, NULL);
            const char *right = json_string_value(json_object_get(record, "answer"));
            ck_assert_str_eq(json_string_value(json_object_get(record, "question")), p.prompt);
            const json_t *options = json_object_get(record, "options");
            ck_assert_int_eq((int)json_array_size(options), 2);
            const char *o[2] = {json_string_value(json_array_get(options, 0)),
                                json_string_value(json_array_get(options, 1))};
            int at = strcmp(o[0], right) != 0;
            ck_assert_str_eq(o[at], right);
            ck_assert_str_ne(o[!at], right);
            long long gap = llabs(atoll(o[!at]) - atoll(right));
            ck_assert_msg(gap == 10 || gap == 100 || gap == 110, "%s: %s", p.prompt, o[!at]);
            first += at == 0, careless += gap != 10;
            json_decref(record);
            problem_free(&p);
        }
        ck_assert_msg(first > n / 3 && first < n * 2 / 3, "%d of %d first", first, n);
        ck_assert_int_gt(careless, n / 5);
        t->close(s);
    }
}
END_TEST

START_TEST(small_spaces_have_few_heldout_problems)
{
    TaskSettings s = usual;
    s.digits = 1;
    const Task *t = task_find("sum");
    TaskState *state = t->open(&s);
    int n = (int)t->count(state, SPLIT_HELDOUT);
    ck_assert_msg(n >= 2 && n <= 30, "%d of 100", n);
    char **texts = prompts_of(t, state, SPLIT_HELDOUT, n);
    for (int i = 1; i < n; i++) ck_assert_str_ne(texts[i - 1], texts[i]);
    free_texts(texts, n);
    t->close(state);
}
END_TEST

static long long answer_of(const Problem *p)
{
    json_t *record = json_loads(p->record, 0, NULL);
    long long x = atoll(json_string_value(json_object_get(record, "answer")));
    json_decref(record);
    return x;
}

static const char *answered(const Problem *p)
{
    static char text[256];
    const char *a = strstr(p->demo, "</think><answer>"), *z = strstr(p->demo, "</answer>");
    ck_assert_msg(!strncmp(p->demo, "<think>", 7) && a && z && z[9] == 0, "%s", p->demo);
    snprintf(text, sizeof text, "%.*s", (int)(z - a - 16), a + 16);
    return text;
}

/* Shares of demonstrations of 2000: right ones, and ones with a written carry or borrow. */
static void count_demos(const char *name, double forget, int digits, double *right, double *marked)
{
    enum { N = 2000 };
    TaskSettings s = usual;
    s.forget_carry = forget;
    s.digits = digits;
    const Task *t = task_find(name);
    TaskState *state = t->open(&s);
    int n_right = 0, n_marked = 0;
    for (int i = 0; i < N; i++) {
        Problem p;
        t->problem(state, SPLIT_DEMO, i, &p);
        n_right += atoll(answered(&p)) == answer_of(&p);
        n_marked +=
            (strpbrk(strchr(p.demo, '>') + 1, "c") || strstr(p.demo, "b;") || strstr(p.demo, ";b"));
        problem_free(&p);
    }
    t->close(state);
    *right = (double)n_right / N;
    *marked = (double)n_marked / N;
}

START_TEST(the_demonstrator_forgets_as_told)
{
    double right, marked;
    for (int k = 0; k < 3; k++) {
        count_demos(made[k], 0, 3, &right, &marked);
        ck_assert_msg(right == 1 && marked > 0.5, "%s: %g right, %g with carries", made[k], right,
                      marked);
        count_demos(made[k], 1, 3, &right, &marked);
        ck_assert_msg(right < (k == 2 ? 0.3 : 0.42) && right > 0.05 && marked == 0,
                      "%s: %g right, %g with carries", made[k], right, marked);
    }
    count_demos(
        "sum", 1, 3, &right,
        &marked); /* those without a carry: 0.55^2 = 0.3025; three standard errors of 2000 */
    ck_assert_msg(fabs(right - 0.3025) < 0.031, "%g", right);
    count_demos("sum", 0.6, 3, &right,
                &marked); /* 0.55 (0.55 + 0.45 x 0.4) + 0.45 x 0.4 (0.45 + 0.55 x 0.4) = 0.5221 */
    ck_assert_msg(fabs(right - 0.5221) < 0.034, "%g", right);
}
END_TEST

START_TEST(a_forgotten_carry_makes_a_sum_or_difference_wrong)
{
    for (int k = 0; k < 2; k++) {
        TaskSettings never = usual, always = usual;
        never.forget_carry = 0;
        always.forget_carry = 1;
        const Task *t = task_find(made[k]);
        TaskState *a = t->open(&never), *b = t->open(&always);
        for (int i = 0; i < 1000; i++) {
            Problem p, q;
            t->problem(a, SPLIT_DEMO, i, &p);
            t->problem(b, SPLIT_DEMO, i, &q);
            bool needed = strstr(p.demo, "c;") || strstr(p.demo, "b;");
            ck_assert_str_eq(p.prompt, q.prompt);
            ck_assert_int_eq(atoll(answered(&p)), answer_of(&p));
            ck_assert_msg((atoll(answered(&q)) != answer_of(&q)) == needed, "%s%s", q.prompt,
                          q.demo);
            problem_free(&p);
            problem_free(&q);
        }
        t->close(a);
        t->close(b);
    }
}
END_TEST

START_TEST(chains_hold_to_their_shape)
{
    TaskSettings s = usual;
    s.terms = 16;
    s.digits = 9;
    const Task *t = task_find("chain");
    TaskState *state = t->open(&s);
    for (int i = 0; i < 200; i++) {
        Problem p;
        t->problem(state, SPLIT_TRAIN, i, &p);
        char *rest = p.prompt;
        long long value = strtoll(rest, &rest, 10);
        for (int k = 1; k < 16; k++) {
            char op = *rest++;
            long long x = strtoll(rest, &rest, 10);
            value += op == '+' ? x : -x;
            ck_assert((op == '+' || op == '-') && x >= 100000000 && x <= 999999999 && value >= 0);
        }
        ck_assert_str_eq(rest, "=");
        ck_assert_int_eq(value, answer_of(&p));
        problem_free(&p);
    }
    t->close(state);
}
END_TEST

/* A recursive-descent value of + - * / and brackets, exact; counts the numbers it meets. */
static double expression(const char **s, int *numbers);
static double factor(const char **s, int *numbers)
{
    if (**s == '(') {
        ++*s;
        double x = expression(s, numbers);
        ck_assert(**s == ')');
        ++*s;
        return x;
    }
    char *end;
    double x = strtod(*s, &end);
    ck_assert(end > *s);
    *s = end;
    ++*numbers;
    return x;
}

static double term(const char **s, int *numbers)
{
    double x = factor(s, numbers);
    while (**s == '*' || **s == '/') {
        char op = *(*s)++;
        double y = factor(s, numbers);
        x = op == '*' ? x * y : x / y;
    }
    return x;
}

static double expression(const char **s, int *numbers)
{
    double x = term(s, numbers);
    while (**s == '+' || **s == '-') {
        char op = *(*s)++;
        double y = term(s, numbers);
        x = op == '+' ? x + y : x - y;
    }
    return x;
}

START_TEST(countdown_is_solved_or_missed_as_told)
{
    enum { N = 1000 };
    const Task *t = task_find("countdown");
    for (int numbers = 2; numbers <= 8; numbers += 3)
        for (int forget = 0; forget < 2; forget++) {
            TaskSettings s = usual;
            int hits = 0;
            s.numbers = numbers;
            s.forget_carry = forget;
            TaskState *state = t->open(&s);
            for (int i = 0; i < N; i++) {
                Problem p;
                int used = 0;
                t->problem(state, SPLIT_DEMO, i, &p);
                const char *text = answered(&p);
                double value = expression(&text, &used);
                json_t *record = json_loads(p.record, 0, NULL);
                ck_assert_int_eq(json_array_size(json_object_get(record, "numbers")), numbers);
                ck_assert(*text == 0 && used == numbers);
                hits += fabs(value -
                             (double)json_integer_value(json_object_get(record, "target"))) < 1e-9;
                json_decref(record);
                problem_free(&p);
            }
            ck_assert_msg(forget ? hits < N / 5 : hits == N, "%d numbers, forget %d: %d of %d",
                          numbers, forget, hits, N);
            t->close(state);
        }
}
END_TEST

/* ---- rows of a file -------------------------------------------------------------------------- */

static const char *file_with(const char *text)
{
    static char path[2][64];
    static int turn;
    char *p = path[turn++ % 2];
    strcpy(p, "/tmp/troupe-task-XXXXXX");
    int fd = mkstemp(p);
    ck_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    return p;
}

START_TEST(rows_split_by_hash_or_file)
{
    const Task *t = task_find("jsonl");
    Buffer b = {0};
    for (int i = 0; i < 1000; i++)
        buffer_printf(&b, "{\"question\": \"q%d\", \"result\": %d, \"extra\": [1]}\n", i % 900, i);
    TaskSettings s = usual;
    s.train = file_with(b.data);
    s.answer_field = "result";
    TaskState *state = t->open(&s);
    int n = (int)t->count(state, SPLIT_TRAIN), m = (int)t->count(state, SPLIT_HELDOUT);
    ck_assert(n + m == 1000 && m > 60 && m < 140 && t->count(state, SPLIT_DEMO) == n);
    char **heldout = prompts_of(t, state, SPLIT_HELDOUT, m),
         **train = prompts_of(t, state, SPLIT_TRAIN, n);
    for (int i = 0; i < n; i++)
        ck_assert(!bsearch(&train[i], heldout, (size_t)m, sizeof *heldout, by_text));
    free_texts(heldout, m);
    free_texts(train, n);
    Problem p;
    t->problem(state, SPLIT_DEMO, 0, &p);
    json_t *record = json_loads(p.record, 0, NULL);
    ck_assert_str_eq(json_string_value(json_object_get(record, "answer")), p.demo);
    ck_assert(json_is_integer(json_object_get(record, "result")) &&
              json_is_array(json_object_get(record, "extra")));
    json_decref(record);
    problem_free(&p);
    t->close(state);

    s.demo_field = "question"; /* what is imitated is another field than what is right */
    state = t->open(&s);
    t->problem(state, SPLIT_DEMO, 0, &p);
    ck_assert_str_eq(p.demo, p.prompt);
    record = json_loads(p.record, 0, NULL);
    ck_assert_str_ne(json_string_value(json_object_get(record, "answer")), p.demo);
    json_decref(record);
    problem_free(&p);
    t->close(state);

    const char *train_path = s.train;
    s.heldout = file_with(
        "{\"question\": \"q5\", \"result\": \"x\"}\n\n{\"question\": \"new\", \"result\": \"y\"}");
    state = t->open(&s);
    ck_assert_int_eq(t->count(state, SPLIT_HELDOUT), 2);
    ck_assert_int_eq(t->count(state, SPLIT_TRAIN), 998); /* q5 is there twice, and was held out */
    t->close(state);
    unlink(train_path);
    unlink(s.heldout);
    buffer_free(&b);
}
END_TEST

static void refuses_rows_of(TaskSettings s, const char *text, const char *message)
{
    s.train = file_with(text);
    errors_quiet(1);
    ck_assert_ptr_null(task_find("jsonl")->open(&s));
    errors_quiet(-1);
    ck_assert_msg(strstr(errors_last(), message) != NULL, "wanted %s, got %s", message,
                  errors_last());
    unlink(s.train);
}

static void refuses_rows(const char *text, const char *message)
{
    refuses_rows_of(usual, text, message);
}

START_TEST(bad_rows_are_named)
{
    TaskSettings shown = usual;
    shown.demo_field = "solution";
    refuses_rows_of(shown, "{\"question\": \"a\", \"answer\": \"b\"}\n",
                    ":1: no field \"solution\"; the row has: question, answer");
    refuses_rows("", ": no rows");
    refuses_rows("{\"question\": \"a\", \"answer\": \"b\"}\n{\"qestion\": \"a\", \"answer\": 1}\n",
                 ":2: no field \"question\"; did you mean qestion; the row has: qestion, answer");
    refuses_rows("{\"question\": \"a\"}\n", ":1: no field \"answer\"; the row has: question");
    refuses_rows("{\"question\": [1], \"answer\": 1}\n", ":1: field \"question\": text is wanted");
    refuses_rows("{\"question\": \"\", \"answer\": 1}\n", ":1: field \"question\" is empty");
    TaskSettings s = usual;
    s.train = "/nowhere/rows.jsonl";
    errors_quiet(1);
    ck_assert_ptr_null(task_find("jsonl")->open(&s));
    errors_quiet(-1);
    ck_assert_str_eq(errors_last(), "/nowhere/rows.jsonl: No such file or directory");
}
END_TEST

TEST_MAIN("task", works_sums_in_columns, finds_tasks_by_name,
          problems_are_pure_and_say_only_the_alphabet,
          heldout_meets_neither_training_nor_demonstrations_and_repeats_nothing,
          options_are_right_and_careless, small_spaces_have_few_heldout_problems,
          the_demonstrator_forgets_as_told, a_forgotten_carry_makes_a_sum_or_difference_wrong,
          chains_hold_to_their_shape, countdown_is_solved_or_missed_as_told,
          rows_split_by_hash_or_file, bad_rows_are_named)

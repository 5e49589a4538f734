/* Mathematical equivalence: pairs judged by hand, pairs made from MATH-500 (tests/data/
 * math_equal_golden.jsonl, by tests/peers/math_pairs.py), where an answer is looked for, and texts
 * that want to take time. */
#include "rewardsvc/math/math_equal.h"

#include <time.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/reward.h"
#include "tests/harness.h"

static const MathRules usual = {.bare_percent = true, .text = true};

static MathVerdict judge(const char *a, const char *b)
{
    return math_equal(span_of(a), span_of(b), &usual);
}

typedef struct {
    const char *a, *b;
} Pair;

static void expect_all(const Pair *pairs, size_t n, MathVerdict want)
{
    for (size_t i = 0; i < n; i++) {
        MathVerdict one = judge(pairs[i].a, pairs[i].b), other = judge(pairs[i].b, pairs[i].a);
        ck_assert_msg(one == want && other == want, "\"%s\" and \"%s\": %d and %d, not %d",
                      pairs[i].a, pairs[i].b, (int)one, (int)other, (int)want);
    }
}
#define EXPECT(want, ...)                                                                          \
    do {                                                                                           \
        static const Pair pairs[] = {__VA_ARGS__};                                                 \
        expect_all(pairs, sizeof pairs / sizeof *pairs, want);                                     \
    } while (0)

START_TEST(numbers_are_exact)
{
    EXPECT(MATH_EQUAL, {"1/2", "0.5"}, {"\\frac12", ".50"}, {"\\frac 1 2", "\\dfrac{2}{4}"},
           {"0.1+0.2", "0.3"}, {"1e3", "1000"}, {"1.5\\times 10^{-3}", "0.0015"},
           {"0.\\overline{3}", "1/3"}, {"0.1\\overline{6}", "\\frac16"}, {"1,234,567", "1234567"},
           {"10,\\!080", "10080"}, {"10{,}080.5", "10080.50"}, {"2^{10}", "1024"}, {"2^10", "1024"},
           {"\\sqrt{16}", "4"}, {"\\sqrt[3]{-8}", "-2"}, {"5!", "120"}, {"\\binom{10}{3}", "120"},
           {"|-3|", "3"}, {"\\lfloor 2.7 \\rfloor", "2"}, {"\\lceil 2.1\\rceil", "3"},
           {"\\gcd(12, 18)", "6"}, {"max(1, 7, 3)", "7"}, {"1 4/5", "9/5"}, {"-1\\frac45", "-1.8"},
           {"\u00bd", "0.5"}, {"3\u00b2", "9"}, {"\u22125", "-5"}, {"--5", "5"},
           {"2 \u00d7 3", "6"}, {"6 \u00f7 3", "2"}, {"100!/99!", "100"}, {"1 000 000", "10^6"});
    EXPECT(MATH_DIFFERENT, {"0.333333", "1/3"}, {"0.33333333333333333333", "\\frac13"}, {"5", "-5"},
           {"1e3", "1001"}, {"2/3", "3/2"}, {"10000000000000000000001", "10^{22}"},
           {"123456789012345678901234567890", "123456789012345678901234567891"}, {"0", "1e-30"});
}
END_TEST

START_TEST(constants_are_certified)
{
    EXPECT(MATH_EQUAL, {"\\sqrt{8}", "2\\sqrt2"}, {"1/\\sqrt3", "\\frac{\\sqrt{3}}{3}"},
           {"\\sqrt{5+2\\sqrt6}", "\\sqrt2+\\sqrt3"}, {"\\sqrt[3]{7+5\\sqrt2}", "1+\\sqrt2"},
           {"2\\pi", "\\pi\\cdot 2"}, {"\\sin\\frac{\\pi}{6}", "1/2"}, {"\\sin 30^\\circ", "0.5"},
           {"\\ln e^2", "2"}, {"\\log_2 8", "3"}, {"\\log 100", "2"}, {"e^{i\\pi}", "-1"},
           {"(1+i)^2", "2i"}, {"\\tan^{-1} 1", "\\pi/4"}, {"\\arctan(1)", "\\frac{\\pi}{4}"},
           {"\\frac{1+\\sqrt5}{2}", "\\phi_0 = \\frac{\\sqrt5+1}2"}, {"2^{1/2}", "\\sqrt2"},
           {"(-8)^{1/3}", "-2"}, {"\\cos^2 1 + \\sin^2 1", "1"}, {"cbrt = \\sqrt[3]{2}", "2^{1/3}"},
           {"\u221a(2)", "sqrt(2)"}, {"\\frac{\\pi}{2}", "\u03c0/2"}, {"9^9^9", "9^{9^9}"},
           {"\\sqrt2\\approx 1.41", "\\sqrt2"}, {"\\approx 5", "5"},
           {"x = 4\\pi \u2248 12.57", "4\\pi"});
    EXPECT(MATH_DIFFERENT, {"\\sqrt2", "1.41421356237309504880168872420969807856967"},
           {"\\pi", "3.14159265358979323846264338327950288419716939937510"}, {"\\pi", "22/7"},
           {"e^{\\pi\\sqrt{163}}", "262537412640768744"}, {"i", "-i"}, {"\\infty", "-\\infty"},
           {"\\sqrt{2}+\\sqrt{3}", "\\sqrt{5}"}, {"9^9^9", "9^9^9+1"}, {"\\sin 30", "1/2"},
           {"1/0", "5"}, {"0^0", "1"}, {"1/0", "2/0"}, {"\\frac{x}{0}", "x"},
           {"(10^{800}+\\sqrt2)-(10^{800}+\\sqrt3)", "0"});
}
END_TEST

START_TEST(expressions_in_variables)
{
    EXPECT(MATH_EQUAL, {"(x+1)^2", "x^2+2x+1"}, {"x(x-1)", "x^2-x"}, {"2(a+b)", "2a+2b"},
           {"\\frac{x^2-1}{x-1}", "x+1"}, {"\\frac{11+9a}{20}", "0.45a+0.55"}, {"ab", "ba"},
           {"x_1+x_2", "x_{2}+x_{1}"}, {"\\cot x", "\\frac{\\cos x}{\\sin x}"},
           {"\\sin 2x", "2\\sin x\\cos x"}, {"\\sqrt{x^2}", "|x|"}, {"1/2x", "x/2"},
           {"1/xy", "\\frac{1}{xy}"}, {"e^{x+y}", "e^xe^y"}, {"\\ln(x^2)", "2\\ln|x|"},
           {"x^{1/2}", "\\sqrt x"}, {"n!", "n(n-1)!"}, {"\\frac{1}{x}+\\frac1y", "\\frac{x+y}{xy}"},
           {"\\binom n2", "n(n-1)/2"}, {"\\tfrac{\\theta}{2}", "\\frac12\\theta"},
           {"\\mathbf{v}", "v"}, {"2^{n+1}", "2\\cdot 2^n"}, {"5r^5", "5 r^{5}"});
    EXPECT(MATH_DIFFERENT, {"x+1", "x-1"}, {"x", "y"}, {"3R^2", "3r^2"}, {"\\sqrt{x^2}", "x"},
           {"x^2", "x^{2.0001}"}, {"2x", "x"}, {"x_1", "x_2"}, {"\\sin x", "\\cos x"},
           {"x+y", "xy"}, {"(x+y)^2", "x^2+y^2"}, {"\\sin 2x", "2\\sin x"});
}
END_TEST

START_TEST(collections)
{
    EXPECT(MATH_EQUAL, {"\\{1,2,3\\}", "\\{3,1,2\\}"}, {"\\{1,1,2\\}", "{2,1}"}, {"1,-2", "-2, 1"},
           {"1, 2 and 3", "3,2,1"}, {"1 \\text{ or } 2", "\\{1,2\\}"},
           {"1\\pm\\sqrt5", "1-\\sqrt5,1+\\sqrt5"},
           {"\\{1\\pm\\sqrt{5},-2\\}", "\\{-2,1+\\sqrt5,1-\\sqrt5\\}"}, {"\\pm 2", "2,-2"},
           {"(1,2)", "\\left( 1,\\,2 \\right)"}, {"(3,\\pi/2)", "(\\frac62, \\frac{\\pi}{2})"},
           {"x=1,x=-2", "-2,1"}, {"x = 1 \\text{ or } x=2", "2,1"}, {"\\emptyset", "\\{\\}"},
           {"\\begin{pmatrix}1\\\\2\\end{pmatrix}", "\\begin{bmatrix}2/2\\\\2\\end{bmatrix}"},
           {"\\begin{pmatrix}1\\\\2\\end{pmatrix}", "(1,2)"}, {"\\langle 1,2\\rangle", "(1,2)"},
           {"\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}", "[[1,2],[3,4]]"},
           {"\\frac12\\begin{pmatrix}2\\\\4\\end{pmatrix}", "\\begin{pmatrix}1\\\\2\\end{pmatrix}"},
           {"[1,2,3]", "(1,2,3)"}, {"\\{5\\}", "5"}, {"1:2", "0.5"}, {"2:4:6", "1:2:3"},
           {"(1,234)", "(1, 234)"}, {"1,234", "1234"}, {"1,234", "234, 1"});
    EXPECT(MATH_DIFFERENT, {"(1,2)", "(2,1)"}, {"(1,2)", "[1,2]"}, {"(1,2)", "(1,2]"},
           {"(1,2)", "\\{1,2\\}"}, {"1,2", "1,2,3"}, {"1,1,2", "1,2"}, {"\\{1,2\\}", "\\{1,3\\}"},
           {"\\begin{pmatrix}1&2\\end{pmatrix}", "\\begin{pmatrix}1\\\\2\\end{pmatrix}"},
           {"1\\pm2", "3"}, {"1:2:3", "1:3:2"}, {"5", "5, 6"}, {"(1,2)", "3"});
}
END_TEST

START_TEST(an_answer_without_value_is_wrong)
{
    static const char *const none[] = {"9^{9^{9^{9}}}", "\\gcd(\\sqrt2, 3)", "((10^{20})!)!",
                                       "\\tan\\frac{\\pi}{2}", "\\frac{1}{\\sin\\pi}"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        ck_assert_int_eq(judge(none[i], "5"), MATH_DIFFERENT);
        ck_assert_int_eq(judge("5", none[i]), MATH_UNDECIDED);
    }
    ck_assert_int_eq(judge("\\gcd(x, 3)", "x+1"), MATH_DIFFERENT);
    ck_assert_int_eq(judge("1/(\\sqrt{10^{100}+1}-10^{50})", "10^{50}+\\sqrt{10^{100}+1}"),
                     MATH_EQUAL);
}
END_TEST

START_TEST(a_list_without_brackets_has_no_order)
{
    ck_assert_int_eq(judge("(7,5,3)", "3,5,7"), MATH_EQUAL);
    ck_assert_int_eq(judge("7,5,3", "(3,5,7)"), MATH_DIFFERENT);
    ck_assert_int_eq(judge("3,5,7", "(3,5,7)"), MATH_EQUAL);
    ck_assert_int_eq(judge("[7,5,3]", "3,5,7"), MATH_DIFFERENT);
}
END_TEST

START_TEST(sets_of_reals)
{
    EXPECT(MATH_EQUAL, {"(2,\\infty)", "x>2"},
           {"(-\\infty,2)\\cup(3,\\infty)", "x<2 \\text{ or } x>3"}, {"(3,4]", "3<x\\le 4"},
           {"x\\in[-2,7]", "[-2,7]"}, {"[1,2]\\cup[2,3]", "[1,3]"}, {"(5,\\infty)", "(5,\\infty]"},
           {"(0,9)\\cup(9,36)", "(0,36)\\setminus\\{9\\}"},
           {"x\\ne 3", "(-\\infty,3)\\cup(3,\\infty)"}, {"\\mathbb{R}", "(-\\infty,\\infty)"},
           {"[1,5]\\cap[3,9]", "[3,5]"}, {"\\{x \\mid x>2\\}", "(2,\\infty)"}, {"2<x", "x>2"},
           {"(0, 1) U (2, 3)", "(2,3)\\cup(0,1)"}, {"x>1 \\text{ and } x<3", "(1,3)"},
           {"(\\sqrt4, \\sqrt9)\\cup\\{7\\}", "\\{7\\}\\cup(2,3)"}, {"x^2>4x", "x^2-4x>0"},
           {"-2x+2y<4", "x-y>-2"});
    EXPECT(MATH_DIFFERENT, {"(2,\\infty)", "x\\ge2"}, {"x>2", "y>2"},
           {"(0,9)\\cup(9,36)", "(0,36)"}, {"x<2", "x>2"}, {"-2x+2y<4", "x-y<-2"},
           {"(1,2)\\cup(3,4)", "(1,2)\\cup(3,5)"}, {"x>2", "3"});
}
END_TEST

START_TEST(equations_up_to_a_factor)
{
    EXPECT(MATH_EQUAL, {"x=5", "5"}, {"5", "n = 5"}, {"x=5", "5=x"}, {"y=2x+3", "2x-y+3=0"},
           {"y=2x+3", "2x+3"}, {"5x-7y+11z+4=0", "-10x+14y=22z+8"}, {"f(x)=2x", "2x"},
           {"\\text{Area} = 12", "12"}, {"x=2+3=5", "5"}, {"y=\\frac1x", "xy=1"}, {"AB = 7", "7"},
           {"f^{-1}(x) = x/2", "\\frac x2"}, {"\\frac{dy}{dx} = 2x", "2x"},
           {"\\angle ABC = 30^\\circ", "30"}, {"y=\\frac{1}{x}+\\frac1x", "xy = 2"});
    EXPECT(MATH_DIFFERENT, {"x=5", "y=5"}, {"x=5", "6"}, {"y=2x+3", "y=2x-3"}, {"y=x", "y=-x"},
           {"x\\ne5", "x=5"}, {"x^2=4", "2"}, {"0=0", "y=\\sin x"},
           {"\\sin x=\\sin x", "y=\\sin x"}, {"x=x", "y=2x"});
}
END_TEST

START_TEST(units_percent_base_and_money)
{
    EXPECT(MATH_EQUAL, {"15\\mbox{ cm}^2", "15"}, {"15 cm", "15\\text{ centimeters}"},
           {"100\\text{ cm}", "1\\text{ m}"}, {"1 \\text{ m}^2", "10000\\text{ cm}^2"},
           {"90^\\circ", "90"}, {"90^{\\circ}", "\\frac{\\pi}{2}"},
           {"90\u00b0", "90 \\text{ degrees}"}, {"50\\%", "0.5"}, {"50\\%", "50"},
           {"50%", "\\frac12"}, {"\\$32,\\!348", "32348"}, {"\\$18.90", "18.9\\text{ dollars}"},
           {"5.4 \\text{ cents}", "5.4"}, {"54\\text{ cents}", "\\$0.54"}, {"204_5", "204"},
           {"204_5", "204_{5}"}, {"11_2", "10_3"}, {"12\\text{ square feet}", "12\\text{ ft}^2"},
           {"3\\text{ apples}", "3"}, {"30\\text{ miles per hour}", "30"},
           {"864 \\mbox{ inches}^2", "864"});
    EXPECT(MATH_DIFFERENT, {"15\\text{ cm}", "15\\text{ m}"}, {"204_5", "54"}, {"204_5", "204_6"},
           {"50\\%", "5"}, {"50\\%", "50.5"}, {"0.5\\%", "0.5"}, {"\\$5", "5\\text{ cents}"},
           {"15\\text{ cm}^2", "15\\text{ cm}^3"}, {"90^\\circ", "\\pi"}, {"5\\text{ or 6}", "5"},
           {"5\\text{ or 6}", "6"});
}
END_TEST

START_TEST(words)
{
    EXPECT(MATH_EQUAL, {"\\text{Tuesday}", "tuesday"}, {"\\text{(C)}", "C"}, {"(C)", "\\textbf{C}"},
           {"\\text{Evelyn}", "Evelyn."}, {"no solution", "\\text{No solution}"});
    EXPECT(MATH_DIFFERENT, {"\\text{east}", "\\text{west}"}, {"\\text{(C)}", "(B)"},
           {"\\text{even}", "odd"}, {"Tuesday", "2"}, {"\\unknown{3}", "3"}, {"(", ")"});
    MathRules refuse = usual;
    refuse.text = false;
    ck_assert_int_eq(math_equal(span_of("\\foo{3}"), span_of("3"), &refuse), MATH_UNDECIDED);
    ck_assert_int_eq(math_equal(span_of("3.0"), span_of("3"), &refuse), MATH_EQUAL);
}
END_TEST

START_TEST(rounding_only_where_it_is_asked_for)
{
    MathRules six = usual;
    six.rounding = 6;
    static const Pair right[] = {{"4.666667", "\\frac{14}{3}"},
                                 {"0.333333", "1/3"},
                                 {"3.14159265", "\\pi"},
                                 {"2.44948974", "\\sqrt6"}};
    static const Pair wrong[] = {{"4.666666", "\\frac{14}{3}"},
                                 {"0.3333", "1/3"},
                                 {"0.334000", "1/3"},
                                 {"3.14159266", "\\pi"},
                                 {"0.3333331", "1/3"}};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        ck_assert_int_eq(math_equal(span_of(right[i].a), span_of(right[i].b), &six), MATH_EQUAL);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_int_eq(math_equal(span_of(wrong[i].a), span_of(wrong[i].b), &six),
                         MATH_DIFFERENT);
}
END_TEST

static void expect_place(MathWhere where, bool strict, const char *text, const char *want)
{
    Span found = math_extract(span_of(text), where, strict);
    bool same =
        want ? found.p && found.n == strlen(want) && memcmp(found.p, want, found.n) == 0 : !found.p;
    ck_assert_msg(same, "\"%s\": \"%.*s\", not \"%s\"", text, (int)found.n, found.p ? found.p : "",
                  want ? want : "nothing");
}

START_TEST(finds_the_place_of_an_answer)
{
    expect_place(MATH_AUTO, false, "a \\boxed{1} b \\boxed{\\frac{1}{2}} c", "\\frac{1}{2}");
    expect_place(MATH_AUTO, false, "\\boxed{\\{1,2\\}} 7", "\\{1,2\\}");
    expect_place(MATH_AUTO, false, "\\boxed 5 is", "5");
    expect_place(MATH_AUTO, false, "\\fbox{5} <answer>6</answer>", "5");
    expect_place(MATH_AUTO, false, "\\boxed{5", "");
    expect_place(MATH_AUTO, false, "<answer> x=3 </answer> 4", " x=3 ");
    expect_place(MATH_AUTO, false, "<answer>The answer is $3$.</answer>", "3");
    expect_place(MATH_AUTO, false, "so\n#### 12\nmore 3", " 12");
    expect_place(MATH_AUTO, false, "The final answer is $x^2$. I hope.", "x^2");
    expect_place(MATH_AUTO, false, "**Answer:** \\(3\\)", "3");
    expect_place(MATH_AUTO, false, "The answer is 3.5. And 4", "3.5");
    expect_place(MATH_AUTO, false, "Thus it is $\\frac12$ of all", "\\frac12");
    expect_place(MATH_AUTO, false, "Thus $a$ is -1,234.5% more", "-1,234.5%");
    expect_place(MATH_AUTO, false, "costs 3/4 or 5-2", "2");
    expect_place(MATH_AUTO, false, "The answer is $\\$18.90$.", "\\$18.90");
    expect_place(MATH_AUTO, false, "The answer is $5.", "$5");
    expect_place(MATH_AUTO, true, "it is 3", NULL);
    expect_place(MATH_AUTO, false, "none at all", NULL);
    expect_place(MATH_AUTO, false, "", NULL);
    expect_place(MATH_BOXED, false, "<answer>3</answer>", NULL);
    expect_place(MATH_TAG, false, "<answer>3</answer>", "3");
    expect_place(MATH_HASH, false, "3", NULL);
    expect_place(MATH_PHRASE, false, "my answer: 3", "3");
    expect_place(MATH_LAST, true, "it is \\[ 3 \\] 4", " 3 ");
    expect_place(MATH_WHOLE, true, "3 4", "3 4");
}
END_TEST

/* ---- the reward ---- */

static Score score_record(const char *record, const char *text, size_t n, FinishReason finish)
{
    RewardBlock b;
    Score component;
    float latency;
    ck_assert_int_eq(reward_block_single(&b, "math_equal"), 0);
    json_t *json = json_loads(record, 0, NULL);
    ck_assert_ptr_nonnull(json);
    Evidence e = {.text = text, .n_text = n, .record = json, .prompt = "", .finish = finish};
    errors_quiet(1);
    Score s = reward_block_score(&b, &e, &component, &latency);
    errors_quiet(-1);
    json_decref(json);
    reward_block_close(&b);
    return s;
}

static void expect_score(const char *record, const char *text, double want)
{
    Score s = score_record(record, text, strlen(text), FINISH_EOS);
    ck_assert_msg(s.status == SCORE_OK && s.value == want, "%s for %s: status %d, %g", text, record,
                  (int)s.status, s.value);
}

START_TEST(scores_with_a_status)
{
    expect_score("{\"answer\": \"\\\\frac12\"}", "so \\boxed{0.5}", 1);
    expect_score("{\"answer\": 0.1}", "\\boxed{1/10}", 1);
    expect_score("{\"answer\": 12}", "it is 12", 1);
    expect_score("{\"answer\": \"we get 3\\n#### 12\"}", "it is 12", 1);
    expect_score("{\"answer\": \"thus $\\\\boxed{12}$.\"}", "it is 12", 1);
    expect_score("{\"answer\": [\"1\", 2]}", "\\boxed{2}", 1);
    expect_score("{\"answer\": [\"1\", 2]}", "\\boxed{3}", 0);
    expect_score("{\"answer\": 12}", "no idea", 0);
    expect_score("{\"answer\": 12}", "\\boxed{}", 0);
    expect_score("{\"answer\": 12}", "\\boxed{12", 0);
    static const char *const bad[] = {"{}", "{\"answer\": \"\"}", "{\"answer\": []}",
                                      "{\"answer\": null}", "{\"answer\": [{}]}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_int_eq(score_record(bad[i], "12", 2, FINISH_EOS).status, SCORE_ERROR);
    const char *record = "{\"answer\": 12}"; /* cut off: perhaps half a number */
    ck_assert(score_record(record, "it is 12", 8, FINISH_LENGTH).value == 0);
    ck_assert(score_record(record, "The answer is 12", 16, FINISH_LENGTH).value == 0);
    ck_assert(score_record(record, "\\boxed{12} and", 14, FINISH_LENGTH).value == 1);
}
END_TEST

START_TEST(agrees_with_every_golden_pair)
{
    const char *source = getenv("TROUPE_SOURCE");
    char *path = mem_printf("%s/tests/data/math_equal_golden.jsonl", source ? source : ".");
    FILE *f = fopen(path, "r");
    ck_assert_msg(f != NULL, "%s", path);
    static char line[1 << 16];
    int n = 0;
    for (; fgets(line, sizeof line, f); n++) {
        json_t *row = json_loads(line, 0, NULL);
        ck_assert_ptr_nonnull(row);
        const char *text = json_string_value(json_object_get(row, "completion"));
        json_int_t truth = json_integer_value(json_object_get(row, "truth"));
        Score s = score_record(line, text, strlen(text), FINISH_EOS);
        ck_assert_msg(s.status == SCORE_OK && s.value == (double)truth, "%s: status %d, %g", line,
                      (int)s.status, s.value);
        json_decref(row);
    }
    ck_assert_int_gt(n, 300);
    fclose(f);
    mem_free(path);
}
END_TEST

/* ---- hostile texts ---- */

#if defined(__SANITIZE_ADDRESS__)
enum { MOST_MS = 1500 };
#else
enum { MOST_MS = 100 }; /* of processor time: the machine may be busy with other work */
#endif

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static MathVerdict timed(Span a, Span b)
{
    double began = now_ms();
    MathVerdict v = math_equal(a, b, &usual);
    double took = now_ms() - began;
    ck_assert_msg(took < MOST_MS, "%.60s and %.60s: %.0f ms", a.p, b.p, took);
    return v;
}

static void repeat(Buffer *b, const char *what, int n)
{
    for (int i = 0; i < n; i++) buffer_text(b, what);
}

/* n times open, x, n times close: alone and in a box, in bounded time, with some status. */
static void expect_nest(const char *open, const char *close, int n)
{
    Buffer b = {0};
    repeat(&b, open, n);
    buffer_text(&b, "x");
    repeat(&b, close, n);
    timed((Span){b.data, b.size}, span_of("x+1"));
    Buffer boxed = {0};
    buffer_printf(&boxed, "\\boxed{%s}", b.data);
    double began = now_ms();
    Score s = score_record("{\"answer\": \"x+1\"}", boxed.data, boxed.size, FINISH_EOS);
    ck_assert(now_ms() - began < MOST_MS);
    ck_assert(s.status != SCORE_OK || s.value == 0);
    buffer_free(&boxed);
    buffer_free(&b);
}

START_TEST(nests_end_in_time)
{
    static const char *const nests[][2] = {{"(", ")"},
                                           {"{", "}"},
                                           {"[", "]"},
                                           {"\\{", "\\}"},
                                           {"\\frac{", "}{2}"},
                                           {"\\sqrt{", "}"},
                                           {"|", "|"},
                                           {"\\left(", "\\right)"},
                                           {"\\sin(", ")"},
                                           {"\\text{", "}"},
                                           {"-", ""},
                                           {"x^", ""},
                                           {"\\begin{pmatrix}", "\\end{pmatrix}"},
                                           {"<answer>", "</answer>"},
                                           {"answer ", ""},
                                           {"$", "$"},
                                           {"\\boxed{", "}"},
                                           {"x_", ""},
                                           {"\\pm", ""},
                                           {"1,", ""},
                                           {"2:", ""},
                                           {"x=", ""},
                                           {"5 cm ", ""},
                                           {"1/", ""},
                                           {"\\sqrt[", "]{2}"},
                                           {"", "!"},
                                           {"", "%"},
                                           {"", "^\\circ"}};
    static const int sizes[] = {20, 59, 61, 700, 100000};
    for (size_t i = 0; i < sizeof nests / sizeof *nests; i++)
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
            expect_nest(nests[i][0], nests[i][1], sizes[k]);
}
END_TEST

START_TEST(large_values_end_in_time)
{
    static const char *const texts[] = {"9^9^9",
                                        "9^{9^{9^{9}}}",
                                        "9^{9^{9^{9^9}}}+1",
                                        "e^{e^{e^{e^e}}}",
                                        "1e999999999",
                                        "1e4000",
                                        "10^{4000}+1",
                                        "3000!!",
                                        "3000!/2999!",
                                        "(10^{9})!",
                                        "\\binom{10^9}{5\\cdot 10^8}",
                                        "\\sin(10^{1000})",
                                        "(1+10^{-400})^{10^{400}}",
                                        "\\sqrt[1000]{3}",
                                        "2^{1/997}3^{1/991}",
                                        "(x+y+z+w)^{1000}",
                                        "((x+1)^{100}+(y+1)^{100})^{100}",
                                        "(x+y+z+w+u)^{12}(x+y+z+w+u)^{12}",
                                        "x^{x^{x^x}}",
                                        "\\frac{1}{0}",
                                        "0^0",
                                        "\\log 0",
                                        "\\tan\\frac{\\pi}{2}",
                                        "\\infty-\\infty"};
    size_t n = sizeof texts / sizeof *texts;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++) {
            MathVerdict v = timed(span_of(texts[i]), span_of(texts[k]));
            if (i != k) ck_assert_msg(v != MATH_EQUAL, "%s and %s", texts[i], texts[k]);
        }
}
END_TEST

/* Sums and lists of 10,000 bytes: "item" with a running number, forwards and backwards. */
static void expect_many(const char *item, const char *between, int n)
{
    Buffer a = {0}, b = {0};
    for (int i = 0; i < n; i++) {
        buffer_printf(&a, "%s", i ? between : "");
        buffer_printf(&b, "%s", i ? between : "");
        for (const char *p = item; *p; p++) {
            buffer_printf(&a, *p == '#' ? "%d" : "%c", *p == '#' ? i * 7919 % 100003 + 2 : *p);
            buffer_printf(&b, *p == '#' ? "%d" : "%c",
                          *p == '#' ? (n - 1 - i) * 7919 % 100003 + 2 : *p);
        }
    }
    ck_assert(timed((Span){a.data, a.size}, (Span){b.data, b.size}) != MATH_DIFFERENT);
    buffer_free(&a);
    buffer_free(&b);
}

START_TEST(long_sums_and_lists_end_in_time)
{
    static const char *const items[] = {
        "#",        "1/#",         "x/#",    "1/(x+#)", "\\sqrt{#}", "\\sqrt[3]{#x}",
        "\\sin(#)", "\\sin(#x)",   "(1/#)!", "(x/#)!",  "#!",        "x^{#}",
        "\\ln #",   "\\tan^{-1}#", "(#,#)",  "#\\pi",   "e^{1/#}"};
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        static const int counts[] = {10, 60, 500};
        for (size_t k = 0; k < 3; k++) {
            expect_many(items[i], items[i][0] == '(' && items[i][1] == '#' ? "," : "+", counts[k]);
            expect_many(items[i], ",", counts[k]);
        }
    }
    expect_many("(#,#+1)", " \\cup ", 60);
}
END_TEST

START_TEST(million_digits_and_odd_bytes)
{
    Buffer b = {0};
    buffer_text(&b, "\\boxed{");
    repeat(&b, "9", 1000000);
    buffer_text(&b, "}");
    double began = now_ms();
    ck_assert_int_eq(score_record("{\"answer\": 9}", b.data, b.size, FINISH_EOS).status,
                     SCORE_REFUSED);
    ck_assert(now_ms() - began < MOST_MS);
    Span digits = {b.data + 7, 9000}, fewer = {b.data + 7, 8999};
    ck_assert_int_eq(timed(digits, digits), MATH_EQUAL);
    ck_assert_int_eq(timed(digits, fewer), MATH_DIFFERENT);
    buffer_free(&b);
    static const struct {
        const char *text;
        size_t n;
    } odd[] = {{"\xff\xfe\x80", 3},
               {"5\0", 2},
               {"\0", 1},
               {"\\", 1},
               {"\\text", 5},
               {"{\\", 2},
               {"\xe2\x88", 2},
               {"1\\,", 3},
               {"$", 1},
               {"x_", 2},
               {"<|endoftext|>", 13},
               {"\\frac", 5},
               {"\\sqrt[", 6},
               {"5_", 2},
               {"|", 1},
               {"\\begin{", 7}};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        Span s = {odd[i].text, odd[i].n};
        ck_assert_int_ne(timed(s, span_of("5+1")), MATH_EQUAL);
        Score score = score_record("{\"answer\": \"5+1\"}", s.p, s.n, FINISH_EOS);
        ck_assert(score.status == SCORE_OK && score.value == 0);
    }
}
END_TEST

TEST_MAIN("math_equal", numbers_are_exact, constants_are_certified, expressions_in_variables,
          collections, a_list_without_brackets_has_no_order, an_answer_without_value_is_wrong,
          sets_of_reals, equations_up_to_a_factor, units_percent_base_and_money, words,
          rounding_only_where_it_is_asked_for, finds_the_place_of_an_answer, scores_with_a_status,
          agrees_with_every_golden_pair, nests_end_in_time, large_values_end_in_time,
          long_sums_and_lists_end_in_time, million_digits_and_odd_bytes)

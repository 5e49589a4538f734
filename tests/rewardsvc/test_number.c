/* The reward number, and units. */
#include "rewardsvc/units.h"

#include "tests/reward_scores.h"

static void expect_unit(const char *text, double factor, size_t taken)
{
    Unit u;
    size_t n = unit_scan(span_of(text), &u);
    ck_assert_msg(n == taken, "\"%s\": %zu bytes", text, n);
    ck_assert_msg(fabs(u.factor.d - factor) <= 1e-12 * factor, "\"%s\": %.17g", text, u.factor.d);
}

START_TEST(units_are_read)
{
    static const struct {
        const char *text;
        double factor;
    } rows[] = {{"m", 1},
                {" km", 1000},
                {"km/h", 1000. / 3600},
                {"m/s^2", 1},
                {"m/s/s", 1},
                {"m s^-2", 1},
                {"kg", 1},
                {"mg", 1e-6},
                {"min", 60},
                {"ft", 0.3048},
                {"mm", 1e-3},
                {"\xC2\xB5m", 1e-6},
                {"\xCE\xBCs", 1e-6},
                {"kilometers", 1000},
                {"kilometres per hour", 1000. / 3600},
                {"kWh", 3.6e6},
                {"mL", 1e-6},
                {"cm^{3}", 1e-6},
                {"cm\xC2\xB2", 1e-4},
                {"m2", 1},
                {"square feet", 0.09290304},
                {"cubic meters", 1},
                {"\\text{ km}", 1000},
                {"\\mathrm{m/s^2}", 1},
                {"\\,\\text{J}/(\\text{kg} \\cdot \\text{K})", 1},
                {"N*m", 1},
                {"N m", 1},
                {"kg\xC2\xB7m/s", 1},
                {"%", 0.01},
                {"\\%", 0.01},
                {"^\\circ", 0.017453292519943295},
                {"degrees", 0.017453292519943295},
                {"^\\circ\\text{C}", 1},
                {"\xC2\xB0"
                 "F",
                 5. / 9},
                {"Pa", 1},
                {"hPa", 100},
                {"GHz", 1e9},
                {"MiB", 1048576},
                {"k\xCE\xA9", 1000},
                {"mph", 0.44704},
                {"light-years", 9460730472580800.},
                {"$", 1},
                {"cents", 0.01}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_unit(rows[i].text, rows[i].factor, strlen(rows[i].text));
    expect_unit("m and more", 1, 1);
    expect_unit("km.", 1000, 2);
    expect_unit("m^", 1, 1);
    expect_unit("m^99", 1, 0);
    expect_unit("apples", 1, 0);
    expect_unit("", 1, 0);
    expect_unit("(m", 1, 0);
    expect_unit("m/", 1, 1);
    Unit a, b;
    unit_scan(span_of("J"), &a), unit_scan(span_of("kg m^2/s^2"), &b);
    ck_assert(unit_comparable(&a, &b) && !unit_is_number(&a));
    unit_scan(span_of("N"), &b);
    ck_assert(!unit_comparable(&a, &b));
}
END_TEST

START_TEST(quantities_are_compared)
{
    const Setup s = {"number", {NULL}}, need = {"number", {"units", "required"}},
                plain = {"number", {"units", "ignore"}};
    const char *km = "{\"answer\": \"1.5 km\"}";
    static const char *const right[] = {"1.5 km",
                                        "1500 m",
                                        "\\boxed{1500\\text{ m}}",
                                        "<answer>1.5e3 m</answer>",
                                        "#### 1,500 m",
                                        "d = 1.5 \\times 10^3 \\text{ m}",
                                        "So the distance is 1.5\xC3\x97"
                                        "10^{3} m.",
                                        "1.5",
                                        "150000 centimeters",
                                        "\\boxed{d = 1.5\\,\\mathrm{km}}",
                                        "3 m then 1.5 km",
                                        "\\boxed{1.5 km = 1500 m}",
                                        "3/2 km"};
    static const char *const wrong[] = {"1.5 m",
                                        "1500",
                                        "1.5 kg",
                                        "15 km",
                                        "",
                                        "none",
                                        "\\boxed{1.5 km or 2 km}",
                                        "1.5 km^2",
                                        "1.5 km/h",
                                        "\\boxed{}",
                                        "\\boxed{1501 m}"};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) expect(&s, km, right[i], 1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) expect(&s, km, wrong[i], 0);
    expect(&need, km, "1.5", 0);
    expect(&need, km, "1500 m", 1);
    expect(&need, "{\"answer\": 7}", "7", 1);
    expect(&plain, km, "1.5 kg", 1);
    expect(&s, "{\"answer\": 1.5, \"unit\": \"km\"}", "1500 m", 1);
    expect(&s, "{\"answer\": 7}", "7 apples", 1);
    expect(&s, "{\"answer\": 0.5}", "50%", 1);
    expect(&s, "{\"answer\": \"50%\"}", "50", 1);
    expect(&s, "{\"answer\": \"50%\"}", "0.5", 0);
    expect(&s, "{\"answer\": \"$1,234.50\"}", "\\boxed{\\$1234.5}", 1);
    expect(&s, "{\"answer\": \"$5\"}", "500 cents", 1);
    expect(&s, "{\"answer\": \"$5\"}",
           "\xE2\x82\xAC"
           "5",
           0);
    expect(&s, "{\"answer\": \"25 \u00b0C\"}", "298.15 K", 1);
    expect(&s, "{\"answer\": \"25 \u00b0C\"}",
           "77 \xC2\xB0"
           "F",
           1);
    expect(&s, "{\"answer\": \"0.1 km\"}", "100 m", 1);
    expect(&s, "{\"answer\": \"4.35 m\"}", "435 cm", 1); /* not with doubles */
    expect(&s, "{\"answer\": [1, 2]}", "2", 1);
    expect(&s, "{\"answer\": \"-5\"}", "5", 0);
    expect(&s, "{\"answer\": \"6.02e23\"}", "6.02 \\times 10^{23}", 1);
    expect(&s, "{\"answer\": \"180 degrees\"}", "180", 1);
    expect_status(&s, "{\"answer\": \"many\"}", "5", SCORE_ERROR);
    expect_status(&s, "{}", "5", SCORE_ERROR);
}
END_TEST

START_TEST(tolerances)
{
    const Setup absolute = {"number", {"absolute", "0.01"}},
                relative = {"number", {"relative", "0.05"}},
                both = {"number", {"relative", "0.05", "absolute", "1"}};
    expect(&absolute, "{\"answer\": 3.14}", "3.1415", 1);
    expect(&absolute, "{\"answer\": 3.14}", "3.15", 1);
    expect(&absolute, "{\"answer\": 3.14}", "3.151", 0);
    expect(&absolute, "{\"answer\": \"3.14 m\"}", "314.9 cm", 1); /* in the reference's unit */
    expect(&absolute, "{\"answer\": \"3.14 m\"}", "315.1 cm", 0);
    expect(&relative, "{\"answer\": 200}", "210", 1);
    expect(&relative, "{\"answer\": 200}", "211", 0);
    expect(&relative, "{\"answer\": -200}", "-190", 1);
    expect(&relative, "{\"answer\": 0}", "0.001", 0);
    expect(&both, "{\"answer\": 0}", "0.5", 1);
    const Setup last = {"number", {"pick", "last"}}, only = {"number", {"pick", "only"}},
                bad = {"number", {"pick", "some"}}, bad2 = {"number", {"units", "some"}};
    expect(&last, "{\"answer\": 2}", "\\boxed{1 or 2}", 1);
    expect(&only, "{\"answer\": 2}", "1 or 2", 0);
    expect_refused(&bad, "pick:");
    expect_refused(&bad2, "units:");
    json_t *json = json_pack("{s:i}", "answer", 12);
    Evidence e = {.text = "it is 12", .n_text = 8, .record = json, .finish = FINISH_LENGTH};
    ck_assert(setup_score(&only, &e).value == 0);
    e.finish = FINISH_EOS;
    ck_assert(setup_score(&only, &e).value == 1);
    json_decref(json);
}
END_TEST

START_TEST(hostile_texts_end_in_time)
{
    const Setup setups[] = {{"number", {NULL}}, {"number", {"where", "whole", "pick", "only"}}};
    expect_survives(setups, 2, "{\"answer\": \"5 km\"}");
    static const char *const pieces[] = {
        "1 ",   "1 m*m*m*m*m*m*m*m*m*m*m ", "1((((((((((((((((((", "=", "1=", "$5 ", "-", "1.",
        "1x10^"};
    for (int i = 0; i < 9; i++) {
        Buffer b = {0};
        while (b.size < HOSTILE_BYTES) buffer_text(&b, pieces[i]);
        clock_t began = clock();
        Score s = score_bytes(&setups[1], "{\"answer\": \"1 m\"}", b.data, b.size);
        double took = (double)(clock() - began) / CLOCKS_PER_SEC;
        ck_assert(s.status == SCORE_OK);
        if (getenv("TROUPE_SHOW_TIMES")) printf("%6.1f ms number, %s\n", 1e3 * took, pieces[i]);
        buffer_free(&b);
    }
}
END_TEST

TEST_MAIN("number", units_are_read, quantities_are_compared, tolerances, hostile_texts_end_in_time)

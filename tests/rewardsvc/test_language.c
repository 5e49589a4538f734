/* The reward language: languages, mixtures, scripts, what is left out, and what cannot be judged.
 * The sentences are ours. */
#include "tests/reward_scores.h"

typedef struct {
    const char *code, *text;
} Sentence;

static const Sentence sentences[] = {
    {"en", "First we add the two numbers together, and then we divide the result by three."},
    {"de", "Zuerst addieren wir die beiden Zahlen, und danach teilen wir das Ergebnis durch drei."},
    {"fr",
     "D'abord nous additionnons les deux nombres, puis nous divisons le r\u00e9sultat par trois."},
    {"es",
     "Primero sumamos los dos n\u00fameros y despu\u00e9s dividimos el resultado entre tres."},
    {"it",
     "Prima sommiamo i due numeri e poi dividiamo il risultato per tre, che \u00e8 semplice."},
    {"pt", "Primeiro somamos os dois n\u00fameros e depois dividimos o resultado por tr\u00eas, "
           "n\u00e3o \u00e9?"},
    {"nl",
     "Eerst tellen we de twee getallen bij elkaar op en daarna delen we het resultaat door drie."},
    {"sv", "F\u00f6rst l\u00e4gger vi ihop de tv\u00e5 talen och sedan delar vi resultatet med "
           "tre, som jag sade."},
    {"pl",
     "Najpierw dodajemy obie liczby, a potem dzielimy wynik przez trzy, poniewa\u017c tak trzeba."},
    {"cs", "Nejprve se\u010dteme ob\u011b \u010d\u00edsla a potom v\u00fdsledek vyd\u011bl\u00edme "
           "t\u0159emi, proto\u017ee je to nutn\u00e9."},
    {"tr", "\u00d6nce iki say\u0131y\u0131 topluyoruz ve sonra sonucu \u00fc\u00e7e "
           "b\u00f6l\u00fcyoruz, \u00e7\u00fcnk\u00fc b\u00f6yle gerekiyor."},
    {"vi", "\u0110\u1ea7u ti\u00ean ch\u00fang ta c\u1ed9ng hai s\u1ed1 l\u1ea1i v\u1edbi nhau, "
           "sau \u0111\u00f3 chia k\u1ebft qu\u1ea3 cho ba."},
    {"fi", "Ensin laskemme yhteen molemmat luvut ja sitten jaamme tuloksen kolmella, koska niin "
           "pit\u00e4\u00e4."},
    {"ru", "\u0421\u043d\u0430\u0447\u0430\u043b\u0430 \u043c\u044b "
           "\u0441\u043a\u043b\u0430\u0434\u044b\u0432\u0430\u0435\u043c \u043e\u0431\u0430 "
           "\u0447\u0438\u0441\u043b\u0430, \u0430 \u043f\u043e\u0442\u043e\u043c "
           "\u0434\u0435\u043b\u0438\u043c \u0440\u0435\u0437\u0443\u043b\u044c\u0442\u0430\u0442 "
           "\u043d\u0430 \u0442\u0440\u0438."},
    {"el",
     "\u03a0\u03c1\u03ce\u03c4\u03b1 "
     "\u03c0\u03c1\u03bf\u03c3\u03b8\u03ad\u03c4\u03bf\u03c5\u03bc\u03b5 \u03c4\u03bf\u03c5\u03c2 "
     "\u03b4\u03cd\u03bf \u03b1\u03c1\u03b9\u03b8\u03bc\u03bf\u03cd\u03c2 \u03ba\u03b1\u03b9 "
     "\u03bc\u03b5\u03c4\u03ac \u03b4\u03b9\u03b1\u03b9\u03c1\u03bf\u03cd\u03bc\u03b5."},
    {"ar", "\u0623\u0648\u0644\u0627 \u0646\u062c\u0645\u0639 "
           "\u0627\u0644\u0639\u062f\u062f\u064a\u0646 \u0645\u0639\u0627 \u062b\u0645 "
           "\u0646\u0642\u0633\u0645 \u0627\u0644\u0646\u062a\u064a\u062c\u0629 \u0639\u0644\u0649 "
           "\u062b\u0644\u0627\u062b\u0629."},
    {"hi",
     "\u092a\u0939\u0932\u0947 \u0939\u092e \u0926\u094b\u0928\u094b\u0902 "
     "\u0938\u0902\u0916\u094d\u092f\u093e\u0913\u0902 \u0915\u094b "
     "\u091c\u094b\u0921\u093c\u0924\u0947 \u0939\u0948\u0902 \u0914\u0930 \u092b\u093f\u0930 "
     "\u092a\u0930\u093f\u0923\u093e\u092e \u0915\u094b \u0924\u0940\u0928 \u0938\u0947 "
     "\u092d\u093e\u0917 \u0926\u0947\u0924\u0947 \u0939\u0948\u0902\u0964"},
    {"zh", "\u9996\u5148\u6211\u4eec\u628a\u4e24\u4e2a\u6570\u52a0\u8d77\u6765\uff0c\u7136\u540e"
           "\u628a\u7ed3\u679c\u9664\u4ee5\u4e09\uff0c\u5c31\u5f97\u5230\u7b54\u6848\u3002"},
    {"ja", "\u307e\u305a\u4e8c\u3064\u306e\u6570\u3092\u8db3\u3057\u3001\u6b21\u306b\u305d\u306e"
           "\u7d50\u679c\u3092\u4e09\u3067\u5272\u308a\u307e\u3059\u3002"},
    {"ko", "\uba3c\uc800 \ub450 \uc218\ub97c \ub354\ud558\uace0 \uadf8 \ub2e4\uc74c\uc5d0 "
           "\uacb0\uacfc\ub97c \uc14b\uc73c\ub85c \ub098\ub215\ub2c8\ub2e4."},
    {"th",
     "\u0e01\u0e48\u0e2d\u0e19\u0e2d\u0e37\u0e48\u0e19\u0e40\u0e23\u0e32\u0e1a\u0e27\u0e01\u0e2a"
     "\u0e2d\u0e07\u0e08\u0e33\u0e19\u0e27\u0e19\u0e41\u0e25\u0e49\u0e27\u0e2b\u0e32\u0e23\u0e1c"
     "\u0e25\u0e25\u0e31\u0e1e\u0e18\u0e4c\u0e14\u0e49\u0e27\u0e22\u0e2a\u0e32\u0e21"},
};
enum { N_SENTENCES = sizeof sentences / sizeof *sentences };

START_TEST(languages_are_told_apart)
{
    for (int i = 0; i < N_SENTENCES; i++)
        for (int k = 0; k < N_SENTENCES; k++) {
            const Setup s = {"language", {"language", sentences[k].code}};
            expect(&s, "{}", sentences[i].text, i == k);
        }
}
END_TEST

START_TEST(mixtures_have_shares)
{
    const Setup pass = {"language", {NULL}}, share = {"language", {"form", "share"}},
                two = {"language", {"language", "en, zh"}};
    char *mixed = mem_printf("%s %s %s %s", sentences[0].text, sentences[0].text,
                             sentences[17].text, sentences[17].text);
    Score s = score_text(&share, "{}", mixed);
    ck_assert(s.status == SCORE_OK && s.value > 0.4 && s.value < 0.9);
    expect(&two, "{}", mixed, 1);
    expect(&share, "{}", sentences[1].text, 0);
    ck_assert(score_text(&share, "{}", sentences[0].text).value > 0.95);
    expect(&pass, "{}", mixed, 0);
    mem_free(mixed);
}
END_TEST

START_TEST(what_is_no_language_is_left_out)
{
    const Setup de = {"language", {"language", "de"}};
    char *text =
        mem_printf("%s\n```python\nfor number in range(ten): print(number, \"and the other words "
                   "of this\")\n```\n$\\text{the and of which these those}$ \\[ \\text{with this "
                   "and the other} \\] <div class> https://example.org/the-and-of-which %s",
                   sentences[1].text, sentences[1].text);
    expect(&de, "{}", text, 1);
    mem_free(text);
}
END_TEST

START_TEST(short_or_unsure_is_not_applicable)
{
    const Setup en = {"language", {NULL}}, least = {"language", {"letters", "200"}};
    static const char *const texts[] = {"",
                                        "42",
                                        "x = 5",
                                        "OK yes",
                                        "$\\frac{1}{2}$ is \\boxed{1}",
                                        "xqzt vvkj qqpw zzxr kkjq wwvx jjqk xxzp",
                                        "```\nfor i in range(10): print(i)\n"};
    for (int i = 0; i < 7; i++) expect_status(&en, "{}", texts[i], SCORE_NOT_APPLICABLE);
    expect_status(&least, "{}", sentences[0].text, SCORE_NOT_APPLICABLE);
    const Setup tag = {"language", {"where", "answer"}};
    expect_status(&tag, "{}", sentences[0].text, SCORE_NOT_APPLICABLE);
}
END_TEST

START_TEST(the_wanted_language_may_be_the_prompts_or_the_records)
{
    const Setup prompt = {"language", {"language", "prompt"}},
                record = {"language", {"language", "record"}};
    json_t *none = json_object();
    for (int i = 0; i < 2; i++) {
        Evidence e = {.prompt = sentences[1].text,
                      .n_prompt = strlen(sentences[1].text),
                      .text = sentences[i].text,
                      .n_text = strlen(sentences[i].text),
                      .record = none};
        Score s = setup_score(&prompt, &e);
        ck_assert(s.status == SCORE_OK && s.value == i);
        e.prompt = "2 + 2 =", e.n_prompt = 7;
        ck_assert_int_eq(setup_score(&prompt, &e).status, SCORE_NOT_APPLICABLE);
    }
    json_decref(none);
    expect(&record, "{\"language\": \"fr\"}", sentences[2].text, 1);
    expect(&record, "{\"language\": \"fr\"}", sentences[3].text, 0);
    expect_status(&record, "{}", sentences[3].text, SCORE_ERROR);
}
END_TEST

START_TEST(scripts_are_counted)
{
    const Setup latin = {"language", {"script", "Latin"}},
                cyrillic = {"language", {"script", "Cyrillic", "form", "share"}},
                han = {"language", {"script", "Han", "letters", "6"}},
                bad = {"language", {"script", "Klingon"}}, form = {"language", {"form", "some"}};
    expect(&latin, "{}", sentences[0].text, 1);
    expect(&latin, "{}", sentences[11].text, 1);
    expect(&latin, "{}", sentences[13].text, 0);
    expect(&cyrillic, "{}",
           "\u0430\u0431\u0432\u0433\u0434\u0435\u0436\u0437\u0438\u043a abcdefghij", 0.5);
    expect(&han, "{}", "\u7b54\u6848\u662f 42", 1);
    expect_status(&han, "{}", "42", SCORE_NOT_APPLICABLE);
    expect_refused(&bad, "Klingon");
    expect_refused(&form, "form:");
}
END_TEST

START_TEST(hostile_texts_end_in_time)
{
    const Setup setups[] = {{"language", {NULL}}, {"language", {"script", "Han"}}};
    expect_survives(setups, 2, "{}");
    static const char *const pieces[] = {"`",   "$",       "$ ", "<",      "\\[",
                                         "\\(", "http://", "h",  "\u4e2d", "\xEF\xBF\xBE"};
    for (int i = 0; i < 10; i++) {
        Buffer b = {0};
        while (b.size < HOSTILE_BYTES) buffer_text(&b, pieces[i]);
        clock_t began = clock();
        score_bytes(&setups[0], "{}", b.data, b.size);
        double took = (double)(clock() - began) / CLOCKS_PER_SEC;
        ck_assert_msg(took <= HOSTILE_SECONDS, "%s: %.0f ms", pieces[i], 1e3 * took);
        if (getenv("TROUPE_SHOW_TIMES")) printf("%6.1f ms language, %s\n", 1e3 * took, pieces[i]);
        buffer_free(&b);
    }
}
END_TEST

TEST_MAIN("language", languages_are_told_apart, mixtures_have_shares,
          what_is_no_language_is_left_out, short_or_unsure_is_not_applicable,
          the_wanted_language_may_be_the_prompts_or_the_records, scripts_are_counted,
          hostile_texts_end_in_time)

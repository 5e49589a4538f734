/* Verifiable instructions: every kind on texts that follow it and texts that do not, the two forms
 * of a record, the loose readings, hostile texts. */
#include <time.h>

#include "rewardsvc/instruction.h"
#include "tests/reward_scores.h"

typedef struct {
    const char *instruction; /* inside the braces of {"kind": ...} */
    const char *followed[6], *broken[6];
} Case;

static const Case cases[] = {
    {"'keywords_present', 'keywords': ['Cat', '\xC3\x89T\xC3\x89']",
     {"a cat in \xC3\xA9t\xC3\xA9", "CATS: \xC3\x89t\xC3\xA9s"},
     {"a cat", "ca t \xC3\xA9t\xC3\xA9", "ete cat"}},
    {"'keywords_absent', 'keywords': ['cat', 'stra\xC3\x9F"
     "e']",
     {"concatenate", "cats",
      "Stra\xC3\x9F"
      "en",
      "cat\xC3\xA9"},
     {"a Cat.", "cat",
      "STRA\xC3\x9F"
      "E 5",
      "(cat)", "my-cat"}},
    {"'keywords_absent', 'keywords': ['C++']", {"C, C#"}, {"C++x"}},
    {"'keyword_frequency', 'keyword': 'ab', 'relation': 'at least', 'count': 2",
     {"ab cABd", "abab", "ab ab ab"},
     {"ab", "a b a b", "aab"}},
    {"'keyword_frequency', 'keyword': 'ab', 'relation': 'less than', 'count': 2",
     {"ab", "x"},
     {"abab"}},
    {"'letter_frequency', 'letter': '\xC3\x84', 'relation': 'exactly', 'count': 2",
     {"\xC3\xA4\xC3\x84", "M\xC3\xA4rz \xC3\xA4"},
     {"aa", "\xC3\xA4", "\xC3\xA4\xC3\xA4\xC3\xA4"}},
    {"'letter_frequency', 'letter': '!', 'count': 2", {"a!!", "!!!"}, {"!"}},
    {"'word_count', 'relation': 'at least', 'count': 3",
     {"one two three", "a-b-c", "it's so",
      "\xD0\xB4\xD0\xB0 \xD0\xBD\xD0\xB5\xD1\x82 \xD0\xBE\xD0\xBA",
      "\xE0\xA4\xB9\xE0\xA4\xBF\xE0\xA4\x82\xE0\xA4\xA6\xE0\xA5\x80 a b"},
     {"one two", "... !!!", "\xE0\xA4\xB9\xE0\xA4\xBF\xE0\xA4\x82\xE0\xA4\xA6\xE0\xA5\x80 a"}},
    {"'word_count', 'relation': 'at most', 'count': 1", {"one", "!"}, {"one two"}},
    {"'word_count', 'relation': 'more than', 'count': 1", {"a b"}, {"a"}},
    {"'unique_word_count', 'relation': 'exactly', 'count': 2",
     {"a B a b", "\xC3\x89 \xC3\xA9 e"},
     {"a", "a b c"}},
    {"'no_repeated_words'", {"a b c", "a\xCC\x81 a"}, {"A b a", "go, go"}},
    {"'word_length', 'least': 2, 'most': 3",
     {"ab abc", "\xC3\xA9\xC3\xA9\xC3\xA9"},
     {"a ab", "abcd"}},
    {"'capital_words', 'relation': 'exactly', 'count': 2",
     {"NASA and A4", "I am IN", "U.S. is WELL-KNOWN", "\xC3\x84\xC3\x96 \xD0\x94\xD0\x90"},
     {"NASA", "Nasa And", "1 2", "NASA ESA JAXA"}},
    {"'palindromes', 'count': 2",
     {"level noon", "\xD0\x9F\xD0\xBE\xD0\xBF did", "Abba civic x"},
     {"a b", "noon", "ab ba"}},
    {"'palindromes', 'count': 1, 'length': 5", {"Level"}, {"noon"}},
    {"'words_begin_with', 'letter': 's'", {"Sing some songs", "s"}, {"Sing a song", "!?"}},
    {"'alphabetical_words'",
     {"apples bring cheer", "Yes, zebras always", "x"},
     {"apples cheer", "b b", "5 b", "!", "\xC3\xA9t\xC3\xA9"}},
    {"'numbers', 'count': 2", {"3 and 4.5", "1,000 or -2"}, {"3", "1 2 3", "none"}},
    {"'sentence_count', 'relation': 'exactly', 'count': 2",
     {"One. Two.", "Dr. No came. He left!", "Really?! Yes", "He said \"Go.\" She went.",
      "It is 3.14 now. See e.g. x.",
      "\xE4\xBD\xA0\xE5\xA5\xBD\xE3\x80\x82\xE5\x86\x8D\xE8\xA7\x81\xE3\x80\x82"},
     {"One.", "One. Two. Three.", "J. S. Bach", "no end", "a.b.c"}},
    {"'sentence_length', 'count': 3", {"One two three. Four.", "a"}, {"One two three four. Five."}},
    {"'chained_sentences'",
     {"I like tea. Tea is hot. Hot it is."},
     {"I like tea. It is hot.", "One sentence."}},
    {"'word_at', 'word': 'Tea', 'sentence': 2, 'position': 1",
     {"I drink. Tea it is."},
     {"Tea. Coffee.", "Tea", "I drink. My tea."}},
    {"'line_count', 'count': 2", {"a\nb", "a\n\n b\n"}, {"a", "a\nb\nc"}},
    {"'acrostic', 'word': 'd\xC3\xA9j'",
     {"Do\n\n\xC3\x89"
      "clat\n**Jump**\n"},
     {"Do\n\xC3\xA9t\xC3\xA9", "Do\n\xC3\xA9\nj\nx", "x", "de\nej"}},
    {"'paragraph_count', 'count': 2",
     {"a\n***\nb", "***\na *** b\n***", "a***b"},
     {"a\n\nb", "a\n******\nb", "a *** b *** c", "***\n***"}},
    {"'blank_line_paragraphs', 'count': 2", {"a\n\nb", "a\nc\n \n\nb\n"}, {"a\nb", "a\n\nb\n\nc"}},
    {"'paragraph_first_word', 'count': 2, 'nth': 2, 'word': 'Hello'",
     {"a\n\nHello, b", "a\n\n\"hello\" b", "a\n\n'HELLO' x"},
     {"Hello\n\na", "a\n\nHello\n\nb", "a\n\nHelloween", "Hello"}},
    {"'paragraph_first_word', 'nth': 1, 'word': '\xC3\x9C"
     "ber'",
     {"\xC3\xBC"
      "ber x\n\ny"},
     {"Uber"}},
    {"'bullets', 'count': 2",
     {"* a\n* b", "- a\n  - b\n", "*a\n*b", "intro\n* a\n\n- b"},
     {"* a", "** a\n** b", "* a\n* b\n* c", "a * b\na - b"}},
    {"'numbered_list', 'count': 2", {"1. a\n2. b", " 1) a\n10) b"}, {"1. a", "1.a\n2.b", "a 1. b"}},
    {"'headings', 'count': 1", {"# A\ntext", "text\n### B"}, {"#A", "# A\n## B", "####### A"}},
    {"'table', 'count': 2",
     {"|a|b|\n|---|---|\n|1|2|", "a | b\n:-- | --:\n"},
     {"|a|b|c|\n|-|-|-|", "|a|b|", "a\n---", "|a|b|\n|---|"}},
    {"'code_blocks', 'count': 1", {"```c\nx\n```", "a\n~~~\nb\n~~~\n"}, {"```c\nx", "`x`"}},
    {"'line_prefix', 'text': '>'", {"> a\n\n> b", ">a"}, {"> a\nb"}},
    {"'sections', 'word': 'SECTION', 'count': 2",
     {"SECTION 1\na\nSECTION2 b", "SECTION 1 SECTION 12"},
     {"SECTION 1", "Section 1 Section 2", "SECTION one SECTION two", "SECTION  1 SECTION  2"}},
    {"'highlights', 'count': 2",
     {"*a* and *b c*", "**a** *b*", "**\xC3\xA9** **\xC3\xA8**"},
     {"*a*", "* * and **", "*a\nb* c*", "***", "a * b"}},
    {"'placeholders', 'count': 2",
     {"[name] at [street]", "[] []", "[[a] [b]"},
     {"[name]", "[a\nb] [c]", "name]"}},
    {"'title'",
     {"<<Joy>>\ntext", "x <<a b>> y", "<<<a>>>"},
     {"<<>>", "<< >>", "<Joy>", "<<a\nb>>"}},
    {"'postscript', 'marker': 'P.S.'",
     {"Hi.\nP.S. you", "p. s. x", "P.s.x"},
     {"PS: you", "P.P.S x", "P.  S."}},
    {"'postscript', 'marker': 'P.P.S'", {"P.P.S bye", "p. p. s"}, {"P.S. bye", "P.P."}},
    {"'postscript', 'marker': 'Nachtrag:'", {"nachtrag: x"}, {"Nachtrag x"}},
    {"'json'",
     {"{\"a\": [1]}", "```json\n[1]\n```", "```\n1\n```", " \"\xC3\xA9\" "},
     {"{a: 1}", "Here: [1]", "[1] x", "```json\n{\n```", "{\"a\": 1, \"a\": 2}"}},
    {"'quoted'",
     {"\"a\"", " \"a b\"\n", "\"\""},
     {"\"a", "a\"", "\"", "'a'",
      "\xE2\x80\x9C"
      "a\xE2\x80\x9D"}},
    {"'two_responses'",
     {"a\n******\nb", "******a******b******"},
     {"a\n******\na", "a\n***\nb", "a******b******c", "a************b", "a"}},
    {"'nesting', 'count': 3",
     {"((()))", "a [b {c (d)} e]", "() [({})]"},
     {"(())", "((( ", "([)](]"}},
    {"'starts_with', 'text': '\xC3\x89t\xC3\xA9 is'",
     {" \xC3\xA9T\xC3\x89 is here"},
     {"It \xC3\xA9t\xC3\xA9 is"}},
    {"'ends_with', 'text': 'the End.'",
     {"... The end.", "\"x the end.\" \n"},
     {"the end", "the end. x"}},
    {"'repeat_prompt', 'text': 'Write a poem. '",
     {"WRITE a poem. Here:", "write a poem."},
     {"Here: Write a poem.", "Write  a poem."}},
    {"'exact_text', 'text': 'Yes \xE2\x9C\x93'",
     {" Yes \xE2\x9C\x93\n"},
     {"yes \xE2\x9C\x93", "Yes \xE2\x9C\x93!"}},
    {"'one_of', 'options': ['yes', 'no']", {"yes", " no "}, {"Yes", "yes.", "maybe"}},
    {"'yes_no_maybe'",
     {"Well, My answer is no.", "My answer is maybe."},
     {"my answer is no.", "No"}},
    {"'all_upper'", {"ABC 1!", "\xC3\x84\xC3\x96"}, {"ABc", "123", "\xC3\x84\xC3\xB6", "\xC7\x85"}},
    {"'all_lower'",
     {"abc 1!", "\xC3\xA4\xC3\x9F \xE4\xBD\xA0"},
     {"aBc", "123", "\xC3\xA4\xC3\x96"}},
    {"'title_case'",
     {"A Tale Of 2 Cities", "Don't Go", "\xC3\x89t\xC3\xA9"},
     {"A tale", "\xC3\xA9t\xC3\xA9", "1 2"}},
    {"'no_comma'",
     {"a; b", "a\xEF\xBC\x8C"
              "b"},
     {"a, b", ","}},
    {"'no_punctuation'", {"a b $1", "\xC3\xA9"}, {"a.", "a-b", "\xC2\xBFque", "\xE3\x80\x82"}},
    {"'no_white_space'",
     {"a,b\n", "\xC3\xA9"},
     {"a b",
      "a\xC2\xA0"
      "b",
      "a\tb"}},
    {"'ascii_only'", {"plain"}, {"caf\xC3\xA9", "\xFF"}},
    {"'characters_absent', 'characters': 'e\xC3\xA9'",
     {"a Big cat", "\xC3\xA8"},
     {"me", "\xC3\xA9"}},
    {"'character_count', 'count': 3", {"abc", " \xC3\xA9\xF0\x9F\x98\x80z "}, {"abcd"}},
    {"'emoji_count', 'relation': 'exactly', 'count': 2",
     {"\xF0\x9F\x98\x80\xF0\x9F\x98\x80", "\xF0\x9F\x87\xA9\xF0\x9F\x87\xAA \xE2\x9C\x85",
      "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB x \xF0\x9F\x91\x8D\xF0\x9F\x8F\xBD"},
     {"\xF0\x9F\x98\x80", ":)",
      "\xF0\x9F\x87\xA9\xF0\x9F\x87\xAA\xF0\x9F\x87\xA9\xF0\x9F\x87\xAA!\xF0\x9F\x98\x80"}},
    {"'language', 'language': 'de'",
     {"Das ist ein kurzer Satz auf Deutsch, damit man die Sprache erkennt."},
     {"This is a short sentence in English, so that the language is seen.", "123 !",
      "\xE8\xBF\x99\xE6\x98\xAF\xE4\xB8\x80\xE4\xB8\xAA\xE6\xAF\x94\xE8\xBE\x83\xE9\x95\xBF\xE7\x9A"
      "\x84\xE4\xB8\xAD\xE6\x96\x87\xE5\x8F\xA5\xE5\xAD\x90\xEF\xBC\x8C\xE7\x94\xA8\xE6\x9D\xA5\xE6"
      "\xA3\x80\xE9\xAA\x8C\xE8\xAF\xAD\xE8\xA8\x80\xE8\xAF\x86\xE5\x88\xAB\xE6\x98\xAF\xE5\x90\xA6"
      "\xE6\xAD\xA3\xE7\xA1\xAE\xE3\x80\x82"}},
    {"'language', 'language': 'zh-cn'",
     {"\xE8\xBF\x99\xE6\x98\xAF\xE4\xB8\x80\xE4\xB8\xAA\xE6\xAF\x94\xE8\xBE\x83\xE9\x95\xBF\xE7\x9A"
      "\x84\xE4\xB8\xAD\xE6\x96\x87\xE5\x8F\xA5\xE5\xAD\x90\xEF\xBC\x8C\xE7\x94\xA8\xE6\x9D\xA5\xE6"
      "\xA3\x80\xE9\xAA\x8C\xE8\xAF\xAD\xE8\xA8\x80\xE8\xAF\x86\xE5\x88\xAB\xE6\x98\xAF\xE5\x90\xA6"
      "\xE6\xAD\xA3\xE7\xA1\xAE\xE3\x80\x82"},
     {"This is a short sentence in English, so that the language is seen."}},
};
enum { N_CASES = sizeof cases / sizeof *cases };

/* 'a' -> "a" */
static char *record_of(const char *format, const char *instruction)
{
    char *text = mem_printf(format, instruction);
    for (char *p = text; *p; p++)
        if (*p == '\'') *p = '"';
    return text;
}

START_TEST(every_kind_is_followed_and_broken)
{
    const Setup setup = {"instructions", {NULL}};
    for (int i = 0; i < N_CASES; i++) {
        char *record = record_of("{'instructions': [{'kind': %s}]}", cases[i].instruction);
        for (int k = 0; k < 6 && cases[i].followed[k]; k++)
            expect(&setup, record, cases[i].followed[k], 1);
        for (int k = 0; k < 6 && cases[i].broken[k]; k++)
            expect(&setup, record, cases[i].broken[k], 0);
        expect(&setup, record, " \n", 0); /* nothing follows nothing */
        mem_free(record);
    }
}
END_TEST

START_TEST(no_kind_is_without_a_case)
{
    int n = 0, published = 0;
    for (const InstructionKind *k; (k = instruction_at(n)) != NULL; n++) {
        bool found = false;
        for (int i = 0; i < N_CASES; i++) {
            size_t length = strlen(k->name);
            found |= strncmp(cases[i].instruction + 1, k->name, length) == 0 &&
                     cases[i].instruction[1 + length] == '\'';
        }
        ck_assert_msg(found, "%s has no case", k->name);
        ck_assert_ptr_eq(instruction_find(k->name), k);
        if (k->published) ck_assert_ptr_eq(instruction_find(k->published), k);
        published += k->published != NULL;
        ck_assert(*k->help != 0);
    }
    ck_assert_int_ge(n, 50);
    ck_assert_int_eq(published, 25); /* all of IFEval's */
}
END_TEST

START_TEST(shares_and_all)
{
    const Setup share = {"instructions", {NULL}}, all = {"instructions", {"value", "all"}};
    const char *r = "{\"instructions\": [{\"kind\": \"no_comma\"}, {\"kind\": \"all_lower\"}, "
                    "{\"kind\": \"quoted\"}, {\"kind\": \"json\"}]}";
    expect(&share, r, "\"abc\"", 1);
    expect(&share, r, "\"Abc\"", 0.75);
    expect(&share, r, "abc", 0.5);
    expect(&share, r, "A, b", 0);
    expect(&all, r, "\"abc\"", 1);
    expect(&all, r, "\"Abc\"", 0);
}
END_TEST

START_TEST(reads_published_records)
{
    const Setup s = {"instructions", {NULL}};
    const char *r =
        "{\"key\": 1, \"prompt\": \"p\", \"instruction_id_list\": [\"punctuation:no_comma\", "
        "\"length_constraints:number_words\", \"keywords:letter_frequency\"], \"kwargs\": [{}, "
        "{\"relation\": \"less than\", \"num_words\": 4.0, \"keywords\": null}, {\"letter\": "
        "\"l\", "
        "\"let_frequency\": 2, \"let_relation\": \"at least\"}]}";
    expect(&s, r, "hello you", 1);
    expect(&s, r, "hello, you there", 2.0 / 3);
    expect(&s, r, "a, b c d e", 0);
    expect_status(&s, "{\"instruction_id_list\": [\"punctuation:no_comma\"], \"kwargs\": []}", "x",
                  SCORE_ERROR);
    expect(&s, "{\"instructions\": [{\"kind\": \"punctuation:no_comma\"}]}", "x", 1);
}
END_TEST

START_TEST(loose_reads_the_text_in_eight_ways)
{
    const Setup strict = {"instructions", {NULL}}, loose = {"instructions", {"loose", "true"}};
    const char *r = "{\"instructions\": [{\"kind\": \"exact_text\", \"text\": \"ab\"}]}";
    static const char *const loosely[] = {"a*b",    "Sure!\nab",     "ab\nBye", "Sure!\nab\nBye",
                                          "*ab*",   "Sure!\n**ab**", "a*b\nx",  "x\n*ab*\ny",
                                          "x\n\nab"};
    static const char *const never[] = {"Sure!\nThis:\nab", "ab\n1\n2", "a_b", "x\ny", "x", "*"};
    expect(&strict, r, "ab", 1);
    expect(&loose, r, "ab", 1);
    for (size_t i = 0; i < sizeof loosely / sizeof *loosely; i++) {
        expect(&strict, r, loosely[i], 0);
        expect(&loose, r, loosely[i], 1);
    }
    for (size_t i = 0; i < sizeof never / sizeof *never; i++) expect(&loose, r, never[i], 0);
    /* each instruction has its own best reading */
    expect(&loose,
           "{\"instructions\": [{\"kind\": \"starts_with\", \"text\": \"sure\"}, {\"kind\": "
           "\"exact_text\", \"text\": \"ab\"}]}",
           "Sure!\nab", 1);
}
END_TEST

START_TEST(looks_where_it_is_told)
{
    const Setup answer = {"instructions", {"where", "answer"}},
                after = {"instructions", {"where", "after_think"}};
    const char *r = "{\"instructions\": [{\"kind\": \"exact_text\", \"text\": \"ab\"}]}";
    expect(&answer, r, "x <answer>ab</answer> y", 1);
    expect(&answer, r, "ab", 0);
    expect(&after, r, "<think>x</think>\nab", 1);
    expect(&after, r, "ab", 1); /* no thinking */
}
END_TEST

START_TEST(says_what_it_cannot_judge)
{
    const Setup s = {"instructions", {NULL}},
                skip = {"instructions", {"unknown", "not_applicable"}};
    static const char *const bad[][2] = {
        {"{}", "no list"},
        {"{\"instructions\": 5}", "no list"},
        {"{\"instructions\": [5]}", "no kind"},
        {"{\"instructions\": [{\"kind\": \"no_coma\"}]}", "did you mean no_comma?"},
        {"{\"instructions\": [{\"kind\": \"no_comma\", \"count\": 1}]}", "no parameter \"count\""},
        {"{\"instructions\": [{\"kind\": \"word_count\"}]}", "\"count\" is missing"},
        {"{\"instructions\": [{\"kind\": \"word_count\", \"count\": -1}]}", "whole number"},
        {"{\"instructions\": [{\"kind\": \"word_count\", \"count\": 1.5}]}", "whole number"},
        {"{\"instructions\": [{\"kind\": \"word_count\", \"count\": \"3\"}]}", "whole number"},
        {"{\"instructions\": [{\"kind\": \"word_count\", \"count\": 3, \"relation\": \"about\"}]}",
         "at least"},
        {"{\"instructions\": [{\"kind\": \"keywords_present\", \"keywords\": []}]}", "list of 1"},
        {"{\"instructions\": [{\"kind\": \"keywords_present\", \"keywords\": [\"a\", \" \"]}]}",
         "none of them empty"},
        {"{\"instructions\": [{\"kind\": \"keywords_present\", \"keywords\": \"a\"}]}",
         "list of 1"},
        {"{\"instructions\": [{\"kind\": \"letter_frequency\", \"letter\": \"ab\", \"count\": 1}]}",
         "one character"},
        {"{\"instructions\": [{\"kind\": \"starts_with\", \"text\": \"\"}]}", "not empty"},
        {"{\"instruction_id_list\": [\"punctuation:no_comma\"], \"kwargs\": [{\"a\": 1}]}",
         "no parameter"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        expect_status(&s, bad[i][0], "x", SCORE_ERROR);
        ck_assert_msg(strstr(errors_last(), bad[i][1]) != NULL, "%s: %s", bad[i][0], errors_last());
    }
    expect_status(&skip, bad[3][0], "x", SCORE_NOT_APPLICABLE);
    expect_status(&skip, bad[5][0], "x", SCORE_ERROR); /* known, but wrongly asked */
    expect_status(&skip, "{\"instructions\": [{\"kind\": \"no_comma\"}, {\"kind\": \"no_such\"}]}",
                  "x", SCORE_NOT_APPLICABLE); /* never the share of the rest */
    expect_status(&s, "{\"instructions\": []}", "x", SCORE_NOT_APPLICABLE);
    static const Setup refused[] = {{"instructions", {"value", "most"}},
                                    {"instructions", {"unknown", "zero"}},
                                    {"instructions", {"where", "here"}}};
    for (int i = 0; i < 3; i++) expect_refused(&refused[i], "");
}
END_TEST

/* ---- hostile texts ---- */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static const char *const units[] = {
    "a", "[",   "*",  "**",  "\n",           "\xFF",  "\xC3\xA9", "<<",
    "(", "ab ", ".",  "a. ", "\"",           "```\n", "* x\n",    "SECTION 1",
    "1", "1,",  "p.", "***", "\xE3\x80\x82", "|-|\n", "\xCC\x81", "Dr. "};

/* Every kind on 256 KiB of one unit: below 10 ms each here (25 ms for a MiB). The bound is for
 * sanitizers, whose memmem looks at the whole text in every call. */
START_TEST(hostile_texts_are_bounded)
{
    enum { BYTES = 1 << 20, CHECKED = BYTES / 4 };
    const Setup setup = {"instructions", {NULL}};
    char *text = mem_zeroed(BYTES, 1);
    double worst = 0;
    errors_quiet(1);
    for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
        size_t n = strlen(units[u]);
        for (size_t i = 0; i < BYTES; i++) text[i] = units[u][i % n];
        Passage p;
        passage_init(&p, (Span){text, CHECKED});
        for (int i = 0; i < N_CASES; i++) {
            char *params = record_of("{'kind': %s}", cases[i].instruction);
            json_t *json = json_loads(params, 0, NULL);
            Instruction in;
            const char *name = json_string_value(json_object_get(json, "kind"));
            ck_assert_int_eq(instruction_read(&in, instruction_find(name), json, false), 0);
            double start = seconds();
            instruction_followed(&in, &p);
            double took = seconds() - start;
            ck_assert_msg(took < 1, "%s on %s: %g s", params, units[u], took);
            if (took > worst) worst = took;
            instruction_free(&in);
            json_decref(json);
            mem_free(params);
        }
        passage_free(&p);
    }
    errors_quiet(-1);
    if (getenv("TROUPE_VERBOSE")) printf("slowest check of 256 KiB: %.1f ms\n", 1e3 * worst);
    const char *many =
        "{\"instructions\": [{\"kind\": \"no_comma\"}, {\"kind\": \"json\"}, {\"kind\": "
        "\"title\"}, {\"kind\": \"quoted\"}]}";
    const Setup loose = {"instructions", {"loose", "true"}};
    ck_assert_int_eq(score_bytes(&setup, many, text, BYTES).status, SCORE_OK);
    ck_assert_int_eq(score_bytes(&loose, many, text, BYTES).status, SCORE_REFUSED);
    mem_free(text);
}
END_TEST

START_TEST(any_bytes_are_a_text)
{
    const Setup setup = {"instructions", {NULL}};
    char text[300];
    uint32_t state = 1;
    for (int k = 0; k < 60; k++) {
        for (size_t i = 0; i < sizeof text; i++)
            text[i] = (char)((state = state * 1664525u + 1013904223u) >> 24);
        for (int i = 0; i < N_CASES; i++) {
            char *record = record_of("{'instructions': [{'kind': %s}]}", cases[i].instruction);
            ck_assert_int_eq(score_bytes(&setup, record, text, sizeof text).status, SCORE_OK);
            mem_free(record);
        }
    }
    const char *r = "{\"instructions\": [{\"kind\": \"character_count\", \"count\": 3, "
                    "\"relation\": \"exactly\"}]}";
    ck_assert(score_bytes(&setup, r, "a\0b", 3).value == 1);
    ck_assert(score_bytes(&setup, r, "a\xE2\x82", 3).value == 1);
}
END_TEST

TEST_MAIN("instructions", every_kind_is_followed_and_broken, no_kind_is_without_a_case,
          shares_and_all, reads_published_records, loose_reads_the_text_in_eight_ways,
          looks_where_it_is_told, says_what_it_cannot_judge, hostile_texts_are_bounded,
          any_bytes_are_a_text)

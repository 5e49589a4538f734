/* Is the answer in the wanted language, or script? Code, formulas and addresses are no language and
 * are left out first. A text with too few letters, or one that the detector is not sure of, cannot
 * be judged: not applicable, never a 0. */
#include <string.h>

#include "common/errors.h"
#include "common/memory.h"
#include "rewardsvc/languages.h"
#include "rewardsvc/place.h"
#include "rewardsvc/reward.h"

enum { LANGUAGE, FIELD, SCRIPT, FORM, SHARE, LETTERS, WHERE, READ_MAX = 65536 };

static const RewardSetting settings[] = {
    {"language", SETTING_TEXT, .text = "en",
     .help = "wanted: a code (en, de, zh; zh-Hant for traditional), several separated by commas, "
             "prompt (the prompt's language), or record (the code is in the field)"},
    {"field", SETTING_TEXT, .text = "language",
     .help = "field of the problem's record with the code, for language: record"},
    {"script", SETTING_TEXT, .text = "",
     .help = "judge the script instead: Latin, Cyrillic, Greek, Arabic, Hebrew, Devanagari, Thai, "
             "Hangul, Hiragana, Katakana, Han, ..."},
    {"form", SETTING_TEXT, .text = "pass",
     .help = "pass: 1 if the share of the text in it is at least `share`, else 0; share: that "
             "share"},
    {"share", SETTING_NUMBER, .number = 0.8, .least = 0.01, .most = 1, .help = "see form"},
    {"letters", SETTING_NUMBER, .number = 20, .least = 1, .most = 10000,
     .help = "a text with fewer letters is not judged (a letter of Han, kana or Hangul counts "
             "three)"},
    {"where", SETTING_TEXT, .text = "whole", .help = PLACE_HELP},
    {0},
};

static int check(const RewardValue *v, void **state)
{
    const char *form = v[FORM].text, *script = v[SCRIPT].text;
    if (strcmp(form, "pass") && strcmp(form, "share"))
        return fail("form: %s is not pass or share", form);
    if (!*v[LANGUAGE].text && !*script) return fail("language: which?");
    if (*script && language_script_letters((Span){"", 0}, script) < 0)
        return fail("script: %s is not known (Latin, Cyrillic, Han, ...)", script);
    *state = (void *)(uintptr_t)place_find(v[WHERE].text);
    return *state ? 0 : -1;
}

/* Letters, where one of a dense script says as much as three. */
static int weighed_letters(Span s)
{
    static const char *const dense[] = {"Han", "Hiragana", "Katakana", "Hangul"};
    int n = language_letters(s);
    for (int i = 0; i < 4; i++) n += 2 * language_script_letters(s, dense[i]);
    return n;
}

/* The text's own language if the detector is sure; "" if not. */
static void detect_one(Span prose, double letters, char code[8])
{
    LanguageShare shares[3];
    bool reliable;
    *code = 0;
    if (weighed_letters(prose) < letters) return;
    if (language_detect(prose, shares, &reliable) > 0 && reliable)
        memcpy(code, shares[0].code, sizeof shares[0].code);
}

static bool wanted(const char *list, const char *code)
{
    size_t n = strlen(code);
    for (const char *p = list; *p;) {
        p += strspn(p, ", ");
        size_t k = strcspn(p, ", ");
        if (k == n && n && memcmp(p, code, n) == 0) return true;
        p += k;
    }
    return false;
}

/* The codes that are wanted of this sample, into own if they are to be found out; NULL: unknown. */
static const char *wanted_of(const RewardValue *v, const Evidence *e, char own[8])
{
    const char *said = v[LANGUAGE].text;
    if (!strcmp(said, "record"))
        return json_string_value(json_object_get(e->record, v[FIELD].text));
    if (strcmp(said, "prompt")) return said;
    Buffer prose = {0};
    language_prose((Span){e->prompt, e->n_prompt}, READ_MAX, &prose);
    detect_one((Span){prose.data, prose.size}, v[LETTERS].number, own);
    buffer_free(&prose);
    return *own ? own : NULL;
}

/* The share of the prose in a wanted language; -1: the detector is not sure. */
static double share_of(Span prose, const char *list)
{
    LanguageShare shares[3];
    bool reliable;
    int n = language_detect(prose, shares, &reliable), percent = 0;
    if (!reliable) return -1;
    for (int i = 0; i < n; i++)
        if (wanted(list, shares[i].code)) percent += shares[i].percent;
    return percent / 100.;
}

static Score judge(const RewardValue *v, const Evidence *e, Span prose)
{
    const char *script = v[SCRIPT].text, *list = NULL;
    char own[8];
    if (!*script && !(list = wanted_of(v, e, own))) {
        if (!strcmp(v[LANGUAGE].text, "prompt")) return score_failed(SCORE_NOT_APPLICABLE);
        fail("the problem's record has no text in field \"%s\"", v[FIELD].text);
        return score_failed(SCORE_ERROR);
    }
    if (weighed_letters(prose) < v[LETTERS].number) return score_failed(SCORE_NOT_APPLICABLE);
    double share = *script
                       ? (double)language_script_letters(prose, script) / language_letters(prose)
                       : share_of(prose, list);
    if (share < 0) return score_failed(SCORE_NOT_APPLICABLE);
    return score_ok(v[FORM].text[0] == 's' ? share : share >= v[SHARE].number);
}

static Score score(const RewardValue *v, void *state, const Evidence *e)
{
    const Place *place = state;
    Span s = place->take((Span){e->text, e->n_text});
    if (!s.p) return score_failed(SCORE_NOT_APPLICABLE);
    Buffer prose = {0};
    language_prose(s, READ_MAX, &prose);
    Score result = judge(v, e, (Span){prose.data, prose.size});
    buffer_free(&prose);
    return result;
}

const Reward reward_language = {
    .name = "language",
    .help = "1 if the answer is in the wanted language or script, 0 if not; not applicable to "
            "texts too short to tell",
    .settings = settings,
    .open = check,
    .score = score,
};

/* Text to ids: cut out the added tokens, normalise what is between them, cut again (added tokens
 * that are compared after normalisation), pre-tokenise, and give each word to BPE. The order and
 * every corner of it is that of Hugging Face's `tokenizers`, because models were trained on its
 * ids. */
#include "common/tokenizer_parts.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <limits.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "common/errors.h"

typedef struct {
    const Tokenizer *t;
    bool parse_special;
    Ids *ids;
    BpeScratch *bpe;
    pcre2_match_data *match;
    pcre2_match_context *limits;
} Call;

/* --- pre-tokeniser ---------------------------------------------------------------------------- */

static int cut_words(Call *c, int step, const char *s, size_t n);

/* The next match at or after `from`: 1, 0 for none, -1 with the reason. */
static int next_match(Call *c, const PreStep *p, const char *s, size_t n, size_t from,
                      size_t *start, size_t *end)
{
    int rc = pcre2_match(p->code, (PCRE2_SPTR)s, n, from, PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY,
                         c->match, c->limits);
    if (rc == PCRE2_ERROR_NOMATCH) return 0;
    if (rc < 0) {
        char why[128] = "";
        pcre2_get_error_message(rc, (PCRE2_UCHAR *)why, sizeof why);
        return fail("%s: the pre-tokeniser gave up on %zu bytes of text: %s", c->t->where, n, why);
    }
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(c->match);
    *start = at[0], *end = at[1];
    return 1;
}

static int cut_step(Call *c, int step, const char *s, size_t n)
{
    const PreStep *p = &c->t->steps[step];
    size_t from = 0, start = 0, end = 0;
    if (!p->code) return cut_words(c, step + 1, s, n);
    while (from < n) {
        int found = next_match(c, p, s, n, from, &start, &end);
        if (found < 0) return -1;
        if (!found) start = end = n;
        if (start > from && !p->drop_gaps && cut_words(c, step + 1, s + from, start - from))
            return -1;
        if (end > start && cut_words(c, step + 1, s + start, end - start)) return -1;
        from = end;
    }
    return 0;
}

static int cut_words(Call *c, int step, const char *s, size_t n)
{
    if (step < c->t->n_steps) return cut_step(c, step, s, n);
    bpe_word(c->t, c->bpe, s, n, c->ids);
    return 0;
}

/* --- added tokens ----------------------------------------------------------------------------- */

typedef int piece_fn(Call *c, const char *s, size_t n);

static bool is_space(utf8proc_int32_t c) /* Unicode's White_Space */
{
    return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

static size_t spaces_before(const char *s, size_t at, size_t least)
{
    while (at > least) {
        size_t i = at - 1;
        utf8proc_int32_t c;
        while (i > least && (s[i] & 0xc0) == 0x80) i--;
        if (utf8proc_iterate((const utf8proc_uint8_t *)s + i, (utf8proc_ssize_t)(at - i), &c) < 1 ||
            !is_space(c))
            break;
        at = i;
    }
    return at;
}

static size_t spaces_after(const char *s, size_t at, size_t n)
{
    while (at < n) {
        utf8proc_int32_t c;
        utf8proc_ssize_t k =
            utf8proc_iterate((const utf8proc_uint8_t *)s + at, (utf8proc_ssize_t)(n - at), &c);
        if (k < 1 || !is_space(c)) break;
        at += (size_t)k;
    }
    return at;
}

/* Gives the added tokens in s their ids and the pieces between them to `piece`. A special token
 * that is not wanted still takes its place in the search, as in the reference: its text is part of
 * the piece around it. */
static int cut_added(Call *c, const Literals *l, const char *s, size_t n, piece_fn *piece)
{
    size_t done = 0, at = 0, length;
    while (at < n) {
        int id = literals_match(l, s + at, n - at, &length);
        if (id < 0) {
            at++;
            continue;
        }
        const Token *k = &c->t->tokens[id];
        size_t start = at, end = at + length;
        at = end;
        if (start < done || (k->type == TOKEN_CONTROL && !c->parse_special)) continue;
        if (k->lstrip) start = spaces_before(s, start, done);
        if (k->rstrip) end = spaces_after(s, end, n);
        if (start > done && piece(c, s + done, start - done)) return -1;
        ids_add(c->ids, id);
        done = end;
    }
    return done < n ? piece(c, s + done, n - done) : 0;
}

/* --- the whole -------------------------------------------------------------------------------- */

static int outside_alphabet(Call *c, const char *s, size_t n)
{
    int shown = n > 40 ? 40 : (int)n;
    while (shown < (int)n && (s[shown] & 0xc0) == 0x80) shown--; /* whole characters */
    return fail("%s: no token for '%.*s': this model's tokens are a fixed alphabet of %d literals",
                c->t->where, shown, s, c->t->n_tokens);
}

static int words(Call *c, const char *s, size_t n)
{
    return c->t->kind == TOKENIZER_ALPHABET ? outside_alphabet(c, s, n) : cut_words(c, 0, s, n);
}

static bool is_ascii(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s[i] & 0x80) return false;
    return true;
}

static int normalised(Call *c, const char *s, size_t n)
{
    return cut_added(c, &c->t->literal_normalized, s, n, words);
}

static int normalise(Call *c, const char *s, size_t n)
{
    if (!c->t->nfc || is_ascii(s, n)) return normalised(c, s, n);
    utf8proc_uint8_t *nfc = NULL;
    utf8proc_ssize_t m = utf8proc_map((const utf8proc_uint8_t *)s, (utf8proc_ssize_t)n, &nfc,
                                      UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    if (m < 0)
        return fail("%s: %zu bytes of text cannot be normalised: %s", c->t->where, n,
                    utf8proc_errmsg(m));
    int rc = normalised(c, (const char *)nfc, (size_t)m);
    free(nfc); /* utf8proc's own malloc */
    return rc;
}

static int check_utf8(const Tokenizer *t, const char *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        utf8proc_int32_t c;
        utf8proc_ssize_t k =
            utf8proc_iterate((const utf8proc_uint8_t *)s + i, (utf8proc_ssize_t)(n - i), &c);
        if (k < 1)
            return fail("%s: byte %zu of the text (0x%02x) is not UTF-8; convert the text, or mend "
                        "it, before it is tokenised",
                        t->where, i, (uint8_t)s[i]);
        i += (size_t)k;
    }
    return 0;
}

int tokenizer_encode(const Tokenizer *t, const char *text, size_t n, bool parse_special,
                     bool add_bos, Ids *ids)
{
    if (n > INT_MAX / 2)
        return fail("%s: %zu bytes of text at once, the limit is %d", t->where, n, INT_MAX / 2);
    if (check_utf8(t, text, n)) return -1;
    int before = ids->n;
    Call c = {.t = t, .parse_special = parse_special, .ids = ids};
    c.bpe = bpe_scratch_new();
    c.match = pcre2_match_data_create(1, NULL);
    c.limits = pcre2_match_context_create(NULL);
    if (!c.match || !c.limits) die(EXIT_UNABLE, "out of memory for a regular expression");
    pcre2_set_match_limit(c.limits, 10u << 20);
    pcre2_set_heap_limit(c.limits, 64u << 10); /* KiB */
    if (add_bos && t->add_bos) ids_add(ids, t->bos);
    int rc = cut_added(&c, &t->literal, text, n, normalise);
    if (rc) ids->n = before;
    pcre2_match_context_free(c.limits);
    pcre2_match_data_free(c.match);
    bpe_scratch_free(c.bpe);
    return rc;
}

/* The pre-tokeniser: what cuts text into words before BPE, as regular expressions for PCRE2.
 * Patterns were written for Oniguruma; where the two engines read the same text differently the
 * pattern is rewritten (\s) or refused, never run as something else. GGUF files do not carry the
 * expressions, only a name for them: the table at the end. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "common/tokenizer_parts.h"

#include <ctype.h>
#include <pcre2.h>
#include <string.h>

#include "common/errors.h"

/* Unicode's White_Space. PCRE2's \s has U+180E besides. */
#define SPACES                                                                                     \
    "\\x09-\\x0d\\x20\\x85\\xa0\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}"   \
    "\\x{3000}"

static const char *const gpt2 =
    "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

const char *pre_pattern(const PreStep *s)
{
    switch (s->kind) {
    case STEP_SPLIT:
        return s->pattern;
    case STEP_DIGITS:
        return s->individual ? "\\p{N}" : "\\p{N}+";
    case STEP_BYTE_LEVEL:
        return s->no_regex ? NULL : gpt2;
    }
    return NULL;
}

/* --- from Oniguruma's reading to PCRE2's ------------------------------------------------------ */

typedef struct {
    const char *where, *pattern, *s; /* s: what is left to read */
    bool in_class;
    Buffer out;
} Rewriter;

static int refuse(const Rewriter *r, const char *what)
{
    return fail("%s: the pre-tokeniser's pattern has %s at character %d, which this program does "
                "not read the way `tokenizers` "
                "does: '%s'; use a model whose pre-tokeniser is one of those in the README",
                r->where, what, (int)(r->s - r->pattern) + 1, r->pattern);
}

static void copy(Rewriter *r, size_t n)
{
    buffer_add(&r->out, r->s, n);
    r->s += n;
}

static int rewrite_escape(Rewriter *r)
{
    char c = r->s[1];
    if (c == 's') {
        buffer_text(&r->out, r->in_class ? SPACES : "[" SPACES "]");
        r->s += 2;
    } else if (c == 'S' && !r->in_class) {
        buffer_text(&r->out, "[^" SPACES "]");
        r->s += 2;
    } else if ((c == 'p' || c == 'P') && r->s[2] == '{' && strchr(r->s, '}')) {
        copy(r, (size_t)(strchr(r->s, '}') + 1 - r->s));
    } else if (c && (strchr("dDrntf", c) || (ispunct((unsigned char)c)))) {
        copy(r, 2);
    } else {
        return refuse(r, "an escape");
    }
    return 0;
}

static int rewrite_group(Rewriter *r)
{
    static const char *const known[] = {"(?:", "(?i:", "(?=", "(?!", "(?<=", "(?<!", NULL};
    if (r->s[1] != '?') {
        copy(r, 1);
        return 0;
    }
    for (int i = 0; known[i]; i++) {
        if (strncmp(r->s, known[i], strlen(known[i])) != 0) continue;
        copy(r, strlen(known[i]));
        return 0;
    }
    return refuse(r, "a group");
}

static int rewrite_class_part(Rewriter *r)
{
    if (*r->s == '[') return refuse(r, "a class within a class");
    if (!strncmp(r->s, "&&", 2)) return refuse(r, "an intersection");
    if (*r->s == ']') r->in_class = false;
    copy(r, 1);
    return 0;
}

static int rewrite_part(Rewriter *r)
{
    if (*r->s == '\\') return rewrite_escape(r);
    if (r->in_class) return rewrite_class_part(r);
    if (*r->s == '(') return rewrite_group(r);
    if (*r->s == '^' || *r->s == '$' || *r->s == '.') return refuse(r, "an anchor or a dot");
    if (*r->s == '{') {
        const char *close = strchr(r->s, '}');
        if (close && close[1] == '+') return refuse(r, "a counted possessive repeat");
    }
    if (*r->s == '[') {
        r->in_class = true;
        copy(r, r->s[1] == '^' ? 2 : 1);
        if (*r->s == ']') return refuse(r, "an empty class");
        return 0;
    }
    copy(r, 1);
    return 0;
}

static int rewrite(const char *where, const char *pattern, Buffer *out)
{
    Rewriter r = {.where = where, .pattern = pattern, .s = pattern};
    int rc = 0;
    while (!rc && *r.s) rc = rewrite_part(&r);
    buffer_text(&r.out, ""); /* never NULL */
    if (rc)
        buffer_free(&r.out);
    else
        *out = r.out;
    return rc;
}

static int compile_step(Tokenizer *t, PreStep *s)
{
    const char *pattern = pre_pattern(s);
    Buffer rewritten = {0};
    int error = 0;
    PCRE2_SIZE at = 0;
    if (!pattern) return 0;
    if (rewrite(t->where, pattern, &rewritten)) return -1;
    s->code = pcre2_compile((PCRE2_SPTR)rewritten.data, rewritten.size,
                            PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &at, NULL);
    buffer_free(&rewritten);
    if (!s->code) {
        char why[160] = "";
        pcre2_get_error_message(error, (PCRE2_UCHAR *)why, sizeof why);
        return fail("%s: the pre-tokeniser's pattern does not compile: %s: '%s'", t->where, why,
                    pattern);
    }
    pcre2_jit_compile(s->code,
                      PCRE2_JIT_COMPLETE); /* where there is no JIT the interpreter does the same */
    return 0;
}

int pre_compile(Tokenizer *t)
{
    for (int i = 0; i < t->n_steps; i++)
        if (compile_step(t, &t->steps[i])) return -1;
    return 0;
}

void pre_free(Tokenizer *t)
{
    for (int i = 0; i < t->n_steps; i++) {
        pcre2_code_free(t->steps[i].code);
        mem_free(t->steps[i].pattern);
    }
    t->n_steps = 0;
}

/* --- the names that GGUF has ------------------------------------------------------------------ */

#define SPLIT_BEFORE_DIGITS "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
#define SPLIT_AFTER_DIGITS  "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

static const struct PreName {
    const char *name;  /* tokenizer.ggml.pre */
    const char *split; /* a Split step with this pattern; NULL: the ByteLevel step cuts */
    bool digits;       /* a Digits step goes before, each digit alone */
    bool nfc, ignore_merges;
} names[] = {
    {"gpt-2", NULL, false, false, false},
    {"smollm", NULL, true, false, false},
    {"qwen2", SPLIT_BEFORE_DIGITS "\\p{N}" SPLIT_AFTER_DIGITS, false, true, false},
    {"llama-bpe", SPLIT_BEFORE_DIGITS "\\p{N}{1,3}" SPLIT_AFTER_DIGITS, false, false, true},
    {"starcoder", NULL, true, false, false},
    {"refact", NULL, true, false, false},
    {"llama3", SPLIT_BEFORE_DIGITS "\\p{N}{1,3}" SPLIT_AFTER_DIGITS, false, false, true},
    {"llama-v3", SPLIT_BEFORE_DIGITS "\\p{N}{1,3}" SPLIT_AFTER_DIGITS, false, false, true},
};
enum { N_NAMES = sizeof names / sizeof *names };

int pre_named(Tokenizer *t, const char *name)
{
    const struct PreName *p = NULL;
    for (int i = 0; i < N_NAMES && !p; i++)
        if (!strcmp(names[i].name, name)) p = &names[i];
    if (!p)
        return fail("%s: tokenizer.ggml.pre is '%s'; known are gpt-2, smollm, qwen2 and llama-bpe. "
                    "Use the model's Hugging Face "
                    "folder, whose tokenizer.json says how text is cut",
                    t->where, name);
    if (p->digits) t->steps[t->n_steps++] = (PreStep){.kind = STEP_DIGITS, .individual = true};
    if (p->split)
        t->steps[t->n_steps++] = (PreStep){.kind = STEP_SPLIT, .pattern = mem_text(p->split)};
    t->steps[t->n_steps++] = (PreStep){.kind = STEP_BYTE_LEVEL, .no_regex = p->split != NULL};
    t->nfc = p->nfc;
    t->ignore_merges = p->ignore_merges;
    return pre_compile(t);
}

static bool has_name(const Tokenizer *t, const struct PreName *p)
{
    const PreStep *s = t->steps;
    if (t->nfc != p->nfc || t->ignore_merges != p->ignore_merges ||
        t->n_steps != 1 + p->digits + (p->split != NULL))
        return false;
    if (p->digits && !(s->kind == STEP_DIGITS && s->individual)) return false;
    s += p->digits;
    if (p->split && !(s->kind == STEP_SPLIT && !strcmp(s->pattern, p->split))) return false;
    s += p->split != NULL;
    return s->kind == STEP_BYTE_LEVEL && s->no_regex == (p->split != NULL);
}

const char *tokenizer_pre_name(const Tokenizer *t)
{
    if (t->kind == TOKENIZER_ALPHABET) return "gpt-2"; /* it never comes to cutting */
    for (int i = 0; i < N_NAMES; i++)
        if (has_name(t, &names[i])) return names[i].name;
    return NULL;
}

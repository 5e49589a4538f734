/* What the files of the tokenizer share, and nobody else includes: its tables and the steps from
 * text to ids.
 *
 *   tokenizer.c         life, vocabulary, alphabets, decoding
 *   tokenizer_lookup.c  maps, tries, the spelling of bytes
 *   tokenizer_encode.c  text -> added tokens -> normaliser -> pre-tokeniser -> bpe
 *   tokenizer_pre.c     the pre-tokeniser: regular expressions, and the names GGUF has for them
 *   tokenizer_bpe.c     one word -> ids
 *   tokenizer_config.c (opens a path), tokenizer_json.c, tokenizer_gguf.c, tokenizer_export.c from
 * and to files
 */
#ifndef COMMON_TOKENIZER_PARTS_H
#define COMMON_TOKENIZER_PARTS_H

#include "common/tokenizer.h"

/* Limits of what a file may ask for. */
enum {
    TOKENIZER_MAX_IDS = 1 << 22,
    TOKENIZER_MAX_TOKEN = 1 << 16,
    TOKENIZER_MAX_STEPS = 8,
    TOKENIZER_MAX_EOS = 8
};

/* Open-addressing map from 64-bit keys to 32-bit values. Empty is {0}. */
typedef struct {
    uint64_t *keys; /* [capacity] key + 1; 0 is a free slot */
    uint32_t *values;
    size_t n, capacity;
} Map;
bool map_get(const Map *m, uint64_t key, uint32_t *value);
bool map_put(Map *m, uint64_t key,
             uint32_t value); /* false, and nothing done, if the key is there */
void map_free(Map *m);
uint64_t hash_mix(uint64_t x);

typedef struct {
    uint32_t at; /* its bytes in the pool, followed by a NUL */
    int32_t n;
    uint8_t type; /* TokenType */
    bool bpe; /* BPE may give it: it is in the model's vocabulary, spelled in byte-level characters
               */
    bool added; /* matched in the text before anything else */
    bool normalized, lstrip, rstrip;
} Token;

/* Literals to find in text, as a trie: the longest at the leftmost place. Empty is {0}. */
typedef struct {
    Map edges; /* node << 8 | byte -> node */
    Map ends;  /* node -> id */
    uint32_t n_nodes;
    bool starts[256];
} Literals;
bool literals_add(Literals *l, const char *s, size_t n, uint32_t id); /* false if it is there */
int literals_match(const Literals *l, const char *s, size_t n,
                   size_t *length); /* at s itself; -1 if none */
void literals_free(Literals *l);

/* One step of the pre-tokeniser: cut each piece at the matches of a regular expression, or
 * (byte_level) with GPT-2's own one. */
typedef enum { STEP_SPLIT, STEP_DIGITS, STEP_BYTE_LEVEL } StepKind;
typedef struct {
    StepKind kind;
    bool individual; /* STEP_DIGITS: one digit a piece */
    bool drop_gaps;  /* STEP_SPLIT: "Removed" with invert; otherwise matches and gaps are pieces
                        ("Isolated") */
    bool no_regex;   /* STEP_BYTE_LEVEL: only the map to bytes */
    char *pattern;   /* STEP_SPLIT: as the file has it */
    struct pcre2_real_code_8 *code; /* NULL: cuts nothing */
} PreStep;

struct Tokenizer {
    TokenizerKind kind;
    char *where;   /* the file, for messages */
    Token *tokens; /* [n_tokens] */
    int n_tokens;
    Buffer pool;
    int32_t *vocab; /* [vocab_capacity] ids of what BPE may give, by hash of their bytes; -1 free */
    size_t vocab_capacity;
    int32_t byte_id[256]; /* the token of one byte, -1 if none */
    Map merges;           /* left << 32 | right -> rank */
    int32_t (*merge)[3];  /* [n_merges] left, right, result */
    int n_merges;
    bool ignore_merges, nfc, fuse_unk;
    int unk; /* -1: bytes without a token are left out */
    PreStep steps[TOKENIZER_MAX_STEPS];
    int n_steps;
    Literals literal, literal_normalized; /* added tokens: found before and after the normaliser */
    int bos, pad;
    bool add_bos;
    int eos[TOKENIZER_MAX_EOS], n_eos; /* the first is the one that ends an answer */
    char *chat_template;
};

/* Building one. tokenizer_set gives id its bytes (once); ids without any become holes in
 * tokenizer_finish, which builds the lookups. */
Tokenizer *tokenizer_new(TokenizerKind kind, const char *where, int n_tokens);
int tokenizer_set(Tokenizer *t, int id, const char *bytes, size_t n, TokenType type);
/* The same for a token of the model's vocabulary as files spell it. One that is not in byte-level
 * characters can only be added text. */
int tokenizer_set_spelled(Tokenizer *t, int id, const char *text, size_t n, TokenType type);
int tokenizer_finish(Tokenizer *t);
void tokenizer_add_eos(Tokenizer *t,
                       int id); /* ignores -1, repeats and more than TOKENIZER_MAX_EOS */

/* The id that BPE may give for these bytes, or -1. */
int vocab_find(const Tokenizer *t, const char *bytes, size_t n);

/* GPT-2's spelling of bytes as printable characters. */
int spelling_of_byte(uint8_t byte);  /* a code point below 0x144 */
int byte_of_spelling(int codepoint); /* -1 if it spells none */

/* Appends the bytes that a text in byte-level characters stands for; false if some character is
 * none of them. */
bool spelling_read(const char *text, size_t n, Buffer *out);

/* Merges as files give them, in the order of their ranks, after tokenizer_finish: both parts apart,
 * or "left right". */
void bpe_reserve_merges(Tokenizer *t, size_t n);
int bpe_add_merge(Tokenizer *t, const char *left, size_t n_left, const char *right, size_t n_right);
int bpe_add_merge_text(Tokenizer *t, const char *text, size_t n);

/* Working memory of one encode call, so that the tokenizer itself is never written. */
typedef struct BpeScratch BpeScratch;
BpeScratch *bpe_scratch_new(void);
void bpe_scratch_free(BpeScratch *s);
void bpe_word(const Tokenizer *t, BpeScratch *s, const char *word, size_t n, Ids *ids);

/* The pre-tokeniser. pre_compile compiles steps[i].pattern and the like; pre_named fills the steps
 * that GGUF calls `name`. */
int pre_compile(Tokenizer *t);
int pre_named(Tokenizer *t, const char *name);
const char *
pre_pattern(const PreStep *s); /* the regular expression of any step; NULL if it has none */
void pre_free(Tokenizer *t);

/* tokenizer.json's text (name: what to call it in messages). The folder's other files are
 * config_read's subject. */
Tokenizer *tokenizer_read_json(const char *name, const char *text, size_t n);
int tokenizer_read_config(Tokenizer *t, const char *folder);

struct GgufFile;
Tokenizer *tokenizer_read_gguf(const struct GgufFile *f);

#endif

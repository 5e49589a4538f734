/* Life of a tokenizer, its lookups, and ids to text. Tokens are kept as the bytes they stand for;
 * how files spell them (GPT-2's printable characters) is worked out where it is needed. An alphabet
 * is the same thing with nothing but added tokens. */
#include "common/tokenizer_parts.h"

#include <stdio.h>
#include <string.h>

#include "common/errors.h"

void ids_add(Ids *ids, int32_t id)
{
    if (ids->n == ids->capacity) {
        int capacity = ids->capacity ? 2 * ids->capacity : 64;
        REQUIRE(capacity > ids->capacity, "%d ids", ids->n);
        ids->data = mem_resize(ids->data, (size_t)ids->n, (size_t)capacity, sizeof *ids->data);
        ids->capacity = capacity;
    }
    ids->data[ids->n++] = id;
}

void ids_free(Ids *ids)
{
    mem_free(ids->data);
    *ids = (Ids){0};
}

/* --- the vocabulary by its bytes */

static uint64_t hash_bytes(const char *bytes, size_t n)
{
    uint64_t h = 0xcbf29ce484222325u ^ n; /* FNV-1a, then mixed */
    for (size_t i = 0; i < n; i++) h = (h ^ (uint8_t)bytes[i]) * 0x100000001b3u;
    return hash_mix(h);
}

static size_t vocab_slot(const Tokenizer *t, const char *bytes, size_t n)
{
    size_t i = hash_bytes(bytes, n) & (t->vocab_capacity - 1);
    for (; t->vocab[i] >= 0; i = (i + 1) & (t->vocab_capacity - 1)) {
        const Token *k = &t->tokens[t->vocab[i]];
        if ((size_t)k->n == n && !memcmp(t->pool.data + k->at, bytes, n)) break;
    }
    return i;
}

int vocab_find(const Tokenizer *t, const char *bytes, size_t n)
{
    return t->vocab_capacity ? t->vocab[vocab_slot(t, bytes, n)] : -1;
}

/* --- building --------------------------------------------------------------------------------- */

Tokenizer *tokenizer_new(TokenizerKind kind, const char *where, int n_tokens)
{
    Tokenizer *t = NEW(Tokenizer, 1);
    t->kind = kind;
    t->where = mem_text(where);
    t->tokens = NEW(Token, n_tokens);
    t->n_tokens = n_tokens;
    t->unk = t->bos = t->pad = -1;
    for (int i = 0; i < 256; i++) t->byte_id[i] = -1;
    return t;
}

void tokenizer_close(Tokenizer *t)
{
    if (!t) return;
    pre_free(t);
    literals_free(&t->literal);
    literals_free(&t->literal_normalized);
    map_free(&t->merges);
    mem_free(t->merge);
    mem_free(t->vocab);
    mem_free(t->tokens);
    mem_free(t->chat_template);
    mem_free(t->where);
    buffer_free(&t->pool);
    mem_free(t);
}

int tokenizer_set(Tokenizer *t, int id, const char *bytes, size_t n, TokenType type)
{
    REQUIRE(id >= 0 && id < t->n_tokens, "id %d of %d", id, t->n_tokens);
    Token *k = &t->tokens[id];
    if (k->type) return fail("%s: two tokens have the id %d", t->where, id);
    if (n > TOKENIZER_MAX_TOKEN)
        return fail("%s: token %d has %zu bytes, the limit is %d", t->where, id, n,
                    TOKENIZER_MAX_TOKEN);
    if (t->pool.size + n + 1 > UINT32_MAX)
        return fail("%s: the tokens together have more than 4 GB", t->where);
    k->at = (uint32_t)t->pool.size;
    k->n = (int32_t)n;
    k->type = (uint8_t)type;
    buffer_add(&t->pool, bytes, n);
    buffer_add(&t->pool, "", 1);
    return 0;
}

int tokenizer_set_spelled(Tokenizer *t, int id, const char *text, size_t n, TokenType type)
{
    Buffer bytes = {0};
    bool plain = spelling_read(text, n, &bytes) && n > 0;
    if (plain && type != TOKEN_NORMAL)
        plain = bytes.size == n; /* only where the content is spelled the same */
    t->tokens[id].bpe = plain;
    int rc = tokenizer_set(t, id, plain ? bytes.data : text, plain ? bytes.size : n, type);
    buffer_free(&bytes);
    return rc;
}

static int build_vocab(Tokenizer *t)
{
    size_t capacity = 64;
    while (capacity < 2 * (size_t)t->n_tokens) capacity *= 2;
    t->vocab = NEW(int32_t, capacity);
    t->vocab_capacity = capacity;
    memset(t->vocab, -1, capacity * sizeof *t->vocab);
    for (int id = 0; id < t->n_tokens; id++) {
        const Token *k = &t->tokens[id];
        if (!k->bpe) continue;
        const char *bytes = t->pool.data + k->at;
        size_t i = vocab_slot(t, bytes, (size_t)k->n);
        if (t->vocab[i] >= 0)
            return fail("%s: tokens %d and %d are the same", t->where, t->vocab[i], id);
        t->vocab[i] = id;
        if (k->n == 1) t->byte_id[(uint8_t)bytes[0]] = id;
    }
    return 0;
}

static int build_literals(Tokenizer *t)
{
    for (int id = 0; id < t->n_tokens; id++) {
        const Token *k = &t->tokens[id];
        if (!k->added) continue;
        Literals *l = k->normalized ? &t->literal_normalized : &t->literal;
        if (k->n == 0) return fail("%s: added token %d is empty", t->where, id);
        if (!literals_add(l, t->pool.data + k->at, (size_t)k->n, (uint32_t)id))
            return fail("%s: added token %d ('%s') is there twice", t->where, id,
                        t->pool.data + k->at);
    }
    return 0;
}

int tokenizer_finish(Tokenizer *t)
{
    for (int id = 0; id < t->n_tokens; id++) {
        char hole[24];
        if (t->tokens[id].type) continue;
        snprintf(hole, sizeof hole, "[PAD%d]", id);
        if (tokenizer_set(t, id, hole, strlen(hole), TOKEN_UNUSED)) return -1;
    }
    return build_vocab(t) || build_literals(t) ? -1 : 0;
}

void tokenizer_add_eos(Tokenizer *t, int id)
{
    if (id < 0 || tokenizer_is_eos(t, id) || t->n_eos == TOKENIZER_MAX_EOS) return;
    t->eos[t->n_eos++] = id;
}

/* --- alphabets -------------------------------------------------------------------------------- */

static const char *const blanks = " \t\r\n";

static int count_literals(const char *alphabet)
{
    int n = 0;
    for (const char *s = alphabet + strspn(alphabet, blanks); *s; s += strspn(s, blanks)) {
        s += strcspn(s, blanks);
        n++;
    }
    return n;
}

static int set_added(Tokenizer *t, int id, const char *s, size_t n, TokenType type)
{
    t->tokens[id].added = true;
    return tokenizer_set(t, id, s, n, type);
}

Tokenizer *tokenizer_from_alphabet(const char *alphabet)
{
    static const char eos[] = "<eos>";
    int n = count_literals(alphabet), id = 1;
    Tokenizer *t = tokenizer_new(TOKENIZER_ALPHABET, "alphabet", n + 1);
    int bad = set_added(t, 0, eos, strlen(eos), TOKEN_CONTROL);
    tokenizer_add_eos(t, 0);
    for (const char *s = alphabet + strspn(alphabet, blanks); *s && !bad; s += strspn(s, blanks)) {
        size_t length = strcspn(s, blanks);
        bad = set_added(t, id++, s, length, TOKEN_USER_DEFINED);
        s += length;
    }
    if (!bad && !n) bad = fail("an alphabet needs at least one literal");
    if (!bad) bad = tokenizer_finish(t);
    if (!bad) return t;
    tokenizer_close(t);
    return NULL;
}

/* --- what callers ask ------------------------------------------------------------------------- */

int tokenizer_size(const Tokenizer *t)
{
    return t->n_tokens;
}

int tokenizer_eos(const Tokenizer *t)
{
    return t->n_eos ? t->eos[0] : -1;
}

bool tokenizer_is_eos(const Tokenizer *t, int id)
{
    for (int i = 0; i < t->n_eos; i++)
        if (t->eos[i] == id) return true;
    return false;
}

int tokenizer_bos(const Tokenizer *t)
{
    return t->add_bos ? t->bos : -1;
}

int tokenizer_bos_id(const Tokenizer *t)
{
    return t->bos;
}

int tokenizer_pad_id(const Tokenizer *t)
{
    return t->pad;
}

const char *tokenizer_chat_template(const Tokenizer *t)
{
    return t->chat_template;
}

TokenizerKind tokenizer_kind(const Tokenizer *t)
{
    return t->kind;
}

static const Token *token_at(const Tokenizer *t, int id)
{
    REQUIRE(id >= 0 && id < t->n_tokens, "id %d is not in [0, %d)", id, t->n_tokens);
    return &t->tokens[id];
}

TokenType tokenizer_token_type(const Tokenizer *t, int id)
{
    return token_at(t, id)->type;
}

const char *tokenizer_token(const Tokenizer *t, int id, size_t *n, bool *special)
{
    const Token *k = token_at(t, id);
    if (n) *n = (size_t)k->n;
    if (special) *special = k->type == TOKEN_CONTROL;
    return t->pool.data + k->at;
}

void tokenizer_decode(const Tokenizer *t, const int32_t *ids, int n, bool skip_special, Buffer *out)
{
    for (int i = 0; i < n; i++) {
        size_t length;
        bool special;
        const char *bytes = tokenizer_token(t, ids[i], &length, &special);
        if (!(special && skip_special)) buffer_add(out, bytes, length);
    }
}

void tokenizer_token_text(const Tokenizer *t, int id, Buffer *out)
{
    const Token *k = token_at(t, id);
    const char *bytes = t->pool.data + k->at;
    if (!k->bpe) {
        buffer_add(out, bytes, (size_t)k->n);
        return;
    }
    for (int i = 0; i < k->n; i++) {
        int c = spelling_of_byte((uint8_t)bytes[i]);
        char two[2] = {(char)(0xc0 | c >> 6), (char)(0x80 | (c & 0x3f))};
        if (c < 0x80) two[0] = (char)c;
        buffer_add(out, two, c < 0x80 ? 1 : 2);
    }
}

int tokenizer_merge_count(const Tokenizer *t)
{
    return t->n_merges;
}

void tokenizer_merge_text(const Tokenizer *t, int rank, Buffer *out)
{
    REQUIRE(rank >= 0 && rank < t->n_merges, "merge %d of %d", rank, t->n_merges);
    tokenizer_token_text(t, t->merge[rank][0], out);
    buffer_text(out, " ");
    tokenizer_token_text(t, t->merge[rank][1], out);
}

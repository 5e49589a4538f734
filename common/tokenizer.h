/* Text to ids and back: byte-level BPE (tokenizer.json, GGUF metadata), and plain alphabets for
 * models the program makes. The pre-tokeniser's regular expression is run by PCRE2. Special tokens
 * in text are recognised only where asked. A Tokenizer does not change once opened: threads may
 * share it. */
#ifndef COMMON_TOKENIZER_H
#define COMMON_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/memory.h"

typedef struct Tokenizer Tokenizer;
struct GgufFile;

/* path: a Hugging Face folder (tokenizer.json, tokenizer_config.json if there,
 * generation_config.json for extra end tokens) or a .gguf file. NULL with the reason logged: what
 * (an unsupported kind of model, normaliser, pre-tokeniser), where, what to do. */
Tokenizer *tokenizer_open(const char *path);

/* A tokenizer whose every token is a literal of `alphabet` (separated by blanks), plus <eos> (id
 * 0). Text outside it is refused by encode. Ids follow the order of the alphabet; text is cut into
 * the longest literal at each place. NULL with the reason (none, a literal twice). */
Tokenizer *tokenizer_from_alphabet(const char *alphabet);
void tokenizer_close(Tokenizer *t);

int tokenizer_size(const Tokenizer *t); /* ids are 0 .. size-1 */
int tokenizer_eos(const Tokenizer *t);  /* the end-of-text id that ends an answer; -1 if none */
bool tokenizer_is_eos(const Tokenizer *t, int id); /* any of the ids that end an answer */
int tokenizer_bos(const Tokenizer *t);             /* -1 if the model wants none */
const char *
tokenizer_chat_template(const Tokenizer *t); /* the file's template text; NULL if none */

/* Appends the ids of text [n] to *ids. parse_special: text of special tokens becomes their id
 * (templates), otherwise it is plain text (what users and data sets wrote). add_bos: as the model's
 * own configuration says. Text must be UTF-8. A byte that the vocabulary lacks (SmolLM2 lacks a few
 * control characters) is left out, as the reference does. 0, or -1 with the reason, and then *ids
 * is as it was. Arrays grow by mem_resize. */
typedef struct {
    int32_t *data;
    int n, capacity;
} Ids;
void ids_add(Ids *ids, int32_t id);
void ids_free(Ids *ids);
int tokenizer_encode(const Tokenizer *t, const char *text, size_t n, bool parse_special,
                     bool add_bos, Ids *ids);

/* Appends the bytes of the ids; invalid UTF-8 stays as it is. skip_special leaves special tokens
 * out. Ids out of range are our mistake. */
void tokenizer_decode(const Tokenizer *t, const int32_t *ids, int n, bool skip_special,
                      Buffer *out);

/* The bytes of one id (borrowed), for incremental text; *special tells. n and special may be NULL.
 */
const char *tokenizer_token(const Tokenizer *t, int id, size_t *n, bool *special);

/* Writes the tokenizer as Hugging Face files into a folder (an alphabet too: as tokenizer.json that
 * `tokenizers` loads). */
int tokenizer_export(const Tokenizer *t, const char *folder);

/* --- for tensors_export_gguf: the parts as GGUF's metadata wants them ------------------------- */

/* Both kinds are written as tokenizer.ggml.model "gpt2"; an alphabet has no merges and only
 * user-defined and control tokens. */
typedef enum { TOKENIZER_BPE, TOKENIZER_ALPHABET } TokenizerKind;
TokenizerKind tokenizer_kind(const Tokenizer *t);

/* tokenizer.ggml.token_type; the numbers are GGUF's. A hole in the ids is an unused token named
 * [PAD<id>]. */
typedef enum {
    TOKEN_NORMAL = 1,
    TOKEN_UNKNOWN,
    TOKEN_CONTROL,
    TOKEN_USER_DEFINED,
    TOKEN_UNUSED,
    TOKEN_BYTE
} TokenType;
TokenType tokenizer_token_type(const Tokenizer *t, int id);

/* Appends the token as files spell it: byte-level characters ("\xc4\xa0the") for normal ones, the
 * content itself for the others. */
void tokenizer_token_text(const Tokenizer *t, int id, Buffer *out);

int tokenizer_merge_count(const Tokenizer *t);
void tokenizer_merge_text(const Tokenizer *t, int rank, Buffer *out); /* appends "left right" */

const char *tokenizer_pre_name(const Tokenizer *t); /* tokenizer.ggml.pre ("smollm", "qwen2", ...);
                                                       NULL: it has no name there */
int tokenizer_bos_id(
    const Tokenizer *t); /* the token named bos, whether it is added or not; -1 if none */
int tokenizer_pad_id(const Tokenizer *t); /* -1 if none */

/* --- chat.h's subject, kept here because a template belongs to its tokenizer --- */
typedef struct {
    const char *role, *content;
} ChatMessage;

/* Renders messages by the model's template, ending with the assistant's opening. Only templates
 * known by heart are rendered (SmolLM2, Qwen2.5, Qwen3, and ChatML-alikes whose text is
 * recognised); an unknown template is refused, never guessed. */
int chat_render(const Tokenizer *t, const ChatMessage *messages, int n, Buffer *out);
/* The same without that opening: a conversation as it stands, for whoever reads and writes nothing.
 */
int chat_render_said(const Tokenizer *t, const ChatMessage *messages, int n, Buffer *out);

#endif

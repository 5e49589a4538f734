/* tokenizer.json (or GGUF metadata, where the bytes begin so) from anyone, then text through it.
 * The input is the file, a byte 0, and the text. What holds for whatever is accepted: ids are in
 * range, decoding them loses nothing but bytes without a token, and templates end. */
#include <stdint.h>
#include <string.h>

#include "common/chat_template.h"
#include "common/errors.h"
#include "common/gguf.h"
#include "common/tokenizer_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const Tokenizer *t, const char *text, size_t n, bool special)
{
    Ids ids = {0};
    Buffer back = {0};
    if (!tokenizer_encode(t, text, n, special, true, &ids)) {
        for (int i = 0; i < ids.n; i++)
            REQUIRE(ids.data[i] >= 0 && ids.data[i] < tokenizer_size(t), "id %d", ids.data[i]);
        tokenizer_decode(t, ids.data, ids.n, false, &back);
        REQUIRE(t->kind != TOKENIZER_ALPHABET || !special || t->add_bos ||
                    (back.size == n && (!n || !memcmp(back.data, text, n))),
                "an alphabet gave %zu bytes for %zu", back.size, n);
    }
    buffer_free(&back);
    ids_free(&ids);
}

static Tokenizer *read_tokenizer(const uint8_t *data, size_t n)
{
    if (n < 4 || memcmp(data, "GGUF", 4) != 0)
        return tokenizer_read_json("fuzz", (const char *)data, n);
    GgufFile *f = gguf_open_memory("fuzz", data, n);
    Tokenizer *t = f ? tokenizer_read_gguf(f) : NULL;
    gguf_close(f);
    return t;
}

static void check_template(const char *text, size_t n)
{
    ChatStyle style;
    char *copy = mem_text_n(text, n);
    if (!chat_template_recognise(copy, &style)) chat_style_free(&style);
    mem_free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size > 3 && !memcmp(data, "GGUF", 4) ? NULL : memchr(data, 0, size);
    size_t n = zero ? (size_t)(zero - data) : size;
    const char *text = zero ? (const char *)zero + 1 : "It's 12 caf\xc3\xa9s <|im_end|>\n  x";
    size_t n_text = zero ? size - n - 1 : strlen(text);
    errors_quiet(1);
    Tokenizer *t = read_tokenizer(data, n);
    if (t) {
        check_text(t, text, n_text, true);
        check_text(t, text, n_text, false);
    }
    tokenizer_close(t);
    check_template(text, n_text);
    errors_quiet(-1);
    return 0;
}

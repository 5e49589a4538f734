/* Opens a tokenizer from a folder or a GGUF file, and reads what stands beside tokenizer.json:
 * which tokens begin and end a text, and the chat template. Files that are not there are no error;
 * wrong ones are. */
#include "common/tokenizer_parts.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/errors.h"
#include "common/gguf.h"

enum { JSON_LIMIT = 256 << 20, CONFIG_LIMIT = 16 << 20 };

/* folder/name as JSON, integers as reals (model_max_length may be 10^30): 1, 0 if there is no such
 * file, -1 with the reason. */
static int load(const char *folder, const char *name, json_t **out)
{
    Buffer text = {0};
    json_error_t e;
    int rc = -1;
    char *path = mem_printf("%s/%s", folder, name);
    if (access(path, F_OK)) {
        rc = 0;
        goto done;
    }
    if (file_read(path, CONFIG_LIMIT, &text)) goto done;
    *out = json_loadb(text.data ? text.data : "", text.size,
                      JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &e);
    if (!*out)
        fail("%s:%d:%d: not JSON: %s", path, e.line, e.column, e.text);
    else if (!json_is_object(*out))
        fail("%s: not a JSON object", path);
    else
        rc = 1;
done:
    if (rc < 0) json_decref(*out), *out = NULL;
    buffer_free(&text);
    mem_free(path);
    return rc;
}

/* The id of a special token that is given as text or as {"content": text}; -1 if it is not given;
 * -2 with the reason. */
static int named_token(const Tokenizer *t, const json_t *config, const char *key)
{
    const json_t *v = json_object_get(config, key);
    const char *name = json_string_value(json_is_object(v) ? json_object_get(v, "content") : v);
    if (!name) return -1;
    for (int id = 0; id < t->n_tokens; id++)
        if (t->tokens[id].added && !strcmp(t->pool.data + t->tokens[id].at, name)) return id;
    int id = vocab_find(t, name, strlen(name));
    if (id >= 0) return id;
    fail("%s: %s '%s' of tokenizer_config.json is not among the tokens", t->where, key, name);
    return -2;
}

static int add_eos_ids(Tokenizer *t, const json_t *config, const char *file)
{
    const json_t *v = json_object_get(config, "eos_token_id");
    size_t n = json_is_array(v) ? json_array_size(v) : 1;
    if (!v || json_is_null(v)) return 0;
    for (size_t i = 0; i < n; i++) {
        const json_t *id = json_is_array(v) ? json_array_get(v, i) : v;
        double number = json_is_number(id) ? json_number_value(id) : -1;
        if (number != floor(number) || number < 0 || number >= t->n_tokens)
            return fail("%s: eos_token_id of %s is not an id in [0, %d)", t->where, file,
                        t->n_tokens);
        tokenizer_add_eos(t, (int)number);
    }
    return 0;
}

/* A template is a text, or a list of named ones of which "default" is meant. */
static const char *template_of(const json_t *config)
{
    const json_t *v = json_object_get(config, "chat_template");
    for (size_t i = 0; i < json_array_size(v); i++) {
        const json_t *one = json_array_get(v, i);
        const char *name = json_string_value(json_object_get(one, "name"));
        if (name && !strcmp(name, "default"))
            return json_string_value(json_object_get(one, "template"));
    }
    return json_string_value(v);
}

static int read_named_tokens(Tokenizer *t, const json_t *config)
{
    int bos = named_token(t, config, "bos_token"), eos = named_token(t, config, "eos_token");
    int pad = named_token(t, config, "pad_token");
    if (bos == -2 || eos == -2 || pad == -2) return -1;
    tokenizer_add_eos(t, eos);
    t->pad = pad;
    if (!t->add_bos) t->bos = bos;
    if (json_is_true(json_object_get(config, "add_bos_token")) && bos >= 0) t->add_bos = true;
    return 0;
}

static int read_jinja(Tokenizer *t, const char *folder)
{
    Buffer text = {0};
    int rc = 0;
    char *path = mem_printf("%s/chat_template.jinja", folder);
    if (!access(path, F_OK)) {
        rc = file_read(path, CONFIG_LIMIT, &text);
        if (!rc) {
            mem_free(t->chat_template);
            t->chat_template = mem_text_n(text.data ? text.data : "", text.size);
        }
    }
    buffer_free(&text);
    mem_free(path);
    return rc;
}

int tokenizer_read_config(Tokenizer *t, const char *folder)
{
    json_t *config = NULL, *generation = NULL, *model = NULL;
    int rc = -1;
    if (load(folder, "tokenizer_config.json", &config) < 0) goto done;
    if (config && read_named_tokens(t, config)) goto done;
    if (config && template_of(config)) t->chat_template = mem_text(template_of(config));
    if (read_jinja(t, folder)) goto done;
    if (load(folder, "generation_config.json", &generation) < 0) goto done;
    if (generation && add_eos_ids(t, generation, "generation_config.json")) goto done;
    if (!t->n_eos && load(folder, "config.json", &model) < 0) goto done;
    if (model && add_eos_ids(t, model, "config.json")) goto done;
    rc = 0;
done:
    json_decref(config);
    json_decref(generation);
    json_decref(model);
    return rc;
}

static Tokenizer *open_folder(const char *folder)
{
    Buffer text = {0};
    Tokenizer *t = NULL;
    char *path = mem_printf("%s/tokenizer.json", folder);
    if (access(path, F_OK)) {
        fail("%s: not there. Only tokenizers in this form are read: save the model again with a "
             "recent transformers, which writes it",
             path);
        goto done;
    }
    if (file_read(path, JSON_LIMIT, &text)) goto done;
    t = tokenizer_read_json(path, text.data ? text.data : "", text.size);
    if (t && tokenizer_read_config(t, folder)) {
        tokenizer_close(t);
        t = NULL;
    }
done:
    buffer_free(&text);
    mem_free(path);
    return t;
}

Tokenizer *tokenizer_open(const char *path)
{
    struct stat st;
    if (stat(path, &st)) {
        fail("%s: %s", path, strerror(errno));
        return NULL;
    }
    if (S_ISDIR(st.st_mode)) return open_folder(path);
    GgufFile *f = gguf_open(path);
    Tokenizer *t = f ? tokenizer_read_gguf(f) : NULL;
    gguf_close(f);
    return t;
}

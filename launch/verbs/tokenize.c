/* troupe tokenize: text to ids and back, a row a line, with a model's own tokenizer. Rows keep
 * their other fields. */
#include <argp.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <utf8proc.h>

#include "common/errors.h"
#include "common/jsonl.h"
#include "common/tokenizer.h"
#include "launch/verb.h"

typedef struct {
    const char *model, *input;
    bool text, special, bos, json;
} Arguments;

typedef struct {
    const Arguments *a;
    Tokenizer *tok;
    long rows, n_ids, first_lossy, n_lossy; /* lossy: texts that their ids do not give back */
    Ids ids;
    Buffer back;
    struct timespec said;
} Work;

/* --- one text or row -------------------------------------------------------------------------- */

static int encode(Work *w, const char *text, size_t n, long line)
{
    w->ids.n = 0;
    w->back.size = 0;
    if (tokenizer_encode(w->tok, text, n, w->a->special, w->a->bos, &w->ids)) return -1;
    int bos = w->a->bos && tokenizer_bos(w->tok) >= 0;
    tokenizer_decode(w->tok, w->ids.data + bos, w->ids.n - bos, false, &w->back);
    if ((w->back.size != n || (n && memcmp(w->back.data, text, n) != 0)) && !w->n_lossy++)
        w->first_lossy = line;
    w->n_ids += w->ids.n;
    return 0;
}

static json_t *ids_json(const Ids *ids)
{
    json_t *list = json_array();
    for (int i = 0; i < ids->n; i++) json_array_append_new(list, json_integer(ids->data[i]));
    return list;
}

/* Bytes as JSON text; what is not UTF-8 becomes U+FFFD, one for each byte. */
static json_t *bytes_json(const Buffer *b, bool *lossy)
{
    Buffer text = {0};
    buffer_text(&text, "");
    for (size_t i = 0; i < b->size;) {
        utf8proc_int32_t c;
        const utf8proc_uint8_t *s = (const utf8proc_uint8_t *)b->data + i;
        utf8proc_ssize_t n = utf8proc_iterate(s, (utf8proc_ssize_t)(b->size - i), &c);
        if (n < 1) {
            buffer_text(&text, "\xef\xbf\xbd");
            *lossy = true;
            n = 1;
        } else {
            buffer_add(&text, s, (size_t)n);
        }
        i += (size_t)n;
    }
    json_t *value = json_stringn(text.data, text.size);
    buffer_free(&text);
    return value;
}

static int read_ids(Work *w, const Jsonl *in, const json_t *list)
{
    int size = tokenizer_size(w->tok);
    w->ids.n = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *id = json_array_get(list, i);
        if (!json_is_integer(id) || json_integer_value(id) < 0 || json_integer_value(id) >= size)
            return jsonl_fail(in, "ids[%zu] is not a whole number in [0, %d)", i, size);
        ids_add(&w->ids, (int32_t)json_integer_value(id));
    }
    w->n_ids += w->ids.n;
    return 0;
}

static int decode_row(Work *w, const Jsonl *in, json_t *row, const json_t *list)
{
    bool lossy = false;
    if (read_ids(w, in, list)) return -1;
    w->back.size = 0;
    tokenizer_decode(w->tok, w->ids.data, w->ids.n, false, &w->back);
    json_object_set_new(row, "text", bytes_json(&w->back, &lossy));
    if (lossy) json_object_set_new(row, "invalid_utf8", json_true());
    return 0;
}

static int convert_row(Work *w, const Jsonl *in, json_t *row)
{
    const json_t *text = json_object_get(row, "text"), *ids = json_object_get(row, "ids");
    if (text && ids)
        return jsonl_fail(
            in, "the row has both \"text\" and \"ids\"; leave out the one that is wanted");
    if (json_is_array(ids)) return decode_row(w, in, row, ids);
    if (ids) return jsonl_fail(in, "\"ids\" is not a list of numbers");
    if (!text)
        return jsonl_fail(
            in, "the row has neither \"text\" nor \"ids\" (--text takes lines that are not JSON)");
    if (!json_is_string(text)) return jsonl_fail(in, "\"text\" is not a text");
    if (encode(w, json_string_value(text), json_string_length(text), in->number))
        return jsonl_fail(in, "this row could not be tokenised: the reason stands above");
    json_object_set_new(row, "ids", ids_json(&w->ids));
    return 0;
}

/* --- all of them ------------------------------------------------------------------------------ */

static void say_progress(Work *w)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    w->rows++;
    if (!w->said.tv_sec) w->said = now;
    if (now.tv_sec - w->said.tv_sec < 2) return;
    fprintf(stderr, "tokenize: %ld rows, %ld ids\n", w->rows, w->n_ids);
    w->said = now;
}

static int convert_rows(Work *w, Jsonl *in)
{
    json_t *row;
    int rc;
    while ((rc = jsonl_next(in, &row)) == 1) {
        int bad = convert_row(w, in, row);
        if (!bad && (json_dumpf(row, stdout, JSON_COMPACT) || putchar('\n') < 0))
            bad = fail("standard output could not be written");
        json_decref(row);
        if (bad) return -1;
        say_progress(w);
    }
    return rc;
}

static void print_line(Work *w, const char *line, size_t n)
{
    if (w->a->json) {
        json_t *row = json_pack("{s:s%, s:o}", "text", line, n, "ids", ids_json(&w->ids));
        json_dumpf(row, stdout, JSON_COMPACT);
        json_decref(row);
    } else {
        for (int i = 0; i < w->ids.n; i++) printf(i ? " %d" : "%d", w->ids.data[i]);
    }
    putchar('\n');
}

static int convert_lines(Work *w, FILE *in, const char *name)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t n;
    long number = 0;
    int rc = 0;
    while (!rc && (n = getline(&line, &capacity, in)) >= 0) {
        number++;
        if (n && line[n - 1] == '\n') n--;
        rc = encode(w, line, (size_t)n, number)
                 ? fail("%s:%ld: this line could not be tokenised: the reason stands above", name,
                        number)
                 : 0;
        if (!rc) print_line(w, line, (size_t)n);
        if (!rc) say_progress(w);
    }
    if (!rc && ferror(in)) rc = fail("%s: read failed after line %ld", name, number);
    free(line); /* getline's own malloc */
    return rc;
}

static int convert(Work *w, Jsonl *in)
{
    int rc = w->a->text ? convert_lines(w, in->file, in->name) : convert_rows(w, in);
    if (w->n_lossy)
        fprintf(stderr,
                "tokenize: the ids of %ld text%s, the first in line %ld, do not give the text back "
                "exactly: the model normalises "
                "text, or has no token for a character in it\n",
                w->n_lossy, w->n_lossy == 1 ? "" : "s", w->first_lossy);
    return rc ? EXIT_CONFIG : 0;
}

static error_t parse_argument(int key, char *arg, struct argp_state *state)
{
    Arguments *a = state->input;
    switch (key) {
    case 't':
        a->text = true;
        return 0;
    case 's':
        a->special = true;
        return 0;
    case 'b':
        a->bos = true;
        return 0;
    case 'j':
        a->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 1) argp_error(state, "one MODEL and one FILE at most");
        *(state->arg_num ? &a->input : &a->model) = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which MODEL? a Hugging Face folder or a .gguf file");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int run(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"text", 't', 0, 0,
         "lines of plain text instead of JSON: gives ids with blanks between them", 0},
        {"json", 'j', 0, 0, "with --text: give JSON rows (JSON input always gives them)", 0},
        {"special", 's', 0, 0,
         "text of special tokens (<|im_end|>) becomes those tokens, not plain text", 0},
        {"bos", 'b', 0, 0, "begin with the token that the model wants there, if it wants one", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse_argument,
        .args_doc = "MODEL [FILE]",
        .doc = "Text to ids and back with a model's tokenizer. MODEL is a Hugging Face folder or a "
               ".gguf file. Rows of JSON come "
               "from FILE or standard input: {\"text\": ...} gains \"ids\", {\"ids\": [...]} gains "
               "\"text\"; other fields stay."
               "\vExample: echo '{\"text\": \"Hello\"}' | troupe tokenize "
               "models/SmolLM2-135M-Instruct.Q4_1.gguf",
    };
    Arguments a = {.input = "-"};
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    Jsonl in = {0};
    Work w = {.a = &a, .tok = tokenizer_open(a.model)};
    int code = EXIT_NO_INPUT;
    if (w.tok && !jsonl_open(&in, a.input)) code = convert(&w, &in);
    jsonl_close(&in);
    tokenizer_close(w.tok);
    ids_free(&w.ids);
    buffer_free(&w.back);
    return code;
}

const Verb verb_tokenize = {"tokenize", "text to ids and back with a model's tokenizer", 80, run};

/* See jsonl.h. One buffer for every line, so memory is bounded by the longest line allowed. */
#include "common/jsonl.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <utf8proc.h>

#include "common/errors.h"
#include "common/yaml.h"

int jsonl_open(Jsonl *j, const char *path)
{
    bool standard = !strcmp(path, "-");
    struct stat st;
    *j = (Jsonl){.name = mem_text(standard ? "standard input" : path),
                 .file = standard ? stdin : fopen(path, "r")};
    int rc = j->file ? 0 : fail("%s: %s", path, strerror(errno));
    if (!rc && !standard && !fstat(fileno(j->file), &st) && S_ISDIR(st.st_mode))
        rc = fail("%s: is a folder, a file of JSON lines is wanted", path);
    if (rc) jsonl_close(j);
    return rc;
}

void jsonl_close(Jsonl *j)
{
    if (j->file && j->file != stdin) fclose(j->file);
    buffer_free(&j->line);
    mem_free(j->name);
    *j = (Jsonl){0};
}

int jsonl_fail(const Jsonl *j, const char *fmt, ...)
{
    char text[800];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?'; /* what a file says moves no cursor */
    return fail("%s:%ld: %s", j->name, j->number, text);
}

/* The next line into j->line; 1, 0 at the end, -1 too long (the rest of it is skipped) or a failing
 * read. */
static int read_line(Jsonl *j)
{
    int c = getc_unlocked(j->file);
    bool any = c != EOF;
    j->line.size = 0;
    buffer_text(&j->line, "");
    for (; c != EOF && c != '\n'; c = getc_unlocked(j->file)) {
        char byte = (char)c;
        if (j->line.size <= JSONL_LONGEST_LINE) buffer_add(&j->line, &byte, 1);
    }
    if (ferror(j->file)) return fail("%s: %s", j->name, strerror(errno));
    j->number += any;
    if (j->line.size > JSONL_LONGEST_LINE)
        return jsonl_fail(j, "longer than %d MiB", JSONL_LONGEST_LINE >> 20);
    return any;
}

static int check_utf8(const Jsonl *j)
{
    const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)j->line.data, *end = p + j->line.size;
    utf8proc_int32_t code;
    while (p < end) {
        utf8proc_ssize_t n = *p < 0x80 ? 1 : utf8proc_iterate(p, end - p, &code);
        if (n < 1)
            return fail("%s:%ld:%td: byte 0x%02x: not UTF-8", j->name, j->number,
                        (const char *)p - j->line.data + 1, *p);
        p += n;
    }
    return 0;
}

int jsonl_next(Jsonl *j, json_t **row)
{
    json_error_t e;
    int rc;
    *row = NULL;
    do {
        if ((rc = read_line(j)) != 1) return rc;
    } while (!j->line.data[strspn(j->line.data, " \t\r")]);
    if (check_utf8(j)) return -1;
    *row = json_loadb(j->line.data, j->line.size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
    if (!*row)
        return fail("%s:%ld:%d: %s", j->name, j->number, e.column > 0 ? e.column : 1, e.text);
    if (json_is_object(*row)) return 1;
    json_decref(*row);
    *row = NULL;
    return jsonl_fail(j, "a JSON object is wanted");
}

/* "there are a, b, c", with the nearest to `field` first. */
static int refuse_field(const Jsonl *j, const json_t *row, const char *field)
{
    const char *words[32], *key, *near;
    json_t *value;
    int n = 0;
    Buffer b = {0};
    json_object_foreach((json_t *)(uintptr_t)row, key, value)
    {
        if (n < 32) words[n++] = key;
        if (n < 12) buffer_printf(&b, "%s%.40s", b.size ? ", " : "", key);
    }
    near = nearest_word(field, words, n);
    jsonl_fail(j, "no field \"%.60s\"%s%s; the row has: %s", field, near ? "; did you mean " : "",
               near ? near : "", b.size ? b.data : "nothing");
    buffer_free(&b);
    return -1;
}

char *jsonl_text(const Jsonl *j, const json_t *row, const char *field)
{
    const json_t *v = json_object_get(row, field);
    if (!v) {
        refuse_field(j, row, field);
        return NULL;
    }
    if (json_is_string(v)) {
        if (strlen(json_string_value(v)) == json_string_length(v))
            return mem_text(json_string_value(v));
        jsonl_fail(j, "field \"%.60s\" has a NUL character inside", field);
        return NULL;
    }
    if (!json_is_number(v)) {
        jsonl_fail(j, "field \"%.60s\": text is wanted", field);
        return NULL;
    }
    char *dump = json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)), *text = mem_text(dump);
    free(dump);
    return text;
}

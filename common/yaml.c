/* libyaml's events into a small tree. The document API would accept duplicate keys and cannot be
 * stopped inside a hostile file; with events we count nodes and depth as they come. An alias is a
 * copy of what it names, counted like any other nodes, so a "billion laughs" ends at the limit. The
 * names here are ours: libyaml's header is included only by this file. */
#include "common/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "common/errors.h"
#include "common/memory.h"

enum {
    MOST_BYTES = 1 << 20,
    MOST_NODES = 10000,
    MOST_DEPTH = 64,
    MOST_ERRORS = 20,
    LONGEST_KEY = 128
};

typedef struct {
    char *name;
    YamlNode node; /* a copy, made when the anchored node is complete */
    bool complete;
} Anchor;

typedef struct {
    yaml_parser_t parser;
    const char *file;
    int n_nodes, n_errors, n_anchors;
    bool stopped; /* a limit or a syntax error: nothing more is read */
    Anchor *anchors;
} Reader;

/* The root and the file's name, which every node borrows. */
typedef struct {
    YamlNode node;
    char *file;
} Tree;

static void node_clear(YamlNode *n)
{
    for (int i = 0; i < n->n; i++) {
        node_clear(&n->items[i]);
        if (n->keys) node_clear(&n->keys[i]);
    }
    mem_free(n->items);
    mem_free(n->keys);
    mem_free(n->text);
    *n = (YamlNode){0};
}

/* Logs with the place; the tree is lost, but reading goes on so that later errors are reported too.
 */
#define READER_ERROR(r, at, ...)                                                                   \
    ((r)->stopped |= ++(r)->n_errors >= MOST_ERRORS, yaml_fail(at, __VA_ARGS__))

static int stop(Reader *r, const YamlNode *at, const char *why)
{
    r->stopped = true;
    r->n_errors++;
    return yaml_fail(at, "%s", why);
}

static YamlNode node_at(const Reader *r, YamlKind kind, yaml_mark_t mark)
{
    return (YamlNode){
        .kind = kind, .file = r->file, .line = (int)mark.line + 1, .column = (int)mark.column + 1};
}

static int count_node(Reader *r, const YamlNode *at)
{
    if (++r->n_nodes <= MOST_NODES) return 0;
    return stop(r, at, "more than 10000 values (aliases count as what they stand for)");
}

/* Room for one more child. */
static void grow(YamlNode *n)
{
    if (n->n & (n->n - 1) || n->n == 1) return; /* room is a power of two */
    size_t room = n->n ? 2 * (size_t)n->n : 2;
    n->items = mem_resize(n->items, (size_t)n->n, room, sizeof *n->items);
    if (n->kind == YAML_MAP) n->keys = mem_resize(n->keys, (size_t)n->n, room, sizeof *n->keys);
}

static int node_copy(Reader *r, const YamlNode *from, YamlNode *to)
{
    *to = *from;
    to->text = mem_text(from->text);
    to->items = to->keys = NULL;
    to->n = 0;
    if (count_node(r, from)) return -1;
    for (int i = 0; i < from->n; i++) {
        grow(to);
        to->n++;
        if (node_copy(r, &from->items[i], &to->items[i])) return -1;
        if (from->keys && node_copy(r, &from->keys[i], &to->keys[i])) return -1;
    }
    return 0;
}

/* ---- errors of libyaml itself ---------------------------------------------------------------- */

static int syntax_error(Reader *r)
{
    const yaml_parser_t *p = &r->parser;
    YamlNode at = node_at(r, YAML_SCALAR, p->problem_mark);
    if (p->error == YAML_MEMORY_ERROR) die(EXIT_UNABLE, "%s: out of memory", r->file);
    if (p->error == YAML_READER_ERROR) { /* has an offset, no mark */
        at.line = 1;
        at.column = 1;
        const unsigned char *c = p->input.string.start, *end = p->input.string.end;
        for (size_t i = 0; i < p->problem_offset && c < end; i++, c++) {
            at.column = *c == '\n' ? 1 : at.column + 1;
            at.line += *c == '\n';
        }
        r->stopped = true;
        r->n_errors++;
        if (p->problem_value < 0) return yaml_fail(&at, "%s", p->problem);
        return yaml_fail(&at, "%s (0x%02x)", p->problem, (unsigned)p->problem_value);
    }
    r->stopped = true;
    r->n_errors++;
    if (!p->context) return yaml_fail(&at, "%s", p->problem);
    return yaml_fail(&at, "%s, %s at %zu:%zu", p->problem, p->context, p->context_mark.line + 1,
                     p->context_mark.column + 1);
}

static int next_event(Reader *r, yaml_event_t *e)
{
    if (r->stopped) return -1;
    if (yaml_parser_parse(&r->parser, e)) return 0;
    return syntax_error(r);
}

/* ---- anchors --------------------------------------------------------------------------------- */

static int anchor_begin(Reader *r, const char *name)
{
    if (!(r->n_anchors & (r->n_anchors - 1)))
        r->anchors = mem_resize(r->anchors, (size_t)r->n_anchors,
                                r->n_anchors ? 2 * (size_t)r->n_anchors : 1, sizeof *r->anchors);
    r->anchors[r->n_anchors] = (Anchor){.name = mem_text(name)};
    return r->n_anchors++;
}

static int read_alias(Reader *r, const char *name, YamlNode *out)
{
    for (int i = r->n_anchors - 1; i >= 0; i--) { /* the latest of that name */
        if (strcmp(r->anchors[i].name, name)) continue;
        if (!r->anchors[i].complete)
            return READER_ERROR(r, out, "alias *%.60s stands inside the value it names", name);
        return node_copy(r, &r->anchors[i].node, out);
    }
    return READER_ERROR(r, out, "alias *%.60s: no anchor &%.60s comes before it", name, name);
}

/* ---- maps ------------------------------------------------------------------------------------ */

static int by_text_then_place(const void *a, const void *b)
{
    const YamlNode *const *x = a, *const *y = b;
    int order = strcmp((*x)->text, (*y)->text);
    return order ? order : (*x > *y) - (*x < *y); /* one array: its order is the file's */
}

static void refuse_duplicates(Reader *r, const YamlNode *map)
{
    if (map->n < 2) return;
    const YamlNode **keys = NEW(const YamlNode *, map->n);
    for (int i = 0; i < map->n; i++) keys[i] = &map->keys[i];
    qsort(keys, (size_t)map->n, sizeof *keys, by_text_then_place);
    for (int i = 1; i < map->n && !r->stopped; i++)
        if (!strcmp(keys[i]->text, keys[i - 1]->text))
            READER_ERROR(r, keys[i], "key %.60s was given before, in line %d", keys[i]->text,
                         keys[i - 1]->line);
    mem_free(keys);
}

/* Moves the entries of `from` that `map` lacks into it: own keys win, then the first of several
 * merged maps. */
static void merge_one(Reader *r, YamlNode *map, YamlNode *from)
{
    if (from->kind != YAML_MAP) {
        READER_ERROR(r, from, "<< takes a map or a list of maps");
        return;
    }
    for (int i = 0; i < from->n; i++) {
        if (yaml_get(map, from->keys[i].text)) continue;
        grow(map);
        map->items[map->n] = from->items[i];
        map->keys[map->n++] = from->keys[i];
        from->items[i] = from->keys[i] = (YamlNode){0};
    }
}

static void merge_keys(Reader *r, YamlNode *map)
{
    for (int i = 0; i < map->n; i++) {
        if (strcmp(map->keys[i].text, "<<") || map->keys[i].quoted) continue;
        YamlNode key = map->keys[i], value = map->items[i];
        map->n--;
        memmove(&map->keys[i], &map->keys[i + 1], (size_t)(map->n - i) * sizeof key);
        memmove(&map->items[i], &map->items[i + 1], (size_t)(map->n - i) * sizeof key);
        if (value.kind != YAML_LIST)
            merge_one(r, map, &value);
        else
            for (int k = 0; k < value.n; k++) merge_one(r, map, &value.items[k]);
        node_clear(&key);
        node_clear(&value);
        return; /* a second << was refused as a duplicate */
    }
}

/* ---- the tree -------------------------------------------------------------------------------- */

static int read_node(Reader *r, yaml_event_t *e, int depth, YamlNode *out);

static int read_scalar(Reader *r, const yaml_event_t *e, YamlNode *out)
{
    const char *text = (const char *)e->data.scalar.value;
    out->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    out->text = mem_text(text);
    if (strlen(text) != e->data.scalar.length)
        return READER_ERROR(r, out, "text with a NUL character inside");
    return 0;
}

static int check_key(Reader *r, const YamlNode *key)
{
    if (key->kind != YAML_SCALAR) return READER_ERROR(r, key, "a key must be text");
    if (strlen(key->text) > LONGEST_KEY)
        return READER_ERROR(r, key, "a key of more than %d bytes", LONGEST_KEY);
    return 0;
}

/* Children until the end event. An error inside a child leaves it out and goes on, unless nothing
 * more can be read. */
static int read_children(Reader *r, yaml_event_type_t end, int depth, YamlNode *out)
{
    for (;;) {
        yaml_event_t e;
        YamlNode key = {0}, value = {0};
        if (next_event(r, &e)) return -1;
        if (e.type == end) {
            yaml_event_delete(&e);
            return 0;
        }
        bool good = true;
        if (out->kind == YAML_MAP) {
            good = !read_node(r, &e, depth, &key) && !check_key(r, &key);
            if (next_event(r, &e)) {
                node_clear(&key);
                return -1;
            }
        }
        good = !read_node(r, &e, depth, &value) && good;
        if (good) {
            grow(out);
            if (out->keys) out->keys[out->n] = key;
            out->items[out->n++] = value;
            continue;
        }
        node_clear(&key);
        node_clear(&value);
        if (r->stopped) return -1;
    }
}

static int read_collection(Reader *r, yaml_event_type_t end, int depth, YamlNode *out)
{
    if (depth >= MOST_DEPTH) return stop(r, out, "nested deeper than 64 levels");
    if (read_children(r, end, depth + 1, out)) return -1;
    if (out->kind != YAML_MAP) return 0;
    refuse_duplicates(r, out);
    merge_keys(r, out);
    return 0;
}

/* What an event that begins a node is called by its author; the event still owns the text. */
static void event_names(const yaml_event_t *e, const char **anchor, const char **tag)
{
    const yaml_char_t *a = NULL, *t = NULL;
    if (e->type == YAML_SCALAR_EVENT) {
        a = e->data.scalar.anchor;
        t = e->data.scalar.tag;
    } else if (e->type == YAML_SEQUENCE_START_EVENT) {
        a = e->data.sequence_start.anchor;
        t = e->data.sequence_start.tag;
    } else if (e->type == YAML_MAPPING_START_EVENT) {
        a = e->data.mapping_start.anchor;
        t = e->data.mapping_start.tag;
    }
    *anchor = (const char *)a;
    *tag = (const char *)t;
}

static int read_body(Reader *r, const yaml_event_t *e, int depth, YamlNode *out)
{
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(r, e, out);
    case YAML_ALIAS_EVENT:
        return read_alias(r, (const char *)e->data.alias.anchor, out);
    case YAML_SEQUENCE_START_EVENT:
        return read_collection(r, YAML_SEQUENCE_END_EVENT, depth, out);
    case YAML_MAPPING_START_EVENT:
        return read_collection(r, YAML_MAPPING_END_EVENT, depth, out);
    default:
        return stop(r, out, "a value was expected");
    }
}

/* Takes the event (and deletes it). On -1 *out holds what there is, to be cleared by the caller. */
static int read_node(Reader *r, yaml_event_t *e, int depth, YamlNode *out)
{
    const char *anchor, *tag;
    int slot = -1, rc = -1;
    YamlKind kind = e->type == YAML_SEQUENCE_START_EVENT  ? YAML_LIST
                    : e->type == YAML_MAPPING_START_EVENT ? YAML_MAP
                                                          : YAML_SCALAR;
    *out = node_at(r, kind, e->start_mark);
    event_names(e, &anchor, &tag);
    if (count_node(r, out)) goto done;
    if (tag) READER_ERROR(r, out, "tag %.60s: tags are not read, leave it out", tag);
    if (anchor) slot = anchor_begin(r, anchor);
    rc = read_body(r, e, depth, out);
    if (rc || slot < 0) goto done;
    rc = node_copy(r, out, &r->anchors[slot].node);
    r->anchors[slot].complete = true;
done:
    yaml_event_delete(e);
    return rc;
}

/* The only document of the stream; an empty stream is an empty map. */
static int read_stream(Reader *r, YamlNode *out)
{
    yaml_event_t e;
    *out = (YamlNode){.kind = YAML_MAP, .file = r->file, .line = 1, .column = 1};
    for (;;) {
        if (next_event(r, &e)) return -1;
        yaml_event_type_t type = e.type;
        YamlNode at = node_at(r, YAML_SCALAR, e.start_mark);
        if (type == YAML_STREAM_START_EVENT) {
            yaml_event_delete(&e);
            continue;
        }
        yaml_event_delete(&e);
        if (type == YAML_STREAM_END_EVENT) return 0;
        if (out->items || out->text || r->n_nodes)
            return stop(r, &at, "a second document: a file has one");
        if (next_event(r, &e) || (read_node(r, &e, 0, out) && r->stopped))
            return -1; /* after DOCUMENT-START */
        if (next_event(r, &e)) return -1;
        yaml_event_delete(&e); /* DOCUMENT-END */
    }
}

YamlNode *yaml_parse(const char *name, const char *text, size_t size)
{
    Tree *tree = NEW(Tree, 1);
    tree->file = mem_text(name);
    Reader r = {.file = tree->file};
    YamlNode top = {.file = tree->file, .line = 1, .column = 1};
    if (size > MOST_BYTES) {
        stop(&r, &top, "larger than 1 MiB");
        goto done;
    }
    if (!yaml_parser_initialize(&r.parser)) die(EXIT_UNABLE, "%s: out of memory", name);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, size);
    read_stream(&r, &tree->node);
    yaml_parser_delete(&r.parser);
done:
    for (int i = 0; i < r.n_anchors; i++) {
        mem_free(r.anchors[i].name);
        node_clear(&r.anchors[i].node);
    }
    mem_free(r.anchors);
    if (r.n_errors >= MOST_ERRORS) fail("%s: too many errors, the rest was not read", name);
    if (!r.n_errors) return &tree->node;
    yaml_close(&tree->node);
    return NULL;
}

void yaml_close(YamlNode *root)
{
    if (!root) return;
    Tree *tree = (Tree *)root; /* its first member */
    node_clear(&tree->node);
    mem_free(tree->file);
    mem_free(tree);
}

const YamlNode *yaml_get(const YamlNode *map, const char *key)
{
    if (!map || map->kind != YAML_MAP) return NULL;
    for (int i = 0; i < map->n; i++)
        if (!strcmp(map->keys[i].text, key)) return &map->items[i];
    return NULL;
}

/* What the tokenizer looks things up with: a map of numbers, literals as a trie, and GPT-2's
 * spelling of bytes as characters. */
#include "common/tokenizer_parts.h"

#include <utf8proc.h>

#include "common/errors.h"

uint64_t hash_mix(uint64_t x) /* the finaliser of splitmix64 */
{
    x ^= x >> 30, x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27, x *= 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static size_t map_slot(const Map *m, uint64_t key)
{
    size_t i = hash_mix(key) & (m->capacity - 1);
    while (m->keys[i] && m->keys[i] != key + 1) i = (i + 1) & (m->capacity - 1);
    return i;
}

bool map_get(const Map *m, uint64_t key, uint32_t *value)
{
    if (!m->n) return false;
    size_t i = map_slot(m, key);
    if (!m->keys[i]) return false;
    *value = m->values[i];
    return true;
}

static void map_grow(Map *m)
{
    Map old = *m;
    m->capacity = old.capacity ? 2 * old.capacity : 64;
    m->keys = NEW(uint64_t, m->capacity);
    m->values = NEW(uint32_t, m->capacity);
    for (size_t i = 0; i < old.capacity; i++) {
        if (!old.keys[i]) continue;
        size_t at = map_slot(m, old.keys[i] - 1);
        m->keys[at] = old.keys[i];
        m->values[at] = old.values[i];
    }
    map_free(&old);
}

bool map_put(Map *m, uint64_t key, uint32_t value)
{
    if (2 * (m->n + 1) > m->capacity) map_grow(m);
    size_t i = map_slot(m, key);
    if (m->keys[i]) return false;
    m->keys[i] = key + 1;
    m->values[i] = value;
    m->n++;
    return true;
}

void map_free(Map *m)
{
    mem_free(m->keys);
    mem_free(m->values);
    *m = (Map){0};
}

bool literals_add(Literals *l, const char *s, size_t n, uint32_t id)
{
    uint32_t node = 0;
    REQUIRE(n > 0, "an empty literal matches everywhere");
    for (size_t i = 0; i < n; i++) {
        uint64_t key = (uint64_t)node << 8 | (uint8_t)s[i];
        if (map_get(&l->edges, key, &node)) continue;
        map_put(&l->edges, key, ++l->n_nodes);
        node = l->n_nodes;
    }
    l->starts[(uint8_t)s[0]] = true;
    return map_put(&l->ends, node, id);
}

int literals_match(const Literals *l, const char *s, size_t n, size_t *length)
{
    uint32_t node = 0, id;
    int found = -1;
    if (!n || !l->starts[(uint8_t)s[0]]) return -1;
    for (size_t i = 0; i < n && map_get(&l->edges, (uint64_t)node << 8 | (uint8_t)s[i], &node);
         i++) {
        if (!map_get(&l->ends, node, &id)) continue;
        found = (int)id;
        *length = i + 1;
    }
    return found;
}

void literals_free(Literals *l)
{
    map_free(&l->edges);
    map_free(&l->ends);
    *l = (Literals){0};
}

/* --- GPT-2's spelling of bytes: printable ones of Latin-1 stand for themselves, the others follow
 * from U+0100 on ----------- */

static bool spells_itself(int c)
{
    return (c >= '!' && c <= '~') || (c >= 0xa1 && c <= 0xac) || (c >= 0xae && c <= 0xff);
}

int spelling_of_byte(uint8_t byte)
{
    if (spells_itself(byte)) return byte;
    int before = byte <= 0x20 ? byte : byte <= 0xa0 ? 0x21 + byte - 0x7f : 0x43;
    return 0x100 + before;
}

int byte_of_spelling(int c)
{
    if (c < 0x100) return spells_itself(c) ? c : -1;
    c -= 0x100;
    return c <= 0x20 ? c : c <= 0x42 ? c - 0x21 + 0x7f : c == 0x43 ? 0xad : -1;
}

bool spelling_read(const char *text, size_t n, Buffer *out)
{
    for (size_t i = 0; i < n;) {
        utf8proc_int32_t c;
        utf8proc_ssize_t k =
            utf8proc_iterate((const utf8proc_uint8_t *)text + i, (utf8proc_ssize_t)(n - i), &c);
        int byte = k < 1 ? -1 : byte_of_spelling(c);
        if (byte < 0) return false;
        char one = (char)byte;
        buffer_add(out, &one, 1);
        i += (size_t)k;
    }
    return true;
}

/* Reading by table: mappings against their keys, scalars against their types. */
#include "base/net.h"
#include "config/load.h"
#include "config/values.h"

enum { FOUND_TEXT_MAX = 60, KEYS_MAX = 32 };

void *load_grow(arena *mem, const void *items, size_t *cap, size_t size)
{
    size_t next = *cap ? *cap * 2 : 16;
    void *grown = arena_alloc(mem, next * size);
    if (*cap)
        memcpy(grown, items, *cap * size);
    *cap = next;
    return grown;
}

const char *found_text(loader *l, const node *n)
{
    if (n->kind == NODE_MAP)
        return "a mapping";
    if (n->kind == NODE_LIST)
        return "a list";
    if (node_is_null(n))
        return "nothing";
    if (n->text.n <= FOUND_TEXT_MAX)
        return arena_fmt(l->mem, "'%s'", n->text.p);
    size_t cut = FOUND_TEXT_MAX;
    while (cut && ((unsigned char)n->text.p[cut] & 0xC0) == 0x80)
        cut--; /* not in the middle of a character */
    return arena_fmt(l->mem, "'%.*s...'", (int)cut, n->text.p);
}

void expected(loader *l, const char *key, const node *found, const char *wanted)
{
    diag_at(l->diags, found->at, "%s: expected %s, found %s", key, wanted, found_text(l, found));
}

/* ---- mappings ---- */

static const key_spec *find_spec(const key_spec *keys, span name)
{
    for (; keys->name; keys++)
        if (span_eq_str(name, keys->name))
            return keys;
    return NULL;
}

static void report_unknown(loader *l, const node *key, const char *what, const key_spec *keys)
{
    const char *names[KEYS_MAX];
    size_t count = 0;
    auto_buf buf all = buf_make(DIAG_TEXT_MAX);
    for (; keys[count].name && count + 1 < KEYS_MAX; count++) {
        names[count] = keys[count].name;
        buf_fmt(&all, "%s%s", count ? ", " : "", names[count]);
    }
    names[count] = NULL;
    const char *near = diag_suggest(l->diags, key->text, names);
    if (*near)
        diag_at(l->diags, key->at, "unknown key %s in %s%s", found_text(l, key), what, near);
    else
        diag_at(l->diags, key->at, "unknown key %s in %s; there are: %s", found_text(l, key), what,
                all.p);
}

void read_map(loader *l, const node *map, const char *what, const key_spec *keys, void *target)
{
    if (!read_is_map(l, what, map))
        return;
    for (size_t i = 0; i < map->count; i++) {
        const node_pair *entry = &map->pairs[i];
        const key_spec *spec = find_spec(keys, entry->key->text);
        if (spec)
            spec->read(l, entry, (char *)target + spec->offset);
        else
            report_unknown(l, entry->key, what, keys);
    }
}

/* ---- kinds ---- */

bool read_is_map(loader *l, const char *key, const node *n)
{
    if (n->kind == NODE_MAP)
        return true;
    if (!node_is_null(n))
        expected(l, key, n, "a mapping");
    return false;
}

bool read_is_list(loader *l, const char *key, const node *n, const char *wanted)
{
    if (n->kind == NODE_LIST)
        return true;
    if (!node_is_null(n))
        expected(l, key, n, wanted);
    return false;
}

bool read_scalar(loader *l, const char *key, const node *n, const char *wanted, span *out)
{
    if (n->kind != NODE_SCALAR || node_is_null(n)) {
        expected(l, key, n, wanted);
        return false;
    }
    *out = n->text;
    return true;
}

/* ---- values ---- */

void read_bool(loader *l, const node_pair *entry, void *into)
{
    const node *n = entry->value;
    bool is_true = n->kind == NODE_SCALAR && n->plain && span_ieq_str(n->text, "true");
    bool is_false = n->kind == NODE_SCALAR && n->plain && span_ieq_str(n->text, "false");
    if (is_true || is_false)
        *(bool *)into = is_true;
    else
        expected(l, entry->key->text.p, n, "true or false");
}

void read_text_list(loader *l, const node_pair *entry, void *into)
{
    const char *key = entry->key->text.p;
    if (!read_is_list(l, key, entry->value, "a list such as [one, two]"))
        return;
    const node *list = entry->value;
    const char **texts = arena_alloc(l->mem, (list->count + 1) * sizeof(const char *));
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        span text;
        if (read_scalar(l, key, list->items[i], "text", &text))
            texts[count++] = text.p;
    }
    *(const char *const **)into = texts;
}

void read_command(loader *l, const node_pair *entry, void *into)
{
    static const char wanted[] = "a list such as [build/samples/frontend, --verbose]";
    const node *n = entry->value;
    if (n->kind != NODE_LIST || n->count == 0 ||
        (n->items[0]->kind == NODE_SCALAR && n->items[0]->text.n == 0)) {
        expected(l, entry->key->text.p, n, wanted);
        return;
    }
    read_text_list(l, entry, into);
}

void read_node(loader *l, const node_pair *entry, void *into)
{
    (void)l;
    *(const node **)into = entry->value;
}

void read_ignored(loader *l, const node_pair *entry, void *into)
{
    (void)l;
    (void)entry;
    (void)into;
}

void read_listen(loader *l, const node_pair *entry, void *into)
{
    static const char wanted[] = "IP:PORT such as 127.0.0.1:8081 (port 0: any free one)";
    const char *key = entry->key->text.p;
    span text;
    net_addr a;
    if (!read_scalar(l, key, entry->value, wanted, &text))
        return;
    if (!net_addr_parse(text, &a, NULL)) {
        expected(l, key, entry->value, wanted);
        return;
    }
    char normal[NET_ADDR_TEXT_MAX];
    *(const char **)into = arena_dup(l->mem, span_of(net_addr_text(&a, normal)));
}

bool read_word(loader *l, const node_pair *entry, const char *const *words, const char *wanted,
               size_t *out_index)
{
    const char *key = entry->key->text.p;
    span text;
    if (!read_scalar(l, key, entry->value, wanted, &text))
        return false;
    for (size_t i = 0; words[i]; i++) {
        if (span_eq_str(text, words[i])) {
            *out_index = i;
            return true;
        }
    }
    diag_at(l->diags, entry->value->at, "%s: expected %s, found %s%s", key, wanted,
            found_text(l, entry->value), diag_suggest(l->diags, text, words));
    return false;
}

bool read_count(loader *l, const node_pair *entry, uint32_t least, uint32_t most, uint32_t *out)
{
    const char *key = entry->key->text.p;
    const char *wanted = arena_fmt(l->mem, "a whole number from %u to %u", least, most);
    span text;
    uint64_t number;
    if (!read_scalar(l, key, entry->value, wanted, &text))
        return false;
    if (!span_u64(text, most, &number) || number < least) {
        expected(l, key, entry->value, wanted);
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

static const char *duration_text(loader *l, int64_t us)
{
    if (us % 1000000 != 0)
        return arena_fmt(l->mem, "%lldms", (long long)(us / 1000));
    return arena_fmt(l->mem, "%llds", (long long)(us / 1000000));
}

bool read_duration(loader *l, const node_pair *entry, int64_t least, int64_t most, int64_t step,
                   int64_t *out_us)
{
    static const char wanted[] = "a duration such as 300s or 5m";
    const char *key = entry->key->text.p;
    const node *n = entry->value;
    span text;
    int64_t us;
    uint64_t bare;
    if (!read_scalar(l, key, n, wanted, &text))
        return false;
    if (!value_duration_us(text, &us)) {
        bool unit_missing = span_u64(text, 1000000, &bare);
        diag_at(l->diags, n->at, "%s: expected %s, found %s%s", key, wanted, found_text(l, n),
                unit_missing ? arena_fmt(l->mem, "; did you mean '%ss'?", text.p) : "");
        return false;
    }
    if (us < least || us > most) {
        diag_at(l->diags, n->at, "%s: expected %s to %s, found %s", key, duration_text(l, least),
                duration_text(l, most), found_text(l, n));
        return false;
    }
    if (us % step != 0) {
        expected(l, key, n, "whole seconds");
        return false;
    }
    *out_us = us;
    return true;
}

bool claim_once(loader *l, const node **slot, const node_pair *entry)
{
    if (*slot) {
        diag_at(l->diags, entry->key->at, "'%s' is already given at %s:%u", entry->key->text.p,
                (*slot)->at.file, (*slot)->at.line);
        return false;
    }
    *slot = entry->value;
    return true;
}

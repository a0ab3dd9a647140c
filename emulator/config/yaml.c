/* Composes our tree from libyaml's events. Not from its document API: that one builds everything
 * before a limit can be looked at, and its time grows with the square of the nesting. */
#include "config/yaml.h"

#include <yaml.h>

#include "base/hash.h"
#include "config/yaml_places.h"

enum { DEPTH_CEILING = 64, SMALL_MAP = 16 };

typedef struct anchor {
    const node *node; /* NULL while it is being composed */
    size_t weight;    /* nodes, aliases counted in full */
    size_t height;    /* levels below and including it */
} anchor;

typedef struct frame { /* children of the collection that is being read at this depth */
    const node **items;
    size_t count, cap;
} frame;

typedef struct composer {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    arena *mem;
    diag_sink *diags;
    const char *file;
    yaml_cursor cursor; /* at a literal block or before the next one */
    strmap *anchors;
    frame frames[DEPTH_CEILING + 1];
    size_t depth_max, nodes_max;
    size_t nodes;  /* composed so far, aliases counted in full */
    size_t height; /* of the node composed last */
} composer;

static const node *compose(composer *c, size_t depth);

static place place_of(const composer *c, yaml_mark_t m)
{
    return (place){c->file, (uint32_t)m.line + 1, (uint32_t)m.column + 1};
}

static place here(const composer *c)
{
    return place_of(c, c->event.start_mark);
}

static void report_syntax(composer *c, span text)
{
    const yaml_parser_t *p = &c->parser;
    const char *problem = p->problem ? p->problem : "cannot be read";
    if (p->error == YAML_READER_ERROR) {
        diag_at(c->diags, yaml_place_of_offset(c->file, text, p->problem_offset),
                "not UTF-8 text: %s", problem);
        return;
    }
    place at = place_of(c, p->problem_mark);
    if (p->context && p->context_mark.line + 1 != at.line)
        diag_at(c->diags, at, "not valid YAML: %s %s that starts at line %zu", problem, p->context,
                p->context_mark.line + 1);
    else if (p->context)
        diag_at(c->diags, at, "not valid YAML: %s %s", problem, p->context);
    else
        diag_at(c->diags, at, "not valid YAML: %s", problem);
}

/* Moves on to the next event; false on a syntax error. */
static bool next(composer *c)
{
    yaml_event_delete(&c->event);
    return yaml_parser_parse(&c->parser, &c->event) == 1;
}

static span span_of_yaml(const yaml_char_t *s, size_t n)
{
    return (span){(const char *)s, n};
}

static bool tag_is(const yaml_char_t *tag, const char *name)
{
    return !tag || strcmp((const char *)tag, "!") == 0 || strcmp((const char *)tag, name) == 0;
}

static void check_tag(composer *c, const yaml_char_t *tag, const char *expected)
{
    if (!tag_is(tag, expected))
        diag_at(c->diags, here(c), "tag '%.80s' is not supported", (const char *)tag);
}

static node *new_node(composer *c, node_kind kind)
{
    node *n = arena_alloc(c->mem, sizeof *n);
    n->kind = kind;
    n->at = here(c);
    return n;
}

static anchor *anchor_begin(composer *c, const yaml_char_t *name)
{
    if (!name)
        return NULL;
    span key = span_of((const char *)name);
    anchor *a = strmap_get(c->anchors, key);
    if (!a) {
        a = arena_alloc(c->mem, sizeof *a);
        (void)strmap_put(c->anchors, key, a);
    }
    *a = (anchor){0};
    return a;
}

static void anchor_end(const composer *c, anchor *a, const node *n, size_t nodes_before)
{
    if (a)
        *a = (anchor){n, c->nodes - nodes_before, c->height};
}

/* Counts against the budget. */
static bool spend(composer *c, size_t nodes)
{
    if (nodes <= c->nodes_max - c->nodes) {
        c->nodes += nodes;
        return true;
    }
    diag_at(c->diags, here(c), "too many values, aliases counted in full");
    return false;
}

static bool deep(composer *c)
{
    diag_at(c->diags, here(c), "nested more than %zu levels deep", c->depth_max);
    return false;
}

static const node *compose_alias(composer *c, size_t depth)
{
    const char *name = (const char *)c->event.data.alias.anchor;
    const anchor *a = strmap_get(c->anchors, span_of(name));
    if (!a) {
        diag_at(c->diags, here(c), "alias '*%.60s' has no anchor '&%.60s' before it", name, name);
        return NULL;
    }
    if (!a->node) {
        diag_at(c->diags, here(c), "alias '*%.60s' contains itself", name);
        return NULL;
    }
    if (depth + a->height > c->depth_max + 1) {
        (void)deep(c);
        return NULL;
    }
    if (!spend(c, a->weight))
        return NULL;
    c->height = a->height;
    return a->node;
}

/* Where the text of the current scalar begins, if it stands in the file as it is: neither folded
 * nor with escapes; else 0. */
static uint32_t text_column(composer *c, span text)
{
    const yaml_event_t *e = &c->event;
    const yaml_scalar_style_t style = e->data.scalar.style;
    if (style == YAML_LITERAL_SCALAR_STYLE)
        return yaml_block_column(&c->cursor, (uint32_t)e->start_mark.line + 2, text);
    if (e->start_mark.line != e->end_mark.line)
        return 0;
    const size_t quote = style == YAML_PLAIN_SCALAR_STYLE ? 0 : 1;
    const size_t width = e->end_mark.column - e->start_mark.column;
    const size_t column = e->start_mark.column + 1 + quote;
    return yaml_characters(text) + 2 * quote == width && column <= UINT16_MAX ? (uint32_t)column
                                                                              : 0;
}

static const node *compose_scalar(composer *c)
{
    size_t before = c->nodes;
    if (!spend(c, 1))
        return NULL;
    anchor *a = anchor_begin(c, c->event.data.scalar.anchor);
    const yaml_char_t *tag = c->event.data.scalar.tag;
    check_tag(c, tag, YAML_STR_TAG);
    span text = span_of_yaml(c->event.data.scalar.value, c->event.data.scalar.length);
    node *n = new_node(c, NODE_SCALAR);
    if (span_find(text, '\0') != text.n) {
        diag_at(c->diags, n->at, "text contains a NUL character");
        text.n = span_find(text, '\0');
    }
    n->text = (span){arena_dup(c->mem, text), text.n};
    n->block = c->event.data.scalar.style == YAML_LITERAL_SCALAR_STYLE;
    n->text_column = (uint16_t)text_column(c, n->text);
    n->plain = !tag && c->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    c->height = 1;
    anchor_end(c, a, n, before);
    return n;
}

static void push(frame *f, const node *n)
{
    if (f->count == f->cap) {
        f->cap = f->cap ? f->cap * 2 : 32;
        f->items = realloc(f->items, f->cap * sizeof(const node *));
        if (!f->items)
            abort();
    }
    f->items[f->count++] = n;
}

/* Reads children up to the end event into the depth's frame. */
static bool compose_children(composer *c, yaml_event_type_t end, size_t depth)
{
    frame *f = &c->frames[depth];
    size_t height = 0;
    f->count = 0;
    for (;;) {
        if (!next(c))
            return false;
        if (c->event.type == end)
            break;
        const node *child = compose(c, depth + 1);
        if (!child)
            return false;
        push(f, child);
        if (c->height > height)
            height = c->height;
    }
    c->height = height + 1;
    return true;
}

static const node *compose_list(composer *c, size_t depth)
{
    size_t before = c->nodes;
    if (!spend(c, 1))
        return NULL;
    anchor *a = anchor_begin(c, c->event.data.sequence_start.anchor);
    check_tag(c, c->event.data.sequence_start.tag, YAML_SEQ_TAG);
    node *n = new_node(c, NODE_LIST);
    if (!compose_children(c, YAML_SEQUENCE_END_EVENT, depth))
        return NULL;
    const frame *f = &c->frames[depth];
    const node **items = arena_alloc(c->mem, f->count * sizeof(const node *));
    for (size_t i = 0; i < f->count; i++)
        items[i] = f->items[i];
    n->items = items;
    n->count = f->count;
    anchor_end(c, a, n, before);
    return n;
}

/* The pair that has this key already; `seen` is NULL for small maps. */
static const node_pair *find_key(const node_pair *pairs, size_t count, strmap *seen, const node *k)
{
    if (seen)
        return strmap_get(seen, k->text);
    for (size_t i = 0; i < count; i++)
        if (span_eq(pairs[i].key->text, k->text))
            return &pairs[i];
    return NULL;
}

static bool usable_key(composer *c, const node *key)
{
    if (key->kind != NODE_SCALAR)
        diag_at(c->diags, key->at, "a key has to be text, not a %s",
                key->kind == NODE_LIST ? "list" : "mapping");
    else if (key->plain && span_eq_str(key->text, "<<"))
        diag_at(c->diags, key->at,
                "merge keys ('<<') are not supported; use an alias for the whole value");
    else
        return true;
    return false;
}

static void fill_map(composer *c, node *n, const frame *f)
{
    size_t most = f->count / 2;
    node_pair *pairs = arena_alloc(c->mem, most * sizeof *pairs);
    strmap *seen = most > SMALL_MAP ? strmap_new() : NULL;
    for (size_t i = 0; i < most; i++) {
        const node *key = f->items[2 * i];
        if (!usable_key(c, key))
            continue;
        const node_pair *first = find_key(pairs, n->count, seen, key);
        if (first) {
            diag_at(c->diags, key->at, "duplicate key '%.80s'; the first is at line %u",
                    key->text.p, first->key->at.line);
            continue;
        }
        node_pair *pair = &pairs[n->count++];
        *pair = (node_pair){key, f->items[2 * i + 1]};
        if (seen)
            (void)strmap_put(seen, key->text, pair);
    }
    if (seen)
        strmap_free(seen);
    n->pairs = pairs;
}

static const node *compose_map(composer *c, size_t depth)
{
    size_t before = c->nodes;
    if (!spend(c, 1))
        return NULL;
    anchor *a = anchor_begin(c, c->event.data.mapping_start.anchor);
    check_tag(c, c->event.data.mapping_start.tag, YAML_MAP_TAG);
    node *n = new_node(c, NODE_MAP);
    if (!compose_children(c, YAML_MAPPING_END_EVENT, depth))
        return NULL;
    fill_map(c, n, &c->frames[depth]);
    anchor_end(c, a, n, before);
    return n;
}

/* From the current event; NULL when the rest of the file is not worth reading (reported, or a
 * syntax error that the parser still holds). depth counts from 1. */
static const node *compose(composer *c, size_t depth)
{
    if (depth > c->depth_max) {
        (void)deep(c);
        return NULL;
    }
    if (c->event.type == YAML_ALIAS_EVENT)
        return compose_alias(c, depth);
    if (c->event.type == YAML_SCALAR_EVENT)
        return compose_scalar(c);
    if (c->event.type == YAML_SEQUENCE_START_EVENT)
        return compose_list(c, depth);
    return compose_map(c, depth);
}

/* The root, or NULL; a second document is reported. */
static const node *compose_document(composer *c)
{
    if (!next(c)) /* stream start */
        return NULL;
    if (!next(c)) /* document start */
        return NULL;
    if (c->event.type == YAML_STREAM_END_EVENT) {
        diag_at(c->diags, (place){c->file, 1, 1}, "the file is empty");
        return NULL;
    }
    if (!next(c))
        return NULL;
    const node *root = compose(c, 1);
    if (!root || !next(c) || !next(c)) /* document end, what follows */
        return NULL;
    if (c->event.type != YAML_STREAM_END_EVENT)
        diag_at(c->diags, here(c), "a second document starts here; a file holds only one");
    return root;
}

static bool acceptable(const composer *c, span text)
{
    size_t nul = span_find(text, '\0');
    if (nul != text.n) {
        diag_at(c->diags, yaml_place_of_offset(c->file, text, nul),
                "not UTF-8 text: there is a NUL byte");
        return false;
    }
    if (yaml_has_tag_directive(text)) {
        diag_at(c->diags, (place){c->file, 1, 1}, "%%TAG directives are not supported");
        return false;
    }
    return true;
}

const node *yaml_parse(arena *a, diag_sink *d, const char *file, span text, yaml_budget *budget)
{
    composer c = {.mem = a, .diags = d, .file = file, .cursor = {text, 1}};
    c.nodes_max = budget->nodes;
    c.depth_max = budget->depth < DEPTH_CEILING ? budget->depth : DEPTH_CEILING;
    diag_file(d, file);
    if (!acceptable(&c, text))
        return NULL;
    if (!yaml_parser_initialize(&c.parser))
        abort();
    yaml_parser_set_encoding(&c.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&c.parser, (const unsigned char *)text.p, text.n);
    c.anchors = strmap_new();
    const node *root = compose_document(&c);
    if (!root && c.parser.error != YAML_NO_ERROR)
        report_syntax(&c, text);
    budget->nodes -= c.nodes;
    yaml_event_delete(&c.event);
    yaml_parser_delete(&c.parser);
    strmap_free(c.anchors);
    for (size_t i = 0; i < countof(c.frames); i++)
        free(c.frames[i].items);
    return root;
}

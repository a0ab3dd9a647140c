/* The tree: what it keeps, what it refuses, and that limits hold while it is built. */
#include "config/yaml.h"

#include "check_main.h"

enum { NODES = 1000, DEPTH = 8 };

typedef struct parsed {
    arena *mem;
    const node *root;
    char *problems;
    yaml_budget left;
} parsed;

static parsed parse(span text)
{
    parsed p = {.mem = arena_new(), .left = {NODES, DEPTH}};
    diag_sink *d = diag_new();
    p.root = yaml_parse(p.mem, d, "f.yaml", text, &p.left);
    diagnostics all;
    diag_finish(d, &all);
    buf b = buf_make(65536);
    diagnostics_print(&all, &b);
    p.problems = b.n ? buf_take(&b) : span_dup((span){0});
    diagnostics_free(&all);
    diag_free(d);
    return p;
}

static void release(parsed *p)
{
    arena_free(p->mem);
    free(p->problems);
}

static parsed parse_good(const char *text)
{
    parsed p = parse(span_of(text));
    ck_assert_str_eq(p.problems, "");
    ck_assert_ptr_nonnull(p.root);
    return p;
}

START_TEST(values_keep_line_and_column)
{
    parsed p = parse_good("a: 1\nlist:\n  - x\n  - {k: \"v\"}\n");
    ck_assert_uint_eq(p.root->count, 2);
    const node *list = node_get(p.root, "list");
    ck_assert_int_eq(list->kind, NODE_LIST);
    ck_assert_uint_eq(list->items[0]->at.line, 3);
    ck_assert_uint_eq(list->items[0]->at.column, 5);
    const node *v = node_get(list->items[1], "k");
    ck_assert_uint_eq(v->at.line, 4);
    ck_assert_uint_eq(v->at.column, 9);
    ck_assert_str_eq(v->at.file, "f.yaml");
    ck_assert(!v->plain);
    ck_assert(node_get(p.root, "a")->plain);
    ck_assert_ptr_null(node_get(p.root, "none"));
    release(&p);
}
END_TEST

START_TEST(columns_count_characters_not_bytes)
{
    parsed p = parse_good("{\"\xC3\xA4\xE2\x82\xAC\": x}\n");
    ck_assert_uint_eq(p.root->pairs[0].value->at.column, 8);
    release(&p);
}
END_TEST

START_TEST(nothing_tilde_and_null_are_null_quoted_ones_are_not)
{
    parsed p = parse_good("a: ~\nb: null\nc: NULL\nd:\ne: \"\"\nf: 'null'\ng: nul\nh: !!str\n");
    static const bool null[] = {true, true, true, true, false, false, false, false};
    for (size_t i = 0; i < countof(null); i++)
        ck_assert_msg(node_is_null(p.root->pairs[i].value) == null[i], "value %zu", i);
    release(&p);
}
END_TEST

START_TEST(aliases_share_the_anchored_value)
{
    parsed p = parse_good("a: &x [1, 2]\nb: *x\nc: [*x, *x]\nd: &x 3\ne: *x\n");
    ck_assert_ptr_eq(node_get(p.root, "a"), node_get(p.root, "b"));
    ck_assert_uint_eq(node_get(p.root, "c")->items[1]->count, 2);
    ck_assert_str_eq(node_get(p.root, "e")->text.p, "3");
    /* 1 map, 5 keys, three values a, b and c in full (3 + 3 + 7), d and e. */
    ck_assert_uint_eq(p.left.nodes, NODES - 21);
    release(&p);
}
END_TEST

START_TEST(a_big_map_finds_its_repeated_key)
{
    auto_buf buf text = buf_make(65536);
    for (int i = 0; i < 100; i++)
        buf_fmt(&text, "key%d: 1\n", i);
    buf_str(&text, "key7: 2\n");
    parsed p = parse(buf_view(&text));
    ck_assert_str_eq(p.problems, "f.yaml:101:1: duplicate key 'key7'; the first is at line 8\n");
    ck_assert_uint_eq(p.root->count, 100);
    release(&p);
}
END_TEST

typedef struct row {
    const char *text, *problems;
} row;

static const row REFUSED[] = {
    {"", "f.yaml:1:1: the file is empty\n"},
    {"# only a comment\n", "f.yaml:1:1: the file is empty\n"},
    {"a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document starts here; a file holds only one\n"},
    {"a: 1\nb: 2\na: 3\n", "f.yaml:3:1: duplicate key 'a'; the first is at line 1\n"},
    {"a: 1\n\"a\": 2\n", "f.yaml:2:1: duplicate key 'a'; the first is at line 1\n"},
    {"? [a]\n: 1\n", "f.yaml:1:3: a key has to be text, not a list\n"},
    {"? {a: b}\n: 1\n", "f.yaml:1:3: a key has to be text, not a mapping\n"},
    {"x: &x {a: 1}\ny:\n  <<: *x\n", "f.yaml:3:3: merge keys ('<<') are not supported; use an "
                                     "alias for the whole value\n"},
    {"a: *b\n", "f.yaml:1:4: alias '*b' has no anchor '&b' before it\n"},
    {"a: &a [1, *a]\n", "f.yaml:1:11: alias '*a' contains itself\n"},
    {"a: &a { b: { c: *a } }\n", "f.yaml:1:17: alias '*a' contains itself\n"},
    {"a: \"x\\0y\"\n", "f.yaml:1:4: text contains a NUL character\n"},
    {"a: !int 3\n", "f.yaml:1:4: tag '!int' is not supported\n"},
    {"a: !!int 3\n", "f.yaml:1:4: tag 'tag:yaml.org,2002:int' is not supported\n"},
    {"a: !!set {b}\n", "f.yaml:1:4: tag 'tag:yaml.org,2002:set' is not supported\n"},
    {"a: !x [b]\n", "f.yaml:1:4: tag '!x' is not supported\n"},
    {"%TAG ! x\n---\na: 1\n", "f.yaml:1:1: %TAG directives are not supported\n"},
    {"a: [1\nb: 2\n", "f.yaml:2:2: not valid YAML: did not find expected ',' or ']' while parsing "
                      "a flow sequence that starts at line 1\n"},
    {"a: 1\n\tb: 2\n", "f.yaml:2:1: not valid YAML: found a tab character that violates "
                       "indentation while scanning a plain scalar that starts at line 1\n"},
    {"a: @x\n", "f.yaml:1:4: not valid YAML: found character that cannot start any token while "
                "scanning for the next token\n"},
    {"a: 'x\n", "f.yaml:2:1: not valid YAML: found unexpected end of stream while scanning a "
                "quoted scalar that starts at line 1\n"},
    {"a: x\nb: \xFF\n", "f.yaml:2:4: not UTF-8 text: invalid leading UTF-8 octet\n"},
    {"[[[[[[[[[1]]]]]]]]]", "f.yaml:1:9: nested more than 8 levels deep\n"},
    {"a: &a [[[1]]]\nb: [[[[*a]]]]\n", "f.yaml:2:8: nested more than 8 levels deep\n"},
    {"a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
     "c: [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n",
     "f.yaml:3:26: too many values, aliases counted in full\n"},
};

START_TEST(what_is_refused_says_where_and_why)
{
    const row *r = &REFUSED[_i];
    parsed p = parse(span_of(r->text));
    ck_assert_msg(strcmp(p.problems, r->problems) == 0, "for:\n%s\nexpected:\n%s\ngot:\n%s",
                  r->text, r->problems, p.problems);
    release(&p);
}
END_TEST

static const char *const ACCEPTED[] = {
    "a: 1\n", /* the nearest good neighbours of the rows above */
    "# a comment\na: 1\n",
    "---\na: 1\n...\n",
    "%YAML 1.1\n---\na: 1\n",
    "a: {a: 1}\nb: {a: 1}\n",
    "? a\n: 1\n",
    "\"<<\": 1\n",
    "x: &x {a: 1}\ny: *x\n",
    "a: \"x\\ty\"\n",
    "a: !!str 3\n",
    "a: !!seq [b]\nc: !!map {d: e}\n",
    "a: ! 3\n",
    ("\xEF\xBB\xBF"
     "a: 1\n"),
    "a: 1\r\nb: 2\r\n",
    "[[[[[[[1]]]]]]]",
    "a: &a [[[1]]]\nb: [[[*a]]]\n",
};

START_TEST(what_is_accepted_beside_it)
{
    parsed p = parse_good(ACCEPTED[_i]);
    release(&p);
}
END_TEST

START_TEST(a_nul_byte_is_refused_at_its_place)
{
    parsed p = parse((span){"a: 1\nb: \0\n", 10});
    ck_assert_str_eq(p.problems, "f.yaml:2:4: not UTF-8 text: there is a NUL byte\n");
    ck_assert_ptr_null(p.root);
    release(&p);
}
END_TEST

START_TEST(hostile_shapes_are_refused_at_once)
{
    static const char *const shapes[] = {"[", "- ", "? ", "{a: ", "[[],", "a,"};
    auto_buf buf text = buf_make(8 * 1024 * 1024);
    if (_i == 5)
        buf_char(&text, '[');
    for (size_t i = 0; i < 1000000; i++)
        buf_str(&text, shapes[_i]);
    parsed p = parse(buf_view(&text));
    ck_assert_ptr_null(p.root);
    ck_assert_ptr_nonnull(strstr(p.problems, _i == 5 ? "too many values" : "nested more than"));
    release(&p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("yaml");
    TCase *t = tcase_create("tree");
    tcase_add_test(t, values_keep_line_and_column);
    tcase_add_test(t, columns_count_characters_not_bytes);
    tcase_add_test(t, nothing_tilde_and_null_are_null_quoted_ones_are_not);
    tcase_add_test(t, aliases_share_the_anchored_value);
    tcase_add_test(t, a_big_map_finds_its_repeated_key);
    tcase_add_loop_test(t, what_is_refused_says_where_and_why, 0, countof(REFUSED));
    tcase_add_loop_test(t, what_is_accepted_beside_it, 0, countof(ACCEPTED));
    tcase_add_test(t, a_nul_byte_is_refused_at_its_place);
    tcase_add_loop_test(t, hostile_shapes_are_refused_at_once, 0, 6);
    suite_add_tcase(s, t);
    return check_main(s);
}

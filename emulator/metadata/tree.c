/* The tree as a table of nodes, and its four ways onto the wire. */
#include "metadata/tree.h"

enum { FLAT_PATH_MAX = 1024 };

/* Which value of the view a leaf shows. */
typedef enum tree_value {
    VALUE_NONE,
    VALUE_PROJECT_ID,
    VALUE_PROJECT_NUMBER,
    VALUE_REGION,
    VALUE_ZONE,
    VALUE_INSTANCE_ID,
    VALUE_EMAIL,
    VALUE_UNIVERSE
} tree_value;

struct tree_node {
    const char *name;
    const char *json_name;
    tree_kind kind;
    tree_value value;
    const char *content_type;
    const char *const *items; /* TREE_LIST */
    bool line_ends;           /* each item of the text form ends its line */
    const tree_node *children;
    size_t count;
    bool accounts; /* the one child stands for the caller's account, under its two names */
};

#define TEXT_TYPE "application/text"

static const char *const aliases[] = {"default", NULL};
static const char *const scopes[] = {"https://www.googleapis.com/auth/cloud-platform", NULL};

static const tree_node account_children[] = {
    {.name = "aliases", .kind = TREE_LIST, .items = aliases, .content_type = TEXT_TYPE},
    {.name = "email", .kind = TREE_TEXT, .value = VALUE_EMAIL, .content_type = TEXT_TYPE},
    {.name = "identity", .kind = TREE_IDENTITY, .content_type = "text/html"},
    {.name = "scopes",
     .kind = TREE_LIST,
     .items = scopes,
     .line_ends = true,
     .content_type = TEXT_TYPE},
    {.name = "token", .kind = TREE_TOKEN, .content_type = "application/json"},
};

#define DIRECTORY(list)                                                                            \
    .kind = TREE_DIRECTORY, .content_type = TEXT_TYPE, .children = (list),                         \
    .count = sizeof(list) / sizeof((list)[0])

static const tree_node the_account[] = {{.name = "", DIRECTORY(account_children)}};

static const tree_node instance_children[] = {
    {.name = "id", .kind = TREE_TEXT, .value = VALUE_INSTANCE_ID, .content_type = TEXT_TYPE},
    {.name = "region", .kind = TREE_TEXT, .value = VALUE_REGION, .content_type = TEXT_TYPE},
    {.name = "service-accounts",
     .json_name = "serviceAccounts",
     DIRECTORY(the_account),
     .accounts = true},
    {.name = "zone", .kind = TREE_TEXT, .value = VALUE_ZONE, .content_type = TEXT_TYPE},
};

static const tree_node project_children[] = {
    {.name = "numeric-project-id",
     .json_name = "numericProjectId",
     .kind = TREE_NUMBER,
     .value = VALUE_PROJECT_NUMBER,
     .content_type = TEXT_TYPE},
    {.name = "project-id",
     .json_name = "projectId",
     .kind = TREE_TEXT,
     .value = VALUE_PROJECT_ID,
     .content_type = TEXT_TYPE},
};

static const tree_node universe_children[] = {
    {.name = "universe-domain",
     .json_name = "universeDomain",
     .kind = TREE_TEXT,
     .value = VALUE_UNIVERSE,
     .content_type = "text/plain"},
};

static const tree_node v1_children[] = {
    {.name = "instance", DIRECTORY(instance_children)},
    {.name = "project", DIRECTORY(project_children)},
    {.name = "universe", DIRECTORY(universe_children)},
};

static const tree_node metadata_children[] = {{.name = "v1", DIRECTORY(v1_children)}};
static const tree_node root_children[] = {
    {.name = "computeMetadata", DIRECTORY(metadata_children)}};
static const tree_node root = {.name = "", DIRECTORY(root_children)};

/* ---- finding ---- */

/* The e-mail's '@' may come as "%40"; all else is compared as it stands. */
static bool same_account(span segment, span email)
{
    size_t at = span_find(email, '@');
    span local = {email.p, at};
    if (!span_starts(segment, local))
        return false;
    span rest = span_from(segment, local.n);
    if (span_starts(rest, SPAN_LIT("%40")))
        return at < email.n && span_eq(span_from(rest, 3), span_from(email, at + 1));
    return span_eq(rest, span_from(email, at));
}

static const tree_node *child(const tree_view *v, const tree_node *n, span segment)
{
    if (n->accounts)
        return span_eq_str(segment, "default") || same_account(segment, v->account) ? n->children
                                                                                    : NULL;
    for (size_t i = 0; i < n->count; i++)
        if (span_eq_str(segment, n->children[i].name))
            return &n->children[i];
    return NULL;
}

tree_match tree_find(const tree_view *v, span path, const tree_node **out)
{
    const tree_node *n = &root;
    if (path.n == 0 || path.p[0] != '/')
        return TREE_NONE;
    path = span_from(path, 1);
    while (path.n) {
        span segment;
        bool slash = span_cut(&path, '/', &segment);
        n = n->kind == TREE_DIRECTORY ? child(v, n, segment) : NULL;
        if (!n || (slash && n->kind != TREE_DIRECTORY))
            return TREE_NONE;
        if (!slash && n->kind == TREE_DIRECTORY)
            return TREE_NEEDS_SLASH;
    }
    *out = n;
    return TREE_FOUND;
}

tree_kind tree_node_kind(const tree_node *n)
{
    return n->kind;
}

const char *tree_content_type(const tree_node *n)
{
    return n->content_type;
}

/* ---- writing ---- */

static void write_located(const tree_view *v, const char *kind, const char *suffix, buf *out)
{
    buf_fmt(out, "projects/%.*s/%s/%.*s%s", SPAN_ARG(v->project_number), kind, SPAN_ARG(v->region),
            suffix);
}

static void write_value(const tree_view *v, const tree_node *n, buf *out)
{
    switch (n->value) {
    case VALUE_PROJECT_ID:
        buf_span(out, v->project_id);
        return;
    case VALUE_PROJECT_NUMBER:
        buf_span(out, v->project_number);
        return;
    case VALUE_REGION:
        write_located(v, "regions", "", out);
        return;
    case VALUE_ZONE: /* serverless instances have no zone of their own: always the first one */
        write_located(v, "zones", "-1", out);
        return;
    case VALUE_INSTANCE_ID:
        buf_span(out, v->instance_id);
        return;
    case VALUE_EMAIL:
        buf_span(out, v->account);
        return;
    case VALUE_UNIVERSE:
        buf_str(out, "googleapis.com");
        return;
    case VALUE_NONE:
        return;
    }
}

static void write_listing(const tree_view *v, const tree_node *n, buf *out)
{
    if (n->accounts) {
        buf_fmt(out, "%.*s/\ndefault/\n", SPAN_ARG(v->account));
        return;
    }
    for (size_t i = 0; i < n->count; i++)
        buf_fmt(out, "%s%s\n", n->children[i].name,
                n->children[i].kind == TREE_DIRECTORY ? "/" : "");
}

void tree_write_text(const tree_view *v, const tree_node *n, buf *out)
{
    if (n->kind == TREE_DIRECTORY) {
        write_listing(v, n, out);
        return;
    }
    if (n->kind != TREE_LIST) {
        write_value(v, n, out);
        return;
    }
    for (size_t i = 0; n->items[i]; i++)
        buf_fmt(out, "%s%s", n->items[i], n->line_ends || n->items[i + 1] ? "\n" : "");
}

static void write_items_json(const tree_node *n, buf *out)
{
    buf_char(out, '[');
    for (size_t i = 0; n->items[i]; i++) {
        buf_str(out, i ? "," : "");
        buf_json(out, span_of(n->items[i]));
    }
    buf_char(out, ']');
}

static bool expands(const tree_node *n)
{
    return n->kind != TREE_TOKEN && n->kind != TREE_IDENTITY;
}

static void write_accounts_json(const tree_view *v, const tree_node *n, buf *out)
{
    bool first = memcmp("default", v->account.p, v->account.n < 7 ? v->account.n : 7) <= 0;
    for (int i = 0; i < 2; i++) {
        buf_str(out, i ? "," : "");
        buf_json(out, (i == 0) == first ? SPAN_LIT("default") : v->account);
        buf_char(out, ':');
        tree_write_json(v, n->children, out);
    }
}

static void write_children_json(const tree_view *v, const tree_node *n, buf *out)
{
    bool any = false;
    for (size_t i = 0; i < n->count; i++) {
        const tree_node *c = &n->children[i];
        if (!expands(c))
            continue;
        buf_fmt(out, "%s\"%s\":", any ? "," : "", c->json_name ? c->json_name : c->name);
        tree_write_json(v, c, out);
        any = true;
    }
}

void tree_write_json(const tree_view *v, const tree_node *n, buf *out)
{
    if (n->kind == TREE_DIRECTORY) {
        buf_char(out, '{');
        if (n->accounts)
            write_accounts_json(v, n, out);
        else
            write_children_json(v, n, out);
        buf_char(out, '}');
    } else if (n->kind == TREE_LIST) {
        write_items_json(n, out);
    } else if (n->kind == TREE_NUMBER) {
        write_value(v, n, out);
    } else {
        auto_buf buf text = buf_make(FLAT_PATH_MAX);
        write_value(v, n, &text);
        buf_json(out, buf_view(&text));
    }
}

static void write_flat(const tree_view *v, const tree_node *n, span prefix, buf *out);

static void write_flat_children(const tree_view *v, const tree_node *n, span prefix, buf *out)
{
    size_t count = n->accounts ? 2 : n->count;
    for (size_t i = 0; i < count; i++) {
        const tree_node *c = n->accounts ? n->children : &n->children[i];
        if (!expands(c))
            continue;
        span name = !n->accounts ? span_of(c->name) : i ? SPAN_LIT("default") : v->account;
        auto_buf buf path = buf_make(FLAT_PATH_MAX);
        buf_fmt(&path, "%.*s%s%.*s", SPAN_ARG(prefix), prefix.n ? "/" : "", SPAN_ARG(name));
        write_flat(v, c, buf_view(&path), out);
    }
}

static void write_flat(const tree_view *v, const tree_node *n, span prefix, buf *out)
{
    if (n->kind == TREE_DIRECTORY) {
        write_flat_children(v, n, prefix, out);
    } else if (n->kind == TREE_LIST) {
        for (size_t i = 0; n->items[i]; i++)
            buf_fmt(out, "%.*s %s\n", SPAN_ARG(prefix), n->items[i]);
    } else {
        buf_span(out, prefix);
        buf_char(out, ' ');
        write_value(v, n, out);
        buf_char(out, '\n');
    }
}

void tree_write_flat(const tree_view *v, const tree_node *n, buf *out)
{
    write_flat(v, n, (span){"", 0}, out);
}

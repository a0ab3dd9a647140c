/* Pass 1 over service accounts and services. */
#include "base/net.h"
#include "config/load.h"
#include "config/values.h"

enum {
    AUDIENCES_JSON_MAX = 32768, /* Cloud Run's, for the list as JSON */
    SERVICES_MAX = 10000,       /* each takes two ports */
    INSTANCES_MAX = 1000,       /* what a project gets without asking for more */
    CONCURRENCY_MAX = 1000      /* Cloud Run's, for each instance */
};

static const int64_t TIMEOUT_MAX_US = INT64_C(3600) * 1000000;

/* ---- service accounts ---- */

static void read_plain_text(loader *l, const node_pair *entry, void *into)
{
    span text;
    if (read_scalar(l, entry->key->text.p, entry->value, "text", &text))
        *(const char **)into = text.p;
}

static void read_unique_id(loader *l, const node_pair *entry, void *into)
{
    static const char wanted[] = "21 digits, the first a 1";
    account_draft *a = into;
    span text;
    if (!read_scalar(l, "unique_id", entry->value, wanted, &text))
        return;
    if (!value_is_unique_id(text)) {
        expected(l, "unique_id", entry->value, wanted);
        return;
    }
    a->unique_id = entry->value;
    a->value.unique_id = text.p;
}

static void read_account(loader *l, const node_pair *entry)
{
    static const key_spec keys[] = {
        {"display_name", read_plain_text, offsetof(account_draft, value.display_name)},
        {"description", read_plain_text, offsetof(account_draft, value.description)},
        {"disabled", read_bool, offsetof(account_draft, value.disabled)},
        {"unique_id", read_unique_id, 0},
        {"policy", read_node, offsetof(account_draft, policy)},
        {NULL, NULL, 0},
    };
    span name = entry->key->text;
    if (!value_is_account_name(name) && !value_is_service_account_email(name))
        diag_at(l->diags, entry->key->at,
                "%s is not a service account name: expected at most 30 lower-case letters, digits "
                "and hyphens, a letter first, or a whole ...gserviceaccount.com address",
                found_text(l, entry->key));
    account_draft *a = arena_alloc(l->mem, sizeof *a);
    a->name = name.p;
    a->at = entry->key->at;
    read_map(l, entry->value, arena_fmt(l->mem, "service account '%.64s'", name.p), keys, a);
    vec_push(l->mem, &l->accounts, a);
}

void read_accounts(loader *l, const node_pair *entry, void *into)
{
    (void)into;
    if (!read_is_map(l, "service_accounts", entry->value))
        return;
    for (size_t i = 0; i < entry->value->count; i++)
        read_account(l, &entry->value->pairs[i]);
}

/* ---- addresses of a service ---- */

static void read_service_listen(loader *l, const node_pair *entry, void *into)
{
    service_draft *s = into;
    s->listen_at = entry->value->at;
    read_listen(l, entry, &s->value.listen);
}

static void read_service_metadata(loader *l, const node_pair *entry, void *into)
{
    service_draft *s = into;
    s->metadata_at = entry->value->at;
    s->metadata_off = entry->value->kind == NODE_SCALAR && span_ieq_str(entry->value->text, "off");
    if (!s->metadata_off)
        read_listen(l, entry, &s->value.metadata);
}

static void read_upstream(loader *l, const node_pair *entry, void *into)
{
    static const char wanted[] = "http://HOST:PORT such as http://127.0.0.1:9081";
    service_draft *s = into;
    span text;
    origin o;
    s->upstream_at = entry->value->at;
    if (!read_scalar(l, "upstream", entry->value, wanted, &text))
        return;
    if (!value_origin(text, &o) || !span_ieq_str(o.scheme, "http"))
        expected(l, "upstream", entry->value, wanted);
    else
        s->value.upstream = arena_fmt(l->mem, "%.*s:%u", SPAN_ARG(o.host), o.port);
}

static void read_url(loader *l, const node_pair *entry, void *into)
{
    static const char wanted[] = "http://HOST[:PORT] or https://HOST[:PORT] without a path";
    span text;
    origin o;
    if (!read_scalar(l, "url", entry->value, wanted, &text))
        return;
    if (!value_origin(text, &o)) {
        expected(l, "url", entry->value, wanted);
        return;
    }
    if (span_ends(text, SPAN_LIT("/")))
        text.n--;
    *(const char **)into = arena_dup(l->mem, text);
}

static void check_texts(loader *l, const node_pair *entry, bool (*valid)(span), const char *wanted)
{
    for (size_t i = 0; entry->value->kind == NODE_LIST && i < entry->value->count; i++) {
        const node *item = entry->value->items[i];
        if (item->kind == NODE_SCALAR && !node_is_null(item) && !valid(item->text))
            expected(l, entry->key->text.p, item, wanted);
    }
}

static void read_hosts(loader *l, const node_pair *entry, void *into)
{
    service_draft *s = into;
    s->hosts = entry->value;
    read_text_list(l, entry, &s->value.hosts);
    check_texts(l, entry, value_is_host_name, "a host name such as api.example.test, no port");
}

static bool is_peer(span text)
{
    net_cidr cidr;
    bool is_block = span_find(text, '/') != text.n;
    return net_cidr_parse(text, &cidr, NULL) || (!is_block && value_is_host_name(text));
}

static void read_addresses(loader *l, const node_pair *entry, void *into)
{
    service_draft *s = into;
    s->addresses = entry->value;
    read_text_list(l, entry, &s->value.addresses);
    check_texts(l, entry, is_peer, "an IP address, a CIDR block or a host name");
}

/* ---- other keys of a service ---- */

static bool is_audience(span text)
{
    return text.n != 0;
}

static void read_audiences(loader *l, const node_pair *entry, void *into)
{
    read_text_list(l, entry, into);
    check_texts(l, entry, is_audience, "an audience");
    size_t json = 2;
    for (size_t i = 0; entry->value->kind == NODE_LIST && i < entry->value->count; i++)
        if (entry->value->items[i]->kind == NODE_SCALAR)
            json += entry->value->items[i]->text.n + 3;
    if (json > AUDIENCES_JSON_MAX)
        diag_at(l->diags, entry->value->at, "custom_audiences: more than %d characters as JSON",
                AUDIENCES_JSON_MAX);
}

static void read_ingress(loader *l, const node_pair *entry, void *into)
{
    size_t which;
    if (read_word(l, entry, INGRESS_NAMES, INGRESS_CHOICE, &which))
        *(ingress *)into = (ingress)which;
}

static void read_instances(loader *l, const node_pair *entry, void *into)
{
    (void)read_count(l, entry, 1, INSTANCES_MAX, into);
}

static void read_concurrency(loader *l, const node_pair *entry, void *into)
{
    (void)read_count(l, entry, 1, CONCURRENCY_MAX, into);
}

static void read_timeout(loader *l, const node_pair *entry, void *into)
{
    (void)read_duration(l, entry, 1000, TIMEOUT_MAX_US, 1000, into);
}

static void read_default_url(loader *l, const node_pair *entry, void *into)
{
    bool kept = !*(bool *)into;
    read_bool(l, entry, &kept);
    *(bool *)into = !kept;
}

static const key_spec SERVICE_KEYS[] = {
    {"service_account", read_node, offsetof(service_draft, account_name)},
    {"listen", read_service_listen, 0},
    {"metadata", read_service_metadata, 0},
    {"upstream", read_upstream, 0},
    {"image", read_plain_text, offsetof(service_draft, value.image)},
    {"command", read_command, offsetof(service_draft, value.command)},
    {"env", read_node, offsetof(service_draft, env)},
    {"url", read_url, offsetof(service_draft, value.url)},
    {"custom_audiences", read_audiences, offsetof(service_draft, value.custom_audiences)},
    {"hosts", read_hosts, 0},
    {"addresses", read_addresses, 0},
    {"ingress", read_ingress, offsetof(service_draft, value.ingress)},
    {"invoker_iam_check", read_bool, offsetof(service_draft, value.iam_check)},
    {"default_url", read_default_url, offsetof(service_draft, value.default_url_disabled)},
    {"timeout", read_timeout, offsetof(service_draft, value.timeout_us)},
    {"use_http2", read_bool, offsetof(service_draft, value.use_http2)},
    {"max_instances", read_instances, offsetof(service_draft, value.max_instances)},
    {"concurrency", read_concurrency, offsetof(service_draft, value.concurrency)},
    {"limits", read_limits, offsetof(service_draft, limits)},
    {"policy", read_node, offsetof(service_draft, policy)},
    {NULL, NULL, 0},
};

static void read_service(loader *l, const node_pair *entry)
{
    static const char *const none[] = {NULL};
    const node *key = entry->key;
    if (!value_is_service_name(key->text))
        diag_at(l->diags, key->at,
                "%s is not a service name: expected at most 49 lower-case letters, digits and "
                "hyphens, a letter first, no hyphen last",
                found_text(l, key));
    service_draft *s = arena_alloc(l->mem, sizeof *s);
    s->value = (service){.name = key->text.p,
                         .iam_check = true,
                         .timeout_us = INT64_C(1000000) * SERVICE_TIMEOUT_S,
                         .concurrency = SERVICE_CONCURRENCY,
                         .custom_audiences = none,
                         .hosts = none,
                         .addresses = none,
                         .place = key->at};
    s->limits = (limits_draft){LOAD_LIMIT_INHERITED, LOAD_LIMIT_INHERITED};
    s->listen_at = s->metadata_at = s->upstream_at = key->at;
    read_map(l, entry->value, arena_fmt(l->mem, "service '%.64s'", key->text.p), SERVICE_KEYS, s);
    const service_draft *first = find_service(l, key->text);
    if (first)
        diag_at(l->diags, key->at, "service '%.64s' is already defined at %s:%u", key->text.p,
                first->value.place.file, first->value.place.line);
    else
        (void)strmap_put(l->services_by_name, key->text, s);
    vec_push(l->mem, &l->services, s);
}

void read_services(loader *l, const node_pair *entry, void *into)
{
    (void)into;
    if (!read_is_map(l, "services", entry->value))
        return;
    for (size_t i = 0; i < entry->value->count; i++) {
        if (l->services.count == SERVICES_MAX) {
            diag_at(l->diags, entry->value->pairs[i].key->at, "services: more than %d",
                    SERVICES_MAX);
            l->incomplete = true;
            return;
        }
        read_service(l, &entry->value->pairs[i]);
    }
}

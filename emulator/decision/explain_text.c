/* Small words of explanations. Claims and names come from outside, so each goes through here. */
#include "decision/explain_text.h"

enum { QUOTED_MAX = 160 };

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* The second half of U+0080 to U+009F in UTF-8: to a terminal they are controls as well. */
static bool ends_c1_control(const buf *b, char c)
{
    return b->n && (unsigned char)b->p[b->n - 1] == 0xC2 && ((unsigned char)c & 0xE0U) == 0x80;
}

void explain_char(buf *b, char c)
{
    const bool c1 = ends_c1_control(b, c);
    if (c1)
        b->n--;
    const bool control = (unsigned char)c < ' ' || c == 0x7f;
    buf_add(b, control || c1 ? "?" : &c, 1);
}

void explain_clean(buf *b, span text)
{
    for (size_t i = 0; i < text.n; i++)
        explain_char(b, text.p[i]);
}

void explain_quoted(buf *b, span text)
{
    size_t n = text.n;
    if (n > QUOTED_MAX) {
        n = QUOTED_MAX;
        while (n && is_continuation(text.p[n]))
            n--;
    }
    buf_char(b, '"');
    explain_clean(b, (span){text.p, n});
    buf_str(b, n < text.n ? "…\"" : "\"");
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("@%+=:,./-_", c));
}

void explain_shell(buf *b, span text)
{
    bool plain = text.n > 0;
    for (size_t i = 0; i < text.n; i++)
        plain &= is_plain(text.p[i]);
    if (plain) {
        buf_span(b, text);
        return;
    }
    buf_char(b, '\'');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\'')
            buf_str(b, "'\\''");
        else
            explain_char(b, text.p[i]);
    }
    buf_char(b, '\'');
}

void explain_member(buf *b, const principal *p)
{
    buf_fmt(b, "%s:", member_prefix(p->kind));
    buf_span(b, p->email);
}

void explain_caller(buf *b, const snapshot *s, const principal *p)
{
    const size_t at = span_find(p->email, '@');
    const account *own = snapshot_resolve_account(s, (span){p->email.p, at});
    buf_span(b, own && span_ieq_str(p->email, own->email) ? (span){p->email.p, at} : p->email);
}

void explain_span_of_time(buf *b, int64_t us)
{
    static const struct {
        int64_t below_s, unit_s;
        const char *name;
    } units[] = {{120, 1, "s"}, {7200, 60, "min"}, {172800, 3600, "h"}, {INT64_MAX, 86400, "days"}};
    const int64_t s = us < 0 ? 0 : us / 1000000;
    size_t i = 0;
    while (s >= units[i].below_s)
        i++;
    buf_fmt(b, "%lld %s", (long long)(s / units[i].unit_s), units[i].name);
}

const char *explain_production_url(const service *svc)
{
    return svc->deterministic_url ? svc->deterministic_url : svc->hash_url;
}

/* The payload of a Google-signed identity token. */
#include "jose/id_token.h"

static void member(buf *b, const char *name, span value)
{
    buf_str(b, name);
    buf_json(b, value);
}

void id_token_payload(buf *b, const id_token_claims *c)
{
    const span issuer = c->issuer.n ? c->issuer : SPAN_LIT(GOOGLE_ISSUER);
    if (c->no_audience)
        buf_char(b, '{');
    else
        member(b, "{\"aud\":", c->audience);
    member(b, c->no_audience ? "\"azp\":" : ",\"azp\":", c->azp.n ? c->azp : c->unique_id);
    if (c->email.n) {
        member(b, ",\"email\":", c->email);
        buf_str(b, ",\"email_verified\":true");
    }
    buf_str(b, ",\"exp\":");
    buf_i64(b, c->iat_s + c->lifetime_s);
    buf_str(b, ",\"iat\":");
    buf_i64(b, c->iat_s);
    member(b, ",\"iss\":", issuer);
    member(b, ",\"sub\":", c->unique_id);
    buf_char(b, '}');
}

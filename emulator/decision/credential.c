/* Finding the credential that counts. Cloud Run looks at X-Serverless-Authorization alone when both
 * headers are there ("Authenticating service-to-service"). */
#include "decision/credential.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static credential refused(token_header header, token_state state)
{
    return (credential){.header = header, .state = state};
}

/* Tokens are about a thousand bytes long and looked at for each request: libc's searches go through
 * them many bytes at a time. */
static bool has(span s, char c)
{
    return s.n && memchr(s.p, c, s.n);
}

static size_t last_dot(span s)
{
    const char *dot = s.n ? memrchr(s.p, '.', s.n) : NULL;
    return dot ? (size_t)(dot - s.p) : s.n;
}

static bool has_two_dots(span s)
{
    span header;
    if (!span_cut(&s, '.', &header))
        return false;
    const size_t second = span_find(s, '.');
    return second < s.n && !has(span_from(s, second + 1), '.');
}

static token_state shape(span token)
{
    if (has(token, ' ') || has(token, '\t') || has(token, ','))
        return TOKEN_SEVERAL;
    if (span_starts(token, SPAN_LIT("ya29.")))
        return TOKEN_ACCESS;
    if (!has_two_dots(token))
        return TOKEN_NOT_A_JWT;
    if (span_eq_str(span_from(token, last_dot(token) + 1), SIGNATURE_REMOVED))
        return TOKEN_SIGNATURE_REMOVED;
    return TOKEN_UNCHECKED;
}

static credential of_value(token_header header, span value)
{
    if (value.n == 0)
        return refused(header, TOKEN_EMPTY);
    size_t end = 0;
    while (end < value.n && !is_blank(value.p[end]))
        end++;
    if (!span_ieq_str((span){value.p, end}, "Bearer"))
        return refused(header, TOKEN_NOT_BEARER);
    const span token = span_trim(span_from(value, end));
    const token_state state = shape(token);
    if (state != TOKEN_UNCHECKED)
        return refused(header, state);
    return (credential){header, state, token};
}

credential credential_find(size_t authorization_count, span authorization, size_t serverless_count,
                           span serverless)
{
    if (!authorization_count && !serverless_count)
        return refused(HEADER_NONE, TOKEN_ABSENT);
    const token_header header = serverless_count ? HEADER_SERVERLESS : HEADER_AUTHORIZATION;
    const size_t count = serverless_count ? serverless_count : authorization_count;
    if (count > 1)
        return refused(header, TOKEN_REPEATED_HEADER);
    return of_value(header, span_trim(serverless_count ? serverless : authorization));
}

span credential_unsigned(span token)
{
    return (span){token.p, last_dot(token)};
}

void credential_forwarded(buf *b, span token)
{
    buf_str(b, "bearer ");
    buf_span(b, credential_unsigned(token));
    buf_str(b, "." SIGNATURE_REMOVED);
}

/* Base64url of an object's beginning: '{' and then a quote or white space. */
static bool looks_like_jwt(span word)
{
    return (span_starts(word, SPAN_LIT("ey")) || span_starts(word, SPAN_LIT("ew"))) &&
           has_two_dots(word);
}

void credential_masked(buf *b, span value)
{
    while (value.n) {
        size_t end = 0;
        while (end < value.n && !is_blank(value.p[end]) && value.p[end] != ',')
            end++;
        const span word = {value.p, end};
        if (looks_like_jwt(word)) {
            buf_span(b, (span){word.p, last_dot(word)});
            buf_str(b, "." SIGNATURE_REMOVED);
        } else {
            buf_span(b, word);
        }
        if (end < value.n)
            buf_char(b, value.p[end++]);
        value = span_from(value, end);
    }
}

/* Prints so many different identity tokens for one caller and audience, one a line. */
#include <stdio.h>

#include "common/caller.h"
#include "jose/id_token.h"
#include "jose/keystore.h"

enum { PAYLOAD_MAX = 4096, LIFETIME_S = 3600, COUNT_MAX = 1000000 };

static char *token(const keystore *k, const char *audience, const char *email, int64_t i)
{
    char unique_id[32];
    error e = {0};
    auto_buf buf payload = buf_make(PAYLOAD_MAX);
    (void)snprintf(unique_id, sizeof unique_id, "1%020lld", (long long)i);
    id_token_payload(&payload, &(id_token_claims){.audience = span_of(audience),
                                                  .email = span_of(email),
                                                  .unique_id = span_of(unique_id),
                                                  .iat_s = clock_wall_us() / 1000000,
                                                  .lifetime_s = LIFETIME_S});
    char *t = keystore_sign_jwt(k, buf_view(&payload), &e);
    if (!t)
        caller_die("%s", e.text);
    return t;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        caller_die("usage: mint KEYS AUDIENCE EMAIL COUNT");
    error e = {0};
    keystore *k = keystore_open(argv[1], false, clock_system(), &e);
    if (!k)
        caller_die("%s", e.text);
    const int64_t count = caller_number(argv[4], COUNT_MAX);
    for (int64_t i = 0; i < count; i++) {
        auto_free char *t = token(k, argv[2], argv[3], i);
        (void)puts(t);
    }
    keystore_close(k);
    return 0;
}

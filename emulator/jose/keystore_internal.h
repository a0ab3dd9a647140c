/* Parts of the keystore: a key (keystore_key.c), the folder (keystore_files.c), the store. Private
 * to the jose room. */
#ifndef JOSE_KEYSTORE_INTERNAL_H
#define JOSE_KEYSTORE_INTERNAL_H

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/error.h"
#include "jose/jwks.h"

enum {
    KID_TEXT = 41,
    KEY_FILE_MAX = 32 * 1024,
    KEYS_MAX = JWKS_KEYS_MAX,
    CERTIFICATE_DAYS = 3650 /* nothing here renews a certificate, rotation replaces the key */
};

#define KID_MARK "e01a"

typedef struct signing_key {
    char kid[KID_TEXT];
    EVP_PKEY *pkey;
    EVP_MD_CTX *prepared; /* copied for each signature */
    char *certificate;    /* PEM */
    char *jwt_header;     /* base64url of the JOSE header, with the dot behind it */
    int64_t created_s;
    int64_t until_s; /* 0: not retired */
} signing_key;

typedef struct signing_keys {
    size_t count;
    signing_key items[KEYS_MAX]; /* the not retired first, then by age, newest first */
} signing_keys;

/* ---- keystore_key.c ---- */

/* A new RSA-2048 key; its kid and certificate follow from the key and from created_s alone. */
bool signing_key_generate(signing_key *out, int64_t created_s, error *e);
/* The same, for whom the certificate is to be. */
bool signing_key_generate_named(signing_key *out, const char *common_name, int64_t created_s,
                                error *e);
/* Checks the strength of pkey (a public one will do) and finds its kid. */
bool signing_key_identify(signing_key *k, error *e);
/* certificate may be NULL: it is then made again, with fallback_created_s as its beginning. Texts
 * in *e begin without the file's name. */
bool signing_key_parse(signing_key *out, span private_pem, span certificate,
                       int64_t fallback_created_s, error *e);
void signing_key_clear(signing_key *k);
/* PKCS#8 PEM; caller frees with OPENSSL_clear_free. */
char *signing_key_private_pem(const signing_key *k, size_t *out_n, error *e);
/* SubjectPublicKeyInfo PEM; caller frees. */
char *signing_key_public_pem(const signing_key *k, error *e);
/* {"kid":…,"kty":"RSA",…} */
bool signing_key_jwk(const signing_key *k, buf *b, error *e);
bool signing_key_sign(const signing_key *k, span text, uint8_t *out, size_t *out_n, error *e);
/* What the OpenSSL queue says last, and empties it; returns false. */
bool openssl_error(error *e, const char *what);

/* ---- keystore_files.c ---- */

/* The folder exists afterwards and nobody else may write to it. */
bool key_folder_prepare(const char *dir, bool create, error *e);
/* Every key whose overlap has not ended at now_s. */
bool key_folder_load(const char *dir, int64_t now_s, signing_keys *out, error *e);
void signing_keys_clear(signing_keys *keys);
/* Held until the descriptor is closed; -1 and *e. Serialises those who write. */
int key_folder_lock(const char *dir, error *e);
bool key_folder_add(const char *dir, const signing_key *k, error *e);
/* The end of a key's overlap, kept beside it so that it survives restarts. */
bool key_folder_retire(const char *dir, const char *kid, int64_t until_s, error *e);
/* Removes the files of keys whose overlap has ended. */
bool key_folder_prune(const char *dir, int64_t now_s, error *e);

#endif

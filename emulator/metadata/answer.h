/* The answers of the metadata server, with the headers that each of them carries. */
#ifndef METADATA_ANSWER_H
#define METADATA_ANSWER_H

#include "http/server.h"

/* 200 with all of a metadata server's headers; etag may be NULL. */
void answer_value(http_request *r, const char *content_type, const char *etag, span body);
/* The same, prepared. */
http_answer *answer_prepare(const char *content_type, span body);

/* Refusals; `flavoured` says whether the answer carries Metadata-Flavor. */
void answer_forbidden_page(http_request *r, const char *why, bool flavoured);
void answer_text(http_request *r, unsigned status, const char *content_type, span body,
                 bool flavoured);
void answer_not_found(http_request *r);
void answer_bad_method(http_request *r);
/* 500 "Could not fetch URI …": how a serverless metadata server says that minting failed. */
void answer_backend_failed(http_request *r);
/* 301 to the same URL with a slash behind its path. */
void answer_add_slash(http_request *r);
/* 503: a name that tells callers apart is still being looked up. */
void answer_try_again(http_request *r);

enum { ETAG_TEXT = 17 };
/* 16 lower-case hex digits, the same for the same bytes in every process. */
void etag_of(span body, char out[ETAG_TEXT]);

#endif

/* What a single text in a topology may look like. Pure; nothing here reports. */
#ifndef CONFIG_VALUES_H
#define CONFIG_VALUES_H

#include "base/span.h"

/* "300s", "5m", "1h30m", "250ms": units in falling order, each at most once. */
bool value_duration_us(span text, int64_t *out_us);

/* Cloud Run's service names: at most 49 of a-z 0-9 -, a letter first, no hyphen last. */
bool value_is_service_name(span text);
/* The part of a service account's e-mail before the @: the same, at most 30. */
bool value_is_account_name(span text);
/* 6 to 30 of a-z 0-9 -, a letter first, no hyphen last. */
bool value_is_project_id(span text);
/* Decimal, 1 to 19 digits, no leading zero. */
bool value_is_project_number(span text);
/* "us-central1" */
bool value_is_region(span text);
bool value_is_email(span text);
bool value_is_service_account_email(span text); /* …@….gserviceaccount.com */
bool value_is_unique_id(span text);             /* 21 digits, the first a 1 */
/* A DNS name or IPv4 address; no port. */
bool value_is_host_name(span text);
/* What may stand as a name in an environment: not empty, no '='. */
bool value_is_env_name(span text);

/* scheme://host[:port] with nothing behind it but a slash. */
typedef struct origin {
    span scheme; /* as written; "http" or "https" in any case */
    span host;   /* IPv6 with its brackets */
    uint16_t port;
    bool has_port;
} origin;
bool value_origin(span text, origin *out);
/* "host:port" as value_origin takes it. */
bool value_host_port(span text, span *out_host, uint16_t *out_port);

#endif

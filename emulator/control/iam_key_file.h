/* The JSON file that a new key of a service account is given away in. Private to iam_*.c. */
#ifndef CONTROL_IAM_KEY_FILE_H
#define CONTROL_IAM_KEY_FILE_H

#include "control/api.h"
#include "jose/account_key.h"

/* base64 of the file's text, a new JSON string. What it names of servers is this emulator. */
json_t *iam_key_file(const api_call *c, const account *a, const account_key *key);

#endif

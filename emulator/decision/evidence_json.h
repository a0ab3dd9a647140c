/* Evidence as the JSON in which all commands and listeners tell decisions. */
#ifndef DECISION_EVIDENCE_JSON_H
#define DECISION_EVIDENCE_JSON_H

#include "base/buf.h"
#include "decision/evidence.h"

/* Each appends members of an object that has some already, so the first thing is a comma. */

/* ,"terraform":"…" where the provider has something that mends it */
void evidence_json_terraform(buf *b, const evidence *e);

/* ,"binding":{…} or ,"nearest":{…} where there is one, ,"checks":[…] and ,"facts":{…} */
void evidence_json(buf *b, const evidence *e);

#endif

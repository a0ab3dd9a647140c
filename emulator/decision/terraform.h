/* What mends a refusal where the infrastructure is kept as Terraform: resources of the provider
 * hashicorp/google. */
#ifndef DECISION_TERRAFORM_H
#define DECISION_TERRAFORM_H

#include "base/buf.h"
#include "decision/evidence.h"

/* The resource to add, or the attribute to set in one that is there; nothing where a change of the
 * request mends it. Appends, without a newline at the end. */
void evidence_terraform(buf *b, const evidence *e);

#endif

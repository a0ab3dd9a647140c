/* A chain of service accounts holds as long as each link does. */
#include "metadata/chain.h"

#include "policy/role.h"

bool chain_holds(const snapshot *s, const principal *caller, const account *const *accounts,
                 size_t count, const char *permission, int64_t now_us, chain_break *out)
{
    principal holder = *caller;
    for (size_t i = 0; i < count; i++) {
        const resource on = {.account = accounts[i]};
        const char *needed = i + 1 < count ? PERMISSION_IMPLICIT_DELEGATION : permission;
        *out = (chain_break){needed, holder.email, accounts[i]};
        if (!snapshot_allows(s, &on, &holder, needed, now_us))
            return false;
        if (accounts[i]->disabled) {
            out->permission = NULL;
            return false;
        }
        holder = (principal){MEMBER_SERVICE_ACCOUNT, span_of(accounts[i]->email)};
    }
    return true;
}

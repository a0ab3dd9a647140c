/* Arithmetic on ints and doubles, and what turns other values into them. */
#include "cel/internal.h"

/* Overflow and division by zero are errors. */
bool call_int(run *r, const expr *e, const cel_value *v, cel_value *out)
{
    const int64_t a = v[0].i, b = v[1].i;
    (void)r;
    switch (e->call->what) {
    case '+':
        return !__builtin_add_overflow(a, b, &out->i);
    case '-':
        return !__builtin_sub_overflow(a, b, &out->i);
    case '*':
        return !__builtin_mul_overflow(a, b, &out->i);
    case '/':
    case '%':
        if (b == 0 || (a == INT64_MIN && b == -1))
            return false;
        out->i = e->call->what == '/' ? a / b : a % b;
        return true;
    default:
        abort();
    }
}

/* As IEEE 754 has it: never an error. */
bool call_double(run *r, const expr *e, const cel_value *v, cel_value *out)
{
    const double a = v[0].d, b = v[1].d;
    (void)r;
    switch (e->call->what) {
    case '+':
        out->d = a + b;
        return true;
    case '-':
        out->d = a - b;
        return true;
    case '*':
        out->d = a * b;
        return true;
    case '/':
        out->d = a / b;
        return true;
    default:
        abort();
    }
}

bool call_negate(run *r, const expr *e, const cel_value *v, cel_value *out)
{
    (void)r;
    (void)e;
    if (v->kind == CEL_INT)
        return !__builtin_sub_overflow(INT64_C(0), v->i, &out->i);
    out->d = -v->d;
    return true;
}

bool call_same(run *r, const expr *e, const cel_value *v, cel_value *out)
{
    (void)r;
    (void)e;
    *out = *v;
    return true;
}

bool call_to_int(run *r, const expr *e, const cel_value *v, cel_value *out)
{
    static const double limit = 9223372036854775808.0; /* 2^63 */
    (void)r;
    (void)e;
    if (!(v->d > -limit && v->d < limit)) /* nor is NaN */
        return false;
    out->i = (int64_t)v->d;
    return true;
}

bool call_parse_int(run *r, const expr *e, const cel_value *v, cel_value *out)
{
    span text = v->s;
    uint64_t magnitude;
    (void)r;
    (void)e;
    const bool negative = text.n && text.p[0] == '-';
    if (text.n && (text.p[0] == '-' || text.p[0] == '+'))
        text = span_from(text, 1);
    if (!span_u64(text, (uint64_t)INT64_MAX + negative, &magnitude))
        return false;
    out->i = negative && magnitude ? -1 - (int64_t)(magnitude - 1) : (int64_t)magnitude;
    return true;
}

bool call_to_double(run *r, const expr *e, const cel_value *v, cel_value *out)
{
    (void)r;
    (void)e;
    out->d = (double)v->i;
    return true;
}

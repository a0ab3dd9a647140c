/* Days and dates. The year is taken to begin in March, so that leap days come last; 400 years are
 * one cycle of 146,097 days. */
#include "cel/internal.h"

enum { CYCLE_YEARS = 400, CYCLE_DAYS = 146097, MARCH_1_0000 = 719468 /* days before 1970 */ };

int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t days_from_civil(civil d)
{
    const int64_t year = d.month > 2 ? d.year : d.year - 1;
    const int64_t cycle = floor_div(year, CYCLE_YEARS);
    const int64_t of_cycle = year - cycle * CYCLE_YEARS;
    const int month = d.month > 2 ? d.month - 3 : d.month + 9; /* March is 0 */
    const int64_t of_year = (153 * month + 2) / 5 + d.day - 1;
    return cycle * CYCLE_DAYS + of_cycle * 365 + of_cycle / 4 - of_cycle / 100 + of_year -
           MARCH_1_0000;
}

civil civil_from_days(int64_t days)
{
    const int64_t shifted = days + MARCH_1_0000;
    const int64_t cycle = floor_div(shifted, CYCLE_DAYS);
    const int64_t day = shifted - cycle * CYCLE_DAYS;
    const int64_t year = (day - day / 1460 + day / 36524 - day / (CYCLE_DAYS - 1)) / 365;
    const int of_year = (int)(day - (365 * year + year / 4 - year / 100));
    const int month = (5 * of_year + 2) / 153; /* March is 0 */
    civil out = {.month = month < 10 ? month + 3 : month - 9,
                 .day = of_year - (153 * month + 2) / 5 + 1};
    out.year = cycle * CYCLE_YEARS + year + (out.month <= 2);
    return out;
}

int days_in_month(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* JSON Schema's `format` as an assertion: a pattern for each, and what a pattern cannot say (the
 * days of a month, a leap second's place, an address). Sources: RFC 3339, 4122, 5321 (without
 * quoted local parts), 1123, 2673, 4291, 3986, 6901. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "rewardsvc/schema_internal.h"

struct SchemaFormat {
    const char *name;
    const char *pattern;
    bool (*also)(const char *text); /* NULL: the pattern is enough */
    pcre2_code *code;               /* compiled when it is first asked for */
};

static int two(const char *p)
{
    return 10 * (p[0] - '0') + p[1] - '0';
}

static bool date_exists(const char *p)
{
    static const int days[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = 100 * two(p) + two(p + 2), month = two(p + 5), day = two(p + 8);
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (month < 1 || month > 12 || day < 1) return false;
    return day <= days[month] + (month == 2 && leap);
}

/* The pattern has seen to the ranges. A second 60 can only be 23:59:60 in UTC. */
static bool time_exists(const char *p)
{
    const char *zone = p + strcspn(p, "Zz+-");
    int minutes = 60 * two(p) + two(p + 3);
    if (two(p + 6) < 60) return true;
    if (*zone == '+' || *zone == '-')
        minutes += (*zone == '+' ? -1 : 1) * (60 * two(zone + 1) + two(zone + 4));
    return (minutes + 1440) % 1440 == 1439;
}

static bool date_time_exists(const char *p)
{
    return date_exists(p) && time_exists(p + 11);
}

static bool ipv4_exists(const char *p)
{
    struct in_addr address;
    return inet_pton(AF_INET, p, &address) == 1;
}

static bool ipv6_exists(const char *p)
{
    struct in6_addr address;
    return inet_pton(AF_INET6, p, &address) == 1;
}

/* What stands in the last pair of square brackets: an address, with "IPv6:" before it or not. */
static bool literal_exists(const char *p)
{
    char address[64];
    const char *open = strrchr(p, '['), *close = strrchr(p, ']');
    if (!open || !close) return true; /* a name instead */
    if (strncmp(++open, "IPv6:", 5) == 0) open += 5;
    size_t n = (size_t)(close - open);
    if (n >= sizeof address) return false;
    memcpy(address, open, n);
    address[n] = 0;
    return ipv6_exists(address) || ipv4_exists(address);
}

#define TIME    "([01]\\d|2[0-3]):[0-5]\\d:([0-5]\\d|60)(\\.\\d+)?([Zz]|[+-]([01]\\d|2[0-3]):[0-5]\\d)"
#define DATE    "\\d{4}-\\d\\d-\\d\\d"
#define LABEL   "(?!(?![Xx][Nn])..--)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#define HOST    LABEL "(\\." LABEL ")*"
#define ATOM    "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
#define QUOTED  "\"([ !#-\\[\\]-~]|\\\\[ -~])*\""
#define LITERAL "\\[(IPv6:)?[0-9A-Fa-f:.]{2,45}\\]"
#define ESCAPED "%[0-9A-Fa-f]{2}"
#define NAME    "A-Za-z0-9._~!$&'()*+,;=-"
#define PCHAR   "([:@" NAME "]|" ESCAPED ")"
#define AUTHORITY                                                                                  \
    "//(([:" NAME "]|" ESCAPED ")*@)?(\\[[0-9A-Fa-f:.]{2,45}\\]|([" NAME "]|" ESCAPED ")*)(:\\d*)" \
    "?"
#define PATH "(" AUTHORITY "(/" PCHAR "*)*|/?" PCHAR "+(/" PCHAR "*)*|/?)"

static SchemaFormat formats[] = {
    {"date", "^" DATE "$", date_exists, NULL},
    {"time", "^" TIME "$", time_exists, NULL},
    {"date-time", "^" DATE "[Tt]" TIME "$", date_time_exists, NULL},
    {"duration",
     "^P(?!$)(\\d+W|(\\d+Y(\\d+M(\\d+D)?)?|\\d+M(\\d+D)?|\\d+D)?"
     "(T(?=\\d)(\\d+H(\\d+M(\\d+S)?)?|\\d+M(\\d+S)?|\\d+S))?)$",
     NULL, NULL},
    {"email",
     "^(?=.{1,64}@)(" ATOM "(\\." ATOM ")*|" QUOTED ")@((?=.{1,253}$)" HOST "|" LITERAL ")$",
     literal_exists, NULL},
    {"hostname", "^(?=.{1,253}$)" HOST "$", NULL, NULL},
    {"ipv4", "^[0-9.]{7,15}$", ipv4_exists, NULL},
    {"ipv6", "^[0-9A-Fa-f:.]{2,45}$", ipv6_exists, NULL},
    {"uri", "^[A-Za-z][A-Za-z0-9+.-]*:" PATH "(\\?(" PCHAR "|[/?])*)?(#(" PCHAR "|[/?])*)?$",
     literal_exists, NULL},
    {"uuid", "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$", NULL, NULL},
    {"json-pointer", "^(/([^~/]|~[01])*)*$", NULL, NULL},
};

const SchemaFormat *schema_format_find(const char *name)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        SchemaFormat *f = &formats[i];
        if (strcmp(f->name, name) != 0) continue;
        if (!f->code) f->code = schema_pattern(f->pattern, strlen(f->pattern));
        return f;
    }
    return NULL;
}

/* A NUL in the text matches no pattern, so `also` sees a whole C string. */
bool schema_format_holds(Run *r, const SchemaFormat *f, const char *text, size_t n)
{
    enum { LONGEST = 4096 };
    if (n > LONGEST) r->gave_up = true;
    return n <= LONGEST && pattern_found(r, f->code, text, n) && (!f->also || f->also(text));
}

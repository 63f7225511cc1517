/* Whose an object is, and from when: read off paths and texts. */
#include "dump.h"
#include "waymark/time.h"

/* --- places --- */

enum { PARTS_MAX = 64 };

static size_t split(const char *path, struct wm_str parts[PARTS_MAX])
{
    size_t n = 0;

    for (const char *p = path; *p && n < PARTS_MAX; p += strspn(p, "/")) {
        size_t length = strcspn(p, "/");

        if (length && !(length == 1 && p[0] == '.'))
            parts[n++] = (struct wm_str){p, length};
        p += length;
    }
    return n;
}

static struct wm_str stem_of(struct wm_str file)
{
    const char *dot = memchr(file.p, '.', file.n);

    return (struct wm_str){file.p, dot ? (size_t)(dot - file.p) : file.n};
}

static bool is_role(struct wm_str s)
{
    return wm_str_is(s, "host") || wm_str_is(s, "source") || wm_str_is(s, "target");
}

/* must-gather of MTC: clusters/<MigCluster>/..., and migplans/, where plans and migrations are told once more
 * (and only there), with copies of what is in clusters/ (konveyor/must-gather, collection-scripts).  Anything
 * else: a folder or a file at the top that is called host, source or target. */
struct wm_dump_place wm_dump_place(const char *path)
{
    struct wm_str parts[PARTS_MAX];
    struct wm_dump_place ret = {0};
    size_t n = split(path, parts);

    for (size_t i = 0; i + 2 < n; i++)
        if (wm_str_is(parts[i], "clusters")) {
            ret.cluster = parts[i + 1];
            ret.no_login = wm_str_is(parts[n - 1], "login_error.txt");
            return ret;
        }
    for (size_t i = 0; i + 1 < n; i++)
        ret.plans_only |= wm_str_is(parts[i], "migplans");
    for (size_t i = 0; i < n && i < 2 && !ret.plans_only && !ret.cluster.p; i++) {
        struct wm_str name = i + 1 == n ? stem_of(parts[i]) : parts[i];

        if (is_role(name))
            ret.cluster = name;
    }
    return ret;
}

/* --- times --- */

/* When something was written, or happened.  Others lie ahead: when a backup expires, when a pod must be gone.
 */
static bool is_of_the_past(struct wm_str key)
{
    static const char *const keys[] = {
        "creationTimestamp", "lastTransitionTime", "lastHeartbeatTime",
        "lastTimestamp",     "firstTimestamp",     "eventTime",
        "startTimestamp",    "startTime",          "startedAt",
        "finishedAt",        "completionTime",     "completionTimestamp",
        "lastSyncedTime",    "lastValidationTime", "time",
        "lastProbeTime",     "lastUpdateTime",     "lastObservedTime",
    };

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (wm_str_is(key, keys[i]))
            return true;
    return false;
}

/* The key before the value that begins at `value`; { NULL, 0 } = it is an item, or has an empty key. */
static struct wm_str key_before(const char *from, const char *value)
{
    const char *p = value, *end;

    while (p > from && strchr(" \t\r\n", p[-1]))
        p--;
    if (p == from || *--p != ':')
        return (struct wm_str){0};
    while (p > from && strchr(" \t\r\n", p[-1]))
        p--;
    if (p == from || *--p != '"')
        return (struct wm_str){0};
    for (end = p; p > from && p[-1] != '"'; p--)
        ;
    return (struct wm_str){p, (size_t)(end - p)};
}

int64_t wm_dump_youngest(struct wm_str object)
{
    static const char BEGIN[] = "\"20";
    const char *end = object.p + object.n;
    int64_t youngest_s = 0;

    for (const char *p = object.p; p < end && (p = memmem(p, (size_t)(end - p), BEGIN, strlen(BEGIN))); p++) {
        const char *close = memchr(p + 1, '"', (size_t)(end - p) - 1);
        int64_t s = 0;

        if (!close || close - p < WM_TIME_SIZE || close - p > WM_TIME_US_SIZE + 4)
            continue;
        if (wm_time_parse((struct wm_str){p + 1, (size_t)(close - p) - 1}, &s) && s > youngest_s &&
            is_of_the_past(key_before(object.p, p)))
            youngest_s = s;
    }
    return youngest_s;
}

/* Archives: read as they are unpacked, and nothing of them is written anywhere.
 *
 * libarchive is loaded when there is an archive to read: with what it needs itself it costs 3 MB, which the
 * program that follows migrations shall not pay. */
#include <archive.h>
#include <archive_entry.h>
#include <dlfcn.h>
#include <stdio.h>

#include "dump.h"

enum { BLOCK = 256 << 10, NAME_MAX_N = 4096 };

/* --- the library --- */

#define FUNCTIONS(F)                                                                                         \
    F(read_new)                                                                                              \
    F(read_free)                                                                                             \
    F(read_open_filename)                                                                                    \
    F(read_next_header)                                                                                      \
    F(read_data)                                                                                             \
    F(error_string)                                                                                          \
    F(read_support_format_tar)                                                                               \
    F(read_support_filter_gzip)                                                                              \
    F(read_support_filter_bzip2)                                                                             \
    F(read_support_filter_xz)                                                                                \
    F(read_support_filter_zstd)                                                                              \
    F(entry_pathname)                                                                                        \
    F(entry_pathname_utf8)                                                                                   \
    F(entry_filetype)

#define MEMBER(name) __typeof__(archive_##name) *(name);
#define SYMBOL(name) {"archive_" #name, offsetof(struct library, name)},

static struct library {
    FUNCTIONS(MEMBER)
} la;

static const struct {
    const char *name;
    size_t at;
} symbols[] = {FUNCTIONS(SYMBOL)};

static int load(struct wm_error *err)
{
    static const char LIBRARY[] = "libarchive.so.13";
    void *library = la.read_new ? NULL : dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

    if (la.read_new)
        return WM_OK;
    for (size_t i = sizeof symbols / sizeof symbols[0]; library && i-- > 0;) {
        void *symbol = dlsym(library, symbols[i].name);

        if (!symbol)
            return wm_fail(err, WM_E_NOT_FOUND, LIBRARY, "it has no %s", symbols[i].name);
        memcpy((char *)&la + symbols[i].at, &symbol, sizeof symbol);
    }
    return library ? WM_OK
                   : wm_fail(err, WM_E_NOT_FOUND, LIBRARY,
                             "it is not installed: unpack the archive, and name its folder instead");
}

/* --- archives --- */

bool wm_is_archive(const char *name)
{
    static const char *const endings[] = {".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst"};
    size_t n = strlen(name);

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t length = strlen(endings[i]);

        if (n > length && strcmp(name + n - length, endings[i]) == 0)
            return true;
    }
    return false;
}

struct unpacking {
    struct wm_dump *d;
    struct archive *a;
    const char *path, *cluster;
    struct wm_buf text;
};

static int fail_archive(const struct unpacking *u, const char *what, struct wm_error *err)
{
    const char *why = la.error_string(u->a);

    return wm_fail(err, WM_E_INVALID, u->path, "%s: %s", what, why ? why : "damaged");
}

/* The whole entry.  Positive: there is more of the archive. */
static int read_entry(struct unpacking *u, const char *shown, struct wm_error *err)
{
    wm_buf_clear(&u->text);
    for (;;) {
        char *room = wm_buf_room(&u->text, BLOCK);
        la_ssize_t n = room ? la.read_data(u->a, room, BLOCK) : 0;

        if (n < 0)
            return fail_archive(u, shown, err);
        if (!room)
            return wm_fail(err, WM_E_TOO_BIG, shown, "more than %d bytes", WM_DUMP_FILE_MAX);
        u->d->n_bytes += n;
        if (u->d->n_bytes > WM_DUMP_BYTES_MAX)
            return wm_fail(err, WM_E_TOO_BIG, u->path,
                           "it unpacks to more than %lld bytes: the rest is not read",
                           (long long)WM_DUMP_BYTES_MAX);
        if (n == 0)
            return WM_OK;
        wm_buf_grew(&u->text, (size_t)n);
    }
}

static const char *name_of(struct archive_entry *e)
{
    const char *name = la.entry_pathname_utf8(e);

    return name ? name : la.entry_pathname(e);
}

static const char *last_part(const char *name)
{
    const char *slash = strrchr(name, '/');

    return slash ? slash + 1 : name;
}

/* False when nothing more can be read of the archive. */
static bool take_entry(struct unpacking *u, struct archive_entry *e)
{
    const char *name = name_of(e);
    char shown[NAME_MAX_N];
    struct wm_error err = {0};
    int rc;

    if (!name || la.entry_filetype(e) != AE_IFREG || last_part(name)[0] == '.' ||
        !wm_is_dump_file(last_part(name)))
        return true;
    snprintf(shown, sizeof shown, "%s:%s", u->path, name);
    wm_dump_file(u->d, shown);
    rc = read_entry(u, shown, &err);
    if (rc == WM_OK)
        wm_dump_add_text(u->d, wm_buf_text(&u->text), name, shown, u->cluster);
    else
        wm_dump_fail(u->d, &err);
    return rc == WM_OK || (rc == WM_E_TOO_BIG && u->d->n_bytes <= WM_DUMP_BYTES_MAX);
}

static void read_all(struct unpacking *u)
{
    struct archive_entry *e;
    struct wm_error err = {0};
    int rc = ARCHIVE_OK;

    for (size_t n = 0; n < WM_DUMP_ENTRIES_MAX; n++) {
        rc = la.read_next_header(u->a, &e);
        if (rc == ARCHIVE_EOF)
            return;
        if (rc < ARCHIVE_WARN) {
            fail_archive(u, "cannot be read further", &err);
            wm_dump_fail(u->d, &err);
            return;
        }
        if (!take_entry(u, e))
            return;
    }
    wm_fail(&err, WM_E_TOO_BIG, u->path, "more than %d files: the rest is not read", WM_DUMP_ENTRIES_MAX);
    wm_dump_fail(u->d, &err);
}

/* No filter that would start another program, and no format but tar. */
static struct archive *new_reader(void)
{
    struct archive *a = la.read_new();

    if (!a)
        return NULL;
    la.read_support_format_tar(a);
    la.read_support_filter_gzip(a);
    la.read_support_filter_bzip2(a);
    la.read_support_filter_xz(a);
    la.read_support_filter_zstd(a);
    return a;
}

void wm_dump_add_archive(struct wm_dump *d, const char *path, const char *cluster)
{
    struct unpacking u = {d, NULL, path, cluster, WM_BUF_MAX(WM_DUMP_FILE_MAX)};
    struct wm_error err = {0};

    if (load(&err) < 0) {
        wm_dump_fail(d, &err);
        return;
    }
    u.a = new_reader();
    if (!u.a || la.read_open_filename(u.a, path, BLOCK) != ARCHIVE_OK) {
        u.a ? fail_archive(&u, "cannot open", &err) : wm_fail(&err, WM_E_NOMEM, path, "out of memory");
        wm_dump_fail(d, &err);
    } else {
        read_all(&u);
    }
    la.read_free(u.a);
    wm_buf_done(&u.text);
}

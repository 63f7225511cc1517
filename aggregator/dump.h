/* What a dump holds: the model that watches would have made, read from files.  Edge (reads them).
 *
 * Several clusters are told apart by folders; see wm_dump_place. */
#ifndef WAYMARK_AGGREGATOR_DUMP_H
#define WAYMARK_AGGREGATOR_DUMP_H

#include "waymark/situation.h"
#include "waymark/ticker.h"

enum {
    WM_DUMP_ERRORS_MAX = 100,      /* further ones are only counted */
    WM_DUMP_FILE_MAX = 256 << 20,  /* of one file */
    WM_DUMP_ENTRIES_MAX = 2000000, /* files in an archive */
    WM_DUMP_OBJECTS_MAX = 4000000,
};
/* Of all that archives unpack to: what is beyond is not read. */
#define WM_DUMP_BYTES_MAX (INT64_C(16) << 30)

struct wm_dump {
    struct wm_model *model; /* owned */
    struct wm_cluster_view views[WM_CLUSTERS_MAX];
    wm_name names[WM_CLUSTERS_MAX]; /* of them; 0 = the host */
    size_t n_clusters;
    uint16_t sources[WM_CLUSTERS_MAX][WM_KIND_COUNT];
    bool seen[WM_CLUSTERS_MAX]; /* something was read of it */

    int64_t youngest_s; /* of the times at which anything was written or happened; 0 = none */
    size_t n_files, n_objects, n_ignored; /* ignored: of kinds that are not followed */
    int64_t n_bytes;
    struct wm_error errors[WM_DUMP_ERRORS_MAX];
    size_t n_errors;

    struct wm_ticker *ticker; /* borrowed; NULL = none */
    /* Of the file that is being read. */
    const char *file;
    uint8_t cluster;
    bool plans_only;
};

/* `host` is what the host's cluster is called in the dump. */
void wm_dump_begin(struct wm_dump *d, const char *host);
void wm_dump_done(struct wm_dump *d);

/* Adds what is in a file, a folder, an archive, or "-" for standard input.  `cluster` NULL: the paths tell.
 */
void wm_dump_add(struct wm_dump *d, const char *path, const char *cluster);
/* A text that was read already, as if it had been found at `path`, of which `shown` is for messages. */
void wm_dump_add_text(struct wm_dump *d, struct wm_str text, const char *path, const char *shown,
                      const char *cluster);
/* After all is added: the host's own name, and MigClusters of which there is nothing. */
void wm_dump_end(struct wm_dump *d);
/* What of VirtRigaud's restarts a dump still tells: the last rollout of each provider.  The caller's. */
struct wm_ledger *wm_dump_ledger(const struct wm_dump *d, int64_t now_s);

/* What the host's cluster turns out to be called in the dump: plans are there. */
const char *wm_dump_host(const struct wm_dump *d);
/* Whether the host has a MigCluster of that name. */
bool wm_dump_has_cluster(const struct wm_dump *d, const char *name);

void wm_dump_fail(struct wm_dump *d, const struct wm_error *err);

/* --- inside --- */

/* *.tar, *.tar.gz, ...: by name. */
bool wm_is_archive(const char *name);
void wm_dump_add_archive(struct wm_dump *d, const char *path, const char *cluster);
/* True for files that are to be read. */
bool wm_is_dump_file(const char *name);
/* Tells the terminal, and counts. */
void wm_dump_file(struct wm_dump *d, const char *shown);

/* Whose a file is, by its path from the folder's or the archive's own name on ("must-gather/clusters/...").
 */
struct wm_dump_place {
    struct wm_str cluster; /* { NULL, 0 } = the path does not tell: the host */
    bool plans_only; /* a copy for people, beside the clusters: of the host, plans and migrations only */
    bool no_login;   /* must-gather's note that it could not log in there */
};
struct wm_dump_place wm_dump_place(const char *path);

/* The youngest of the times that say when an object was written or something happened to it; 0 = none. */
int64_t wm_dump_youngest(struct wm_str object);

#endif

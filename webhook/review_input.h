/* What `waymark-webhook review` reads: files, the documents in them, and the objects in those.  Edge. */
#ifndef WAYMARK_WEBHOOK_REVIEW_INPUT_H
#define WAYMARK_WEBHOOK_REVIEW_INPUT_H

#include "waymark/names.h"
#include "waymark/yaml.h"

/* Of one file. */
#define WM_INPUT_MAX_BYTES (16u << 20)
/* Further errors are only counted. */
#define WM_INPUT_MAX_ERRORS 100

/* One object.  All is borrowed from the input. */
struct wm_input_object {
    const char *file;
    const struct wm_yaml *yaml; /* the document that it stands in, for lines */
    const cJSON *review;        /* the AdmissionReview that it came in; NULL = an object by itself */
    const cJSON *object;        /* of a review that deletes: what goes */
    const char *api_version, *kind, *namespace_, *name; /* "" = none; name may be a generateName */
    bool generated;
};

struct wm_input {
    const char *default_namespace; /* of objects that have none; borrowed */
    struct wm_input_object *list;
    size_t n, cap;
    struct wm_error errors[WM_INPUT_MAX_ERRORS]; /* what could not be read, in order */
    size_t n_errors, n_files;
    struct wm_yaml **documents; /* owned, as are the texts: names of files and kinds */
    size_t n_documents, documents_cap;
    char **texts;
    size_t n_texts, texts_cap;
    void (*on_file)(void *ctx, const char *path); /* before a file is read; may be NULL */
    void *ctx;
};

/* Adds what stands in `path`: a file, a folder (its *.yaml, *.yml and *.json, also those of its folders, in
 * order of name; names that begin with a dot are left out), or "-" for standard input.  What cannot be read
 * goes to in->errors. */
void wm_input_add(struct wm_input *in, const char *path);
/* The same with a text that was read already; `name` is what messages call it. */
void wm_input_add_text(struct wm_input *in, struct wm_str text, const char *name);
/* Adds to in->errors. */
void wm_input_fail(struct wm_input *in, const struct wm_error *err);
/* The same, with the object's file and line. */
void wm_input_refuse(struct wm_input *in, const struct wm_input_object *o, const char *why);
void wm_input_done(struct wm_input *in);

#endif

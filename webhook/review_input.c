#include "review_input.h"

#include <stdlib.h>

#include "waymark/folder.h"
#include "waymark/host.h"
#include "waymark/yaml_objects.h"

static const char STDIN_NAME[] = "stdin", STDIN_PATH[] = "/dev/stdin";

/* `list` of `n` items of `size` bytes with room for one more; capacities are powers of two. */
static void *with_room(void *list, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return list;
    size_t grown = *cap ? *cap * 2 : 16;
    void *p = wm_xcalloc(grown, size);

    if (n)
        memcpy(p, list, n * size);
    free(list);
    *cap = grown;
    return p;
}

void wm_input_fail(struct wm_input *in, const struct wm_error *err)
{
    if (in->n_errors < WM_INPUT_MAX_ERRORS)
        in->errors[in->n_errors] = *err;
    in->n_errors++;
}

/* `text` (owned) as long as the input lives. */
static const char *keep(struct wm_input *in, char *text)
{
    in->texts = with_room(in->texts, in->n_texts, &in->texts_cap, sizeof *in->texts);
    in->texts[in->n_texts++] = text;
    return text;
}

/* --- objects --- */

static const char *text_at(const cJSON *node, const char *pointer)
{
    const char *z = wm_json_str(node, pointer);

    return z ? z : "";
}

static const char *either(const char *a, const char *b)
{
    return a[0] ? a : b;
}

static void add_object(struct wm_input *in, const struct wm_input_object *o)
{
    in->list = with_room(in->list, in->n, &in->cap, sizeof *in->list);
    struct wm_input_object *added = &in->list[in->n++];
    const char *name = text_at(o->object, "/metadata/name");

    *added = *o;
    added->generated = !name[0];
    added->name = name[0] ? name : text_at(o->object, "/metadata/generateName");
    if (added->generated && o->review) { /* the API server knows the name before the object does */
        const char *known = text_at(o->review, "/request/name");

        added->generated = !known[0];
        added->name = either(known, added->name);
    }
    added->namespace_ = either(either(text_at(o->object, "/metadata/namespace"),
                                      o->review ? text_at(o->review, "/request/namespace") : ""),
                               in->default_namespace);
}

static void refuse(struct wm_input *in, const struct wm_yaml *y, const cJSON *node, const char *why)
{
    struct wm_error err = {0};

    wm_yaml_fail(y, node, &err, "%s", why);
    wm_input_fail(in, &err);
}

void wm_input_refuse(struct wm_input *in, const struct wm_input_object *o, const char *why)
{
    refuse(in, o->yaml, o->review ? o->review : o->object, why);
}

static void add_review(struct wm_input *in, struct wm_input_object *o, const cJSON *review)
{
    const cJSON *object = wm_json_at(review, "/request/object"),
                *old = wm_json_at(review, "/request/oldObject");

    o->review = review;
    o->object = cJSON_IsObject(object) ? object : old;
    if (!cJSON_IsObject(o->object)) {
        refuse(in, o->yaml, review, "this AdmissionReview has neither request.object nor request.oldObject");
        return;
    }
    o->api_version = text_at(o->object, "/apiVersion");
    o->kind = either(text_at(review, "/request/kind/kind"), text_at(o->object, "/kind"));
    add_object(in, o);
}

static void take_object(struct wm_input *in, struct wm_input_object *o)
{
    if (!o->api_version[0] || !o->kind[0])
        refuse(in, o->yaml, o->object, "this is no Kubernetes object: it has no apiVersion or no kind");
    else if (strcmp(o->kind, "AdmissionReview") == 0 && strncmp(o->api_version, "admission.k8s.io/", 17) == 0)
        add_review(in, o, o->object);
    else
        add_object(in, o);
}

struct document {
    struct wm_input *in;
    const struct wm_yaml *yaml;
    const char *file;
};

static void take_found(void *ctx, const cJSON *object, const char *api_version, const char *kind)
{
    struct document *d = ctx;
    struct wm_input_object o = {
        .file = d->file, .yaml = d->yaml, .object = object, .api_version = api_version};

    o.kind = kind == wm_json_str(object, "/kind") ? kind : keep(d->in, wm_xstrdup(kind));
    take_object(d->in, &o);
}

/* --- files --- */

/* Takes the objects of `y` (owned); a document without any is not kept. */
static void take_document(struct wm_input *in, struct wm_yaml *y, const char *file)
{
    size_t before = in->n;

    if (!cJSON_IsNull(wm_yaml_root(y)))
        wm_yaml_each_object(y, take_found, &(struct document){in, y, file});
    if (in->n == before) {
        wm_yaml_free(y);
        return;
    }
    in->documents = with_room(in->documents, in->n_documents, &in->documents_cap, sizeof(struct wm_yaml *));
    in->documents[in->n_documents++] = y;
}

void wm_input_add_text(struct wm_input *in, struct wm_str text, const char *name)
{
    const char *file = keep(in, wm_xstrdup(name));
    wm_auto_yaml_reader struct wm_yaml_reader *r = NULL;
    struct wm_yaml *y = NULL;
    struct wm_error err = {0};
    int rc = wm_yaml_open(text, file, WM_INPUT_MAX_BYTES, &r, &err);

    while (rc >= 0 && (rc = wm_yaml_next(r, &y, &err)) > 0)
        take_document(in, y, file);
    if (rc < 0)
        wm_input_fail(in, &err);
}

static void read_file(struct wm_input *in, const char *path, const char *name)
{
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(WM_INPUT_MAX_BYTES);
    struct wm_error err = {0};

    if (in->on_file)
        in->on_file(in->ctx, name);
    in->n_files++;
    if (wm_file_read(path, &text, &err) < 0)
        wm_input_fail(in, &err);
    else
        wm_input_add_text(in, wm_buf_text(&text), name);
}

static void found_file(void *ctx, const char *path)
{
    read_file(ctx, path, path);
}

static void found_failure(void *ctx, const struct wm_error *err)
{
    wm_input_fail(ctx, err);
}

static void read_folder(struct wm_input *in, const char *path)
{
    const struct wm_folder_walk walk = {wm_is_object_file, found_file, found_failure, in};
    size_t files = in->n_files, errors = in->n_errors;
    struct wm_error err = {0};

    wm_folder_each(path, &walk);
    if (in->n_files == files &&
        in->n_errors == errors) { /* a wrong name in a pipeline must not pass as good */
        wm_fail(&err, WM_E_NOT_FOUND, path, "there is no *.yaml, *.yml or *.json in this folder");
        wm_input_fail(in, &err);
    }
}

void wm_input_add(struct wm_input *in, const char *path)
{
    if (strcmp(path, "-") == 0)
        read_file(in, STDIN_PATH, STDIN_NAME);
    else if (wm_is_folder(path))
        read_folder(in, path);
    else
        read_file(in, path, path);
}

void wm_input_done(struct wm_input *in)
{
    for (size_t i = 0; i < in->n_documents; i++)
        wm_yaml_free(in->documents[i]);
    for (size_t i = 0; i < in->n_texts; i++)
        free(in->texts[i]);
    free(in->documents);
    free(in->texts);
    free(in->list);
    *in = (struct wm_input){0};
}

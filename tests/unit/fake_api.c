#include "fake_api.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "waymark/patch.h"

enum { MAX_OBJECTS = 64, MAX_EVENTS = 512, FIRST_VERSION = 100, PATH_MAX_N = 1024 };

struct event {
    char *collection, *line;
};

struct fake_api {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct {
        char *path;
        cJSON *object;
    } objects[MAX_OBJECTS];
    size_t n_objects;
    struct event events[MAX_EVENTS]; /* the n-th has version FIRST_VERSION + n + 1 */
    size_t n_events;
    bool stopping;
    struct fault_server *server;
};

/* --- the store, under the lock --- */

static size_t find(const struct fake_api *a, const char *path)
{
    size_t i = 0;

    while (i < a->n_objects && strcmp(a->objects[i].path, path) != 0)
        i++;
    return i;
}

static size_t collection_n(const char *path)
{
    return (size_t)(strrchr(path, '/') - path);
}

/* Whether what is asked for is this collection, or all of its kind: the same without its namespace. */
static bool is_asked(struct wm_str collection, const char *asked)
{
    static const char in_namespace[] = "/namespaces/";
    size_t n = strlen(asked);
    const char *end = collection.p + collection.n, *p = strstr(collection.p, in_namespace);

    if (n == collection.n && memcmp(asked, collection.p, n) == 0)
        return true;
    const char *resource = p ? strchr(p + sizeof in_namespace - 1, '/') : NULL;

    return resource && resource < end && n == (size_t)(p - collection.p) + (size_t)(end - resource) &&
           memcmp(asked, collection.p, (size_t)(p - collection.p)) == 0 &&
           memcmp(asked + (p - collection.p), resource, (size_t)(end - resource)) == 0;
}

static bool is_in(const char *path, const char *asked)
{
    return is_asked((struct wm_str){path, collection_n(path)}, asked);
}

static void tell(struct fake_api *a, const char *type, const char *path, cJSON *object)
{
    wm_auto_buf struct wm_buf line = WM_BUF_MAX(1 << 20);
    char version[24];

    if (a->n_events == MAX_EVENTS)
        abort();
    snprintf(version, sizeof version, "%zu", FIRST_VERSION + a->n_events + 1);
    cJSON_DeleteItemFromObject(wm_json_at(object, "/metadata"), "resourceVersion");
    cJSON_AddStringToObject(wm_json_at(object, "/metadata"), "resourceVersion", version);
    wm_buf_printf(&line, "{\"type\":\"%s\",\"object\":", type);
    wm_json_print(object, &line, NULL);
    wm_buf_puts(&line, "}\n");
    a->events[a->n_events++] = (struct event){
        wm_xstrndup((struct wm_str){path, collection_n(path)}),
        wm_buf_take(&line),
    };
    pthread_cond_broadcast(&a->changed);
}

/* Takes over `object`. */
static void put(struct fake_api *a, const char *path, cJSON *object)
{
    size_t i = find(a, path);
    bool is_new = i == a->n_objects;

    if (is_new) {
        if (i == MAX_OBJECTS)
            abort();
        a->objects[a->n_objects++].path = wm_xstrdup(path);
    } else if (a->objects[i].object != object) {
        cJSON_Delete(a->objects[i].object);
    }
    a->objects[i].object = object;
    tell(a, is_new ? "ADDED" : "MODIFIED", path, object);
}

/* --- requests --- */

struct fake_request {
    char method[8], path[PATH_MAX_N], query[PATH_MAX_N];
    struct wm_str body;
};

static struct fake_request request_of(const char *text)
{
    struct fake_request r = {0};
    const char *body = strstr(text, "\r\n\r\n");

    sscanf(text, "%7s %1023[^? ]?%1023[^ ]", r.method, r.path, r.query);
    r.body = wm_str_of(body ? body + 4 : "");
    return r;
}

static int list(struct fake_api *a, const char *collection, struct wm_buf *out)
{
    const char *comma = "";

    wm_buf_printf(out, "{\"kind\":\"List\",\"metadata\":{\"resourceVersion\":\"%zu\"},\"items\":[",
                  FIRST_VERSION + a->n_events);
    for (size_t i = 0; i < a->n_objects; i++)
        if (is_in(a->objects[i].path, collection)) {
            wm_buf_puts(out, comma);
            wm_json_print(a->objects[i].object, out, NULL);
            comma = ",";
        }
    wm_buf_puts(out, "]}");
    return 200;
}

static int watch(struct fake_api *a, const struct fake_request *r, struct wm_buf *out)
{
    const char *version = strstr(r->query, "resourceVersion=");
    size_t i = (size_t)atol(version ? version + 16 : "") - FIRST_VERSION;

    for (;; pthread_cond_wait(&a->changed, &a->lock)) {
        for (; i < a->n_events; i++)
            if (is_asked(wm_str_of(a->events[i].collection), r->path)) {
                wm_buf_puts(out, a->events[i].line);
                return 200;
            }
        if (a->stopping)
            return 200;
    }
}

static bool is_object(const char *path)
{
    static const char in_namespace[] = "/namespaces/";
    const char *p = strstr(path, in_namespace);

    p = p ? strchr(p + sizeof in_namespace - 1, '/') : NULL; /* "/RESOURCE..." */
    return p && strchr(p + 1, '/');
}

static int get(struct fake_api *a, const struct fake_request *r, struct wm_buf *out)
{
    size_t i = find(a, r->path);

    if (strstr(r->query, "sendInitialEvents"))
        return 422; /* like servers before 1.27: lists come in pages */
    if (strstr(r->query, "watch=1"))
        return watch(a, r, out);
    if (!is_object(r->path))
        return list(a, r->path, out);
    if (i == a->n_objects)
        return 404;
    wm_json_print(a->objects[i].object, out, NULL);
    return 200;
}

static int post(struct fake_api *a, const struct fake_request *r, struct wm_buf *out)
{
    wm_auto_json cJSON *object = NULL;
    char path[2 * PATH_MAX_N];

    if (wm_json_parse(r->body, &object, NULL) < 0)
        return 400;
    const char *name = wm_json_str(object, "/metadata/name");

    snprintf(path, sizeof path, "%s/%s", r->path, name ? name : "");
    if (find(a, path) < a->n_objects)
        return 409;
    put(a, path, object);
    wm_json_print(object, out, NULL);
    object = NULL;
    return 201;
}

static int patch(struct fake_api *a, struct fake_request *r, struct wm_buf *out)
{
    static const char status[] = "/status";
    wm_auto_json cJSON *ops = NULL;
    size_t n = strlen(r->path);

    if (n > sizeof status && strcmp(r->path + n - sizeof status + 1, status) == 0)
        r->path[n - sizeof status + 1] = '\0';
    size_t i = find(a, r->path);

    if (i == a->n_objects)
        return 404;
    if (wm_json_parse(r->body, &ops, NULL) < 0)
        return 400;
    if (wm_patch_apply(&a->objects[i].object, ops, NULL) < 0)
        return 422;
    put(a, r->path, a->objects[i].object);
    wm_json_print(a->objects[i].object, out, NULL);
    return 200;
}

static int remove_one(struct fake_api *a, const char *path)
{
    size_t i = find(a, path);

    if (i == a->n_objects)
        return 404;
    tell(a, "DELETED", path, a->objects[i].object);
    cJSON_Delete(a->objects[i].object);
    free(a->objects[i].path);
    a->objects[i] = a->objects[--a->n_objects];
    return 200;
}

static int respond(void *ctx, const char *request, struct wm_buf *out)
{
    struct fake_api *a = ctx;
    struct fake_request r = request_of(request);

    pthread_mutex_lock(&a->lock);
    int status = strcmp(r.method, "GET") == 0      ? get(a, &r, out)
                 : strcmp(r.method, "POST") == 0   ? post(a, &r, out)
                 : strcmp(r.method, "PATCH") == 0  ? patch(a, &r, out)
                 : strcmp(r.method, "DELETE") == 0 ? remove_one(a, r.path)
                                                   : 405;

    pthread_mutex_unlock(&a->lock);
    if (out->n == 0)
        wm_buf_puts(out, status == 200 ? "\n" : "{\"kind\":\"Status\"}");
    return status;
}

/* --- from outside --- */

struct fake_api *fake_api_start(const struct fault *first, size_t n, const struct fault_tls *tls)
{
    struct fake_api *a = wm_xcalloc(1, sizeof *a);

    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->changed, NULL);
    a->server = fault_server_start(first, n, tls);
    fault_server_add(a->server, &(struct fault){.respond = respond, .ctx = a, .times = -1}, 1, false);
    return a;
}

struct fake_api *fake_api_stop(struct fake_api *a)
{
    pthread_mutex_lock(&a->lock);
    a->stopping = true;
    pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->lock);
    fault_server_stop(a->server);
    for (size_t i = 0; i < a->n_objects; i++) {
        free(a->objects[i].path);
        cJSON_Delete(a->objects[i].object);
    }
    for (size_t i = 0; i < a->n_events; i++) {
        free(a->events[i].collection);
        free(a->events[i].line);
    }
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->lock);
    free(a);
    return NULL;
}

struct fault_server *fake_api_server(struct fake_api *a)
{
    return a->server;
}

void fake_api_put(struct fake_api *a, const char *path, const char *json)
{
    cJSON *object = NULL;

    if (wm_json_parse(wm_str_of(json), &object, NULL) < 0)
        abort();
    pthread_mutex_lock(&a->lock);
    put(a, path, object);
    pthread_mutex_unlock(&a->lock);
}

void fake_api_remove(struct fake_api *a, const char *path)
{
    pthread_mutex_lock(&a->lock);
    remove_one(a, path);
    pthread_mutex_unlock(&a->lock);
}

cJSON *fake_api_get(struct fake_api *a, const char *path)
{
    pthread_mutex_lock(&a->lock);
    size_t i = find(a, path);
    cJSON *copy = i < a->n_objects ? cJSON_Duplicate(a->objects[i].object, true) : NULL;

    pthread_mutex_unlock(&a->lock);
    return copy;
}

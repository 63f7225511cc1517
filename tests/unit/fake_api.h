/* What an API server knows, behind a fault server: lists, watches, and writes of any objects, by their paths.
 * Thread-safe.  A watch request is answered with one event once there is one, and ends then. */
#ifndef WAYMARK_TESTS_FAKE_API_H
#define WAYMARK_TESTS_FAKE_API_H

#include "fault_server.h"
#include "waymark/json.h"

struct fake_api;

/* Starts with an empty store; `first` are rows that are tried before it. */
struct fake_api *fake_api_start(const struct fault *first, size_t n, const struct fault_tls *tls);
struct fake_api *fake_api_stop(struct fake_api *a);
struct fault_server *fake_api_server(struct fake_api *a);

/* "/apis/GROUP/VERSION/namespaces/NS/RESOURCE/NAME": comes, or changes; watchers are told. */
void fake_api_put(struct fake_api *a, const char *path, const char *json);
void fake_api_remove(struct fake_api *a, const char *path);
/* The object as it is now; NULL = there is none.  The caller deletes it. */
cJSON *fake_api_get(struct fake_api *a, const char *path);

#endif

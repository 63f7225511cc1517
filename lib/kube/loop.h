#ifndef WAYMARK_KUBE_LOOP_H
#define WAYMARK_KUBE_LOOP_H

/* The thread's body; `arg` is the struct wm_kube. */
void *wm_kube_run(void *arg);

#endif

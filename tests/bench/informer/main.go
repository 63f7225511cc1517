// Keeps what it is told to watch, as a controller written with client-go does: the yardstick for the aggregator.
//
// Usage: waymark-informer dynamic|typed|reporter NAMESPACE PATH...   (access by $KUBECONFIG)
//
// A PATH is GROUP/VERSION/RESOURCE, without the group for core kinds. "typed" decodes into structs of the members
// that Waymark keeps and drops the rest; "dynamic" keeps whole objects as maps. "reporter" does what "typed" does, and
// writes the progress of the PodVolumeRestore "seen" into the status of the MigrationReport of that name at once:
// what a controller does that reports every event. Prints "synced MILLISECONDS" once.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// Object has what the kinds of a migration have in common.
type Object struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              Spec   `json:"spec,omitempty"`
	Status            Status `json:"status,omitempty"`
}
type Spec struct {
	BackupName string `json:"backupName,omitempty"`
	Volume     string `json:"volume,omitempty"`
	Stage      bool   `json:"stage,omitempty"`
}
type Status struct {
	Phase      string      `json:"phase,omitempty"`
	Message    string      `json:"message,omitempty"`
	Node       string      `json:"node,omitempty"`
	Itinerary  string      `json:"itinerary,omitempty"`
	Errors     []string    `json:"errors,omitempty"`
	Conditions []Condition `json:"conditions,omitempty"`
	Progress   struct {
		BytesDone  int64 `json:"bytesDone,omitempty"`
		TotalBytes int64 `json:"totalBytes,omitempty"`
	} `json:"progress,omitempty"`
}
type Condition struct {
	Type     string `json:"type"`
	Status   string `json:"status"`
	Reason   string `json:"reason,omitempty"`
	Category string `json:"category,omitempty"`
	Message  string `json:"message,omitempty"`
}
type ObjectList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Object `json:"items"`
}

// The informer hands out what it keeps; nobody here writes to it.
func (o *Object) DeepCopyObject() runtime.Object     { copied := *o; return &copied }
func (l *ObjectList) DeepCopyObject() runtime.Object { copied := *l; return &copied }

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func parse(path string) schema.GroupVersionResource {
	part := strings.Split(path, "/")
	if len(part) == 2 {
		part = append([]string{""}, part...)
	}
	return schema.GroupVersionResource{Group: part[0], Version: part[1], Resource: part[2]}
}

func typedClient(config *rest.Config, version schema.GroupVersion) *rest.RESTClient {
	scheme := runtime.NewScheme()
	for _, kind := range []string{"MigPlan", "MigMigration", "MigCluster", "MigStorage", "MigHook", "DirectVolumeMigration",
		"DirectVolumeMigrationProgress", "DirectImageMigration", "DirectImageStreamMigration", "Backup", "Restore",
		"PodVolumeBackup", "PodVolumeRestore", "DataUpload", "DataDownload", "BackupStorageLocation", "Deployment",
		"DaemonSet", "Pod"} {
		scheme.AddKnownTypeWithName(version.WithKind(kind), &Object{})
		scheme.AddKnownTypeWithName(version.WithKind(kind+"List"), &ObjectList{})
	}
	metav1.AddToGroupVersion(scheme, version)
	own := rest.CopyConfig(config)
	own.GroupVersion = &version
	own.APIPath = "/apis"
	if version.Group == "" {
		own.APIPath = "/api"
	}
	own.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	client, err := rest.RESTClientFor(own)
	check(err)
	return client
}

func typedInformer(config *rest.Config, namespace string, r schema.GroupVersionResource) cache.SharedInformer {
	client := typedClient(config, r.GroupVersion())
	get := func(o metav1.ListOptions) *rest.Request {
		return client.Get().Namespace(namespace).Resource(r.Resource).VersionedParams(&o, metav1.ParameterCodec)
	}
	return cache.NewSharedInformer(&cache.ListWatch{
		ListFunc: func(o metav1.ListOptions) (runtime.Object, error) {
			list := &ObjectList{}
			return list, get(o).Do(context.TODO()).Into(list)
		},
		WatchFunc: func(o metav1.ListOptions) (watch.Interface, error) {
			o.Watch = true
			return get(o).Watch(context.TODO())
		},
	}, &Object{}, 0)
}

// report returns a handler that writes what an object says of its progress into the report of its name.
func report(client dynamic.Interface, namespace string) cache.ResourceEventHandlerFuncs {
	reports := client.Resource(schema.GroupVersionResource{
		Group: "waymark.io", Version: "v1alpha1", Resource: "migrationreports"}).Namespace(namespace)
	return cache.ResourceEventHandlerFuncs{UpdateFunc: func(_, updated interface{}) {
		o := updated.(*Object)
		if o.Name != "seen" || o.Status.Progress.BytesDone == 0 {
			return
		}
		patch := fmt.Sprintf(`{"status": {"message": "%d bytes"}}`, o.Status.Progress.BytesDone)
		_, err := reports.Patch(context.TODO(), o.Name, types.MergePatchType, []byte(patch),
			metav1.PatchOptions{}, "status")
		check(err)
	}}
}

func main() {
	began := time.Now()
	if len(os.Args) < 4 {
		fmt.Println("usage: waymark-informer dynamic|typed|reporter NAMESPACE GROUP/VERSION/RESOURCE...")
		if len(os.Args) == 2 && os.Args[1] == "--help" {
			return
		}
		os.Exit(2)
	}
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	check(err)
	client, err := dynamic.NewForConfig(config)
	check(err)
	factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(client, 0, os.Args[2], nil)
	synced := []cache.InformerSynced{}
	for _, path := range os.Args[3:] {
		var informer cache.SharedInformer
		if os.Args[1] != "dynamic" {
			informer = typedInformer(config, os.Args[2], parse(path))
		} else {
			informer = factory.ForResource(parse(path)).Informer()
		}
		handler := cache.ResourceEventHandlerFuncs{}
		if os.Args[1] == "reporter" {
			handler = report(client, os.Args[2])
		}
		informer.AddEventHandler(handler)
		synced = append(synced, informer.HasSynced)
		go informer.Run(make(chan struct{}))
	}
	for _, is := range synced {
		for !is() {
			time.Sleep(5 * time.Millisecond)
		}
	}
	fmt.Println("synced", time.Since(began).Milliseconds())
	select {}
}

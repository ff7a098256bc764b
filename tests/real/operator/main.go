// A small operator, as people write them with controller-runtime: it keeps a Deployment and a ConfigMap for each Widget.
//
// It is run by tests/clients/test_go_clients.py against the embedded cluster and uses what operators use: typed clients that
// speak protobuf, informers, leader election on a Lease, server-side apply, owner references, watches of what is owned, status
// updates, events and finalizers. It prints a line for each thing that worked and ends with 0 on SIGTERM.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	appsapply "k8s.io/client-go/applyconfigurations/apps/v1"
	coreapply "k8s.io/client-go/applyconfigurations/core/v1"
	metaapply "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/retry"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

const finalizer = "example.org/cleanup"

var widgets = schema.GroupVersionKind{Group: "example.org", Version: "v1", Kind: "Widget"}

func say(format string, values ...any) { fmt.Printf(format+"\n", values...) }

func check(err error) {
	if err != nil {
		say("failed: %v", err)
		os.Exit(1)
	}
}

func newWidget() *unstructured.Unstructured {
	widget := &unstructured.Unstructured{}
	widget.SetGroupVersionKind(widgets)
	return widget
}

type reconciler struct {
	client.Client
	typed kubernetes.Interface
}

func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	widget := newWidget()
	if err := r.Get(ctx, request.NamespacedName, widget); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !widget.GetDeletionTimestamp().IsZero() {
		if controllerutil.RemoveFinalizer(widget, finalizer) {
			say("finalized %s", request.Name)
			return ctrl.Result{}, r.Update(ctx, widget)
		}
		return ctrl.Result{}, nil
	}
	if controllerutil.AddFinalizer(widget, finalizer) {
		return ctrl.Result{}, r.Update(ctx, widget)
	}
	size, _, _ := unstructured.NestedInt64(widget.Object, "spec", "size")
	owner := metaapply.OwnerReference().WithAPIVersion("example.org/v1").WithKind("Widget").
		WithName(widget.GetName()).WithUID(widget.GetUID()).WithController(true).WithBlockOwnerDeletion(true)
	options := metav1.ApplyOptions{FieldManager: "widget-operator", Force: true}
	labels := map[string]string{"widget": widget.GetName()}
	text := coreapply.ConfigMap(widget.GetName(), widget.GetNamespace()).WithOwnerReferences(owner).WithLabels(labels).
		WithData(map[string]string{"size": fmt.Sprint(size)})
	if _, err := r.typed.CoreV1().ConfigMaps(widget.GetNamespace()).Apply(ctx, text, options); err != nil {
		return ctrl.Result{}, err
	}
	container := coreapply.Container().WithName("app").WithImage("app:1").
		WithPorts(coreapply.ContainerPort().WithContainerPort(8080))
	deployment := appsapply.Deployment(widget.GetName(), widget.GetNamespace()).WithOwnerReferences(owner).WithLabels(labels).
		WithSpec(appsapply.DeploymentSpec().WithReplicas(int32(size)).
			WithSelector(metaapply.LabelSelector().WithMatchLabels(labels)).
			WithTemplate(coreapply.PodTemplateSpec().WithLabels(labels).WithSpec(coreapply.PodSpec().WithContainers(container))))
	made, err := r.typed.AppsV1().Deployments(widget.GetNamespace()).Apply(ctx, deployment, options)
	if err != nil {
		return ctrl.Result{}, err
	}
	ready := int64(made.Status.ReadyReplicas)
	if old, found, _ := unstructured.NestedInt64(widget.Object, "status", "ready"); found && old == ready {
		return ctrl.Result{}, nil
	}
	check(unstructured.SetNestedField(widget.Object, ready, "status", "ready"))
	if err := r.Status().Update(ctx, widget); err != nil {
		if apierrors.IsConflict(err) {
			return ctrl.Result{RequeueAfter: 50 * time.Millisecond}, nil
		}
		return ctrl.Result{}, err
	}
	say("status of %s: %d of %d", request.Name, ready, size)
	return ctrl.Result{}, nil
}

// usePlainClient does what programs do with client-go alone, in protobuf: create, conflict and retry, pages, patches, an informer.
func usePlainClient(ctx context.Context, typed kubernetes.Interface, namespace string) {
	maps := typed.CoreV1().ConfigMaps(namespace)
	for number := range 5 {
		body := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("page-%d", number), Labels: map[string]string{"page": "yes"}}}
		_, err := maps.Create(ctx, body, metav1.CreateOptions{})
		check(err)
	}
	seen, token := 0, ""
	for {
		page, err := maps.List(ctx, metav1.ListOptions{Limit: 2, Continue: token, LabelSelector: "page=yes"})
		check(err)
		seen += len(page.Items)
		if token = page.Continue; token == "" {
			break
		}
	}
	say("pages: %d objects", seen)
	check(retry.RetryOnConflict(retry.DefaultRetry, func() error {
		found, err := maps.Get(ctx, "page-0", metav1.GetOptions{})
		if err != nil {
			return err
		}
		found.Data = map[string]string{"a": "1"}
		_, err = maps.Update(ctx, found, metav1.UpdateOptions{})
		return err
	}))
	stale := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "page-0", ResourceVersion: "1"}}
	_, err := maps.Update(ctx, stale, metav1.UpdateOptions{})
	say("a stale update: conflict %t", apierrors.IsConflict(err))
	_, err = maps.Patch(ctx, "page-0", types.StrategicMergePatchType, []byte(`{"data":{"b":"2"}}`), metav1.PatchOptions{})
	check(err)
	_, err = maps.Get(ctx, "nothing", metav1.GetOptions{})
	say("a missing object: not found %t", apierrors.IsNotFound(err))

	factory := informers.NewSharedInformerFactoryWithOptions(typed, 0, informers.WithNamespace(namespace))
	told := make(chan string, 64)
	_, err = factory.Core().V1().ConfigMaps().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		DeleteFunc: func(obj any) {
			if gone, ok := obj.(*corev1.ConfigMap); ok {
				told <- gone.Name
			}
		},
	})
	check(err)
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	check(maps.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "page=yes"}))
	for range 5 {
		select {
		case <-told:
		case <-time.After(20 * time.Second):
			check(errors.New("the informer was not told of a deletion"))
		}
	}
	say("informer: told of 5 deletions")
}

func main() {
	ctrl.SetLogger(zap.New(zap.WriteTo(os.Stderr)))
	namespace := os.Getenv("NAMESPACE")
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	check(err)
	binary := rest.CopyConfig(config)
	binary.ContentType, binary.AcceptContentTypes = "application/vnd.kubernetes.protobuf", "application/vnd.kubernetes.protobuf,application/json"
	typed, err := kubernetes.NewForConfig(binary)
	check(err)
	ctx := ctrl.SetupSignalHandler()
	usePlainClient(ctx, typed, namespace)

	made, err := manager.New(config, manager.Options{
		LeaderElection: true, LeaderElectionID: "widget-operator", LeaderElectionNamespace: namespace,
		LeaderElectionReleaseOnCancel: true, Metrics: server.Options{BindAddress: "0"},
	})
	check(err)
	check(made.Add(manager.RunnableFunc(func(context.Context) error {
		say("elected")
		return nil
	})))
	check(ctrl.NewControllerManagedBy(made).Named("widgets").For(newWidget()).Owns(&appsv1.Deployment{}).Owns(&corev1.ConfigMap{}).
		Complete(&reconciler{made.GetClient(), typed}))
	check(made.Start(ctx))
	say("ended")
}

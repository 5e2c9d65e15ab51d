package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	acappsv1 "k8s.io/client-go/applyconfigurations/apps/v1"
	accorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	acmetav1 "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/scale"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/pager"
	"k8s.io/client-go/util/retry"
)

// What needs the API alone.
var objectChecks = []check{
	{"discovery and REST mapping", discoveryAndMapping},
	{"typed objects in protobuf and in JSON are the same", sameInBothEncodings},
	{"conflicts are retried", conflictsAreRetried},
	{"typed apply owns, conflicts and gives up fields", typedApply},
	{"the pager reads everything in pages", pagerReadsAll},
	{"a watch tells of every change in its order", watchTellsAll},
	{"shared informers follow a thousand changes", informersFollow},
	{"an informer by a streaming list", streamingList},
	{"metadata alone", metadataAlone},
	{"dynamic client and scale client", dynamicAndScale},
	{"one leader at a time", oneLeader},
}

var configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
var deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}

func configMap(name string, data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"made": "here"}}, Data: data}
}

func discoveryAndMapping(ctx context.Context, c *cluster) {
	version, err := c.typed.Discovery().ServerVersion()
	must(err)
	expect(version.Major+"."+version.Minor, "1.36")
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(c.typed.Discovery()))
	for kind, resource := range map[string]string{"Deployment.apps": "deployments", "NetworkPolicy.networking.k8s.io": "networkpolicies", "Lease.coordination.k8s.io": "leases"} {
		mapping, err := mapper.RESTMapping(schema.ParseGroupKind(kind))
		must(err)
		expect(mapping.Resource.Resource, resource)
		expect(mapping.Scope.Name(), meta.RESTScopeNameNamespace)
	}
	preferred, err := discovery.ServerPreferredResources(c.typed.Discovery())
	must(err)
	expect(len(preferred) > 15, true)
	_, err = c.typed.Discovery().OpenAPISchema()
	must(err)
}

func sameInBothEncodings(ctx context.Context, c *cluster) {
	made, err := c.typed.CoreV1().ConfigMaps(c.namespace).Create(ctx, configMap("encodings", map[string]string{"a": "ü"}), metav1.CreateOptions{})
	must(err)
	read, err := c.json.CoreV1().ConfigMaps(c.namespace).Get(ctx, "encodings", metav1.GetOptions{})
	must(err)
	expect(fmt.Sprint(made.Data, made.UID, made.ResourceVersion, made.ManagedFields), fmt.Sprint(read.Data, read.UID, read.ResourceVersion, read.ManagedFields))
	roles, err := c.typed.RbacV1().ClusterRoles().List(ctx, metav1.ListOptions{})
	must(err)
	sameRoles, err := c.json.RbacV1().ClusterRoles().List(ctx, metav1.ListOptions{})
	must(err)
	expect(fmt.Sprint(roles.Items), fmt.Sprint(sameRoles.Items))
	_, err = c.typed.CoreV1().ConfigMaps(c.namespace).Create(ctx, configMap("encodings", nil), metav1.CreateOptions{})
	expect(errors.IsAlreadyExists(err), true)
	_, err = c.typed.CoreV1().ConfigMaps(c.namespace).Get(ctx, "missing", metav1.GetOptions{})
	expect(errors.IsNotFound(err), true)
	_, err = c.typed.CoreV1().ConfigMaps(c.namespace).Create(ctx, configMap("Wrong Name", nil), metav1.CreateOptions{})
	expect(errors.IsInvalid(err), true)
}

func conflictsAreRetried(ctx context.Context, c *cluster) {
	client := c.typed.CoreV1().ConfigMaps(c.namespace)
	_, err := client.Create(ctx, configMap("counter", map[string]string{}), metav1.CreateOptions{})
	must(err)
	var writers sync.WaitGroup
	for writer := range 10 {
		writers.Add(1)
		go func() {
			defer writers.Done()
			backoff := retry.DefaultBackoff
			backoff.Steps = 100
			must(retry.RetryOnConflict(backoff, func() error {
				current, err := client.Get(ctx, "counter", metav1.GetOptions{})
				must(err)
				if current.Data == nil {
					current.Data = map[string]string{}
				}
				current.Data[fmt.Sprint(writer)] = "written"
				_, err = client.Update(ctx, current, metav1.UpdateOptions{})
				return err
			}))
		}()
	}
	writers.Wait()
	last, err := client.Get(ctx, "counter", metav1.GetOptions{})
	must(err)
	expect(len(last.Data), 10)
}

func deploymentOf(name string, image string, replicas int32) *acappsv1.DeploymentApplyConfiguration {
	labels := map[string]string{"app": name}
	container := accorev1.Container().WithName("main").WithImage(image).WithCommand("sh", "-c", "exec sleep 3600")
	template := accorev1.PodTemplateSpec().WithLabels(labels).WithSpec(accorev1.PodSpec().WithContainers(container).WithTerminationGracePeriodSeconds(0))
	spec := acappsv1.DeploymentSpec().WithReplicas(replicas).WithSelector(acmetav1.LabelSelector().WithMatchLabels(labels)).WithTemplate(template)
	return acappsv1.Deployment(name, "").WithSpec(spec)
}

func typedApply(ctx context.Context, c *cluster) {
	client := c.typed.AppsV1().Deployments(c.namespace)
	first := deploymentOf("applied", c.image, 0)
	first.Namespace = &c.namespace
	_, err := client.Apply(ctx, first, metav1.ApplyOptions{FieldManager: "first"})
	must(err)
	second := acappsv1.Deployment("applied", c.namespace).WithSpec(acappsv1.DeploymentSpec().WithReplicas(1).WithMinReadySeconds(7))
	_, err = client.Apply(ctx, second, metav1.ApplyOptions{FieldManager: "second"})
	expect(errors.IsConflict(err), true)
	second.Spec.Replicas = nil
	applied, err := client.Apply(ctx, second, metav1.ApplyOptions{FieldManager: "second"})
	must(err)
	expect(applied.Spec.MinReadySeconds, 7)
	mine, err := acappsv1.ExtractDeployment(applied, "second")
	must(err)
	expect(*mine.Spec.MinReadySeconds, 7)
	second.Spec.MinReadySeconds = nil
	applied, err = client.Apply(ctx, second, metav1.ApplyOptions{FieldManager: "second"})
	must(err)
	expect(applied.Spec.MinReadySeconds, 0)
	must(client.Delete(ctx, "applied", metav1.DeleteOptions{}))
}

func pagerReadsAll(ctx context.Context, c *cluster) {
	for number := range 25 {
		_, err := c.typed.CoreV1().Secrets(c.namespace).Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("page-%02d", number)}}, metav1.CreateOptions{})
		must(err)
	}
	reader := pager.New(pager.SimplePageFunc(func(options metav1.ListOptions) (runtime.Object, error) {
		return c.typed.CoreV1().Secrets(c.namespace).List(ctx, options)
	}))
	reader.PageSize = 10
	seen := 0
	must(reader.EachListItem(ctx, metav1.ListOptions{}, func(runtime.Object) error { seen++; return nil }))
	expect(seen, 25)
}

func watchTellsAll(ctx context.Context, c *cluster) {
	client := c.typed.CoreV1().ConfigMaps(c.namespace)
	list, err := client.List(ctx, metav1.ListOptions{})
	must(err)
	events, err := client.Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion, FieldSelector: "metadata.name=watched", AllowWatchBookmarks: true})
	must(err)
	defer events.Stop()
	made, err := client.Create(ctx, configMap("watched", map[string]string{"n": "0"}), metav1.CreateOptions{})
	must(err)
	for number := 1; number < 50; number++ {
		made.Data["n"] = fmt.Sprint(number)
		made, err = client.Update(ctx, made, metav1.UpdateOptions{})
		must(err)
	}
	must(client.Delete(ctx, "watched", metav1.DeleteOptions{}))
	next := 0
	for event := range events.ResultChan() {
		if event.Type == watch.Bookmark {
			continue
		}
		object, ok := event.Object.(*corev1.ConfigMap)
		expect(ok, true)
		if event.Type == watch.Deleted {
			expect(next, 50)
			return
		}
		expect(object.Data["n"], fmt.Sprint(next))
		next++
	}
	panic("the watch ended early")
}

func informersFollow(ctx context.Context, c *cluster) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	factory := informers.NewSharedInformerFactoryWithOptions(c.typed, 0, informers.WithNamespace(c.namespace))
	informer := factory.Core().V1().Endpoints().Informer()
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	var writers sync.WaitGroup
	client := c.typed.CoreV1().Endpoints(c.namespace)
	for writer := range 10 {
		writers.Add(1)
		go func() {
			defer writers.Done()
			for number := range 100 {
				name := fmt.Sprintf("followed-%d-%d", writer, number)
				_, err := client.Create(ctx, &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
				must(err)
				if number%2 == 0 {
					must(client.Delete(ctx, name, metav1.DeleteOptions{}))
				}
			}
		}()
	}
	writers.Wait()
	list, err := client.List(ctx, metav1.ListOptions{})
	must(err)
	expect(len(list.Items) >= 500, true)
	for {
		stored := informer.GetStore().List()
		same := len(stored) == len(list.Items)
		for _, item := range list.Items {
			object, exists, err := informer.GetStore().GetByKey(c.namespace + "/" + item.Name)
			must(err)
			same = same && exists && object.(*corev1.Endpoints).ResourceVersion == item.ResourceVersion
		}
		if same {
			return
		}
		must(ctx.Err())
		time.Sleep(20 * time.Millisecond)
	}
}

func streamingList(ctx context.Context, c *cluster) {
	sendInitial := true
	events, err := c.typed.CoreV1().Secrets(c.namespace).Watch(ctx, metav1.ListOptions{
		SendInitialEvents: &sendInitial, AllowWatchBookmarks: true, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
	})
	must(err)
	defer events.Stop()
	added := 0
	for event := range events.ResultChan() {
		if event.Type == watch.Bookmark {
			accessor, err := meta.Accessor(event.Object)
			must(err)
			expect(accessor.GetAnnotations()[metav1.InitialEventsAnnotationKey], "true")
			expect(added, 25)
			return
		}
		expect(event.Type, watch.Added)
		added++
	}
	panic("the watch ended early")
}

func metadataAlone(ctx context.Context, c *cluster) {
	list, err := c.metadata.Resource(configMaps).Namespace(c.namespace).List(ctx, metav1.ListOptions{LabelSelector: "made=here"})
	must(err)
	expect(len(list.Items) > 0, true)
	expect(list.Items[0].Labels["made"], "here")
	patched, err := c.metadata.Resource(configMaps).Namespace(c.namespace).Patch(ctx, "counter", types.MergePatchType, []byte(`{"metadata":{"labels":{"patched":"yes"}}}`), metav1.PatchOptions{})
	must(err)
	expect(patched.Labels["patched"], "yes")
}

func dynamicAndScale(ctx context.Context, c *cluster) {
	object := &unstructured.Unstructured{Object: map[string]interface{}{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]interface{}{"name": "dynamic"},
		"spec": map[string]interface{}{
			"replicas": int64(0), "selector": map[string]interface{}{"matchLabels": map[string]interface{}{"app": "dynamic"}},
			"template": map[string]interface{}{
				"metadata": map[string]interface{}{"labels": map[string]interface{}{"app": "dynamic"}},
				"spec":     map[string]interface{}{"containers": []interface{}{map[string]interface{}{"name": "main", "image": c.image}}},
			},
		},
	}}
	_, err := c.dynamic.Resource(deployments).Namespace(c.namespace).Create(ctx, object, metav1.CreateOptions{FieldValidation: "Strict"})
	must(err)
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(c.typed.Discovery()))
	scales, err := scale.NewForConfig(c.config, mapper, dynamicPath, scale.NewDiscoveryScaleKindResolver(c.typed.Discovery()))
	must(err)
	current, err := scales.Scales(c.namespace).Get(ctx, deployments.GroupResource(), "dynamic", metav1.GetOptions{})
	must(err)
	expect(current.Spec.Replicas, 0)
	expect(current.Status.Selector, "app=dynamic")
	must(c.dynamic.Resource(deployments).Namespace(c.namespace).Delete(ctx, "dynamic", metav1.DeleteOptions{}))
	object.SetName("strict")
	must(unstructured.SetNestedField(object.Object, "x", "spec", "unknown"))
	_, err = c.dynamic.Resource(deployments).Namespace(c.namespace).Create(ctx, object, metav1.CreateOptions{FieldValidation: "Strict"})
	expect(errors.IsBadRequest(err), true)
}

func dynamicPath(kind schema.GroupVersionKind) string {
	if kind.Group == "" {
		return "/api"
	}
	return "/apis"
}

func oneLeader(ctx context.Context, c *cluster) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	led := make(chan string, 2)
	candidate := func(ctx context.Context, name string) {
		lock, err := resourcelock.New(resourcelock.LeasesResourceLock, c.namespace, "leader", c.typed.CoreV1(), c.typed.CoordinationV1(), resourcelock.ResourceLockConfig{Identity: name})
		must(err)
		leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
			Lock: lock, LeaseDuration: 3 * time.Second, RenewDeadline: 2 * time.Second, RetryPeriod: 200 * time.Millisecond, ReleaseOnCancel: true,
			Callbacks: leaderelection.LeaderCallbacks{OnStartedLeading: func(context.Context) { led <- name }, OnStoppedLeading: func() {}},
		})
	}
	first, endFirst := context.WithCancel(ctx)
	go candidate(first, "one")
	expect(<-led, "one")
	go candidate(ctx, "two")
	select {
	case name := <-led:
		panic("two leaders: " + name)
	case <-time.After(time.Second):
	}
	endFirst()
	expect(<-led, "two")
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
	utilexec "k8s.io/client-go/util/exec"
)

// What needs a node that runs pods.
var podChecks = []check{
	{"a pod runs and its log is read", podRunsAndLogs},
	{"exec over SPDY", func(ctx context.Context, c *cluster) { execBy(ctx, c, spdyExecutor) }},
	{"exec over WebSocket", func(ctx context.Context, c *cluster) { execBy(ctx, c, webSocketExecutor) }},
	{"port-forward over SPDY", func(ctx context.Context, c *cluster) { forwardBy(ctx, c, spdyDialer) }},
	{"port-forward tunnelled in WebSocket", func(ctx context.Context, c *cluster) { forwardBy(ctx, c, webSocketDialer) }},
	{"eviction", evict},
}

func podRunsAndLogs(ctx context.Context, c *cluster) {
	zero := int64(0)
	command := "echo started; mkdir /w; echo hi > /w/index.html; exec busybox httpd -f -p 8080 -h /w"
	_, err := c.typed.CoreV1().Pods(c.namespace).Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "go"},
		Spec: corev1.PodSpec{
			TerminationGracePeriodSeconds: &zero,
			Containers:                    []corev1.Container{{Name: "main", Image: c.image, Command: []string{"sh", "-c", command}}},
		},
	}, metav1.CreateOptions{})
	must(err)
	events, err := c.typed.CoreV1().Pods(c.namespace).Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=go"})
	must(err)
	defer events.Stop()
	for event := range events.ResultChan() {
		if event.Object.(*corev1.Pod).Status.Phase == corev1.PodRunning {
			break
		}
	}
	log, err := c.typed.CoreV1().Pods(c.namespace).GetLogs("go", &corev1.PodLogOptions{}).DoRaw(ctx)
	must(err)
	expect(string(log), "started\n")
}

func subresource(c *cluster, name string) *rest.Request {
	return c.json.CoreV1().RESTClient().Post().Namespace(c.namespace).Resource("pods").Name("go").SubResource(name)
}

func spdyExecutor(c *cluster, request *rest.Request) (remotecommand.Executor, error) {
	return remotecommand.NewSPDYExecutor(c.config, "POST", request.URL())
}

func webSocketExecutor(c *cluster, request *rest.Request) (remotecommand.Executor, error) {
	return remotecommand.NewWebSocketExecutor(c.config, "GET", request.URL().String())
}

func execBy(ctx context.Context, c *cluster, executorOf func(*cluster, *rest.Request) (remotecommand.Executor, error)) {
	request := subresource(c, "exec").VersionedParams(&corev1.PodExecOptions{
		Command: []string{"sh", "-c", "cat; echo problem >&2; exit 7"}, Stdin: true, Stdout: true, Stderr: true,
	}, scheme.ParameterCodec)
	executor, err := executorOf(c, request)
	must(err)
	input := strings.Repeat("0123456789abcdef", 1<<14)
	var output, problems bytes.Buffer
	err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: strings.NewReader(input), Stdout: &output, Stderr: &problems})
	exit, ok := err.(utilexec.CodeExitError)
	expect(ok, true)
	expect(exit.Code, 7)
	expect(output.String() == input, true)
	expect(problems.String(), "problem\n")
}

func spdyDialer(c *cluster, request *rest.Request) (httpstream.Dialer, error) {
	transport, upgrader, err := spdy.RoundTripperFor(c.config)
	must(err)
	return spdy.NewDialer(upgrader, &http.Client{Transport: transport}, "POST", request.URL()), nil
}

func webSocketDialer(c *cluster, request *rest.Request) (httpstream.Dialer, error) {
	return portforward.NewSPDYOverWebsocketDialer(request.URL(), c.config)
}

func forwardBy(ctx context.Context, c *cluster, dialerOf func(*cluster, *rest.Request) (httpstream.Dialer, error)) {
	dialer, err := dialerOf(c, subresource(c, "portforward"))
	must(err)
	stop, ready := make(chan struct{}), make(chan struct{})
	forwarder, err := portforward.New(dialer, []string{"0:8080"}, stop, ready, io.Discard, os.Stderr)
	must(err)
	ended := make(chan error, 1)
	go func() { ended <- forwarder.ForwardPorts() }()
	select {
	case <-ready:
	case err := <-ended:
		panic(err)
	}
	ports, err := forwarder.GetPorts()
	must(err)
	for range 5 {
		answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/index.html", ports[0].Local))
		must(err)
		body, err := io.ReadAll(answer.Body)
		must(err)
		expect(string(body), "hi\n")
		must(answer.Body.Close())
	}
	close(stop)
	must(<-ended)
}

func evict(ctx context.Context, c *cluster) {
	must(c.typed.PolicyV1().Evictions(c.namespace).Evict(ctx, &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: "go", Namespace: c.namespace}}))
}

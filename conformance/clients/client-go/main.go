// The official Go client used as controllers use it: protobuf on the wire, informers, leader election, apply, exec over
// SPDY and WebSocket, port-forward. A line of JSON per check tells how it went.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// A cluster as the checks see it. Typed clients speak protobuf, as the components of Kubernetes do.
type cluster struct {
	config    *rest.Config
	typed     kubernetes.Interface
	json      kubernetes.Interface
	dynamic   dynamic.Interface
	metadata  metadata.Interface
	namespace string
	image     string
}

type check struct {
	name string
	run  func(context.Context, *cluster)
}

type outcome struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
}

func main() {
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	must(err)
	config.QPS, config.Burst = 500, 1000
	protobuf := rest.CopyConfig(config)
	protobuf.ContentType = "application/vnd.kubernetes.protobuf"
	protobuf.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	c := &cluster{config: config, namespace: os.Args[2], image: os.Args[3]}
	c.typed = kubernetes.NewForConfigOrDie(protobuf)
	c.json = kubernetes.NewForConfigOrDie(config)
	c.dynamic = dynamic.NewForConfigOrDie(config)
	c.metadata = metadata.NewForConfigOrDie(config)
	for _, one := range append(objectChecks, podChecks...) {
		line, err := json.Marshal(one.outcome(c))
		must(err)
		fmt.Println(string(line))
	}
}

func (one check) outcome(c *cluster) (result outcome) {
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	defer func() {
		if problem := recover(); problem != nil {
			result = outcome{Name: one.name, Error: fmt.Sprintf("%v\n%s", problem, debug.Stack())}
		}
	}()
	one.run(ctx, c)
	return outcome{Name: one.name, OK: true}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func expect[T comparable](found, wanted T) {
	if found != wanted {
		panic(fmt.Sprintf("found %v, wanted %v", found, wanted))
	}
}

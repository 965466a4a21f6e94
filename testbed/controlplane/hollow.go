package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
)

// hollowKubelet plays the kubelet of every node that carries the label, for tests that need thousands of
// objects and no process behind them: nodes become Ready, bound pods run and become Ready after a delay, and
// deleted pods go away. Its pods have no probes, no logs and no network.
type hollowKubelet struct {
	client     kubernetes.Interface
	nodes      cache.SharedIndexInformer
	pods       cache.SharedIndexInformer
	queue      workqueue.TypedRateLimitingInterface[string]
	readyDelay time.Duration
}

const (
	hollowLabel   = "testbed.cynosure.dev/hollow"
	hollowWorkers = 8
	nodePrefix    = "node|"
	podPrefix     = "pod|"
)

func newHollowCommand() *cobra.Command {
	var kubeconfig string
	var readyDelay time.Duration
	command := &cobra.Command{
		Use:   "hollow-kubelet",
		Short: "Set node and pod status as kubelets would, with nothing behind it",
		RunE: func(_ *cobra.Command, _ []string) error {
			return runHollowKubelet(context.Background(), kubeconfig, readyDelay)
		},
	}
	command.Flags().StringVar(&kubeconfig, "kubeconfig", "", "credentials")
	command.Flags().DurationVar(&readyDelay, "ready-delay", 0, "from a pod's binding to its being Ready")
	return command
}

func runHollowKubelet(ctx context.Context, kubeconfig string, readyDelay time.Duration) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS, config.Burst = 500, 1000
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	h := &hollowKubelet{
		client: client, nodes: factory.Core().V1().Nodes().Informer(), pods: factory.Core().V1().Pods().Informer(),
		queue:      workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]()),
		readyDelay: readyDelay,
	}
	if err := h.watch(); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	for range hollowWorkers {
		go h.work(ctx)
	}
	<-ctx.Done()
	return ctx.Err()
}

func (h *hollowKubelet) watch() error {
	for informer, prefix := range map[cache.SharedIndexInformer]string{h.nodes: nodePrefix, h.pods: podPrefix} {
		enqueue := func(object any) {
			if key, err := cache.MetaNamespaceKeyFunc(object); err == nil {
				h.queue.Add(prefix + key)
			}
		}
		_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc: enqueue, UpdateFunc: func(_, object any) { enqueue(object) },
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (h *hollowKubelet) work(ctx context.Context) {
	for {
		key, stopped := h.queue.Get()
		if stopped {
			return
		}
		if err := h.reconcile(ctx, key); err != nil && !apierrors.IsNotFound(err) {
			klog.V(2).InfoS("Will try again", "key", key, "err", err)
			h.queue.AddRateLimited(key)
		} else {
			h.queue.Forget(key)
		}
		h.queue.Done(key)
	}
}

func (h *hollowKubelet) reconcile(ctx context.Context, key string) error {
	if name, isNode := strings.CutPrefix(key, nodePrefix); isNode {
		object, exists, err := h.nodes.GetStore().GetByKey(name)
		if err != nil || !exists {
			return err
		}
		return h.reconcileNode(ctx, object.(*corev1.Node))
	}
	name, _ := strings.CutPrefix(key, podPrefix)
	object, exists, err := h.pods.GetStore().GetByKey(name)
	if err != nil || !exists {
		return err
	}
	return h.reconcilePod(ctx, key, object.(*corev1.Pod))
}

// reconcileNode marks a node Ready once: a test that then breaks the node's status is not undone.
func (h *hollowKubelet) reconcileNode(ctx context.Context, node *corev1.Node) error {
	if node.Labels[hollowLabel] != "true" || nodeHasReady(node) {
		return nil
	}
	now := metav1.Now().UTC().Format(time.RFC3339)
	patch := fmt.Sprintf(`{"status":{"conditions":[{"type":"Ready","status":"True","reason":"Hollow",`+
		`"message":"simulated","lastHeartbeatTime":%[1]q,"lastTransitionTime":%[1]q}]}}`, now)
	_, err := h.client.CoreV1().Nodes().Patch(
		ctx, node.Name, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{}, "status")
	return err
}

func nodeHasReady(node *corev1.Node) bool {
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady && condition.Status != corev1.ConditionUnknown {
			return true
		}
	}
	return false
}

func (h *hollowKubelet) reconcilePod(ctx context.Context, key string, pod *corev1.Pod) error {
	if pod.Spec.NodeName == "" || !h.isHollow(pod.Spec.NodeName) {
		return nil
	}
	if pod.DeletionTimestamp != nil {
		now := int64(0)
		return h.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
			GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &pod.UID},
		})
	}
	if pod.Status.Phase != corev1.PodPending {
		return nil
	}
	if wait := h.readyDelay - time.Since(boundAt(pod)); wait > 0 {
		h.queue.AddAfter(key, wait)
		return nil
	}
	return h.run(ctx, pod)
}

func (h *hollowKubelet) isHollow(name string) bool {
	object, exists, err := h.nodes.GetStore().GetByKey(name)
	return err == nil && exists && object.(*corev1.Node).Labels[hollowLabel] == "true"
}

func boundAt(pod *corev1.Pod) time.Time {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionTrue {
			return condition.LastTransitionTime.Time
		}
	}
	return pod.CreationTimestamp.Time
}

func (h *hollowKubelet) run(ctx context.Context, pod *corev1.Pod) error {
	now := metav1.Now()
	running := pod.DeepCopy()
	running.Status.Phase = corev1.PodRunning
	running.Status.StartTime = &now
	running.Status.HostIP = "127.0.0.1"
	for _, kind := range []corev1.PodConditionType{corev1.PodInitialized, corev1.ContainersReady, corev1.PodReady} {
		running.Status.Conditions = append(running.Status.Conditions,
			corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: now})
	}
	for _, container := range pod.Spec.Containers {
		started := true
		running.Status.ContainerStatuses = append(running.Status.ContainerStatuses, corev1.ContainerStatus{
			Name: container.Name, Image: container.Image, Ready: true, Started: &started,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
		})
	}
	_, err := h.client.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, running, metav1.UpdateOptions{})
	return err
}

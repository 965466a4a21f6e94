package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	resourceapi "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/dynamic-resource-allocation/kubeletplugin"
	"k8s.io/dynamic-resource-allocation/resourceslice"
	"k8s.io/klog/v2"
)

const pollInterval = time.Second

// simulatedDriver is a DRA kubelet plugin without hardware: it publishes the ResourceSlices of a file, and
// prepares every claim as soon, and as badly, as another file tells it to. Both files may change as it runs.
type simulatedDriver struct {
	name       string
	node       string
	kubeconfig string
	slicesFile string
	faultsFile string
}

// faults is how a test makes the node misbehave; an absent file means none.
type faults struct {
	PrepareDelaySeconds float64 `json:"prepareDelaySeconds"`
	PrepareError        string  `json:"prepareError"`
}

func newDriverCommand() *cobra.Command {
	driver := &simulatedDriver{}
	command := &cobra.Command{
		Use:   "dra-driver",
		Short: "Publish simulated devices and prepare their claims",
		RunE:  func(c *cobra.Command, _ []string) error { return driver.run(c.Context()) },
	}
	flags := command.Flags()
	flags.StringVar(&driver.name, "driver-name", "", "name of the DRA driver")
	flags.StringVar(&driver.node, "node", "", "node that this plugin serves")
	flags.StringVar(&driver.kubeconfig, "kubeconfig", "", "credentials of the node")
	flags.StringVar(&driver.slicesFile, "slices", "", "JSON list of the ResourceSlices to publish")
	flags.StringVar(&driver.faultsFile, "faults", "", "JSON object of the faults to simulate")
	return command
}

func (d *simulatedDriver) run(ctx context.Context) error {
	if ctx == nil {
		ctx = context.Background()
	}
	helper, err := d.start(ctx)
	if err != nil {
		return err
	}
	defer helper.Stop()
	var published time.Time
	for ; ; time.Sleep(pollInterval) {
		changed, err := os.Stat(d.slicesFile)
		if err != nil || !changed.ModTime().After(published) {
			continue
		}
		resources, err := readResources(d.slicesFile)
		if err != nil {
			klog.ErrorS(err, "Keeping the slices published before")
			continue
		}
		published = changed.ModTime()
		if err := helper.PublishResources(ctx, resources); err != nil {
			return err
		}
	}
}

func (d *simulatedDriver) start(ctx context.Context) (*kubeletplugin.Helper, error) {
	config, err := clientcmd.BuildConfigFromFlags("", d.kubeconfig)
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(kubeletplugin.KubeletPluginsDir, d.name), 0o750); err != nil {
		return nil, err
	}
	return kubeletplugin.Start(ctx, d,
		kubeletplugin.DriverName(d.name), kubeletplugin.NodeName(d.node), kubeletplugin.KubeClient(client))
}

func readResources(path string) (resourceslice.DriverResources, error) {
	var slices []resourceapi.ResourceSlice
	if err := readJSON(path, &slices); err != nil {
		return resourceslice.DriverResources{}, err
	}
	pools := map[string]resourceslice.Pool{}
	for _, slice := range slices {
		pool := pools[slice.Spec.Pool.Name]
		pool.Slices = append(pool.Slices,
			resourceslice.Slice{SharedCounters: slice.Spec.SharedCounters, Devices: slice.Spec.Devices})
		pools[slice.Spec.Pool.Name] = pool
	}
	return resourceslice.DriverResources{Pools: pools}, nil
}

func readJSON(path string, into any) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(content, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// PrepareResourceClaims answers for each claim which devices its containers get. Nothing is injected into them.
func (d *simulatedDriver) PrepareResourceClaims(
	ctx context.Context, claims []*resourceapi.ResourceClaim,
) (map[types.UID]kubeletplugin.PrepareResult, error) {
	var now faults
	if err := readJSON(d.faultsFile, &now); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	select {
	case <-time.After(time.Duration(now.PrepareDelaySeconds * float64(time.Second))):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if now.PrepareError != "" {
		return nil, errors.New(now.PrepareError)
	}
	results := map[types.UID]kubeletplugin.PrepareResult{}
	for _, claim := range claims {
		results[claim.UID] = kubeletplugin.PrepareResult{Devices: d.devicesOf(claim)}
	}
	return results, nil
}

func (d *simulatedDriver) devicesOf(claim *resourceapi.ResourceClaim) []kubeletplugin.Device {
	var devices []kubeletplugin.Device
	for _, result := range claim.Status.Allocation.Devices.Results {
		if result.Driver != d.name {
			continue
		}
		devices = append(devices, kubeletplugin.Device{
			Requests: []string{result.Request}, PoolName: result.Pool, DeviceName: result.Device,
		})
	}
	return devices
}

// UnprepareResourceClaims has nothing to undo.
func (d *simulatedDriver) UnprepareResourceClaims(
	_ context.Context, claims []kubeletplugin.NamespacedObject,
) (map[types.UID]error, error) {
	results := map[types.UID]error{}
	for _, claim := range claims {
		results[claim.UID] = nil
	}
	return results, nil
}

// HandleError logs what goes wrong in the background; the publisher retries by itself.
func (d *simulatedDriver) HandleError(ctx context.Context, err error, message string) {
	runtime.HandleErrorWithContext(ctx, err, message)
}

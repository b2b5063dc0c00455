package deploy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// chart is the chart of the release, unpacked.
func chart(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	command(t, dir, "tar", "xzf", filepath.Join(released(t), "headgate-chart-"+strings.TrimPrefix(tag, "v")+".tgz"))
	return filepath.Join(dir, "headgate")
}

// render renders the chart with the values of a file in ci, into one file for each object, by its kind and name.
func render(t *testing.T, values string, more ...string) map[string]string {
	t.Helper()
	dir := chart(t)
	args := append([]string{"tool", "helm", "template", "gate", dir, "--namespace", "crm", "--values", filepath.Join(dir, "ci", values)}, more...)
	all := map[string]string{}
	for _, text := range strings.Split("\n"+command(t, ".", "go", args...), "\n---\n") {
		var about struct {
			Kind     string
			Metadata struct{ Name string }
		}
		if err := yaml.Unmarshal([]byte(text), &about); err != nil {
			t.Fatal(err)
		}
		if about.Kind != "" {
			all[about.Kind+" "+about.Metadata.Name] = text
		}
	}
	return all
}

// object is a rendered object, in which nothing stands that the type does not know.
func object[T any](t *testing.T, all map[string]string, name string) *T {
	t.Helper()
	into := new(T)
	if err := yaml.UnmarshalStrict([]byte(all[name]), into); err != nil || all[name] == "" {
		t.Fatalf("%s: %v\n%s", name, err, all[name])
	}
	return into
}

var valuesFiles = map[string]int{"least-values.yaml": 7, "most-values.yaml": 10}

// needsHelm leaves a test out of the short run: helm and what validates its output take minutes to build where nobody has built them before.
func needsHelm(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("helm is for the whole run: .ci/package")
	}
}

// TestChartIsValid: by helm's own rules and by the schemas of Kubernetes, with the least values and the most.
func TestChartIsValid(t *testing.T) {
	needsHelm(t)
	for values, want := range valuesFiles {
		dir := chart(t)
		command(t, ".", "go", "tool", "helm", "lint", "--strict", dir, "--values", filepath.Join(dir, "ci", values))
		all := render(t, values)
		if len(all) != want {
			t.Errorf("%s: %d objects, want %d", values, len(all), want)
		}
		out := t.TempDir()
		for name, text := range all {
			if strings.HasPrefix(name, "ServiceMonitor ") {
				object[monitoringv1.ServiceMonitor](t, all, name)
				continue
			}
			write(t, filepath.Join(out, strings.ReplaceAll(name, " ", "-")+".yaml"), text)
		}
		// The oldest that Chart.yaml allows, and the newest that the tool knows.
		for _, version := range []string{"1.27", "1.30"} {
			if said, err := try("validate", "go", "tool", "kubectl-validate", "--version", version, out); err != nil {
				t.Errorf("%s: %v", values, err)
			} else if n := strings.Count(said, "OK"); n < want-1 {
				t.Errorf("%s: only %d objects were looked at:\n%s", values, n, said)
			}
		}
	}
}

// TestChartRefuses: what is missing or cannot be is told by name, before anything reaches the cluster.
func TestChartRefuses(t *testing.T) {
	needsHelm(t)
	dir := chart(t)
	if _, err := try(".", "go", "tool", "helm", "template", "gate", dir); err == nil || !strings.Contains(err.Error(), "/image/repository") ||
		!strings.Contains(err.Error(), "/secrets/name") || !strings.Contains(err.Error(), "sources") {
		t.Errorf("without values: %v", err)
	}
	for set, want := range map[string]string{
		"config.listen.webhook=:80":      "/config/listen",
		"config.listen.pprof=:6060":      "/config/listen/pprof",
		"replicas=2":                     "replicas",
		"ingress.enabled=true":           "ingress.host is missing",
		"config.tls.listeners={webhook}": "/config/tls/listeners",
	} {
		_, err := try(".", "go", "tool", "helm", "template", "gate", dir, "--values", filepath.Join(dir, "ci/least-values.yaml"), "--set", set)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", set, err)
		}
	}
}

// TestChartConfiguration: the gateway of the release takes the configuration that the chart makes, with the files where the pod mounts them.
func TestChartConfiguration(t *testing.T) {
	needsHelm(t)
	headgated := filepath.Join(unpacked(t), "headgated")
	for values := range valuesFiles {
		all := render(t, values)
		pod := object[appsv1.StatefulSet](t, all, "StatefulSet gate-headgate").Spec.Template.Spec
		config := object[corev1.ConfigMap](t, all, "ConfigMap gate-headgate").Data["headgate.yaml"]
		root := t.TempDir()
		mounted := map[string]string{}
		for _, m := range pod.Containers[0].VolumeMounts {
			mounted[m.Name] = m.MountPath
		}
		secretFiles(t, filepath.Join(root, mounted["secrets"]), filepath.Join(root, mounted["tls"]))
		// Everything that is absolute lies below root, and ports are any that are free.
		moved := strings.NewReplacer("/etc/headgate/", root+"/etc/headgate/", "/var/lib/", root+"/var/lib/", " :8080", " 127.0.0.1:0", " :8081", " 127.0.0.1:0",
			" :9090", " 127.0.0.1:0", " :9100", " 127.0.0.1:0", ":6060", ":0").Replace(config)
		at := filepath.Join(root, mounted["config"], "headgate.yaml")
		write(t, at, moved)
		if want := "--config=" + strings.TrimPrefix(at, root); pod.Containers[0].Args[0] != want {
			t.Errorf("the pod says %s, its configuration is %s", pod.Containers[0].Args[0], want)
		}
		said, err := try(root, headgated, "check", "--config", at)
		if checked(t, said, err); !strings.Contains(said, root+mounted["data"]) {
			t.Errorf("%s: %s", values, said)
		}
		addresses := []string{"webhook: :8080", "api: :8081", "grpc: :9090", "admin: :9100"}
		if values == "most-values.yaml" {
			addresses = append(addresses, "pprof: 127.0.0.1:6060")
		}
		for _, address := range addresses {
			if !strings.Contains(config, address) {
				t.Errorf("%s: it does not listen at %s", values, address)
			}
		}
	}
}

// TestChartPod: the pod may do little, is probed where the gateway answers, and gets the time that it needs to end.
func TestChartPod(t *testing.T) {
	needsHelm(t)
	for values, scheme := range map[string]corev1.URIScheme{"least-values.yaml": "HTTP", "most-values.yaml": "HTTPS"} {
		all := render(t, values)
		set := object[appsv1.StatefulSet](t, all, "StatefulSet gate-headgate").Spec
		pod, c := set.Template.Spec, set.Template.Spec.Containers[0]
		if s := c.SecurityContext; *set.Replicas != 1 || !*pod.SecurityContext.RunAsNonRoot || *pod.SecurityContext.RunAsUser != 65532 || !*s.ReadOnlyRootFilesystem ||
			*s.AllowPrivilegeEscalation || s.Capabilities.Drop[0] != "ALL" || *pod.AutomountServiceAccountToken || pod.SecurityContext.SeccompProfile.Type != "RuntimeDefault" {
			t.Errorf("%s: %+v %+v", values, pod.SecurityContext, s)
		}
		for path, probe := range map[string][]*corev1.Probe{"/healthz": {c.LivenessProbe, c.StartupProbe}, "/readyz": {c.ReadinessProbe}} {
			for _, p := range probe {
				if p.HTTPGet.Path != path || p.HTTPGet.Port.StrVal != "admin" || p.HTTPGet.Scheme != scheme {
					t.Errorf("%s: a probe of %v", values, p.HTTPGet)
				}
			}
		}
		services := map[string]bool{}
		for _, p := range c.Ports {
			s := object[corev1.Service](t, all, "Service gate-headgate-"+p.Name).Spec
			if s.Ports[0].TargetPort.StrVal != p.Name || s.PublishNotReadyAddresses != (p.Name != "webhook") || s.Selector["app.kubernetes.io/instance"] != "gate" {
				t.Errorf("%s: service %s is %+v", values, p.Name, s)
			}
			services[fmt.Sprint(p.ContainerPort)] = true
		}
		if len(services) != 4 {
			t.Errorf("%s: services for %v", values, services)
		}
	}
	if image := object[appsv1.StatefulSet](t, render(t, "least-values.yaml"), "StatefulSet gate-headgate").Spec.Template.Spec.Containers[0].Image; image != "registry.example.com/headgate:"+tag {
		t.Errorf("it runs %s", image)
	}
}

// secretFiles writes a secret and a certificate, with its authority and its key, as a deployment's own.
func secretFiles(t *testing.T, secrets, tls string) {
	t.Helper()
	write(t, filepath.Join(secrets, "acme-a"), "a secret that is long enough")
	if err := os.MkdirAll(tls, 0o755); err != nil {
		t.Fatal(err)
	}
	command(t, tls, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "90", "-subj", "/CN=gate",
		"-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", "tls.key", "-out", "tls.crt")
	write(t, filepath.Join(tls, "ca.crt"), read(t, filepath.Join(tls, "tls.crt")))
}

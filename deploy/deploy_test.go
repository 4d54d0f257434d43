// Package deploy_test guards the files that operators run: a hardening setting that
// gets lost in an edit is noticed by nobody until it is needed. It reads the files
// as text and imports no room of Usher.
package deploy_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

type composeFile struct {
	Services map[string]composeService `yaml:"services"`
	Networks map[string]struct {
		Internal bool `yaml:"internal"`
	} `yaml:"networks"`
	Secrets map[string]struct {
		File string `yaml:"file"`
	} `yaml:"secrets"`
}

type composeService struct {
	Image       string            `yaml:"image"`
	Command     []string          `yaml:"command"`
	Environment map[string]string `yaml:"environment"`
	Secrets     []string          `yaml:"secrets"`
	Ports       []string          `yaml:"ports"`
	Networks    []string          `yaml:"networks"`
	User        string            `yaml:"user"`
	ReadOnly    bool              `yaml:"read_only"`
	Privileged  bool              `yaml:"privileged"`
	CapAdd      []string          `yaml:"cap_add"`
	CapDrop     []string          `yaml:"cap_drop"`
	SecurityOpt []string          `yaml:"security_opt"`
	Healthcheck struct {
		Test []string `yaml:"test"`
	} `yaml:"healthcheck"`
}

func compose(t *testing.T) composeFile {
	t.Helper()
	var file composeFile
	if err := yaml.Unmarshal([]byte(read(t, "compose.yaml")), &file); err != nil {
		t.Fatalf("compose.yaml: %v", err)
	}
	for _, name := range []string{"usher", "postgres"} {
		if _, ok := file.Services[name]; !ok {
			t.Fatalf("compose.yaml has no service %s", name)
		}
	}
	return file
}

func TestComposeHardensEveryService(t *testing.T) {
	for name, service := range compose(t).Services {
		for promise, kept := range map[string]bool{
			"a read-only root":                        service.ReadOnly,
			"no capabilities":                         slices.Equal(service.CapDrop, []string{"ALL"}) && len(service.CapAdd) == 0 && !service.Privileged,
			"no new privileges":                       slices.Contains(service.SecurityOpt, "no-new-privileges:true"),
			"a user other than root":                  service.User != "" && !strings.HasPrefix(service.User, "0") && !strings.HasPrefix(service.User, "root"),
			"a health check":                          len(service.Healthcheck.Test) > 1,
			"a pinned major version or our own image": strings.HasPrefix(service.Image, "usher:") || regexp.MustCompile(`:\d+`).MatchString(service.Image),
		} {
			if !kept {
				t.Errorf("service %s has lost %s", name, promise)
			}
		}
	}
}

func TestComposeKeepsSecretsInFiles(t *testing.T) {
	file := compose(t)
	secretName := regexp.MustCompile(`PASSWORD|SECRET|DATABASE_URL|API_KEY|TOKEN`)
	for name, service := range file.Services {
		for variable, value := range service.Environment {
			if !secretName.MatchString(variable) {
				continue
			}
			secret, isFile := strings.CutPrefix(value, "/run/secrets/")
			if !strings.HasSuffix(variable, "_FILE") || !isFile {
				t.Errorf("service %s: %s carries a secret in the environment", name, variable)
			} else if !slices.Contains(service.Secrets, secret) || file.Secrets[secret].File == "" {
				t.Errorf("service %s: %s names the secret %s, which it is not given", name, variable, secret)
			}
		}
	}
	for _, variable := range []string{"USHER_DATABASE_URL_FILE", "USHER_SECRET_KEY_FILE"} {
		if file.Services["usher"].Environment[variable] == "" {
			t.Errorf("service usher is not given %s", variable)
		}
	}
}

func TestComposeExposesOnlyUsher(t *testing.T) {
	file := compose(t)
	postgres := file.Services["postgres"]
	if len(postgres.Ports) != 0 {
		t.Errorf("the database is published at %v", postgres.Ports)
	}
	for _, network := range postgres.Networks {
		if !file.Networks[network].Internal {
			t.Errorf("the database is on network %s, which leads outside", network)
		}
	}
	for _, port := range file.Services["usher"].Ports {
		if !strings.HasPrefix(port, "127.0.0.1:") {
			t.Errorf("Usher is published without TLS at %s", port)
		}
	}
	if got := file.Services["usher"].Command; !slices.Equal(got, []string{"serve", "--migrate"}) {
		t.Errorf("command = %q", got)
	}
}

// instructions returns the lines of the image's last stage, continued lines joined.
func instructions(t *testing.T) []string {
	t.Helper()
	text := strings.ReplaceAll(read(t, "Containerfile"), "\\\n", " ")
	var stage []string
	for line := range strings.Lines(text) {
		line = strings.Join(strings.Fields(line), " ")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if strings.HasPrefix(line, "FROM ") {
			stage = nil
		}
		stage = append(stage, line)
	}
	return stage
}

func TestImageIsOneStaticProgramWithoutRoot(t *testing.T) {
	stage := instructions(t)
	for _, want := range []string{
		"FROM scratch",
		"USER 65532:65532",
		"EXPOSE 8080",
		`ENTRYPOINT ["/usher"]`,
	} {
		if !slices.Contains(stage, want) {
			t.Errorf("the final stage has no %q", want)
		}
	}
	for _, part := range []string{"ca-certificates.crt", `CMD ["/usher", "healthcheck"]`} {
		if !slices.ContainsFunc(stage, func(line string) bool { return strings.Contains(line, part) }) {
			t.Errorf("the final stage has no %s", part)
		}
	}
	if makefile := read(t, "../Makefile"); !strings.Contains(makefile, "CGO_ENABLED=0 go build") {
		t.Error("make build, which the image uses, does not build without cgo: an empty image cannot run the program")
	}
	for line := range strings.Lines(read(t, "Containerfile")) {
		if regexp.MustCompile(`^(ENV|ARG)\b.*(SECRET|PASSWORD|TOKEN|KEY|DATABASE_URL)`).MatchString(line) {
			t.Errorf("a secret would be kept in the image: %s", line)
		}
	}
}

func TestBuildContextHasNoSecrets(t *testing.T) {
	ignored := strings.Split(read(t, "Containerfile.dockerignore"), "\n")
	for _, want := range []string{".git", "deploy/secrets", "**/*.db"} {
		if !slices.Contains(ignored, want) {
			t.Errorf("%s reaches the build context", want)
		}
	}
}

func TestServiceIsConfined(t *testing.T) {
	settings := map[string][]string{}
	for line := range strings.Lines(read(t, "usher.service")) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok && !strings.HasPrefix(key, "#") {
			settings[key] = append(settings[key], value)
		}
	}
	for key, want := range map[string]string{
		"DynamicUser":             "yes",
		"NoNewPrivileges":         "yes",
		"CapabilityBoundingSet":   "",
		"ProtectSystem":           "strict",
		"ProtectHome":             "yes",
		"PrivateTmp":              "yes",
		"PrivateDevices":          "yes",
		"ProtectKernelModules":    "yes",
		"ProtectKernelTunables":   "yes",
		"ProtectControlGroups":    "yes",
		"RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
		"RestrictNamespaces":      "yes",
		"RestrictSUIDSGID":        "yes",
		"LockPersonality":         "yes",
		"MemoryDenyWriteExecute":  "yes",
		"SystemCallFilter":        "@system-service",
		"SystemCallErrorNumber":   "EPERM",
		"UMask":                   "0077",
		"StateDirectory":          "usher",
	} {
		if !slices.Contains(settings[key], want) {
			t.Errorf("%s = %q, want %q", key, settings[key], want)
		}
	}
}

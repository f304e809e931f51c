package deploy

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain makes this binary the command that it was called as.
func TestMain(m *testing.M) {
	s := stub{world: os.Getenv("WORLD"), name: filepath.Base(os.Args[0]), args: os.Args[1:]}
	commands := map[string]func() int{"aws": s.aws, "docker": s.engine, "podman": s.engine, "curl": s.curl, "terraform": s.terraform}
	command, ok := commands[s.name]
	if !ok {
		os.Exit(m.Run())
	}
	s.record()
	os.Exit(command())
}

// stub is a command in the world of a test, which is a folder: ecr/REPOSITORY/TAG holds a digest, running what ECS runs.
type stub struct {
	world, name string
	args        []string
}

func (s stub) record() {
	f, err := os.OpenFile(filepath.Join(s.world, "calls"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	fmt.Fprintln(f, s.name, strings.Join(s.args, " "))
}

// has says whether a test has put something into the world, and what.
func (s stub) has(name string) (string, bool) {
	data, err := os.ReadFile(filepath.Join(s.world, name))
	return strings.TrimSpace(string(data)), err == nil
}

func (s stub) fail(format string, args ...any) int {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	return 1
}

// option is the value of --name.
func (s stub) option(name string) string {
	if i := slices.Index(s.args, name); i >= 0 && i+1 < len(s.args) {
		return s.args[i+1]
	}
	return ""
}

func (s stub) aws() int {
	switch strings.Join(s.args[:2], " ") {
	case "sts get-caller-identity":
		account, ok := s.has("account")
		if !ok {
			account = account1
		}
		fmt.Println(account)
	case "ecr get-login-password":
		fmt.Println("a-password")
	case "ecr describe-images":
		return s.describeImages()
	case "ecs list-services":
		fmt.Println("arn:aws:ecs:eu-central-1:" + account1 + ":service/arena/sallyport")
	case "ecs wait":
		if _, ok := s.has("unstable"); ok {
			return s.fail("Waiter ServicesStable failed: Max attempts exceeded")
		}
	case "ecs describe-services":
		fmt.Println("arn:aws:ecs:eu-central-1:" + account1 + ":task-definition/sallyport:7")
	case "ecs describe-task-definition":
		images, ok := s.has("rolled-back-by-ecs")
		if !ok {
			images, _ = s.has("running")
		}
		fmt.Println(images)
	default:
		return s.fail("the stub of aws knows no %s", strings.Join(s.args[:2], " "))
	}
	return 0
}

func (s stub) describeImages() int {
	folder := filepath.Join(s.world, "ecr", s.option("--repository-name"))
	if id, ok := strings.CutPrefix(s.option("--image-ids"), "imageTag="); ok {
		if digest, ok := s.has("digest"); ok {
			fmt.Println(digest)
			return 0
		}
		digest, err := os.ReadFile(filepath.Join(folder, id))
		if err != nil {
			return s.fail("An error occurred (ImageNotFoundException)")
		}
		fmt.Println(string(digest))
		return 0
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return s.fail("An error occurred (RepositoryNotFoundException)")
	}
	for _, e := range entries {
		fmt.Print(e.Name(), "\t")
	}
	fmt.Println()
	return 0
}

func (s stub) engine() int {
	switch s.args[0] {
	case "login":
		return 0
	case "build":
		if _, ok := s.has("build-fails"); ok {
			return s.fail("ERROR: failed to solve")
		}
		context := s.args[len(s.args)-1]
		sources, err := os.ReadFile(filepath.Join(context, "main.go"))
		if err != nil {
			return s.fail("%v", err)
		}
		if _, err := os.Stat(filepath.Join(context, "untracked.go")); err == nil {
			return s.fail("a file that git does not know is in the context")
		}
		return s.write("built", string(sources))
	case "push":
		return s.push(s.args[1])
	}
	return s.fail("the stub of %s knows no %s", s.name, s.args[0])
}

// push is that of an immutable repository: a tag is made once.
func (s stub) push(reference string) int {
	fmt.Println("5f70bf18a086: Layer already exists")
	if _, ok := s.has("push-fails"); ok {
		return s.fail("error: connection reset by peer")
	}
	if _, ok := s.has("pushes-meet"); ok {
		s.meet()
	}
	_, path, _ := strings.Cut(reference, "/")
	repository, tag, _ := strings.Cut(path, ":")
	f, err := os.OpenFile(filepath.Join(s.world, "ecr", repository, tag), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return s.fail("tag invalid: The image tag '%s' already exists in the '%s' repository and cannot be overwritten because the tag is immutable.", tag, repository)
	}
	defer f.Close()
	fmt.Fprint(f, digest(strings.TrimSuffix(reference, ":"+tag)+":", tag))
	return 0
}

// digest is that of an image in this world, known before it is built.
func digest(repository string, tag any) string {
	return fmt.Sprintf("sha256:%x", sha256.Sum256(fmt.Append(nil, repository, tag)))
}

// meet waits until two pushes are here.
func (s stub) meet() {
	_ = os.WriteFile(filepath.Join(s.world, fmt.Sprintf("push-%d", os.Getpid())), nil, 0o600)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if here, _ := filepath.Glob(filepath.Join(s.world, "push-*")); len(here) > 1 {
			return
		}
	}
}

func (s stub) curl() int {
	url := s.args[len(s.args)-1]
	if image, ok := s.has("deploys-before-smoke"); ok {
		os.Remove(filepath.Join(s.world, "deploys-before-smoke"))
		s.somebodyElse(image)
	}
	poison, _ := s.has("smoke-fails-with")
	running, _ := s.has("running")
	status := map[string]int{"https://d1.example.net/v1/account": 401, "https://d1.example.net/open": 200, "https://d1.example.net/ws": 401}[url]
	switch {
	case poison != "" && strings.Contains(running, poison):
		status = 502
	case status == 0:
		status = 403
	}
	fmt.Print(status)
	return 0
}

// terraform is the real one, before whose apply a test may have somebody else apply.
func (s stub) terraform() int {
	if image, ok := s.has("deploys-before-apply"); ok && slices.Contains(s.args, "apply") {
		os.Remove(filepath.Join(s.world, "deploys-before-apply"))
		s.somebodyElse(image)
	}
	err := syscall.Exec(os.Getenv("REAL_TERRAFORM"), append([]string{"terraform"}, s.args...), os.Environ())
	return s.fail("%v", err)
}

func (s stub) somebodyElse(image string) {
	cmd := exec.Command(os.Getenv("REAL_TERRAFORM"), "-chdir="+os.Getenv("ROOT_DIR"), "apply", "-auto-approve",
		"-var=world="+s.world, "-var=sallyport_image="+image)
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "somebody else: %v\n%s", err, out)
	}
}

func (s stub) write(name, text string) int {
	if err := os.WriteFile(filepath.Join(s.world, name), []byte(text), 0o600); err != nil {
		return s.fail("%v", err)
	}
	return 0
}

//! The image and the chart: what they hold, and that the rights they ask for are enough for a real run.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use integration_tests::{
    certificates::{Authority, Certificate},
    container::{Container, docker, docker_output, docker_socket, succeeded, unique},
    env::monitor_bin,
    helm::{self, Rendered},
};
use serde_json::{Value, json};

/// The oldest that the chart says it is for, some between, and the newest whose schema there is.
const VERSIONS: [&str; 4] = ["1.25", "1.29", "1.33", "1.37"];

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy")
}

fn rendered(values: &Value) -> Rendered {
    let rendered = helm::render(&deploy().join("kubernetes/chart"), values, &VERSIONS);
    assert!(rendered.errors.is_empty(), "{:?}", rendered.errors);
    rendered
}

/// `AppArmor`'s field came with 1.30; older ones are rendered without it, which `helm template` cannot know.
fn new_faults(rendered: &Rendered) -> Vec<&String> {
    rendered.faults.iter().filter(|fault| !fault.contains("appArmorProfile")).collect()
}

#[test]
fn the_chart_keeps_to_the_schemas_of_kubernetes() {
    for values in [
        json!({}),
        json!({ "podMonitor": { "enabled": true, "labels": { "release": "prometheus" } } }),
        json!({ "askRuntimes": false, "metrics": [], "config": "interval = \"2s\"", "networkPolicy": { "enabled": false } }),
        json!({ "history": { "hostPath": "/var/lib/monitor" } }),
        json!({ "podAnnotations": { "a": "b" }, "imagePullSecrets": [{ "name": "s" }], "appArmorUnconfined": false }),
        json!({ "auth": { "existingSecret": "token" }, "podMonitor": { "enabled": true } }),
        json!({ "tls": { "existingSecret": "certificate" }, "podMonitor": { "enabled": true } }),
        secured(),
    ] {
        let rendered = rendered(&values);
        assert!(new_faults(&rendered).is_empty(), "{values}: {:#?}", rendered.faults);
        let config = rendered.document("ConfigMap")["data"]["config.toml"].as_str().expect("a text");
        let folder = tempfile::tempdir().expect("make a folder");
        let file = folder.path().join("config.toml");
        fs::write(&file, with_secrets(config, folder.path())).expect("write the settings");
        let check = Command::new(monitor_bin()).args(["config", "check", "--config"]).arg(&file).output();
        let _good = succeeded("monitor config check", check.expect("run monitor"));
    }
    let values = json!({ "podMonitor": { "enabled": true } });
    let monitor = rendered(&values).document("PodMonitor").clone();
    assert_eq!(monitor["spec"]["podMetricsEndpoints"][0]["port"], "http");
}

/// A token and TLS.
fn secured() -> Value {
    json!({
        "auth": { "existingSecret": "token" },
        "tls": { "existingSecret": "certificate" },
        "podMonitor": { "enabled": true, "tlsConfig": { "serverName": "monitor.example.org" } },
    })
}

/// Settings that name files of this folder in the place of those that a pod has.
fn with_secrets(config: &str, folder: &Path) -> String {
    let authority = Authority::make();
    let Certificate { certificate, key } = authority.certify("node");
    for (from, to) in [(certificate, "tls.crt"), (key, "tls.key")] {
        fs::copy(from, folder.join(to)).expect("copy");
    }
    fs::write(folder.join("token"), "0123456789abcdef").expect("write a token");
    let folder = folder.to_str().expect("UTF-8");
    config.replace("/etc/monitor-auth", folder).replace("/etc/monitor-tls", folder)
}

/// Whoever asks, and that is the kubelet and Prometheus, is told how; no secret's content is in the chart.
#[test]
fn the_chart_demands_a_token_and_speaks_tls_where_secrets_are_named() {
    let open = rendered(&json!({}));
    let settings = |rendered: &Rendered| -> toml::Table {
        let text = rendered.document("ConfigMap")["data"]["config.toml"].as_str().expect("a text").to_owned();
        text.parse().expect("TOML")
    };
    assert_eq!(settings(&open).get("insecure"), Some(&true.into()), "the network policy's to say");
    let secured = rendered(&secured());
    let settings = settings(&secured);
    assert!(!settings.contains_key("insecure"), "{settings:?}");
    let pod = &secured.document("DaemonSet")["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    for (flag, secret) in
        [("auth-token-file", "token"), ("tls-cert-file", "certificate"), ("tls-key-file", "certificate")]
    {
        let file = Path::new(settings[flag].as_str().expect("a path"));
        let folder = file.parent().expect("a folder");
        let mounts = container["volumeMounts"].as_array().expect("mounts");
        let mount = mounts.iter().find(|mount| mount["mountPath"] == *folder.to_str().expect("UTF-8"));
        let mount = mount.unwrap_or_else(|| panic!("{flag}: nothing is mounted at {}", folder.display()));
        assert_eq!(mount["readOnly"], true, "{flag}");
        let volumes = pod["volumes"].as_array().expect("volumes");
        let volume = volumes.iter().find(|volume| volume["name"] == mount["name"]).expect("its volume");
        assert_eq!(volume["secret"]["secretName"], secret, "{flag}");
        assert_eq!(volume["secret"]["defaultMode"], 0o400, "{flag}");
    }
    for probe in ["livenessProbe", "readinessProbe"] {
        assert_eq!(container[probe]["httpGet"]["path"], "/healthz", "the one path that takes no token");
        assert_eq!(container[probe]["httpGet"]["scheme"], "HTTPS", "{probe}");
    }
    let asked = &secured.document("PodMonitor")["spec"]["podMetricsEndpoints"][0];
    assert_eq!(asked["authorization"]["credentials"], json!({ "name": "token", "key": "token" }));
    assert_eq!(asked["scheme"], "https");
    assert_eq!(asked["tlsConfig"]["serverName"], "monitor.example.org");
}

#[test]
fn the_chart_asks_for_what_the_dashboards_need() {
    let rendered = rendered(&json!({}));
    let config = rendered.document("ConfigMap")["data"]["config.toml"].as_str().expect("a text").to_owned();
    let line = config.lines().find_map(|line| line.strip_prefix("metrics = ")).expect("metrics");
    let asked: BTreeSet<String> = serde_json::from_str(line).expect("a list");
    let needed = fs::read_to_string(deploy().join("config.toml")).expect("read the settings");
    let needed: BTreeSet<String> = needed
        .lines()
        .filter_map(|line| Some(line.trim().strip_prefix('"')?.strip_suffix("\",")?.to_owned()))
        .collect();
    assert_eq!(asked, needed);
}

/// For those without Helm: the chart with its default values. `BLESS=1` writes it.
#[test]
fn the_plain_manifests_are_the_chart_s() {
    let rendered = rendered(&json!({}));
    let mut text = String::from(
        "# The chart beside this file with its default values, for those without Helm: kubectl apply -n monitoring -f manifests.yaml\n",
    );
    for template in rendered.templates.values() {
        text.push_str("---\n");
        text.push_str(template.trim());
        text.push('\n');
    }
    let path = deploy().join("kubernetes/manifests.yaml");
    if env::var_os("BLESS").is_some() {
        fs::write(&path, &text).expect("write the manifests");
    }
    assert_eq!(fs::read_to_string(&path).expect("read the manifests"), text, "BLESS=1 writes them");
}

/// An image by the shipped recipe. Removed on drop.
struct Built {
    image: String,
    base: String,
}

impl Built {
    /// On a base that has the libraries which a `monitor` that was built for tests is linked with.
    fn build() -> Self {
        let folder = tempfile::tempdir().expect("make a folder");
        let base = unique("monitor-test-base") + ":latest";
        let libraries = Command::new("ldd").arg(monitor_bin()).output().expect("run ldd");
        let libraries = String::from_utf8(succeeded("ldd", libraries)).expect("UTF-8");
        let paths = libraries.split_whitespace().filter(|word| word.starts_with('/'));
        let tar = Command::new("tar").args(["--create", "--dereference"]).args(paths).output();
        let tar = succeeded("tar", tar.expect("run tar"));
        let archive = folder.path().join("base.tar");
        fs::write(&archive, tar).expect("write the base");
        let _id = docker_output(&["import", archive.to_str().expect("UTF-8"), &base]);
        fs::remove_file(&archive).expect("remove the base");
        fs::copy(monitor_bin(), folder.path().join("monitor")).expect("copy monitor");
        fs::copy(deploy().join("oci/Dockerfile"), folder.path().join("Dockerfile")).expect("copy the recipe");
        let image = unique("monitor-test-agent") + ":latest";
        let context = folder.path().to_str().expect("UTF-8");
        let built = docker(&["build", "--tag", &image, "--build-arg", &format!("BASE={base}"), context])
            // The builder that needs nothing beside the daemon.
            .env("DOCKER_BUILDKIT", "0")
            .stdout(Stdio::piped())
            .output();
        let _printed = succeeded("docker build", built.expect("run docker"));
        Self { image, base }
    }

    /// Whether Docker can give a container of it this capability.
    fn may_have(&self, capability: &str) -> bool {
        let create = ["create", "--cap-add", capability, &self.image];
        let output = docker(&create).output().expect("run docker");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() || said.contains("unknown capability"), "{said}");
        if output.status.success() {
            let _id = docker_output(&["rm", String::from_utf8_lossy(&output.stdout).trim()]);
        }
        output.status.success()
    }

    /// The snapshot of a run with these rights, beside all processes of the machine.
    fn snapshot(&self, rights: &[&str]) -> Value {
        let socket = format!("{}:/var/run/docker.sock", docker_socket().display());
        let mut args = vec!["run", "--rm", "--pid", "host", "--network", "none"];
        args.extend(["--volume", "/sys/fs/cgroup:/sys/fs/cgroup:ro", "--volume", &socket]);
        args.extend(rights);
        args.extend([self.image.as_str(), "snapshot", "--interval", "1s"]);
        serde_json::from_str(&docker_output(&args)).expect("a snapshot")
    }
}

impl Drop for Built {
    fn drop(&mut self) {
        for image in [&self.image, &self.base] {
            // In vain only where it was never made.
            let _ = docker(&["image", "rm", "--force", image]).output();
        }
    }
}

fn attached(snapshot: &Value) -> BTreeSet<String> {
    let probes = snapshot["coverage"]["probes"].as_array().expect("probes");
    let attached = probes.iter().filter(|probe| probe["state"] == "attached");
    attached.map(|probe| probe["name"].as_str().expect("a name").to_owned()).collect()
}

/// `--privileged`; on a machine that lacks capabilities itself what is left of it, since Docker 20.10 refuses it there.
fn every_right() -> Vec<String> {
    let status = fs::read_to_string("/proc/self/status").expect("read /proc/self/status");
    let bounding = status.lines().find_map(|line| line.strip_prefix("CapBnd:")).expect("CapBnd");
    let bounding = u64::from_str_radix(bounding.trim(), 16).expect("a set of capabilities");
    let names = Command::new("setpriv").arg("--list-caps").output().expect("run setpriv");
    let names = String::from_utf8(succeeded("setpriv", names)).expect("UTF-8");
    let missing: Vec<_> = names
        .lines()
        .enumerate()
        .filter(|(number, _)| bounding >> number & 1 == 0)
        .map(|(_, name)| name)
        .collect();
    if missing.is_empty() {
        return vec!["--privileged".to_owned()];
    }
    let profiles =
        ["--security-opt=seccomp=unconfined", "--security-opt=apparmor=unconfined", "--cap-add=ALL"];
    let without = missing.iter().map(|name| format!("--cap-drop={name}"));
    profiles.map(str::to_owned).into_iter().chain(without).collect()
}

#[test]
fn the_image_shows_the_machine_s_containers_with_few_rights() {
    let built = Built::build();
    let mut container = Container::start(&["hog", "--cpus", "0"]);
    container.workload().go();
    let every_right = every_right();
    let privileged = built.snapshot(&every_right.iter().map(String::as_str).collect::<Vec<_>>());
    let pod = rendered(&json!({})).document("DaemonSet")["spec"]["template"]["spec"].clone();
    let rights = &pod["containers"][0]["securityContext"];
    let capabilities = rights["capabilities"]["add"].as_array().expect("capabilities");
    let mut few = vec!["--cap-drop", "ALL", "--read-only", "--security-opt", "no-new-privileges"];
    // What the daemon's own profiles allow is up to its version.
    few.extend(["--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"]);
    // Docker of Debian 12 does not know what was part of SYS_ADMIN before Linux 5.8.
    let is_known = built.may_have("BPF");
    let names = capabilities.iter().map(|name| name.as_str().expect("a name"));
    let names =
        names.map(|name| if !is_known && ["BPF", "PERFMON"].contains(&name) { "SYS_ADMIN" } else { name });
    for name in names.collect::<BTreeSet<_>>() {
        few.extend(["--cap-add", name]);
    }
    let few = built.snapshot(&few);
    for (how, snapshot) in [("privileged", &privileged), ("with few rights", &few)] {
        let all = snapshot["containers"].as_array().expect("containers");
        let ours = all.iter().find(|one| one["id"] == container.id());
        let ours = ours.unwrap_or_else(|| panic!("{how}: not among {}", all.len()));
        assert_eq!(ours["name"], container.name(), "{how}");
        for measured in
            ["/scheduler/on_cpu_ns_total", "/cpu/usage_ns_total", "/memory/current_bytes", "/namespaces/net"]
        {
            let value = ours.pointer(measured).and_then(Value::as_u64);
            assert!(value.is_some_and(|value| value > 0), "{how}: {measured}: {ours}");
        }
    }
    assert!(attached(&privileged).contains("sched_switch"), "{:?}", attached(&privileged));
    assert_eq!(attached(&few), attached(&privileged), "few rights attach fewer programs");
}

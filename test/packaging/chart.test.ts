/** The chart as a real helm renders it: every object is one, nothing changes unseen, and mistakes are named. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Deployment } from "kubernetes-models/apps/v1/Deployment";
import { HorizontalPodAutoscaler } from "kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1/PodDisruptionBudget";
import { ConfigMap } from "kubernetes-models/v1/ConfigMap";
import { Secret } from "kubernetes-models/v1/Secret";
import { Service } from "kubernetes-models/v1/Service";
import { ServiceAccount } from "kubernetes-models/v1/ServiceAccount";
import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { parseConfiguration } from "../../src/config/load-configuration.js";
import { CALLER_HASH, PROJECT } from "../support/gateway-process.js";
import { hasHelm, rendered } from "../support/helm.js";

const CONFIG = {
  callers: [{ name: "client", usernames: ["client@corp.example"], passwordHash: "env:CALLER_HASH" }],
  backends: {
    exchange: {
      type: "ews",
      url: "https://mail.corp.example/EWS/Exchange.asmx",
      username: "CORP\\svc",
      password: "env:EXCHANGE_PASSWORD",
    },
  },
  addressSpaces: [{ domain: "corp.example", backend: "exchange" }],
};
const LEAST = { config: CONFIG, secret: { existingSecret: "freebusy" } };
const MOST = {
  config: { ...CONFIG, listen: { port: 8443 }, timeBudgetSeconds: 17 },
  configIn: "Secret",
  secret: { values: { CALLER_HASH: "a-hash", EXCHANGE_PASSWORD: "a-password" } },
  tls: { existingSecret: "freebusy-tls" },
  autoscaling: { enabled: true },
  serviceMonitor: { enabled: true, labels: { release: "prometheus" } },
  networkPolicy: {
    callers: [{ ipBlock: { cidr: "192.0.2.0/24" } }],
    monitoring: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } } }],
    egressPorts: [443, 636, 6380],
  },
  service: { type: "LoadBalancer", loadBalancerSourceRanges: ["192.0.2.0/24"], externalTrafficPolicy: "Local" },
  serviceAccount: { annotations: { "eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/freebusy" } },
  image: { digest: `sha256:${"0".repeat(64)}`, pullSecrets: ["registry"] },
  priorityClassName: "business",
  extraEnv: [{ name: "AWS_REGION", value: "eu-west-1" }],
};
const MODELS: Record<string, new (data: never) => { validate(): void }> = {
  Deployment,
  HorizontalPodAutoscaler,
  NetworkPolicy,
  PodDisruptionBudget,
  ConfigMap,
  Secret,
  Service,
  ServiceAccount,
};

interface KubernetesObject {
  readonly kind: string;
  readonly spec: Record<string, never>;
  readonly data?: Record<string, string>;
  readonly stringData?: Record<string, string>;
}
const objectsOf = (text: string) =>
  parseAllDocuments(text).flatMap((document) => (document.toJS() as KubernetesObject | null) ?? []);

describe.skipIf(!hasHelm)("the chart", () => {
  it.each([
    ["least", LEAST],
    ["most", MOST],
  ])("with the %s that can be set renders what was looked at, and every object is valid", async (name, values) => {
    const { text, problem } = rendered(values);
    expect(problem).toBe("");
    await expect(text).toMatchFileSnapshot(`golden/${name}.yaml`);
    const objects = objectsOf(text);
    for (const object of objects) {
      if (object.kind === "ServiceMonitor") continue;
      const Model = MODELS[object.kind];
      expect(Model, object.kind).toBeDefined();
      if (Model !== undefined) new Model(object as never).validate();
    }
    const kinds = objects.map(({ kind }) => kind).sort();
    expect(kinds).toContain(name === "most" ? "HorizontalPodAutoscaler" : "ConfigMap");
  });

  it("runs a configuration that the gateway itself accepts, with the listeners where the probes look", () => {
    const config = objectsOf(rendered({ ...MOST, tls: {} }).text).find(
      ({ stringData }) => stringData?.["freebusy.yaml"],
    );
    const { configuration } = parseConfiguration("chart", config?.stringData?.["freebusy.yaml"] ?? "", {
      CALLER_HASH,
      EXCHANGE_PASSWORD: "x",
    });
    expect(configuration.listen).toMatchObject({ host: "0.0.0.0", port: 8443 });
    expect(configuration.management).toEqual({ host: "0.0.0.0", port: 9090 });
    expect(configuration.timeBudgetSeconds).toBe(17);
  });

  it("hands on settings it has never heard of", () => {
    const { text } = rendered({ ...LEAST, config: { ...CONFIG, brandNew: { setting: [1, { two: true }] } } });
    const map = objectsOf(text).find(({ kind }) => kind === "ConfigMap");
    expect(parse(map?.data?.["freebusy.yaml"] ?? "")).toMatchObject({ brandNew: { setting: [1, { two: true }] } });
  });

  it("tells gateways with a shared cache how many of them there may be, unless the site says it itself", () => {
    const replicas = (more: object, shared: object = {}) => {
      const urls = ["rediss://redis.corp.example"];
      const cache = { shared: { urls, encryptionKey: "env:CALLER_HASH", ...shared } };
      const reached = { networkPolicy: { egressPorts: [443, 6379] } };
      const { text } = rendered({ ...LEAST, ...reached, ...more, config: { ...CONFIG, cache } });
      const map = objectsOf(text).find(({ kind }) => kind === "ConfigMap");
      const told = parse(map?.data?.["freebusy.yaml"] ?? "").cache.shared;
      expect(told.urls).toEqual(urls);
      return told.replicas;
    };
    expect([replicas({}), replicas({ replicas: 3 })]).toEqual([2, 3]);
    expect(replicas({ autoscaling: { enabled: true, maxReplicas: 5 } })).toBe(5);
    expect(replicas({ replicas: 3 }, { replicas: 4 })).toBe(4);
  });

  it("gives the process longer to end than it takes", () => {
    const deployment = objectsOf(rendered(LEAST).text).find(({ kind }) => kind === "Deployment");
    const grace = /"terminationGracePeriodSeconds":(\d+)/.exec(JSON.stringify(deployment))?.[1];
    const stopWithin = /STOP_WITHIN_MS = (\d+)_000/.exec(readFileSync(join(PROJECT, "src/cli.ts"), "utf8"))?.[1];
    const preStop = /setTimeout\(\(\) => \{\}, (\d+)000\)/.exec(JSON.stringify(deployment))?.[1];
    expect(Number(grace)).toBeGreaterThan(Number(stopWithin) + Number(preStop));
  });

  it.each([
    ["a value misspelt", { ...LEAST, replica: 3 }, "'replica' not allowed"],
    ["a nested value misspelt", { ...LEAST, tls: { existingSecrets: "x" } }, "'existingSecrets' not allowed"],
    ["no configuration", { secret: { existingSecret: "x" } }, "config is empty. Set it"],
    ["both configurations", { ...LEAST, existingConfigSecret: "x" }, "config and existingConfigSecret are both set"],
    ["no secret", { config: CONFIG }, "config names secrets (EXCHANGE_PASSWORD, CALLER_HASH) and there are none"],
    [
      "both forms of secrets",
      { config: CONFIG, secret: { existingSecret: "x", values: { CALLER_HASH: "a", EXCHANGE_PASSWORD: "b" } } },
      "secret.existingSecret and secret.values are both set",
    ],
    [
      "a secret without a value",
      { config: CONFIG, secret: { values: { CALLER_HASH: "a" } } },
      "config names the secret EXCHANGE_PASSWORD, which secret.values does not have",
    ],
    [
      "both listeners on one port",
      { ...LEAST, config: { ...CONFIG, listen: { port: 9090 } } },
      "config.listen.port and config.management.port are both 9090",
    ],
    [
      "a listener nobody reaches",
      { ...LEAST, config: { ...CONFIG, listen: { host: "127.0.0.1" } } },
      "config.listen.host is 127.0.0.1",
    ],
    [
      "a snapshot where nothing can be written",
      { ...LEAST, config: { ...CONFIG, directories: [{ type: "ldap", snapshotFile: "/data/ad.snapshot" }] } },
      "config.directories.0.snapshotFile is /data/ad.snapshot, and only /var/lib/freebusy/ can be written",
    ],
    [
      "a Prometheus that is let in nowhere",
      { ...LEAST, serviceMonitor: { enabled: true } },
      "Name Prometheus in networkPolicy.monitoring",
    ],
    [
      "a shared cache that no pod can reach",
      { ...LEAST, config: { ...CONFIG, cache: { shared: { urls: ["rediss://redis.corp.example/1"] } } } },
      "networkPolicy lets no pod reach port 6379",
    ],
    [
      "sentinels that no pod can reach",
      { ...LEAST, config: { ...CONFIG, cache: { shared: { urls: ["redis://one"], topology: "sentinel" } } } },
      "networkPolicy lets no pod reach port 26379",
    ],
    [
      "one claim for the snapshots of several pods",
      { ...LEAST, snapshots: { existingClaim: "snapshots" } },
      "snapshots.existingClaim is one folder for up to 2 pods",
    ],
    [
      "one claim for the snapshots of as many pods as there may be",
      { ...LEAST, replicas: 1, autoscaling: { enabled: true }, snapshots: { existingClaim: "snapshots" } },
      "snapshots.existingClaim is one folder for up to 6 pods",
    ],
  ])("refuses %s, and says so", (_, values, problem) => {
    expect(rendered(values).problem).toContain(problem);
  });

  const shared = { ...CONFIG, cache: { shared: { urls: ["rediss://[2001:db8::1]:6380", "redis://two:6380/1"] } } };
  it.each([
    [
      "a Prometheus where there is no policy",
      { ...LEAST, serviceMonitor: { enabled: true }, networkPolicy: { enabled: false } },
    ],
    ["a shared cache whose port is open", { ...LEAST, config: shared, networkPolicy: { egressPorts: [443, 6380] } }],
    [
      "a shared cache behind a rule of the site's own",
      { ...LEAST, config: shared, networkPolicy: { extraEgress: [{}] } },
    ],
    ["a shared cache where there is no policy", { ...LEAST, config: shared, networkPolicy: { enabled: false } }],
    ["one claim for one pod", { ...LEAST, replicas: 1, snapshots: { existingClaim: "snapshots" } }],
    ["a claim that is not used", { ...LEAST, snapshots: { enabled: false, existingClaim: "snapshots" } }],
    [
      "secrets that are not there yet, or the doctor's alone",
      {
        config: {
          ...CONFIG,
          backends: { exchange: { ...CONFIG.backends.exchange, nextPassword: "file:/run/secrets/freebusy/NEXT" } },
          doctor: { signIns: { exchange: { username: "svc", password: "env:DOCTOR_PASSWORD" } } },
        },
        secret: { values: { CALLER_HASH: "a", EXCHANGE_PASSWORD: "b" } },
      },
    ],
  ])("takes %s", (_, values) => {
    expect(rendered(values).problem).toBe("");
  });

  it("says all conflicts at once, and no secret's value", () => {
    const { problem } = rendered({
      config: { ...CONFIG, management: { port: 8080 } },
      secret: { existingSecret: "x", values: { OTHER: "canary-value" } },
    });
    expect(problem.match(/^ {2}- /gm)).toHaveLength(4);
    expect(problem).not.toContain("canary-value");
  });
});

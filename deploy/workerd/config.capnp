# The gateway in workerd, from the npm package alone. docs/deploy/workerd.md says how it is run.
#
# Nothing in here is to be edited: settings come from the environment, folders and the address from workerd's flags
# (--directory-path policy=… --directory-path state=… --socket-addr http=…).
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "gateway", worker = .gateway),
    # What the operator wrote (the registry, its realm, lookasides, EGRESS) may be in a private network.
    (name = "upstreams", network = (allow = ["public", "private", "local"], tlsOptions = (trustBrowserCas = true))),
    # What anybody else names goes out here, where addresses are refused by what they are.
    (name = "outside", network = (allow = ["public"], tlsOptions = (trustBrowserCas = true))),
    # The page and its modules.
    (name = "package", disk = (path = "/opt/sealgate/node_modules/sealgate")),
    # bundle.json of `sealgate policy bundle`: read again every five seconds.
    (name = "policy", disk = (path = "/etc/sealgate/policy")),
    # What is remembered of each repository. Trusted for nothing.
    (name = "state", disk = (path = "/var/lib/sealgate", writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:8787", http = (), service = "gateway")]
);

const gateway :Workerd.Worker = (
  compatibilityDate = "2026-03-01",
  modules = [
    (name = "index.js", esModule = embed "../../worker/index.js"),
    (name = "admin.js", esModule = embed "../../worker/admin.js"),
    (name = "policy.js", esModule = embed "../../worker/policy.js"),
    (name = "state.js", esModule = embed "../../worker/state.js"),
    (name = "store.js", esModule = embed "../../worker/store.js"),
    (name = "sealgate", esModule = "export * from './pkg/workerd.js';"),
    (name = "sealgate/bundle", esModule = "export * from '../pkg/bundle.js';"),
    (name = "sealgate/config", esModule = "export * from '../pkg/config.js';"),
    (name = "sealgate/demo", esModule = "export * from '../pkg/demo.js';"),
    (name = "sealgate/shell", esModule = "export * from '../pkg/shell.js';"),
    (name = "pkg/api.js", esModule = embed "../../api.js"),
    (name = "pkg/arithmetic.js", esModule = embed "../../arithmetic.js"),
    (name = "pkg/aws.js", esModule = embed "../../aws.js"),
    (name = "pkg/aws4fetch.js", esModule = embed "../../aws4fetch.js"),
    (name = "pkg/build.js", esModule = embed "../../build.js"),
    (name = "pkg/bundle.js", esModule = embed "../../bundle.js"),
    (name = "pkg/config.js", esModule = embed "../../config.js"),
    (name = "pkg/demo.js", esModule = embed "../../demo.js"),
    (name = "pkg/error.js", esModule = embed "../../error.js"),
    (name = "pkg/fetch.js", esModule = embed "../../fetch.js"),
    (name = "pkg/glance.js", esModule = embed "../../glance.js"),
    (name = "pkg/lock.js", esModule = embed "../../lock.js"),
    (name = "pkg/modules.js", esModule = embed "../../modules.js"),
    (name = "pkg/sealgate_arithmetic.js", esModule = embed "../../sealgate_arithmetic.js"),
    (name = "pkg/sealgate_arithmetic_bg.wasm", wasm = embed "../../sealgate_arithmetic_bg.wasm"),
    (name = "pkg/sealgate_full.js", esModule = embed "../../sealgate_full.js"),
    (name = "pkg/sealgate_full_bg.wasm", wasm = embed "../../sealgate_full_bg.wasm"),
    (name = "pkg/sealgate_gateway.js", esModule = embed "../../sealgate_gateway.js"),
    (name = "pkg/sealgate_gateway_bg.wasm", wasm = embed "../../sealgate_gateway_bg.wasm"),
    (name = "pkg/shell.js", esModule = embed "../../shell.js"),
    (name = "pkg/task.js", esModule = embed "../../task.js"),
    (name = "pkg/times.js", esModule = embed "../../times.js"),
    (name = "pkg/webcrypto.js", esModule = embed "../../webcrypto.js"),
    (name = "pkg/workerd.js", esModule = embed "../../workerd.js"),
  ],
  bindings = [
    (name = "UPSTREAM", fromEnvironment = "UPSTREAM"),
    (name = "NAME", fromEnvironment = "NAME"),
    (name = "PUBLIC_URL", fromEnvironment = "PUBLIC_URL"),
    (name = "EGRESS", fromEnvironment = "EGRESS"),
    (name = "REQUEST_TIMEOUT_MS", fromEnvironment = "REQUEST_TIMEOUT_MS"),
    (name = "CORS_ORIGINS", fromEnvironment = "CORS_ORIGINS"),
    (name = "RELAY", fromEnvironment = "RELAY"),
    (name = "PUBLISH_POLICY", fromEnvironment = "PUBLISH_POLICY"),
    (name = "SECRET", fromEnvironment = "SECRET"),
    (name = "MAX_REQUESTS", fromEnvironment = "MAX_REQUESTS"),
    (name = "REGISTRIES", fromEnvironment = "REGISTRIES"),
    (name = "MODE", fromEnvironment = "MODE"),
    (name = "ADMIN_SECRET", fromEnvironment = "ADMIN_SECRET"),
    (name = "FOREIGN_LAYERS", fromEnvironment = "FOREIGN_LAYERS"),
    (name = "UPSTREAM_CREDENTIALS", fromEnvironment = "UPSTREAM_CREDENTIALS"),
    (name = "CLIENTS", fromEnvironment = "CLIENTS"),
    (name = "POLICY_SECRET", fromEnvironment = "POLICY_SECRET"),
    (name = "UPSTREAMS", service = "upstreams"),
    (name = "PACKAGE", service = "package"),
    (name = "POLICY_FILES", service = "policy"),
    (name = "STATE", durableObjectNamespace = "RepositoryState"),
  ],
  durableObjectNamespaces = [
    (className = "RepositoryState", uniqueKey = "sealgate-repository-state", enableSql = true),
  ],
  durableObjectStorage = (localDisk = "state"),
  globalOutbound = "outside"
);

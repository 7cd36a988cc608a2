import { resolve } from "node:path";
import type { CertifiedKey, Clock } from "../io/mod.ts";
import type { Config } from "../node/config/mod.ts";
import type { Log } from "../node/log.ts";
import { type AuthTexts, AuthWatch, readAuthTexts } from "./auth/mod.ts";
import { readAuthorities, readCertifiedKey } from "./certificates.ts";

/** What a node shows to others, and whom it believes. */
export interface ClusterKey extends CertifiedKey {
  /** Certificates of authorities, PEM. */
  readonly authorities: string;
}

/** What a node holds against strangers. A structured clone: every shard has one. */
export interface SecuritySetup {
  /** Undefined lets everybody do everything. */
  readonly auth: AuthTexts | undefined;
  /** Undefined speaks plain HTTP. */
  readonly tls: CertifiedKey | undefined;
  /** Undefined speaks plain TCP to other nodes. */
  readonly cluster: ClusterKey | undefined;
}

type Files = Pick<
  Config,
  "authFile" | "tlsCert" | "tlsKey" | "clusterTlsCert" | "clusterTlsKey" | "clusterTlsCa"
>;

/** The files of {@linkcode SecuritySetup}: read at the start, and again when they are new. */
export class Security {
  readonly #files: Files;
  readonly #log: Log;
  #setup: SecuritySetup;
  #watch: AuthWatch | undefined;
  #onRenew: (setup: SecuritySetup) => Promise<void> = () => Promise.resolve();
  #renewing: Promise<void> = Promise.resolve();

  private constructor(files: Files, setup: SecuritySetup, log: Log) {
    this.#files = files;
    this.#setup = setup;
    this.#log = log;
  }

  /** Reads the files. @throws Error that names the file, and what is wrong with it */
  static async open(config: Config, clock: Clock, log: Log): Promise<Security> {
    const files = absolute(config);
    const { authFile } = files;
    const auth = authFile === undefined ? undefined : await readAuthTexts(authFile);
    const setup = { auth, ...await readKeys(files) };
    const security = new Security(files, setup, log);
    if (authFile === undefined || auth === undefined) return security;
    security.#watch = new AuthWatch({
      path: authFile,
      texts: auth,
      clock,
      log,
      onChange: (texts) => security.#renew({ auth: texts }),
    });
    return security;
  }

  /** What holds now. */
  get setup(): SecuritySetup {
    return this.#setup;
  }

  /** Who is told of what is new; before the node serves there is nobody. */
  set onRenew(onRenew: (setup: SecuritySetup) => Promise<void>) {
    this.#onRenew = onRenew;
  }

  /** Reads all files again. What is broken is logged, and the version before it stays. Never rejects. */
  async reload(): Promise<void> {
    await this.#watch?.reload();
    try {
      const keys = await readKeys(this.#files);
      if (keys.tls === undefined && keys.cluster === undefined) return;
      await this.#renew(keys);
      this.#log("info", "certificates were read again, and are in force for new connections");
    } catch (reason) {
      const detail = reason instanceof Error ? reason.message : String(reason);
      this.#log("error", `${detail}; the certificates before stay in force`);
    }
  }

  /** Looks for changes no more. */
  close(): void {
    this.#watch?.close();
    this.#onRenew = () => Promise.resolve();
  }

  /** One after the other: the files may change while others are being told. */
  #renew(news: Partial<SecuritySetup>): Promise<void> {
    const renewed = this.#renewing.then(async () => {
      const before = this.#setup;
      // At once: a shard that starts meanwhile is given what is new.
      const setup = this.#setup = { ...before, ...news };
      try {
        await this.#onRenew(setup);
      } catch (reason) {
        this.#setup = before;
        throw reason;
      }
    });
    this.#renewing = renewed.catch(() => {});
    return renewed;
  }
}

async function readKeys(files: Files): Promise<Omit<SecuritySetup, "auth">> {
  const { tlsCert, tlsKey, clusterTlsCert, clusterTlsKey, clusterTlsCa } = files;
  const tls = tlsCert === undefined || tlsKey === undefined
    ? undefined
    : await readCertifiedKey(tlsCert, tlsKey);
  const cluster = clusterTlsCert === undefined || clusterTlsKey === undefined ||
      clusterTlsCa === undefined
    ? undefined
    : {
      ...await readCertifiedKey(clusterTlsCert, clusterTlsKey),
      authorities: await readAuthorities(clusterTlsCa),
    };
  return { tls, cluster };
}

/** The working directory may be another one when the files are read again. */
function absolute(config: Files): Files {
  const of = (path: string | undefined) => path === undefined ? undefined : resolve(path);
  return {
    authFile: of(config.authFile),
    tlsCert: of(config.tlsCert),
    tlsKey: of(config.tlsKey),
    clusterTlsCert: of(config.clusterTlsCert),
    clusterTlsKey: of(config.clusterTlsKey),
    clusterTlsCa: of(config.clusterTlsCa),
  };
}

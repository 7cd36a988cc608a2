/**
 * Certificates made for a test, and files of them.
 *
 * @module
 */

import "reflect-metadata";
import * as x509 from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const HOUR_MS = 3_600_000;
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

x509.cryptoProvider.set(crypto);

/** Who signs certificates. */
export interface Authority {
  /** Its certificate, as PEM. */
  readonly pem: string;
  readonly certificate: x509.X509Certificate;
  readonly keys: CryptoKeyPair;
}

/** A certificate and its key, as PEM. */
export interface Certified {
  readonly certificate: string;
  readonly key: string;
}

/** What a certificate says, where it is not what nodes on loopback need. */
export interface CertificateOptions {
  readonly name?: string;
  /** Host names and IP addresses. @default localhost and 127.0.0.1 */
  readonly hosts?: readonly string[];
  /** Uses. @default server and client */
  readonly uses?: readonly ("server" | "client")[];
  /** From now on, in hours, in which it is valid. @default [-1, 24] */
  readonly hours?: readonly [number, number];
}

/** An authority of its own. */
export async function makeAuthority(name = "test authority"): Promise<Authority> {
  const keys = await keyPair();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=${name}`,
    ...validity([-1, 24]),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  });
  return { pem: certificate.toString("pem"), certificate, keys };
}

/** A certificate that an authority signs. */
export async function certify(
  authority: Authority,
  options: CertificateOptions = {},
): Promise<Certified> {
  const { name = "node", hosts = ["localhost", "127.0.0.1"], uses = ["server", "client"] } =
    options;
  const keys = await keyPair();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: `CN=${name}`,
    issuer: authority.certificate.subject,
    ...validity(options.hours ?? [-1, 24]),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: authority.keys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false),
      new x509.ExtendedKeyUsageExtension(
        uses.map((use) => use === "server" ? SERVER_AUTH : CLIENT_AUTH),
      ),
      new x509.SubjectAlternativeNameExtension(
        hosts.map((value) => {
          const type: "ip" | "dns" = /^[\d.]+$|:/.test(value) ? "ip" : "dns";
          return { type, value };
        }),
      ),
    ],
  });
  const key = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    certificate: certificate.toString("pem"),
    key: x509.PemConverter.encode(key, "PRIVATE KEY"),
  };
}

/** Writes a certificate and its key where `prefix` says; answers the paths. */
export async function writeCertified(
  prefix: string,
  { certificate, key }: Certified,
): Promise<{ certificate: string; key: string }> {
  const paths = { certificate: `${prefix}.crt`, key: `${prefix}.key` };
  await Deno.writeTextFile(paths.certificate, certificate);
  await Deno.writeTextFile(paths.key, key);
  return paths;
}

async function keyPair(): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]) as CryptoKeyPair;
}

function validity([from, to]: readonly [number, number]) {
  const nowMs = Date.now();
  return {
    notBefore: new Date(nowMs + from * HOUR_MS),
    notAfter: new Date(nowMs + to * HOUR_MS),
  };
}

function serial(): string {
  return crypto.randomUUID().replaceAll("-", "");
}

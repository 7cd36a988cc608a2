/**
 * Certificates and private keys, as they lie on the disk.
 *
 * @module
 */

import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { CertifiedKey } from "../io/mod.ts";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * A certificate chain and its key. @throws Error that names the file, when one can't be read, or they
 * do not belong together
 */
export async function readCertifiedKey(
  certificatePath: string,
  keyPath: string,
): Promise<CertifiedKey> {
  const [certificate, key] = await Promise.all([textOf(certificatePath), textOf(keyPath)]);
  const [own] = certificatesIn(certificatePath, certificate);
  let matches: boolean;
  try {
    matches = own?.checkPrivateKey(createPrivateKey(key)) ?? false;
  } catch {
    // The parser's own words may quote the key.
    throw new Error(
      `${keyPath} holds no private key that can be read, as PEM without a passphrase`,
    );
  }
  if (!matches) throw new Error(`the key in ${keyPath} is not that of ${certificatePath}`);
  return { certificate, key };
}

/** Certificates of authorities. @throws Error that names the file, when it holds none */
export async function readAuthorities(path: string): Promise<string> {
  const text = await textOf(path);
  for (const certificate of certificatesIn(path, text)) {
    if (!certificate.ca) throw new Error(`${path} holds a certificate that is no authority's`);
  }
  return text;
}

function certificatesIn(path: string, text: string): X509Certificate[] {
  const blocks = text.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) throw new Error(`${path} holds no certificate as PEM`);
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    throw new Error(`${path} holds a certificate that can't be read`);
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (reason) {
    const detail = reason instanceof Error ? reason.message : String(reason);
    throw new Error(`${path} can't be read: ${detail}`);
  }
}

import type { Kind } from "./kinds.ts";

/** What may stand before the port in `Host`, IP addresses apart. */
const HOST_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,252}$/;

/** Host names parted by commas; none where empty. */
export const hostNames: Kind<readonly string[]> = {
  placeholder: "NAME",
  expected: "host names parted by commas, such as ursula-1,ursula-1.example",
  read(raw) {
    if (raw === "") return [];
    const names = typeof raw === "string" ? raw.split(",").map((name) => name.trim()) : raw;
    if (!Array.isArray(names)) return undefined;
    const isName = (name: unknown) => typeof name === "string" && HOST_NAME.test(name);
    return names.every(isName) ? names.map((name: string) => name.toLowerCase()) : undefined;
  },
  write: (names) => names.join(","),
};

import assert from "node:assert/strict";
import { SimRandom } from "../random.ts";
import { Violation } from "../violation.ts";
import { Ledger } from "./ledger.ts";
import { type Write, Writes } from "./writes.ts";

const KEY = "alpha/one";

function joined(...parts: readonly Write[]): Uint8Array {
  return new Uint8Array(parts.flatMap(({ bytes }) => [...bytes]));
}

function setUp() {
  const writes = new Writes();
  const random = new SimRandom(1);
  const draw = (key = KEY) => writes.draw(key, random.chance(0.5), 64, random);
  return { ledger: new Ledger(writes), draw };
}

Deno.test("Ledger.whole() takes acknowledged writes where they were acknowledged", () => {
  const { ledger, draw } = setUp();
  const [a, b] = [draw(), draw()];
  const bytes = joined(a, b);
  ledger.created(KEY, "i1");
  ledger.acknowledged(a, "i1", a.bytes.length);
  ledger.acknowledged(b, "i1", bytes.length);
  ledger.read(KEY, "i1", 0, bytes, "reader");
  ledger.whole(KEY, "i1", bytes.length);
});

Deno.test("Ledger.read() throws when bytes are other ones than before", () => {
  const { ledger, draw } = setUp();
  const [a, b] = [draw(), draw()];
  ledger.acknowledged(a, "i1", a.bytes.length);
  assert.throws(() => ledger.read(KEY, "i1", 0, b.bytes, "reader"), Violation);
});

Deno.test("Ledger.whole() throws when a write is there twice", () => {
  const { ledger, draw } = setUp();
  const a = draw();
  a.maybe = true;
  const bytes = joined(a, a);
  ledger.read(KEY, "i1", 0, bytes, "reader");
  assert.throws(() => ledger.whole(KEY, "i1", bytes.length), /twice/);
});

Deno.test("Ledger.whole() throws when a refused write is there", () => {
  const { ledger, draw } = setUp();
  const a = draw();
  ledger.read(KEY, "i1", 0, a.bytes, "reader");
  assert.throws(() => ledger.whole(KEY, "i1", a.bytes.length), /refused/);
});

Deno.test("Ledger.whole() throws when another stream's write is there", () => {
  const { ledger, draw } = setUp();
  const a = draw("alpha/two");
  a.maybe = true;
  ledger.created(KEY, "i1");
  ledger.read(KEY, "i1", 0, a.bytes, "reader");
  assert.throws(() => ledger.whole(KEY, "i1", a.bytes.length), /nobody wrote/);
});

Deno.test("Ledger.whole() holds a fork to the bytes of its source", () => {
  const { ledger, draw } = setUp();
  const [a, b] = [draw("alpha/two"), draw("alpha/two")];
  ledger.acknowledged(a, "i1", a.bytes.length);
  ledger.created(KEY, "i2");
  ledger.inherited(KEY, "i2", "alpha/two", a.bytes.length);
  ledger.read(KEY, "i2", 0, a.bytes, "reader");
  ledger.whole(KEY, "i2", a.bytes.length);
  ledger.created("alpha/three", "i3");
  ledger.inherited("alpha/three", "i3", "alpha/two", b.bytes.length);
  ledger.read("alpha/three", "i3", 0, b.bytes, "reader");
  assert.throws(() => ledger.whole("alpha/three", "i3", b.bytes.length), /not those of/);
});

Deno.test("Ledger.created() throws when an incarnation comes back", () => {
  const { ledger } = setUp();
  ledger.created(KEY, "i1");
  assert.throws(() => ledger.created(KEY, "i1"), /used before/);
});

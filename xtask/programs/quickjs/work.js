// Classes, JSON, regular expressions, exceptions, generators, promises, big integers, proxies.
"use strict";

class Shape {
  #name;
  constructor(name) { this.#name = name; }
  get name() { return this.#name; }
  area() { throw new TypeError(`${this.#name} has no area`); }
  static compare(a, b) { return a.area() - b.area(); }
}
class Circle extends Shape {
  constructor(r) { super("circle"); this.r = r; }
  area() { return Math.PI * this.r ** 2; }
}
class Square extends Shape {
  constructor(a) { super("square"); this.a = a; }
  area() { return this.a * this.a; }
}
const shapes = [new Circle(2), new Square(3), new Circle(1), new Square(1.5)].sort(Shape.compare);
print("classes", shapes.map((s) => `${s.name} ${s.area().toFixed(4)}`).join(", "));

try {
  new Shape("dot").area();
} catch (e) {
  print("exceptions", e instanceof TypeError, e.message);
} finally {
  print("finally");
}
const nested = (n) => { if (n === 0) throw new RangeError("deep"); nested(n - 1); };
try { nested(100); } catch ({ name, message }) { print(name, message); }
try { JSON.parse("{bad"); } catch (e) { print(e.name); }

const data = { list: [1, 2.5, null, "x\u00e9"], map: { b: 1, a: [true, false] }, when: new Date(0) };
const text = JSON.stringify(data, null, 1);
print("json", text.length, JSON.stringify(JSON.parse(text)) === JSON.stringify(data));

const log = "2024-02-29 ERROR disk=93% host=alpha\n2024-03-01 INFO disk=12% host=beta\n";
for (const m of log.matchAll(/(?<day>\d{4}-\d\d-\d\d) (?<level>\w+) disk=(?<disk>\d+)%/g))
  print("regex", m.groups.day, m.groups.level.toLowerCase(), +m.groups.disk);
print("a1b22c333".replace(/\d+/g, (d) => `<${d.length}>`), /^(?=.*\d)(?!.*\s)\p{L}/u.test("é1"));

function* primes() {
  const found = [];
  for (let n = 2; ; n++) if (found.every((p) => n % p)) { found.push(n); yield n; }
}
let sum = 0;
for (const p of primes()) { if (p > 2000) break; sum += p; }
print("generators", sum);

print("bigint", 2n ** 200n, (3n ** 100n) % 1000007n);
const counted = new Proxy({}, { get: (_, key) => key.length });
print("proxy", counted.seven + counted.to, Reflect.ownKeys({ z: 1, 3: 1, 1: 1 }).join());
const { a = 5, ...rest } = { b: 2, c: 3 };
print("destructuring", a, JSON.stringify(rest), [..."añb"].length, [1, [2, [3]]].flat(Infinity));

const words = new Map();
for (let i = 0; i < 20000; i++) {
  const w = "w" + ((i * 7919) % 211);
  words.set(w, (words.get(w) ?? 0) + 1);
}
print("map", words.size, [...words].sort().slice(0, 3).join(" "));
const typed = Float64Array.from({ length: 1000 }, (_, i) => Math.sin(i));
print("typed", typed.reduce((x, y) => x + y, 0).toFixed(10), new Uint8Array(typed.buffer)[17]);

const wait = (ms, v) => new Promise((done) => Promise.resolve().then(() => done(v)));
(async () => {
  const values = await Promise.all([wait(2, "a"), wait(1, "b")]);
  print("promises", values.join());
  try { await Promise.reject(new Error("late")); } catch (e) { print("caught", e.message); }
})();
print("sync end", eval("1 + 2"), new Function("x", "return x * 2")(21), isNaN(parseInt("z")));

// Which bucket does a customer fall into, in a browser or in Node?
//
// The same function as in Rust and SQL, held to the same golden vectors (schemas/vectors/bucketing.json).
// Whoever has the key can compute the holdout: keep it on a server. A shop that assigns in the browser takes a
// key of its own for what is assigned there.

/** The number of buckets; a share is resolved to 1 / 10,000. */
export const BUCKETS = 10_000;

const MASK = (1n << 64n) - 1n;
const SEPARATOR = "\u001f";

/**
 * The keyed hash of a customer for a salt: SipHash-1-3 (Aumasson & Bernstein 2012,
 * doi:10.1007/978-3-642-34931-7_28) of salt, U+001F and customer id in UTF-8.
 *
 * @param {string} key 32 hexadecimal digits.
 * @param {string} salt "holdout", "exploration", "engine_ab", or "engine_ab:" and the name of an engine test.
 * @param {string} customerId As the shop writes it; a number is not a string: pass "17", not 17.
 * @returns {bigint} 0n to 2n ** 64n - 1n.
 */
export function hash(key, salt, customerId) {
  if (typeof salt !== "string" || typeof customerId !== "string") {
    throw new TypeError("salt and customer id must be strings");
  }
  return sipHash13(keyWords(key), new TextEncoder().encode(salt + SEPARATOR + customerId));
}

/**
 * The bucket of a customer, 0 to 9999: who is in the first `share * BUCKETS` buckets is in the arm that grows.
 *
 * @param {string} key 32 hexadecimal digits.
 * @param {string} salt As for `hash`.
 * @param {string} customerId As for `hash`.
 * @returns {number}
 */
export function bucket(key, salt, customerId) {
  return Number((hash(key, salt, customerId) * BigInt(BUCKETS)) >> 64n);
}

/** The two little-endian words of a key. */
function keyWords(key) {
  if (typeof key !== "string" || !/^[0-9a-fA-F]{32}$/.test(key)) {
    throw new TypeError("the key must be 32 hexadecimal digits");
  }
  const bytes = Uint8Array.from(key.match(/../g), (digits) => Number.parseInt(digits, 16));
  return [word(bytes, 0), word(bytes, 8)];
}

/** Eight bytes as a little-endian word; what lies behind the end is zero. */
function word(bytes, from) {
  let value = 0n;
  for (let at = Math.min(from + 8, bytes.length) - 1; at >= from; at -= 1) {
    value = (value << 8n) | BigInt(bytes[at]);
  }
  return value;
}

function sipHash13([k0, k1], bytes) {
  let v0 = k0 ^ 0x736f6d6570736575n;
  let v1 = k1 ^ 0x646f72616e646f6dn;
  let v2 = k0 ^ 0x6c7967656e657261n;
  let v3 = k1 ^ 0x7465646279746573n;
  const rotate = (value, bits) => ((value << bits) | (value >> (64n - bits))) & MASK;
  const round = () => {
    v0 = (v0 + v1) & MASK;
    v1 = rotate(v1, 13n) ^ v0;
    v0 = rotate(v0, 32n);
    v2 = (v2 + v3) & MASK;
    v3 = rotate(v3, 16n) ^ v2;
    v0 = (v0 + v3) & MASK;
    v3 = rotate(v3, 21n) ^ v0;
    v2 = (v2 + v1) & MASK;
    v1 = rotate(v1, 17n) ^ v2;
    v2 = rotate(v2, 32n);
  };
  const take = (value) => {
    v3 ^= value;
    round();
    v0 ^= value;
  };
  const whole = bytes.length - (bytes.length % 8);
  for (let from = 0; from < whole; from += 8) take(word(bytes, from));
  // What is left over, and the length in the last byte.
  take(word(bytes, whole) | (BigInt(bytes.length & 0xff) << 56n));
  v2 ^= 0xffn;
  for (let at = 0; at < 3; at += 1) round();
  return v0 ^ v1 ^ v2 ^ v3;
}

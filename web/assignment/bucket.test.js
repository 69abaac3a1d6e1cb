// Does JavaScript put every customer where the golden vectors say?

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { BUCKETS, bucket, hash } from "./bucket.js";

const vectors = new URL("../../schemas/vectors/bucketing.json", import.meta.url);
const cases = JSON.parse(readFileSync(vectors, "utf8"));
const KEY = "000102030405060708090a0b0c0d0e0f";

test("buckets are those of the golden vectors", () => {
  assert.ok(cases.length >= 156);
  for (const { key, salt, customer_id, hash: expected, bucket: of } of cases) {
    const place = `${key} ${salt} ${customer_id.slice(0, 40)}`;
    assert.equal(hash(key, salt, customer_id).toString(16).padStart(16, "0"), expected, place);
    assert.equal(bucket(key, salt, customer_id), of, place);
  }
});

test("a larger share holds all of a smaller one, and about as many as it says", () => {
  const ids = Array.from({ length: 20_000 }, (_, id) => String(id));
  const buckets = ids.map((id) => bucket(KEY, "engine_ab:roll-out", id));
  for (const share of [0.01, 0.1, 0.5, 1]) {
    const held = buckets.filter((of) => of < share * BUCKETS).length;
    const expected = share * ids.length;
    assert.ok(Math.abs(held - expected) <= 4 * Math.sqrt(expected * (1 - share)), `${share}: ${held}`);
  }
});

test("what is no key, salt or customer id is refused", () => {
  for (const key of ["", "00", `${KEY}0`, KEY.replace("0", "g"), 7, undefined]) {
    assert.throws(() => bucket(key, "holdout", "17"), /32 hexadecimal digits/);
  }
  assert.throws(() => bucket(KEY, "holdout", 17), /must be strings/);
  assert.throws(() => bucket(KEY, undefined, "17"), /must be strings/);
});
